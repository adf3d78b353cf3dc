/* srv-create-connection.h - from an endpoint string to a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
SrvConnection *srv_create_connection (const char *endpoint,
                                      int timeout_ms,
                                      GCancellable *cancellable,
                                      GError **error);

SRV_AVAILABLE_IN_ALL
SrvConnection *srv_create_connection_from (const char *endpoint,
                                           const char *source,
                                           int timeout_ms,
                                           GCancellable *cancellable,
                                           GError **error);

SRV_AVAILABLE_IN_ALL
GSocket *srv_create_socket (const char *endpoint,
                            int timeout_ms,
                            GCancellable *cancellable,
                            GError **error);

G_END_DECLS
