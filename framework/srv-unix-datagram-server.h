/* srv-unix-datagram-server.h - datagrams over Unix sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-datagram-server.h"

G_BEGIN_DECLS

#define SRV_TYPE_UNIX_DATAGRAM_SERVER (srv_unix_datagram_server_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvUnixDatagramServer,
                          srv_unix_datagram_server,
                          SRV,
                          UNIX_DATAGRAM_SERVER,
                          SrvDatagramServer)

struct _SrvUnixDatagramServerClass
{
  SrvDatagramServerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_unix_datagram_server_new (const char *path,
                                             GType handler_type,
                                             GError **error);

G_END_DECLS
