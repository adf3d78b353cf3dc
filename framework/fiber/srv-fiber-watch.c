/* srv-fiber-watch.c - descriptors, registered once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A descriptor is put into the worker's epoll set once, edge-triggered, and
 * stays there: to add it before each wait and take it out after would cost two
 * system calls for each message, a third of the time that an echo takes.
 */

#include "config.h"

#include "srv-fiber-private.h"
#include "srv-fiber-worker-private.h"

#include <errno.h>
#include <sys/epoll.h>

/* What a wait for @events ends by. That the peer has ended its half is news for
 * who reads, and none for who writes. Endings do not pass. */
static guint32
with_endings (guint32 events)
{
  return events | EPOLLHUP | EPOLLERR |
         ((events & EPOLLIN) != 0 ? EPOLLRDHUP : 0);
}

gboolean
srv_fiber_watch_init (SrvFiberWatch *self, int fd, guint32 events)
{
  struct epoll_event event = { .events = events | EPOLLET, .data.ptr = self };

  *self = (SrvFiberWatch){ .worker = srv_fiber_worker_self (), .fd = fd };
  if (epoll_ctl (srv_fiber_worker_get_epoll_fd (self->worker), EPOLL_CTL_ADD,
                 fd, &event) != 0)
    {
      self->worker = NULL;
      return FALSE;
    }
  srv_fiber_worker_ref (self->worker);
  return TRUE;
}

void
srv_fiber_watch_change (SrvFiberWatch *self, guint32 events)
{
  struct epoll_event event = { .events = events | EPOLLET, .data.ptr = self };

  epoll_ctl (srv_fiber_worker_get_epoll_fd (self->worker), EPOLL_CTL_MOD,
             self->fd, &event);
}

void
srv_fiber_watch_clear (SrvFiberWatch *self)
{
  if (self->worker == NULL)
    return;
  g_assert (self->waits == NULL);
  epoll_ctl (srv_fiber_worker_get_epoll_fd (self->worker), EPOLL_CTL_DEL,
             self->fd, NULL);
  srv_fiber_worker_unref (g_steal_pointer (&self->worker));
}

void
srv_fiber_watch_note (SrvFiberWatch *self, guint32 events)
{
  self->ready |= events;
  for (SrvFiberWait *wait = self->waits; wait != NULL; wait = wait->next)
    if ((events & wait->awaited) != 0)
      srv_fiber_unpark (wait->fiber);
}

/* A read or a write has found that there is no more for now. */
void
srv_fiber_watch_drained (SrvFiberWatch *self, guint32 events)
{
  if ((self->ready & (with_endings (events) & ~events)) == 0)
    self->ready &= ~events;
}

static void
add_wait (SrvFiberWatch *self, SrvFiberWait *wait, guint32 awaited)
{
  wait->fiber = srv_task_fiber ();
  wait->awaited = awaited;
  wait->next = self->waits;
  self->waits = wait;
}

static void
remove_wait (SrvFiberWatch *self, SrvFiberWait *wait)
{
  SrvFiberWait **link = &self->waits;

  while (*link != wait)
    link = &(*link)->next;
  *link = wait->next;
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer fiber)
{
  srv_fiber_unpark (fiber);
}

/* FALSE when the deadline has passed. */
G_GNUC_NO_INLINE static gboolean
park_cancellable (SrvFiberWatch *self,
                  guint32 awaited,
                  gint64 deadline,
                  GCancellable *cancellable)
{
  gboolean in_time = TRUE;
  gulong id;

  /* Unparks at once if it is cancelled already. */
  id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                              srv_task_fiber (), NULL);
  while (in_time && (self->ready & awaited) == 0 &&
         !g_cancellable_is_cancelled (cancellable))
    in_time = srv_fiber_park (deadline);
  g_cancellable_disconnect (cancellable, id);
  return in_time;
}

SrvFiberResult
srv_fiber_watch_wait (SrvFiberWatch *self,
                      guint32 events,
                      gint64 deadline,
                      GCancellable *cancellable)
{
  const guint32 awaited = with_endings (events);
  SrvFiberWait wait;
  gboolean in_time = TRUE;

  if ((self->ready & awaited) != 0)
    return SRV_FIBER_READY;
  add_wait (self, &wait, awaited);
  if (G_UNLIKELY (cancellable != NULL))
    in_time = park_cancellable (self, awaited, deadline, cancellable);
  else
    while (in_time && (self->ready & awaited) == 0)
      in_time = srv_fiber_park (deadline);
  remove_wait (self, &wait);
  if ((self->ready & awaited) != 0)
    return SRV_FIBER_READY;
  return in_time ? SRV_FIBER_CANCELLED : SRV_FIBER_TIMED_OUT;
}

static gboolean
any_ready (SrvFiberWatch **watches, guint n_watches, guint32 awaited)
{
  for (guint i = 0; i < n_watches; i++)
    if (watches[i]->worker != NULL && (watches[i]->ready & awaited) != 0)
      return TRUE;
  return FALSE;
}

SrvFiberResult
srv_fiber_watch_wait_any (SrvFiberWatch **watches,
                          guint n_watches,
                          gint64 deadline)
{
  const guint32 awaited = with_endings (EPOLLIN);
  SrvFiberWait waits[8];
  gboolean in_time = TRUE;

  g_assert (n_watches <= G_N_ELEMENTS (waits));
  for (guint i = 0; i < n_watches; i++)
    if (watches[i]->worker != NULL)
      add_wait (watches[i], &waits[i], awaited);
  while (in_time && !any_ready (watches, n_watches, awaited))
    in_time = srv_fiber_park (deadline);
  for (guint i = 0; i < n_watches; i++)
    if (watches[i]->worker != NULL)
      remove_wait (watches[i], &waits[i]);
  return in_time ? SRV_FIBER_READY : SRV_FIBER_TIMED_OUT;
}
