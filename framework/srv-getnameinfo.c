/* srv-getnameinfo.c - names of an address, within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * No server of the library does this by itself: the owner of an address can let
 * its name take any time to find, and have it be anything.
 */

#include "config.h"

#include "srv-getnameinfo.h"

#include "srv-deadline-private.h"
#include "srv-endpoint-private.h"
#include "srv-lookup-private.h"
#include "srv-sockaddr-private.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

/* The greatest length of a host's name in the system of names is 255, and that
 * of a service is nowhere given. */
#define MAX_HOST    1025
#define MAX_SERVICE 256

typedef struct
{
  SrvLookup lookup;

  SrvSockaddr address;
  int flags;
  char host[MAX_HOST];
  char service[MAX_SERVICE];
  int code;
  int saved_errno;
} Lookup;

static void
run_lookup (SrvLookup *lookup)
{
  Lookup *self = (Lookup *) lookup;

  self->code = getnameinfo (&self->address.any, self->address.length,
                            self->host, sizeof self->host, self->service,
                            sizeof self->service, self->flags);
  self->saved_errno = errno;
}

static void
clear_lookup (G_GNUC_UNUSED SrvLookup *lookup)
{
}

/* In other languages a string is UTF-8, whatever the answer was. */
static char *
take_name (const char *name)
{
  return g_utf8_make_valid (name, -1);
}

static char *
look_up (GSocketAddress *address,
         int flags,
         char **service,
         gint64 deadline,
         GCancellable *cancellable,
         GError **error)
{
  g_autoptr (SrvLookup) owned =
    srv_lookup_new (sizeof (Lookup), run_lookup, clear_lookup);
  Lookup *lookup = (Lookup *) owned;
  g_autofree char *name = NULL;

  if (!srv_sockaddr_from_address (&lookup->address, address))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "unknown kind of address");
      return NULL;
    }
  name = srv_sockaddr_to_string (&lookup->address);
  lookup->flags = flags;
  if (!srv_lookup_wait (lookup, deadline, cancellable, error))
    {
      g_prefix_error (error, "could not find the name of %s: ", name);
      return NULL;
    }
  if (lookup->code != 0)
    {
      srv_lookup_set_error (error, lookup->code, lookup->saved_errno, name);
      return NULL;
    }
  if (service != NULL)
    *service = take_name (lookup->service);
  return take_name (lookup->host);
}

/**
 * srv_getnameinfo:
 * @address: an address of the internet
 * @service: (out) (optional) (transfer full): where to put the name of the
 *   service that has the port, or the number of the port
 * @timeout_ms: longest time, in milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the name that belongs to an address; where there is none, the
 * address is written in numbers. Only the one who owns the address says what its
 * name is: it is no proof of anything, and to be escaped like all that comes
 * from the network.
 *
 * To write an address in numbers needs no look-up:
 * [method@Gio.InetAddress.to_string].
 *
 * Fails with %G_RESOLVER_ERROR_TEMPORARY_FAILURE, %G_IO_ERROR_TIMED_OUT,
 * %G_IO_ERROR_CANCELLED, %G_IO_ERROR_HOST_NOT_FOUND for an address of another
 * kind, and %SRV_ERROR_LIMIT when no thread can be had.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.getnameinfo()`.
 *
 * Returns: (transfer full): a name or an address, UTF-8, or %NULL with @error set
 */
char *
srv_getnameinfo (GSocketAddress *address,
                 char **service,
                 int timeout_ms,
                 GCancellable *cancellable,
                 GError **error)
{
  g_return_val_if_fail (G_IS_SOCKET_ADDRESS (address), NULL);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return look_up (address, 0, service, srv_deadline_from_ms (timeout_ms),
                  cancellable, error);
}

/* The name of the first address of a host; the deadline is for both look-ups. */
static char *
name_of_host (const char *host,
              gint64 deadline,
              GCancellable *cancellable,
              GError **error)
{
  g_autoptr (SrvEndpoint) endpoint =
    srv_endpoint_new_inet (SRV_ENDPOINT_KIND_TCP, host, 0);
  g_autolist (GSocketAddress) addresses =
    srv_endpoint_resolve_until (endpoint, FALSE, G_SOCKET_FAMILY_INVALID,
                                deadline, cancellable, error);

  if (addresses == NULL)
    return NULL;
  return look_up (addresses->data, NI_NAMEREQD, NULL, deadline, cancellable,
                  error);
}

/**
 * srv_gethostbyaddr:
 * @host: an address, such as `127.0.0.1` or `::1`, or a name
 * @timeout_ms: longest time, in milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the name that belongs to an address; of what it is worth, see
 * [func@SocketServer.getnameinfo].
 *
 * Fails with %G_IO_ERROR_HOST_NOT_FOUND when it has none, and else as
 * [func@SocketServer.getaddrinfo] does.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.gethostbyaddr()`, without its aliases.
 *
 * Returns: (transfer full): a name, UTF-8, or %NULL with @error set
 */
char *
srv_gethostbyaddr (const char *host,
                   int timeout_ms,
                   GCancellable *cancellable,
                   GError **error)
{
  g_return_val_if_fail (host != NULL, NULL);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return name_of_host (host, srv_deadline_from_ms (timeout_ms), cancellable,
                       error);
}

/**
 * srv_getfqdn:
 * @host: (nullable): a name or an address; %NULL or empty for this machine
 * @timeout_ms: longest time, in milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the full name of a host, with its domain. If none is known, @host is
 * returned as it is.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, and %SRV_ERROR_LIMIT
 * when no thread can be had.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `socket.getfqdn()`.
 *
 * Returns: (transfer full): a name, UTF-8, or %NULL with @error set
 */
char *
srv_getfqdn (const char *host,
             int timeout_ms,
             GCancellable *cancellable,
             GError **error)
{
  g_autofree char *name = NULL;
  g_autoptr (GError) local = NULL;

  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (host == NULL || host[0] == '\0')
    host = g_get_host_name ();
  name =
    name_of_host (host, srv_deadline_from_ms (timeout_ms), cancellable, &local);
  if (name != NULL && strchr (name, '.') != NULL)
    return g_steal_pointer (&name);
  if (local == NULL || local->domain == G_RESOLVER_ERROR ||
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND))
    return take_name (host);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}
