/* srv-datagram-time-handler.c - tells the time to whoever sends a datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram-time-handler.h"

#include "srv-event-log.h"

/**
 * SrvDatagramTimeHandler:
 *
 * Answers each datagram with the time, whatever is in it. It serves UDP and
 * Unix datagram sockets.
 *
 * The sender of a UDP datagram can be forged; the answer then goes to somebody
 * who did not ask. So that nobody gains by it, an answer over UDP is always
 * shorter than its question: one byte less than the question at most. A server
 * cannot be made to send more than it gets, and two servers that are set to
 * answer each other stop at once. A question that is too short is not answered
 * at all, for half a date is none. What that means for each format:
 *
 * - %SRV_TIME_FORMAT_RFC_868: 5 bytes or more are answered. RFC 868 lets
 *   clients send an empty datagram, which is not.
 * - %SRV_TIME_FORMAT_CTIME: 26 bytes or more.
 * - %SRV_TIME_FORMAT_ISO_8601: 27 bytes or more.
 * - %SRV_TIME_FORMAT_DAYTIME: 61 bytes always are enough; RFC 867 lets clients
 *   send an empty datagram, which is not.
 *
 * A client therefore pads its question: 64 bytes are good for all of them. On
 * networks that can be trusted,
 * [property@SocketServerHandlers.DatagramTimeHandler:answer-all] switches that
 * off. Unix sockets need none of it, since the system vouches for the sender.
 *
 * Where an [class@SocketServerHandlers.EventLog] watches the server, the
 * handler reports `received` and, if it answered, `sent`.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_udp_server_new ("::", 10000, SRV_TYPE_DATAGRAM_TIME_HANDLER, &error);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServer.DatagramRequestHandler] offers.
 *
 * It is not meant for setting clocks; see
 * [class@SocketServerHandlers.TimeHandler], which does the same for streams.
 *
 * In Python:
 *
 * ```python
 * class DatagramTimeHandler(socketserver.DatagramRequestHandler):
 *     def handle(self):
 *         reply = (time.ctime() + "\n").encode()
 *         if len(reply) < len(self.packet):
 *             self.wfile.write(reply)
 * ```
 */
typedef struct
{
  SrvTimeFormat format;
  GTimeZone *time_zone; /* owned; NULL for the zone of this machine */
  gboolean answer_all;
} SrvDatagramTimeHandlerPrivate;

typedef enum
{
  PROP_ANSWER_ALL = 1,
  PROP_FORMAT,
  PROP_TIME_ZONE,
} SrvDatagramTimeHandlerProperty;

static GParamSpec *properties[PROP_TIME_ZONE + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvDatagramTimeHandler,
                            srv_datagram_time_handler,
                            SRV_TYPE_DATAGRAM_REQUEST_HANDLER)

static SrvDatagramTimeHandlerPrivate *
get_private (SrvDatagramTimeHandler *self)
{
  return srv_datagram_time_handler_get_instance_private (self);
}

/* Whether the sender is who the datagram says. */
static gboolean
is_verified (SrvDatagramTimeHandler *self)
{
  return SRV_IS_UNIX_DATAGRAM_SERVER (
    srv_base_request_handler_get_server (SRV_BASE_REQUEST_HANDLER (self)));
}

/* Not even as long as the question: equal lengths would let two servers keep
 * each other busy for ever. */
static gboolean
may_answer (SrvDatagramTimeHandler *self,
            SrvDatagram *datagram,
            gsize question_length,
            gsize answer_length)
{
  return srv_datagram_can_reply (datagram) &&
         (answer_length < question_length || get_private (self)->answer_all ||
          is_verified (self));
}

/* The answer does not go through the writer of the parent, which would send it
 * after `handle`: here we know how that went. */
static gboolean
srv_datagram_time_handler_handle (SrvBaseRequestHandler *handler,
                                  GError **error)
{
  SrvDatagramTimeHandler *self = SRV_DATAGRAM_TIME_HANDLER (handler);
  SrvDatagramTimeHandlerPrivate *priv = get_private (self);
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (
    SRV_DATAGRAM_REQUEST_HANDLER (handler));
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  g_autoptr (GBytes) answer =
    srv_time_format_render_now (priv->format, priv->time_zone);
  gsize length = 0;
  const guint8 *question = srv_datagram_get_data (datagram, &length);

  srv_event_log_received (log, handler, question, length);
  if (!may_answer (self, datagram, length, g_bytes_get_size (answer)))
    return TRUE;
  if (!srv_datagram_reply_bytes (datagram, answer, error))
    return FALSE;
  srv_event_log_sent (log, handler, g_bytes_get_size (answer));
  return TRUE;
}

static void
srv_datagram_time_handler_finalize (GObject *object)
{
  g_clear_pointer (&get_private (SRV_DATAGRAM_TIME_HANDLER (object))->time_zone,
                   g_time_zone_unref);
  G_OBJECT_CLASS (srv_datagram_time_handler_parent_class)->finalize (object);
}

static void
srv_datagram_time_handler_get_property (GObject *object,
                                        guint id,
                                        GValue *value,
                                        GParamSpec *pspec)
{
  SrvDatagramTimeHandlerPrivate *priv =
    get_private (SRV_DATAGRAM_TIME_HANDLER (object));

  switch ((SrvDatagramTimeHandlerProperty) id)
    {
    case PROP_ANSWER_ALL:
      g_value_set_boolean (value, priv->answer_all);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, priv->format);
      break;
    case PROP_TIME_ZONE:
      g_value_set_boxed (value, priv->time_zone);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_time_handler_set_property (GObject *object,
                                        guint id,
                                        const GValue *value,
                                        GParamSpec *pspec)
{
  SrvDatagramTimeHandlerPrivate *priv =
    get_private (SRV_DATAGRAM_TIME_HANDLER (object));

  switch ((SrvDatagramTimeHandlerProperty) id)
    {
    case PROP_ANSWER_ALL:
      priv->answer_all = g_value_get_boolean (value);
      break;
    case PROP_FORMAT:
      priv->format = g_value_get_enum (value);
      break;
    case PROP_TIME_ZONE:
      g_clear_pointer (&priv->time_zone, g_time_zone_unref);
      priv->time_zone = g_value_dup_boxed (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_time_handler_class_init (SrvDatagramTimeHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->handle = srv_datagram_time_handler_handle;
  srv_base_request_handler_class_set_reusable (handler_class);
  object_class->finalize = srv_datagram_time_handler_finalize;
  object_class->get_property = srv_datagram_time_handler_get_property;
  object_class->set_property = srv_datagram_time_handler_set_property;

  /**
   * SrvDatagramTimeHandler:answer-all:
   *
   * Whether a question over UDP is answered even if it is not longer than the
   * answer. Only for networks where no sender is forged. To be set before the
   * handler runs: in the `init` of a subclass, or in a
   * [callback@SocketServer.HandlerFactory].
   */
  properties[PROP_ANSWER_ALL] =
    g_param_spec_boolean ("answer-all", NULL, NULL, FALSE, flags);
  /**
   * SrvDatagramTimeHandler:format:
   *
   * How the time is written.
   */
  properties[PROP_FORMAT] = g_param_spec_enum ("format", NULL, NULL,
                                               SRV_TYPE_TIME_FORMAT,
                                               SRV_TIME_FORMAT_CTIME, flags);
  /**
   * SrvDatagramTimeHandler:time-zone:
   *
   * In which zone the time is told, %NULL for that of this machine.
   */
  properties[PROP_TIME_ZONE] =
    g_param_spec_boxed ("time-zone", NULL, NULL, G_TYPE_TIME_ZONE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_datagram_time_handler_init (G_GNUC_UNUSED SrvDatagramTimeHandler *self)
{
}
