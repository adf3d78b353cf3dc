/* srv-base-server.c - the class: hooks, properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server.h"

#include "srv-base-server-private.h"
#include "srv-errno-private.h"
#include "srv-hook-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/**
 * SrvBaseServer:
 *
 * A source of requests, and the loop that serves them.
 *
 * The kind of socket is the subclass's business, the way in which requests
 * run at the same time that of the mix-in, and the service that of the
 * handler. Without a mix-in, requests are served one after the other.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_threading_tcp_server_new ("127.0.0.1", 9999, MY_TYPE_HANDLER, &error);
 *
 * if (server != NULL)
 *   srv_base_server_serve_forever (server, &error);
 * ```
 *
 * You call: `serve_forever`, `handle_request`, `attach`, `shutdown`, `stop`,
 * `server_close`. You may override: the hooks, which have Python's names;
 * `verify_request` and `handle_error` are the ones that services need. For
 * subclasses with sockets of their own: `server_bind`, `server_activate`,
 * `get_request`, `fileno`, `server_close`.
 *
 * A request passes `get_request`, `verify_request`, `process_request`,
 * `finish_request`, `shutdown_request` and `close_request`, in this order.
 *
 * The class is a [iface@Gio.Initable], because binding can fail: make servers
 * with the functions of the subclasses, or with [func@Gio.Initable.new].
 *
 * The properties are for the time before the loop runs, unless they say
 * otherwise.
 *
 * In Python: `BaseServer`.
 */

typedef enum
{
  PROP_ENDPOINT = 1,
  PROP_BIND_AND_ACTIVATE,
  PROP_HANDLER_TYPE,
  PROP_MIX_IN,
  PROP_STATE,
  PROP_SERVER_ADDRESS,
  PROP_TIMEOUT,
  PROP_POLL_INTERVAL,
  PROP_DRAIN_TIMEOUT,
  PROP_CUT_TIMEOUT,
  PROP_N_ACTIVE_REQUESTS,
  PROP_N_CUT_REQUESTS,
  PROP_N_ACCEPTED,
  PROP_N_REFUSED,
  PROP_N_FAILED,
  PROP_N_ACCEPT_FAILURES,
} SrvBaseServerProperty;

static GParamSpec *properties[PROP_N_ACCEPT_FAILURES + 1];

static void srv_base_server_initable_init (GInitableIface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (
  SrvBaseServer,
  srv_base_server,
  G_TYPE_OBJECT,
  G_ADD_PRIVATE (SrvBaseServer)
    G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, srv_base_server_initable_init))

SrvBaseServerPrivate *
srv_base_server_get_private (SrvBaseServer *self)
{
  return srv_base_server_get_instance_private (self);
}

/* What the calling loop accepts from: its own, or the server's. */
SrvListener *
srv_base_server_get_listener (SrvBaseServer *self)
{
  SrvLoop *loop = srv_base_server_get_loop (self);

  if (loop != NULL && loop->listener != NULL)
    return loop->listener;
  return srv_base_server_get_private (self)->listener;
}

/* The hook between socket () and bind (), in the form that listeners call. */
gboolean
srv_base_server_configure (gpointer self, int fd, GError **error)
{
  GError *local = NULL;
  gboolean ok =
    SRV_BASE_SERVER_GET_CLASS (self)->configure_socket (self, fd, &local);

  return srv_hook_check (self, "configure_socket", ok, local, error);
}

const SrvEndpoint *
srv_base_server_get_wanted_endpoint (SrvBaseServer *self)
{
  return srv_base_server_get_private (self)->endpoint;
}

/* Whether the endpoint is of the kind that a server class binds, or a
 * descriptor. */
static gboolean
check_endpoint (SrvBaseServer *self, SrvEndpointKind kind, GError **error)
{
  const SrvEndpoint *endpoint = srv_base_server_get_wanted_endpoint (self);
  g_autofree char *name = NULL;

  if (endpoint == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "%s has no endpoint to bind", G_OBJECT_TYPE_NAME (self));
      return FALSE;
    }
  if (srv_endpoint_get_kind (endpoint) == kind ||
      srv_endpoint_get_kind (endpoint) == SRV_ENDPOINT_KIND_FD)
    return TRUE;
  name = srv_endpoint_to_string (endpoint);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "%s cannot bind %s", G_OBJECT_TYPE_NAME (self), name);
  return FALSE;
}

/* What server_bind of the concrete classes comes down to. */
gboolean
srv_base_server_open_listener (SrvBaseServer *self,
                               SrvEndpointKind kind,
                               const SrvListenOptions *options,
                               GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvListener *listener;

  if (!check_endpoint (self, kind, error))
    return FALSE;
  listener = srv_listener_open (options, error);
  if (listener == NULL)
    return FALSE;
  priv->server_address = srv_listener_get_address (listener);
  priv->bound_endpoint = srv_listener_to_string (listener);
  g_mutex_lock (&priv->lock);
  priv->listener = listener;
  g_mutex_unlock (&priv->lock);
  return TRUE;
}

static gboolean
srv_base_server_real_succeed (G_GNUC_UNUSED SrvBaseServer *self,
                              G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static SrvRequest *
srv_base_server_real_take_request (SrvBaseServer *self, GError **error)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_FAILED,
               "%s has no source of requests: get_request is not implemented",
               G_OBJECT_TYPE_NAME (self));
  return NULL;
}

static gboolean
srv_base_server_real_verify_request (G_GNUC_UNUSED SrvBaseServer *self,
                                     G_GNUC_UNUSED SrvRequest *request,
                                     G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

/* Without a mix-in the request runs here and now. Whoever closes the server,
 * and a signal that asks it to stop, must know that the loop is busy, and with
 * which descriptor. */
static gboolean
process_inline (SrvBaseServer *self, SrvRequest *request, GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean ok;

  g_atomic_int_set (&priv->inline_fd,
                    SRV_IS_CONNECTION (request)
                      ? srv_connection_get_fd (SRV_CONNECTION (request))
                      : srv_request_fileno (request));
  priv->inline_thread = pthread_self ();
  g_atomic_int_set (&priv->in_request, TRUE);
  /* A drain that just began to wait for the loop need not wait for this. */
  if (g_atomic_int_get (&priv->closing))
    srv_base_server_wake (self);
  if (priv->process != NULL && srv_base_server_must_stop (self))
    srv_worker_process_note_left (priv->process);
  ok = srv_base_server_complete_request (self, request, error);
  g_atomic_int_set (&priv->in_request, FALSE);
  g_atomic_int_set (&priv->inline_fd, -1);
  g_atomic_pointer_set (&priv->inline_connection, NULL);
  return ok;
}

static gboolean
srv_base_server_real_process_request (SrvBaseServer *self,
                                      SrvRequest *request,
                                      GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (priv->mix_in == NULL)
    return process_inline (self, request, error);
  return srv_mix_in_process_request (priv->mix_in, self, request, error);
}

static void
srv_base_server_real_shutdown_request (SrvBaseServer *self, SrvRequest *request)
{
  srv_base_server_close_request (self, request);
}

static void
srv_base_server_real_close_request (G_GNUC_UNUSED SrvBaseServer *self,
                                    G_GNUC_UNUSED SrvRequest *request)
{
}

static gboolean
srv_base_server_real_service_actions (SrvBaseServer *self, GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return priv->mix_in == NULL ||
         srv_mix_in_service_actions (priv->mix_in, self, error);
}

static SrvHandleResult
srv_base_server_real_handle_timeout (G_GNUC_UNUSED SrvBaseServer *self)
{
  return SRV_HANDLE_RESULT_TIMED_OUT;
}

static int
srv_base_server_real_fileno (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  int fd;

  g_mutex_lock (&priv->lock);
  fd = priv->listener != NULL ? srv_listener_get_fd (priv->listener) : -1;
  g_mutex_unlock (&priv->lock);
  return fd;
}

static gboolean
srv_base_server_real_activate_listener (G_GNUC_UNUSED SrvBaseServer *self,
                                        G_GNUC_UNUSED gpointer listener,
                                        G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
srv_base_server_real_before_wait (G_GNUC_UNUSED SrvBaseServer *self)
{
}

static gboolean
srv_base_server_real_configure_socket (G_GNUC_UNUSED SrvBaseServer *self,
                                       G_GNUC_UNUSED int fd,
                                       G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static gboolean
bind_and_activate (SrvBaseServer *self, GError **error)
{
  return srv_base_server_server_bind (self, error) &&
         srv_base_server_server_activate (self, error);
}

/* When binding fails, server_close runs, also an overridden one: it must cope
 * with a server that is half built. */
static gboolean
srv_base_server_initable_real_init (GInitable *initable,
                                    G_GNUC_UNUSED GCancellable *cancellable,
                                    GError **error)
{
  SrvBaseServer *self = SRV_BASE_SERVER (initable);
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (priv->wake_fd >= 0)
    return TRUE;
  priv->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  priv->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (priv->wake_fd < 0 || priv->event_fd < 0)
    return srv_set_errno_error (error, errno, "could not make an eventfd");
  if (!priv->bind_and_activate || bind_and_activate (self, error))
    return TRUE;
  srv_base_server_server_close (self);
  return FALSE;
}

static void
srv_base_server_initable_init (GInitableIface *iface)
{
  iface->init = srv_base_server_initable_real_init;
}

static void
srv_base_server_dispose (GObject *object)
{
  srv_base_server_dispose_life (SRV_BASE_SERVER (object));
  G_OBJECT_CLASS (srv_base_server_parent_class)->dispose (object);
}

static void
srv_base_server_finalize (GObject *object)
{
  SrvBaseServerPrivate *priv =
    srv_base_server_get_private (SRV_BASE_SERVER (object));

  srv_base_server_forget_handler (SRV_BASE_SERVER (object));
  g_clear_object (&priv->mix_in);
  g_clear_object (&priv->drain_cancellable);
  g_clear_object (&priv->server_address);
  g_clear_pointer (&priv->bound_endpoint, g_free);
  g_clear_pointer (&priv->endpoint, srv_endpoint_free);
  g_clear_pointer (&priv->twins, g_ptr_array_unref);
  g_clear_pointer (&priv->listener, srv_listener_unref);
  srv_spares_clear (&priv->spares, &priv->lock);
  srv_request_set_clear (&priv->active);
  g_clear_pointer (&priv->scoreboard, srv_scoreboard_unref);
  if (priv->wake_fd >= 0)
    close (priv->wake_fd);
  if (priv->event_fd >= 0)
    close (priv->event_fd);
  g_mutex_clear (&priv->lock);
  G_OBJECT_CLASS (srv_base_server_parent_class)->finalize (object);
}

/* What this process has counted, and its workers. */
static SrvTally
add_up (SrvBaseServerPrivate *priv)
{
  SrvTally sum;

  g_mutex_lock (&priv->lock);
  sum = *priv->tally;
  if (priv->scoreboard != NULL)
    srv_scoreboard_add_up (priv->scoreboard, &sum);
  g_mutex_unlock (&priv->lock);
  return sum;
}

static void
srv_base_server_get_property (GObject *object,
                              guint id,
                              GValue *value,
                              GParamSpec *pspec)
{
  SrvBaseServer *self = SRV_BASE_SERVER (object);
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  switch ((SrvBaseServerProperty) id)
    {
    case PROP_ENDPOINT:
      g_value_set_boxed (value, priv->endpoint);
      break;
    case PROP_BIND_AND_ACTIVATE:
      g_value_set_boolean (value, priv->bind_and_activate);
      break;
    case PROP_HANDLER_TYPE:
      g_value_set_gtype (value, priv->handler_type);
      break;
    case PROP_MIX_IN:
      g_value_set_object (value, priv->mix_in);
      break;
    case PROP_STATE:
      g_value_set_enum (value, (int) srv_base_server_get_state (self));
      break;
    case PROP_SERVER_ADDRESS:
      g_value_set_object (value, priv->server_address);
      break;
    case PROP_TIMEOUT:
      g_value_set_int (value, priv->timeout_ms);
      break;
    case PROP_POLL_INTERVAL:
      g_value_set_int (value, priv->poll_interval_ms);
      break;
    case PROP_DRAIN_TIMEOUT:
      g_value_set_int (value, priv->drain_timeout_ms);
      break;
    case PROP_CUT_TIMEOUT:
      g_value_set_int (value, priv->cut_timeout_ms);
      break;
    case PROP_N_ACTIVE_REQUESTS:
      g_value_set_uint (value, srv_base_server_get_n_active_requests (self));
      break;
    case PROP_N_CUT_REQUESTS:
      g_value_set_uint (value, srv_base_server_get_n_cut_requests (self));
      break;
    case PROP_N_ACCEPTED:
      g_value_set_uint64 (value, add_up (priv).n_accepted);
      break;
    case PROP_N_REFUSED:
      g_value_set_uint64 (value, add_up (priv).n_refused);
      break;
    case PROP_N_FAILED:
      g_value_set_uint64 (value, add_up (priv).n_failed);
      break;
    case PROP_N_ACCEPT_FAILURES:
      g_value_set_uint64 (value, add_up (priv).n_accept_failures);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_base_server_set_property (GObject *object,
                              guint id,
                              const GValue *value,
                              GParamSpec *pspec)
{
  SrvBaseServer *self = SRV_BASE_SERVER (object);
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  switch ((SrvBaseServerProperty) id)
    {
    case PROP_ENDPOINT:
      priv->endpoint = g_value_dup_boxed (value);
      break;
    case PROP_BIND_AND_ACTIVATE:
      priv->bind_and_activate = g_value_get_boolean (value);
      break;
    case PROP_HANDLER_TYPE:
      srv_base_server_set_handler_type (self, g_value_get_gtype (value));
      break;
    case PROP_MIX_IN:
      srv_base_server_set_mix_in (self, g_value_get_object (value));
      break;
    case PROP_TIMEOUT:
      srv_base_server_set_timeout (self, g_value_get_int (value));
      break;
    case PROP_POLL_INTERVAL:
      srv_base_server_set_poll_interval (self, g_value_get_int (value));
      break;
    case PROP_DRAIN_TIMEOUT:
      srv_base_server_set_drain_timeout (self, g_value_get_int (value));
      break;
    case PROP_CUT_TIMEOUT:
      srv_base_server_set_cut_timeout (self, g_value_get_int (value));
      break;
    case PROP_STATE:
    case PROP_SERVER_ADDRESS:
    case PROP_N_ACTIVE_REQUESTS:
    case PROP_N_CUT_REQUESTS:
    case PROP_N_ACCEPTED:
    case PROP_N_REFUSED:
    case PROP_N_FAILED:
    case PROP_N_ACCEPT_FAILURES:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* What is given once, at construction. */
static void
install_construction_properties (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                            G_PARAM_STATIC_STRINGS;

  /**
   * SrvBaseServer:endpoint:
   *
   * Where to listen. What came of it, with the real port, is told by
   * [method@SocketServer.BaseServer.dup_endpoint].
   */
  properties[PROP_ENDPOINT] =
    g_param_spec_boxed ("endpoint", NULL, NULL, SRV_TYPE_ENDPOINT, flags);
  /**
   * SrvBaseServer:bind-and-activate:
   *
   * Whether construction calls `server_bind` and `server_activate`. In
   * Python: `bind_and_activate`.
   */
  properties[PROP_BIND_AND_ACTIVATE] =
    g_param_spec_boolean ("bind-and-activate", NULL, NULL, TRUE, flags);
}

static void
install_settings (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  /**
   * SrvBaseServer:handler-type:
   *
   * The class of the handlers. In Python: `RequestHandlerClass`.
   */
  properties[PROP_HANDLER_TYPE] =
    g_param_spec_gtype ("handler-type", NULL, NULL,
                        SRV_TYPE_BASE_REQUEST_HANDLER, flags);
  /**
   * SrvBaseServer:mix-in:
   *
   * How requests run at the same time; %NULL: one after the other. In Python:
   * the class that is listed before the server class.
   */
  properties[PROP_MIX_IN] =
    g_param_spec_object ("mix-in", NULL, NULL, SRV_TYPE_MIX_IN, flags);
  /**
   * SrvBaseServer:timeout:
   *
   * How long [method@SocketServer.BaseServer.handle_request] waits for a
   * request, in milliseconds; -1 waits for ever. May change at any time. In
   * Python: `timeout`, in seconds.
   */
  properties[PROP_TIMEOUT] =
    g_param_spec_int ("timeout", NULL, NULL, -1, G_MAXINT, -1, flags);
  /**
   * SrvBaseServer:poll-interval:
   *
   * How often an idle loop calls `service_actions`, in milliseconds; 0 for
   * never, and then an idle server does not wake up at all. In Python:
   * `serve_forever(poll_interval=0.5)`, which stopping depends on.
   */
  properties[PROP_POLL_INTERVAL] =
    g_param_spec_int ("poll-interval", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * SrvBaseServer:drain-timeout:
   *
   * How long a close waits for requests to end by themselves, in milliseconds;
   * -1 waits for ever, as Python does.
   */
  properties[PROP_DRAIN_TIMEOUT] =
    g_param_spec_int ("drain-timeout", NULL, NULL, -1, G_MAXINT, 30000, flags);
  /**
   * SrvBaseServer:cut-timeout:
   *
   * How long a close waits for requests whose connection it has cut, in
   * milliseconds.
   */
  properties[PROP_CUT_TIMEOUT] =
    g_param_spec_int ("cut-timeout", NULL, NULL, 0, G_MAXINT, 1000, flags);
}

/* What can be asked. */
static void
install_figures (void)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  static const struct
  {
    SrvBaseServerProperty id;
    const char *name;
  } counters[] = {
    { PROP_N_ACCEPTED, "n-accepted" },
    { PROP_N_REFUSED, "n-refused" },
    { PROP_N_FAILED, "n-failed" },
    { PROP_N_ACCEPT_FAILURES, "n-accept-failures" },
  };

  /**
   * SrvBaseServer:state:
   *
   * Where the server is in its life. Changes are notified on the thread that
   * makes them.
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL,
                                              SRV_TYPE_SERVER_STATE,
                                              SRV_SERVER_STATE_NEW, flags);
  /**
   * SrvBaseServer:server-address:
   *
   * The address that the socket is bound to, with its real port. In Python:
   * `server_address`.
   */
  properties[PROP_SERVER_ADDRESS] =
    g_param_spec_object ("server-address", NULL, NULL, G_TYPE_SOCKET_ADDRESS,
                         flags);
  /**
   * SrvBaseServer:n-active-requests:
   *
   * How many requests are being served in this process.
   */
  properties[PROP_N_ACTIVE_REQUESTS] =
    g_param_spec_uint ("n-active-requests", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * SrvBaseServer:n-cut-requests:
   *
   * How many requests did not end in time when the server was closed.
   */
  properties[PROP_N_CUT_REQUESTS] =
    g_param_spec_uint ("n-cut-requests", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * SrvBaseServer:n-accepted:
   *
   * How many requests have come in.
   */
  /**
   * SrvBaseServer:n-refused:
   *
   * How many of them `verify_request` has refused.
   */
  /**
   * SrvBaseServer:n-failed:
   *
   * How many of them have failed in this process.
   */
  /**
   * SrvBaseServer:n-accept-failures:
   *
   * How often no request could be had although one was announced.
   */
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    properties[counters[i].id] = g_param_spec_uint64 (counters[i].name, NULL,
                                                      NULL, 0, G_MAXUINT64, 0,
                                                      flags);
}

static void
srv_base_server_class_init (SrvBaseServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = srv_base_server_dispose;
  object_class->finalize = srv_base_server_finalize;
  object_class->get_property = srv_base_server_get_property;
  object_class->set_property = srv_base_server_set_property;

  klass->default_handler_type = SRV_TYPE_BASE_REQUEST_HANDLER;
  klass->server_bind = srv_base_server_real_succeed;
  klass->server_activate = srv_base_server_real_succeed;
  klass->activate_listener = srv_base_server_real_activate_listener;
  klass->take_request = srv_base_server_real_take_request;
  klass->get_request = srv_base_server_real_get_request;
  klass->verify_request = srv_base_server_real_verify_request;
  klass->process_request = srv_base_server_real_process_request;
  klass->finish_request = srv_base_server_real_finish_request;
  klass->shutdown_request = srv_base_server_real_shutdown_request;
  klass->close_request = srv_base_server_real_close_request;
  klass->service_actions = srv_base_server_real_service_actions;
  klass->handle_timeout = srv_base_server_real_handle_timeout;
  klass->handle_error = srv_base_server_real_handle_error;
  klass->accept_failed = srv_base_server_real_accept_failed;
  klass->server_close = srv_base_server_real_server_close;
  klass->fileno = srv_base_server_real_fileno;
  klass->before_wait = srv_base_server_real_before_wait;
  klass->configure_socket = srv_base_server_real_configure_socket;

  install_construction_properties ();
  install_settings ();
  install_figures ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_base_server_init (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  g_mutex_init (&priv->lock);
  priv->bind_and_activate = TRUE;
  priv->timeout_ms = -1;
  priv->drain_timeout_ms = 30000;
  priv->cut_timeout_ms = 1000;
  priv->wake_fd = -1;
  priv->event_fd = -1;
  priv->drain_fd = -1;
  priv->stop_fd = -1;
  priv->tally = &priv->own_tally;
  priv->inline_fd = -1;
}
