/* srv-datagram-server.h - servers that receive datagrams
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server.h"

G_BEGIN_DECLS

#define SRV_TYPE_DATAGRAM_SERVER (srv_datagram_server_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvDatagramServer,
                          srv_datagram_server,
                          SRV,
                          DATAGRAM_SERVER,
                          SrvBaseServer)

struct _SrvDatagramServerClass
{
  SrvBaseServerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
void srv_datagram_server_set_max_packet_size (SrvDatagramServer *self,
                                              guint max_packet_size);

SRV_AVAILABLE_IN_ALL
guint srv_datagram_server_get_max_packet_size (SrvDatagramServer *self);

SRV_AVAILABLE_IN_ALL
void srv_datagram_server_set_drop_truncated (SrvDatagramServer *self,
                                             gboolean drop_truncated);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_server_get_drop_truncated (SrvDatagramServer *self);

SRV_AVAILABLE_IN_ALL
void srv_datagram_server_set_reply_timeout (SrvDatagramServer *self,
                                            int reply_timeout_ms);

SRV_AVAILABLE_IN_ALL
int srv_datagram_server_get_reply_timeout (SrvDatagramServer *self);

SRV_AVAILABLE_IN_ALL
void srv_datagram_server_set_batch_size (SrvDatagramServer *self,
                                         guint batch_size);

SRV_AVAILABLE_IN_ALL
guint srv_datagram_server_get_batch_size (SrvDatagramServer *self);

G_END_DECLS
