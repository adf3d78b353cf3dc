/* srv-socketpair.c - two connections with each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-socketpair.h"

#include "srv-connection.h"
#include "srv-errno-private.h"

#include <errno.h>
#include <sys/socket.h>

/**
 * srv_socketpair:
 * @first: (out) (transfer full): where to put one end
 * @second: (out) (transfer full): where to put the other end
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes two connections: what is sent on one is received on the other. Both are
 * Unix sockets without a name, and close on exec; a forked child inherits them.
 *
 * It is how a thread or a child talks to its parent, and how a handler is tried
 * without a server: see [method@SocketServer.BaseRequestHandler.run].
 *
 * One end of a pair that came in another way, such as from the parent process,
 * becomes a connection by [ctor@SocketServer.Connection.new_for_fd]. Pairs of
 * datagram sockets are made by `socketpair()` and
 * [ctor@Gio.Socket.new_from_fd].
 *
 * Fails when no descriptors are left, with %G_IO_ERROR_TOO_MANY_OPEN_FILES.
 *
 * Threads: any. In Python: `socket.socketpair()`.
 *
 * Returns: %TRUE when both are there, %FALSE with @error set otherwise
 */
gboolean
srv_socketpair (SrvConnection **first, SrvConnection **second, GError **error)
{
  int fds[2];

  g_return_val_if_fail (first != NULL && second != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return srv_set_errno_error (error, errno, "could not make a socket pair");
  /* These are stream sockets: it cannot fail. */
  *first = srv_connection_new_for_fd (fds[0], NULL);
  *second = srv_connection_new_for_fd (fds[1], NULL);
  return TRUE;
}
