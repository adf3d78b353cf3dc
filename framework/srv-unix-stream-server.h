/* srv-unix-stream-server.h - connections over Unix sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-stream-server.h"

G_BEGIN_DECLS

#define SRV_TYPE_UNIX_STREAM_SERVER (srv_unix_stream_server_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvUnixStreamServer,
                          srv_unix_stream_server,
                          SRV,
                          UNIX_STREAM_SERVER,
                          SrvStreamServer)

struct _SrvUnixStreamServerClass
{
  SrvStreamServerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_unix_stream_server_new (const char *path,
                                           GType handler_type,
                                           GError **error);

G_END_DECLS
