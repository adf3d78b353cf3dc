/* srv-time-handler.c - tells the time to whoever connects
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The example of a handler. A handler of your own needs four things, marked
 * 1 to 4 below: what one object of it holds, the class, what it does for a
 * client, and the class's init that says so. All the rest is settings, which
 * yours may do without; and so it may without the event log.
 */

#include "config.h"

#include "srv-time-handler.h"

#include "srv-event-log.h"

/**
 * SrvTimeHandler:
 *
 * Tells the time to whoever connects, and closes. It serves TCP and Unix
 * sockets, and never reads: a client need not ask.
 *
 * How the time is written is
 * [property@SocketServerHandlers.TimeHandler:format]; in which zone,
 * [property@SocketServerHandlers.TimeHandler:time-zone]. Where a
 * [class@SocketServerHandlers.EventLog] watches the server, the handler reports
 * `connected`, `sent` and `disconnected`; otherwise it is silent.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_threading_tcp_server_new ("::", 10000, SRV_TYPE_TIME_HANDLER, &error);
 *
 * if (server == NULL || !srv_base_server_serve_forever (server, &error))
 *   g_printerr ("%s\n", error->message);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServer.StreamRequestHandler] offers.
 *
 * It is not meant for setting clocks: it does not know how long its answer was
 * under way. That is what NTP is for.
 *
 * In Python:
 *
 * ```python
 * class TimeHandler(socketserver.StreamRequestHandler):
 *     def handle(self):
 *         self.wfile.write((time.ctime() + "\n").encode())
 * ```
 */

/* 1. What one object holds. There is a new object for each client. */
typedef struct
{
  SrvTimeFormat format;
  GTimeZone *time_zone; /* owned; NULL for the zone of this machine */
} SrvTimeHandlerPrivate;

typedef enum
{
  PROP_FORMAT = 1,
  PROP_TIME_ZONE,
} SrvTimeHandlerProperty;

static GParamSpec *properties[PROP_TIME_ZONE + 1];

/* 2. The class: its name, the beginning of its functions' names, its parent. */
G_DEFINE_TYPE_WITH_PRIVATE (SrvTimeHandler,
                            srv_time_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvTimeHandlerPrivate *
get_private (SrvTimeHandler *self)
{
  return srv_time_handler_get_instance_private (self);
}

/* Writing puts the bytes into a buffer, flushing sends them. Without the flush
 * they would go after `handle`; with it we know how that went. */
static gboolean
send_reply (SrvTimeHandler *self, GBytes *reply, GError **error)
{
  SrvWriter *wfile =
    srv_stream_request_handler_get_wfile (SRV_STREAM_REQUEST_HANDLER (self));

  return srv_writer_write_bytes (wfile, reply, error) &&
         srv_writer_flush (wfile, error);
}

/* 3. What it does for a client. It may take its time and wait: the mix-in of
 * the server sees to it that others are served meanwhile. When it returns, the
 * connection is closed. FALSE with an error is reported by the server, which
 * goes on; so none of it can hurt another client. There always is a place for
 * the error. */
static gboolean
srv_time_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvTimeHandler *self = SRV_TIME_HANDLER (handler);
  SrvTimeHandlerPrivate *priv = get_private (self);
  SrvBaseServer *server = srv_base_request_handler_get_server (handler);
  SrvEventLog *log = srv_event_log_for_server (server);
  g_autoptr (GBytes) reply =
    srv_time_format_render_now (priv->format, priv->time_zone);
  const gsize length = g_bytes_get_size (reply);
  gboolean ok;

  srv_event_log_connected (log, handler);
  ok = send_reply (self, reply, error);
  if (ok)
    srv_event_log_sent (log, handler, length);
  srv_event_log_disconnected (log, handler, 0, ok ? length : 0, *error);
  return ok;
}

static void
srv_time_handler_finalize (GObject *object)
{
  g_clear_pointer (&get_private (SRV_TIME_HANDLER (object))->time_zone,
                   g_time_zone_unref);
  G_OBJECT_CLASS (srv_time_handler_parent_class)->finalize (object);
}

static void
srv_time_handler_get_property (GObject *object,
                               guint id,
                               GValue *value,
                               GParamSpec *pspec)
{
  SrvTimeHandlerPrivate *priv = get_private (SRV_TIME_HANDLER (object));

  switch ((SrvTimeHandlerProperty) id)
    {
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
srv_time_handler_set_property (GObject *object,
                               guint id,
                               const GValue *value,
                               GParamSpec *pspec)
{
  SrvTimeHandlerPrivate *priv = get_private (SRV_TIME_HANDLER (object));

  switch ((SrvTimeHandlerProperty) id)
    {
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

/* 4. The class's init: which function is `handle`. `setup` and `finish` could
 * be given in the same way. */
static void
srv_time_handler_class_init (SrvTimeHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_time_handler_handle;
  object_class->finalize = srv_time_handler_finalize;
  object_class->get_property = srv_time_handler_get_property;
  object_class->set_property = srv_time_handler_set_property;

  /**
   * SrvTimeHandler:format:
   *
   * How the time is written. To be set before the handler runs: in the `init`
   * of a subclass, or in a [callback@SocketServer.HandlerFactory].
   */
  properties[PROP_FORMAT] = g_param_spec_enum ("format", NULL, NULL,
                                               SRV_TYPE_TIME_FORMAT,
                                               SRV_TIME_FORMAT_CTIME, flags);
  /**
   * SrvTimeHandler:time-zone:
   *
   * In which zone the time is told, %NULL for that of this machine. Set it
   * where the format is set. %SRV_TIME_FORMAT_RFC_868 knows no zones.
   */
  properties[PROP_TIME_ZONE] =
    g_param_spec_boxed ("time-zone", NULL, NULL, G_TYPE_TIME_ZONE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_time_handler_init (G_GNUC_UNUSED SrvTimeHandler *self)
{
}
