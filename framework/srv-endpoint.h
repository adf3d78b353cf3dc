/* srv-endpoint.h - where a server listens, as a string and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

/**
 * SrvEndpointKind:
 * @SRV_ENDPOINT_KIND_TCP: `tcp:HOST:PORT`
 * @SRV_ENDPOINT_KIND_UDP: `udp:HOST:PORT`
 * @SRV_ENDPOINT_KIND_UNIX: `unix:/path` or `unix:@abstract-name`
 * @SRV_ENDPOINT_KIND_UNIXGRAM: `unixgram:/path` or `unixgram:@abstract-name`
 * @SRV_ENDPOINT_KIND_FD: `fd:NUMBER`, a socket that is already open
 *
 * The transports that an endpoint string can name.
 */
typedef enum
{
  SRV_ENDPOINT_KIND_TCP,
  SRV_ENDPOINT_KIND_UDP,
  SRV_ENDPOINT_KIND_UNIX,
  SRV_ENDPOINT_KIND_UNIXGRAM,
  SRV_ENDPOINT_KIND_FD,
} SrvEndpointKind;

#define SRV_TYPE_ENDPOINT_KIND (srv_endpoint_kind_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_endpoint_kind_get_type (void);

#define SRV_TYPE_ENDPOINT (srv_endpoint_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_endpoint_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvEndpoint *srv_endpoint_parse (const char *string, GError **error);

SRV_AVAILABLE_IN_ALL
SrvEndpoint *srv_endpoint_new_inet (SrvEndpointKind kind,
                                    const char *host,
                                    guint16 port);

SRV_AVAILABLE_IN_ALL
SrvEndpoint *srv_endpoint_new_unix (SrvEndpointKind kind, const char *path);

SRV_AVAILABLE_IN_ALL
SrvEndpoint *srv_endpoint_new_fd (int fd);

SRV_AVAILABLE_IN_ALL
SrvEndpoint *srv_endpoint_new_for_address (SrvEndpointKind kind,
                                           GSocketAddress *address);

SRV_AVAILABLE_IN_ALL
SrvEndpoint *srv_endpoint_copy (const SrvEndpoint *self);

SRV_AVAILABLE_IN_ALL
void srv_endpoint_free (SrvEndpoint *self);

SRV_AVAILABLE_IN_ALL
char *srv_endpoint_to_string (const SrvEndpoint *self);

SRV_AVAILABLE_IN_ALL
SrvEndpointKind srv_endpoint_get_kind (const SrvEndpoint *self);

SRV_AVAILABLE_IN_ALL
const char *srv_endpoint_get_host (const SrvEndpoint *self);

SRV_AVAILABLE_IN_ALL
const char *srv_endpoint_get_service (const SrvEndpoint *self);

SRV_AVAILABLE_IN_ALL
const char *srv_endpoint_get_path (const SrvEndpoint *self, gsize *length);

SRV_AVAILABLE_IN_ALL
int srv_endpoint_get_fd (const SrvEndpoint *self);

SRV_AVAILABLE_IN_ALL
GList *srv_endpoint_resolve (const SrvEndpoint *self,
                             gboolean passive,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvEndpoint, srv_endpoint_free)

G_END_DECLS
