/* srv-command-handler.c - runs commands for clients
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-command-handler.h"

#include "srv-command-session-private.h"
#include "srv-event-log.h"

/**
 * SrvCommandHandler:
 *
 * Runs commands for clients, one after the other, and sends what they print.
 *
 * What clients may run is said by a
 * [class@SocketServerHandlers.CommandPolicy]; without one, nothing. Who may
 * connect is for the server to say: listen on loopback or on a Unix socket, or
 * lay TLS with client certificates over the connection.
 *
 * The client sends frames of
 * [enum@SocketServerHandlers.CommandFrame]: four bytes of length, the highest
 * first, a byte of type, the payload. The answer to each request is any number
 * of output frames and one exit frame. Output comes as it is printed; a client
 * that does not read makes the command wait. A client keeps its half of the
 * connection open until it has the exit frame; when it does not, it counts as
 * gone.
 *
 * When the client goes, when a limit is reached or the server closes, the
 * command is ended with everything that it has started: `SIGTERM` to its
 * process group, `SIGKILL` after the grace time, and then also to what had left
 * the group. Nothing stays behind, except what a command does that stops or
 * kills its own supervisor; it runs as the same user and can do that.
 *
 * ```c
 * static SrvBaseRequestHandler *
 * make_handler (SrvBaseServer *server, SrvRequest *request, gpointer policy)
 * {
 *   return g_object_new (SRV_TYPE_COMMAND_HANDLER, "policy", policy, NULL);
 * }
 * ```
 *
 * You call: `set_policy`, in a [callback@SocketServer.HandlerFactory] or the
 * `init` of a subclass. It is not meant for terminals: commands have no input.
 *
 * In Python:
 *
 * ```python
 * class CommandHandler(socketserver.StreamRequestHandler):
 *     def handle(self):
 *         while name := self.rfile.readline().decode().strip():
 *             self.wfile.write(subprocess.run(ALLOWED[name], ...).stdout)
 * ```
 */
typedef struct
{
  SrvCommandPolicy *policy; /* owned, nullable */
  gboolean compatible;
} SrvCommandHandlerPrivate;

typedef enum
{
  PROP_POLICY = 1,
  PROP_COMPATIBLE,
} SrvCommandHandlerProperty;

static GParamSpec *properties[PROP_COMPATIBLE + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvCommandHandler,
                            srv_command_handler,
                            SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvCommandHandlerPrivate *
get_private (SrvCommandHandler *self)
{
  return srv_command_handler_get_instance_private (self);
}

static gboolean
srv_command_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvCommandHandlerPrivate *priv = get_private (SRV_COMMAND_HANDLER (handler));
  SrvStreamRequestHandler *stream_handler =
    SRV_STREAM_REQUEST_HANDLER (handler);
  SrvConnection *connection =
    srv_stream_request_handler_get_connection (stream_handler);
  g_autoptr (SrvCommandPolicy) policy = priv->policy != NULL
                                          ? g_object_ref (priv->policy)
                                          : srv_command_policy_new ();
  SrvCommandSession session = {
    .handler = stream_handler,
    .policy = policy,
    .limits = srv_command_policy_get_dialogue_limits (policy),
    .connection = connection,
    .rfile = srv_stream_request_handler_get_rfile (stream_handler),
    .wfile = srv_stream_request_handler_get_wfile (stream_handler),
    .log =
      srv_event_log_for_server (srv_base_request_handler_get_server (handler)),
    .idle_timeout_ms = srv_connection_get_timeout (connection),
  };
  GError *local = NULL;
  gboolean ok;

  if (session.log != NULL)
    srv_event_log_connected (session.log, handler);
  ok = priv->compatible ? srv_command_session_serve_plain (&session, &local)
                        : srv_command_session_serve_frames (&session, &local);
  if (session.log != NULL)
    srv_event_log_disconnected (session.log, handler, session.n_received,
                                session.n_sent, local);
  if (local != NULL)
    g_propagate_error (error, local);
  return ok;
}

static void
srv_command_handler_dispose (GObject *object)
{
  g_clear_object (&get_private (SRV_COMMAND_HANDLER (object))->policy);
  G_OBJECT_CLASS (srv_command_handler_parent_class)->dispose (object);
}

static void
srv_command_handler_get_property (GObject *object,
                                  guint id,
                                  GValue *value,
                                  GParamSpec *pspec)
{
  SrvCommandHandlerPrivate *priv = get_private (SRV_COMMAND_HANDLER (object));

  switch ((SrvCommandHandlerProperty) id)
    {
    case PROP_POLICY:
      g_value_set_object (value, priv->policy);
      break;
    case PROP_COMPATIBLE:
      g_value_set_boolean (value, priv->compatible);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_command_handler_set_property (GObject *object,
                                  guint id,
                                  const GValue *value,
                                  GParamSpec *pspec)
{
  SrvCommandHandler *self = SRV_COMMAND_HANDLER (object);

  switch ((SrvCommandHandlerProperty) id)
    {
    case PROP_POLICY:
      srv_command_handler_set_policy (self, g_value_get_object (value));
      break;
    case PROP_COMPATIBLE:
      srv_command_handler_set_compatible (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_command_handler_class_init (SrvCommandHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose = srv_command_handler_dispose;
  object_class->get_property = srv_command_handler_get_property;
  object_class->set_property = srv_command_handler_set_property;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = srv_command_handler_handle;

  /**
   * SrvCommandHandler:policy: (setter set_policy) (getter get_policy)
   *
   * What clients may run; %NULL for nothing.
   */
  properties[PROP_POLICY] =
    g_param_spec_object ("policy", NULL, NULL, SRV_TYPE_COMMAND_POLICY, flags);
  /**
   * SrvCommandHandler:compatible: (setter set_compatible) (getter get_compatible)
   *
   * Whether to speak without frames: a command is what one read gives (at most
   * 1024 bytes, a single line), the answer its standard output, with its length
   * in decimal digits before it, and a word of the client between the two. It
   * is what a classic tutorial does; the error output and the exit status are
   * lost, and the output is kept in memory.
   */
  properties[PROP_COMPATIBLE] =
    g_param_spec_boolean ("compatible", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_command_handler_init (SrvCommandHandler *self)
{
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}

/**
 * srv_command_handler_set_policy:
 * @self: a handler
 * @policy: (nullable): what clients may run; %NULL for nothing
 *
 * Sets what clients may run, before the handler runs. All handlers of a server
 * can share one policy.
 *
 * Threads: the one that runs the handler.
 */
void
srv_command_handler_set_policy (SrvCommandHandler *self,
                                SrvCommandPolicy *policy)
{
  g_return_if_fail (SRV_IS_COMMAND_HANDLER (self));
  g_return_if_fail (policy == NULL || SRV_IS_COMMAND_POLICY (policy));

  if (g_set_object (&get_private (self)->policy, policy))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_POLICY]);
}

/**
 * srv_command_handler_get_policy:
 * @self: a handler
 *
 * Gets what clients may run.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: (transfer none) (nullable): the policy; %NULL for nothing
 */
SrvCommandPolicy *
srv_command_handler_get_policy (SrvCommandHandler *self)
{
  g_return_val_if_fail (SRV_IS_COMMAND_HANDLER (self), NULL);
  return get_private (self)->policy;
}

/**
 * srv_command_handler_set_compatible:
 * @self: a handler
 * @compatible: whether to speak without frames
 *
 * Sets which dialogue clients speak, before the handler runs.
 *
 * Threads: the one that runs the handler.
 */
void
srv_command_handler_set_compatible (SrvCommandHandler *self,
                                    gboolean compatible)
{
  SrvCommandHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_COMMAND_HANDLER (self));

  priv = get_private (self);
  if (priv->compatible == !!compatible)
    return;
  priv->compatible = !!compatible;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_COMPATIBLE]);
}

/**
 * srv_command_handler_get_compatible:
 * @self: a handler
 *
 * Gets which dialogue clients speak.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: whether it is the one without frames
 */
gboolean
srv_command_handler_get_compatible (SrvCommandHandler *self)
{
  g_return_val_if_fail (SRV_IS_COMMAND_HANDLER (self), FALSE);
  return get_private (self)->compatible;
}
