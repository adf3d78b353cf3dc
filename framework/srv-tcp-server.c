/* srv-tcp-server.c - connections over TCP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-tcp-server.h"

#include "srv-inet-options-private.h"
#include "srv-new-server-private.h"

/**
 * SrvTCPServer:
 *
 * A server that accepts connections over TCP.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_tcp_server_new ("127.0.0.1", 9999, MY_TYPE_HANDLER, &error);
 *
 * if (server != NULL)
 *   srv_base_server_serve_forever (server, &error);
 * ```
 *
 * In Python: `TCPServer`. The family follows from the address, one socket on
 * `::` serves IPv4 as well, and a restart does not fail for connections of the
 * last run that linger.
 */
typedef struct
{
  SrvInetOptions options;
} SrvTCPServerPrivate;

/**
 * SrvTCPServer:address-family:
 *
 * Which family a host name shall be looked up in; %G_SOCKET_FAMILY_INVALID for
 * whatever fits, IPv4 first. In Python: `address_family`, IPv4 always.
 */

/**
 * SrvTCPServer:allow-reuse-address:
 *
 * Whether `SO_REUSEADDR` is set. On, so that a server can be restarted while
 * connections of its last run linger. In Python: `allow_reuse_address`, off.
 */

/**
 * SrvTCPServer:allow-reuse-port:
 *
 * Whether `SO_REUSEPORT` is set: several servers of one user can then share
 * the port, and nobody notices a server that was started twice. In Python:
 * `allow_reuse_port`, off as well.
 */

/**
 * SrvTCPServer:dual-stack:
 *
 * Whether a server on the IPv6 wildcard address serves IPv4, too.
 */

G_DEFINE_TYPE_WITH_PRIVATE (SrvTCPServer,
                            srv_tcp_server,
                            SRV_TYPE_STREAM_SERVER)

static SrvInetOptions *
get_options (gpointer self)
{
  SrvTCPServerPrivate *priv =
    srv_tcp_server_get_instance_private (SRV_TCP_SERVER (self));

  return &priv->options;
}

static gboolean
srv_tcp_server_server_bind (SrvBaseServer *server, GError **error)
{
  return srv_inet_options_bind (get_options (server), server,
                                SRV_ENDPOINT_KIND_TCP, error);
}

static void
srv_tcp_server_get_property (GObject *object,
                             guint id,
                             GValue *value,
                             GParamSpec *pspec)
{
  srv_inet_options_get (get_options (object), object, id, value, pspec);
}

static void
srv_tcp_server_set_property (GObject *object,
                             guint id,
                             const GValue *value,
                             GParamSpec *pspec)
{
  srv_inet_options_set (get_options (object), object, id, value, pspec);
}

static void
srv_tcp_server_class_init (SrvTCPServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = srv_tcp_server_get_property;
  object_class->set_property = srv_tcp_server_set_property;
  SRV_BASE_SERVER_CLASS (klass)->server_bind = srv_tcp_server_server_bind;
  srv_inet_options_install (object_class, TRUE);
}

static void
srv_tcp_server_init (G_GNUC_UNUSED SrvTCPServer *self)
{
}

/**
 * srv_tcp_server_new:
 * @host: (nullable): the address or name to bind; empty or %NULL for all
 *   interfaces
 * @port: the port, 0 for a free one
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that is bound and active: clients can connect.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_HOST_NOT_FOUND and what else the system reports.
 *
 * Threads: any; looks up a name if @host is one. In Python: `TCPServer((host,
 * port), RequestHandlerClass)`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_tcp_server_new (const char *host,
                    guint16 port,
                    GType handler_type,
                    GError **error)
{
  return srv_new_inet_server (SRV_TYPE_TCP_SERVER, SRV_ENDPOINT_KIND_TCP, host,
                              port, handler_type, error);
}
