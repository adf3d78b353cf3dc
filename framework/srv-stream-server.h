/* srv-stream-server.h - servers that accept connections
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server.h"

G_BEGIN_DECLS

#define SRV_TYPE_STREAM_SERVER (srv_stream_server_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvStreamServer,
                          srv_stream_server,
                          SRV,
                          STREAM_SERVER,
                          SrvBaseServer)

struct _SrvStreamServerClass
{
  SrvBaseServerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
int srv_stream_server_get_request_queue_size (SrvStreamServer *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_server_set_idle_timeout (SrvStreamServer *self,
                                         int idle_timeout_ms);

SRV_AVAILABLE_IN_ALL
int srv_stream_server_get_idle_timeout (SrvStreamServer *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_server_set_linger_timeout (SrvStreamServer *self,
                                           int linger_timeout_ms);

SRV_AVAILABLE_IN_ALL
int srv_stream_server_get_linger_timeout (SrvStreamServer *self);

G_END_DECLS
