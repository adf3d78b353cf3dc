/* srv-send-fds.c - open descriptors for another process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-send-fds.h"

#include "srv-connection-private.h"
#include "srv-wait.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A sender may be asked to prove who it is: its credentials come in the same
 * room as the descriptors, and must not take it from them. */
#define ROOM \
  (CMSG_SPACE (SRV_MAX_FDS * sizeof (int)) + CMSG_SPACE (sizeof (struct ucred)))

typedef union
{
  char bytes[ROOM];
  struct cmsghdr aligned;
} Control;

static gboolean
check (SrvConnection *connection, const char *what, GError **error)
{
  int domain = 0;
  socklen_t size = sizeof domain;
  const char *why = NULL;

  if (!srv_connection_check_open (connection, what, error))
    return FALSE;
  getsockopt (connection->fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  if (domain != AF_UNIX)
    why = "only Unix sockets carry them";
  else if (srv_connection_has_posts (connection))
    why = "others may post to the connection";
  if (why == NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "could not %s: %s",
               what, why);
  return FALSE;
}

/* G_IO_IN and G_IO_OUT have the values that epoll has. */
static gboolean
wait_ready (SrvConnection *connection,
            GIOCondition condition,
            const char *what,
            gint64 deadline,
            GError **error)
{
  if (srv_task_fiber () == NULL)
    return srv_wait_fd (connection->fd, condition, deadline, NULL, error);
  srv_fiber_watch_drained (&connection->watch, condition);
  return srv_connection_wait_in_fiber (connection, condition, deadline, NULL,
                                       what, error);
}

/* The descriptors go with the first byte; how many follow it at once is the
 * kernel's business. */
static gssize
send_first (SrvConnection *connection, struct msghdr *message, GError **error)
{
  gint64 deadline = srv_connection_own_deadline (connection);
  gssize n;

  for (;;)
    {
      n = sendmsg (connection->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n >= 0)
        return n;
      if (errno != EAGAIN && errno != EINTR)
        return srv_connection_fail ("send descriptors", errno, error);
      if (errno == EAGAIN && !wait_ready (connection, G_IO_OUT,
                                          "send descriptors", deadline, error))
        return -1;
    }
}

static void
put_fds (struct msghdr *message, Control *control, const int *fds, int n_fds)
{
  const gsize size = (gsize) n_fds * sizeof (int);
  struct cmsghdr *head;

  memset (control, 0, sizeof *control);
  message->msg_control = control;
  message->msg_controllen = CMSG_SPACE (size);
  head = CMSG_FIRSTHDR (message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN (size);
  memcpy (CMSG_DATA (head), fds, size);
}

/**
 * srv_send_fds:
 * @connection: a connection over a Unix socket
 * @buffer: (array length=count) (element-type guint8): the bytes that go with
 *   the descriptors
 * @count: how many, at least 1: descriptors travel with a byte
 * @fds: (nullable): the descriptors, at most %SRV_MAX_FDS; they stay open here
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends bytes, and open descriptors with the first of them. The other side gets
 * descriptors of its own, for the same files and sockets: a connection can be
 * handed to another process that way.
 *
 * What is gathered in a handler's `wfile` is to be flushed first. The time limit
 * of the connection holds.
 *
 * Fails with %G_IO_ERROR_NOT_SUPPORTED on a connection that is no Unix socket,
 * or to which others may post, with %G_IO_ERROR_INVALID_ARGUMENT for too many
 * descriptors, %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CLOSED, or what the system
 * reports.
 *
 * Threads: the one that the connection belongs to. In Python:
 * `socket.send_fds()`, which may send a part of the bytes.
 *
 * Returns: %TRUE when everything is sent, %FALSE with @error set otherwise
 */
gboolean
srv_send_fds (SrvConnection *connection,
              const void *buffer,
              gsize count,
              GUnixFDList *fds,
              GError **error)
{
  struct iovec bytes = { (void *) buffer, count };
  struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
  Control control;
  int n_fds = 0;
  const int *list = NULL;
  gssize n;

  g_return_val_if_fail (SRV_IS_CONNECTION (connection), FALSE);
  g_return_val_if_fail (buffer != NULL && count > 0, FALSE);
  g_return_val_if_fail (fds == NULL || G_IS_UNIX_FD_LIST (fds), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check (connection, "send descriptors", error))
    return FALSE;
  if (fds != NULL)
    list = g_unix_fd_list_peek_fds (fds, &n_fds);
  if (n_fds > SRV_MAX_FDS)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "could not send %d descriptors: at most %d go at a time",
                   n_fds, SRV_MAX_FDS);
      return FALSE;
    }
  if (n_fds > 0)
    put_fds (&message, &control, list, n_fds);
  n = send_first (connection, &message, error);
  if (n < 0)
    return FALSE;
  return (gsize) n == count ||
         srv_connection_send_directly (connection, (const char *) buffer + n,
                                       count - (gsize) n, NULL, error);
}

/* Everything that came, wanted or not: what is not taken stays open for ever.
 */
static GArray *
take_fds (struct msghdr *message)
{
  GArray *fds = g_array_new (FALSE, FALSE, sizeof (int));

  for (struct cmsghdr *head = CMSG_FIRSTHDR (message); head != NULL;
       head = CMSG_NXTHDR (message, head))
    if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
      g_array_append_vals (fds, CMSG_DATA (head),
                           (guint) ((head->cmsg_len - CMSG_LEN (0)) /
                                    sizeof (int)));
  return fds;
}

static void
close_fds (const GArray *fds)
{
  for (guint i = 0; i < fds->len; i++)
    close (g_array_index (fds, int, i));
}

static gboolean
keep_fds (struct msghdr *message,
          guint max_fds,
          GUnixFDList **list,
          GError **error)
{
  g_autoptr (GArray) fds = take_fds (message);

  if ((message->msg_flags & MSG_CTRUNC) == 0 && fds->len <= max_fds)
    {
      *list = g_unix_fd_list_new_from_array ((int *) (void *) fds->data,
                                             (int) fds->len);
      return TRUE;
    }
  close_fds (fds);
  g_set_error (error, SRV_ERROR, SRV_ERROR_TRUNCATED,
               "could not receive descriptors: there were more than %u, or no "
               "room for them in this process",
               max_fds);
  return FALSE;
}

static gssize
receive_message (SrvConnection *connection,
                 struct msghdr *message,
                 gsize room,
                 GError **error)
{
  gint64 deadline = srv_connection_own_deadline (connection);
  gssize n;

  for (;;)
    {
      message->msg_controllen = room;
      n = recvmsg (connection->fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (n >= 0)
        return n;
      if (errno != EAGAIN && errno != EINTR)
        return srv_connection_fail ("receive descriptors", errno, error);
      if (errno == EAGAIN &&
          !wait_ready (connection, G_IO_IN, "receive descriptors", deadline,
                       error))
        return -1;
    }
}

/**
 * srv_recv_fds:
 * @connection: a connection over a Unix socket
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8):
 *   where to put the bytes
 * @count: room in @buffer, in bytes, at least 1
 * @max_fds: how many descriptors are expected at most, 1 to %SRV_MAX_FDS
 * @fds: (out) (transfer full): where to put what came: a list that owns the
 *   descriptors, which may be empty
 * @error: return location for a [struct@GLib.Error]
 *
 * Receives what is there, waiting for the first byte, and the descriptors that
 * came with it. They close on exec, and when the list goes; take one out with
 * [method@Gio.UnixFDList.steal_fds] or a copy with
 * [method@Gio.UnixFDList.get].
 *
 * When more descriptors come than expected, or this process can have no more,
 * all of them are closed, and the call fails: half of a set is worth nothing.
 *
 * A handler's `rfile` reads ahead, and descriptors that come with what is read
 * ahead are lost. So receive them before the first use of `rfile`.
 *
 * Fails with %SRV_ERROR_TRUNCATED, %G_IO_ERROR_NOT_SUPPORTED on a connection that
 * is no Unix socket, or to which others may post, %G_IO_ERROR_TIMED_OUT,
 * %G_IO_ERROR_CLOSED, or what the system reports.
 *
 * Threads: the one that the connection belongs to. In Python:
 * `socket.recv_fds()`, which leaves it to the caller to look at the flag of
 * truncation.
 *
 * Returns: the number of bytes, 0 at the end of the stream, -1 with @error set
 */
gssize
srv_recv_fds (SrvConnection *connection,
              void *buffer,
              gsize count,
              guint max_fds,
              GUnixFDList **fds,
              GError **error)
{
  const gsize room =
    CMSG_SPACE (max_fds * sizeof (int)) + CMSG_SPACE (sizeof (struct ucred));
  struct iovec bytes = { buffer, count };
  Control control;
  struct msghdr message = { .msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = &control };
  gssize n;

  g_return_val_if_fail (SRV_IS_CONNECTION (connection), -1);
  g_return_val_if_fail (buffer != NULL && count > 0, -1);
  g_return_val_if_fail (max_fds > 0 && max_fds <= SRV_MAX_FDS, -1);
  g_return_val_if_fail (fds != NULL, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (!check (connection, "receive descriptors", error))
    return -1;
  n = receive_message (connection, &message, room, error);
  if (n < 0 || !keep_fds (&message, max_fds, fds, error))
    return -1;
  return n;
}
