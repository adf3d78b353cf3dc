/* srv-script-handler.c - a dialogue by script
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-script-handler.h"

#include "srv-dialogue-private.h"
#include "srv-script-private.h"

#include <string.h>

#define DEFAULT_MAX_LINE    4096
#define MAX_MAX_LINE        (1024 * 1024)
#define DEFAULT_PAUSE_MS    500
#define DEFAULT_MAX_TIME_MS (60 * 1000)

/**
 * SrvScriptHandler:
 *
 * Speaks with a client by a [struct@SocketServerHandlers.Script]: says lines,
 * waits for lines, and closes when there is no more to say, or when the client
 * says something else than it should. It serves TCP and Unix sockets.
 *
 * A line of the client ends with a newline, with the client's half of the
 * connection, or with a pause, since tutorials' clients send a phrase without
 * an end and wait. It is UTF-8 text. Where a
 * [class@SocketServerHandlers.EventLog] watches the server, the handler reports
 * `connected`, `received` and `sent` for each line, and `disconnected`.
 *
 * ```c
 * static SrvBaseRequestHandler *
 * make_handler (SrvBaseServer *server, SrvRequest *request, gpointer script)
 * {
 *   return g_object_new (SRV_TYPE_SCRIPT_HANDLER, "script", script, NULL);
 * }
 *
 * srv_base_server_set_handler_factory (server, make_handler, script, NULL);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServer.StreamRequestHandler] offers.
 *
 * It is not meant for dialogues that branch: those are handlers of your own.
 *
 * In Python:
 *
 * ```python
 * class ScriptHandler(socketserver.StreamRequestHandler):
 *     def handle(self):
 *         for say, expect in self.script:
 *             self.wfile.write(say)
 *             if self.rfile.readline(4096) != expect:
 *                 break
 * ```
 */
typedef struct
{
  SrvScript *script; /* owned; NULL: nothing is said */
  guint max_line;
  guint max_time_ms; /* 0: no limit */
  guint pause_ms;    /* 0: a pause is no end */
} SrvScriptHandlerPrivate;

typedef enum
{
  PROP_MAX_LINE = 1,
  PROP_MAX_TIME,
  PROP_PAUSE,
  PROP_SCRIPT,
} SrvScriptHandlerProperty;

static GParamSpec *properties[PROP_SCRIPT + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvScriptHandler,
                            srv_script_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvScriptHandlerPrivate *
get_private (SrvScriptHandler *self)
{
  return srv_script_handler_get_instance_private (self);
}

/* END when the client has gone, and when it was refused. */
static SrvDialogueResult
hear (SrvScriptHandler *self,
      SrvDialogue *dialogue,
      const SrvScriptStep *step,
      GError **error)
{
  g_autofree char *line = NULL;
  SrvDialogueResult result =
    srv_dialogue_read (dialogue, get_private (self)->max_time_ms, &line, error);

  if (result != SRV_DIALOGUE_LINE)
    return result;
  srv_dialogue_note (dialogue, line);
  if (step->text == NULL || strcmp (step->text, line) == 0)
    return SRV_DIALOGUE_LINE;
  if (step->refusal != NULL &&
      !srv_dialogue_say (dialogue, error, "%s\n", step->refusal))
    return SRV_DIALOGUE_FAILED;
  return SRV_DIALOGUE_END;
}

static SrvDialogueResult
take_step (SrvScriptHandler *self,
           SrvDialogue *dialogue,
           const SrvScriptStep *step,
           GError **error)
{
  if (step->verb == SRV_SCRIPT_EXPECT)
    return hear (self, dialogue, step, error);
  return srv_dialogue_say (dialogue, error, "%s\n", step->text)
           ? SRV_DIALOGUE_LINE
           : SRV_DIALOGUE_FAILED;
}

static gboolean
srv_script_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvScriptHandler *self = SRV_SCRIPT_HANDLER (handler);
  SrvScriptHandlerPrivate *priv = get_private (self);
  const guint n_steps =
    priv->script != NULL ? srv_script_get_n_steps (priv->script) : 0;
  SrvDialogueResult result = SRV_DIALOGUE_LINE;
  SrvDialogue dialogue = { 0 };

  srv_dialogue_begin (&dialogue, SRV_STREAM_REQUEST_HANDLER (self),
                      priv->max_line, priv->pause_ms, priv->max_time_ms);
  for (guint i = 0; i < n_steps && result == SRV_DIALOGUE_LINE; i++)
    result =
      take_step (self, &dialogue, srv_script_get_step (priv->script, i), error);
  srv_dialogue_end (&dialogue, *error);
  return result != SRV_DIALOGUE_FAILED;
}

static void
srv_script_handler_finalize (GObject *object)
{
  g_clear_pointer (&get_private (SRV_SCRIPT_HANDLER (object))->script,
                   srv_script_unref);
  G_OBJECT_CLASS (srv_script_handler_parent_class)->finalize (object);
}

static void
srv_script_handler_get_property (GObject *object,
                                 guint id,
                                 GValue *value,
                                 GParamSpec *pspec)
{
  SrvScriptHandlerPrivate *priv = get_private (SRV_SCRIPT_HANDLER (object));

  switch ((SrvScriptHandlerProperty) id)
    {
    case PROP_MAX_LINE:
      g_value_set_uint (value, priv->max_line);
      break;
    case PROP_MAX_TIME:
      g_value_set_uint (value, priv->max_time_ms);
      break;
    case PROP_PAUSE:
      g_value_set_uint (value, priv->pause_ms);
      break;
    case PROP_SCRIPT:
      g_value_set_boxed (value, priv->script);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_script_handler_set_property (GObject *object,
                                 guint id,
                                 const GValue *value,
                                 GParamSpec *pspec)
{
  SrvScriptHandlerPrivate *priv = get_private (SRV_SCRIPT_HANDLER (object));

  switch ((SrvScriptHandlerProperty) id)
    {
    case PROP_MAX_LINE:
      priv->max_line = g_value_get_uint (value);
      break;
    case PROP_MAX_TIME:
      priv->max_time_ms = g_value_get_uint (value);
      break;
    case PROP_PAUSE:
      priv->pause_ms = g_value_get_uint (value);
      break;
    case PROP_SCRIPT:
      g_clear_pointer (&priv->script, srv_script_unref);
      priv->script = g_value_dup_boxed (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_script_handler_class_init (SrvScriptHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_script_handler_handle;
  object_class->finalize = srv_script_handler_finalize;
  object_class->get_property = srv_script_handler_get_property;
  object_class->set_property = srv_script_handler_set_property;

  /**
   * SrvScriptHandler:max-line:
   *
   * The longest line of a client, in bytes without its end, 1 to 1 MiB; the
   * default is 4096. Who sends a longer one is cut off.
   */
  properties[PROP_MAX_LINE] = g_param_spec_uint ("max-line", NULL, NULL, 1,
                                                 MAX_MAX_LINE, DEFAULT_MAX_LINE,
                                                 flags);
  /**
   * SrvScriptHandler:max-time:
   *
   * How long a client may take for a line, and to accept one, in milliseconds,
   * 0 for no limit; the default is a minute.
   */
  properties[PROP_MAX_TIME] = g_param_spec_uint ("max-time", NULL, NULL, 0,
                                                 G_MAXINT, DEFAULT_MAX_TIME_MS,
                                                 flags);
  /**
   * SrvScriptHandler:pause:
   *
   * How long a client that has begun must be silent for its line to be whole,
   * in milliseconds; the default is 500. 0 is never.
   */
  properties[PROP_PAUSE] = g_param_spec_uint ("pause", NULL, NULL, 0, G_MAXINT,
                                              DEFAULT_PAUSE_MS, flags);
  /**
   * SrvScriptHandler:script:
   *
   * The handler's side of the dialogue. To be set, as all properties of
   * handlers, before the handler runs: in the `init` of a subclass, or in a
   * [callback@SocketServer.HandlerFactory].
   */
  properties[PROP_SCRIPT] =
    g_param_spec_boxed ("script", NULL, NULL, SRV_TYPE_SCRIPT, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_script_handler_init (SrvScriptHandler *self)
{
  SrvScriptHandlerPrivate *priv = get_private (self);

  priv->max_line = DEFAULT_MAX_LINE;
  priv->max_time_ms = DEFAULT_MAX_TIME_MS;
  priv->pause_ms = DEFAULT_PAUSE_MS;
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}
