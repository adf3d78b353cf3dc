/* srv-children.c - child processes, and when they end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each child is watched by a pidfd, and all of them by one epoll descriptor,
 * which the loop polls. A child is waited for by its own number and nobody
 * else is, because other code has children as well.
 */

#include "config.h"

#include "srv-children-private.h"

#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-process-private.h"

#include <errno.h>
#include <gio/gio.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* How often children without a pidfd are asked whether they have ended. */
#define SWEEP_INTERVAL_MS 50

/* How long a busy system may need to end who was killed. */
#define DEATH_LIMIT_MS 10000

typedef struct
{
  int pid;
  int pidfd; /* owned; -1 if there is none */
} Child;

static void
clear_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* A plain array: each page that a table would spread over is one more page that
 * is copied at every fork. */
void
srv_children_init (SrvChildren *self)
{
  self->all = g_array_new (FALSE, FALSE, sizeof (Child));
  self->dropped = FALSE;
  self->epoll_fd = -1;
  self->sweep_fd = -1;
}

static Child *
nth (SrvChildren *self, guint i)
{
  return &g_array_index (self->all, Child, i);
}

/* Where it is, or as many as there are. */
static guint
find (SrvChildren *self, pid_t pid)
{
  guint i = 0;

  while (i < srv_children_count (self) && nth (self, i)->pid != pid)
    i++;
  return i;
}

static void
close_all (SrvChildren *self)
{
  for (guint i = 0; i < srv_children_count (self); i++)
    if (nth (self, i)->pidfd >= 0)
      close (nth (self, i)->pidfd);
  clear_fd (&self->epoll_fd);
  clear_fd (&self->sweep_fd);
}

void
srv_children_clear (SrvChildren *self)
{
  close_all (self);
  g_clear_pointer (&self->all, g_array_unref);
}

void
srv_children_drop (SrvChildren *self)
{
  close_all (self);
  self->dropped = TRUE;
}

/* Makes the descriptor that the loop polls, if there is none yet. */
gboolean
srv_children_open (SrvChildren *self, GError **error)
{
  if (self->epoll_fd < 0)
    self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll_fd >= 0)
    return TRUE;
  return srv_set_errno_error (error, errno,
                              "could not make an epoll descriptor");
}

int
srv_children_get_fd (SrvChildren *self)
{
  return self->epoll_fd;
}

/* What the epoll set knows a descriptor by: the child, or 0 for the timer. */
static gboolean
watch_fd (SrvChildren *self, int fd, pid_t pid)
{
  struct epoll_event event = { .events = EPOLLIN, .data.fd = pid };

  return epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Without a pidfd, for want of a descriptor or on a kernel without them, a
 * child is asked for from time to time until it has ended. */
static void
start_sweeping (SrvChildren *self)
{
  const struct itimerspec interval = {
    .it_interval.tv_nsec = SWEEP_INTERVAL_MS * 1000000,
    .it_value.tv_nsec = SWEEP_INTERVAL_MS * 1000000,
  };

  if (self->sweep_fd >= 0)
    return;
  self->sweep_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (self->sweep_fd >= 0 &&
      (timerfd_settime (self->sweep_fd, 0, &interval, NULL) != 0 ||
       !watch_fd (self, self->sweep_fd, 0)))
    clear_fd (&self->sweep_fd);
}

void
srv_children_watch (SrvChildren *self, pid_t pid)
{
  Child child = { pid, srv_process_open_pidfd (pid) };

  if (self->dropped)
    g_array_set_size (self->all, 0);
  self->dropped = FALSE;
  if (child.pidfd >= 0 && !watch_fd (self, child.pidfd, pid))
    clear_fd (&child.pidfd);
  if (child.pidfd < 0)
    start_sweeping (self);
  g_array_append_val (self->all, child);
}

guint
srv_children_count (SrvChildren *self)
{
  return self->dropped ? 0 : self->all->len;
}

GArray *
srv_children_list (SrvChildren *self)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (int));

  for (guint i = 0; i < srv_children_count (self); i++)
    g_array_append_val (pids, nth (self, i)->pid);
  return pids;
}

/* How many have ended: one, or none if it was too early, or if somebody who was
 * told of another end has collected this one meanwhile. The pidfd leaves the
 * epoll set before it is closed: a child that was forked just now still has a
 * copy, and the set would go on reporting it. */
static guint
collect_one (SrvChildren *self,
             pid_t pid,
             SrvChildEnded ended,
             gpointer user_data)
{
  guint i = find (self, pid);
  int wait_status = 0;
  int pidfd;

  if (i == srv_children_count (self) ||
      !srv_process_has_ended (pid, &wait_status))
    return 0;
  pidfd = nth (self, i)->pidfd;
  g_array_remove_index_fast (self->all, i);
  if (pidfd >= 0)
    {
      epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, pidfd, NULL);
      close (pidfd);
    }
  ended (user_data, pid, wait_status);
  return 1;
}

/* Asks for the children that have no pidfd; stops when none is left. */
static guint
sweep (SrvChildren *self, SrvChildEnded ended, gpointer user_data)
{
  g_autoptr (GArray) pids = srv_children_list (self);
  guint n_left = 0;
  guint n_ended = 0;
  guint64 ticks;

  if (self->sweep_fd >= 0 && read (self->sweep_fd, &ticks, sizeof ticks) < 0)
    g_assert (errno == EAGAIN || errno == EINTR);
  for (guint i = 0; i < pids->len; i++)
    {
      pid_t pid = g_array_index (pids, int, i);
      guint at = find (self, pid);

      if (at == srv_children_count (self) || nth (self, at)->pidfd >= 0)
        continue;
      if (collect_one (self, pid, ended, user_data) > 0)
        n_ended++;
      else
        n_left++;
    }
  if (n_left == 0)
    clear_fd (&self->sweep_fd);
  return n_ended;
}

/* Collects those that have ended, without waiting, and tells of each. */
guint
srv_children_collect (SrvChildren *self,
                      SrvChildEnded ended,
                      gpointer user_data)
{
  struct epoll_event events[32];
  guint n_ended = 0;
  int n = 0;

  do
    {
      if (self->epoll_fd >= 0)
        n = epoll_wait (self->epoll_fd, events, G_N_ELEMENTS (events), 0);
      for (int i = 0; i < n; i++)
        if (events[i].data.fd == 0)
          n_ended += sweep (self, ended, user_data);
        else
          n_ended += collect_one (self, events[i].data.fd, ended, user_data);
    }
  while (n == G_N_ELEMENTS (events));
  return n_ended;
}

void
srv_children_kill (SrvChildren *self, int signo)
{
  for (guint i = 0; i < srv_children_count (self); i++)
    kill (nth (self, i)->pid, signo);
}

/* Kills them so that none can refuse. However short the limits of a close are,
 * a killed child is waited for until the system has got to it, or it would be
 * left as a zombie. Returns when to give up, which is not before @deadline. */
gint64
srv_children_kill_for_good (SrvChildren *self, gint64 deadline)
{
  srv_children_kill (self, SIGKILL);
  return deadline == SRV_DEADLINE_NEVER
           ? deadline
           : MAX (deadline, srv_deadline_from_ms (DEATH_LIMIT_MS));
}
