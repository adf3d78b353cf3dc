/* srv-getaddrinfo.h - addresses of a name, within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
GList *srv_getaddrinfo (const char *endpoint,
                        GSocketFamily family,
                        int timeout_ms,
                        GCancellable *cancellable,
                        GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_gethostbyname (const char *host,
                         int timeout_ms,
                         GCancellable *cancellable,
                         GError **error);

G_END_DECLS
