/* srv-udp-server.c - datagrams over UDP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-udp-server.h"

#include "srv-inet-options-private.h"
#include "srv-new-server-private.h"

/**
 * SrvUDPServer:
 *
 * A server that receives datagrams over UDP.
 *
 * Replies leave from the address that was asked.
 *
 * In Python: `UDPServer`.
 */
typedef struct
{
  SrvInetOptions options;
} SrvUDPServerPrivate;

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

static SrvInetOptions *
get_options (gpointer self)
{
  SrvUDPServerPrivate *priv =
    srv_udp_server_get_instance_private (SRV_UDP_SERVER (self));

  return &priv->options;
}

static gboolean
srv_udp_server_server_bind (SrvBaseServer *server, GError **error)
{
  return srv_inet_options_bind (get_options (server), server,
                                SRV_ENDPOINT_KIND_UDP, error);
}

static void
srv_udp_server_get_property (GObject *object,
                             guint id,
                             GValue *value,
                             GParamSpec *pspec)
{
  srv_inet_options_get (get_options (object), object, id, value, pspec);
}

static void
srv_udp_server_set_property (GObject *object,
                             guint id,
                             const GValue *value,
                             GParamSpec *pspec)
{
  srv_inet_options_set (get_options (object), object, id, value, pspec);
}

static void
srv_udp_server_class_init (SrvUDPServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = srv_udp_server_get_property;
  object_class->set_property = srv_udp_server_set_property;
  SRV_BASE_SERVER_CLASS (klass)->server_bind = srv_udp_server_server_bind;
  srv_inet_options_install (object_class, FALSE);
}

static void
srv_udp_server_init (G_GNUC_UNUSED SrvUDPServer *self)
{
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
