/* srv-chargen-handler.c - sends characters without end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chargen-handler.h"

#include "srv-event-log.h"
#include "srv-time-limit-private.h"

#define FIRST_CHARACTER     ' '
#define N_CHARACTERS        95 /* the printing ones of ASCII, with the space */
#define LINE_LENGTH         72 /* without CR LF */
#define DEFAULT_MAX_BYTES   (1024 * 1024)
#define DEFAULT_MAX_TIME_MS (60 * 1000)

/* Every line begins one character later than the one before it, so after as
 * many lines as there are characters all begins anew. */
#define PATTERN_LENGTH (N_CHARACTERS * (LINE_LENGTH + 2))

/**
 * SrvChargenHandler:
 *
 * Sends lines of characters, as RFC 864 has it, for as long as the client wants
 * them. It serves TCP and Unix sockets, and never reads.
 *
 * It ends after [property@SocketServerHandlers.ChargenHandler:max-bytes], after
 * [property@SocketServerHandlers.ChargenHandler:max-time], when the client
 * hangs up, and when the server closes. Where a
 * [class@SocketServerHandlers.EventLog] watches the server, the handler reports
 * `connected`, `sent` and `disconnected`.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_threading_tcp_server_new ("::", 19, SRV_TYPE_CHARGEN_HANDLER, &error);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServer.StreamRequestHandler] offers.
 *
 * There is no such handler for datagrams, on purpose: a question of one byte
 * from a forged sender would have a stranger flooded.
 *
 * In Python:
 *
 * ```python
 * class ChargenHandler(socketserver.StreamRequestHandler):
 *     def handle(self):
 *         ring = bytes(range(32, 127)) * 2
 *         for first in itertools.cycle(range(95)):
 *             self.wfile.write(ring[first:first + 72] + b"\r\n")
 * ```
 */
typedef struct
{
  guint64 max_bytes; /* 0: no limit */
  guint max_time_ms; /* 0: no limit */
} SrvChargenHandlerPrivate;

typedef enum
{
  PROP_MAX_BYTES = 1,
  PROP_MAX_TIME,
} SrvChargenHandlerProperty;

static GParamSpec *properties[PROP_MAX_TIME + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvChargenHandler,
                            srv_chargen_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvChargenHandlerPrivate *
get_private (SrvChargenHandler *self)
{
  return srv_chargen_handler_get_instance_private (self);
}

static char *
make_pattern (void)
{
  char *pattern = g_malloc (PATTERN_LENGTH);
  char *end = pattern;

  for (int line = 0; line < N_CHARACTERS; line++)
    {
      for (int i = 0; i < LINE_LENGTH; i++)
        *end++ = (char) (FIRST_CHARACTER + (line + i) % N_CHARACTERS);
      *end++ = '\r';
      *end++ = '\n';
    }
  return pattern;
}

/* How much of the next pattern may go; 0 at the end. */
static gsize
next_length (SrvChargenHandler *self, const SrvTimeLimit *limit, guint64 n_sent)
{
  const guint64 max_bytes = get_private (self)->max_bytes;

  if (srv_time_limit_is_over (limit) ||
      srv_base_request_handler_is_draining (SRV_BASE_REQUEST_HANDLER (self)))
    return 0;
  if (max_bytes == 0)
    return PATTERN_LENGTH;
  return (gsize) MIN (max_bytes - n_sent, PATTERN_LENGTH);
}

static gboolean
send_patterns (SrvChargenHandler *self,
               SrvTimeLimit *limit,
               guint64 *n_sent,
               GError **error)
{
  SrvBaseRequestHandler *handler = SRV_BASE_REQUEST_HANDLER (self);
  SrvWriter *wfile =
    srv_stream_request_handler_get_wfile (SRV_STREAM_REQUEST_HANDLER (self));
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  g_autofree char *pattern = make_pattern ();
  gsize length;

  while ((length = next_length (self, limit, *n_sent)) > 0)
    {
      if (!srv_time_limit_apply (limit, 0, error) ||
          !srv_writer_write (wfile, pattern, length, error) ||
          !srv_writer_flush (wfile, error))
        return FALSE;
      *n_sent += length;
      srv_event_log_sent (log, handler, length);
    }
  return TRUE;
}

static gboolean
srv_chargen_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvChargenHandler *self = SRV_CHARGEN_HANDLER (handler);
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  guint64 n_sent = 0;
  SrvTimeLimit limit;
  gboolean ok;

  srv_time_limit_begin (&limit, SRV_STREAM_REQUEST_HANDLER (handler),
                        get_private (self)->max_time_ms);
  srv_event_log_connected (log, handler);
  ok = send_patterns (self, &limit, &n_sent, error);
  srv_event_log_disconnected (log, handler, 0, n_sent, *error);
  /* A client that has stopped reading: the time is over all the same. */
  if (!ok && srv_time_limit_is_over (&limit))
    {
      g_clear_error (error);
      return TRUE;
    }
  return ok;
}

static void
srv_chargen_handler_get_property (GObject *object,
                                  guint id,
                                  GValue *value,
                                  GParamSpec *pspec)
{
  SrvChargenHandlerPrivate *priv = get_private (SRV_CHARGEN_HANDLER (object));

  switch ((SrvChargenHandlerProperty) id)
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
srv_chargen_handler_set_property (GObject *object,
                                  guint id,
                                  const GValue *value,
                                  GParamSpec *pspec)
{
  SrvChargenHandlerPrivate *priv = get_private (SRV_CHARGEN_HANDLER (object));

  switch ((SrvChargenHandlerProperty) id)
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
srv_chargen_handler_class_init (SrvChargenHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_chargen_handler_handle;
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));
  object_class->get_property = srv_chargen_handler_get_property;
  object_class->set_property = srv_chargen_handler_set_property;

  /**
   * SrvChargenHandler:max-bytes:
   *
   * How many bytes a client gets at most, 0 for no limit; the default is 1
   * MiB.
   */
  properties[PROP_MAX_BYTES] = g_param_spec_uint64 ("max-bytes", NULL, NULL, 0,
                                                    G_MAXUINT64,
                                                    DEFAULT_MAX_BYTES, flags);
  /**
   * SrvChargenHandler:max-time:
   *
   * How long a connection may last, in milliseconds, 0 for no limit; the
   * default is one minute.
   */
  properties[PROP_MAX_TIME] = g_param_spec_uint ("max-time", NULL, NULL, 0,
                                                 G_MAXINT, DEFAULT_MAX_TIME_MS,
                                                 flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_chargen_handler_init (SrvChargenHandler *self)
{
  SrvChargenHandlerPrivate *priv = get_private (self);

  priv->max_bytes = DEFAULT_MAX_BYTES;
  priv->max_time_ms = DEFAULT_MAX_TIME_MS;
}
