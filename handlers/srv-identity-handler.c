/* srv-identity-handler.c - knows its clients by their addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-identity-handler.h"

#include "srv-identity-session-private.h"
#include "srv-peer-private.h"

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
  SrvIdentityLimits limits;
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

static SrvIdentityLimits *
get_limits (SrvIdentityHandler *self)
{
  SrvIdentityHandlerPrivate *priv =
    srv_identity_handler_get_instance_private (self);

  return &priv->limits;
}

static gboolean
srv_identity_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  const SrvIdentityLimits *limits = get_limits (SRV_IDENTITY_HANDLER (handler));
  g_autofree char *address = srv_peer_dup_key (handler);
  SrvIdentitySession session = {
    .limits = limits,
    .store = srv_account_store_for_server (
      srv_base_request_handler_get_server (handler)),
    .address = address,
  };
  GError *local = NULL;

  g_return_val_if_fail (session.store != NULL, FALSE);

  srv_dialogue_begin (&session.dialogue, SRV_STREAM_REQUEST_HANDLER (handler),
                      limits->max_line, limits->tutorial ? limits->pause_ms : 0,
                      limits->line_time_ms);
  if (limits->tutorial)
    srv_identity_session_greet (&session, &local);
  else
    srv_identity_session_obey (&session, &local);
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
  SrvIdentityLimits *limits = get_limits (SRV_IDENTITY_HANDLER (object));

  switch ((SrvIdentityHandlerProperty) id)
    {
    case PROP_DISCLOSE:
      g_value_set_boolean (value, limits->disclose);
      break;
    case PROP_LINE_TIME:
      g_value_set_uint (value, limits->line_time_ms);
      break;
    case PROP_MAX_COMMANDS:
      g_value_set_uint (value, limits->max_commands);
      break;
    case PROP_MAX_LINE:
      g_value_set_uint (value, limits->max_line);
      break;
    case PROP_PAUSE:
      g_value_set_uint (value, limits->pause_ms);
      break;
    case PROP_TUTORIAL:
      g_value_set_boolean (value, limits->tutorial);
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
  SrvIdentityLimits *limits = get_limits (SRV_IDENTITY_HANDLER (object));

  switch ((SrvIdentityHandlerProperty) id)
    {
    case PROP_DISCLOSE:
      limits->disclose = g_value_get_boolean (value);
      break;
    case PROP_LINE_TIME:
      limits->line_time_ms = g_value_get_uint (value);
      break;
    case PROP_MAX_COMMANDS:
      limits->max_commands = g_value_get_uint (value);
      break;
    case PROP_MAX_LINE:
      limits->max_line = g_value_get_uint (value);
      break;
    case PROP_PAUSE:
      limits->pause_ms = g_value_get_uint (value);
      break;
    case PROP_TUTORIAL:
      limits->tutorial = g_value_get_boolean (value);
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
   * How long a client may take for a line, and to accept an answer, in
   * milliseconds, 0 for no limit but that of the server; the default is 30
   * seconds.
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
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));
  object_class->get_property = srv_identity_handler_get_property;
  object_class->set_property = srv_identity_handler_set_property;
  install_properties (object_class);
}

static void
srv_identity_handler_init (SrvIdentityHandler *self)
{
  SrvIdentityLimits *limits = get_limits (self);

  limits->line_time_ms = DEFAULT_LINE_TIME_MS;
  limits->max_commands = DEFAULT_MAX_COMMANDS;
  limits->max_line = DEFAULT_MAX_LINE;
  limits->pause_ms = DEFAULT_PAUSE_MS;
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}
