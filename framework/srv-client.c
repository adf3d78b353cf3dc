/* srv-client.c - messages to a server and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-client.h"

#include "srv-connection.h"
#include "srv-deadline-private.h"
#include "srv-dial-private.h"
#include "srv-errno-private.h"
#include "srv-frame-input-stream.h"
#include "srv-framing.h"
#include "srv-wait.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/**
 * SrvClient:
 *
 * A client of any server: it sends messages and receives messages.
 *
 * Over a stream a [class@SocketServer.Framing] says where each ends. Over
 * datagrams each message is one datagram, and of the framing only the maximum
 * counts. So one program can talk to `tcp:`, `unix:`, `udp:` and `unixgram:`
 * endpoints alike:
 *
 * ```c
 * g_autoptr (SrvFraming) lines = srv_framing_new_line (4096, TRUE);
 * g_autoptr (SrvClient) client =
 *   srv_client_new ("tcp:localhost:9999", lines, 10000, NULL, &error);
 * g_autoptr (GBytes) reply = NULL;
 *
 * if (client != NULL && srv_client_send (client, "hello", 5, NULL, &error))
 *   reply = srv_client_receive (client, NULL, &error);
 * ```
 *
 * Every call has a time limit, which bounds the whole of it: a server that
 * sends a byte now and then cannot keep anybody waiting.
 *
 * Threads: one may send while another receives.
 *
 * In Python: `socket.create_connection()` and a loop of `recv()`.
 */
struct _SrvClient
{
  GObject parent_instance;

  SrvFraming *framing; /* owned */
  int timeout_ms;      /* -1: none */

  SrvConnection *connection;  /* owned; NULL for datagrams */
  SrvFrameInputStream *input; /* owned; NULL for datagrams */
  int fd;                     /* owned; for datagrams, otherwise -1 */
};

G_DEFINE_FINAL_TYPE (SrvClient, srv_client, G_TYPE_OBJECT)

static void
srv_client_dispose (GObject *object)
{
  SrvClient *self = SRV_CLIENT (object);

  srv_client_close (self);
  g_clear_object (&self->input);
  g_clear_object (&self->connection);
  g_clear_object (&self->framing);
  G_OBJECT_CLASS (srv_client_parent_class)->dispose (object);
}

static void
srv_client_class_init (SrvClientClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = srv_client_dispose;
}

static void
srv_client_init (SrvClient *self)
{
  self->fd = -1;
}

/* Takes over the socket, whatever comes of it. */
static gboolean
use_stream (SrvClient *self, int fd, GError **error)
{
  self->connection = srv_connection_new_for_fd (fd, error);
  if (self->connection == NULL)
    {
      close (fd);
      return FALSE;
    }
  self->input = srv_frame_input_stream_new (g_io_stream_get_input_stream (
                                              G_IO_STREAM (self->connection)),
                                            self->framing);
  return srv_connection_set_no_delay (self->connection, TRUE, error) &&
         srv_connection_set_timeout (self->connection, self->timeout_ms, error);
}

/**
 * srv_client_new:
 * @endpoint: where to connect, such as `tcp:localhost:9999`,
 *   `udp:127.0.0.1:9999`, `unix:/path` or `unixgram:@name`
 * @framing: where messages end, and how long they may be
 * @timeout_ms: longest time to connect, and of every later call, in
 *   milliseconds, at least 1; -1 for no limit
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Connects to a server, as [func@SocketServer.create_socket] does, and fails as
 * that does.
 *
 * Threads: any; blocks the calling one.
 *
 * Returns: (transfer full): a new client, or %NULL with @error set
 */
SrvClient *
srv_client_new (const char *endpoint,
                SrvFraming *framing,
                int timeout_ms,
                GCancellable *cancellable,
                GError **error)
{
  g_autoptr (SrvEndpoint) parsed = NULL;
  g_autoptr (SrvClient) self = NULL;
  int fd;

  g_return_val_if_fail (endpoint != NULL, NULL);
  g_return_val_if_fail (SRV_IS_FRAMING (framing), NULL);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  parsed = srv_endpoint_parse (endpoint, error);
  if (parsed == NULL)
    return NULL;
  fd = srv_dial (parsed, NULL, srv_deadline_from_ms (timeout_ms), cancellable,
                 error);
  if (fd < 0)
    return NULL;
  self = g_object_new (SRV_TYPE_CLIENT, NULL);
  self->framing = g_object_ref (framing);
  self->timeout_ms = timeout_ms;
  if (srv_endpoint_is_datagram (parsed))
    self->fd = fd;
  else if (!use_stream (self, fd, error))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
check_open (SrvClient *self, const char *what, GError **error)
{
  if (srv_client_get_fd (self) >= 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
               "could not %s: the client is closed", what);
  return FALSE;
}

/* One call on the socket of datagrams that may have to wait. */
static gssize
repeat (SrvClient *self,
        gssize (*call) (int fd, void *data, gsize length),
        void *data,
        gsize length,
        GIOCondition condition,
        GCancellable *cancellable,
        GError **error)
{
  const gint64 deadline = srv_deadline_from_ms (self->timeout_ms);
  gssize n;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;
  while ((n = call (self->fd, data, length)) < 0 &&
         (errno == EAGAIN || errno == EINTR))
    {
      if (!srv_wait_fd (self->fd, condition, deadline, cancellable, error))
        return -1;
    }
  if (n < 0)
    srv_set_errno_error (error, errno, "could not %s a datagram",
                         condition == G_IO_OUT ? "send" : "receive");
  return n;
}

static gssize
send_datagram (int fd, void *data, gsize length)
{
  return send (fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static gssize
peek_length (int fd, G_GNUC_UNUSED void *data, G_GNUC_UNUSED gsize length)
{
  return recv (fd, NULL, 0, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
}

static gboolean
check_size (SrvClient *self, gsize length, GError **error)
{
  const gsize max_size = srv_framing_get_max_size (self->framing);

  if (length <= max_size)
    return TRUE;
  g_set_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
               "datagram is longer than %" G_GSIZE_FORMAT " bytes", max_size);
  return FALSE;
}

/* A datagram that is too long is taken from the queue all the same: the next
 * one shall not fail for it. */
static GBytes *
receive_datagram (SrvClient *self, GCancellable *cancellable, GError **error)
{
  gssize length =
    repeat (self, peek_length, NULL, 0, G_IO_IN, cancellable, error);
  g_autofree char *data = NULL;
  gboolean fits;

  if (length < 0)
    return NULL;
  fits = check_size (self, (gsize) length, error);
  data = g_malloc (fits ? (gsize) length + 1 : 1);
  length = recv (self->fd, data, fits ? (gsize) length : 0, MSG_DONTWAIT);
  if (!fits)
    return NULL;
  if (length < 0)
    {
      srv_set_errno_error (error, errno, "could not receive a datagram");
      return NULL;
    }
  return g_bytes_new_take (g_steal_pointer (&data), (gsize) length);
}

static gboolean
send_frame (SrvClient *self,
            const void *data,
            gsize length,
            GCancellable *cancellable,
            GError **error)
{
  g_autoptr (GByteArray) frame = g_byte_array_new ();

  if (!srv_framing_encode (self->framing, data, length, frame, error) ||
      !srv_connection_send_all (self->connection, frame->data, frame->len,
                                cancellable, error))
    return FALSE;
  return srv_framing_get_kind (self->framing) != SRV_FRAMING_KIND_END ||
         srv_connection_shutdown_write (self->connection, error);
}

/**
 * srv_client_send: (skip)
 * @self: a client
 * @data: (array length=length) (element-type guint8): the message
 * @length: how many bytes it has; 0 for an empty message
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends a message, in one piece. If messages end with the stream, so does our
 * half of the connection.
 *
 * Fails as [method@SocketServer.Framing.encode] and
 * [method@SocketServer.Connection.send_all] do. A datagram can also fail with
 * %G_IO_ERROR_CONNECTION_REFUSED, because nobody was there to take an earlier
 * one.
 *
 * Threads: one at a time.
 *
 * Returns: %TRUE when everything is sent, %FALSE with @error set otherwise
 */
gboolean
srv_client_send (SrvClient *self,
                 const void *data,
                 gsize length,
                 GCancellable *cancellable,
                 GError **error)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_open (self, "send", error))
    return FALSE;
  if (self->connection != NULL)
    return send_frame (self, data, length, cancellable, error);
  return check_size (self, length, error) &&
         repeat (self, send_datagram, (void *) data, length, G_IO_OUT,
                 cancellable, error) >= 0;
}

/**
 * srv_client_send_bytes: (rename-to srv_client_send)
 * @self: a client
 * @bytes: the message
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends a message, for language bindings; otherwise like
 * [method@SocketServer.Client.send].
 *
 * Returns: %TRUE when everything is sent, %FALSE with @error set otherwise
 */
gboolean
srv_client_send_bytes (SrvClient *self,
                       GBytes *bytes,
                       GCancellable *cancellable,
                       GError **error)
{
  gsize length;
  const void *data;

  g_return_val_if_fail (bytes != NULL, FALSE);

  data = g_bytes_get_data (bytes, &length);
  return srv_client_send (self, data, length, cancellable, error);
}

/**
 * srv_client_receive:
 * @self: a client
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Receives the next message.
 *
 * Fails as [method@SocketServer.FrameInputStream.read_frame] does; with
 * %SRV_ERROR_TOO_LONG for a datagram that is longer than the maximum of the
 * framing, and it is lost; with %G_IO_ERROR_CONNECTION_REFUSED when nobody was
 * there to take a datagram. After a time-out one can go on receiving.
 *
 * Threads: one at a time.
 *
 * Returns: (transfer full) (nullable): the message, %NULL without @error when
 *   the server has ended the stream, or %NULL with @error set
 */
GBytes *
srv_client_receive (SrvClient *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_open (self, "receive", error))
    return NULL;
  if (self->connection == NULL)
    return receive_datagram (self, cancellable, error);
  srv_frame_input_stream_set_deadline (self->input,
                                       srv_deadline_from_ms (self->timeout_ms));
  return srv_frame_input_stream_read_frame_bytes (self->input, cancellable,
                                                  error);
}

/**
 * srv_client_shutdown_write:
 * @self: a client
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends our half of a stream: the server reads the end, and can still answer.
 * Datagrams have no end, and nothing happens.
 *
 * Fails as [method@SocketServer.Connection.shutdown_write] does.
 *
 * Threads: one at a time. In Python: `shutdown(SHUT_WR)`.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_client_shutdown_write (SrvClient *self, GError **error)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  return self->connection == NULL ||
         srv_connection_shutdown_write (self->connection, error);
}

/**
 * srv_client_close:
 * @self: a client
 *
 * Closes the socket. The last reference does that, too; later calls do nothing.
 *
 * A thread that waits for the server is not woken by that: to end its wait,
 * [method@SocketServer.Request.cut] the connection, and close it when that one
 * is done. A fiber that waits finds the end; then it is the last reference that
 * closes the socket.
 *
 * Threads: one at a time, and none that sends or receives. In Python:
 * `close()`.
 */
void
srv_client_close (SrvClient *self)
{
  g_return_if_fail (SRV_IS_CLIENT (self));

  if (self->connection != NULL)
    g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  if (self->fd >= 0)
    close (g_steal_fd (&self->fd));
}

/**
 * srv_client_set_timeout:
 * @self: a client
 * @timeout_ms: longest time of a call, in milliseconds, at least 1; -1 for no
 *   limit
 * @error: return location for a [struct@GLib.Error]
 *
 * Sets the time limit of the calls that follow.
 *
 * Fails as [method@SocketServer.Connection.set_timeout] does.
 *
 * Threads: one at a time, and none that sends or receives. In Python:
 * `settimeout()`.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_client_set_timeout (SrvClient *self, int timeout_ms, GError **error)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), FALSE);
  g_return_val_if_fail (timeout_ms > 0 || timeout_ms == -1, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->connection != NULL &&
      !srv_connection_set_timeout (self->connection, timeout_ms, error))
    return FALSE;
  self->timeout_ms = timeout_ms;
  return TRUE;
}

/**
 * srv_client_get_timeout:
 * @self: a client
 *
 * Gets the time limit of calls.
 *
 * Threads: any.
 *
 * Returns: the limit in milliseconds, -1 for none
 */
int
srv_client_get_timeout (SrvClient *self)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), -1);
  return self->timeout_ms;
}

/**
 * srv_client_is_datagram:
 * @self: a client
 *
 * Gets whether messages are datagrams, which can be lost, and have no end.
 *
 * Threads: any.
 *
 * Returns: %TRUE for `udp:` and `unixgram:`
 */
gboolean
srv_client_is_datagram (SrvClient *self)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), FALSE);
  return self->connection == NULL;
}

/**
 * srv_client_get_connection:
 * @self: a client
 *
 * Gets the connection, for its options and to write to it without framing. What
 * it receives may already have been read ahead.
 *
 * Threads: any.
 *
 * Returns: (transfer none) (nullable): the connection, %NULL for datagrams
 */
SrvConnection *
srv_client_get_connection (SrvClient *self)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), NULL);
  return self->connection;
}

/**
 * srv_client_get_fd:
 * @self: a client
 *
 * Gets the descriptor, which still belongs to the client. It tells whether
 * something has come, but not of messages that have been read ahead.
 *
 * Threads: any.
 *
 * Returns: the descriptor, -1 when the client is closed
 */
int
srv_client_get_fd (SrvClient *self)
{
  g_return_val_if_fail (SRV_IS_CLIENT (self), -1);
  return self->connection != NULL ? srv_connection_get_fd (self->connection)
                                  : self->fd;
}
