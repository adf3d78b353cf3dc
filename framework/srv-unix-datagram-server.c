/* srv-unix-datagram-server.c - datagrams over Unix sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-unix-datagram-server.h"

#include "srv-new-server-private.h"
#include "srv-unix-options-private.h"

/**
 * SrvUnixDatagramServer:
 *
 * A server that receives datagrams over a Unix socket.
 *
 * A client that has not bound its socket can send, and cannot be answered.
 *
 * In Python: `UnixDatagramServer`.
 */
typedef struct
{
  SrvUnixOptions options;
} SrvUnixDatagramServerPrivate;

/**
 * SrvUnixDatagramServer:path-take-over:
 *
 * Whether a path that a dead server has left is taken over, with a lock file
 * beside it while the server lives. A path that somebody listens on, or a file
 * that is no socket, is never touched. Off: any file is in the way, as in
 * Python.
 */

/**
 * SrvUnixDatagramServer:path-mode:
 *
 * The permissions of the path, -1 for what the umask gives. Connecting needs
 * the right to write. There is no moment in which the path has others.
 */

/**
 * SrvUnixDatagramServer:path-owner:
 *
 * The user that the path shall belong to, -1 for the process's own.
 */

/**
 * SrvUnixDatagramServer:path-group:
 *
 * The group that the path shall belong to, -1 for the process's own.
 */

G_DEFINE_TYPE_WITH_PRIVATE (SrvUnixDatagramServer,
                            srv_unix_datagram_server,
                            SRV_TYPE_DATAGRAM_SERVER)

static SrvUnixOptions *
get_options (gpointer self)
{
  SrvUnixDatagramServerPrivate *priv =
    srv_unix_datagram_server_get_instance_private (
      SRV_UNIX_DATAGRAM_SERVER (self));

  return &priv->options;
}

static gboolean
srv_unix_datagram_server_server_bind (SrvBaseServer *server, GError **error)
{
  return srv_unix_options_bind (get_options (server), server,
                                SRV_ENDPOINT_KIND_UNIXGRAM, error);
}

static void
srv_unix_datagram_server_get_property (GObject *object,
                                       guint id,
                                       GValue *value,
                                       GParamSpec *pspec)
{
  srv_unix_options_get (get_options (object), object, id, value, pspec);
}

static void
srv_unix_datagram_server_set_property (GObject *object,
                                       guint id,
                                       const GValue *value,
                                       GParamSpec *pspec)
{
  srv_unix_options_set (get_options (object), object, id, value, pspec);
}

static void
srv_unix_datagram_server_class_init (SrvUnixDatagramServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = srv_unix_datagram_server_get_property;
  object_class->set_property = srv_unix_datagram_server_set_property;
  SRV_BASE_SERVER_CLASS (klass)->server_bind =
    srv_unix_datagram_server_server_bind;
  srv_unix_options_install (object_class);
}

static void
srv_unix_datagram_server_init (G_GNUC_UNUSED SrvUnixDatagramServer *self)
{
}

/**
 * srv_unix_datagram_server_new:
 * @path: (type filename): the path to bind, or `@` and an abstract name
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that is bound and active: clients can send.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE when somebody listens there,
 * %G_IO_ERROR_EXISTS when there is a file that is no socket,
 * %G_IO_ERROR_FILENAME_TOO_LONG and what else the system reports.
 *
 * Threads: any. In Python: `UnixDatagramServer(path, RequestHandlerClass)`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_unix_datagram_server_new (const char *path,
                              GType handler_type,
                              GError **error)
{
  return srv_new_unix_server (SRV_TYPE_UNIX_DATAGRAM_SERVER,
                              SRV_ENDPOINT_KIND_UNIXGRAM, path, handler_type,
                              error);
}
