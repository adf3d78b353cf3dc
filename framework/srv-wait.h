/* srv-wait.h - waiting for a descriptor, the way handlers wait
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
gboolean srv_wait_fd (int fd,
                      GIOCondition condition,
                      gint64 deadline,
                      GCancellable *cancellable,
                      GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_sleep (int timeout_ms, GCancellable *cancellable, GError **error);

G_END_DECLS
