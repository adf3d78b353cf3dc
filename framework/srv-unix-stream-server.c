/* srv-unix-stream-server.c - connections over Unix sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-unix-stream-server.h"

#include "srv-new-server-private.h"
#include "srv-unix-options-private.h"

/**
 * SrvUnixStreamServer:
 *
 * A server that accepts connections over a Unix socket.
 *
 * It takes over the path of a dead server, never that of a live one, and
 * removes its own at the end. Clients have credentials:
 * [method@SocketServer.Request.get_credentials].
 *
 * In Python: `UnixStreamServer`.
 */
typedef struct
{
  SrvUnixOptions options;
} SrvUnixStreamServerPrivate;

/**
 * SrvUnixStreamServer:path-take-over:
 *
 * Whether a path that a dead server has left is taken over, with a lock file
 * beside it while the server lives. A path that somebody listens on, or a file
 * that is no socket, is never touched. Off: any file is in the way, as in
 * Python.
 */

/**
 * SrvUnixStreamServer:path-mode:
 *
 * The permissions of the path, -1 for what the umask gives. Connecting needs
 * the right to write. There is no moment in which the path has others.
 */

/**
 * SrvUnixStreamServer:path-owner:
 *
 * The user that the path shall belong to, -1 for the process's own.
 */

/**
 * SrvUnixStreamServer:path-group:
 *
 * The group that the path shall belong to, -1 for the process's own.
 */

G_DEFINE_TYPE_WITH_PRIVATE (SrvUnixStreamServer,
                            srv_unix_stream_server,
                            SRV_TYPE_STREAM_SERVER)

static SrvUnixOptions *
get_options (gpointer self)
{
  SrvUnixStreamServerPrivate *priv =
    srv_unix_stream_server_get_instance_private (SRV_UNIX_STREAM_SERVER (self));

  return &priv->options;
}

static gboolean
srv_unix_stream_server_server_bind (SrvBaseServer *server, GError **error)
{
  return srv_unix_options_bind (get_options (server), server,
                                SRV_ENDPOINT_KIND_UNIX, error);
}

static void
srv_unix_stream_server_get_property (GObject *object,
                                     guint id,
                                     GValue *value,
                                     GParamSpec *pspec)
{
  srv_unix_options_get (get_options (object), object, id, value, pspec);
}

static void
srv_unix_stream_server_set_property (GObject *object,
                                     guint id,
                                     const GValue *value,
                                     GParamSpec *pspec)
{
  srv_unix_options_set (get_options (object), object, id, value, pspec);
}

static void
srv_unix_stream_server_class_init (SrvUnixStreamServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = srv_unix_stream_server_get_property;
  object_class->set_property = srv_unix_stream_server_set_property;
  SRV_BASE_SERVER_CLASS (klass)->server_bind =
    srv_unix_stream_server_server_bind;
  srv_unix_options_install (object_class);
}

static void
srv_unix_stream_server_init (G_GNUC_UNUSED SrvUnixStreamServer *self)
{
}

/**
 * srv_unix_stream_server_new:
 * @path: (type filename): the path to bind, or `@` and an abstract name
 * @handler_type: the class of the handlers, %G_TYPE_INVALID to set it later
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a server that is bound and active: clients can connect.
 *
 * Fails with %G_IO_ERROR_ADDRESS_IN_USE when somebody listens there,
 * %G_IO_ERROR_EXISTS when there is a file that is no socket,
 * %G_IO_ERROR_FILENAME_TOO_LONG and what else the system reports.
 *
 * Threads: any. In Python: `UnixStreamServer(path, RequestHandlerClass)`.
 *
 * Returns: (transfer full): a new server, or %NULL with @error set
 */
SrvBaseServer *
srv_unix_stream_server_new (const char *path,
                            GType handler_type,
                            GError **error)
{
  return srv_new_unix_server (SRV_TYPE_UNIX_STREAM_SERVER,
                              SRV_ENDPOINT_KIND_UNIX, path, handler_type,
                              error);
}
