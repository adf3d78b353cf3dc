/* srv-wait-set.c - waiting for one of several descriptors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-wait-set-private.h"

#include "fiber/srv-fiber-private.h"
#include "srv-deadline-private.h"
#include "srv-errno-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

struct _SrvWaitSet
{
  gboolean shared;
  int fds[SRV_WAIT_SET_SIZE]; /* what is registered in each slot; -1: nothing */

  /* In a thread that shares: */
  int epoll_fd;

  /* In a fiber: */
  gboolean in_fiber;
  SrvFiberWatch watches[SRV_WAIT_SET_SIZE];
};

SrvWaitSet *
srv_wait_set_new (gboolean shared)
{
  SrvWaitSet *self = g_new0 (SrvWaitSet, 1);

  self->shared = shared;
  self->in_fiber = srv_task_fiber () != NULL;
  self->epoll_fd = -1;
  for (int i = 0; i < SRV_WAIT_SET_SIZE; i++)
    self->fds[i] = -1;
  return self;
}

void
srv_wait_set_free (SrvWaitSet *self)
{
  for (int i = 0; i < SRV_WAIT_SET_SIZE; i++)
    srv_fiber_watch_clear (&self->watches[i]);
  if (self->epoll_fd >= 0)
    close (self->epoll_fd);
  g_free (self);
}

/* The last slot is the listener. Of those who share it, one is woken. */
static guint32
events_of (const SrvWaitSet *self, int slot)
{
  if (self->shared && slot == SRV_WAIT_SET_SIZE - 1)
    return EPOLLIN | EPOLLEXCLUSIVE;
  return EPOLLIN;
}

static gboolean
change_epoll (SrvWaitSet *self, int slot, int fd)
{
  struct epoll_event event = {
    .events = events_of (self, slot),
    .data.u32 = (guint32) slot,
  };

  if (self->epoll_fd < 0)
    self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->fds[slot] >= 0)
    epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, self->fds[slot], NULL);
  return fd < 0 || epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static gboolean
change_watch (SrvWaitSet *self, int slot, int fd)
{
  srv_fiber_watch_clear (&self->watches[slot]);
  return fd < 0 || srv_fiber_watch_init (&self->watches[slot], fd,
                                         events_of (self, slot));
}

static gboolean
update (SrvWaitSet *self, const struct pollfd *fds)
{
  for (int i = 0; i < SRV_WAIT_SET_SIZE; i++)
    {
      if (self->fds[i] == fds[i].fd)
        continue;
      if (!(self->in_fiber ? change_watch (self, i, fds[i].fd)
                           : change_epoll (self, i, fds[i].fd)))
        return FALSE;
      self->fds[i] = fds[i].fd;
    }
  return TRUE;
}

static int
wait_in_thread (struct pollfd *fds, gint64 deadline)
{
  return poll (fds, SRV_WAIT_SET_SIZE, srv_deadline_poll_timeout (deadline));
}

static int
wait_shared (SrvWaitSet *self, struct pollfd *fds, gint64 deadline)
{
  struct epoll_event events[SRV_WAIT_SET_SIZE];
  int n;

  if (!update (self, fds))
    return -1;
  n = epoll_wait (self->epoll_fd, events, SRV_WAIT_SET_SIZE,
                  srv_deadline_poll_timeout (deadline));
  for (int i = 0; i < n; i++)
    fds[events[i].data.u32].revents = (short) events[i].events;
  return n;
}

static int
wait_in_fiber (SrvWaitSet *self, struct pollfd *fds, gint64 deadline)
{
  SrvFiberWatch *watches[SRV_WAIT_SET_SIZE];

  if (!update (self, fds))
    return -1;
  for (int i = 0; i < SRV_WAIT_SET_SIZE; i++)
    watches[i] = &self->watches[i];
  srv_fiber_watch_wait_any (watches, SRV_WAIT_SET_SIZE, deadline);
  for (int i = 0; i < SRV_WAIT_SET_SIZE; i++)
    if (fds[i].fd >= 0)
      fds[i].revents = (short) self->watches[i].ready;
  return 0;
}

gboolean
srv_wait_set_wait (SrvWaitSet *self,
                   struct pollfd *fds,
                   gint64 deadline,
                   GError **error)
{
  int n;

  for (int i = 0; i < SRV_WAIT_SET_SIZE; i++)
    fds[i].revents = 0;
  if (self->in_fiber)
    n = wait_in_fiber (self, fds, deadline);
  else if (self->shared)
    n = wait_shared (self, fds, deadline);
  else
    n = wait_in_thread (fds, deadline);
  if (n >= 0 || errno == EINTR)
    return TRUE;
  return srv_set_errno_error (error, errno, "could not wait for requests");
}

void
srv_wait_set_yield (SrvWaitSet *self)
{
  if (self->in_fiber)
    srv_fiber_yield ();
}

/* What polls by level needs no telling. */
void
srv_wait_set_drained (SrvWaitSet *self, guint slot)
{
  if (self->in_fiber)
    srv_fiber_watch_drained (&self->watches[slot], EPOLLIN);
}
