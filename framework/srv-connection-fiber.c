/* srv-connection-fiber.c - sending and receiving in a fiber
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same two system calls as in a thread, but neither waits: where the kernel
 * would, the fiber parks. The descriptor stays in blocking mode, so that the
 * connection can still be used from a thread, by the handshake of TLS for
 * instance.
 */

#include "config.h"

#include "srv-connection-private.h"
#include "srv-nowait-private.h"

#include <errno.h>
#include <sys/epoll.h>

/* Room to write is asked for only while it is waited for: over a Unix socket the
 * system tells of it with every message that the client takes. */
#define USUAL_INTEREST (EPOLLIN | EPOLLRDHUP)

/* How many calls in a row one connection may make before others run. */
#define MAX_TURNS 16

/* Who has the connection from now on may be another worker's. */
void
srv_connection_leave_worker (SrvConnection *self)
{
  srv_fiber_watch_clear (&self->watch);
}

static gboolean
check_result (SrvFiberResult result,
              GCancellable *cancellable,
              const char *what,
              GError **error)
{
  if (result == SRV_FIBER_READY)
    return TRUE;
  if (result == SRV_FIBER_TIMED_OUT)
    return srv_connection_fail_timed_out (what, error) >= 0;
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* Parks until something of @events has happened since the last time that it was
 * missed. The descriptor joins the worker's set when there is something to wait
 * for; a client whose request has come with its connection never needs it. */
gboolean
srv_connection_wait_in_fiber (SrvConnection *self,
                              guint32 events,
                              gint64 deadline,
                              GCancellable *cancellable,
                              const char *what,
                              GError **error)
{
  SrvFiberResult result;

  if (self->watch.worker == NULL &&
      !srv_fiber_watch_init (&self->watch, self->fd, USUAL_INTEREST))
    return srv_connection_fail (what, errno, error) >= 0;
  if (events == EPOLLOUT)
    srv_fiber_watch_change (&self->watch, USUAL_INTEREST | EPOLLOUT);
  result = srv_fiber_watch_wait (&self->watch, events, deadline, cancellable);
  if (events == EPOLLOUT)
    srv_fiber_watch_change (&self->watch, USUAL_INTEREST);
  return check_result (result, cancellable, what, error);
}

/* Who never has to wait, because his client is faster than he, lets the others
 * of the worker have a turn now and then. A client that waits for its answer
 * never brings it about. */
static void
take_turns (SrvConnection *self)
{
  if (G_LIKELY (++self->n_turns < MAX_TURNS))
    return;
  self->n_turns = 0;
  srv_fiber_yield ();
}

/* A read that gave less than there was room for has taken everything: then the
 * next one need not ask the kernel in vain. */
gssize
srv_connection_receive_in_fiber (SrvConnection *self,
                                 void *buffer,
                                 gsize count,
                                 gint64 deadline,
                                 GCancellable *cancellable,
                                 GError **error)
{
  SrvFiberResult result = SRV_FIBER_READY;
  gssize n;

  deadline = srv_deadline_min (deadline, srv_connection_own_deadline (self));
  if (cancellable != NULL &&
      g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;
  for (;;)
    {
      if (self->watch.worker != NULL)
        result =
          srv_fiber_watch_wait (&self->watch, EPOLLIN, deadline, cancellable);
      if (!check_result (result, cancellable, "receive", error))
        return -1;
      n = srv_recv_nowait (self->fd, buffer, count);
      if (n == (gssize) count)
        take_turns (self);
      else
        {
          self->n_turns = 0;
          srv_fiber_watch_drained (&self->watch, EPOLLIN);
        }
      if (n >= 0)
        return n;
      if (errno == EAGAIN && self->watch.worker == NULL)
        {
          if (!srv_connection_wait_in_fiber (self, EPOLLIN, deadline,
                                             cancellable, "receive", error))
            return -1;
        }
      else if (errno != EAGAIN && errno != EINTR)
        return srv_connection_fail ("receive", errno, error);
    }
}

/* After a send that took @n of @count bytes, or failed. */
G_GNUC_NO_INLINE static gboolean
send_rest (SrvConnection *self,
           const char *next,
           gsize count,
           gssize n,
           GCancellable *cancellable,
           GError **error)
{
  const gint64 deadline = srv_connection_own_deadline (self);

  while (n != (gssize) count)
    {
      if (n < 0 && errno != EAGAIN && errno != EINTR)
        return srv_connection_fail ("send", errno, error) >= 0;
      next += MAX (n, 0);
      count -= (gsize) MAX (n, 0);
      srv_fiber_watch_drained (&self->watch, EPOLLOUT);
      if (!srv_connection_wait_in_fiber (self, EPOLLOUT, deadline, cancellable,
                                         "send", error))
        return FALSE;
      n = srv_send_nowait (self->fd, next, count);
    }
  take_turns (self);
  return TRUE;
}

gboolean
srv_connection_send_in_fiber (SrvConnection *self,
                              const char *next,
                              gsize count,
                              GCancellable *cancellable,
                              GError **error)
{
  gssize n = srv_send_nowait (self->fd, next, count);

  if (n == (gssize) count)
    {
      take_turns (self);
      return TRUE;
    }
  return send_rest (self, next, count, n, cancellable, error);
}
