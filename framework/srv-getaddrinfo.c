/* srv-getaddrinfo.c - addresses of a name, within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-getaddrinfo.h"

#include "srv-deadline-private.h"
#include "srv-endpoint-private.h"

/**
 * srv_getaddrinfo:
 * @endpoint: what to look up, such as `tcp:localhost:http`
 * @family: which addresses are wanted; %G_SOCKET_FAMILY_INVALID for all
 * @timeout_ms: longest time, in milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the addresses to which a client can connect, in the order in which
 * they should be tried. Addresses that are written as numbers need nobody's
 * answer and come at once.
 *
 * The question goes to the C library, which has no time limit. It is asked in
 * another thread when there is a limit, a @cancellable, or a fiber that waits;
 * one whose answer comes too late ends by itself. Up to 64 such questions are
 * open at a time in a process; others wait for their turn.
 *
 * Fails with %SRV_ERROR_BAD_ENDPOINT, %G_IO_ERROR_HOST_NOT_FOUND,
 * %G_RESOLVER_ERROR_TEMPORARY_FAILURE when the name's server does not answer,
 * %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, %G_IO_ERROR_NOT_SUPPORTED for
 * `fd:`, and %SRV_ERROR_LIMIT when no thread can be had.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.getaddrinfo()`. Addresses for a server come from
 * [method@SocketServer.Endpoint.resolve].
 *
 * Returns: (transfer full) (element-type GSocketAddress): the addresses, at
 *   least one, or %NULL with @error set
 */
GList *
srv_getaddrinfo (const char *endpoint,
                 GSocketFamily family,
                 int timeout_ms,
                 GCancellable *cancellable,
                 GError **error)
{
  g_autoptr (SrvEndpoint) parsed = NULL;

  g_return_val_if_fail (endpoint != NULL, NULL);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = srv_endpoint_parse (endpoint, error);
  if (parsed == NULL)
    return NULL;
  return srv_endpoint_resolve_until (parsed, FALSE, family,
                                     srv_deadline_from_ms (timeout_ms),
                                     cancellable, error);
}

/**
 * srv_gethostbyname:
 * @host: the name of a host
 * @timeout_ms: longest time, in milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the first IPv4 address of a host. New programs use
 * [func@SocketServer.getaddrinfo], which knows IPv6.
 *
 * Fails as [func@SocketServer.getaddrinfo] does.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.gethostbyname()`.
 *
 * Returns: (transfer full): the address, such as `127.0.0.1`, or %NULL with
 *   @error set
 */
char *
srv_gethostbyname (const char *host,
                   int timeout_ms,
                   GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (SrvEndpoint) endpoint = NULL;
  g_autolist (GSocketAddress) addresses = NULL;

  g_return_val_if_fail (host != NULL, NULL);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  endpoint = srv_endpoint_new_inet (SRV_ENDPOINT_KIND_TCP, host, 0);
  addresses = srv_endpoint_resolve_until (endpoint, FALSE, G_SOCKET_FAMILY_IPV4,
                                          srv_deadline_from_ms (timeout_ms),
                                          cancellable, error);
  if (addresses == NULL)
    return NULL;
  return g_inet_address_to_string (g_inet_socket_address_get_address (
    G_INET_SOCKET_ADDRESS (addresses->data)));
}
