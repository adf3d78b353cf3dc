/* srv-getservbyname.h - ports of services and back, within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
int srv_getservbyname (const char *service,
                       const char *protocol,
                       int timeout_ms,
                       GCancellable *cancellable,
                       GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_getservbyport (guint16 port,
                         const char *protocol,
                         int timeout_ms,
                         GCancellable *cancellable,
                         GError **error);

G_END_DECLS
