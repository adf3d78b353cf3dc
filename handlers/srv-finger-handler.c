/* srv-finger-handler.c - one line asked, a text answered
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-finger-handler.h"

#include "srv-dialogue-private.h"

#include <string.h>

#define DEFAULT_MAX_TIME_MS (10 * 1000)
#define MAX_QUESTION        512
#define NO_FORWARDING       "Questions are not passed on.\r\n"
#define NOBODY              "There is nobody of that name.\r\n"

/**
 * SrvFingerHandler:
 *
 * Answers one question, after RFC 1288: with the text that is kept for a name,
 * or with all names for an empty line. It serves TCP and Unix sockets.
 *
 * The shortest protocol of a question and an answer, and an example for others
 * of its kind. The question is a line of at most 512 bytes. The word `/W` before
 * a name, which asks for more, makes no difference; a question that shall be
 * passed on to another host is refused. Where a
 * [class@SocketServerHandlers.EventLog] watches the server, the handler reports
 * `connected`, `received`, `sent` and `disconnected`.
 *
 * ```c
 * GHashTable *plans =
 *   g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
 *
 * g_hash_table_insert (plans, g_strdup ("ada"), g_strdup ("I write programs."));
 * return g_object_new (SRV_TYPE_FINGER_HANDLER, "plans", plans, NULL);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServer.StreamRequestHandler] offers.
 *
 * It is not meant to tell strangers who is logged in: it knows nothing but what
 * it was given.
 *
 * In Python:
 *
 * ```python
 * class FingerHandler(socketserver.StreamRequestHandler):
 *     def handle(self):
 *         name = self.rfile.readline(514).decode().strip()
 *         self.wfile.write(self.plans.get(name, "Nobody.\r\n").encode())
 * ```
 */
typedef struct
{
  GHashTable *plans; /* of char by char; owned; NULL: nobody is known */
  guint max_time_ms; /* 0: no limit */
} SrvFingerHandlerPrivate;

typedef enum
{
  PROP_MAX_TIME = 1,
  PROP_PLANS,
} SrvFingerHandlerProperty;

static GParamSpec *properties[PROP_PLANS + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvFingerHandler,
                            srv_finger_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvFingerHandlerPrivate *
get_private (SrvFingerHandler *self)
{
  return srv_finger_handler_get_instance_private (self);
}

/* Lines end with CR LF on the wire, however they were kept. */
static void
append_text (GString *answer, const char *text)
{
  for (; *text != '\0'; text++)
    {
      if (*text == '\n')
        g_string_append_c (answer, '\r');
      if (*text != '\r')
        g_string_append_c (answer, *text);
    }
  if (answer->len > 0 && answer->str[answer->len - 1] != '\n')
    g_string_append (answer, "\r\n");
}

static void
append_names (GString *answer, GHashTable *plans)
{
  g_autoptr (GList) names = g_hash_table_get_keys (plans);

  names = g_list_sort (names, (GCompareFunc) strcmp);
  for (GList *name = names; name != NULL; name = name->next)
    append_text (answer, name->data);
}

/* Without the wish for more, which is a word of its own. */
static char *
name_in (const char *question)
{
  const gboolean wants_more = g_str_has_prefix (question, "/W") &&
                              (question[2] == ' ' || question[2] == '\0');

  return g_strstrip (g_strdup (wants_more ? question + 2 : question));
}

/* What was asked is never part of the answer. */
static char *
answer_to (SrvFingerHandler *self, const char *question)
{
  GHashTable *plans = get_private (self)->plans;
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autofree char *name = name_in (question);
  const char *plan;

  if (strchr (name, '@') != NULL)
    return g_strdup (NO_FORWARDING);
  if (plans == NULL)
    return g_strdup (NOBODY);
  plan = g_hash_table_lookup (plans, name);
  if (*name == '\0')
    append_names (answer, plans);
  else
    append_text (answer, plan != NULL ? plan : NOBODY);
  return g_string_free (g_steal_pointer (&answer), FALSE);
}

static SrvDialogueResult
answer (SrvFingerHandler *self, SrvDialogue *dialogue, GError **error)
{
  g_autofree char *question = NULL;
  g_autofree char *text = NULL;
  SrvDialogueResult result = srv_dialogue_read (dialogue,
                                                get_private (self)->max_time_ms,
                                                &question, error);

  if (result != SRV_DIALOGUE_LINE)
    return result;
  srv_dialogue_note (dialogue, question);
  text = answer_to (self, question);
  return srv_dialogue_say (dialogue, error, "%s", text) ? SRV_DIALOGUE_END
                                                        : SRV_DIALOGUE_FAILED;
}

static gboolean
srv_finger_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvFingerHandler *self = SRV_FINGER_HANDLER (handler);
  SrvDialogue dialogue = { 0 };
  SrvDialogueResult result;

  srv_dialogue_begin (&dialogue, SRV_STREAM_REQUEST_HANDLER (self),
                      MAX_QUESTION, 0, get_private (self)->max_time_ms);
  result = answer (self, &dialogue, error);
  srv_dialogue_end (&dialogue, *error);
  return result != SRV_DIALOGUE_FAILED;
}

static void
srv_finger_handler_finalize (GObject *object)
{
  g_clear_pointer (&get_private (SRV_FINGER_HANDLER (object))->plans,
                   g_hash_table_unref);
  G_OBJECT_CLASS (srv_finger_handler_parent_class)->finalize (object);
}

static void
srv_finger_handler_get_property (GObject *object,
                                 guint id,
                                 GValue *value,
                                 GParamSpec *pspec)
{
  SrvFingerHandlerPrivate *priv = get_private (SRV_FINGER_HANDLER (object));

  switch ((SrvFingerHandlerProperty) id)
    {
    case PROP_MAX_TIME:
      g_value_set_uint (value, priv->max_time_ms);
      break;
    case PROP_PLANS:
      g_value_set_boxed (value, priv->plans);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_finger_handler_set_property (GObject *object,
                                 guint id,
                                 const GValue *value,
                                 GParamSpec *pspec)
{
  SrvFingerHandlerPrivate *priv = get_private (SRV_FINGER_HANDLER (object));

  switch ((SrvFingerHandlerProperty) id)
    {
    case PROP_MAX_TIME:
      priv->max_time_ms = g_value_get_uint (value);
      break;
    case PROP_PLANS:
      g_clear_pointer (&priv->plans, g_hash_table_unref);
      priv->plans = g_value_dup_boxed (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_finger_handler_class_init (SrvFingerHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_finger_handler_handle;
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));
  object_class->finalize = srv_finger_handler_finalize;
  object_class->get_property = srv_finger_handler_get_property;
  object_class->set_property = srv_finger_handler_set_property;

  /**
   * SrvFingerHandler:max-time:
   *
   * How long a client may take for its question, and to accept the answer, in
   * milliseconds, 0 for no limit; the default is 10 seconds. To be set, as all
   * properties of handlers, before the handler runs: in the `init` of a
   * subclass, or in a [callback@SocketServer.HandlerFactory].
   */
  properties[PROP_MAX_TIME] = g_param_spec_uint ("max-time", NULL, NULL, 0,
                                                 G_MAXINT, DEFAULT_MAX_TIME_MS,
                                                 flags);
  /**
   * SrvFingerHandler:plans: (type GHashTable(utf8,utf8))
   *
   * The texts by their names, none of them empty. Handlers share the table, so
   * it may not change while they run.
   */
  properties[PROP_PLANS] =
    g_param_spec_boxed ("plans", NULL, NULL, G_TYPE_HASH_TABLE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_finger_handler_init (SrvFingerHandler *self)
{
  get_private (self)->max_time_ms = DEFAULT_MAX_TIME_MS;
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}
