/* srv-endpoint-resolve.c - the addresses behind an endpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-endpoint-private.h"

#include "srv-deadline-private.h"
#include "srv-lookup-private.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <netdb.h>

typedef struct
{
  SrvLookup lookup;

  char *host; /* owned; NULL: the wildcard, or this machine */
  char *service;
  struct addrinfo hints;
  struct addrinfo *found; /* owned */
  int code;
  int saved_errno;
} Lookup;

static void
run_lookup (SrvLookup *lookup)
{
  Lookup *self = (Lookup *) lookup;

  self->code =
    getaddrinfo (self->host, self->service, &self->hints, &self->found);
  self->saved_errno = errno;
}

static void
clear_lookup (SrvLookup *lookup)
{
  Lookup *self = (Lookup *) lookup;

  if (self->found != NULL)
    freeaddrinfo (self->found);
  g_free (self->host);
  g_free (self->service);
}

static SrvLookup *
make_lookup (const SrvEndpoint *self, gboolean passive, GSocketFamily family)
{
  const char *host = srv_endpoint_get_host (self);
  Lookup *lookup = srv_lookup_new (sizeof *lookup, run_lookup, clear_lookup);

  lookup->host = host[0] != '\0' ? g_strdup (host) : NULL;
  lookup->service = g_strdup (srv_endpoint_get_service (self));
  lookup->hints.ai_family = family == G_SOCKET_FAMILY_INVALID ? AF_UNSPEC
                                                              : (int) family;
  lookup->hints.ai_socktype =
    srv_endpoint_get_kind (self) == SRV_ENDPOINT_KIND_TCP ? SOCK_STREAM
                                                          : SOCK_DGRAM;
  lookup->hints.ai_flags = passive ? AI_PASSIVE : 0;
  return &lookup->lookup;
}

/* Numbers need nobody's answer, and so no thread. */
static gboolean
is_numeric (Lookup *self)
{
  const int flags = self->hints.ai_flags;

  self->hints.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
  run_lookup (&self->lookup);
  self->hints.ai_flags = flags;
  return self->code == 0;
}

/* A server on all interfaces wants the IPv6 address first, since one socket
 * on it serves both; everybody else IPv4, as Python does: a name like
 * localhost then means the address that most clients try. */
static gint
compare_addresses (gconstpointer a, gconstpointer b, gpointer wildcard)
{
  GSocketFamily first = GPOINTER_TO_INT (wildcard) ? G_SOCKET_FAMILY_IPV6
                                                   : G_SOCKET_FAMILY_IPV4;
  gboolean a_first = g_socket_address_get_family ((gpointer) a) == first;
  gboolean b_first = g_socket_address_get_family ((gpointer) b) == first;

  return b_first - a_first;
}

static GList *
list_addresses (const Lookup *lookup, gboolean passive)
{
  gboolean wildcard = lookup->host == NULL && passive;
  GList *addresses = NULL;

  for (struct addrinfo *i = lookup->found; i != NULL; i = i->ai_next)
    {
      GSocketAddress *address =
        g_socket_address_new_from_native (i->ai_addr, i->ai_addrlen);

      if (address != NULL)
        addresses = g_list_prepend (addresses, address);
    }
  addresses = g_list_reverse (addresses);
  return g_list_sort_with_data (addresses, compare_addresses,
                                GINT_TO_POINTER (wildcard));
}

static GList *
resolve_inet (const SrvEndpoint *self,
              gboolean passive,
              GSocketFamily family,
              gint64 deadline,
              GCancellable *cancellable,
              GError **error)
{
  g_autoptr (SrvLookup) owned = make_lookup (self, passive, family);
  Lookup *lookup = (Lookup *) owned;
  g_autofree char *name = srv_endpoint_to_string (self);

  if (!is_numeric (lookup) &&
      !srv_lookup_wait (lookup, deadline, cancellable, error))
    {
      g_prefix_error (error, "could not find %s: ", name);
      return NULL;
    }
  if (lookup->code == 0)
    return list_addresses (lookup, passive);
  srv_lookup_set_error (error, lookup->code, lookup->saved_errno, name);
  return NULL;
}

static GSocketAddress *
resolve_unix (const SrvEndpoint *self)
{
  gsize length;
  const char *path = srv_endpoint_get_path (self, &length);

  if (path[0] == '\0')
    return g_unix_socket_address_new_with_type (path + 1, (int) length - 1,
                                                G_UNIX_SOCKET_ADDRESS_ABSTRACT);
  return g_unix_socket_address_new (path);
}

/* The same with a time limit, and for one address family alone if wanted. */
GList *
srv_endpoint_resolve_until (const SrvEndpoint *self,
                            gboolean passive,
                            GSocketFamily family,
                            gint64 deadline,
                            GCancellable *cancellable,
                            GError **error)
{
  switch (srv_endpoint_get_kind (self))
    {
    case SRV_ENDPOINT_KIND_TCP:
    case SRV_ENDPOINT_KIND_UDP:
      return resolve_inet (self, passive, family, deadline, cancellable, error);
    case SRV_ENDPOINT_KIND_UNIX:
    case SRV_ENDPOINT_KIND_UNIXGRAM:
      return g_list_prepend (NULL, resolve_unix (self));
    case SRV_ENDPOINT_KIND_FD:
    default:
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "fd:%d has no address to connect to",
                   srv_endpoint_get_fd (self));
      return NULL;
    }
}

/**
 * srv_endpoint_resolve:
 * @self: an endpoint
 * @passive: %TRUE for a server: no host means all interfaces; %FALSE for a
 *   client: no host means this machine
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets the addresses behind an endpoint, looking up names if there are any,
 * in the order in which they should be tried.
 *
 * Fails with %G_IO_ERROR_HOST_NOT_FOUND, with
 * %G_RESOLVER_ERROR_TEMPORARY_FAILURE when the name's server does not answer, or
 * with %G_IO_ERROR_NOT_SUPPORTED for a descriptor, which has no address that
 * could be looked up.
 *
 * Threads: any; when a name must be looked up it blocks the calling one, or the
 * calling fiber. [func@SocketServer.getaddrinfo] has a time limit.
 *
 * Returns: (transfer full) (element-type GSocketAddress): the addresses, at
 *   least one, or %NULL with @error set
 */
GList *
srv_endpoint_resolve (const SrvEndpoint *self, gboolean passive, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return srv_endpoint_resolve_until (self, passive, G_SOCKET_FAMILY_INVALID,
                                     SRV_DEADLINE_NEVER, NULL, error);
}
