/* srv-echo-handler.c - sends back what comes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-echo-handler.h"

#include "srv-event-log.h"

#define FIRST_CHUNK_SIZE   256
#define DEFAULT_CHUNK_SIZE (16 * 1024)
#define MAX_CHUNK_SIZE     (16 * 1024 * 1024)

/**
 * SrvEchoHandler:
 *
 * Sends back what comes, in chunks as they come, until the client ends its
 * half of the connection. It serves TCP and Unix sockets.
 *
 * A chunk is whatever one receive gives, at most
 * [property@SocketServerHandlers.EchoHandler:chunk-size] bytes; it costs two
 * system calls. The first are at most 256 bytes, and a client that fills them
 * gets larger ones: many clients who wait need little memory, and one who sends
 * much few system calls. When the server closes, what has already arrived is
 * still sent back, then the connection ends. Where a
 * [class@SocketServerHandlers.EventLog] watches the server, the handler
 * reports `connected`, `received`, `sent` and `disconnected`; otherwise it is
 * silent.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_threading_tcp_server_new ("::", 9999, SRV_TYPE_ECHO_HANDLER, &error);
 *
 * if (server == NULL || !srv_base_server_serve_forever (server, &error))
 *   g_printerr ("%s\n", error->message);
 * ```
 *
 * You call: nothing. You may override:
 * [vfunc@SocketServerHandlers.EchoHandler.transform], for services that answer
 * with as many bytes as they get; [class@SocketServerHandlers.UpperHandler] is
 * one. A subclass may lay another stream over the connection in `setup`; the
 * chunks then go through `rfile` and `wfile`.
 *
 * It is not meant for lines or messages: a chunk can begin and end anywhere.
 *
 * In Python:
 *
 * ```python
 * class EchoHandler(socketserver.BaseRequestHandler):
 *     def handle(self):
 *         while chunk := self.request.recv(1024):
 *             self.request.sendall(chunk)
 * ```
 */
typedef struct
{
  guint chunk_size;
  guint8 first_chunk[FIRST_CHUNK_SIZE];
} SrvEchoHandlerPrivate;

typedef enum
{
  PROP_CHUNK_SIZE = 1,
} SrvEchoHandlerProperty;

static GParamSpec *properties[PROP_CHUNK_SIZE + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvEchoHandler,
                            srv_echo_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

/* One connection, for as long as it is served. */
typedef struct
{
  SrvEchoHandler *handler;
  SrvConnection *connection; /* NULL when another stream lies over it */
  SrvEventLog *log;          /* nullable */
  guint64 n_received;
  guint64 n_sent;

  guint8 *chunk; /* the handler's own for short ones, or what has grown */
  gsize size;
  guint8 *grown; /* owned, nullable */
} Session;

static SrvEchoHandlerPrivate *
get_private (SrvEchoHandler *self)
{
  return srv_echo_handler_get_instance_private (self);
}

static gssize
receive_chunk (Session *session, GError **error)
{
  SrvStreamRequestHandler *handler =
    SRV_STREAM_REQUEST_HANDLER (session->handler);

  if (session->connection != NULL)
    return srv_connection_receive (session->connection, session->chunk,
                                   session->size, NULL, error);
  return srv_reader_read (srv_stream_request_handler_get_rfile (handler),
                          session->chunk, session->size, error);
}

static gboolean
send_chunk (Session *session, gsize length, GError **error)
{
  SrvStreamRequestHandler *handler =
    SRV_STREAM_REQUEST_HANDLER (session->handler);

  if (session->connection != NULL)
    return srv_connection_send_all (session->connection, session->chunk, length,
                                    NULL, error);
  return srv_writer_write (srv_stream_request_handler_get_wfile (handler),
                           session->chunk, length, error);
}

static void
note_received (Session *session, gsize length)
{
  session->n_received += length;
  if (session->log == NULL)
    return;
  srv_event_log_received (session->log,
                          SRV_BASE_REQUEST_HANDLER (session->handler),
                          session->chunk, length);
}

static void
note_sent (Session *session, gsize length)
{
  session->n_sent += length;
  if (session->log == NULL)
    return;
  srv_event_log_sent (session->log, SRV_BASE_REQUEST_HANDLER (session->handler),
                      length);
}

/* A chunk that was full has probably left something behind. What was in it has
 * been sent. */
static void
grow (Session *session, gsize size)
{
  g_free (session->grown);
  session->grown = g_malloc (size);
  session->chunk = session->grown;
  session->size = size;
}

static gboolean
echo_chunks (Session *session, GError **error)
{
  SrvEchoHandlerClass *klass = SRV_ECHO_HANDLER_GET_CLASS (session->handler);
  SrvEchoHandlerPrivate *priv = get_private (session->handler);
  gssize n;

  session->chunk = priv->first_chunk;
  session->size = MIN (FIRST_CHUNK_SIZE, priv->chunk_size);
  while ((n = receive_chunk (session, error)) > 0)
    {
      note_received (session, (gsize) n);
      if (klass->transform != NULL)
        klass->transform (session->handler, session->chunk, (gsize) n);
      if (!send_chunk (session, (gsize) n, error))
        return FALSE;
      note_sent (session, (gsize) n);
      if ((gsize) n == session->size && session->size < priv->chunk_size)
        grow (session, MIN (session->size * 4, priv->chunk_size));
    }
  return n == 0;
}

static gboolean
srv_echo_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *stream_handler =
    SRV_STREAM_REQUEST_HANDLER (handler);
  SrvConnection *connection =
    srv_stream_request_handler_get_connection (stream_handler);
  GIOStream *stream = srv_stream_request_handler_get_stream (stream_handler);
  Session session = {
    .handler = SRV_ECHO_HANDLER (handler),
    .connection = stream == G_IO_STREAM (connection) ? connection : NULL,
    .log =
      srv_event_log_for_server (srv_base_request_handler_get_server (handler)),
  };
  GError *local = NULL;
  gboolean ok;

  srv_event_log_connected (session.log, handler);
  ok = echo_chunks (&session, &local);
  g_clear_pointer (&session.grown, g_free);
  srv_event_log_disconnected (session.log, handler, session.n_received,
                              session.n_sent, local);
  if (local != NULL)
    g_propagate_error (error, local);
  return ok;
}

static void
srv_echo_handler_get_property (GObject *object,
                               guint id,
                               GValue *value,
                               GParamSpec *pspec)
{
  SrvEchoHandler *self = SRV_ECHO_HANDLER (object);

  switch ((SrvEchoHandlerProperty) id)
    {
    case PROP_CHUNK_SIZE:
      g_value_set_uint (value, srv_echo_handler_get_chunk_size (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_echo_handler_set_property (GObject *object,
                               guint id,
                               const GValue *value,
                               GParamSpec *pspec)
{
  SrvEchoHandler *self = SRV_ECHO_HANDLER (object);

  switch ((SrvEchoHandlerProperty) id)
    {
    case PROP_CHUNK_SIZE:
      srv_echo_handler_set_chunk_size (self, g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_echo_handler_class_init (SrvEchoHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = srv_echo_handler_get_property;
  object_class->set_property = srv_echo_handler_set_property;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_echo_handler_handle;
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));

  /**
   * SrvEchoHandlerClass::transform:
   * @self: the handler
   * @chunk: (array length=length) (element-type guint8): the bytes, changed in
   *   place
   * @length: how many bytes; at least 1
   *
   * Changes a chunk before it is sent back. The default is none: it goes back
   * as it came. There is no need to chain up.
   *
   * Threads: the one that runs the handler.
   */

  /**
   * SrvEchoHandler:chunk-size:
   *
   * The most bytes to receive at once, 1 to 16 MiB; 16 KiB by default. A handler
   * has a buffer of at most this size for as long as it runs.
   */
  properties[PROP_CHUNK_SIZE] =
    g_param_spec_uint ("chunk-size", NULL, NULL, 1, MAX_CHUNK_SIZE,
                       DEFAULT_CHUNK_SIZE,
                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                         G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_echo_handler_init (SrvEchoHandler *self)
{
  get_private (self)->chunk_size = DEFAULT_CHUNK_SIZE;
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}

/**
 * srv_echo_handler_set_chunk_size:
 * @self: a handler
 * @chunk_size: bytes, 1 to 16 MiB
 *
 * Sets how much is received at once, before the handler runs: in the `init` of
 * a subclass, or in a [callback@SocketServer.HandlerFactory].
 *
 * Threads: the one that runs the handler.
 */
void
srv_echo_handler_set_chunk_size (SrvEchoHandler *self, guint chunk_size)
{
  SrvEchoHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_ECHO_HANDLER (self));
  g_return_if_fail (chunk_size >= 1 && chunk_size <= MAX_CHUNK_SIZE);

  priv = get_private (self);
  if (priv->chunk_size == chunk_size)
    return;
  priv->chunk_size = chunk_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHUNK_SIZE]);
}

/**
 * srv_echo_handler_get_chunk_size:
 * @self: a handler
 *
 * Gets how much is received at once.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: bytes
 */
guint
srv_echo_handler_get_chunk_size (SrvEchoHandler *self)
{
  g_return_val_if_fail (SRV_IS_ECHO_HANDLER (self), DEFAULT_CHUNK_SIZE);
  return get_private (self)->chunk_size;
}
