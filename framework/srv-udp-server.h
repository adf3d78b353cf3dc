/* srv-udp-server.h - datagrams over UDP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-datagram-server.h"

G_BEGIN_DECLS

#define SRV_TYPE_UDP_SERVER (srv_udp_server_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvUDPServer,
                          srv_udp_server,
                          SRV,
                          UDP_SERVER,
                          SrvDatagramServer)

struct _SrvUDPServerClass
{
  SrvDatagramServerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_udp_server_new (const char *host,
                                   guint16 port,
                                   GType handler_type,
                                   GError **error);

G_END_DECLS
