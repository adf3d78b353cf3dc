/* srv-socketpair.h - two connections with each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
gboolean srv_socketpair (SrvConnection **first,
                         SrvConnection **second,
                         GError **error);

G_END_DECLS
