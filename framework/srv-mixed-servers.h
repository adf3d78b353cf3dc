/* srv-mixed-servers.h - Python's ready combinations of server and mix-in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-tcp-server.h"
#include "srv-udp-server.h"
#include "srv-unix-datagram-server.h"
#include "srv-unix-stream-server.h"

G_BEGIN_DECLS

/**
 * SRV_DECLARE_MIXED_SERVER:
 * @TypeName: the new type, in camel case
 * @type_name: its functions' prefix, in lower case
 * @ParentName: the server class to derive from, in camel case
 *
 * Declares a server class that differs from its parent by its mix-in alone.
 */
#define SRV_DECLARE_MIXED_SERVER(TypeName, type_name, ParentName) \
  typedef struct _##TypeName TypeName;                            \
  typedef struct _##TypeName##Class TypeName##Class;              \
  struct _##TypeName                                              \
  {                                                               \
    ParentName parent_instance;                                   \
  };                                                              \
  struct _##TypeName##Class                                       \
  {                                                               \
    ParentName##Class parent_class;                               \
  };                                                              \
  SRV_AVAILABLE_IN_ALL GType type_name##_get_type (void);         \
  G_DEFINE_AUTOPTR_CLEANUP_FUNC (TypeName, g_object_unref)

/**
 * SRV_DEFINE_MIXED_SERVER:
 * @TypeName: the new type, in camel case
 * @type_name: its functions' prefix, in lower case
 * @PARENT_TYPE: the server class to derive from, as a type
 * @make_mix_in: a function without parameters that returns a new mix-in
 *
 * Defines what [func@SocketServer.DECLARE_MIXED_SERVER] declares.
 */
#define SRV_DEFINE_MIXED_SERVER(TypeName, type_name, PARENT_TYPE, make_mix_in) \
  G_DEFINE_TYPE (TypeName, type_name, PARENT_TYPE)                             \
  static void type_name##_class_init (G_GNUC_UNUSED TypeName##Class *klass)    \
  {                                                                            \
  }                                                                            \
  static void type_name##_init (TypeName *self)                                \
  {                                                                            \
    g_autoptr (SrvMixIn) mix_in = make_mix_in ();                              \
    srv_base_server_set_mix_in (SRV_BASE_SERVER (self), mix_in);               \
  }

#define SRV_TYPE_THREADING_TCP_SERVER (srv_threading_tcp_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvThreadingTCPServer,
                          srv_threading_tcp_server,
                          SrvTCPServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_threading_tcp_server_new (const char *host,
                                             guint16 port,
                                             GType handler_type,
                                             GError **error);

#define SRV_TYPE_THREADING_UDP_SERVER (srv_threading_udp_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvThreadingUDPServer,
                          srv_threading_udp_server,
                          SrvUDPServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_threading_udp_server_new (const char *host,
                                             guint16 port,
                                             GType handler_type,
                                             GError **error);

#define SRV_TYPE_THREADING_UNIX_STREAM_SERVER \
  (srv_threading_unix_stream_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvThreadingUnixStreamServer,
                          srv_threading_unix_stream_server,
                          SrvUnixStreamServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_threading_unix_stream_server_new (const char *path,
                                                     GType handler_type,
                                                     GError **error);

#define SRV_TYPE_THREADING_UNIX_DATAGRAM_SERVER \
  (srv_threading_unix_datagram_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvThreadingUnixDatagramServer,
                          srv_threading_unix_datagram_server,
                          SrvUnixDatagramServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_threading_unix_datagram_server_new (const char *path,
                                                       GType handler_type,
                                                       GError **error);

#define SRV_TYPE_FORKING_TCP_SERVER (srv_forking_tcp_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvForkingTCPServer,
                          srv_forking_tcp_server,
                          SrvTCPServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_forking_tcp_server_new (const char *host,
                                           guint16 port,
                                           GType handler_type,
                                           GError **error);

#define SRV_TYPE_FORKING_UDP_SERVER (srv_forking_udp_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvForkingUDPServer,
                          srv_forking_udp_server,
                          SrvUDPServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_forking_udp_server_new (const char *host,
                                           guint16 port,
                                           GType handler_type,
                                           GError **error);

#define SRV_TYPE_FORKING_UNIX_STREAM_SERVER \
  (srv_forking_unix_stream_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvForkingUnixStreamServer,
                          srv_forking_unix_stream_server,
                          SrvUnixStreamServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_forking_unix_stream_server_new (const char *path,
                                                   GType handler_type,
                                                   GError **error);

#define SRV_TYPE_FORKING_UNIX_DATAGRAM_SERVER \
  (srv_forking_unix_datagram_server_get_type ())

SRV_DECLARE_MIXED_SERVER (SrvForkingUnixDatagramServer,
                          srv_forking_unix_datagram_server,
                          SrvUnixDatagramServer)

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_forking_unix_datagram_server_new (const char *path,
                                                     GType handler_type,
                                                     GError **error);

G_END_DECLS
