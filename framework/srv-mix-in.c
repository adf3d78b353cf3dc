/* srv-mix-in.c - how requests run at the same time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-mix-in.h"

#include "srv-base-server.h"
#include "srv-check-private.h"
#include "srv-hook-private.h"
#include "srv-request-set-private.h"

/**
 * SrvMixIn:
 *
 * Decides where the requests of a server run.
 *
 * A mix-in is an object that a server owns:
 *
 * ```c
 * g_autoptr (SrvMixIn) mix_in = srv_threading_mix_in_new ();
 *
 * srv_base_server_set_mix_in (server, mix_in);
 * ```
 *
 * To write one, override `process_request`: start a worker that calls
 * [method@SocketServer.BaseServer.complete_request], between
 * [method@SocketServer.BaseServer.hold] and
 * [method@SocketServer.BaseServer.release]. `drain` waits for the workers when
 * the server is closed, `admits` makes the loop pause while there are too many
 * of them, `fileno` and `service_actions` let the loop wait for something
 * else, and `serve` replaces the loop.
 *
 * Handlers are the same under every mix-in. What a program can notice all the
 * same are properties, which an implementation sets in its class:
 * [property@SocketServer.MixIn:shares-memory],
 * [property@SocketServer.MixIn:stop-from-handler] and
 * [property@SocketServer.MixIn:attachable].
 *
 * In Python: a class that is listed before the server class, `ThreadingMixIn`
 * or `ForkingMixIn`. Listed behind it, it silently does nothing; an object has
 * no such order.
 */
typedef struct
{
  gboolean block_on_close;
} SrvMixInPrivate;

typedef enum
{
  PROP_BLOCK_ON_CLOSE = 1,
  PROP_SHARES_MEMORY,
  PROP_STOP_FROM_HANDLER,
  PROP_ATTACHABLE,
} SrvMixInProperty;

static GParamSpec *properties[PROP_ATTACHABLE + 1];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (SrvMixIn, srv_mix_in, G_TYPE_OBJECT)

static SrvMixInPrivate *
get_private (SrvMixIn *self)
{
  return srv_mix_in_get_instance_private (self);
}

static gboolean
srv_mix_in_real_serve (G_GNUC_UNUSED SrvMixIn *self,
                       SrvBaseServer *server,
                       GError **error)
{
  return srv_base_server_run_loop (server, error);
}

static gboolean
srv_mix_in_real_process_request (SrvMixIn *self,
                                 G_GNUC_UNUSED SrvBaseServer *server,
                                 G_GNUC_UNUSED SrvRequest *request,
                                 GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "%s does not implement process_request",
               G_OBJECT_TYPE_NAME (self));
  return FALSE;
}

static gboolean
srv_mix_in_real_admits (G_GNUC_UNUSED SrvMixIn *self,
                        G_GNUC_UNUSED SrvBaseServer *server)
{
  return TRUE;
}

static int
srv_mix_in_real_fileno (G_GNUC_UNUSED SrvMixIn *self,
                        G_GNUC_UNUSED SrvBaseServer *server)
{
  return -1;
}

static gboolean
srv_mix_in_real_service_actions (G_GNUC_UNUSED SrvMixIn *self,
                                 G_GNUC_UNUSED SrvBaseServer *server,
                                 G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static gboolean
srv_mix_in_real_drain (G_GNUC_UNUSED SrvMixIn *self,
                       SrvBaseServer *server,
                       G_GNUC_UNUSED SrvDrainStep step,
                       gint64 deadline,
                       G_GNUC_UNUSED guint *n_cut)
{
  return srv_base_server_wait_for_requests (server, deadline);
}

static void
srv_mix_in_get_property (GObject *object,
                         guint id,
                         GValue *value,
                         GParamSpec *pspec)
{
  SrvMixIn *self = SRV_MIX_IN (object);

  switch ((SrvMixInProperty) id)
    {
    case PROP_BLOCK_ON_CLOSE:
      g_value_set_boolean (value, srv_mix_in_get_block_on_close (self));
      break;
    case PROP_SHARES_MEMORY:
      g_value_set_boolean (value, srv_mix_in_get_shares_memory (self));
      break;
    case PROP_STOP_FROM_HANDLER:
      g_value_set_boolean (value, srv_mix_in_get_stop_from_handler (self));
      break;
    case PROP_ATTACHABLE:
      g_value_set_boolean (value, srv_mix_in_get_attachable (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_mix_in_set_property (GObject *object,
                         guint id,
                         const GValue *value,
                         GParamSpec *pspec)
{
  SrvMixIn *self = SRV_MIX_IN (object);

  switch ((SrvMixInProperty) id)
    {
    case PROP_BLOCK_ON_CLOSE:
      srv_mix_in_set_block_on_close (self, g_value_get_boolean (value));
      break;
    case PROP_SHARES_MEMORY:
    case PROP_STOP_FROM_HANDLER:
    case PROP_ATTACHABLE:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_mix_in_class_init (SrvMixInClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags answer = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = srv_mix_in_get_property;
  object_class->set_property = srv_mix_in_set_property;
  klass->process_request = srv_mix_in_real_process_request;
  klass->serve = srv_mix_in_real_serve;
  klass->admits = srv_mix_in_real_admits;
  klass->fileno = srv_mix_in_real_fileno;
  klass->service_actions = srv_mix_in_real_service_actions;
  klass->drain = srv_mix_in_real_drain;
  klass->shares_memory = TRUE;
  klass->stop_from_handler = TRUE;
  klass->attachable = TRUE;

  /**
   * SrvMixIn:block-on-close:
   *
   * Whether closing the server waits for the requests that run, with a limit.
   * In Python: `block_on_close`, without one.
   */
  properties[PROP_BLOCK_ON_CLOSE] =
    g_param_spec_boolean ("block-on-close", NULL, NULL, TRUE,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY);
  /**
   * SrvMixIn:shares-memory:
   *
   * Whether handlers see what other handlers, and the program, change in
   * memory. Where they do not, each runs in a process with a copy of the
   * server, and closing the server is for the process that made it.
   */
  properties[PROP_SHARES_MEMORY] =
    g_param_spec_boolean ("shares-memory", NULL, NULL, TRUE, answer);
  /**
   * SrvMixIn:stop-from-handler:
   *
   * Whether [method@SocketServer.BaseServer.stop] stops the server when a
   * handler calls it. Where it does not, the call does nothing but warn.
   */
  properties[PROP_STOP_FROM_HANDLER] =
    g_param_spec_boolean ("stop-from-handler", NULL, NULL, TRUE, answer);
  /**
   * SrvMixIn:attachable:
   *
   * Whether the server can be attached to a main context, and serve one request
   * at a time. Where it cannot,
   * [method@SocketServer.BaseServer.serve_forever] is the only way to serve.
   */
  properties[PROP_ATTACHABLE] =
    g_param_spec_boolean ("attachable", NULL, NULL, TRUE, answer);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_mix_in_init (SrvMixIn *self)
{
  get_private (self)->block_on_close = TRUE;
}

/**
 * srv_mix_in_process_request: (virtual process_request)
 * @self: a mix-in
 * @server: the server that owns it
 * @request: a verified request
 * @error: return location for a [struct@GLib.Error]
 *
 * Starts a worker for a request, or hands it to one. Whoever serves the
 * request takes a reference and calls
 * [method@SocketServer.BaseServer.complete_request].
 *
 * On failure the request has not been touched: the loop reports the error and
 * shuts it down.
 *
 * Threads: the loop's. In Python: `process_request()` of the mix-in.
 *
 * Returns: %TRUE if the request is taken care of, %FALSE with @error set
 *   otherwise
 */
gboolean
srv_mix_in_process_request (SrvMixIn *self,
                            SrvBaseServer *server,
                            SrvRequest *request,
                            GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_MIX_IN (self), FALSE);
  g_return_val_if_fail (SRV_IS_BASE_SERVER (server), FALSE);
  g_return_val_if_fail (srv_is_request (request), FALSE);

  ok = SRV_MIX_IN_GET_CLASS (self)->process_request (self, server, request,
                                                     &local);
  return srv_hook_check (self, "process_request", ok, local, error);
}

/**
 * srv_mix_in_serve: (virtual serve)
 * @self: a mix-in
 * @server: the server that owns it
 * @error: return location for a [struct@GLib.Error]
 *
 * Serves until a stop is asked for. By default it runs
 * [method@SocketServer.BaseServer.run_loop].
 *
 * Threads: the one that called
 * [method@SocketServer.BaseServer.serve_forever].
 *
 * Returns: %TRUE after a stop, %FALSE with @error set otherwise
 */
gboolean
srv_mix_in_serve (SrvMixIn *self, SrvBaseServer *server, GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_MIX_IN (self), FALSE);
  g_return_val_if_fail (SRV_IS_BASE_SERVER (server), FALSE);

  ok = SRV_MIX_IN_GET_CLASS (self)->serve (self, server, &local);
  return srv_hook_check (self, "serve", ok, local, error);
}

/**
 * srv_mix_in_admits: (virtual admits)
 * @self: a mix-in
 * @server: the server that owns it
 *
 * Asks whether one more request can be taken. While it cannot, the loop does
 * not look at the socket, and clients wait in the system's queue. When that
 * changes, the mix-in calls [method@SocketServer.BaseServer.wake].
 *
 * Threads: the loop's.
 *
 * Returns: %TRUE if a request is welcome
 */
gboolean
srv_mix_in_admits (SrvMixIn *self, SrvBaseServer *server)
{
  g_return_val_if_fail (SRV_IS_MIX_IN (self), FALSE);
  return SRV_MIX_IN_GET_CLASS (self)->admits (self, server);
}

/**
 * srv_mix_in_fileno: (virtual fileno)
 * @self: a mix-in
 * @server: the server that owns it
 *
 * Gets a descriptor that the loop shall wait for beside the socket. When it is
 * readable, `service_actions` is called.
 *
 * Threads: the loop's, and the one that closes the server.
 *
 * Returns: a descriptor, -1 for none
 */
int
srv_mix_in_fileno (SrvMixIn *self, SrvBaseServer *server)
{
  g_return_val_if_fail (SRV_IS_MIX_IN (self), -1);
  return SRV_MIX_IN_GET_CLASS (self)->fileno (self, server);
}

/**
 * srv_mix_in_service_actions: (virtual service_actions)
 * @self: a mix-in
 * @server: the server that owns it
 * @error: return location for a [struct@GLib.Error]
 *
 * Does the mix-in's periodic work: after each request, and when its descriptor
 * is ready.
 *
 * Threads: the loop's.
 *
 * Returns: %TRUE, or %FALSE with @error set, which ends the loop
 */
gboolean
srv_mix_in_service_actions (SrvMixIn *self,
                            SrvBaseServer *server,
                            GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_MIX_IN (self), FALSE);

  ok = SRV_MIX_IN_GET_CLASS (self)->service_actions (self, server, &local);
  return srv_hook_check (self, "service_actions", ok, local, error);
}

/**
 * srv_mix_in_drain: (virtual drain)
 * @self: a mix-in
 * @server: the server that owns it, being closed
 * @step: how hard to try
 * @deadline: when to give up, on the clock of [func@GLib.get_monotonic_time];
 *   -1 waits for ever
 * @n_cut: (inout): where to add how many requests were cut beside those that
 *   the server knows of
 *
 * Waits for the workers, but for the one that calls.
 *
 * Threads: the one that closes the server.
 *
 * Returns: %TRUE when no worker is left, %FALSE when the deadline has passed
 */
gboolean
srv_mix_in_drain (SrvMixIn *self,
                  SrvBaseServer *server,
                  SrvDrainStep step,
                  gint64 deadline,
                  guint *n_cut)
{
  g_return_val_if_fail (SRV_IS_MIX_IN (self), TRUE);
  g_return_val_if_fail (n_cut != NULL, TRUE);
  return SRV_MIX_IN_GET_CLASS (self)->drain (self, server, step, deadline,
                                             n_cut);
}

/**
 * srv_mix_in_set_block_on_close:
 * @self: a mix-in
 * @block_on_close: whether to wait
 *
 * Sets whether closing the server waits for the requests that run.
 *
 * Threads: any. In Python: `block_on_close`.
 */
void
srv_mix_in_set_block_on_close (SrvMixIn *self, gboolean block_on_close)
{
  SrvMixInPrivate *priv;

  g_return_if_fail (SRV_IS_MIX_IN (self));

  priv = get_private (self);
  if (priv->block_on_close == !!block_on_close)
    return;
  priv->block_on_close = !!block_on_close;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BLOCK_ON_CLOSE]);
}

/**
 * srv_mix_in_get_block_on_close:
 * @self: a mix-in
 *
 * Gets whether closing the server waits for the requests that run.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it waits
 */
gboolean
srv_mix_in_get_block_on_close (SrvMixIn *self)
{
  g_return_val_if_fail (SRV_IS_MIX_IN (self), TRUE);
  return get_private (self)->block_on_close;
}

/**
 * srv_mix_in_get_shares_memory:
 * @self: a mix-in
 *
 * Asks whether handlers see what others change in memory.
 *
 * Threads: any.
 *
 * Returns: %TRUE if they do
 */
gboolean
srv_mix_in_get_shares_memory (SrvMixIn *self)
{
  g_return_val_if_fail (SRV_IS_MIX_IN (self), TRUE);
  return SRV_MIX_IN_GET_CLASS (self)->shares_memory;
}

/**
 * srv_mix_in_get_stop_from_handler:
 * @self: a mix-in
 *
 * Asks whether a handler can stop the server.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it can
 */
gboolean
srv_mix_in_get_stop_from_handler (SrvMixIn *self)
{
  g_return_val_if_fail (SRV_IS_MIX_IN (self), TRUE);
  return SRV_MIX_IN_GET_CLASS (self)->stop_from_handler;
}

/**
 * srv_mix_in_get_attachable:
 * @self: a mix-in
 *
 * Asks whether the server can be attached to a main context, and serve one
 * request at a time.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it can
 */
gboolean
srv_mix_in_get_attachable (SrvMixIn *self)
{
  g_return_val_if_fail (SRV_IS_MIX_IN (self), TRUE);
  return SRV_MIX_IN_GET_CLASS (self)->attachable;
}
