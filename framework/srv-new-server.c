/* srv-new-server.c - what the servers' constructors come down to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-new-server-private.h"

SrvBaseServer *
srv_new_server (GType server_type,
                const SrvEndpoint *endpoint,
                GType handler_type,
                SrvMixIn *mix_in,
                GError **error)
{
  g_autoptr (SrvBaseServer) server =
    g_object_new (server_type, "endpoint", endpoint, NULL);

  if (mix_in != NULL)
    srv_base_server_set_mix_in (server, mix_in);
  if (handler_type != G_TYPE_INVALID)
    srv_base_server_set_handler_type (server, handler_type);
  if (!g_initable_init (G_INITABLE (server), NULL, error))
    return NULL;
  return g_steal_pointer (&server);
}

SrvBaseServer *
srv_new_inet_server (GType server_type,
                     SrvEndpointKind kind,
                     const char *host,
                     guint16 port,
                     GType handler_type,
                     GError **error)
{
  g_autoptr (SrvEndpoint) endpoint = srv_endpoint_new_inet (kind, host, port);

  return srv_new_server (server_type, endpoint, handler_type, NULL, error);
}

SrvBaseServer *
srv_new_unix_server (GType server_type,
                     SrvEndpointKind kind,
                     const char *path,
                     GType handler_type,
                     GError **error)
{
  g_autoptr (SrvEndpoint) endpoint = NULL;

  g_return_val_if_fail (path != NULL, NULL);

  endpoint = srv_endpoint_new_unix (kind, path);
  return srv_new_server (server_type, endpoint, handler_type, NULL, error);
}
