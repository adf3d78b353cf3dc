/* srv-stream-request-handler.c - rfile and wfile over a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-stream-request-handler.h"

#include "srv-base-server-private.h"
#include "srv-connection-private.h"
#include "srv-reader-private.h"

/**
 * SrvStreamRequestHandler:
 *
 * Serves a connection, with a buffered reader and writer.
 *
 * ```c
 * static gboolean
 * greeter_handle (SrvBaseRequestHandler *handler, GError **error)
 * {
 *   SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
 *   SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
 *
 *   return srv_writer_write_string (wfile, "hello\n", error);
 * }
 * ```
 *
 * You call: `get_rfile`, `get_wfile`, `get_connection`. You may override:
 * `setup`, `handle`, `finish`; chain up in `setup` and `finish`. A subclass
 * sets its buffer sizes and time limit in its `init`.
 *
 * `setup` can lay another stream over the connection with
 * [method@SocketServer.StreamRequestHandler.set_stream]; for TLS there is
 * [method@SocketServer.StreamRequestHandler.start_tls].
 *
 * In Python: `StreamRequestHandler`.
 */
typedef struct
{
  int rbufsize;
  int wbufsize;
  int timeout_ms;
  gboolean disable_nagle_algorithm;
  gboolean end_on_drain;
} Settings;

typedef struct
{
  GIOStream *stream; /* owned, nullable; what lies over the connection */
  SrvReader *rfile;  /* owned, made on demand */
  SrvWriter *wfile;  /* owned, made on demand */
  Settings settings;
  Settings made; /* those that it had before it ran, if it has changed them */
  gboolean changed;
} SrvStreamRequestHandlerPrivate;

typedef enum
{
  PROP_RBUFSIZE = 1,
  PROP_WBUFSIZE,
  PROP_TIMEOUT,
  PROP_DISABLE_NAGLE_ALGORITHM,
  PROP_END_ON_DRAIN,
} SrvStreamRequestHandlerProperty;

static GParamSpec *properties[PROP_END_ON_DRAIN + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvStreamRequestHandler,
                            srv_stream_request_handler,
                            SRV_TYPE_BASE_REQUEST_HANDLER)

static SrvStreamRequestHandlerPrivate *
get_private (SrvStreamRequestHandler *self)
{
  return srv_stream_request_handler_get_instance_private (self);
}

static gboolean
srv_stream_request_handler_setup (SrvBaseRequestHandler *handler,
                                  GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvStreamRequestHandlerPrivate *priv = get_private (self);
  SrvConnection *connection = srv_stream_request_handler_get_connection (self);

  if (connection == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "%s serves connections; this request is of type %s",
                   G_OBJECT_TYPE_NAME (self),
                   G_OBJECT_TYPE_NAME (
                     srv_base_request_handler_get_request (handler)));
      return FALSE;
    }
  if (priv->stream != NULL)
    srv_connection_set_overlaid (connection,
                                 priv->stream != G_IO_STREAM (connection));
  if (priv->settings.end_on_drain)
    srv_base_server_end_on_drain (srv_base_request_handler_get_server (handler),
                                  connection);
  if (priv->settings.timeout_ms >= 0 &&
      !srv_connection_set_timeout (connection, priv->settings.timeout_ms,
                                   error))
    return FALSE;
  return srv_connection_set_no_delay (connection,
                                      priv->settings.disable_nagle_algorithm,
                                      error);
}

/* What was gathered leaves even when the handler failed. That the client has
 * gone by now is no failure of the handler, so the error of this last flush is
 * dropped, as in Python. Closing the streams cannot fail after it: what could
 * not be sent is gone from the buffer. */
static gboolean
srv_stream_request_handler_finish (SrvBaseRequestHandler *handler,
                                   G_GNUC_UNUSED GError **error)
{
  SrvStreamRequestHandlerPrivate *priv =
    get_private (SRV_STREAM_REQUEST_HANDLER (handler));

  if (priv->wfile != NULL)
    srv_writer_flush (priv->wfile, NULL);
  if (priv->stream != NULL)
    g_io_stream_close (priv->stream, NULL, NULL);
  return TRUE;
}

/* What is set while it runs holds for that request alone. */
static Settings *
change_settings (SrvStreamRequestHandler *self)
{
  SrvStreamRequestHandlerPrivate *priv = get_private (self);

  if (!priv->changed &&
      srv_stream_request_handler_get_connection (self) != NULL)
    {
      priv->made = priv->settings;
      priv->changed = TRUE;
    }
  return &priv->settings;
}

static void
drop_files (SrvStreamRequestHandlerPrivate *priv)
{
  g_clear_object (&priv->rfile);
  g_clear_object (&priv->wfile);
}

static void
srv_stream_request_handler_reset (SrvBaseRequestHandler *handler)
{
  SrvStreamRequestHandlerPrivate *priv =
    get_private (SRV_STREAM_REQUEST_HANDLER (handler));

  drop_files (priv);
  g_clear_object (&priv->stream);
  if (priv->changed)
    priv->settings = priv->made;
  priv->changed = FALSE;
  SRV_BASE_REQUEST_HANDLER_CLASS (srv_stream_request_handler_parent_class)
    ->reset (handler);
}

static void
srv_stream_request_handler_dispose (GObject *object)
{
  SrvStreamRequestHandlerPrivate *priv =
    get_private (SRV_STREAM_REQUEST_HANDLER (object));

  drop_files (priv);
  g_clear_object (&priv->stream);
  G_OBJECT_CLASS (srv_stream_request_handler_parent_class)->dispose (object);
}

static void
srv_stream_request_handler_get_property (GObject *object,
                                         guint id,
                                         GValue *value,
                                         GParamSpec *pspec)
{
  SrvStreamRequestHandlerPrivate *priv =
    get_private (SRV_STREAM_REQUEST_HANDLER (object));

  switch ((SrvStreamRequestHandlerProperty) id)
    {
    case PROP_RBUFSIZE:
      g_value_set_int (value, priv->settings.rbufsize);
      break;
    case PROP_WBUFSIZE:
      g_value_set_int (value, priv->settings.wbufsize);
      break;
    case PROP_TIMEOUT:
      g_value_set_int (value, priv->settings.timeout_ms);
      break;
    case PROP_DISABLE_NAGLE_ALGORITHM:
      g_value_set_boolean (value, priv->settings.disable_nagle_algorithm);
      break;
    case PROP_END_ON_DRAIN:
      g_value_set_boolean (value, priv->settings.end_on_drain);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_stream_request_handler_set_property (GObject *object,
                                         guint id,
                                         const GValue *value,
                                         GParamSpec *pspec)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (object);

  switch ((SrvStreamRequestHandlerProperty) id)
    {
    case PROP_RBUFSIZE:
      srv_stream_request_handler_set_rbufsize (self, g_value_get_int (value));
      break;
    case PROP_WBUFSIZE:
      srv_stream_request_handler_set_wbufsize (self, g_value_get_int (value));
      break;
    case PROP_TIMEOUT:
      srv_stream_request_handler_set_timeout (self, g_value_get_int (value));
      break;
    case PROP_DISABLE_NAGLE_ALGORITHM:
      srv_stream_request_handler_set_disable_nagle_algorithm (
        self, g_value_get_boolean (value));
      break;
    case PROP_END_ON_DRAIN:
      srv_stream_request_handler_set_end_on_drain (self,
                                                   g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_stream_request_handler_class_init (SrvStreamRequestHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = srv_stream_request_handler_dispose;
  object_class->get_property = srv_stream_request_handler_get_property;
  object_class->set_property = srv_stream_request_handler_set_property;
  handler_class->setup = srv_stream_request_handler_setup;
  handler_class->finish = srv_stream_request_handler_finish;
  handler_class->reset = srv_stream_request_handler_reset;
  srv_base_request_handler_class_set_reusable (handler_class);
  /* A forked child shall not be the first to need them. */
  g_type_class_ref (SRV_TYPE_READER);
  g_type_class_ref (SRV_TYPE_WRITER);

  /**
   * SrvStreamRequestHandler:rbufsize:
   *
   * How many bytes `rfile` reads ahead; -1 for 16 KiB, 0 for none. In Python:
   * `rbufsize`, -1 for 8 KiB.
   */
  properties[PROP_RBUFSIZE] =
    g_param_spec_int ("rbufsize", NULL, NULL, -1, G_MAXINT, -1, flags);
  /**
   * SrvStreamRequestHandler:wbufsize:
   *
   * How many bytes `wfile` gathers; -1 for 16 KiB, 0 to send every write at
   * once. In Python: `wbufsize`, 0 by default.
   */
  properties[PROP_WBUFSIZE] =
    g_param_spec_int ("wbufsize", NULL, NULL, -1, G_MAXINT, -1, flags);
  /**
   * SrvStreamRequestHandler:timeout:
   *
   * Longest wait for the client in a read or a whole write, in milliseconds; 0
   * for no limit, -1 for the server's
   * [property@SocketServer.StreamServer:idle-timeout]. In Python: `timeout`,
   * in seconds, none by default.
   */
  properties[PROP_TIMEOUT] =
    g_param_spec_int ("timeout", NULL, NULL, -1, G_MAXINT, -1, flags);
  /**
   * SrvStreamRequestHandler:disable-nagle-algorithm:
   *
   * Whether small writes leave at once (`TCP_NODELAY`); without effect on Unix
   * sockets. In Python: `disable_nagle_algorithm`, off by default.
   */
  properties[PROP_DISABLE_NAGLE_ALGORITHM] =
    g_param_spec_boolean ("disable-nagle-algorithm", NULL, NULL, TRUE, flags);
  /**
   * SrvStreamRequestHandler:end-on-drain:
   *
   * Whether a close of the server ends the input: a read that waits for the
   * client returns the end of the stream, once everything that has arrived was
   * read. For handlers that serve one message after the other, and may as well
   * end between two of them. Python has no counterpart.
   */
  properties[PROP_END_ON_DRAIN] =
    g_param_spec_boolean ("end-on-drain", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_stream_request_handler_init (SrvStreamRequestHandler *self)
{
  SrvStreamRequestHandlerPrivate *priv = get_private (self);

  priv->settings = (Settings){
    .rbufsize = -1,
    .wbufsize = -1,
    .timeout_ms = -1,
    .disable_nagle_algorithm = TRUE,
  };
}

/**
 * srv_stream_request_handler_get_connection:
 * @self: a handler
 *
 * Gets the connection to the client. Bytes that `rfile` has read ahead, or
 * `wfile` has gathered, are not there: use either these two or the connection.
 *
 * Threads: the one that runs the handler. In Python: `self.connection`.
 *
 * Returns: (transfer none) (nullable): the connection, %NULL before the
 *   handler runs
 */
SrvConnection *
srv_stream_request_handler_get_connection (SrvStreamRequestHandler *self)
{
  SrvRequest *request;

  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), NULL);

  request =
    srv_base_request_handler_get_request (SRV_BASE_REQUEST_HANDLER (self));
  return SRV_IS_CONNECTION (request) ? SRV_CONNECTION (request) : NULL;
}

/**
 * srv_stream_request_handler_get_stream:
 * @self: a handler
 *
 * Gets the stream that `rfile` and `wfile` use: the connection, unless another
 * stream was laid over it.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: (transfer none) (nullable): the stream, %NULL before the handler
 *   runs
 */
GIOStream *
srv_stream_request_handler_get_stream (SrvStreamRequestHandler *self)
{
  SrvStreamRequestHandlerPrivate *priv;

  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), NULL);

  priv = get_private (self);
  if (priv->stream != NULL)
    return priv->stream;
  return (GIOStream *) srv_stream_request_handler_get_connection (self);
}

/* The last reference to a filter closes what it lies over. */
static void
leave_base_open (SrvStreamRequestHandlerPrivate *priv)
{
  if (priv->rfile != NULL)
    g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (
                                                   priv->rfile),
                                                 FALSE);
  if (priv->wfile != NULL)
    g_filter_output_stream_set_close_base_stream (G_FILTER_OUTPUT_STREAM (
                                                    priv->wfile),
                                                  FALSE);
}

/**
 * srv_stream_request_handler_set_stream:
 * @self: a handler
 * @stream: (nullable): a stream over the connection
 *
 * Lays a stream over the connection, such as one that converts. From then on
 * `rfile` and `wfile` use it, and are new ones. `finish` closes it. Others cannot
 * post to the connection then ([method@SocketServer.Connection.post]).
 *
 * What the old `rfile` has read ahead is lost.
 *
 * Threads: the one that runs the handler; usually in `setup`.
 */
void
srv_stream_request_handler_set_stream (SrvStreamRequestHandler *self,
                                       GIOStream *stream)
{
  SrvStreamRequestHandlerPrivate *priv;
  SrvConnection *connection;

  g_return_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self));
  g_return_if_fail (stream == NULL || G_IS_IO_STREAM (stream));

  priv = get_private (self);
  connection = srv_stream_request_handler_get_connection (self);
  if (connection != NULL)
    srv_connection_set_overlaid (connection,
                                 stream != NULL &&
                                   stream != G_IO_STREAM (connection));
  leave_base_open (priv);
  drop_files (priv);
  g_set_object (&priv->stream, stream);
}

/* Reader and writer know each other as soon as both are there. */
static void
tie_files (SrvStreamRequestHandlerPrivate *priv)
{
  if (priv->rfile != NULL && priv->wfile != NULL)
    srv_reader_set_writer (priv->rfile, priv->wfile);
}

/**
 * srv_stream_request_handler_get_rfile:
 * @self: a handler that runs
 *
 * Gets the reader. It is made at the first call.
 *
 * Threads: the one that runs the handler. In Python: `self.rfile`.
 *
 * Returns: (transfer none): the reader
 */
SrvReader *
srv_stream_request_handler_get_rfile (SrvStreamRequestHandler *self)
{
  SrvStreamRequestHandlerPrivate *priv;
  GIOStream *stream;

  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), NULL);

  priv = get_private (self);
  if (priv->rfile != NULL)
    return priv->rfile;
  stream = srv_stream_request_handler_get_stream (self);
  g_return_val_if_fail (stream != NULL, NULL);
  priv->rfile = srv_reader_new (g_io_stream_get_input_stream (stream),
                                priv->settings.rbufsize);
  tie_files (priv);
  return priv->rfile;
}

/**
 * srv_stream_request_handler_get_wfile:
 * @self: a handler that runs
 *
 * Gets the writer. It is made at the first call.
 *
 * Threads: the one that runs the handler. In Python: `self.wfile`.
 *
 * Returns: (transfer none): the writer
 */
SrvWriter *
srv_stream_request_handler_get_wfile (SrvStreamRequestHandler *self)
{
  SrvStreamRequestHandlerPrivate *priv;
  GIOStream *stream;

  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), NULL);

  priv = get_private (self);
  if (priv->wfile != NULL)
    return priv->wfile;
  stream = srv_stream_request_handler_get_stream (self);
  g_return_val_if_fail (stream != NULL, NULL);
  priv->wfile = srv_writer_new (g_io_stream_get_output_stream (stream),
                                priv->settings.wbufsize);
  tie_files (priv);
  return priv->wfile;
}

/**
 * srv_stream_request_handler_set_rbufsize:
 * @self: a handler
 * @rbufsize: bytes to read ahead; -1 for 16 KiB, 0 for none
 *
 * Sets the size of the buffer of `rfile`, before its first use.
 *
 * Threads: the one that runs the handler. In Python: `rbufsize`.
 */
void
srv_stream_request_handler_set_rbufsize (SrvStreamRequestHandler *self,
                                         int rbufsize)
{
  SrvStreamRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self));
  g_return_if_fail (rbufsize >= -1);

  priv = get_private (self);
  if (priv->settings.rbufsize == rbufsize)
    return;
  change_settings (self)->rbufsize = rbufsize;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RBUFSIZE]);
}

/**
 * srv_stream_request_handler_get_rbufsize:
 * @self: a handler
 *
 * Gets the size of the buffer of `rfile`.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: bytes; -1 for the default, 0 for none
 */
int
srv_stream_request_handler_get_rbufsize (SrvStreamRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), -1);
  return get_private (self)->settings.rbufsize;
}

/**
 * srv_stream_request_handler_set_wbufsize:
 * @self: a handler
 * @wbufsize: bytes to gather; -1 for 16 KiB, 0 to send every write at once
 *
 * Sets the size of the buffer of `wfile`, before its first use.
 *
 * Threads: the one that runs the handler. In Python: `wbufsize`.
 */
void
srv_stream_request_handler_set_wbufsize (SrvStreamRequestHandler *self,
                                         int wbufsize)
{
  SrvStreamRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self));
  g_return_if_fail (wbufsize >= -1);

  priv = get_private (self);
  if (priv->settings.wbufsize == wbufsize)
    return;
  change_settings (self)->wbufsize = wbufsize;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_WBUFSIZE]);
}

/**
 * srv_stream_request_handler_get_wbufsize:
 * @self: a handler
 *
 * Gets the size of the buffer of `wfile`.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: bytes; -1 for the default, 0 for none
 */
int
srv_stream_request_handler_get_wbufsize (SrvStreamRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), -1);
  return get_private (self)->settings.wbufsize;
}

/**
 * srv_stream_request_handler_set_timeout:
 * @self: a handler
 * @timeout_ms: longest wait for the client, in milliseconds; 0 for no limit,
 *   -1 for the server's
 *
 * Sets the time limit that `setup` gives to the connection. In `handle`, use
 * [method@SocketServer.Connection.set_timeout].
 *
 * Threads: the one that runs the handler. In Python: `timeout`, in seconds.
 */
void
srv_stream_request_handler_set_timeout (SrvStreamRequestHandler *self,
                                        int timeout_ms)
{
  SrvStreamRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self));
  g_return_if_fail (timeout_ms >= -1);

  priv = get_private (self);
  if (priv->settings.timeout_ms == timeout_ms)
    return;
  change_settings (self)->timeout_ms = timeout_ms;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TIMEOUT]);
}

/**
 * srv_stream_request_handler_get_timeout:
 * @self: a handler
 *
 * Gets the time limit that `setup` gives to the connection.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: milliseconds; 0 for no limit, -1 for the server's
 */
int
srv_stream_request_handler_get_timeout (SrvStreamRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), -1);
  return get_private (self)->settings.timeout_ms;
}

/**
 * srv_stream_request_handler_set_disable_nagle_algorithm:
 * @self: a handler
 * @disable_nagle_algorithm: whether small writes leave at once
 *
 * Sets what `setup` does about Nagle's algorithm.
 *
 * Threads: the one that runs the handler. In Python:
 * `disable_nagle_algorithm`.
 */
void
srv_stream_request_handler_set_disable_nagle_algorithm (
  SrvStreamRequestHandler *self,
  gboolean disable_nagle_algorithm)
{
  SrvStreamRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self));

  priv = get_private (self);
  if (priv->settings.disable_nagle_algorithm == !!disable_nagle_algorithm)
    return;
  change_settings (self)->disable_nagle_algorithm = !!disable_nagle_algorithm;
  g_object_notify_by_pspec (G_OBJECT (self),
                            properties[PROP_DISABLE_NAGLE_ALGORITHM]);
}

/**
 * srv_stream_request_handler_get_disable_nagle_algorithm:
 * @self: a handler
 *
 * Gets what `setup` does about Nagle's algorithm.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE when small writes leave at once
 */
gboolean
srv_stream_request_handler_get_disable_nagle_algorithm (
  SrvStreamRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), TRUE);
  return get_private (self)->settings.disable_nagle_algorithm;
}

/**
 * srv_stream_request_handler_set_end_on_drain:
 * @self: a handler
 * @end_on_drain: whether a close of the server ends the input
 *
 * Sets whether a close of the server ends the input between two messages,
 * before `setup`.
 *
 * Threads: the one that runs the handler.
 */
void
srv_stream_request_handler_set_end_on_drain (SrvStreamRequestHandler *self,
                                             gboolean end_on_drain)
{
  SrvStreamRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self));

  priv = get_private (self);
  if (priv->settings.end_on_drain == !!end_on_drain)
    return;
  change_settings (self)->end_on_drain = !!end_on_drain;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_END_ON_DRAIN]);
}

/**
 * srv_stream_request_handler_get_end_on_drain:
 * @self: a handler
 *
 * Gets whether a close of the server ends the input between two messages.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE if it does
 */
gboolean
srv_stream_request_handler_get_end_on_drain (SrvStreamRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), FALSE);
  return get_private (self)->settings.end_on_drain;
}
