/* srv-tcp-server.h - connections over TCP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-stream-server.h"

G_BEGIN_DECLS

#define SRV_TYPE_TCP_SERVER (srv_tcp_server_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvTCPServer,
                          srv_tcp_server,
                          SRV,
                          TCP_SERVER,
                          SrvStreamServer)

struct _SrvTCPServerClass
{
  SrvStreamServerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_tcp_server_new (const char *host,
                                   guint16 port,
                                   GType handler_type,
                                   GError **error);

G_END_DECLS
