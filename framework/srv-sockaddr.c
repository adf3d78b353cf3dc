/* srv-sockaddr.c - raw socket addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-sockaddr-private.h"

#include "srv-escape.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#define UN_HEADER offsetof (struct sockaddr_un, sun_path)

/* Whether there is somebody to answer: a Unix client that never bound its
 * socket has no name, and the kernel then reports the family alone or nothing
 * at all. */
gboolean
srv_sockaddr_is_named (const SrvSockaddr *self)
{
  if (self->length < sizeof (sa_family_t))
    return FALSE;
  return self->any.sa_family != AF_UNIX || self->length > UN_HEADER;
}

gboolean
srv_sockaddr_is_wildcard (const SrvSockaddr *self)
{
  if (self->any.sa_family == AF_INET)
    return self->in.sin_addr.s_addr == htonl (INADDR_ANY);
  if (self->any.sa_family == AF_INET6)
    return IN6_IS_ADDR_UNSPECIFIED (&self->in6.sin6_addr);
  return FALSE;
}

/* A client of a dual-stack socket that came over IPv4 is an IPv4 client, to
 * logs and to rules that compare addresses. */
static void
unmap (const SrvSockaddr *self, SrvSockaddr *plain)
{
  *plain = *self;
  if (self->length < sizeof self->in6 || self->any.sa_family != AF_INET6 ||
      !IN6_IS_ADDR_V4MAPPED (&self->in6.sin6_addr))
    return;
  memset (&plain->in, 0, sizeof plain->in);
  plain->length = sizeof plain->in;
  plain->in.sin_family = AF_INET;
  plain->in.sin_port = self->in6.sin6_port;
  memcpy (&plain->in.sin_addr, &self->in6.sin6_addr.s6_addr[12], 4);
}

/* NULL for an address without a name. */
GSocketAddress *
srv_sockaddr_to_address (const SrvSockaddr *self)
{
  SrvSockaddr plain;

  if (!srv_sockaddr_is_named (self))
    return NULL;
  unmap (self, &plain);
  return g_socket_address_new_from_native (&plain.any, plain.length);
}

gboolean
srv_sockaddr_from_address (SrvSockaddr *self, GSocketAddress *address)
{
  gssize size = g_socket_address_get_native_size (address);

  memset (self, 0, sizeof *self);
  if (size < 0 || (gsize) size > sizeof *self - offsetof (SrvSockaddr, any))
    return FALSE;
  self->length = (socklen_t) size;
  return g_socket_address_to_native (address, &self->any, size, NULL);
}

static char *
un_to_string (const SrvSockaddr *self)
{
  gsize length = self->length - UN_HEADER;
  g_autofree char *name = NULL;

  if (self->un.sun_path[0] == '\0')
    {
      name = srv_escape (self->un.sun_path + 1, (gssize) length - 1);
      return g_strconcat ("@", name, NULL);
    }
  return srv_escape (self->un.sun_path,
                     (gssize) strnlen (self->un.sun_path, length));
}

/* For people: `127.0.0.1:80`, `[::1]:80`, `/path`, `@name`; printable whatever
 * a Unix client has put into its name. */
char *
srv_sockaddr_to_string (const SrvSockaddr *self)
{
  SrvSockaddr plain;
  char host[INET6_ADDRSTRLEN] = "";
  char zone[IF_NAMESIZE] = "";

  if (!srv_sockaddr_is_named (self))
    return g_strdup ("unnamed");
  unmap (self, &plain);
  switch (plain.any.sa_family)
    {
    case AF_INET:
      inet_ntop (AF_INET, &plain.in.sin_addr, host, sizeof host);
      return g_strdup_printf ("%s:%u", host, ntohs (plain.in.sin_port));
    case AF_INET6:
      inet_ntop (AF_INET6, &plain.in6.sin6_addr, host, sizeof host);
      if (plain.in6.sin6_scope_id != 0)
        if_indextoname (plain.in6.sin6_scope_id, zone);
      return g_strdup_printf ("[%s%s%s]:%u", host, zone[0] != '\0' ? "%" : "",
                              zone, ntohs (plain.in6.sin6_port));
    case AF_UNIX:
      return un_to_string (&plain);
    default:
      return g_strdup_printf ("address family %d", plain.any.sa_family);
    }
}

/* Where a socket is bound; FALSE with errno set. */
gboolean
srv_sockaddr_of_socket (SrvSockaddr *self, int fd)
{
  memset (self, 0, sizeof *self);
  self->length = sizeof *self - offsetof (SrvSockaddr, any);
  return getsockname (fd, &self->any, &self->length) == 0;
}
