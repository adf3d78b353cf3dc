/* srv-discard-handler.c - takes everything, answers nothing
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-discard-handler.h"

#include "srv-event-log.h"
#include "srv-time-limit-private.h"

#define CHUNK_SIZE          4096
#define DEFAULT_MAX_BYTES   (G_GUINT64_CONSTANT (1) << 30)
#define DEFAULT_MAX_TIME_MS (10 * 60 * 1000)

/**
 * SrvDiscardHandler:
 *
 * Takes what a client sends and throws it away, as RFC 863 has it, until the
 * client is done. It serves TCP and Unix sockets.
 *
 * A client that sends more than
 * [property@SocketServerHandlers.DiscardHandler:max-bytes], or goes on for
 * longer than [property@SocketServerHandlers.DiscardHandler:max-time], is
 * disconnected; that is no failure. Where a
 * [class@SocketServerHandlers.EventLog] watches the server, the handler reports
 * `connected`, `received` and `disconnected`.
 *
 * For datagrams no handler is needed: a plain
 * [class@SocketServer.DatagramRequestHandler] answers nothing.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_threading_tcp_server_new ("::", 9, SRV_TYPE_DISCARD_HANDLER, &error);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServer.StreamRequestHandler] offers.
 *
 * It is not meant for measuring: what has been sent may not have come yet.
 *
 * In Python:
 *
 * ```python
 * class DiscardHandler(socketserver.BaseRequestHandler):
 *     def handle(self):
 *         while self.request.recv(4096):
 *             pass
 * ```
 */
typedef struct
{
  guint64 max_bytes; /* 0: no limit */
  guint max_time_ms; /* 0: no limit */
} SrvDiscardHandlerPrivate;

typedef enum
{
  PROP_MAX_BYTES = 1,
  PROP_MAX_TIME,
} SrvDiscardHandlerProperty;

static GParamSpec *properties[PROP_MAX_TIME + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvDiscardHandler,
                            srv_discard_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvDiscardHandlerPrivate *
get_private (SrvDiscardHandler *self)
{
  return srv_discard_handler_get_instance_private (self);
}

static gboolean
check_bytes (SrvDiscardHandler *self, guint64 n_received, GError **error)
{
  const guint64 max_bytes = get_private (self)->max_bytes;

  if (max_bytes == 0 || n_received <= max_bytes)
    return TRUE;
  g_set_error_literal (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
                       "the client has sent all that it may");
  return FALSE;
}

/* Fails when a limit is reached, too. */
static gboolean
discard (SrvDiscardHandler *self,
         SrvTimeLimit *limit,
         guint64 *n_received,
         GError **error)
{
  SrvBaseRequestHandler *handler = SRV_BASE_REQUEST_HANDLER (self);
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (self));
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  guint8 chunk[CHUNK_SIZE];
  gssize n = 1;

  while (n > 0)
    {
      if (!check_bytes (self, *n_received, error) ||
          !srv_time_limit_apply (limit, 0, error))
        return FALSE;
      n = srv_reader_read (rfile, chunk, sizeof chunk, error);
      if (n <= 0)
        break;
      *n_received += (guint64) n;
      srv_event_log_received (log, handler, chunk, (gsize) n);
    }
  return n == 0;
}

static gboolean
srv_discard_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvDiscardHandler *self = SRV_DISCARD_HANDLER (handler);
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  guint64 n_received = 0;
  SrvTimeLimit limit;
  gboolean ok;

  srv_time_limit_begin (&limit, SRV_STREAM_REQUEST_HANDLER (handler),
                        get_private (self)->max_time_ms);
  srv_event_log_connected (log, handler);
  ok = discard (self, &limit, &n_received, error);
  srv_event_log_disconnected (log, handler, n_received, 0, *error);
  /* A limit is our way of ending a connection, not a failure. */
  if (!ok && (srv_time_limit_is_over (&limit) ||
              g_error_matches (*error, SRV_ERROR, SRV_ERROR_TOO_LONG)))
    {
      g_clear_error (error);
      return TRUE;
    }
  return ok;
}

static void
srv_discard_handler_get_property (GObject *object,
                                  guint id,
                                  GValue *value,
                                  GParamSpec *pspec)
{
  SrvDiscardHandlerPrivate *priv = get_private (SRV_DISCARD_HANDLER (object));

  switch ((SrvDiscardHandlerProperty) id)
    {
    case PROP_MAX_BYTES:
      g_value_set_uint64 (value, priv->max_bytes);
      break;
    case PROP_MAX_TIME:
      g_value_set_uint (value, priv->max_time_ms);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_discard_handler_set_property (GObject *object,
                                  guint id,
                                  const GValue *value,
                                  GParamSpec *pspec)
{
  SrvDiscardHandlerPrivate *priv = get_private (SRV_DISCARD_HANDLER (object));

  switch ((SrvDiscardHandlerProperty) id)
    {
    case PROP_MAX_BYTES:
      priv->max_bytes = g_value_get_uint64 (value);
      break;
    case PROP_MAX_TIME:
      priv->max_time_ms = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_discard_handler_class_init (SrvDiscardHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_discard_handler_handle;
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));
  object_class->get_property = srv_discard_handler_get_property;
  object_class->set_property = srv_discard_handler_set_property;

  /**
   * SrvDiscardHandler:max-bytes:
   *
   * The most bytes that a client may send, 0 for no limit; the default is 1
   * GiB. It is looked at after each read, so up to 4095 bytes more are taken.
   */
  properties[PROP_MAX_BYTES] = g_param_spec_uint64 ("max-bytes", NULL, NULL, 0,
                                                    G_MAXUINT64,
                                                    DEFAULT_MAX_BYTES, flags);
  /**
   * SrvDiscardHandler:max-time:
   *
   * How long a connection may last, in milliseconds, 0 for no limit; the
   * default is 10 minutes.
   */
  properties[PROP_MAX_TIME] = g_param_spec_uint ("max-time", NULL, NULL, 0,
                                                 G_MAXINT, DEFAULT_MAX_TIME_MS,
                                                 flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_discard_handler_init (SrvDiscardHandler *self)
{
  SrvDiscardHandlerPrivate *priv = get_private (self);

  priv->max_bytes = DEFAULT_MAX_BYTES;
  priv->max_time_ms = DEFAULT_MAX_TIME_MS;
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}
