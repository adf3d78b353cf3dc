/* srv-new-server-private.h - what the servers' constructors come down to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server.h"
#include "srv-endpoint.h"

G_BEGIN_DECLS

SrvBaseServer *srv_new_server (GType server_type,
                               const SrvEndpoint *endpoint,
                               GType handler_type,
                               SrvMixIn *mix_in,
                               GError **error);
SrvBaseServer *srv_new_inet_server (GType server_type,
                                    SrvEndpointKind kind,
                                    const char *host,
                                    guint16 port,
                                    GType handler_type,
                                    GError **error);
SrvBaseServer *srv_new_unix_server (GType server_type,
                                    SrvEndpointKind kind,
                                    const char *path,
                                    GType handler_type,
                                    GError **error);

G_END_DECLS
