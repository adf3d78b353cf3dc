/* srv-mixed-servers.c - Python's ready combinations of server and mix-in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-mixed-servers.h"

#include "srv-forking-mix-in.h"
#include "srv-new-server-private.h"
#include "srv-threading-mix-in.h"

/**
 * SrvThreadingTCPServer:
 *
 * A [class@SocketServer.TCPServer] that serves each request in a thread: its
 * mix-in is a [class@SocketServer.ThreadingMixIn].
 *
 * In Python: `ThreadingTCPServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvThreadingTCPServer,
                         srv_threading_tcp_server,
                         SRV_TYPE_TCP_SERVER,
                         srv_threading_mix_in_new)

/**
 * srv_threading_tcp_server_new:
 * @host: (nullable): the address or name to bind; empty or %NULL for all
 *   interfaces
 * @port: the port, 0 for a free one
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a thread, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_HOST_NOT_FOUND and what else the system reports.
 *
 * Threads: any; looks up a name if @host is one. In Python:
 * `ThreadingTCPServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_threading_tcp_server_new (const char *host,
                              guint16 port,
                              GType handler_type,
                              GError **error)
{
  return srv_new_inet_server (SRV_TYPE_THREADING_TCP_SERVER,
                              SRV_ENDPOINT_KIND_TCP, host, port, handler_type,
                              error);
}

/**
 * SrvThreadingUDPServer:
 *
 * A [class@SocketServer.UDPServer] that serves each request in a thread: its
 * mix-in is a [class@SocketServer.ThreadingMixIn].
 *
 * In Python: `ThreadingUDPServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvThreadingUDPServer,
                         srv_threading_udp_server,
                         SRV_TYPE_UDP_SERVER,
                         srv_threading_mix_in_new)

/**
 * srv_threading_udp_server_new:
 * @host: (nullable): the address or name to bind; empty or %NULL for all
 *   interfaces
 * @port: the port, 0 for a free one
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a thread, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_HOST_NOT_FOUND and what else the system reports.
 *
 * Threads: any; looks up a name if @host is one. In Python:
 * `ThreadingUDPServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_threading_udp_server_new (const char *host,
                              guint16 port,
                              GType handler_type,
                              GError **error)
{
  return srv_new_inet_server (SRV_TYPE_THREADING_UDP_SERVER,
                              SRV_ENDPOINT_KIND_UDP, host, port, handler_type,
                              error);
}

/**
 * SrvThreadingUnixStreamServer:
 *
 * A [class@SocketServer.UnixStreamServer] that serves each request in a thread: its
 * mix-in is a [class@SocketServer.ThreadingMixIn].
 *
 * In Python: `ThreadingUnixStreamServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvThreadingUnixStreamServer,
                         srv_threading_unix_stream_server,
                         SRV_TYPE_UNIX_STREAM_SERVER,
                         srv_threading_mix_in_new)

/**
 * srv_threading_unix_stream_server_new:
 * @path: (type filename): the path to bind, or `@` and an abstract name
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a thread, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE when somebody listens there,
 * %G_IO_ERROR_EXISTS when there is a file that is no socket,
 * %G_IO_ERROR_FILENAME_TOO_LONG and what else the system reports.
 *
 * Threads: any. In Python: `ThreadingUnixStreamServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_threading_unix_stream_server_new (const char *path,
                                      GType handler_type,
                                      GError **error)
{
  return srv_new_unix_server (SRV_TYPE_THREADING_UNIX_STREAM_SERVER,
                              SRV_ENDPOINT_KIND_UNIX, path, handler_type,
                              error);
}

/**
 * SrvThreadingUnixDatagramServer:
 *
 * A [class@SocketServer.UnixDatagramServer] that serves each request in a thread: its
 * mix-in is a [class@SocketServer.ThreadingMixIn].
 *
 * In Python: `ThreadingUnixDatagramServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvThreadingUnixDatagramServer,
                         srv_threading_unix_datagram_server,
                         SRV_TYPE_UNIX_DATAGRAM_SERVER,
                         srv_threading_mix_in_new)

/**
 * srv_threading_unix_datagram_server_new:
 * @path: (type filename): the path to bind, or `@` and an abstract name
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a thread, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE when somebody listens there,
 * %G_IO_ERROR_EXISTS when there is a file that is no socket,
 * %G_IO_ERROR_FILENAME_TOO_LONG and what else the system reports.
 *
 * Threads: any. In Python: `ThreadingUnixDatagramServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_threading_unix_datagram_server_new (const char *path,
                                        GType handler_type,
                                        GError **error)
{
  return srv_new_unix_server (SRV_TYPE_THREADING_UNIX_DATAGRAM_SERVER,
                              SRV_ENDPOINT_KIND_UNIXGRAM, path, handler_type,
                              error);
}

/**
 * SrvForkingTCPServer:
 *
 * A [class@SocketServer.TCPServer] that serves each request in a process: its
 * mix-in is a [class@SocketServer.ForkingMixIn].
 *
 * In Python: `ForkingTCPServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvForkingTCPServer,
                         srv_forking_tcp_server,
                         SRV_TYPE_TCP_SERVER,
                         srv_forking_mix_in_new)

/**
 * srv_forking_tcp_server_new:
 * @host: (nullable): the address or name to bind; empty or %NULL for all
 *   interfaces
 * @port: the port, 0 for a free one
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a process, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_HOST_NOT_FOUND and what else the system reports.
 *
 * Threads: any; looks up a name if @host is one. In Python:
 * `ForkingTCPServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_forking_tcp_server_new (const char *host,
                            guint16 port,
                            GType handler_type,
                            GError **error)
{
  return srv_new_inet_server (SRV_TYPE_FORKING_TCP_SERVER,
                              SRV_ENDPOINT_KIND_TCP, host, port, handler_type,
                              error);
}

/**
 * SrvForkingUDPServer:
 *
 * A [class@SocketServer.UDPServer] that serves each request in a process: its
 * mix-in is a [class@SocketServer.ForkingMixIn].
 *
 * In Python: `ForkingUDPServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvForkingUDPServer,
                         srv_forking_udp_server,
                         SRV_TYPE_UDP_SERVER,
                         srv_forking_mix_in_new)

/**
 * srv_forking_udp_server_new:
 * @host: (nullable): the address or name to bind; empty or %NULL for all
 *   interfaces
 * @port: the port, 0 for a free one
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a process, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_HOST_NOT_FOUND and what else the system reports.
 *
 * Threads: any; looks up a name if @host is one. In Python:
 * `ForkingUDPServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_forking_udp_server_new (const char *host,
                            guint16 port,
                            GType handler_type,
                            GError **error)
{
  return srv_new_inet_server (SRV_TYPE_FORKING_UDP_SERVER,
                              SRV_ENDPOINT_KIND_UDP, host, port, handler_type,
                              error);
}

/**
 * SrvForkingUnixStreamServer:
 *
 * A [class@SocketServer.UnixStreamServer] that serves each request in a process: its
 * mix-in is a [class@SocketServer.ForkingMixIn].
 *
 * In Python: `ForkingUnixStreamServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvForkingUnixStreamServer,
                         srv_forking_unix_stream_server,
                         SRV_TYPE_UNIX_STREAM_SERVER,
                         srv_forking_mix_in_new)

/**
 * srv_forking_unix_stream_server_new:
 * @path: (type filename): the path to bind, or `@` and an abstract name
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a process, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE when somebody listens there,
 * %G_IO_ERROR_EXISTS when there is a file that is no socket,
 * %G_IO_ERROR_FILENAME_TOO_LONG and what else the system reports.
 *
 * Threads: any. In Python: `ForkingUnixStreamServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_forking_unix_stream_server_new (const char *path,
                                    GType handler_type,
                                    GError **error)
{
  return srv_new_unix_server (SRV_TYPE_FORKING_UNIX_STREAM_SERVER,
                              SRV_ENDPOINT_KIND_UNIX, path, handler_type,
                              error);
}

/**
 * SrvForkingUnixDatagramServer:
 *
 * A [class@SocketServer.UnixDatagramServer] that serves each request in a process: its
 * mix-in is a [class@SocketServer.ForkingMixIn].
 *
 * In Python: `ForkingUnixDatagramServer`.
 */
SRV_DEFINE_MIXED_SERVER (SrvForkingUnixDatagramServer,
                         srv_forking_unix_datagram_server,
                         SRV_TYPE_UNIX_DATAGRAM_SERVER,
                         srv_forking_mix_in_new)

/**
 * srv_forking_unix_datagram_server_new:
 * @path: (type filename): the path to bind, or `@` and an abstract name
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that serves each request in a process, bound and active.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE when somebody listens there,
 * %G_IO_ERROR_EXISTS when there is a file that is no socket,
 * %G_IO_ERROR_FILENAME_TOO_LONG and what else the system reports.
 *
 * Threads: any. In Python: `ForkingUnixDatagramServer`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_forking_unix_datagram_server_new (const char *path,
                                      GType handler_type,
                                      GError **error)
{
  return srv_new_unix_server (SRV_TYPE_FORKING_UNIX_DATAGRAM_SERVER,
                              SRV_ENDPOINT_KIND_UNIXGRAM, path, handler_type,
                              error);
}
