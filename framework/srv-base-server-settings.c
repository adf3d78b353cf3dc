/* srv-base-server-settings.c - what can be asked and set
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server-private.h"
#include "srv-hook-private.h"

#include <unistd.h>

/* Whatever made the handlers so far does it no longer. */
void
srv_base_server_forget_handler (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (priv->handler_destroy != NULL)
    priv->handler_destroy (priv->handler_data);
  priv->handler_destroy = NULL;
  priv->handler_data = NULL;
  priv->factory = NULL;
  priv->function = NULL;
  g_clear_pointer (&priv->handler_class, g_type_class_unref);
}

/* Sets an integer property; the loop reads it when it is needed, so a later
 * change counts. */
static void
set_int (SrvBaseServer *self, int *field, int value, const char *name)
{
  if (*field == value)
    return;
  *field = value;
  g_object_notify (G_OBJECT (self), name);
}

/**
 * srv_base_server_fileno: (virtual fileno)
 * @self: a server
 *
 * Gets the descriptor that the loop waits for. A subclass with another source
 * of requests overrides it.
 *
 * Threads: any. In Python: `fileno()`.
 *
 * Returns: the descriptor, -1 before it is bound and after it is closed
 */
int
srv_base_server_fileno (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), -1);
  return SRV_BASE_SERVER_GET_CLASS (self)->fileno (self);
}

/**
 * srv_base_server_set_handler_type:
 * @self: a server
 * @handler_type: a class derived from
 *   [class@SocketServer.BaseRequestHandler], or %G_TYPE_INVALID for none
 *
 * Sets the class of the handlers; one is made for each request, unless the
 * class says that they are reusable.
 *
 * Threads: before the loop runs. In Python: `RequestHandlerClass`.
 */
void
srv_base_server_set_handler_type (SrvBaseServer *self, GType handler_type)
{
  SrvBaseServerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  /* A property of this kind says "none" by its base type. */
  if (handler_type == G_TYPE_NONE)
    handler_type = G_TYPE_INVALID;
  g_return_if_fail (
    handler_type == G_TYPE_INVALID ||
    (g_type_is_a (handler_type, SRV_TYPE_BASE_REQUEST_HANDLER) &&
     !G_TYPE_IS_ABSTRACT (handler_type)));

  srv_base_server_forget_handler (self);
  priv = srv_base_server_get_private (self);
  if (priv->handler_type == handler_type)
    return;
  priv->handler_type = handler_type;
  g_object_notify (G_OBJECT (self), "handler-type");
}

/**
 * srv_base_server_get_handler_type:
 * @self: a server
 *
 * Gets the class of the handlers.
 *
 * Threads: any.
 *
 * Returns: the class, %G_TYPE_INVALID for none
 */
GType
srv_base_server_get_handler_type (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), G_TYPE_INVALID);
  return srv_base_server_get_private (self)->handler_type;
}

/**
 * srv_base_server_set_handler_factory:
 * @self: a server
 * @factory: (scope notified) (closure user_data) (destroy destroy): makes the
 *   handler for a request
 * @user_data: passed to @factory
 * @destroy: (nullable): frees @user_data
 *
 * Sets a function that makes the handlers, for handlers that need to be given
 * something. It takes the place of the handler type.
 *
 * Threads: before the loop runs; @factory is called wherever the mix-in runs
 * requests. In Python: a callable as `RequestHandlerClass`.
 */
void
srv_base_server_set_handler_factory (SrvBaseServer *self,
                                     SrvHandlerFactory factory,
                                     gpointer user_data,
                                     GDestroyNotify destroy)
{
  SrvBaseServerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (factory != NULL);

  srv_base_server_forget_handler (self);
  priv = srv_base_server_get_private (self);
  priv->factory = factory;
  priv->handler_data = user_data;
  priv->handler_destroy = destroy;
}

/**
 * srv_base_server_set_handler_func:
 * @self: a server
 * @function: (scope notified) (closure user_data) (destroy destroy): serves a
 *   request
 * @user_data: passed to @function
 * @destroy: (nullable): frees @user_data
 *
 * Sets a plain function as the service, for programs of ten lines. It is
 * called from the `handle` of the server's default handler: a
 * [class@SocketServer.StreamRequestHandler] or
 * [class@SocketServer.DatagramRequestHandler].
 *
 * Threads: before the loop runs; @function is called wherever the mix-in runs
 * requests.
 */
void
srv_base_server_set_handler_func (SrvBaseServer *self,
                                  SrvHandlerFunc function,
                                  gpointer user_data,
                                  GDestroyNotify destroy)
{
  SrvBaseServerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (function != NULL);

  srv_base_server_forget_handler (self);
  priv = srv_base_server_get_private (self);
  priv->function = function;
  priv->handler_data = user_data;
  priv->handler_destroy = destroy;
}

/**
 * srv_base_server_set_mix_in:
 * @self: a server
 * @mix_in: (nullable): how requests run at the same time; %NULL for one after
 *   the other
 *
 * Sets the mix-in. A mix-in serves one server.
 *
 * Threads: before the loop runs.
 */
void
srv_base_server_set_mix_in (SrvBaseServer *self, SrvMixIn *mix_in)
{
  SrvBaseServerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (mix_in == NULL || SRV_IS_MIX_IN (mix_in));

  priv = srv_base_server_get_private (self);
  g_return_if_fail (!priv->running);
  if (!g_set_object (&priv->mix_in, mix_in))
    return;
  /* The next run may accept from the server's own socket alone. */
  srv_base_server_drop_twins (self);
  g_object_notify (G_OBJECT (self), "mix-in");
}

/**
 * srv_base_server_get_mix_in:
 * @self: a server
 *
 * Gets the mix-in.
 *
 * Threads: any.
 *
 * Returns: (transfer none) (nullable): the mix-in
 */
SrvMixIn *
srv_base_server_get_mix_in (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), NULL);
  return srv_base_server_get_private (self)->mix_in;
}

/**
 * srv_base_server_get_server_address:
 * @self: a server
 *
 * Gets the address that the socket is or was bound to, with the port that the
 * system has picked if it was asked to.
 *
 * Threads: any. In Python: `server_address`.
 *
 * Returns: (transfer none) (nullable): the address, %NULL before it is bound
 */
GSocketAddress *
srv_base_server_get_server_address (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), NULL);
  return srv_base_server_get_private (self)->server_address;
}

/**
 * srv_base_server_dup_endpoint:
 * @self: a server
 *
 * Gets where the server listens, or did, as an endpoint string that a client
 * can use.
 *
 * Threads: any.
 *
 * Returns: (transfer full) (nullable): the string, %NULL before the socket is
 *   bound
 */
char *
srv_base_server_dup_endpoint (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), NULL);
  return g_strdup (srv_base_server_get_private (self)->bound_endpoint);
}

/**
 * srv_base_server_set_timeout:
 * @self: a server
 * @timeout_ms: milliseconds, -1 for ever
 *
 * Sets how long [method@SocketServer.BaseServer.handle_request] waits.
 *
 * Threads: any. In Python: `timeout`, in seconds.
 */
void
srv_base_server_set_timeout (SrvBaseServer *self, int timeout_ms)
{
  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (timeout_ms >= -1);
  set_int (self, &srv_base_server_get_private (self)->timeout_ms, timeout_ms,
           "timeout");
}

/**
 * srv_base_server_get_timeout:
 * @self: a server
 *
 * Gets how long [method@SocketServer.BaseServer.handle_request] waits.
 *
 * Threads: any.
 *
 * Returns: milliseconds, -1 for ever
 */
int
srv_base_server_get_timeout (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), -1);
  return srv_base_server_get_private (self)->timeout_ms;
}

/**
 * srv_base_server_set_poll_interval:
 * @self: a server
 * @poll_interval_ms: milliseconds, 0 for never
 *
 * Sets how often an idle loop calls `service_actions`.
 *
 * Threads: before the loop runs.
 */
void
srv_base_server_set_poll_interval (SrvBaseServer *self, int poll_interval_ms)
{
  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (poll_interval_ms >= 0);
  set_int (self, &srv_base_server_get_private (self)->poll_interval_ms,
           poll_interval_ms, "poll-interval");
}

/**
 * srv_base_server_get_poll_interval:
 * @self: a server
 *
 * Gets how often an idle loop calls `service_actions`.
 *
 * Threads: any.
 *
 * Returns: milliseconds, 0 for never
 */
int
srv_base_server_get_poll_interval (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), -1);
  return srv_base_server_get_private (self)->poll_interval_ms;
}

/**
 * srv_base_server_set_drain_timeout:
 * @self: a server
 * @drain_timeout_ms: milliseconds, -1 for ever
 *
 * Sets how long a close waits for requests to end by themselves.
 *
 * Threads: any.
 */
void
srv_base_server_set_drain_timeout (SrvBaseServer *self, int drain_timeout_ms)
{
  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (drain_timeout_ms >= -1);
  set_int (self, &srv_base_server_get_private (self)->drain_timeout_ms,
           drain_timeout_ms, "drain-timeout");
}

/**
 * srv_base_server_get_drain_timeout:
 * @self: a server
 *
 * Gets how long a close waits for requests to end by themselves.
 *
 * Threads: any.
 *
 * Returns: milliseconds, -1 for ever
 */
int
srv_base_server_get_drain_timeout (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), -1);
  return srv_base_server_get_private (self)->drain_timeout_ms;
}

/**
 * srv_base_server_set_cut_timeout:
 * @self: a server
 * @cut_timeout_ms: milliseconds
 *
 * Sets how long a close waits for requests that it has cut.
 *
 * Threads: any.
 */
void
srv_base_server_set_cut_timeout (SrvBaseServer *self, int cut_timeout_ms)
{
  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (cut_timeout_ms >= 0);
  set_int (self, &srv_base_server_get_private (self)->cut_timeout_ms,
           cut_timeout_ms, "cut-timeout");
}

/**
 * srv_base_server_get_cut_timeout:
 * @self: a server
 *
 * Gets how long a close waits for requests that it has cut.
 *
 * Threads: any.
 *
 * Returns: milliseconds
 */
int
srv_base_server_get_cut_timeout (SrvBaseServer *self)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), -1);
  return srv_base_server_get_private (self)->cut_timeout_ms;
}

/**
 * srv_base_server_get_n_active_requests:
 * @self: a server
 *
 * Gets how many requests are being served in this process.
 *
 * Threads: any.
 *
 * Returns: the number of requests
 */
guint
srv_base_server_get_n_active_requests (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  guint n;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), 0);

  priv = srv_base_server_get_private (self);
  g_mutex_lock (&priv->lock);
  n = srv_request_set_size (&priv->active);
  g_mutex_unlock (&priv->lock);
  return n;
}

static gboolean
check_state (SrvBaseServer *self,
             SrvServerState expected,
             const char *what,
             GError **error)
{
  SrvServerState state = srv_base_server_get_state (self);

  if (state == expected)
    return TRUE;
  if (state == SRV_SERVER_STATE_CLOSED)
    g_set_error (error, SRV_ERROR, SRV_ERROR_CLOSED,
                 "could not %s the server: it is closed", what);
  else
    g_set_error (error, G_IO_ERROR,
                 state < expected ? G_IO_ERROR_NOT_INITIALIZED
                                  : G_IO_ERROR_EXISTS,
                 "could not %s the server: it is %s", what,
                 state < expected ? "not bound yet" : "already done");
  return FALSE;
}

/**
 * srv_base_server_server_bind: (virtual server_bind)
 * @self: a server
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes the socket and gives it its address. Construction does it unless
 * [property@SocketServer.BaseServer:bind-and-activate] is off.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_HOST_NOT_FOUND and what else the system reports.
 *
 * Threads: one at a time. In Python: `server_bind()`.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_server_bind (SrvBaseServer *self, GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_state (self, SRV_SERVER_STATE_NEW, "bind", error))
    return FALSE;
  ok = SRV_BASE_SERVER_GET_CLASS (self)->server_bind (self, &local);
  if (!srv_hook_check (self, "server_bind", ok, local, error))
    return FALSE;
  srv_base_server_set_state (self, SRV_SERVER_STATE_BOUND);
  return TRUE;
}

/**
 * srv_base_server_server_activate: (virtual server_activate)
 * @self: a server that is bound
 * @error: return location for a [struct@GLib.Error]
 *
 * Lets clients in: from now on they can connect, and wait to be served.
 *
 * Threads: one at a time. In Python: `server_activate()`.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_server_activate (SrvBaseServer *self, GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_state (self, SRV_SERVER_STATE_BOUND, "activate", error))
    return FALSE;
  ok = SRV_BASE_SERVER_GET_CLASS (self)->server_activate (self, &local);
  if (!srv_hook_check (self, "server_activate", ok, local, error))
    return FALSE;
  srv_base_server_set_state (self, SRV_SERVER_STATE_ACTIVE);
  return TRUE;
}
