/* srv-auth-handler.c - logs its clients in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-auth-handler.h"

#include "srv-auth-session-private.h"
#include "srv-peer-private.h"
#include "srv-secret-private.h"

#define DEFAULT_IDLE_TIME_MS  (10 * 60 * 1000)
#define DEFAULT_LINE_TIME_MS  (30 * 1000)
#define DEFAULT_LOGIN_TIME_MS (60 * 1000)
#define DEFAULT_MAX_FAILURES  3
#define DEFAULT_MAX_LINE      4096
#define MAX_MAX_LINE          65536
#define DEFAULT_PAUSE_MS      500

/**
 * SrvAuthHandler:
 *
 * Logs its clients in, by passwords and then by tokens, with the
 * [class@SocketServerHandlers.AccountStore] of the server. It serves TCP and
 * Unix sockets.
 *
 * ```
 * > login Ada correct%20horse
 * < ok 5gO1nJ0mX1hK9w1nWb0yqfQm2b0i0S3o6b7k7oVd2Qk
 * > whoami
 * < ok Ada
 * ```
 *
 * The header file describes the protocol; with
 * [property@SocketServerHandlers.AuthHandler:tutorial] it is the dialogue of the
 * tutorials. That a name is nobody's cannot be told from a wrong password, by
 * the answer or by its time. Each command looks the session up again: what was
 * revoked is over at once.
 *
 * Passwords are taken over Unix sockets, loopback and TLS only; a subclass lays
 * TLS over the connection in `setup`. Where a
 * [class@SocketServerHandlers.EventLog] watches the server, it is told the
 * commands without what was given to them.
 *
 * You call: [method@SocketServerHandlers.AccountStore.serve] for the server. You
 * may override: what [class@SocketServer.StreamRequestHandler] offers.
 *
 * It is not meant for browsers.
 *
 * In Python: there is no counterpart.
 */
typedef struct
{
  SrvAuthLimits limits;
} SrvAuthHandlerPrivate;

typedef enum
{
  PROP_ALLOW_INSECURE = 1,
  PROP_ALLOW_REGISTER,
  PROP_IDLE_TIME,
  PROP_LINE_TIME,
  PROP_LOGIN_TIME,
  PROP_MAX_FAILURES,
  PROP_MAX_LINE,
  PROP_PAUSE,
  PROP_TUTORIAL,
} SrvAuthHandlerProperty;

static GParamSpec *properties[PROP_TUTORIAL + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvAuthHandler,
                            srv_auth_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvAuthLimits *
get_limits (SrvAuthHandler *self)
{
  SrvAuthHandlerPrivate *priv = srv_auth_handler_get_instance_private (self);

  return &priv->limits;
}

gboolean
srv_auth_session_may_have_passwords (SrvAuthSession *self)
{
  return self->is_private || self->limits->allow_insecure;
}

gboolean
srv_auth_session_read (SrvAuthSession *self,
                       guint max_time_ms,
                       char **line,
                       GError **error)
{
  GError *local = NULL;

  srv_dialogue_read (&self->dialogue, max_time_ms, line, &local);
  if (local == NULL)
    return TRUE;
  if (g_error_matches (local, SRV_ERROR, SRV_ERROR_TOO_LONG) ||
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    {
      g_clear_error (&local);
      return srv_dialogue_say (&self->dialogue, error, "bad command\n");
    }
  g_propagate_error (error, local);
  return FALSE;
}

static gboolean
srv_auth_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *stream = SRV_STREAM_REQUEST_HANDLER (handler);
  const SrvAuthLimits *limits = get_limits (SRV_AUTH_HANDLER (handler));
  g_autofree char *address = srv_peer_dup_key (handler);
  SrvAuthSession session = {
    .limits = limits,
    .store = srv_account_store_for_server (
      srv_base_request_handler_get_server (handler)),
    .address = address,
    .is_private = srv_peer_is_private (stream),
  };
  GError *local = NULL;

  g_return_val_if_fail (session.store != NULL, FALSE);

  srv_dialogue_begin (&session.dialogue, stream, limits->max_line,
                      limits->tutorial ? limits->pause_ms : 0,
                      limits->line_time_ms);
  if (limits->tutorial)
    srv_auth_session_greet (&session, &local);
  else
    srv_auth_session_obey (&session, &local);
  srv_dialogue_end (&session.dialogue, local);
  srv_secret_free (session.token);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

static void
srv_auth_handler_get_property (GObject *object,
                               guint id,
                               GValue *value,
                               GParamSpec *pspec)
{
  SrvAuthLimits *limits = get_limits (SRV_AUTH_HANDLER (object));

  switch ((SrvAuthHandlerProperty) id)
    {
    case PROP_ALLOW_INSECURE:
      g_value_set_boolean (value, limits->allow_insecure);
      break;
    case PROP_ALLOW_REGISTER:
      g_value_set_boolean (value, limits->allow_register);
      break;
    case PROP_IDLE_TIME:
      g_value_set_uint (value, limits->idle_time_ms);
      break;
    case PROP_LINE_TIME:
      g_value_set_uint (value, limits->line_time_ms);
      break;
    case PROP_LOGIN_TIME:
      g_value_set_uint (value, limits->login_time_ms);
      break;
    case PROP_MAX_FAILURES:
      g_value_set_uint (value, limits->max_failures);
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
srv_auth_handler_set_property (GObject *object,
                               guint id,
                               const GValue *value,
                               GParamSpec *pspec)
{
  SrvAuthLimits *limits = get_limits (SRV_AUTH_HANDLER (object));

  switch ((SrvAuthHandlerProperty) id)
    {
    case PROP_ALLOW_INSECURE:
      limits->allow_insecure = g_value_get_boolean (value);
      break;
    case PROP_ALLOW_REGISTER:
      limits->allow_register = g_value_get_boolean (value);
      break;
    case PROP_IDLE_TIME:
      limits->idle_time_ms = g_value_get_uint (value);
      break;
    case PROP_LINE_TIME:
      limits->line_time_ms = g_value_get_uint (value);
      break;
    case PROP_LOGIN_TIME:
      limits->login_time_ms = g_value_get_uint (value);
      break;
    case PROP_MAX_FAILURES:
      limits->max_failures = g_value_get_uint (value);
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

static const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

static void
install_permissions (void)
{
  /**
   * SrvAuthHandler:allow-insecure:
   *
   * Whether passwords and tokens may come over a connection that others could
   * listen to. Without it that is a Unix socket, loopback, or TLS.
   */
  properties[PROP_ALLOW_INSECURE] =
    g_param_spec_boolean ("allow-insecure", NULL, NULL, FALSE, flags);
  /**
   * SrvAuthHandler:allow-register:
   *
   * Whether clients can make accounts; the store limits how many
   * ([property@SocketServerHandlers.AccountStore:registration-limit]).
   */
  properties[PROP_ALLOW_REGISTER] =
    g_param_spec_boolean ("allow-register", NULL, NULL, FALSE, flags);
  /**
   * SrvAuthHandler:tutorial:
   *
   * Whether to talk as the tutorials do.
   */
  properties[PROP_TUTORIAL] =
    g_param_spec_boolean ("tutorial", NULL, NULL, FALSE, flags);
}

static void
install_limits (void)
{
  /**
   * SrvAuthHandler:idle-time:
   *
   * How long a client that is logged in may be silent, in milliseconds, 0 for
   * no limit but that of the server; the default is 10 minutes. A line must be
   * whole in this time.
   */
  properties[PROP_IDLE_TIME] = g_param_spec_uint ("idle-time", NULL, NULL, 0,
                                                  G_MAXINT,
                                                  DEFAULT_IDLE_TIME_MS, flags);
  /**
   * SrvAuthHandler:line-time:
   *
   * In the tutorials' dialogue, and where there is no limit of time for
   * logging in, how long a client may take for a line; everywhere, how long to
   * accept an answer. In milliseconds, 0 for no limit but that of the server;
   * the default is 30 seconds.
   */
  properties[PROP_LINE_TIME] = g_param_spec_uint ("line-time", NULL, NULL, 0,
                                                  G_MAXINT,
                                                  DEFAULT_LINE_TIME_MS, flags);
  /**
   * SrvAuthHandler:login-time:
   *
   * How long a connection may be there without anybody logged in, in
   * milliseconds, 0 for no limit; the default is a minute.
   */
  properties[PROP_LOGIN_TIME] =
    g_param_spec_uint ("login-time", NULL, NULL, 0, G_MAXINT,
                       DEFAULT_LOGIN_TIME_MS, flags);
  /**
   * SrvAuthHandler:max-failures:
   *
   * After how many refused passwords and tokens a connection ends; the default
   * is 3.
   */
  properties[PROP_MAX_FAILURES] =
    g_param_spec_uint ("max-failures", NULL, NULL, 1, G_MAXINT,
                       DEFAULT_MAX_FAILURES, flags);
  /**
   * SrvAuthHandler:max-line:
   *
   * The longest line, in bytes, 1 to 65536; the default is 4096.
   */
  properties[PROP_MAX_LINE] = g_param_spec_uint ("max-line", NULL, NULL, 1,
                                                 MAX_MAX_LINE, DEFAULT_MAX_LINE,
                                                 flags);
  /**
   * SrvAuthHandler:pause:
   *
   * In the tutorials' dialogue, how long a client that has begun must be
   * silent for its line to be whole, in milliseconds; the default is 500. 0 is
   * never.
   */
  properties[PROP_PAUSE] = g_param_spec_uint ("pause", NULL, NULL, 0, G_MAXINT,
                                              DEFAULT_PAUSE_MS, flags);
}

static void
srv_auth_handler_class_init (SrvAuthHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_auth_handler_handle;
  object_class->get_property = srv_auth_handler_get_property;
  object_class->set_property = srv_auth_handler_set_property;
  install_permissions ();
  install_limits ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_auth_handler_init (SrvAuthHandler *self)
{
  *get_limits (self) = (SrvAuthLimits){
    .idle_time_ms = DEFAULT_IDLE_TIME_MS,
    .line_time_ms = DEFAULT_LINE_TIME_MS,
    .login_time_ms = DEFAULT_LOGIN_TIME_MS,
    .max_failures = DEFAULT_MAX_FAILURES,
    .max_line = DEFAULT_MAX_LINE,
    .pause_ms = DEFAULT_PAUSE_MS,
  };
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
  /* Passwords and tokens would stay in these buffers: the dialogue has one of
   * its own, and wipes it. */
  g_object_set (self, "rbufsize", 0, "wbufsize", 0, NULL);
}
