/* srv-identity-handler.c - knows its clients by their addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-identity-handler.h"

#include "srv-account-store.h"
#include "srv-dialogue-private.h"
#include "srv-peer-private.h"

#include <string.h>

#define DEFAULT_LINE_TIME_MS (30 * 1000)
#define DEFAULT_MAX_COMMANDS 100
#define DEFAULT_MAX_LINE     256
#define MAX_MAX_LINE         65536
#define DEFAULT_PAUSE_MS     500

/**
 * SrvIdentityHandler:
 *
 * Knows its clients by their addresses: greets by name whom it knows, and asks
 * the others. The names are in the [class@SocketServerHandlers.AccountStore] of
 * the server. It serves TCP and Unix sockets.
 *
 * ```
 * < unknown
 * > name Ada
 * < named Ada
 * ```
 *
 * The header file describes the protocol; with
 * [property@SocketServerHandlers.IdentityHandler:tutorial] it is the dialogue of
 * the tutorials. An IPv6 address counts with its network of 64 bits, and
 * a user of a Unix socket by number.
 *
 * Where a [class@SocketServerHandlers.EventLog] watches the server, the handler
 * reports `connected`, `received`, `sent` and `disconnected`.
 *
 * You call: [method@SocketServerHandlers.AccountStore.serve] for the server. You
 * may override: what [class@SocketServer.StreamRequestHandler] offers.
 *
 * It is not meant to protect anything: many people share an address. There is
 * [class@SocketServerHandlers.AuthHandler].
 *
 * In Python:
 *
 * ```python
 * class IdentityHandler(socketserver.StreamRequestHandler):
 *     def handle(self):
 *         name = names.get(self.client_address[0])
 *         if not name:
 *             self.wfile.write(b"What is your name?\n")
 *             name = names[self.client_address[0]] = self.rfile.readline(256)
 *         self.wfile.write(b"Hello, " + name)
 * ```
 */
typedef struct
{
  gboolean disclose;
  gboolean tutorial;
  guint line_time_ms;
  guint max_commands;
  guint max_line;
  guint pause_ms;
} SrvIdentityHandlerPrivate;

typedef enum
{
  PROP_DISCLOSE = 1,
  PROP_LINE_TIME,
  PROP_MAX_COMMANDS,
  PROP_MAX_LINE,
  PROP_PAUSE,
  PROP_TUTORIAL,
} SrvIdentityHandlerProperty;

static GParamSpec *properties[PROP_TUTORIAL + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvIdentityHandler,
                            srv_identity_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

/* One connection, for as long as it is served. */
typedef struct
{
  SrvIdentityHandlerPrivate *limits;
  SrvAccountStore *store;
  SrvDialogue dialogue;
  const char *address;
} Session;

static SrvIdentityHandlerPrivate *
get_private (SrvIdentityHandler *self)
{
  return srv_identity_handler_get_instance_private (self);
}

/* That a name is bad is for the client; anything else ends the request. Takes
 * @reason. */
static gboolean
refuse (Session *session, GError *reason, GError **error)
{
  const gboolean is_refusal = reason->domain == SRV_ACCOUNT_ERROR;

  if (!srv_dialogue_say (&session->dialogue, error, "bad %s\n",
                         is_refusal ? reason->message : "the store failed"))
    {
      g_error_free (reason);
      return FALSE;
    }
  if (!is_refusal)
    g_propagate_error (error, reason);
  else
    g_error_free (reason);
  return is_refusal;
}

static gboolean
identify (Session *session, char **name, GError **error)
{
  GError *local = NULL;

  *name = srv_account_store_identify (session->store, session->address, &local);
  return local == NULL || refuse (session, local, error);
}

static gboolean
say_who (Session *session, GError **error)
{
  g_autofree char *name = NULL;

  if (!identify (session, &name, error))
    return FALSE;
  if (name == NULL)
    return srv_dialogue_say (&session->dialogue, error, "unknown\n");
  if (!session->limits->disclose)
    return srv_dialogue_say (&session->dialogue, error, "known\n");
  return srv_dialogue_say (&session->dialogue, error, "known %s\n", name);
}

static gboolean
take_name (Session *session,
           const char *name,
           const char *answer,
           const char *end,
           GError **error)
{
  GError *local = NULL;
  g_autofree char *stored = srv_account_store_name_address (session->store,
                                                            session->address,
                                                            name, &local);

  if (stored == NULL)
    return refuse (session, local, error);
  return srv_dialogue_say (&session->dialogue, error, "%s%s%s\n", answer,
                           stored, end);
}

static gboolean
forget (Session *session, GError **error)
{
  GError *local = NULL;

  if (!srv_account_store_forget_address (session->store, session->address,
                                         &local))
    return refuse (session, local, error);
  return srv_dialogue_say (&session->dialogue, error, "forgotten\n");
}

/* A line, or END; for what is no line there is an answer, and then the end. */
static SrvDialogueResult
read_line (Session *session, char **line, GError **error)
{
  GError *local = NULL;
  SrvDialogueResult result = srv_dialogue_read (&session->dialogue,
                                                session->limits->line_time_ms,
                                                line, &local);

  if (result == SRV_DIALOGUE_LINE)
    srv_dialogue_note (&session->dialogue, *line);
  if (g_error_matches (local, SRV_ERROR, SRV_ERROR_TOO_LONG) ||
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    {
      result =
        srv_dialogue_say (&session->dialogue, error, "bad %s\n", local->message)
          ? SRV_DIALOGUE_END
          : SRV_DIALOGUE_FAILED;
      g_clear_error (&local);
    }
  if (local != NULL)
    g_propagate_error (error, local);
  return result;
}

/* *GOES_ON: whether another command may follow. */
static gboolean
obey (Session *session, const char *line, gboolean *goes_on, GError **error)
{
  if (g_str_has_prefix (line, "name "))
    return take_name (session, line + strlen ("name "), "named ", "", error);
  if (strcmp (line, "forget") == 0)
    return forget (session, error);
  if (strcmp (line, "who") == 0)
    return say_who (session, error);
  if (strcmp (line, "quit") != 0)
    return srv_dialogue_say (&session->dialogue, error,
                             "bad there are name, forget, who and quit\n");
  *goes_on = FALSE;
  return srv_dialogue_say (&session->dialogue, error, "bye\n");
}

static gboolean
converse (Session *session, GError **error)
{
  gboolean goes_on = TRUE;

  if (!say_who (session, error))
    return FALSE;
  for (guint n = 0; goes_on && n < session->limits->max_commands; n++)
    {
      g_autofree char *line = NULL;
      SrvDialogueResult result = read_line (session, &line, error);

      if (result != SRV_DIALOGUE_LINE)
        return result == SRV_DIALOGUE_END;
      if (!obey (session, line, &goes_on, error))
        return FALSE;
    }
  return TRUE;
}

/* The tutorials' dialogue. */
static gboolean
greet (Session *session, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *line = NULL;
  SrvDialogueResult result;

  if (!identify (session, &name, error))
    return FALSE;
  if (name != NULL)
    return srv_dialogue_say (&session->dialogue, error, "Hello, %s!\n", name);
  if (!srv_dialogue_say (&session->dialogue, error, "What is your name?\n"))
    return FALSE;
  result = read_line (session, &line, error);
  if (result != SRV_DIALOGUE_LINE)
    return result == SRV_DIALOGUE_END;
  return take_name (session, line, "Nice to meet you, ", "!", error);
}

static gboolean
srv_identity_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvIdentityHandlerPrivate *limits =
    get_private (SRV_IDENTITY_HANDLER (handler));
  g_autofree char *address = srv_peer_dup_key (handler);
  Session session = {
    .limits = limits,
    .store = srv_account_store_for_server (
      srv_base_request_handler_get_server (handler)),
    .address = address,
  };
  GError *local = NULL;

  g_return_val_if_fail (session.store != NULL, FALSE);

  srv_dialogue_begin (&session.dialogue, SRV_STREAM_REQUEST_HANDLER (handler),
                      limits->max_line,
                      limits->tutorial ? limits->pause_ms : 0);
  if (limits->tutorial)
    greet (&session, &local);
  else
    converse (&session, &local);
  srv_dialogue_end (&session.dialogue, local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

static void
srv_identity_handler_get_property (GObject *object,
                                   guint id,
                                   GValue *value,
                                   GParamSpec *pspec)
{
  SrvIdentityHandlerPrivate *priv = get_private (SRV_IDENTITY_HANDLER (object));

  switch ((SrvIdentityHandlerProperty) id)
    {
    case PROP_DISCLOSE:
      g_value_set_boolean (value, priv->disclose);
      break;
    case PROP_LINE_TIME:
      g_value_set_uint (value, priv->line_time_ms);
      break;
    case PROP_MAX_COMMANDS:
      g_value_set_uint (value, priv->max_commands);
      break;
    case PROP_MAX_LINE:
      g_value_set_uint (value, priv->max_line);
      break;
    case PROP_PAUSE:
      g_value_set_uint (value, priv->pause_ms);
      break;
    case PROP_TUTORIAL:
      g_value_set_boolean (value, priv->tutorial);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_identity_handler_set_property (GObject *object,
                                   guint id,
                                   const GValue *value,
                                   GParamSpec *pspec)
{
  SrvIdentityHandlerPrivate *priv = get_private (SRV_IDENTITY_HANDLER (object));

  switch ((SrvIdentityHandlerProperty) id)
    {
    case PROP_DISCLOSE:
      priv->disclose = g_value_get_boolean (value);
      break;
    case PROP_LINE_TIME:
      priv->line_time_ms = g_value_get_uint (value);
      break;
    case PROP_MAX_COMMANDS:
      priv->max_commands = g_value_get_uint (value);
      break;
    case PROP_MAX_LINE:
      priv->max_line = g_value_get_uint (value);
      break;
    case PROP_PAUSE:
      priv->pause_ms = g_value_get_uint (value);
      break;
    case PROP_TUTORIAL:
      priv->tutorial = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * SrvIdentityHandler:disclose:
   *
   * Whether a client that has said nothing yet is told the name of its address.
   * Its neighbours behind the same router would be told, too; so the default is
   * not to.
   */
  properties[PROP_DISCLOSE] =
    g_param_spec_boolean ("disclose", NULL, NULL, FALSE, flags);
  /**
   * SrvIdentityHandler:line-time:
   *
   * How long a client may take for a line, in milliseconds, 0 for no limit but
   * that of the server; the default is 30 seconds.
   */
  properties[PROP_LINE_TIME] = g_param_spec_uint ("line-time", NULL, NULL, 0,
                                                  G_MAXINT,
                                                  DEFAULT_LINE_TIME_MS, flags);
  /**
   * SrvIdentityHandler:max-commands:
   *
   * How many commands a connection may bring; the default is 100.
   */
  properties[PROP_MAX_COMMANDS] =
    g_param_spec_uint ("max-commands", NULL, NULL, 1, G_MAXINT,
                       DEFAULT_MAX_COMMANDS, flags);
  /**
   * SrvIdentityHandler:max-line:
   *
   * The longest line, in bytes, 1 to 65536; the default is 256.
   */
  properties[PROP_MAX_LINE] = g_param_spec_uint ("max-line", NULL, NULL, 1,
                                                 MAX_MAX_LINE, DEFAULT_MAX_LINE,
                                                 flags);
  /**
   * SrvIdentityHandler:pause:
   *
   * In the tutorials' dialogue, how long a client that has begun must be silent
   * for its line to be whole, in milliseconds; the default is 500. 0 is never.
   */
  properties[PROP_PAUSE] = g_param_spec_uint ("pause", NULL, NULL, 0, G_MAXINT,
                                              DEFAULT_PAUSE_MS, flags);
  /**
   * SrvIdentityHandler:tutorial:
   *
   * Whether to talk as the tutorials do. Names are told then, whatever
   * [property@SocketServerHandlers.IdentityHandler:disclose] says.
   */
  properties[PROP_TUTORIAL] =
    g_param_spec_boolean ("tutorial", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (klass, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_identity_handler_class_init (SrvIdentityHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_identity_handler_handle;
  object_class->get_property = srv_identity_handler_get_property;
  object_class->set_property = srv_identity_handler_set_property;
  install_properties (object_class);
}

static void
srv_identity_handler_init (SrvIdentityHandler *self)
{
  SrvIdentityHandlerPrivate *priv = get_private (self);

  priv->line_time_ms = DEFAULT_LINE_TIME_MS;
  priv->max_commands = DEFAULT_MAX_COMMANDS;
  priv->max_line = DEFAULT_MAX_LINE;
  priv->pause_ms = DEFAULT_PAUSE_MS;
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}
