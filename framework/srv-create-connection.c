/* srv-create-connection.c - from an endpoint string to a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-create-connection.h"

#include "srv-connection.h"
#include "srv-deadline-private.h"
#include "srv-dial-private.h"

#include <unistd.h>

static gboolean
check_stream (const SrvEndpoint *endpoint, GError **error)
{
  g_autofree char *name = srv_endpoint_to_string (endpoint);

  if (!srv_endpoint_is_datagram (endpoint))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "could not connect to %s: it is for datagrams", name);
  return FALSE;
}

/* Only on the internet has a client an address to choose. */
static gboolean
parse_source (const char *source,
              const SrvEndpoint *endpoint,
              SrvEndpoint **parsed,
              GError **error)
{
  *parsed = srv_endpoint_parse (source, error);
  if (*parsed == NULL)
    return FALSE;
  if (srv_endpoint_get_kind (*parsed) == SRV_ENDPOINT_KIND_TCP &&
      srv_endpoint_get_kind (endpoint) == SRV_ENDPOINT_KIND_TCP)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "could not connect from an address: both ends must be "
                       "tcp: endpoints");
  return FALSE;
}

/**
 * srv_create_connection:
 * @endpoint: where to connect, such as `tcp:localhost:9999`, `unix:/path` or
 *   `unix:@name`
 * @timeout_ms: longest time to connect, in milliseconds, at least 1; -1 for no
 *   limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Connects to a server of streams.
 *
 * If a name has several addresses they are tried one after the other; what is
 * left of the time is divided evenly among those that are left, so none can use
 * up all of it. The message of an error tells the trouble of each; its code is
 * that of the last, as in Python.
 *
 * The time limit is for all of connecting, the look-up of a name included; set
 * that of reads and writes with
 * [method@SocketServer.Connection.set_timeout].
 *
 * Fails with %SRV_ERROR_BAD_ENDPOINT, %G_IO_ERROR_INVALID_ARGUMENT for an
 * endpoint of datagrams, %G_IO_ERROR_NOT_SUPPORTED for `fd:`,
 * %G_IO_ERROR_HOST_NOT_FOUND, %G_RESOLVER_ERROR_TEMPORARY_FAILURE,
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, or what the system
 * reports, such as %G_IO_ERROR_CONNECTION_REFUSED or %G_IO_ERROR_NOT_FOUND for a
 * Unix path.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.create_connection()`.
 *
 * Returns: (transfer full): a new connection, or %NULL with @error set
 */
SrvConnection *
srv_create_connection (const char *endpoint,
                       int timeout_ms,
                       GCancellable *cancellable,
                       GError **error)
{
  return srv_create_connection_from (endpoint, NULL, timeout_ms, cancellable,
                                     error);
}

/**
 * srv_create_connection_from:
 * @endpoint: where to connect, such as `tcp:localhost:9999`
 * @source: (nullable): where to connect from, such as `tcp:192.0.2.1:0`; port 0
 *   takes a free one; %NULL leaves it to the system
 * @timeout_ms: longest time to connect, in milliseconds, at least 1; -1 for no
 *   limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Connects to a server of streams from an address of one's own choice, on a
 * machine that has several; otherwise like
 * [func@SocketServer.create_connection].
 *
 * If @source is a name with several addresses, the first one of the family of
 * the server's address is taken.
 *
 * Fails with %G_IO_ERROR_INVALID_ARGUMENT unless both endpoints are `tcp:`, with
 * %G_IO_ERROR_NOT_SUPPORTED when @source has no address of the family,
 * %G_IO_ERROR_ADDRESS_IN_USE, and else as
 * [func@SocketServer.create_connection].
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.create_connection()` with `source_address`.
 *
 * Returns: (transfer full): a new connection, or %NULL with @error set
 */
SrvConnection *
srv_create_connection_from (const char *endpoint,
                            const char *source,
                            int timeout_ms,
                            GCancellable *cancellable,
                            GError **error)
{
  g_autoptr (SrvEndpoint) parsed = NULL;
  g_autoptr (SrvEndpoint) from = NULL;
  SrvConnection *connection;
  int fd;

  g_return_val_if_fail (endpoint != NULL, NULL);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = srv_endpoint_parse (endpoint, error);
  if (parsed == NULL || !check_stream (parsed, error) ||
      (source != NULL && !parse_source (source, parsed, &from, error)))
    return NULL;
  fd = srv_dial (parsed, from, srv_deadline_from_ms (timeout_ms), cancellable,
                 error);
  if (fd < 0)
    return NULL;
  connection = srv_connection_new_for_fd (fd, error);
  if (connection == NULL)
    close (fd);
  return connection;
}

/**
 * srv_create_socket:
 * @endpoint: where to connect, such as `tcp:localhost:9999`,
 *   `udp:127.0.0.1:9999`, `unix:/path` or `unixgram:@name`
 * @timeout_ms: longest time to connect, in milliseconds, at least 1; -1 for no
 *   limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Connects to a server of any kind, for who wants the socket itself; otherwise
 * like [func@SocketServer.create_connection].
 *
 * A socket for datagrams sends to, and receives from, that server only. One of
 * `unixgram:` gets a name from the system, so that it can be answered.
 *
 * Threads: any; blocks the calling one, or the calling fiber.
 *
 * Returns: (transfer full): a connected socket, or %NULL with @error set
 */
GSocket *
srv_create_socket (const char *endpoint,
                   int timeout_ms,
                   GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (SrvEndpoint) parsed = NULL;
  GSocket *socket;
  int fd;

  g_return_val_if_fail (endpoint != NULL, NULL);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = srv_endpoint_parse (endpoint, error);
  if (parsed == NULL)
    return NULL;
  fd = srv_dial (parsed, NULL, srv_deadline_from_ms (timeout_ms), cancellable,
                 error);
  if (fd < 0)
    return NULL;
  socket = g_socket_new_from_fd (fd, error);
  if (socket == NULL)
    close (fd);
  return socket;
}
