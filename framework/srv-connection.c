/* srv-connection.c - one accepted stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-connection.h"

#include "srv-connection-private.h"
#include "srv-connection-streams-private.h"
#include "srv-request.h"
#include "srv-reuse-private.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/**
 * SrvConnection:
 *
 * One accepted stream: a [class@Gio.IOStream] over a socket.
 *
 * It holds the descriptor and the raw address of the client; streams, socket
 * and address objects are made when somebody asks for them. Reads and writes
 * go straight to the kernel: a blocking echo costs two system calls.
 *
 * The descriptor is in blocking mode, and time limits are kept by the kernel.
 * That changes once [method@SocketServer.Connection.get_socket] has been
 * called, because a [class@Gio.Socket] makes its descriptor non-blocking; this
 * class then waits by itself and nothing else is different.
 *
 * Everything in GIO stacks on the connection: [class@Gio.DataInputStream],
 * [iface@Gio.TlsServerConnection], converters.
 *
 * The task that serves the connection closes it with
 * [method@Gio.IOStream.close]. Done by anybody else, that only ends the
 * connection in both directions: whoever waits for the client finds the end, and
 * the server closes the descriptor when the request is done. Anybody else is
 * another thread, also that of an asynchronous close or of
 * [func@SocketServer.offload]; a task that the handler has spawned; and the
 * handler itself, before it has joined those that it has spawned. (In Python a
 * wait goes on when somebody closes.) A connection that no server has is closed
 * at once, or, if another fiber waits for it, ended, and closed with its last
 * reference.
 *
 * In Python: the socket object that a stream handler has as `self.request`.
 */
static void srv_connection_request_init (SrvRequestInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
  SrvConnection,
  srv_connection,
  G_TYPE_IO_STREAM,
  G_IMPLEMENT_INTERFACE (SRV_TYPE_REQUEST, srv_connection_request_init))

static gboolean
set_socket_timeout (int fd, int option, int timeout_ms)
{
  struct timeval limit = {
    .tv_sec = timeout_ms / 1000,
    .tv_usec = (timeout_ms % 1000) * 1000,
  };

  return setsockopt (fd, SOL_SOCKET, option, &limit, sizeof limit) == 0;
}

static GSocketAddress *
srv_connection_get_client_address (SrvRequest *request)
{
  SrvConnection *self = SRV_CONNECTION (request);

  if (self->client_address == NULL)
    self->client_address = srv_sockaddr_to_address (&self->peer);
  return self->client_address;
}

static GSocketAddress *
srv_connection_get_local_address (SrvRequest *request)
{
  SrvConnection *self = SRV_CONNECTION (request);
  SrvSockaddr local;

  if (self->local_address == NULL && self->fd >= 0 &&
      srv_sockaddr_of_socket (&local, self->fd))
    self->local_address = srv_sockaddr_to_address (&local);
  return self->local_address;
}

static GCredentials *
srv_connection_get_credentials (SrvRequest *request, GError **error)
{
  SrvConnection *self = SRV_CONNECTION (request);
  struct ucred native;
  socklen_t size = sizeof native;
  int domain = 0;
  socklen_t domain_size = sizeof domain;
  GCredentials *credentials;

  if (!srv_connection_check_open (self, "get the client's credentials", error))
    return NULL;
  /* On TCP the call succeeds and reports process 0: never take that for
   * somebody. */
  getsockopt (self->fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size);
  if (domain != AF_UNIX)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "only clients of Unix sockets have credentials");
      return NULL;
    }
  if (getsockopt (self->fd, SOL_SOCKET, SO_PEERCRED, &native, &size) != 0)
    {
      srv_connection_fail ("get the client's credentials", errno, error);
      return NULL;
    }
  credentials = g_credentials_new ();
  g_credentials_set_native (credentials, G_CREDENTIALS_TYPE_LINUX_UCRED,
                            &native);
  return credentials;
}

static char *
srv_connection_describe_client (SrvRequest *request)
{
  return srv_sockaddr_to_string (&SRV_CONNECTION (request)->peer);
}

static void
srv_connection_cut (SrvRequest *request)
{
  SrvConnection *self = SRV_CONNECTION (request);

  g_bit_lock (&self->fd_lock, 0);
  g_atomic_int_set (&self->cut, TRUE);
  if (self->fd >= 0)
    shutdown (self->fd, SHUT_RDWR);
  g_bit_unlock (&self->fd_lock, 0);
}

/* Only a read that waits for the client is ended. After an end of the input
 * that comes from us the kernel answers whatever the client still sends with a
 * reset, so a client that is in the middle of something is left alone; the
 * next read finds that it was drained. */
static void
srv_connection_drain (SrvRequest *request)
{
  SrvConnection *self = SRV_CONNECTION (request);

  g_atomic_int_set (&self->drained, TRUE);
  if (!g_atomic_int_get (&self->in_receive))
    return;
  g_bit_lock (&self->fd_lock, 0);
  if (self->fd >= 0)
    shutdown (self->fd, SHUT_RD);
  g_bit_unlock (&self->fd_lock, 0);
}

/* The same for a signal handler, which may have interrupted a holder of the
 * lock. */
void
srv_connection_drain_from_signal (SrvConnection *self)
{
  g_atomic_int_set (&self->drained, TRUE);
  if (g_atomic_int_get (&self->in_receive))
    shutdown (self->fd, SHUT_RD);
}

static int
srv_connection_request_fileno (SrvRequest *request)
{
  return SRV_CONNECTION (request)->fd;
}

static void
srv_connection_request_init (SrvRequestInterface *iface)
{
  iface->get_client_address = srv_connection_get_client_address;
  iface->get_local_address = srv_connection_get_local_address;
  iface->get_credentials = srv_connection_get_credentials;
  iface->describe_client = srv_connection_describe_client;
  iface->cut = srv_connection_cut;
  iface->drain = srv_connection_drain;
  iface->fileno = srv_connection_request_fileno;
}

static GObjectClass *grandparent_class;
static guint notify_id; /* the only signal that a connection has */

static GInputStream *
srv_connection_get_input_stream (GIOStream *stream)
{
  SrvConnection *self = SRV_CONNECTION (stream);

  if (self->input == NULL)
    self->input = srv_connection_input_stream_new (self);
  return self->input;
}

static GOutputStream *
srv_connection_get_output_stream (GIOStream *stream)
{
  SrvConnection *self = SRV_CONNECTION (stream);

  if (self->output == NULL)
    self->output = srv_connection_output_stream_new (self);
  return self->output;
}

static gboolean
srv_connection_close (GIOStream *stream,
                      G_GNUC_UNUSED GCancellable *cancellable,
                      G_GNUC_UNUSED GError **error)
{
  SrvConnection *self = SRV_CONNECTION (stream);

  /* GIO knows that for good. */
  g_atomic_int_set (&self->closed_as_stream, TRUE);
  srv_connection_close_or_end (self);
  return TRUE;
}

/* Whoever has one of the streams finds that it is closed. */
static void
drop_parts (SrvConnection *self)
{
  if (self->input != NULL)
    srv_connection_input_stream_forget (self->input);
  if (self->output != NULL)
    srv_connection_output_stream_forget (self->output);
  g_clear_object (&self->input);
  g_clear_object (&self->output);
  g_clear_object (&self->client_address);
  g_clear_object (&self->local_address);
}

static void
srv_connection_dispose (GObject *object)
{
  SrvConnection *self = SRV_CONNECTION (object);

  drop_parts (self);
  g_clear_object (&self->socket);
  g_clear_object (&self->link.handler);
  srv_connection_close_fd (self);
  /* Not GIOStream's own: it closes once more, and tells whoever listens, which
   * costs as much as the rest of a connection's end. */
  grandparent_class->dispose (object);
}

static void
srv_connection_finalize (GObject *object)
{
  SrvConnection *self = SRV_CONNECTION (object);

  if (srv_connection_has_posts (self))
    srv_connection_free_posts (self);
  G_OBJECT_CLASS (srv_connection_parent_class)->finalize (object);
}

static void
srv_connection_class_init (SrvConnectionClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  grandparent_class = g_type_class_peek_parent (srv_connection_parent_class);
  __atomic_store_n (&srv_connection_type, G_TYPE_FROM_CLASS (klass),
                    __ATOMIC_RELAXED);
  notify_id = g_signal_lookup ("notify", G_TYPE_OBJECT);
  G_OBJECT_CLASS (klass)->dispose = srv_connection_dispose;
  G_OBJECT_CLASS (klass)->finalize = srv_connection_finalize;
  stream_class->get_input_stream = srv_connection_get_input_stream;
  stream_class->get_output_stream = srv_connection_get_output_stream;
  stream_class->close_fn = srv_connection_close;
}

static void
srv_connection_init (SrvConnection *self)
{
  self->fd = -1;
  self->drain_fd = -1;
  self->blocking = TRUE;
}

/* Takes over a descriptor that accept4 () just gave; @no_delay says what the
 * socket has inherited from its listener. */
void
srv_connection_adopt (SrvConnection *self,
                      int fd,
                      const SrvSockaddr *peer,
                      int timeout_ms,
                      gboolean no_delay)
{
  self->fd = fd;
  self->timeout_ms = MAX (timeout_ms, 0);
  self->no_delay = no_delay;
  self->peer.length = peer->length;
  memcpy (&self->peer.any, &peer->any, peer->length);
}

static gboolean
is_untouched_or_null (gpointer instance)
{
  return instance == NULL || srv_is_untouched (instance);
}

/* Whether nothing is on it that ends, or tells, only when the object goes.
 * Whoever has one of its streams may be about to read; a GSocket has a
 * descriptor of its own. */
static gboolean
is_plain (SrvConnection *self)
{
  GObject *object = &self->parent_instance.parent_instance;

  return g_atomic_pointer_get (&object->qdata) == NULL &&
         self->socket == NULL && !srv_connection_has_posts (self) &&
         is_untouched_or_null (self->input) &&
         is_untouched_or_null (self->output) &&
         is_untouched_or_null (self->client_address) &&
         is_untouched_or_null (self->local_address) &&
         !g_atomic_int_get (&self->closed_as_stream) &&
         g_signal_handler_find (self, G_SIGNAL_MATCH_ID, notify_id, 0, NULL,
                                NULL, NULL) == 0;
}

/* Makes one that has ended as good as new, but for the handler that it carries.
 * FALSE if somebody else has it, or has left something on it. */
gboolean
srv_connection_renew (SrvConnection *self)
{
  if (!srv_is_untouched (self) || !is_plain (self) ||
      g_io_stream_has_pending (&self->parent_instance))
    return FALSE;
  drop_parts (self);
  memset (&self->fd, 0,
          offsetof (SrvConnection, link) - offsetof (SrvConnection, fd));
  self->link.spares = NULL;
  srv_connection_init (self);
  return TRUE;
}

/* Closes the descriptor, without the bookkeeping of g_io_stream_close (). If
 * nothing stays on the connection, it may go to @spares, %NULL for nowhere. */
void
srv_connection_close_now (SrvConnection *self, SrvSpares *spares)
{
  srv_connection_close_fd (self);
  self->link.spares = spares != NULL && is_plain (self) ? spares : NULL;
}

/* From now on a drain of the server ends the input between two messages. In a
 * forked child the drain is told by a descriptor, otherwise by a call. */
void
srv_connection_end_on_drain (SrvConnection *self, int drain_fd)
{
  self->ends_on_drain = TRUE;
  self->drain_fd = drain_fd;
}

gboolean
srv_connection_is_cut (SrvConnection *self)
{
  return g_atomic_int_get (&self->cut);
}

/**
 * srv_connection_new_for_fd:
 * @fd: a connected stream socket; taken over on success
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a connection of a socket that is already open, for example one half of
 * a pair. The descriptor is set to blocking mode and to close on exec.
 *
 * Fails with %G_IO_ERROR_INVALID_ARGUMENT when @fd is no stream socket, and
 * with other codes of %G_IO_ERROR when it is no socket at all. The descriptor
 * then still belongs to the caller.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new connection, or %NULL with @error set
 */
SrvConnection *
srv_connection_new_for_fd (int fd, GError **error)
{
  SrvSockaddr peer = { .length = sizeof peer - offsetof (SrvSockaddr, any) };
  SrvConnection *self;
  int type = 0;
  socklen_t size = sizeof type;
  int flags;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    {
      srv_connection_fail ("use the descriptor as a connection", errno, error);
      return NULL;
    }
  if (type != SOCK_STREAM)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "descriptor %d is not a stream socket", fd);
      return NULL;
    }
  flags = fcntl (fd, F_GETFL);
  fcntl (fd, F_SETFL, flags & ~O_NONBLOCK);
  fcntl (fd, F_SETFD, FD_CLOEXEC);
  if (getpeername (fd, &peer.any, &peer.length) != 0)
    peer.length = 0;
  self = g_object_new (SRV_TYPE_CONNECTION, NULL);
  srv_connection_adopt (self, fd, &peer, 0, FALSE);
  return self;
}

/**
 * srv_connection_get_fd:
 * @self: a connection
 *
 * Gets the descriptor. It still belongs to the connection.
 *
 * Threads: the one that the connection belongs to.
 *
 * Returns: the descriptor, -1 when the connection is closed
 */
int
srv_connection_get_fd (SrvConnection *self)
{
  g_return_val_if_fail (SRV_IS_CONNECTION (self), -1);
  return self->fd;
}

/**
 * srv_connection_get_socket:
 * @self: a connection
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets a [class@Gio.Socket] for the connection, for options and calls that
 * only it offers. It has a descriptor of its own for the same connection,
 * which is closed together with this object, not with the connection.
 *
 * Fails with the error of [ctor@Gio.Socket.new_from_fd].
 *
 * Threads: the one that the connection belongs to.
 *
 * Returns: (transfer none): the socket, or %NULL with @error set
 */
GSocket *
srv_connection_get_socket (SrvConnection *self, GError **error)
{
  int fd;

  g_return_val_if_fail (SRV_IS_CONNECTION (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (self->socket != NULL)
    return self->socket;
  if (!srv_connection_check_open (self, "make a socket object", error))
    return NULL;
  fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    {
      srv_connection_fail ("make a socket object", errno, error);
      return NULL;
    }
  self->socket = g_socket_new_from_fd (fd, error);
  if (self->socket == NULL)
    close (fd);
  else
    self->blocking = FALSE;
  return self->socket;
}

/**
 * srv_connection_shutdown_write:
 * @self: a connection
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends our half of the connection: the client reads the end of the stream and
 * can still send.
 *
 * Threads: the one that the connection belongs to. In Python:
 * `shutdown(SHUT_WR)`.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_connection_shutdown_write (SrvConnection *self, GError **error)
{
  g_return_val_if_fail (SRV_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!srv_connection_check_open (self, "end the stream", error))
    return FALSE;
  if (shutdown (self->fd, SHUT_WR) == 0)
    return TRUE;
  return srv_connection_fail ("end the stream", errno, error) >= 0;
}

/**
 * srv_connection_set_no_delay:
 * @self: a connection
 * @no_delay: whether small writes leave at once (`TCP_NODELAY`)
 * @error: return location for a [struct@GLib.Error]
 *
 * Switches Nagle's algorithm. Where there is none, on Unix sockets, nothing
 * happens and the call succeeds.
 *
 * Threads: the one that the connection belongs to.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_connection_set_no_delay (SrvConnection *self,
                             gboolean no_delay,
                             GError **error)
{
  int value = no_delay ? 1 : 0;

  g_return_val_if_fail (SRV_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->no_delay == !!no_delay || self->peer.any.sa_family == AF_UNIX)
    return TRUE;
  if (!srv_connection_check_open (self, "set TCP_NODELAY", error))
    return FALSE;
  if (setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value) !=
        0 &&
      errno != EOPNOTSUPP && errno != ENOPROTOOPT)
    return srv_connection_fail ("set TCP_NODELAY", errno, error) >= 0;
  self->no_delay = !!no_delay;
  return TRUE;
}

/**
 * srv_connection_set_timeout:
 * @self: a connection
 * @timeout_ms: longest wait of a receive, and of a whole send, in
 *   milliseconds; 0 or -1 for no limit
 * @error: return location for a [struct@GLib.Error]
 *
 * Sets the time limit for later reads and writes.
 *
 * Threads: the one that the connection belongs to. In Python: `settimeout()`.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_connection_set_timeout (SrvConnection *self, int timeout_ms, GError **error)
{
  g_return_val_if_fail (SRV_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (timeout_ms >= -1, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  timeout_ms = MAX (timeout_ms, 0);
  if (self->timeout_ms == timeout_ms)
    return TRUE;
  if (!srv_connection_check_open (self, "set the time limit", error))
    return FALSE;
  if (!set_socket_timeout (self->fd, SO_RCVTIMEO, timeout_ms) ||
      !set_socket_timeout (self->fd, SO_SNDTIMEO, timeout_ms))
    return srv_connection_fail ("set the time limit", errno, error) >= 0;
  self->timeout_ms = timeout_ms;
  return TRUE;
}

/**
 * srv_connection_get_timeout:
 * @self: a connection
 *
 * Gets the time limit of reads and writes.
 *
 * Threads: the one that the connection belongs to.
 *
 * Returns: the limit in milliseconds, 0 for none
 */
int
srv_connection_get_timeout (SrvConnection *self)
{
  g_return_val_if_fail (SRV_IS_CONNECTION (self), 0);
  return self->timeout_ms;
}
