/* srv-datagram-server.c - servers that receive datagrams
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram-server.h"

#include "srv-base-server-private.h"
#include "srv-datagram-private.h"
#include "srv-datagram-request-handler.h"

#include <errno.h>
#include <unistd.h>

/* No datagram is longer. */
#define LARGEST_PACKET 65535

/**
 * SrvDatagramServer:
 *
 * A server that receives datagrams: what UDP and Unix datagram servers have in
 * common.
 *
 * Each datagram is a request, also an empty one. All handlers share the
 * socket. One that is longer than
 * [property@SocketServer.DatagramServer:max-packet-size] is marked as
 * truncated, or dropped.
 *
 * Handlers are [class@SocketServer.DatagramRequestHandler]s.
 *
 * In Python: `UDPServer`, which is a `TCPServer` by accident.
 */
typedef struct
{
  guint max_packet_size;
  gboolean drop_truncated;
  int reply_timeout_ms;
} SrvDatagramServerPrivate;

typedef enum
{
  PROP_MAX_PACKET_SIZE = 1,
  PROP_DROP_TRUNCATED,
  PROP_REPLY_TIMEOUT,
} SrvDatagramServerProperty;

static GParamSpec *properties[PROP_REPLY_TIMEOUT + 1];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (SrvDatagramServer,
                                     srv_datagram_server,
                                     SRV_TYPE_BASE_SERVER)

static SrvDatagramServerPrivate *
get_private (SrvDatagramServer *self)
{
  return srv_datagram_server_get_instance_private (self);
}

/* The socket stays in blocking mode for replies, which are worth a short wait:
 * a Unix socket holds about ten of them. */
static void
set_reply_limit (SrvDatagramServerPrivate *priv, SrvListener *listener)
{
  const struct timeval limit = {
    .tv_sec = priv->reply_timeout_ms / 1000,
    /* Zero would mean no limit. */
    .tv_usec = (priv->reply_timeout_ms % 1000) * 1000 ?: 1,
  };

  setsockopt (srv_listener_get_fd (listener), SOL_SOCKET, SO_SNDTIMEO, &limit,
              sizeof limit);
}

static gboolean
srv_datagram_server_server_activate (SrvBaseServer *server,
                                     G_GNUC_UNUSED GError **error)
{
  set_reply_limit (get_private (SRV_DATAGRAM_SERVER (server)),
                   srv_base_server_get_listener (server));
  return TRUE;
}

/* Used again for each datagram that the thread receives: a thread may receive
 * for several servers, and a server in several threads. */
static guint8 *
receive_buffer (void)
{
  static GPrivate buffer = G_PRIVATE_INIT (g_free);

  if (g_private_get (&buffer) == NULL)
    g_private_set (&buffer, g_malloc (LARGEST_PACKET));
  return g_private_get (&buffer);
}

static SrvRequest *
receive (SrvBaseServer *server, SrvDatagramServerPrivate *priv, GError **error)
{
  SrvDatagram *datagram =
    srv_datagram_receive (srv_base_server_get_listener (server),
                          receive_buffer (), priv->max_packet_size, error);

  if (datagram == NULL)
    srv_base_server_set_accept_errno (errno);
  return (SrvRequest *) datagram;
}

static SrvRequest *
srv_datagram_server_get_request (SrvBaseServer *server, GError **error)
{
  SrvDatagramServerPrivate *priv = get_private (SRV_DATAGRAM_SERVER (server));
  SrvRequest *request = receive (server, priv, error);

  if (request == NULL || !priv->drop_truncated ||
      !srv_datagram_get_truncated (SRV_DATAGRAM (request)))
    return request;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
               "dropped a datagram of %" G_GSIZE_FORMAT
               " bytes: the limit is %u",
               srv_datagram_get_full_length (SRV_DATAGRAM (request)),
               priv->max_packet_size);
  g_object_unref (request);
  /* One client's mistake, and no reason to pause. */
  srv_base_server_set_accept_errno (EPROTO);
  return NULL;
}

static void
srv_datagram_server_get_property (GObject *object,
                                  guint id,
                                  GValue *value,
                                  GParamSpec *pspec)
{
  SrvDatagramServerPrivate *priv = get_private (SRV_DATAGRAM_SERVER (object));

  switch ((SrvDatagramServerProperty) id)
    {
    case PROP_MAX_PACKET_SIZE:
      g_value_set_uint (value, priv->max_packet_size);
      break;
    case PROP_DROP_TRUNCATED:
      g_value_set_boolean (value, priv->drop_truncated);
      break;
    case PROP_REPLY_TIMEOUT:
      g_value_set_int (value, priv->reply_timeout_ms);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_server_set_property (GObject *object,
                                  guint id,
                                  const GValue *value,
                                  GParamSpec *pspec)
{
  SrvDatagramServer *self = SRV_DATAGRAM_SERVER (object);

  switch ((SrvDatagramServerProperty) id)
    {
    case PROP_MAX_PACKET_SIZE:
      srv_datagram_server_set_max_packet_size (self, g_value_get_uint (value));
      break;
    case PROP_DROP_TRUNCATED:
      srv_datagram_server_set_drop_truncated (self,
                                              g_value_get_boolean (value));
      break;
    case PROP_REPLY_TIMEOUT:
      srv_datagram_server_set_reply_timeout (self, g_value_get_int (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_datagram_server_class_init (SrvDatagramServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvBaseServerClass *server_class = SRV_BASE_SERVER_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = srv_datagram_server_get_property;
  object_class->set_property = srv_datagram_server_set_property;
  server_class->default_handler_type = SRV_TYPE_DATAGRAM_REQUEST_HANDLER;
  server_class->server_activate = srv_datagram_server_server_activate;
  server_class->get_request = srv_datagram_server_get_request;

  /**
   * SrvDatagramServer:max-packet-size:
   *
   * How many bytes of a datagram are kept. May change at any time. In Python:
   * `max_packet_size`, 8192, and what is longer is cut without a trace.
   */
  properties[PROP_MAX_PACKET_SIZE] = g_param_spec_uint ("max-packet-size", NULL,
                                                        NULL, 1, LARGEST_PACKET,
                                                        LARGEST_PACKET, flags);
  /**
   * SrvDatagramServer:drop-truncated:
   *
   * Whether datagrams that are too long are dropped, instead of being served
   * without their tail.
   */
  properties[PROP_DROP_TRUNCATED] =
    g_param_spec_boolean ("drop-truncated", NULL, NULL, FALSE, flags);
  /**
   * SrvDatagramServer:reply-timeout:
   *
   * How long a reply waits for room in the receiver's queue, in milliseconds.
   * All replies of a Unix server share the room of its own socket: a client
   * that has connected its socket and does not read can fill it, and the
   * replies to others then wait and fail as well, until it reads or goes.
   */
  properties[PROP_REPLY_TIMEOUT] =
    g_param_spec_int ("reply-timeout", NULL, NULL, 0, G_MAXINT, 100, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_datagram_server_init (SrvDatagramServer *self)
{
  SrvDatagramServerPrivate *priv = get_private (self);

  priv->max_packet_size = LARGEST_PACKET;
  priv->reply_timeout_ms = 100;
}

/**
 * srv_datagram_server_set_max_packet_size:
 * @self: a server
 * @max_packet_size: bytes, from 1 to 65,535
 *
 * Sets how many bytes of a datagram are kept.
 *
 * Threads: before the loop runs, or the loop's. In Python: `max_packet_size`.
 */
void
srv_datagram_server_set_max_packet_size (SrvDatagramServer *self,
                                         guint max_packet_size)
{
  SrvDatagramServerPrivate *priv;

  g_return_if_fail (SRV_IS_DATAGRAM_SERVER (self));
  g_return_if_fail (max_packet_size > 0 && max_packet_size <= LARGEST_PACKET);

  priv = get_private (self);
  if (priv->max_packet_size == max_packet_size)
    return;
  priv->max_packet_size = max_packet_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_PACKET_SIZE]);
}

/**
 * srv_datagram_server_get_max_packet_size:
 * @self: a server
 *
 * Gets how many bytes of a datagram are kept.
 *
 * Threads: any.
 *
 * Returns: bytes
 */
guint
srv_datagram_server_get_max_packet_size (SrvDatagramServer *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_SERVER (self), 0);
  return get_private (self)->max_packet_size;
}

/**
 * srv_datagram_server_set_drop_truncated:
 * @self: a server
 * @drop_truncated: whether to drop them
 *
 * Sets whether datagrams that are too long are dropped.
 *
 * Threads: before the loop runs, or the loop's.
 */
void
srv_datagram_server_set_drop_truncated (SrvDatagramServer *self,
                                        gboolean drop_truncated)
{
  SrvDatagramServerPrivate *priv;

  g_return_if_fail (SRV_IS_DATAGRAM_SERVER (self));

  priv = get_private (self);
  if (priv->drop_truncated == !!drop_truncated)
    return;
  priv->drop_truncated = !!drop_truncated;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DROP_TRUNCATED]);
}

/**
 * srv_datagram_server_get_drop_truncated:
 * @self: a server
 *
 * Gets whether datagrams that are too long are dropped.
 *
 * Threads: any.
 *
 * Returns: %TRUE if they are
 */
gboolean
srv_datagram_server_get_drop_truncated (SrvDatagramServer *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_SERVER (self), FALSE);
  return get_private (self)->drop_truncated;
}

/**
 * srv_datagram_server_set_reply_timeout:
 * @self: a server
 * @reply_timeout_ms: milliseconds
 *
 * Sets how long a reply waits for room in the receiver's queue.
 *
 * Threads: before the loop runs.
 */
void
srv_datagram_server_set_reply_timeout (SrvDatagramServer *self,
                                       int reply_timeout_ms)
{
  SrvDatagramServerPrivate *priv;
  SrvListener *listener;

  g_return_if_fail (SRV_IS_DATAGRAM_SERVER (self));
  g_return_if_fail (reply_timeout_ms >= 0);

  priv = get_private (self);
  if (priv->reply_timeout_ms == reply_timeout_ms)
    return;
  priv->reply_timeout_ms = reply_timeout_ms;
  listener = srv_base_server_get_listener (SRV_BASE_SERVER (self));
  if (listener != NULL)
    set_reply_limit (priv, listener);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_REPLY_TIMEOUT]);
}

/**
 * srv_datagram_server_get_reply_timeout:
 * @self: a server
 *
 * Gets how long a reply waits for room in the receiver's queue.
 *
 * Threads: any.
 *
 * Returns: milliseconds
 */
int
srv_datagram_server_get_reply_timeout (SrvDatagramServer *self)
{
  g_return_val_if_fail (SRV_IS_DATAGRAM_SERVER (self), 0);
  return get_private (self)->reply_timeout_ms;
}
