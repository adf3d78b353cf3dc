/* srv-wait-private.h - a wait that signals may end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-wait.h"

G_BEGIN_DECLS

gboolean srv_wait_fd_interruptible (int fd,
                                    GIOCondition condition,
                                    gint64 deadline,
                                    GCancellable *cancellable,
                                    gboolean *interrupted,
                                    GError **error);

G_END_DECLS
