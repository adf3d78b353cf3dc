/* srv-udp-server.c - datagrams over UDP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-udp-server.h"

#include "srv-datagram-private.h"
#include "srv-inet-options-private.h"
#include "srv-log-private.h"
#include "srv-new-server-private.h"
#include "srv-sender-limit-private.h"

#define MAX_SENDER_RATE G_USEC_PER_SEC
#define MAX_MAX_SENDERS (1024 * 1024)

/**
 * SrvUDPServer:
 *
 * A server that receives datagrams over UDP.
 *
 * Replies leave from the address that was asked. With
 * [property@SocketServer.UDPServer:sender-rate] a sender cannot take all of the
 * server's time: `verify_request` refuses what is more, so a subclass with a
 * `verify_request` of its own chains up.
 *
 * In Python: `UDPServer`.
 */
typedef struct
{
  SrvInetOptions options;
  SrvSenderLimit limit;
} SrvUDPServerPrivate;

typedef enum
{
  PROP_SENDER_RATE = SRV_INET_DUAL_STACK + 1,
  PROP_SENDER_BURST,
  PROP_MAX_SENDERS,
} SrvUDPServerProperty;

/**
 * SrvUDPServer:address-family:
 *
 * Which family a host name shall be looked up in; %G_SOCKET_FAMILY_INVALID for
 * whatever fits, IPv4 first. In Python: `address_family`, IPv4 always.
 */

/**
 * SrvUDPServer:allow-reuse-address:
 *
 * Whether `SO_REUSEADDR` is set. Off: on a UDP socket it lets another
 * server steal the port. In Python: `allow_reuse_address`.
 */

/**
 * SrvUDPServer:allow-reuse-port:
 *
 * Whether `SO_REUSEPORT` is set: several servers of one user can then share
 * the port, and nobody notices a server that was started twice. In Python:
 * `allow_reuse_port`, off as well.
 */

/**
 * SrvUDPServer:dual-stack:
 *
 * Whether a server on the IPv6 wildcard address serves IPv4, too.
 */

G_DEFINE_TYPE_WITH_PRIVATE (SrvUDPServer,
                            srv_udp_server,
                            SRV_TYPE_DATAGRAM_SERVER)

static SrvUDPServerPrivate *
get_private (gpointer self)
{
  return srv_udp_server_get_instance_private (SRV_UDP_SERVER (self));
}

static gboolean
srv_udp_server_server_bind (SrvBaseServer *server, GError **error)
{
  return srv_inet_options_bind (&get_private (server)->options, server,
                                SRV_ENDPOINT_KIND_UDP, error);
}

/* One record when it begins, and one a minute while it lasts. */
static gboolean
srv_udp_server_verify_request (SrvBaseServer *server,
                               SrvRequest *request,
                               GError **error)
{
  SrvSenderLimit *limit = &get_private (server)->limit;
  guint64 n_dropped;

  if (srv_sender_limit_get_rate (limit) == 0 || !SRV_IS_DATAGRAM (request) ||
      srv_sender_limit_allows (limit,
                               srv_datagram_get_peer (SRV_DATAGRAM (request)),
                               g_get_monotonic_time (), &n_dropped))
    return SRV_BASE_SERVER_CLASS (srv_udp_server_parent_class)
      ->verify_request (server, request, error);
  if (n_dropped > 0)
    srv_log (G_LOG_LEVEL_WARNING, "sender-limit", server, request,
             "dropped %" G_GUINT64_FORMAT
             " datagrams so far, of senders of more than %u in a second",
             n_dropped, srv_sender_limit_get_rate (limit));
  return FALSE;
}

static void
srv_udp_server_get_property (GObject *object,
                             guint id,
                             GValue *value,
                             GParamSpec *pspec)
{
  SrvUDPServerPrivate *priv = get_private (object);

  switch ((SrvUDPServerProperty) id)
    {
    case PROP_SENDER_RATE:
      g_value_set_uint (value, srv_sender_limit_get_rate (&priv->limit));
      break;
    case PROP_SENDER_BURST:
      g_value_set_uint (value, priv->limit.burst);
      break;
    case PROP_MAX_SENDERS:
      g_value_set_uint (value, priv->limit.max_senders);
      break;
    default:
      srv_inet_options_get (&priv->options, object, id, value, pspec);
    }
}

static void
srv_udp_server_set_property (GObject *object,
                             guint id,
                             const GValue *value,
                             GParamSpec *pspec)
{
  SrvUDPServerPrivate *priv = get_private (object);

  switch ((SrvUDPServerProperty) id)
    {
    case PROP_SENDER_RATE:
      srv_sender_limit_set_rate (&priv->limit, g_value_get_uint (value));
      break;
    case PROP_SENDER_BURST:
      srv_sender_limit_set_burst (&priv->limit, g_value_get_uint (value));
      break;
    case PROP_MAX_SENDERS:
      srv_sender_limit_set_max_senders (&priv->limit, g_value_get_uint (value));
      break;
    default:
      srv_inet_options_set (&priv->options, object, id, value, pspec);
    }
}

static void
srv_udp_server_finalize (GObject *object)
{
  srv_sender_limit_clear (&get_private (object)->limit);
  G_OBJECT_CLASS (srv_udp_server_parent_class)->finalize (object);
}

static void
install_limits (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  /**
   * SrvUDPServer:sender-rate:
   *
   * How many datagrams of one sender are served in a second, up to a million; 0
   * is no limit. What is more is dropped before there is a handler, counted in
   * [property@SocketServer.BaseServer:n-refused], and told by a warning when it
   * begins and once a minute while it lasts.
   *
   * A sender is an IPv4 address, or the first 64 bits of an IPv6 address. A
   * limit by sender is no help against forged addresses. The processes of a
   * prefork mix-in count each for itself. May change at any time, as may the
   * next two.
   */
  g_object_class_install_property (object_class, PROP_SENDER_RATE,
                                   g_param_spec_uint ("sender-rate", NULL, NULL,
                                                      0, MAX_SENDER_RATE, 0,
                                                      flags));
  /**
   * SrvUDPServer:sender-burst:
   *
   * How many datagrams of one sender may come at once, up to a million, if it
   * was silent before; 0 is as many as
   * [property@SocketServer.UDPServer:sender-rate].
   */
  g_object_class_install_property (object_class, PROP_SENDER_BURST,
                                   g_param_spec_uint ("sender-burst", NULL,
                                                      NULL, 0, MAX_SENDER_RATE,
                                                      0, flags));
  /**
   * SrvUDPServer:max-senders:
   *
   * How many senders are remembered, up to 1,048,576; who came longest ago is
   * forgotten first.
   */
  g_object_class_install_property (
    object_class, PROP_MAX_SENDERS,
    g_param_spec_uint ("max-senders", NULL, NULL, 1, MAX_MAX_SENDERS,
                       SRV_SENDER_LIMIT_DEFAULT_MAX, flags));
}

static void
srv_udp_server_class_init (SrvUDPServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvBaseServerClass *server_class = SRV_BASE_SERVER_CLASS (klass);

  object_class->finalize = srv_udp_server_finalize;
  object_class->get_property = srv_udp_server_get_property;
  object_class->set_property = srv_udp_server_set_property;
  server_class->server_bind = srv_udp_server_server_bind;
  server_class->verify_request = srv_udp_server_verify_request;
  srv_inet_options_install (object_class, FALSE);
  install_limits (object_class);
}

static void
srv_udp_server_init (SrvUDPServer *self)
{
  srv_sender_limit_init (&get_private (self)->limit);
}

/**
 * srv_udp_server_new:
 * @host: (nullable): the address or name to bind; empty or %NULL for all
 *   interfaces
 * @port: the port, 0 for a free one
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that is bound and active: clients can send.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_HOST_NOT_FOUND and what else the system reports.
 *
 * Threads: any; looks up a name if @host is one. In Python: `UDPServer((host,
 * port), RequestHandlerClass)`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_udp_server_new (const char *host,
                    guint16 port,
                    GType handler_type,
                    GError **error)
{
  return srv_new_inet_server (SRV_TYPE_UDP_SERVER, SRV_ENDPOINT_KIND_UDP, host,
                              port, handler_type, error);
}
