/* srv-greeting-handler.c - greets whoever connects
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-greeting-handler.h"

#include "srv-event-log.h"
#include "srv-time-limit-private.h"

#include <string.h>

#define CHUNK_SIZE          1024
#define DEFAULT_GREETING    "Thank you for connecting.\n"
#define DEFAULT_REFUSAL     "Your message is too long, or not UTF-8 text.\n"
#define DEFAULT_MAX_BYTES   65536
#define MAX_MAX_BYTES       (16 * 1024 * 1024)
#define DEFAULT_PAUSE_MS    500
#define DEFAULT_MAX_TIME_MS (30 * 1000)

/**
 * SrvGreetingHandler:
 *
 * Sends a greeting to whoever connects, and closes. With
 * [property@SocketServerHandlers.GreetingHandler:read-first] it waits for a
 * message of the client before. It serves TCP and Unix sockets.
 *
 * A message ends with a newline, with the client's half of the connection, or
 * with a pause: tutorials' clients send a phrase without an end and wait. It is
 * UTF-8 text of at most
 * [property@SocketServerHandlers.GreetingHandler:max-bytes]; to any other,
 * [property@SocketServerHandlers.GreetingHandler:refusal] is the answer. Where
 * a [class@SocketServerHandlers.EventLog] watches the server, the handler
 * reports `connected`, `received` once with the whole message, `sent` and
 * `disconnected`.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_threading_tcp_server_new ("::", 12345, SRV_TYPE_GREETING_HANDLER, &error);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServer.StreamRequestHandler] offers.
 *
 * It is not meant for protocols that begin with a greeting and go on: there the
 * greeting is a line in your own `handle`.
 *
 * In Python:
 *
 * ```python
 * class GreetingHandler(socketserver.BaseRequestHandler):
 *     def handle(self):
 *         self.request.recv(65536)           # with read-first
 *         self.request.sendall(b"Thank you for connecting.\n")
 * ```
 */
typedef struct
{
  char *greeting; /* owned */
  char *refusal;  /* owned */
  gboolean read_first;
  guint max_bytes;
  guint pause_ms;    /* 0: a pause is no end */
  guint max_time_ms; /* 0: no limit */
} SrvGreetingHandlerPrivate;

typedef enum
{
  PROP_GREETING = 1,
  PROP_MAX_BYTES,
  PROP_MAX_TIME,
  PROP_PAUSE,
  PROP_READ_FIRST,
  PROP_REFUSAL,
} SrvGreetingHandlerProperty;

static GParamSpec *properties[PROP_REFUSAL + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvGreetingHandler,
                            srv_greeting_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvGreetingHandlerPrivate *
get_private (SrvGreetingHandler *self)
{
  return srv_greeting_handler_get_instance_private (self);
}

/* One read, into @message. FALSE with an error, or at the end of the message
 * without one. */
static gboolean
read_some (SrvGreetingHandler *self,
           SrvTimeLimit *limit,
           GString *message,
           GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (self));
  const guint pause_ms = message->len > 0 ? get_private (self)->pause_ms : 0;
  GError *local = NULL;
  char chunk[CHUNK_SIZE];
  gssize n = -1;

  if (srv_time_limit_apply (limit, pause_ms, &local))
    n = srv_reader_read (rfile, chunk, sizeof chunk, &local);
  if (n > 0)
    {
      g_string_append_len (message, chunk, n);
      return chunk[n - 1] != '\n';
    }
  if (pause_ms > 0 && !srv_time_limit_is_over (limit) &&
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_clear_error (&local);
  if (local != NULL)
    g_propagate_error (error, local);
  return FALSE;
}

static gboolean
read_message (SrvGreetingHandler *self, GString *message, GError **error)
{
  SrvGreetingHandlerPrivate *priv = get_private (self);
  SrvTimeLimit limit;
  GError *local = NULL;

  srv_time_limit_begin (&limit, SRV_STREAM_REQUEST_HANDLER (self),
                        priv->max_time_ms);
  while (message->len <= priv->max_bytes &&
         read_some (self, &limit, message, &local))
    ;
  if (local == NULL)
    srv_connection_set_timeout (limit.connection, limit.own_timeout_ms, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

static gboolean
is_acceptable (SrvGreetingHandler *self, const GString *message)
{
  return message->len <= get_private (self)->max_bytes &&
         g_utf8_validate_len (message->str, message->len, NULL);
}

static gboolean
greet (SrvGreetingHandler *self,
       GString *message,
       gsize *n_sent,
       GError **error)
{
  SrvGreetingHandlerPrivate *priv = get_private (self);
  SrvBaseRequestHandler *handler = SRV_BASE_REQUEST_HANDLER (self);
  SrvWriter *wfile =
    srv_stream_request_handler_get_wfile (SRV_STREAM_REQUEST_HANDLER (self));
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  const char *reply = priv->greeting;

  if (priv->read_first)
    {
      if (!read_message (self, message, error))
        return FALSE;
      srv_event_log_received (log, handler, (const guint8 *) message->str,
                              message->len);
      if (!is_acceptable (self, message))
        reply = priv->refusal;
    }
  if (!srv_writer_write_string (wfile, reply, error) ||
      !srv_writer_flush (wfile, error))
    return FALSE;
  *n_sent = strlen (reply);
  srv_event_log_sent (log, handler, *n_sent);
  return TRUE;
}

static gboolean
srv_greeting_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  g_autoptr (GString) message = g_string_new (NULL);
  gsize n_sent = 0;
  gboolean ok;

  srv_event_log_connected (log, handler);
  ok = greet (SRV_GREETING_HANDLER (handler), message, &n_sent, error);
  srv_event_log_disconnected (log, handler, message->len, n_sent, *error);
  return ok;
}

static void
srv_greeting_handler_finalize (GObject *object)
{
  SrvGreetingHandlerPrivate *priv = get_private (SRV_GREETING_HANDLER (object));

  g_free (priv->greeting);
  g_free (priv->refusal);
  G_OBJECT_CLASS (srv_greeting_handler_parent_class)->finalize (object);
}

static void
srv_greeting_handler_get_property (GObject *object,
                                   guint id,
                                   GValue *value,
                                   GParamSpec *pspec)
{
  SrvGreetingHandlerPrivate *priv = get_private (SRV_GREETING_HANDLER (object));

  switch ((SrvGreetingHandlerProperty) id)
    {
    case PROP_GREETING:
      g_value_set_string (value, priv->greeting);
      break;
    case PROP_MAX_BYTES:
      g_value_set_uint (value, priv->max_bytes);
      break;
    case PROP_MAX_TIME:
      g_value_set_uint (value, priv->max_time_ms);
      break;
    case PROP_PAUSE:
      g_value_set_uint (value, priv->pause_ms);
      break;
    case PROP_READ_FIRST:
      g_value_set_boolean (value, priv->read_first);
      break;
    case PROP_REFUSAL:
      g_value_set_string (value, priv->refusal);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* A text is never NULL. */
static void
set_text (char **text, const GValue *value)
{
  const char *given = g_value_get_string (value);

  g_free (*text);
  *text = g_strdup (given != NULL ? given : "");
}

static void
srv_greeting_handler_set_property (GObject *object,
                                   guint id,
                                   const GValue *value,
                                   GParamSpec *pspec)
{
  SrvGreetingHandlerPrivate *priv = get_private (SRV_GREETING_HANDLER (object));

  switch ((SrvGreetingHandlerProperty) id)
    {
    case PROP_GREETING:
      set_text (&priv->greeting, value);
      break;
    case PROP_MAX_BYTES:
      priv->max_bytes = g_value_get_uint (value);
      break;
    case PROP_MAX_TIME:
      priv->max_time_ms = g_value_get_uint (value);
      break;
    case PROP_PAUSE:
      priv->pause_ms = g_value_get_uint (value);
      break;
    case PROP_READ_FIRST:
      priv->read_first = g_value_get_boolean (value);
      break;
    case PROP_REFUSAL:
      set_text (&priv->refusal, value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_text_properties (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * SrvGreetingHandler:greeting:
   *
   * What is sent, as it is: a newline at its end belongs to it. To be set, as
   * all properties of handlers, before the handler runs: in the `init` of a
   * subclass, or in a [callback@SocketServer.HandlerFactory].
   */
  properties[PROP_GREETING] =
    g_param_spec_string ("greeting", NULL, NULL, DEFAULT_GREETING, flags);
  /**
   * SrvGreetingHandler:refusal:
   *
   * What is sent instead when the message of the client is too long or no UTF-8
   * text.
   */
  properties[PROP_REFUSAL] =
    g_param_spec_string ("refusal", NULL, NULL, DEFAULT_REFUSAL, flags);
}

static void
install_reading_properties (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * SrvGreetingHandler:max-bytes:
   *
   * The longest message of a client, in bytes, 1 to 16 MiB; the default is 64
   * KiB.
   */
  properties[PROP_MAX_BYTES] = g_param_spec_uint ("max-bytes", NULL, NULL, 1,
                                                  MAX_MAX_BYTES,
                                                  DEFAULT_MAX_BYTES, flags);
  /**
   * SrvGreetingHandler:max-time:
   *
   * How long a client may take for its message, in milliseconds, 0 for no
   * limit; the default is 30 seconds.
   */
  properties[PROP_MAX_TIME] = g_param_spec_uint ("max-time", NULL, NULL, 0,
                                                 G_MAXINT, DEFAULT_MAX_TIME_MS,
                                                 flags);
  /**
   * SrvGreetingHandler:pause:
   *
   * How long a client that has begun must be silent for its message to be
   * whole, in milliseconds; the default is 500. 0 is never: only a newline and
   * the end of the input end a message then.
   */
  properties[PROP_PAUSE] = g_param_spec_uint ("pause", NULL, NULL, 0, G_MAXINT,
                                              DEFAULT_PAUSE_MS, flags);
  /**
   * SrvGreetingHandler:read-first:
   *
   * Whether the client speaks first.
   */
  properties[PROP_READ_FIRST] =
    g_param_spec_boolean ("read-first", NULL, NULL, FALSE, flags);
}

static void
srv_greeting_handler_class_init (SrvGreetingHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_greeting_handler_handle;
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));
  object_class->finalize = srv_greeting_handler_finalize;
  object_class->get_property = srv_greeting_handler_get_property;
  object_class->set_property = srv_greeting_handler_set_property;
  install_text_properties ();
  install_reading_properties ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_greeting_handler_init (SrvGreetingHandler *self)
{
  SrvGreetingHandlerPrivate *priv = get_private (self);

  priv->greeting = g_strdup (DEFAULT_GREETING);
  priv->refusal = g_strdup (DEFAULT_REFUSAL);
  priv->max_bytes = DEFAULT_MAX_BYTES;
  priv->max_time_ms = DEFAULT_MAX_TIME_MS;
  priv->pause_ms = DEFAULT_PAUSE_MS;
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}
