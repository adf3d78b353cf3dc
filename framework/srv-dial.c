/* srv-dial.c - from an endpoint to a connected socket
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The socket is non-blocking and waited for with srv_wait_fd (), so that a
 * handler can be a client, too, whatever its mix-in.
 */

#include "config.h"

#include "srv-dial-private.h"

#include "srv-deadline-private.h"
#include "srv-endpoint-private.h"
#include "srv-errno-private.h"
#include "srv-sockaddr-private.h"
#include "srv-wait.h"

#include <errno.h>
#include <unistd.h>

/* How often a Unix listener with a full queue is asked again, since there is no
 * event that tells of room in it. */
#define RETRY_MS 10

gboolean
srv_endpoint_is_datagram (const SrvEndpoint *endpoint)
{
  SrvEndpointKind kind = srv_endpoint_get_kind (endpoint);

  return kind == SRV_ENDPOINT_KIND_UDP || kind == SRV_ENDPOINT_KIND_UNIXGRAM;
}

static gboolean
fail_connect (int code, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, (int) g_io_error_from_errno (code),
                       g_strerror (code));
  return FALSE;
}

static gboolean
wait_for_retry (gint64 deadline, GCancellable *cancellable, GError **error)
{
  const int left_ms = srv_deadline_poll_timeout (deadline);

  if (left_ms == 0)
    return fail_connect (ETIMEDOUT, error);
  return srv_sleep (left_ms < 0 ? RETRY_MS : MIN (left_ms, RETRY_MS),
                    cancellable, error);
}

static gboolean
finish_connect (int fd,
                gint64 deadline,
                GCancellable *cancellable,
                GError **error)
{
  int code = 0;
  socklen_t size = sizeof code;

  if (!srv_wait_fd (fd, G_IO_OUT, deadline, cancellable, error))
    return FALSE;
  if (getsockopt (fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
    code = errno;
  return code == 0 || fail_connect (code, error);
}

static gboolean
connect_socket (int fd,
                const SrvSockaddr *address,
                gint64 deadline,
                GCancellable *cancellable,
                GError **error)
{
  for (;;)
    {
      if (connect (fd, &address->any, address->length) == 0)
        return TRUE;
      if (errno == EINPROGRESS || errno == EINTR)
        return finish_connect (fd, deadline, cancellable, error);
      if (errno != EAGAIN || address->any.sa_family != AF_UNIX)
        return fail_connect (errno, error);
      if (!wait_for_retry (deadline, cancellable, error))
        return FALSE;
    }
}

/* A server can answer a Unix datagram only if the sender has a name: an
 * address that is nothing but a family makes the kernel choose one. */
static gboolean
take_name (int fd, GError **error)
{
  const struct sockaddr anything = { .sa_family = AF_UNIX };

  return bind (fd, &anything, sizeof (sa_family_t)) == 0 ||
         fail_connect (errno, error);
}

/* The source address that fits: one IPv4 address cannot come from an IPv6 one.
 */
static gboolean
bind_source (int fd, int family, GList *sources, GError **error)
{
  for (GList *item = sources; item != NULL; item = item->next)
    {
      SrvSockaddr source;

      if (srv_sockaddr_from_address (&source, item->data) &&
          source.any.sa_family == family)
        return bind (fd, &source.any, source.length) == 0 ||
               fail_connect (errno, error);
    }
  return sources == NULL || fail_connect (EAFNOSUPPORT, error);
}

static int
dial_address (const SrvSockaddr *address,
              int type,
              GList *sources,
              gint64 deadline,
              GCancellable *cancellable,
              GError **error)
{
  int fd =
    socket (address->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    {
      fail_connect (errno, error);
      return -1;
    }
  if ((address->any.sa_family != AF_UNIX || type != SOCK_DGRAM ||
       take_name (fd, error)) &&
      bind_source (fd, address->any.sa_family, sources, error) &&
      connect_socket (fd, address, deadline, cancellable, error))
    return fd;
  close (fd);
  return -1;
}

/* The part of the time that one of @n_left addresses may use up. */
static gint64
share_of (gint64 deadline, guint n_left)
{
  gint64 now = g_get_monotonic_time ();

  if (deadline == SRV_DEADLINE_NEVER)
    return SRV_DEADLINE_NEVER;
  return now + MAX (deadline - now, 0) / n_left;
}

/* One trouble after the other, each with its address. */
static void
tell_trouble (GString *troubles, const SrvSockaddr *address, const GError *why)
{
  g_autofree char *name = srv_sockaddr_to_string (address);

  g_string_append_printf (troubles, "%s%s: %s", troubles->len > 0 ? "; " : "",
                          name, why->message);
}

/* Each address in turn, until one answers. */
static int
dial_any (GList *addresses,
          int type,
          GList *sources,
          gint64 deadline,
          GCancellable *cancellable,
          GError **error)
{
  g_autoptr (GString) troubles = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  guint n_left = g_list_length (addresses);

  for (GList *item = addresses; item != NULL; item = item->next, n_left--)
    {
      SrvSockaddr address;
      int fd;

      g_clear_error (&local);
      if (!srv_sockaddr_from_address (&address, item->data))
        g_set_error_literal (&local, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                             "unknown kind of address");
      else
        {
          fd = dial_address (&address, type, sources,
                             share_of (deadline, n_left), cancellable, &local);
          if (fd >= 0)
            return fd;
        }
      tell_trouble (troubles, &address, local);
      if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        break;
    }
  g_set_error_literal (error, local->domain, local->code, troubles->str);
  return -1;
}

/* Where to connect from; TRUE and NULL when the system shall choose. */
static gboolean
find_sources (const SrvEndpoint *source,
              GList **sources,
              gint64 deadline,
              GCancellable *cancellable,
              GError **error)
{
  if (source == NULL)
    return TRUE;
  *sources = srv_endpoint_resolve_until (source, TRUE, G_SOCKET_FAMILY_INVALID,
                                         deadline, cancellable, error);
  return *sources != NULL;
}

/* The descriptor of a connected, non-blocking socket, or -1. With a @source, of
 * the same kind as the endpoint, it has that address. */
int
srv_dial (const SrvEndpoint *endpoint,
          const SrvEndpoint *source,
          gint64 deadline,
          GCancellable *cancellable,
          GError **error)
{
  const int type = srv_endpoint_is_datagram (endpoint) ? SOCK_DGRAM
                                                       : SOCK_STREAM;
  g_autofree char *name = srv_endpoint_to_string (endpoint);
  g_autolist (GSocketAddress) sources = NULL;
  g_autolist (GSocketAddress) addresses = NULL;
  int fd;

  if (!find_sources (source, &sources, deadline, cancellable, error))
    return -1;
  addresses = srv_endpoint_resolve_until (endpoint, FALSE,
                                          G_SOCKET_FAMILY_INVALID, deadline,
                                          cancellable, error);
  if (addresses == NULL)
    return -1;
  fd = dial_any (addresses, type, sources, deadline, cancellable, error);
  if (fd < 0)
    g_prefix_error (error, "could not connect to %s: ", name);
  return fd;
}
