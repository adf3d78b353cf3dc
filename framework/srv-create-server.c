/* srv-create-server.c - from an endpoint string to a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-create-server.h"

#include "srv-errno-private.h"
#include "srv-new-server-private.h"
#include "srv-tcp-server.h"
#include "srv-udp-server.h"
#include "srv-unix-datagram-server.h"
#include "srv-unix-stream-server.h"

#include <errno.h>
#include <sys/socket.h>

/* Which class serves a socket that is already open. */
static GType
server_type_for_fd (int fd, GError **error)
{
  int domain = 0;
  int type = 0;
  socklen_t domain_size = sizeof domain;
  socklen_t type_size = sizeof type;
  int code;

  if (getsockopt (fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) != 0 ||
      getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0)
    {
      code = errno;
      srv_set_errno_error (error, code, "could not use fd:%d", fd);
      return G_TYPE_INVALID;
    }
  if (domain == AF_UNIX)
    return type == SOCK_STREAM ? SRV_TYPE_UNIX_STREAM_SERVER
                               : SRV_TYPE_UNIX_DATAGRAM_SERVER;
  return type == SOCK_STREAM ? SRV_TYPE_TCP_SERVER : SRV_TYPE_UDP_SERVER;
}

static GType
server_type_for_endpoint (const SrvEndpoint *endpoint, GError **error)
{
  switch (srv_endpoint_get_kind (endpoint))
    {
    case SRV_ENDPOINT_KIND_TCP:
      return SRV_TYPE_TCP_SERVER;
    case SRV_ENDPOINT_KIND_UDP:
      return SRV_TYPE_UDP_SERVER;
    case SRV_ENDPOINT_KIND_UNIX:
      return SRV_TYPE_UNIX_STREAM_SERVER;
    case SRV_ENDPOINT_KIND_UNIXGRAM:
      return SRV_TYPE_UNIX_DATAGRAM_SERVER;
    case SRV_ENDPOINT_KIND_FD:
      return server_type_for_fd (srv_endpoint_get_fd (endpoint), error);
    default:
      g_assert_not_reached ();
    }
}

/**
 * srv_create_server:
 * @endpoint: where to listen, as an endpoint string; see
 *   [struct@SocketServer.Endpoint]
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @mix_in: (nullable): how requests run at the same time; %NULL for one after
 *   the other
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server of the class that the endpoint calls for, bound and active.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_create_server ("tcp:127.0.0.1:0", MY_TYPE_HANDLER, NULL, &error);
 * ```
 *
 * Fails with %SRV_ERROR_BAD_ENDPOINT, and as the constructors of the servers
 * do.
 *
 * Threads: any; looks up a name if the endpoint has one. In Python:
 * `socket.create_server()` is the nearest relative.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_create_server (const char *endpoint,
                   GType handler_type,
                   SrvMixIn *mix_in,
                   GError **error)
{
  g_autoptr (SrvEndpoint) parsed = NULL;
  GType server_type;

  g_return_val_if_fail (endpoint != NULL, NULL);
  g_return_val_if_fail (mix_in == NULL || SRV_IS_MIX_IN (mix_in), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = srv_endpoint_parse (endpoint, error);
  if (parsed == NULL)
    return NULL;
  server_type = server_type_for_endpoint (parsed, error);
  if (server_type == G_TYPE_INVALID)
    return NULL;
  return srv_new_server (server_type, parsed, handler_type, mix_in, error);
}
