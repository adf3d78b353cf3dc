/* srv-getnameinfo.h - names of an address, within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
char *srv_getnameinfo (GSocketAddress *address,
                       char **service,
                       int timeout_ms,
                       GCancellable *cancellable,
                       GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_gethostbyaddr (const char *host,
                         int timeout_ms,
                         GCancellable *cancellable,
                         GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_getfqdn (const char *host,
                   int timeout_ms,
                   GCancellable *cancellable,
                   GError **error);

G_END_DECLS
