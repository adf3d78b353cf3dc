/* srv-connection-close.c - the end of a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-connection-private.h"
#include "srv-deadline-private.h"
#include "srv-request.h"
#include "srv-spawn-private.h"
#include "srv-wait.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How much unread input a closing connection takes in before it gives up on an
 * orderly end. */
#define LINGER_MAX_BYTES (1024 * 1024)

/* A client that has sent nothing for so long is not in the middle of sending,
 * and waits for us: then the close does no harm. */
#define LINGER_QUIET_MS 50

/* Takes the descriptor away under the lock, so that a cut from another thread
 * cannot hit the next file that gets the number. */
static int
steal_fd (SrvConnection *self)
{
  int fd;

  g_bit_lock (&self->fd_lock, 0);
  fd = g_steal_fd (&self->fd);
  g_bit_unlock (&self->fd_lock, 0);
  return fd;
}

/* close () is never repeated: on Linux the descriptor is gone whatever it
 * returns, and there is nobody who could do anything about an error. */
void
srv_connection_close_fd (SrvConnection *self)
{
  int fd;

  if (srv_connection_has_posts (self))
    srv_connection_end_posts (self);
  fd = steal_fd (self);
  srv_fiber_watch_clear (&self->watch);
  if (fd >= 0)
    close (fd);
}

/* Whether somebody but the caller may be using it: another serves it, or is
 * beside him who does; or, if no server has it, another fiber waits. */
static gboolean
is_in_use (SrvConnection *self)
{
  if (g_atomic_pointer_get (&self->link.set) == NULL)
    return self->watch.waits != NULL;
  return srv_task_get (SRV_TASK_REQUEST) != self || !srv_spawn_is_alone ();
}

/* To close a descriptor wakes nobody who waits for it, and the next file may get
 * its number before he looks again. A stream that lies over the connection, such
 * as TLS, closes it wherever its last reference is dropped. */
static void
end_for_others (SrvConnection *self)
{
  if (srv_connection_has_posts (self))
    srv_connection_end_posts (self);
  srv_request_cut (SRV_REQUEST (self));
}

void
srv_connection_close_or_end (SrvConnection *self)
{
  if (is_in_use (self))
    end_for_others (self);
  else
    srv_connection_close_fd (self);
}

/* Until the client has sent more, or has been quiet for a while. */
static gboolean
wait_for_more (SrvConnection *self, gint64 deadline)
{
  deadline =
    srv_deadline_min (deadline, srv_deadline_from_ms (LINGER_QUIET_MS));
  if (srv_task_fiber () != NULL)
    return srv_connection_wait_in_fiber (self, EPOLLIN, deadline, NULL, NULL,
                                         NULL);
  return srv_wait_fd (self->fd, G_IO_IN, deadline, NULL, NULL);
}

/* Takes in what the client had already sent, and what it still sends, for a
 * while: closing over unread input would make the kernel send a reset, and the
 * client could lose the reply that it has not read yet. */
static void
drain_input (SrvConnection *self, int linger_timeout_ms)
{
  char sink[4096];
  gsize total = 0;
  gint64 deadline = SRV_DEADLINE_NEVER;
  gssize n;

  while (total < LINGER_MAX_BYTES)
    {
      n = recv (self->fd, sink, sizeof sink, MSG_DONTWAIT);
      if (n > 0)
        total += (gsize) n;
      else if (n == 0 || errno != EAGAIN || total == 0)
        return;
      if (deadline == SRV_DEADLINE_NEVER)
        deadline = srv_deadline_from_ms (linger_timeout_ms);
      if (n < 0 && !wait_for_more (self, deadline))
        return;
    }
}

/* Ends the connection in order: what was posted, our half, then the client's,
 * bounded. The descriptor stays open. A client that has ended its half needs no
 * more than the posts: the close alone, which follows, tells it; unless a copy
 * of the descriptor would keep the connection open. */
void
srv_connection_hang_up (SrvConnection *self, int linger_timeout_ms)
{
  if (srv_connection_has_posts (self))
    srv_connection_finish_posts (self, linger_timeout_ms);
  if (self->at_end && self->socket == NULL)
    return;
  if (self->fd >= 0 && shutdown (self->fd, SHUT_WR) == 0 && !self->at_end &&
      linger_timeout_ms > 0)
    drain_input (self, linger_timeout_ms);
}

/* Closes the copy of the descriptor that a forked child has, and nothing else:
 * the socket, and the epoll set that it may be in, are its parent's as well. */
void
srv_connection_abandon (SrvConnection *self)
{
  if (self->fd >= 0)
    close (g_steal_fd (&self->fd));
}
