/* srv-stream-server.c - servers that accept connections
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-stream-server.h"

#include "srv-base-server-private.h"
#include "srv-connection-private.h"
#include "srv-errno-private.h"
#include "srv-stream-request-handler.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

/* A peer that is silent for so long is asked whether it is still there, and
 * then every so often; the same time bounds how long it may leave what we have
 * sent without an answer. */
#define KEEP_ALIVE_IDLE_S     600
#define KEEP_ALIVE_INTERVAL_S 60

/* How many clients are sent away in one go when descriptors have run out. */
#define SHED_AT_ONCE 64

/**
 * SrvStreamServer:
 *
 * A server that accepts connections: what TCP and Unix stream servers have in
 * common.
 *
 * The accept loop knows which errors concern one client, which are a shortage
 * and which the end. When the process has run out of descriptors, a reserve is
 * used to accept clients and send them away, so that they need not wait for
 * something that may never come; then the loop pauses, up to a second, or
 * until a connection of its own has closed.
 *
 * At the end of a request our half of the connection is shut down first, and
 * what the client had already sent is read, for a while: closing over unread
 * input would make the system send a reset, and the client could lose the
 * reply.
 *
 * Handlers are [class@SocketServer.StreamRequestHandler]s.
 *
 * In Python: the part of `TCPServer` that `UnixStreamServer` inherits.
 */
typedef struct
{
  int request_queue_size;
  int idle_timeout_ms;
  int linger_timeout_ms;
  gboolean shed_on_shortage;
  gboolean keep_alive;
  /* Connections get limit and no-delay from the socket: the limit that was
   * set when the server was activated. */
  gboolean inherited;
  int inherited_timeout_ms;
} SrvStreamServerPrivate;

typedef enum
{
  PROP_REQUEST_QUEUE_SIZE = 1,
  PROP_IDLE_TIMEOUT,
  PROP_LINGER_TIMEOUT,
  PROP_SHED_ON_SHORTAGE,
  PROP_KEEP_ALIVE,
} SrvStreamServerProperty;

static GParamSpec *properties[PROP_KEEP_ALIVE + 1];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (SrvStreamServer,
                                     srv_stream_server,
                                     SRV_TYPE_BASE_SERVER)

static SrvStreamServerPrivate *
get_private (SrvStreamServer *self)
{
  return srv_stream_server_get_instance_private (self);
}

static gboolean
set_number (int fd, int level, int option, int value)
{
  return setsockopt (fd, level, option, &value, sizeof value) == 0;
}

/* The kernel finds out about peers that have vanished without a word. A limit
 * for each read would find them too, but arms a timer for every read, which
 * costs an echo five per cent and more. */
static void
set_keep_alive (int fd)
{
  set_number (fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_number (fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S);
  set_number (fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_S);
  set_number (fd, IPPROTO_TCP, TCP_USER_TIMEOUT, KEEP_ALIVE_IDLE_S * 1000);
}

/* Accepted TCP sockets inherit these options from the listener, which saves
 * three system calls for each connection. Unix sockets do not. A twin gets the
 * limit that the server's own socket has, also if it has changed since: nobody
 * asks later from which of them a connection has come. */
static void
set_inherited_options (SrvStreamServerPrivate *priv, SrvListener *listener)
{
  int fd = srv_listener_get_fd (listener);
  int limit_ms = priv->inherited ? priv->inherited_timeout_ms
                                 : MAX (priv->idle_timeout_ms, 0);
  const struct timeval limit = {
    .tv_sec = limit_ms / 1000,
    .tv_usec = (limit_ms % 1000) * 1000,
  };

  priv->inherited_timeout_ms = limit_ms;
  priv->inherited =
    !srv_listener_is_unix (listener) &&
    setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
    setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
    set_number (fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (priv->inherited && priv->keep_alive)
    set_keep_alive (fd);
}

static gboolean
srv_stream_server_activate_listener (SrvBaseServer *server,
                                     gpointer listener,
                                     GError **error)
{
  SrvStreamServerPrivate *priv = get_private (SRV_STREAM_SERVER (server));
  int fd = srv_listener_get_fd (listener);
  int backlog = priv->request_queue_size > 0 ? priv->request_queue_size
                                             : G_MAXINT;

  /* The system cuts the length of the queue to its own maximum. */
  if (listen (fd, backlog) != 0 ||
      fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK) != 0)
    {
      int code = errno;
      g_autofree char *name = srv_listener_to_string (listener);

      srv_set_errno_error (error, code, "could not listen on %s", name);
      return FALSE;
    }
  set_inherited_options (priv, listener);
  srv_listener_take_reserve (listener);
  return TRUE;
}

static gboolean
srv_stream_server_server_activate (SrvBaseServer *server, GError **error)
{
  return srv_stream_server_activate_listener (server,
                                              srv_base_server_get_listener (
                                                server),
                                              error);
}

/* Out of descriptors, the clients in the queue would wait for nobody knows how
 * long. The reserve makes room to take them out one by one. */
static void
shed (SrvListener *listener)
{
  int listener_fd = srv_listener_get_fd (listener);

  if (!srv_listener_give_reserve (listener))
    return;
  for (int i = 0; i < SHED_AT_ONCE; i++)
    {
      int fd = accept4 (listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

      if (fd < 0)
        break;
      close (fd);
    }
  srv_listener_take_reserve (listener);
}

/* A Unix listener that somebody has shut down stays readable, but a call that
 * does not wait reports that nothing is there. */
static gboolean
is_shut_down (SrvListener *listener)
{
  struct pollfd pollfd = { srv_listener_get_fd (listener), POLLIN, 0 };

  return srv_listener_is_unix (listener) && poll (&pollfd, 1, 0) > 0 &&
         (pollfd.revents & POLLHUP) != 0;
}

/* Most clients come alone, and accept4 () makes a file before it looks whether
 * somebody is there: to ask that first takes a quarter of the time. Who finds a
 * second one finds more. */
static int
accept_client (SrvBaseServer *server, SrvListener *listener, SrvSockaddr *peer)
{
  const SrvLoop *loop = srv_base_server_get_loop (server);
  struct pollfd pollfd = { srv_listener_get_fd (listener), POLLIN, 0 };

  if (loop != NULL && loop->position == 1 && poll (&pollfd, 1, 0) == 0)
    {
      errno = EAGAIN;
      return -1;
    }
  peer->length = sizeof *peer - offsetof (SrvSockaddr, any);
  return accept4 (pollfd.fd, &peer->any, &peer->length, SOCK_CLOEXEC);
}

static SrvConnection *
take_connection (SrvBaseServerPrivate *base)
{
  SrvConnection *connection = srv_spares_take (&base->spares, &base->lock);

  if (connection != NULL && srv_connection_renew (connection))
    return connection;
  if (connection != NULL)
    srv_request_drop (SRV_REQUEST (connection));
  return g_object_new (SRV_TYPE_CONNECTION, NULL);
}

static SrvRequest *
srv_stream_server_take_request (SrvBaseServer *server, GError **error)
{
  SrvStreamServerPrivate *priv = get_private (SRV_STREAM_SERVER (server));
  SrvBaseServerPrivate *base = srv_base_server_get_private (server);
  SrvListener *listener = srv_base_server_get_listener (server);
  SrvSockaddr peer;
  SrvConnection *connection;
  int fd;
  int code;

  /* Room goes to the reserve first: without it, all who come once there is no
   * more would be kept waiting. */
  if (priv->shed_on_shortage)
    srv_listener_take_reserve (listener);
  fd = accept_client (server, listener, &peer);
  if (fd >= 0)
    {
      connection = take_connection (base);
      srv_connection_adopt (connection, fd, &peer,
                            priv->inherited ? priv->inherited_timeout_ms : 0,
                            priv->inherited);
      /* Does nothing if that is the limit already. */
      srv_connection_set_timeout (connection, priv->idle_timeout_ms, NULL);
      return SRV_REQUEST (connection);
    }
  code = errno;
  if (code == EAGAIN && is_shut_down (listener))
    code = EINVAL;
  srv_base_server_set_accept_errno (code);
  if (code == EMFILE && priv->shed_on_shortage)
    shed (listener);
  if (code != EAGAIN)
    srv_set_errno_error (error, code, "could not accept");
  return NULL;
}

static void
srv_stream_server_shutdown_request (SrvBaseServer *server, SrvRequest *request)
{
  SrvStreamServerPrivate *priv = get_private (SRV_STREAM_SERVER (server));

  if (SRV_IS_CONNECTION (request))
    srv_connection_hang_up (SRV_CONNECTION (request),
                            srv_connection_is_cut (SRV_CONNECTION (request))
                              ? 0
                              : priv->linger_timeout_ms);
  srv_base_server_close_request (server, request);
}

static void
srv_stream_server_close_request (SrvBaseServer *server, SrvRequest *request)
{
  SrvBaseServerPrivate *base = srv_base_server_get_private (server);

  if (SRV_IS_CONNECTION (request))
    srv_connection_close_now (SRV_CONNECTION (request),
                              base->in_child ? NULL : &base->spares);
}

static void
srv_stream_server_get_property (GObject *object,
                                guint id,
                                GValue *value,
                                GParamSpec *pspec)
{
  SrvStreamServerPrivate *priv = get_private (SRV_STREAM_SERVER (object));

  switch ((SrvStreamServerProperty) id)
    {
    case PROP_REQUEST_QUEUE_SIZE:
      g_value_set_int (value, priv->request_queue_size);
      break;
    case PROP_IDLE_TIMEOUT:
      g_value_set_int (value, priv->idle_timeout_ms);
      break;
    case PROP_LINGER_TIMEOUT:
      g_value_set_int (value, priv->linger_timeout_ms);
      break;
    case PROP_SHED_ON_SHORTAGE:
      g_value_set_boolean (value, priv->shed_on_shortage);
      break;
    case PROP_KEEP_ALIVE:
      g_value_set_boolean (value, priv->keep_alive);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_stream_server_set_property (GObject *object,
                                guint id,
                                const GValue *value,
                                GParamSpec *pspec)
{
  SrvStreamServer *self = SRV_STREAM_SERVER (object);
  SrvStreamServerPrivate *priv = get_private (self);

  switch ((SrvStreamServerProperty) id)
    {
    case PROP_REQUEST_QUEUE_SIZE:
      priv->request_queue_size = g_value_get_int (value);
      break;
    case PROP_IDLE_TIMEOUT:
      srv_stream_server_set_idle_timeout (self, g_value_get_int (value));
      break;
    case PROP_LINGER_TIMEOUT:
      srv_stream_server_set_linger_timeout (self, g_value_get_int (value));
      break;
    case PROP_SHED_ON_SHORTAGE:
      priv->shed_on_shortage = g_value_get_boolean (value);
      break;
    case PROP_KEEP_ALIVE:
      priv->keep_alive = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  /**
   * SrvStreamServer:request-queue-size:
   *
   * How many clients may wait to be accepted; 0 for as many as the system
   * allows. In Python: `request_queue_size`, 5 up to version 3.14.
   */
  properties[PROP_REQUEST_QUEUE_SIZE] =
    g_param_spec_int ("request-queue-size", NULL, NULL, 0, G_MAXINT, 0,
                      G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                        G_PARAM_STATIC_STRINGS);
  /**
   * SrvStreamServer:idle-timeout:
   *
   * Longest wait for a client in a read or a whole write, in milliseconds; -1
   * for no limit, as in Python. A handler's own
   * [property@SocketServer.StreamRequestHandler:timeout] goes before it. A
   * service for strangers sets one of the two: without a limit, a client that
   * is there and says nothing keeps its worker.
   */
  properties[PROP_IDLE_TIMEOUT] =
    g_param_spec_int ("idle-timeout", NULL, NULL, -1, G_MAXINT, -1, flags);
  /**
   * SrvStreamServer:linger-timeout:
   *
   * How long the end of a request may read input that nobody has read, in
   * milliseconds; 0 to close at once, as Python does.
   */
  properties[PROP_LINGER_TIMEOUT] =
    g_param_spec_int ("linger-timeout", NULL, NULL, 0, G_MAXINT, 2000, flags);
  /**
   * SrvStreamServer:shed-on-shortage:
   *
   * Whether clients that wait while the process has no descriptors left are
   * sent away; otherwise they wait until there are some.
   */
  properties[PROP_SHED_ON_SHORTAGE] =
    g_param_spec_boolean ("shed-on-shortage", NULL, NULL, TRUE,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * SrvStreamServer:keep-alive:
   *
   * Whether a TCP peer that has vanished is noticed: after ten minutes without
   * a sign of it, in a read or a write. A peer that is there and silent is left
   * alone. Python leaves it to the system, which waits for two hours, and only
   * if it is asked to.
   */
  properties[PROP_KEEP_ALIVE] =
    g_param_spec_boolean ("keep-alive", NULL, NULL, TRUE,
                          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                            G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_stream_server_class_init (SrvStreamServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvBaseServerClass *server_class = SRV_BASE_SERVER_CLASS (klass);

  object_class->get_property = srv_stream_server_get_property;
  object_class->set_property = srv_stream_server_set_property;
  server_class->default_handler_type = SRV_TYPE_STREAM_REQUEST_HANDLER;
  server_class->activate_listener = srv_stream_server_activate_listener;
  server_class->server_activate = srv_stream_server_server_activate;
  server_class->take_request = srv_stream_server_take_request;
  server_class->shutdown_request = srv_stream_server_shutdown_request;
  server_class->close_request = srv_stream_server_close_request;
  install_properties (object_class);
}

static void
srv_stream_server_init (SrvStreamServer *self)
{
  SrvStreamServerPrivate *priv = get_private (self);

  priv->idle_timeout_ms = -1;
  priv->linger_timeout_ms = 2000;
  priv->shed_on_shortage = TRUE;
  priv->keep_alive = TRUE;
}

/**
 * srv_stream_server_get_request_queue_size:
 * @self: a server
 *
 * Gets how many clients may wait to be accepted.
 *
 * Threads: any. In Python: `request_queue_size`.
 *
 * Returns: the number of clients, 0 for as many as the system allows
 */
int
srv_stream_server_get_request_queue_size (SrvStreamServer *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_SERVER (self), 0);
  return get_private (self)->request_queue_size;
}

/**
 * srv_stream_server_set_idle_timeout:
 * @self: a server
 * @idle_timeout_ms: milliseconds, -1 for no limit
 *
 * Sets the longest wait for a client in a read or a whole write, for
 * connections that are accepted from now on.
 *
 * Threads: before the loop runs, or the loop's.
 */
void
srv_stream_server_set_idle_timeout (SrvStreamServer *self, int idle_timeout_ms)
{
  SrvStreamServerPrivate *priv;

  g_return_if_fail (SRV_IS_STREAM_SERVER (self));
  g_return_if_fail (idle_timeout_ms >= -1);

  priv = get_private (self);
  if (priv->idle_timeout_ms == idle_timeout_ms)
    return;
  priv->idle_timeout_ms = idle_timeout_ms;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_IDLE_TIMEOUT]);
}

/**
 * srv_stream_server_get_idle_timeout:
 * @self: a server
 *
 * Gets the longest wait for a client in a read or a whole write.
 *
 * Threads: any.
 *
 * Returns: milliseconds, -1 for no limit
 */
int
srv_stream_server_get_idle_timeout (SrvStreamServer *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_SERVER (self), -1);
  return get_private (self)->idle_timeout_ms;
}

/**
 * srv_stream_server_set_linger_timeout:
 * @self: a server
 * @linger_timeout_ms: milliseconds, 0 to close at once
 *
 * Sets how long the end of a request may read input that nobody has read.
 *
 * Threads: before the loop runs.
 */
void
srv_stream_server_set_linger_timeout (SrvStreamServer *self,
                                      int linger_timeout_ms)
{
  SrvStreamServerPrivate *priv;

  g_return_if_fail (SRV_IS_STREAM_SERVER (self));
  g_return_if_fail (linger_timeout_ms >= 0);

  priv = get_private (self);
  if (priv->linger_timeout_ms == linger_timeout_ms)
    return;
  priv->linger_timeout_ms = linger_timeout_ms;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LINGER_TIMEOUT]);
}

/**
 * srv_stream_server_get_linger_timeout:
 * @self: a server
 *
 * Gets how long the end of a request may read input that nobody has read.
 *
 * Threads: any.
 *
 * Returns: milliseconds, 0 to close at once
 */
int
srv_stream_server_get_linger_timeout (SrvStreamServer *self)
{
  g_return_val_if_fail (SRV_IS_STREAM_SERVER (self), 0);
  return get_private (self)->linger_timeout_ms;
}
