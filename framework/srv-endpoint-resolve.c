/* srv-endpoint-resolve.c - the addresses behind an endpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-endpoint.h"

#include <gio/gunixsocketaddress.h>
#include <netdb.h>

static GList *
fail_resolve (const SrvEndpoint *self, const char *why, GError **error)
{
  g_autofree char *name = srv_endpoint_to_string (self);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND,
               "could not find %s: %s", name, why);
  return NULL;
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
resolve_inet (const SrvEndpoint *self, gboolean passive, GError **error)
{
  const char *host = srv_endpoint_get_host (self);
  gboolean anywhere = host[0] == '\0';
  const struct addrinfo hints = {
    .ai_family = AF_UNSPEC,
    .ai_socktype = srv_endpoint_get_kind (self) == SRV_ENDPOINT_KIND_TCP
                     ? SOCK_STREAM
                     : SOCK_DGRAM,
    .ai_flags = passive ? AI_PASSIVE : 0,
  };
  struct addrinfo *found = NULL;
  GList *addresses = NULL;
  int code;

  /* Straight to the C library: GIO's resolver would start a thread, and a
   * process with threads should not fork any more. */
  code = getaddrinfo (anywhere ? NULL : host, srv_endpoint_get_service (self),
                      &hints, &found);
  if (code != 0)
    return fail_resolve (self,
                         code == EAI_SYSTEM ? "the system failed"
                                            : gai_strerror (code),
                         error);
  for (struct addrinfo *i = found; i != NULL; i = i->ai_next)
    {
      GSocketAddress *address =
        g_socket_address_new_from_native (i->ai_addr, i->ai_addrlen);

      if (address != NULL)
        addresses = g_list_prepend (addresses, address);
    }
  freeaddrinfo (found);
  addresses = g_list_reverse (addresses);
  return g_list_sort_with_data (addresses, compare_addresses,
                                GINT_TO_POINTER (anywhere && passive));
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
 * Fails with %G_IO_ERROR_HOST_NOT_FOUND, or %G_IO_ERROR_NOT_SUPPORTED for a
 * descriptor, which has no address that could be looked up.
 *
 * Threads: any; blocks when a name must be looked up.
 *
 * Returns: (transfer full) (element-type GSocketAddress): the addresses, at
 *   least one, or %NULL with @error set
 */
GList *
srv_endpoint_resolve (const SrvEndpoint *self, gboolean passive, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  switch (srv_endpoint_get_kind (self))
    {
    case SRV_ENDPOINT_KIND_TCP:
    case SRV_ENDPOINT_KIND_UDP:
      return resolve_inet (self, passive, error);
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
