/* srv-base-request-handler.c - setup, handle, finish
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-request-handler.h"

#include "fiber/srv-fiber-private.h"
#include "srv-base-server-private.h"
#include "srv-hook-private.h"
#include "srv-reuse-private.h"
#include "srv-spawn.h"

/**
 * SrvBaseRequestHandler:
 *
 * Serves one request: `setup`, then `handle`, then `finish`.
 *
 * A handler serves one request. If its class allows it, the handler was made
 * before: it has served another request and forgot that in `reset`, or a forked
 * child has got a copy of it. Construction is cheap and
 * cannot fail; what can fail belongs into `setup`. The three hooks are written
 * in plain blocking style and do not know which mix-in runs them: one class
 * works inline, in threads and in processes.
 *
 * You call: nothing; the server makes and runs handlers. You may override:
 * `setup`, `handle`, `finish`, and `reset` in a class that is reusable (see
 * `srv_base_request_handler_class_set_reusable ()`). Derive from
 * [class@SocketServer.StreamRequestHandler] or
 * [class@SocketServer.DatagramRequestHandler] unless the requests are of your
 * own kind.
 *
 * In Python: `BaseRequestHandler`, whose constructor is the whole life of the
 * handler; here it is [method@SocketServer.BaseRequestHandler.run], because a
 * GObject under construction cannot fail.
 */
typedef struct
{
  SrvRequest *request;   /* owned while it runs */
  SrvBaseServer *server; /* borrowed: it outlives its requests */
  gboolean failed;

  SrvHandlerFunc function; /* instead of `handle`, nullable */
  gpointer user_data;
  GDestroyNotify destroy;
} SrvBaseRequestHandlerPrivate;

typedef enum
{
  PROP_REQUEST = 1,
  PROP_SERVER,
  PROP_CLIENT_ADDRESS,
} SrvBaseRequestHandlerProperty;

static GParamSpec *properties[PROP_CLIENT_ADDRESS + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvBaseRequestHandler,
                            srv_base_request_handler,
                            G_TYPE_OBJECT)

static SrvBaseRequestHandlerPrivate *
get_private (SrvBaseRequestHandler *self)
{
  return srv_base_request_handler_get_instance_private (self);
}

typedef gboolean (*Hook) (SrvBaseRequestHandler *self, GError **error);

static gboolean
call_hook (SrvBaseRequestHandler *self,
           Hook hook,
           const char *name,
           GError **error)
{
  GError *local = NULL;
  gboolean ok = hook (self, &local);

  return srv_hook_check (self, name, ok, local, error);
}

static gboolean
srv_base_request_handler_real_setup (G_GNUC_UNUSED SrvBaseRequestHandler *self,
                                     G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static gboolean
srv_base_request_handler_real_handle (SrvBaseRequestHandler *self,
                                      GError **error)
{
  SrvBaseRequestHandlerPrivate *priv = get_private (self);

  return priv->function == NULL ||
         priv->function (self, priv->user_data, error);
}

static gboolean
srv_base_request_handler_real_finish (G_GNUC_UNUSED SrvBaseRequestHandler *self,
                                      G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
srv_base_request_handler_real_reset (SrvBaseRequestHandler *self)
{
  SrvBaseRequestHandlerPrivate *priv = get_private (self);

  g_clear_object (&priv->request);
  if (priv->function != NULL || priv->destroy != NULL)
    srv_base_request_handler_set_function (self, NULL, NULL, NULL);
  priv->server = NULL;
  priv->failed = FALSE;
}

static void
srv_base_request_handler_dispose (GObject *object)
{
  srv_base_request_handler_real_reset (SRV_BASE_REQUEST_HANDLER (object));
  G_OBJECT_CLASS (srv_base_request_handler_parent_class)->dispose (object);
}

static void
srv_base_request_handler_get_property (GObject *object,
                                       guint id,
                                       GValue *value,
                                       GParamSpec *pspec)
{
  SrvBaseRequestHandler *self = SRV_BASE_REQUEST_HANDLER (object);

  switch ((SrvBaseRequestHandlerProperty) id)
    {
    case PROP_REQUEST:
      g_value_set_object (value, srv_base_request_handler_get_request (self));
      break;
    case PROP_SERVER:
      g_value_set_object (value, srv_base_request_handler_get_server (self));
      break;
    case PROP_CLIENT_ADDRESS:
      g_value_set_object (value,
                          srv_base_request_handler_get_client_address (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_base_request_handler_class_init (SrvBaseRequestHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->dispose = srv_base_request_handler_dispose;
  object_class->get_property = srv_base_request_handler_get_property;
  klass->setup = srv_base_request_handler_real_setup;
  klass->handle = srv_base_request_handler_real_handle;
  klass->finish = srv_base_request_handler_real_finish;
  klass->reset = srv_base_request_handler_real_reset;
  srv_base_request_handler_class_set_reusable (klass);

  /**
   * SrvBaseRequestHandlerClass::reset:
   * @self: the handler
   *
   * Forgets the request, so that the handler is as good as a new one. It is
   * called between two requests of a class that is reusable; chain up.
   *
   * Threads: the one that ran the handler.
   */

  /**
   * SrvBaseRequestHandler:request:
   *
   * The request that is being served. In Python: `self.request`.
   */
  properties[PROP_REQUEST] =
    g_param_spec_object ("request", NULL, NULL, SRV_TYPE_REQUEST, flags);
  /**
   * SrvBaseRequestHandler:server:
   *
   * The server that got the request. In Python: `self.server`.
   */
  properties[PROP_SERVER] =
    g_param_spec_object ("server", NULL, NULL, SRV_TYPE_BASE_SERVER, flags);
  /**
   * SrvBaseRequestHandler:client-address:
   *
   * Who sent the request. In Python: `self.client_address`.
   */
  properties[PROP_CLIENT_ADDRESS] =
    g_param_spec_object ("client-address", NULL, NULL, G_TYPE_SOCKET_ADDRESS,
                         flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_base_request_handler_init (G_GNUC_UNUSED SrvBaseRequestHandler *self)
{
}

/**
 * srv_base_request_handler_class_set_reusable: (skip)
 * @klass: a class of handlers, in its own `class_init`
 *
 * Says that a handler may serve one request after the other: it keeps nothing
 * of a request, or forgets it in `reset`, and leaves nothing to do for its
 * `finalize`, which may come late, and in a forked child never. Servers then
 * spare themselves a new handler for each request. Under
 * [class@SocketServer.ForkingMixIn] the parent makes one, and every child gets a
 * copy: what must differ between requests, or may fail, belongs into `setup`. What a
 * [class@SocketServer.StreamRequestHandler] sets while it runs holds for that
 * request alone.
 *
 * It holds for the class itself and not for classes derived from it, which may
 * keep something of their own. A handler to which somebody holds a reference,
 * or has attached data, is not used again.
 */
void
srv_base_request_handler_class_set_reusable (SrvBaseRequestHandlerClass *klass)
{
  g_return_if_fail (SRV_IS_BASE_REQUEST_HANDLER_CLASS (klass));
  klass->reusable = G_TYPE_FROM_CLASS (klass);
}

gboolean
srv_base_request_handler_class_is_reusable (SrvBaseRequestHandlerClass *klass)
{
  return klass->reusable == G_TYPE_FROM_CLASS (klass);
}

/* Makes a handler that has run as good as a new one. FALSE if it may not run
 * again. */
gboolean
srv_base_request_handler_recycle (SrvBaseRequestHandler *self)
{
  SrvBaseRequestHandlerClass *klass = SRV_BASE_REQUEST_HANDLER_GET_CLASS (self);

  if (!srv_base_request_handler_class_is_reusable (klass) ||
      !srv_is_untouched (self))
    return FALSE;
  klass->reset (self);
  return TRUE;
}

/* Keeps the first error, and what is still worth knowing of the second. */
static void
combine_errors (GError *first, GError *second, GError **error)
{
  if (first != NULL && second != NULL)
    {
      g_autofree char *message = g_strdup_printf ("%s; then finish: %s",
                                                  first->message,
                                                  second->message);

      g_set_error_literal (error, first->domain, first->code, message);
      g_error_free (first);
      g_error_free (second);
    }
  else
    g_propagate_error (error, first != NULL ? first : second);
}

/**
 * srv_base_request_handler_run:
 * @self: a handler that is new, or as good as new
 * @request: the request to serve
 * @server: (nullable): the server that got it; %NULL in tests
 * @error: return location for a [struct@GLib.Error]
 *
 * Runs the whole life of a handler: `setup`, and if that succeeded `handle`
 * and, whatever came of it, `finish`.
 *
 * Fails with the error of the hook that failed. When both `handle` and
 * `finish` fail, the error is that of `handle`, and its message ends with the
 * other one. A hook that fails without a reason gets %SRV_ERROR_FAILED.
 *
 * Threads: any; the hooks run on the calling one. In Python:
 * `BaseRequestHandler.__init__()`.
 *
 * Returns: %TRUE when every hook succeeded, %FALSE with @error set otherwise
 */
gboolean
srv_base_request_handler_run (SrvBaseRequestHandler *self,
                              SrvRequest *request,
                              SrvBaseServer *server,
                              GError **error)
{
  SrvBaseRequestHandlerClass *klass;
  SrvBaseRequestHandlerPrivate *priv;
  GError *first = NULL;
  GError *second = NULL;
  gboolean ok = TRUE;

  g_return_val_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self), FALSE);
  g_return_val_if_fail (srv_is_request (request), FALSE);
  g_return_val_if_fail (server == NULL || SRV_IS_BASE_SERVER (server), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  klass = SRV_BASE_REQUEST_HANDLER_GET_CLASS (self);
  priv = get_private (self);
  g_set_object (&priv->request, request);
  priv->server = server;
  if (srv_task_fiber () != NULL)
    srv_fiber_set_label (G_OBJECT_TYPE_NAME (self));

  if (!call_hook (self, klass->setup, "setup", error))
    {
      srv_spawn_join ();
      priv->failed = TRUE;
      return FALSE;
    }
  priv->failed = !call_hook (self, klass->handle, "handle", &first);
  srv_spawn_join ();
  ok = call_hook (self, klass->finish, "finish", &second) && !priv->failed;
  srv_spawn_join ();
  priv->failed = !ok;
  if (!ok)
    combine_errors (first, second, error);
  return ok;
}

/**
 * srv_base_request_handler_set_function:
 * @self: a handler
 * @function: (nullable) (scope notified) (closure user_data)
 *   (destroy destroy): what to do in `handle`
 * @user_data: passed to @function
 * @destroy: (nullable): frees @user_data
 *
 * Gives a handler without a `handle` of its own a function to call in its
 * place. [method@SocketServer.BaseServer.set_handler_func] does it for each
 * request.
 *
 * Threads: before the handler runs.
 */
void
srv_base_request_handler_set_function (SrvBaseRequestHandler *self,
                                       SrvHandlerFunc function,
                                       gpointer user_data,
                                       GDestroyNotify destroy)
{
  SrvBaseRequestHandlerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self));

  priv = get_private (self);
  if (priv->destroy != NULL)
    priv->destroy (priv->user_data);
  priv->function = function;
  priv->user_data = user_data;
  priv->destroy = destroy;
}

/**
 * srv_base_request_handler_get_request:
 * @self: a handler
 *
 * Gets the request.
 *
 * Threads: the one that runs the handler. In Python: `self.request`.
 *
 * Returns: (transfer none) (nullable): the request, %NULL before it runs
 */
SrvRequest *
srv_base_request_handler_get_request (SrvBaseRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self), NULL);
  return get_private (self)->request;
}

/**
 * srv_base_request_handler_get_server:
 * @self: a handler
 *
 * Gets the server, which is where handlers share state. Several handlers may
 * run at a time; under forking each has a copy of its own.
 *
 * Threads: the one that runs the handler. In Python: `self.server`.
 *
 * Returns: (transfer none) (nullable): the server
 */
SrvBaseServer *
srv_base_request_handler_get_server (SrvBaseRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self), NULL);
  return get_private (self)->server;
}

/**
 * srv_base_request_handler_get_client_address:
 * @self: a handler
 *
 * Gets the address of the client.
 *
 * Threads: the one that runs the handler. In Python: `self.client_address`.
 *
 * Returns: (transfer none) (nullable): the address, %NULL if the client has
 *   none
 */
GSocketAddress *
srv_base_request_handler_get_client_address (SrvBaseRequestHandler *self)
{
  SrvBaseRequestHandlerPrivate *priv;

  g_return_val_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self), NULL);

  priv = get_private (self);
  if (priv->request == NULL)
    return NULL;
  return srv_request_get_client_address (priv->request);
}

/**
 * srv_base_request_handler_get_failed:
 * @self: a handler
 *
 * Tells `finish` whether `handle` has failed.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE after a failure
 */
gboolean
srv_base_request_handler_get_failed (SrvBaseRequestHandler *self)
{
  g_return_val_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self), FALSE);
  return get_private (self)->failed;
}

/**
 * srv_base_request_handler_is_draining:
 * @self: a handler
 *
 * Asks whether the server is about to close and waits for its handlers. A
 * handler that serves one message after the other says good-bye then.
 *
 * Threads: any.
 *
 * Returns: %TRUE once a drain began
 */
gboolean
srv_base_request_handler_is_draining (SrvBaseRequestHandler *self)
{
  SrvBaseServer *server;

  g_return_val_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self), FALSE);

  server = get_private (self)->server;
  return server != NULL && srv_base_server_is_draining (server);
}

/**
 * srv_base_request_handler_get_drain_cancellable:
 * @self: a handler
 *
 * Gets a cancellable that is cancelled when a drain begins, to end waits in
 * which nothing is lost.
 *
 * Threads: any.
 *
 * Returns: (transfer none) (nullable): the cancellable; %NULL without a server
 */
GCancellable *
srv_base_request_handler_get_drain_cancellable (SrvBaseRequestHandler *self)
{
  SrvBaseServer *server;

  g_return_val_if_fail (SRV_IS_BASE_REQUEST_HANDLER (self), NULL);

  server = get_private (self)->server;
  return server != NULL ? srv_base_server_get_drain_cancellable (server) : NULL;
}
