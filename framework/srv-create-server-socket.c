/* srv-create-server-socket.c - a listening socket without a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-create-server-socket.h"

#include "srv-errno-private.h"
#include "srv-has-dualstack-ipv6.h"
#include "srv-listener-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static gboolean
configure_nothing (G_GNUC_UNUSED gpointer user_data,
                   G_GNUC_UNUSED int fd,
                   G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

/* What cannot be had is refused, and not silently left out. */
static gboolean
check (const SrvEndpoint *endpoint,
       GSocketFamily family,
       gboolean dualstack_ipv6,
       GError **error)
{
  const char *why = NULL;
  g_autofree char *name = srv_endpoint_to_string (endpoint);
  int code = G_IO_ERROR_INVALID_ARGUMENT;

  if (srv_endpoint_get_kind (endpoint) != SRV_ENDPOINT_KIND_TCP)
    why = "it is no tcp: endpoint";
  else if (dualstack_ipv6 && family == G_SOCKET_FAMILY_IPV4)
    why = "an IPv4 socket cannot be dual-stack";
  else if (dualstack_ipv6 && !srv_has_dualstack_ipv6 ())
    {
      why = "this system has no dual-stack sockets";
      code = G_IO_ERROR_NOT_SUPPORTED;
    }
  if (why == NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, code, "could not listen on %s: %s", name,
               why);
  return FALSE;
}

static GSocket *
listen_on (SrvListener *listener, int backlog, GError **error)
{
  /* The listener keeps its own; both are the same socket. */
  int fd = fcntl (srv_listener_get_fd (listener), F_DUPFD_CLOEXEC, 3);
  int code;
  GSocket *socket;

  if (fd < 0 || listen (fd, backlog > 0 ? backlog : SOMAXCONN) != 0)
    {
      g_autofree char *name = NULL;

      code = errno;
      name = srv_listener_to_string (listener);
      srv_set_errno_error (error, code, "could not listen on %s", name);
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  socket = g_socket_new_from_fd (fd, error);
  if (socket == NULL)
    close (fd);
  return socket;
}

/**
 * srv_create_server_socket:
 * @endpoint: where to listen, such as `tcp:127.0.0.1:9999`, `tcp:[::]:0` or
 *   `tcp::9999` for all interfaces
 * @family: which kind of address; %G_SOCKET_FAMILY_INVALID for whatever fits the
 *   endpoint
 * @backlog: how many clients may wait to be accepted; 0 for as many as the
 *   system allows
 * @reuse_port: whether other sockets may share the port, if they say so, too
 * @dualstack_ipv6: whether the socket shall serve IPv4 beside IPv6; @family is
 *   then %G_SOCKET_FAMILY_IPV6, also when it is left open
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a socket that listens, for who accepts by himself. It closes on exec,
 * and the address can be used again right after it was closed.
 *
 * A server is made by [func@SocketServer.create_server]; it also takes a socket
 * that listens already, as `fd:NUMBER`, and keeps the descriptor.
 *
 * Without @dualstack_ipv6 a socket for IPv6 serves IPv6 alone, and all interfaces
 * are those of IPv4 unless @family says otherwise, as in Python.
 *
 * Fails with %SRV_ERROR_BAD_ENDPOINT, %G_IO_ERROR_INVALID_ARGUMENT for an
 * endpoint that is not `tcp:` and for a dual-stack IPv4 socket,
 * %G_IO_ERROR_NOT_SUPPORTED where there is no dual stack,
 * %G_IO_ERROR_HOST_NOT_FOUND, %G_IO_ERROR_ADDRESS_IN_USE, and what else the
 * system reports. The message names the endpoint.
 *
 * Threads: any; looks up a name if the endpoint has one. In Python:
 * `socket.create_server()`.
 *
 * Returns: (transfer full): a new socket, or %NULL with @error set
 */
GSocket *
srv_create_server_socket (const char *endpoint,
                          GSocketFamily family,
                          int backlog,
                          gboolean reuse_port,
                          gboolean dualstack_ipv6,
                          GError **error)
{
  g_autoptr (SrvEndpoint) parsed = NULL;
  g_autoptr (SrvListener) listener = NULL;
  SrvListenOptions options = {
    .socket_type = SOCK_STREAM,
    .configure = configure_nothing,
    .family = dualstack_ipv6 ? G_SOCKET_FAMILY_IPV6 : family,
    .reuse_address = TRUE,
    .reuse_port = reuse_port,
    .dual_stack = dualstack_ipv6 ? SRV_DUAL_STACK_ON : SRV_DUAL_STACK_OFF,
  };

  g_return_val_if_fail (endpoint != NULL, NULL);
  g_return_val_if_fail (backlog >= 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = srv_endpoint_parse (endpoint, error);
  if (parsed == NULL || !check (parsed, family, dualstack_ipv6, error))
    return NULL;
  options.endpoint = parsed;
  if (options.family == G_SOCKET_FAMILY_INVALID &&
      srv_endpoint_get_host (parsed)[0] == '\0')
    options.family = G_SOCKET_FAMILY_IPV4;
  listener = srv_listener_open (&options, error);
  if (listener == NULL)
    return NULL;
  return listen_on (listener, backlog, error);
}
