/* srv-datagram-request-handler.c - packet in, reply out
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram-request-handler.h"

#include "srv-check-private.h"

/**
 * SrvDatagramRequestHandler:
 *
 * Serves a datagram: `rfile` holds the packet, and what is written becomes one
 * datagram that goes back to the sender in `finish`.
 *
 * ```c
 * static gboolean
 * echo_handle (SrvBaseRequestHandler *handler, GError **error)
 * {
 *   SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
 *   gsize length;
 *   const guint8 *data = srv_datagram_get_data (
 *     srv_datagram_request_handler_get_datagram (self),
 *     &length
 *   );
 *
 *   return srv_datagram_request_handler_write (self, data, length, error);
 * }
 * ```
 *
 * You call: `get_datagram`, `get_packet`, `write`, `get_rfile`, `get_wfile`.
 * You may override: `setup`, `handle`, `finish`; chain up in the first and the
 * last.
 *
 * A reply is sent only when something was written, and not when the handler
 * failed. Python sends one in every case, an empty one if need be; two
 * properties bring that back. A sender that cannot be answered, because it has
 * no address or because it has gone, is no failure.
 *
 * In Python: `DatagramRequestHandler`.
 */
typedef struct
{
  GByteArray *reply;    /* owned, made at the first write */
  GInputStream *rfile;  /* owned, made on demand */
  GOutputStream *wfile; /* owned, made on demand */
  gboolean always_reply;
  gboolean reply_after_failure;
} SrvDatagramRequestHandlerPrivate;

typedef enum
{
  PROP_ALWAYS_REPLY = 1,
  PROP_REPLY_AFTER_FAILURE,
} SrvDatagramRequestHandlerProperty;

static GParamSpec *properties[PROP_REPLY_AFTER_FAILURE + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvDatagramRequestHandler,
                            srv_datagram_request_handler,
                            SRV_TYPE_BASE_REQUEST_HANDLER)

static SrvDatagramRequestHandlerPrivate *
get_private (SrvDatagramRequestHandler *self)
{
  return srv_datagram_request_handler_get_instance_private (self);
}

static gboolean
srv_datagram_request_handler_setup (SrvBaseRequestHandler *handler,
                                    GError **error)
{
  if (srv_datagram_request_handler_get_datagram (
        SRV_DATAGRAM_REQUEST_HANDLER (handler)) != NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "%s serves datagrams; this request is of type %s",
               G_OBJECT_TYPE_NAME (handler),
               G_OBJECT_TYPE_NAME (
                 srv_base_request_handler_get_request (handler)));
  return FALSE;
}

/* What `write` took, and behind it what was written to `wfile`. */
static void
collect_wfile (SrvDatagramRequestHandlerPrivate *priv)
{
  GMemoryOutputStream *memory;
  gsize size;

  if (priv->wfile == NULL)
    return;
  memory = G_MEMORY_OUTPUT_STREAM (priv->wfile);
  size = g_memory_output_stream_get_data_size (memory);
  if (size == 0)
    return;
  if (priv->reply == NULL)
    priv->reply = g_byte_array_new ();
  g_byte_array_append (priv->reply, g_memory_output_stream_get_data (memory),
                       (guint) size);
}

static gboolean
srv_datagram_request_handler_finish (SrvBaseRequestHandler *handler,
                                     GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  SrvDatagramRequestHandlerPrivate *priv = get_private (self);
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (self);

  collect_wfile (priv);
  if (priv->reply == NULL && !priv->always_reply)
    return TRUE;
  if (srv_base_request_handler_get_failed (handler) &&
      !priv->reply_after_failure)
    return TRUE;
  if (!srv_datagram_can_reply (datagram))
    return TRUE;
  return srv_datagram_reply (datagram,
                             priv->reply != NULL ? priv->reply->data : NULL,
                             priv->reply != NULL ? priv->reply->len : 0, error);
}

static void
drop_files (SrvDatagramRequestHandlerPrivate *priv)
{
  g_clear_pointer (&priv->reply, g_byte_array_unref);
  g_clear_object (&priv->rfile);
  g_clear_object (&priv->wfile);
}

/* What a subclass has set in its `init` stays; where a function serves, it was
 * the function that set it, for this request. */
static void
srv_datagram_request_handler_reset (SrvBaseRequestHandler *handler)
{
  SrvDatagramRequestHandlerPrivate *priv =
    get_private (SRV_DATAGRAM_REQUEST_HANDLER (handler));

  drop_files (priv);
  if (G_OBJECT_TYPE (handler) == SRV_TYPE_DATAGRAM_REQUEST_HANDLER)
    priv->always_reply = priv->reply_after_failure = FALSE;
  SRV_BASE_REQUEST_HANDLER_CLASS (srv_datagram_request_handler_parent_class)
    ->reset (handler);
}

static void
srv_datagram_request_handler_dispose (GObject *object)
{
  drop_files (get_private (SRV_DATAGRAM_REQUEST_HANDLER (object)));
  G_OBJECT_CLASS (srv_datagram_request_handler_parent_class)->dispose (object);
}

static void
srv_datagram_request_handler_get_property (GObject *object,
                                           guint id,
                                           GValue *value,
                                           GParamSpec *pspec)
{
  SrvDatagramRequestHandlerPrivate *priv =
    get_private (SRV_DATAGRAM_REQUEST_HANDLER (object));

  switch ((SrvDatagramRequestHandlerProperty) id)
    {
    case PROP_ALWAYS_REPLY:
      g_value_set_boolean (value, priv->always_reply);
      break;
    case PROP_REPLY_AFTER_FAILURE:
      g_value_set_boolean (value, priv->reply_after_failure);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_request_handler_set_property (GObject *object,
                                           guint id,
                                           const GValue *value,
                                           GParamSpec *pspec)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (object);
  gboolean on = g_value_get_boolean (value);

  switch ((SrvDatagramRequestHandlerProperty) id)
    {
    case PROP_ALWAYS_REPLY:
      srv_datagram_request_handler_set_always_reply (self, on);
      break;
    case PROP_REPLY_AFTER_FAILURE:
      srv_datagram_request_handler_set_reply_after_failure (self, on);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_request_handler_class_init (SrvDatagramRequestHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = srv_datagram_request_handler_dispose;
  object_class->get_property = srv_datagram_request_handler_get_property;
  object_class->set_property = srv_datagram_request_handler_set_property;
  handler_class->setup = srv_datagram_request_handler_setup;
  handler_class->finish = srv_datagram_request_handler_finish;
  handler_class->reset = srv_datagram_request_handler_reset;
  srv_base_request_handler_class_set_reusable (handler_class);

  /**
   * SrvDatagramRequestHandler:always-reply:
   *
   * Whether a reply is sent when nothing was written: an empty datagram, as
   * Python does.
   */
  properties[PROP_ALWAYS_REPLY] =
    g_param_spec_boolean ("always-reply", NULL, NULL, FALSE, flags);
  /**
   * SrvDatagramRequestHandler:reply-after-failure:
   *
   * Whether what was written before `handle` failed is sent, as Python does.
   */
  properties[PROP_REPLY_AFTER_FAILURE] =
    g_param_spec_boolean ("reply-after-failure", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_datagram_request_handler_init (
  G_GNUC_UNUSED SrvDatagramRequestHandler *self)
{
}

/**
 * srv_datagram_request_handler_get_datagram:
 * @self: a handler
 *
 * Gets the datagram.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: (transfer none) (nullable): the datagram, %NULL before the handler
 *   runs
 */
SrvDatagram *
srv_datagram_request_handler_get_datagram (SrvDatagramRequestHandler *self)
{
  SrvRequest *request;

  g_return_val_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self), NULL);

  request =
    srv_base_request_handler_get_request (SRV_BASE_REQUEST_HANDLER (self));
  return SRV_IS_DATAGRAM (request) ? SRV_DATAGRAM (request) : NULL;
}

/**
 * srv_datagram_request_handler_get_packet:
 * @self: a handler that runs
 *
 * Gets the contents of the datagram.
 *
 * Threads: the one that runs the handler. In Python: `self.packet`.
 *
 * Returns: (transfer none): the bytes
 */
GBytes *
srv_datagram_request_handler_get_packet (SrvDatagramRequestHandler *self)
{
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (self);

  g_return_val_if_fail (datagram != NULL, NULL);
  return srv_datagram_get_bytes (datagram);
}

/**
 * srv_datagram_request_handler_get_rfile:
 * @self: a handler that runs
 *
 * Gets a stream over the packet.
 *
 * Threads: the one that runs the handler. In Python: `self.rfile`.
 *
 * Returns: (transfer none): the stream
 */
GInputStream *
srv_datagram_request_handler_get_rfile (SrvDatagramRequestHandler *self)
{
  SrvDatagramRequestHandlerPrivate *priv;
  GBytes *packet;

  g_return_val_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self), NULL);

  priv = get_private (self);
  if (priv->rfile != NULL)
    return priv->rfile;
  packet = srv_datagram_request_handler_get_packet (self);
  g_return_val_if_fail (packet != NULL, NULL);
  priv->rfile = g_memory_input_stream_new_from_bytes (packet);
  return priv->rfile;
}

/**
 * srv_datagram_request_handler_get_wfile:
 * @self: a handler
 *
 * Gets a stream whose contents become the reply.
 *
 * Threads: the one that runs the handler. In Python: `self.wfile`.
 *
 * Returns: (transfer none): the stream
 */
GOutputStream *
srv_datagram_request_handler_get_wfile (SrvDatagramRequestHandler *self)
{
  SrvDatagramRequestHandlerPrivate *priv;

  g_return_val_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self), NULL);

  priv = get_private (self);
  if (priv->wfile == NULL)
    priv->wfile = g_memory_output_stream_new_resizable ();
  return priv->wfile;
}

/**
 * srv_datagram_request_handler_write: (skip)
 * @self: a handler
 * @data: (array length=length) (element-type guint8): what to add
 * @length: how many bytes
 * @error: return location for a [struct@GLib.Error]
 *
 * Adds to the reply. Together with
 * [method@SocketServer.DatagramRequestHandler.get_wfile], what is written here
 * comes first.
 *
 * Fails with %G_IO_ERROR_MESSAGE_TOO_LARGE when the reply would have more than
 * 64 KiB, which no datagram can carry; in Python only the sending fails.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE when it was added, %FALSE with @error set otherwise
 */
gboolean
srv_datagram_request_handler_write (SrvDatagramRequestHandler *self,
                                    const void *data,
                                    gsize length,
                                    GError **error)
{
  SrvDatagramRequestHandlerPrivate *priv;
  gsize so_far;

  g_return_val_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  priv = get_private (self);
  so_far = priv->reply != NULL ? priv->reply->len : 0;
  if (length > G_MAXUINT16 || so_far + length > G_MAXUINT16)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                           "the reply does not fit into a datagram");
      return FALSE;
    }
  if (priv->reply == NULL)
    priv->reply = g_byte_array_sized_new ((guint) length);
  if (length > 0)
    g_byte_array_append (priv->reply, data, (guint) length);
  return TRUE;
}

/**
 * srv_datagram_request_handler_write_bytes:
 *   (rename-to srv_datagram_request_handler_write)
 * @self: a handler
 * @bytes: what to add
 * @error: return location for a [struct@GLib.Error]
 *
 * Adds to the reply, for language bindings; otherwise like
 * [method@SocketServer.DatagramRequestHandler.write].
 *
 * Returns: %TRUE when it was added, %FALSE with @error set otherwise
 */
gboolean
srv_datagram_request_handler_write_bytes (SrvDatagramRequestHandler *self,
                                          GBytes *bytes,
                                          GError **error)
{
  gsize length;
  const void *data;

  g_return_val_if_fail (bytes != NULL, FALSE);

  data = g_bytes_get_data (bytes, &length);
  return srv_datagram_request_handler_write (self, data, length, error);
}

/**
 * srv_datagram_request_handler_set_always_reply:
 * @self: a handler
 * @always_reply: whether an empty reply is sent when nothing was written
 *
 * Sets whether every datagram is answered.
 *
 * Threads: the one that runs the handler.
 */
void
srv_datagram_request_handler_set_always_reply (SrvDatagramRequestHandler *self,
                                               gboolean always_reply)
{
  SrvDatagramRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self));

  priv = get_private (self);
  if (priv->always_reply == !!always_reply)
    return;
  priv->always_reply = !!always_reply;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ALWAYS_REPLY]);
}

/**
 * srv_datagram_request_handler_get_always_reply:
 * @self: a handler
 *
 * Gets whether every datagram is answered.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE if an empty reply is sent when nothing was written
 */
gboolean
srv_datagram_request_handler_get_always_reply (SrvDatagramRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self), FALSE);
  return get_private (self)->always_reply;
}

/**
 * srv_datagram_request_handler_set_reply_after_failure:
 * @self: a handler
 * @reply_after_failure: whether a handler that failed still replies
 *
 * Sets whether what was written before a failure is sent.
 *
 * Threads: the one that runs the handler.
 */
void
srv_datagram_request_handler_set_reply_after_failure (
  SrvDatagramRequestHandler *self,
  gboolean reply_after_failure)
{
  SrvDatagramRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self));

  priv = get_private (self);
  if (priv->reply_after_failure == !!reply_after_failure)
    return;
  priv->reply_after_failure = !!reply_after_failure;
  g_object_notify_by_pspec (G_OBJECT (self),
                            properties[PROP_REPLY_AFTER_FAILURE]);
}

/**
 * srv_datagram_request_handler_get_reply_after_failure:
 * @self: a handler
 *
 * Gets whether what was written before a failure is sent.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE if a handler that failed still replies
 */
gboolean
srv_datagram_request_handler_get_reply_after_failure (
  SrvDatagramRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_REQUEST_HANDLER (self), FALSE);
  return get_private (self)->reply_after_failure;
}
