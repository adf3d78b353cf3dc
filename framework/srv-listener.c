/* srv-listener.c - the socket of a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-listener-private.h"

#include "srv-errno-private.h"
#include "srv-unix-path-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct _SrvListener
{
  int ref_count; /* atomic */
  int fd;
  int reserve_fd; /* atomic: gives way when descriptors run out; or -1 */
  SrvEndpointKind kind;
  SrvSockaddr bound;
  SrvUnixPath *claim; /* nullable */
  char *public_path;  /* nullable: the path as clients shall use it */
};

static SrvListener *
listener_new (int fd, SrvEndpointKind kind)
{
  SrvListener *self = g_new0 (SrvListener, 1);

  self->ref_count = 1;
  self->fd = fd;
  self->reserve_fd = -1;
  self->kind = kind;
  return self;
}

static gpointer
fail (const SrvListenOptions *options,
      const char *what,
      int code,
      GError **error)
{
  g_autofree char *name = srv_endpoint_to_string (options->endpoint);

  srv_set_errno_error (error, code, "could not %s %s", what, name);
  return NULL;
}

static gboolean
set_flag (int fd, int level, int option, gboolean on)
{
  int value = on ? 1 : 0;

  return setsockopt (fd, level, option, &value, sizeof value) == 0;
}

/* The two options stand apart. g_socket_bind () ties them together and lets
 * two UDP servers share a port by accident, so bind (2) is called here. */
static gboolean
set_inet_options (const SrvListenOptions *options,
                  int fd,
                  int family,
                  GError **error)
{
  if (options->reuse_address && !set_flag (fd, SOL_SOCKET, SO_REUSEADDR, TRUE))
    return fail (options, "set SO_REUSEADDR for", errno, error) != NULL;
  if (options->reuse_port && !set_flag (fd, SOL_SOCKET, SO_REUSEPORT, TRUE))
    return fail (options, "set SO_REUSEPORT for", errno, error) != NULL;
  if (family == AF_INET6 && options->dual_stack != SRV_DUAL_STACK_SYSTEM &&
      !set_flag (fd, IPPROTO_IPV6, IPV6_V6ONLY,
                 options->dual_stack == SRV_DUAL_STACK_OFF))
    return fail (options, "set IPV6_V6ONLY for", errno, error) != NULL;
  return TRUE;
}

/* Asks for the address that each datagram was sent to, so that the reply can
 * leave from there. */
static void
ask_for_destination (int fd, int family)
{
  if (family == AF_INET6)
    set_flag (fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, TRUE);
  else
    set_flag (fd, IPPROTO_IP, IP_PKTINFO, TRUE);
}

static gboolean
finish_socket (SrvListener *self,
               const SrvListenOptions *options,
               GError **error)
{
  int family;

  if (!srv_sockaddr_of_socket (&self->bound, self->fd))
    return fail (options, "read back the address of", errno, error) != NULL;
  family = self->bound.any.sa_family;
  if (options->socket_type == SOCK_DGRAM)
    {
      if (family == AF_UNIX)
        set_flag (self->fd, SOL_SOCKET, SO_PASSCRED, TRUE);
      else if (srv_sockaddr_is_wildcard (&self->bound))
        ask_for_destination (self->fd, family);
    }
  return TRUE;
}

static SrvListener *
open_address (const SrvListenOptions *options,
              GSocketAddress *address,
              GError **error)
{
  SrvSockaddr name;
  int fd;
  g_autoptr (SrvListener) self = NULL;

  if (!srv_sockaddr_from_address (&name, address))
    return fail (options, "bind", EAFNOSUPPORT, error);
  fd = socket (name.any.sa_family, options->socket_type | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail (options, "make a socket for", errno, error);
  self = listener_new (fd, srv_endpoint_get_kind (options->endpoint));
  if (!set_inet_options (options, fd, name.any.sa_family, error) ||
      !options->configure (options->user_data, fd, error))
    return NULL;
  if (bind (fd, &name.any, name.length) != 0)
    return fail (options, "bind", errno, error);
  if (!finish_socket (self, options, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Whether another address of the same name may do better. */
static gboolean
is_worth_another (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static gboolean
has_family (GSocketAddress *address, GSocketFamily family)
{
  return family == G_SOCKET_FAMILY_INVALID ||
         g_socket_address_get_family (address) == family;
}

static SrvListener *
open_inet (const SrvListenOptions *options, GError **error)
{
  GList *addresses = srv_endpoint_resolve (options->endpoint, TRUE, error);
  SrvListener *self = NULL;
  g_autoptr (GError) local = NULL;

  if (addresses == NULL)
    return NULL;
  for (GList *i = addresses; i != NULL && self == NULL; i = i->next)
    {
      if (!has_family (i->data, options->family))
        continue;
      g_clear_error (&local);
      self = open_address (options, i->data, &local);
      if (self == NULL && !is_worth_another (local))
        break;
    }
  g_list_free_full (addresses, g_object_unref);
  if (self != NULL)
    return self;
  if (local == NULL)
    return fail (options, "bind", EADDRNOTAVAIL, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

static gboolean
bind_abstract (const SrvListenOptions *options,
               int fd,
               const char *path,
               gsize length,
               GError **error)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };

  /* The name alone, "@": the kernel picks one. */
  if (length == 1)
    length = 0;
  if (length > sizeof name.sun_path)
    return fail (options, "bind", ENAMETOOLONG, error) != NULL;
  memcpy (name.sun_path, path, length);
  if (bind (fd, (struct sockaddr *) &name,
            (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length)) !=
      0)
    return fail (options, "bind", errno, error) != NULL;
  return TRUE;
}

static SrvListener *
open_unix (const SrvListenOptions *options, GError **error)
{
  gsize length;
  const char *path = srv_endpoint_get_path (options->endpoint, &length);
  g_autoptr (SrvListener) self = NULL;
  int fd = socket (AF_UNIX, options->socket_type | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return fail (options, "make a socket for", errno, error);
  self = listener_new (fd, srv_endpoint_get_kind (options->endpoint));
  if (!options->configure (options->user_data, fd, error))
    return NULL;
  if (path[0] == '\0')
    {
      if (!bind_abstract (options, fd, path, length, error))
        return NULL;
    }
  else
    {
      self->claim = srv_unix_path_claim (path, options->socket_type,
                                         options->take_over, error);
      if (self->claim == NULL ||
          !srv_unix_path_bind (self->claim, fd, options->mode, options->owner,
                               options->group, error))
        return NULL;
      self->public_path = g_canonicalize_filename (path, NULL);
    }
  if (!finish_socket (self, options, error))
    return NULL;
  return g_steal_pointer (&self);
}

static int
get_option (int fd, int option)
{
  int value = -1;
  socklen_t size = sizeof value;

  if (getsockopt (fd, SOL_SOCKET, option, &value, &size) != 0)
    return -1;
  return value;
}

static SrvEndpointKind
kind_of (int family, int type)
{
  if (family == AF_UNIX)
    return type == SOCK_STREAM ? SRV_ENDPOINT_KIND_UNIX
                               : SRV_ENDPOINT_KIND_UNIXGRAM;
  return type == SOCK_STREAM ? SRV_ENDPOINT_KIND_TCP : SRV_ENDPOINT_KIND_UDP;
}

/* Why a descriptor is not what the server needs; NULL if it is. */
static const char *
find_fault (const SrvListenOptions *options, int fd)
{
  SrvSockaddr peer = { .length = sizeof peer - offsetof (SrvSockaddr, any) };

  if (get_option (fd, SO_TYPE) != options->socket_type)
    return options->socket_type == SOCK_STREAM ? "it is not a stream socket"
                                               : "it is not a datagram socket";
  if ((get_option (fd, SO_DOMAIN) == AF_UNIX) != options->local)
    return options->local ? "it is not a Unix socket"
                          : "it is not an internet socket";
  if (options->socket_type == SOCK_STREAM &&
      getpeername (fd, &peer.any, &peer.length) == 0)
    return "it is connected";
  if (options->local &&
      (!srv_sockaddr_of_socket (&peer, fd) || !srv_sockaddr_is_named (&peer)))
    return "it is not bound";
  return NULL;
}

/* A socket that somebody else has opened and bound. It is taken over, but on
 * failure it still belongs to the caller. */
static SrvListener *
adopt (const SrvListenOptions *options, GError **error)
{
  int fd = srv_endpoint_get_fd (options->endpoint);
  int type = get_option (fd, SO_TYPE);
  const char *fault;
  SrvListener *self;

  if (type < 0)
    return fail (options, "use", errno, error);
  fault = find_fault (options, fd);
  if (fault != NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "could not use fd:%d: %s", fd, fault);
      return NULL;
    }
  if (!options->configure (options->user_data, fd, error))
    return NULL;
  self = listener_new (fd, kind_of (get_option (fd, SO_DOMAIN), type));
  if (finish_socket (self, options, error))
    {
      fcntl (fd, F_SETFD, FD_CLOEXEC);
      return self;
    }
  self->fd = -1;
  srv_listener_unref (self);
  return NULL;
}

SrvListener *
srv_listener_open (const SrvListenOptions *options, GError **error)
{
  switch (srv_endpoint_get_kind (options->endpoint))
    {
    case SRV_ENDPOINT_KIND_TCP:
    case SRV_ENDPOINT_KIND_UDP:
      return open_inet (options, error);
    case SRV_ENDPOINT_KIND_UNIX:
    case SRV_ENDPOINT_KIND_UNIXGRAM:
      return open_unix (options, error);
    case SRV_ENDPOINT_KIND_FD:
      return adopt (options, error);
    default:
      g_assert_not_reached ();
    }
}

static gboolean
copy_option (SrvListener *self, SrvListener *twin, int level, int option)
{
  int value;
  socklen_t size = sizeof value;

  return getsockopt (self->fd, level, option, &value, &size) == 0 &&
         setsockopt (twin->fd, level, option, &value, size) == 0;
}

static gboolean
bind_twin (SrvListener *self, SrvListener *twin)
{
  int family = self->bound.any.sa_family;

  if (!copy_option (self, twin, SOL_SOCKET, SO_REUSEADDR) ||
      !copy_option (self, twin, SOL_SOCKET, SO_REUSEPORT) ||
      (family == AF_INET6 &&
       !copy_option (self, twin, IPPROTO_IPV6, IPV6_V6ONLY)) ||
      bind (twin->fd, &self->bound.any, self->bound.length) != 0)
    return FALSE;
  twin->bound = self->bound;
  if (get_option (self->fd, SO_TYPE) == SOCK_DGRAM &&
      srv_sockaddr_is_wildcard (&self->bound))
    ask_for_destination (twin->fd, family);
  return TRUE;
}

SrvListener *
srv_listener_open_twin (SrvListener *self,
                        SrvConfigureFunc configure,
                        gpointer user_data,
                        GError **error)
{
  g_autofree char *name = srv_listener_to_string (self);
  g_autoptr (SrvListener) twin = NULL;
  int fd;

  if (srv_listener_is_unix (self) || get_option (self->fd, SO_REUSEPORT) != 1)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "could not share the port of %s: it was not bound with "
                   "allow-reuse-port",
                   name);
      return NULL;
    }
  fd = socket (self->bound.any.sa_family,
               get_option (self->fd, SO_TYPE) | SOCK_CLOEXEC, 0);
  twin = listener_new (fd, self->kind);
  if (fd >= 0 && !configure (user_data, fd, error))
    return NULL;
  if (fd < 0 || !bind_twin (self, twin))
    {
      srv_set_errno_error (error, errno, "could not share the port of %s",
                           name);
      return NULL;
    }
  return g_steal_pointer (&twin);
}

SrvListener *
srv_listener_ref (SrvListener *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

static void
close_unless_none (int fd)
{
  if (fd >= 0)
    close (fd);
}

void
srv_listener_unref (SrvListener *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  srv_listener_give_reserve (self);
  close_unless_none (self->fd);
  g_clear_pointer (&self->claim, srv_unix_path_free);
  g_free (self->public_path);
  g_free (self);
}

void
srv_listener_abandon (SrvListener *self)
{
  if (g_atomic_int_get (&self->ref_count) > 1)
    {
      srv_listener_unref (self);
      return;
    }
  close_unless_none (g_atomic_int_get (&self->reserve_fd));
  close_unless_none (self->fd);
  if (self->claim != NULL)
    close_unless_none (srv_unix_path_get_lock_fd (self->claim));
}

/* Gives the path up: from now on the name is free for a successor. */
void
srv_listener_retire (SrvListener *self)
{
  if (self->claim != NULL)
    srv_unix_path_release (self->claim);
}

/* Takes a descriptor into reserve, if there is none. */
void
srv_listener_take_reserve (SrvListener *self)
{
  int fd;

  if (g_atomic_int_get (&self->reserve_fd) >= 0)
    return;
  fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && !g_atomic_int_compare_and_exchange (&self->reserve_fd, -1, fd))
    close (fd);
}

/* Gives the reserve away; FALSE if there is none. */
gboolean
srv_listener_give_reserve (SrvListener *self)
{
  int fd = g_atomic_int_exchange (&self->reserve_fd, -1);

  if (fd < 0)
    return FALSE;
  close (fd);
  return TRUE;
}

int
srv_listener_get_fd (SrvListener *self)
{
  return self->fd;
}

gboolean
srv_listener_is_unix (SrvListener *self)
{
  return self->bound.any.sa_family == AF_UNIX;
}

/* NULL for an address family that GIO does not know. */
GSocketAddress *
srv_listener_get_address (SrvListener *self)
{
  return g_socket_address_new_from_native (&self->bound.any,
                                           self->bound.length);
}

/* As an endpoint that a client can use. */
char *
srv_listener_to_string (SrvListener *self)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (SrvEndpoint) endpoint = NULL;

  if (self->public_path != NULL)
    endpoint = srv_endpoint_new_unix (self->kind, self->public_path);
  else if ((address = srv_listener_get_address (self)) != NULL)
    endpoint = srv_endpoint_new_for_address (self->kind, address);
  return endpoint != NULL ? srv_endpoint_to_string (endpoint) : NULL;
}
