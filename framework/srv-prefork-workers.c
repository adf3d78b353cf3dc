/* srv-prefork-workers.c - the workers of a prefork server, for the parent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parent sleeps until something is new: a worker has ended, there are too
 * few or too many that are idle, one asks for a stop, or a pause is over. Then
 * it looks at the scoreboard, and makes the number of workers right.
 */

#include "config.h"

#include "srv-prefork-private.h"

#include "srv-base-server-private.h"
#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-log-private.h"
#include "srv-worker-process-private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long workers may take to stop accepting. */
#define LEAVE_LIMIT_MS 10000

static void
clear_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
worker_free (gpointer data)
{
  SrvPreforkWorker *self = data;

  clear_fd (&self->leash_fd);
  g_free (self);
}

SrvPrefork *
srv_prefork_new (const SrvPreforkSettings *settings,
                 SrvChildEnded ended,
                 gpointer user_data)
{
  SrvPrefork *self = g_new0 (SrvPrefork, 1);

  self->settings = settings;
  self->ended = ended;
  self->user_data = user_data;
  srv_children_init (&self->children);
  self->workers = g_hash_table_new_full (NULL, NULL, NULL, worker_free);
  self->epoll_fd = -1;
  self->news_fd = -1;
  self->stop_fd = -1;
  self->timer_fd = -1;
  return self;
}

/* Workers that still run see the end of their leash. */
void
srv_prefork_free (SrvPrefork *self)
{
  g_hash_table_unref (self->workers);
  srv_children_clear (&self->children);
  g_clear_pointer (&self->scoreboard, srv_scoreboard_unref);
  clear_fd (&self->epoll_fd);
  clear_fd (&self->news_fd);
  clear_fd (&self->stop_fd);
  clear_fd (&self->timer_fd);
  g_free (self);
}

int
srv_prefork_get_fd (SrvPrefork *self)
{
  return self->epoll_fd;
}

guint
srv_prefork_count (SrvPrefork *self)
{
  return g_hash_table_size (self->workers);
}

SrvScoreboard *
srv_prefork_get_scoreboard (SrvPrefork *self)
{
  return g_atomic_pointer_get (&self->scoreboard);
}

/* Descriptors */

static gboolean
watch_fd (SrvPrefork *self, int fd)
{
  struct epoll_event event = { .events = EPOLLIN };

  return fd >= 0 && epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static gboolean
open_descriptors (SrvPrefork *self, GError **error)
{
  if (self->epoll_fd >= 0)
    return TRUE;
  if (!srv_children_open (&self->children, error))
    return FALSE;
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->news_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (watch_fd (self, srv_children_get_fd (&self->children)) &&
      watch_fd (self, self->news_fd) && watch_fd (self, self->stop_fd) &&
      watch_fd (self, self->timer_fd))
    return TRUE;
  srv_set_errno_error (error, errno, "could not make what workers need");
  clear_fd (&self->epoll_fd);
  clear_fd (&self->news_fd);
  clear_fd (&self->stop_fd);
  clear_fd (&self->timer_fd);
  return FALSE;
}

/* Whether an event or more had come. */
static gboolean
take_event (int fd)
{
  guint64 count;

  return read (fd, &count, sizeof count) == sizeof count;
}

static void
set_timer (SrvPrefork *self, gint64 when)
{
  const struct itimerspec at = {
    .it_value.tv_sec = when / G_USEC_PER_SEC,
    .it_value.tv_nsec = when % G_USEC_PER_SEC * 1000,
  };

  timerfd_settime (self->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Orders */

/* A worker that does not hear any more is about to end. The leash is a socket
 * because a pipe without a reader would raise SIGPIPE. */
static void
give_order (SrvPreforkWorker *worker, SrvOrder order)
{
  char byte = (char) order;

  if (order == SRV_ORDER_LEAVE)
    {
      worker->was_sent_away = TRUE;
      srv_scoreboard_slot_leave (worker->slot);
    }
  while (send (worker->leash_fd, &byte, 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
    continue;
}

static void
give_order_to_all (SrvPrefork *self, SrvOrder order)
{
  GHashTableIter iter;
  gpointer worker;

  g_hash_table_iter_init (&iter, self->workers);
  while (g_hash_table_iter_next (&iter, NULL, &worker))
    give_order (worker, order);
}

static void
send_away_idle (SrvPrefork *self, guint n)
{
  GHashTableIter iter;
  gpointer data;

  g_hash_table_iter_init (&iter, self->workers);
  while (n > 0 && g_hash_table_iter_next (&iter, NULL, &data))
    {
      SrvPreforkWorker *worker = data;

      if (g_atomic_int_get (&worker->slot->is_leaving) ||
          g_atomic_int_get (&worker->slot->n_active) > 0)
        continue;
      give_order (worker, SRV_ORDER_LEAVE);
      n--;
    }
}

/* Ends */

static guint64
count_served (SrvPrefork *self)
{
  return self->n_served_old + srv_scoreboard_count_served (self->scoreboard);
}

static gboolean
is_crash (const SrvPreforkWorker *worker, int wait_status)
{
  return !worker->was_sent_away && wait_status != -1 &&
         !(WIFEXITED (wait_status) && WEXITSTATUS (wait_status) == 0);
}

static void
tell_crash (SrvBaseServer *server, pid_t pid, int wait_status)
{
  if (WIFSIGNALED (wait_status))
    srv_log (G_LOG_LEVEL_WARNING, "worker-crashed", server, NULL,
             "worker %d was ended by signal %d", (int) pid,
             WTERMSIG (wait_status));
  else
    srv_log (G_LOG_LEVEL_WARNING, "worker-crashed", server, NULL,
             "worker %d ended with exit status %d", (int) pid,
             WEXITSTATUS (wait_status));
}

typedef struct
{
  SrvPrefork *self;
  SrvBaseServer *server;
} Collecting;

static void
on_ended (gpointer user_data, pid_t pid, int wait_status)
{
  const Collecting *collecting = user_data;
  SrvPrefork *self = collecting->self;
  SrvPreforkWorker *worker =
    g_hash_table_lookup (self->workers, GINT_TO_POINTER (pid));
  gint64 age;
  gboolean crashed;

  /* Whoever is told of another end may have closed the server. */
  if (worker == NULL)
    return;
  age = g_get_monotonic_time () - worker->slot->started;
  crashed = is_crash (worker, wait_status);
  if (crashed)
    srv_crash_row_note (&self->crashes, age, count_served (self));
  self->n_served_old += worker->slot->n_served;
  srv_base_server_take_over_slot (collecting->server, worker->slot);
  g_hash_table_remove (self->workers, GINT_TO_POINTER (pid));
  if (crashed)
    tell_crash (collecting->server, pid, wait_status);
  self->ended (self->user_data, pid, wait_status);
}

static void
collect (SrvPrefork *self, SrvBaseServer *server)
{
  Collecting collecting = { self, server };

  srv_children_collect (&self->children, on_ended, &collecting);
}

/* Supervision */

/* How many workers there shall be, of which @n are there. */
static guint
count_needed (SrvPrefork *self, guint n, guint n_idle)
{
  const SrvPreforkSettings *settings = self->settings;
  guint least = srv_prefork_count_wanted (settings);
  guint most = MAX (settings->max_workers, least);
  guint needed = MAX (n, least);

  if (most > least && n_idle < settings->min_spare)
    needed = MAX (needed, n + settings->min_spare - n_idle);
  return MIN (needed, MIN (most, SRV_SCOREBOARD_SIZE / 2));
}

static void
retire_spare (SrvPrefork *self, guint n, guint n_idle)
{
  guint least = srv_prefork_count_wanted (self->settings);

  if (self->settings->max_workers > least && n > least &&
      n_idle > self->settings->max_spare)
    send_away_idle (self, MIN (n - least, n_idle - self->settings->max_spare));
}

/* Those that are there go on without the one that could not be had, and it is
 * tried again after a while. */
static gboolean
survive (SrvPrefork *self, SrvBaseServer *server, GError *failure)
{
  srv_log (G_LOG_LEVEL_WARNING, "no-worker", server, NULL, "%s",
           failure->message);
  srv_crash_row_pause (&self->crashes);
  set_timer (self, self->crashes.resume_at);
  g_error_free (failure);
  return TRUE;
}

static gboolean
start_missing (SrvPrefork *self,
               SrvBaseServer *server,
               guint n,
               guint n_idle,
               GError **error)
{
  guint needed = count_needed (self, n, n_idle);
  GError *failure = NULL;

  if (n >= needed)
    return TRUE;
  if (srv_crash_row_must_wait (&self->crashes))
    {
      set_timer (self, self->crashes.resume_at);
      return TRUE;
    }
  if (!srv_prefork_check_threads (self, server, error))
    return FALSE;
  for (; n < needed; n++)
    if (!srv_prefork_start_worker (self, server, &failure))
      {
        if (n > 0)
          return survive (self, server, failure);
        g_propagate_error (error, failure);
        return FALSE;
      }
  return TRUE;
}

/* Makes the number of workers right. */
static gboolean
adjust (SrvPrefork *self, SrvBaseServer *server, GError **error)
{
  guint n = srv_scoreboard_count_staying (self->scoreboard);
  guint n_idle = srv_scoreboard_count_idle (self->scoreboard, G_MAXUINT);

  if (!start_missing (self, server, n, n_idle, error))
    return FALSE;
  retire_spare (self, n, n_idle);
  return TRUE;
}

gboolean
srv_prefork_supervise (SrvPrefork *self, SrvBaseServer *server, GError **error)
{
  GError *failure;

  take_event (self->news_fd);
  take_event (self->timer_fd);
  collect (self, server);
  if (take_event (self->stop_fd))
    srv_base_server_stop (server);
  failure = srv_scoreboard_take_failure (self->scoreboard);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (srv_base_server_must_stop (server))
    return TRUE;
  return srv_crash_row_check (&self->crashes, self->settings->crash_limit,
                              error) &&
         adjust (self, server, error);
}

/* Others may read it as soon as it is there. */
static gboolean
open_scoreboard (SrvPrefork *self, SrvBaseServer *server, GError **error)
{
  SrvScoreboard *scoreboard;

  if (self->scoreboard != NULL)
    return TRUE;
  scoreboard = srv_scoreboard_new (error);
  if (scoreboard == NULL)
    return FALSE;
  srv_base_server_set_scoreboard (server, scoreboard);
  g_atomic_pointer_set (&self->scoreboard, scoreboard);
  return TRUE;
}

/* A wish to stop that was meant for the run before is void. */
gboolean
srv_prefork_start (SrvPrefork *self, SrvBaseServer *server, GError **error)
{
  if (!open_descriptors (self, error))
    return FALSE;
  if (!open_scoreboard (self, server, error))
    return FALSE;
  srv_prefork_warm_up (server);
  take_event (self->stop_fd);
  srv_crash_row_clear (&self->crashes);
  return srv_base_server_must_stop (server) || adjust (self, server, error);
}

static gboolean
have_all_left (SrvPrefork *self)
{
  GHashTableIter iter;
  gpointer worker;

  g_hash_table_iter_init (&iter, self->workers);
  while (g_hash_table_iter_next (&iter, NULL, &worker))
    if (!g_atomic_int_get (&((SrvPreforkWorker *) worker)->slot->has_left))
      return FALSE;
  return TRUE;
}

/* The end of a run: when this returns, no worker accepts any more. Those that
 * are busy end later. Returns why a loop has failed, if one has. */
GError *
srv_prefork_send_away (SrvPrefork *self, SrvBaseServer *server)
{
  gint64 deadline = srv_deadline_from_ms (LEAVE_LIMIT_MS);
  struct pollfd pollfd = { self->epoll_fd, POLLIN, 0 };

  give_order_to_all (self, SRV_ORDER_LEAVE);
  while (!have_all_left (self) && !srv_deadline_has_passed (deadline))
    {
      poll (&pollfd, 1, srv_deadline_poll_timeout (deadline));
      take_event (self->news_fd);
      take_event (self->timer_fd);
      take_event (self->stop_fd);
      collect (self, server);
    }
  if (!have_all_left (self))
    srv_log (G_LOG_LEVEL_WARNING, "worker-stays", server, NULL,
             "workers do not stop accepting");
  return self->scoreboard != NULL
           ? srv_scoreboard_take_failure (self->scoreboard)
           : NULL;
}

/* Only one thread at a time may have to do with the workers. The loop leaves
 * when they have stopped accepting, whatever the limits of the drain are. */
static gboolean
await_loop (SrvBaseServer *server)
{
  gint64 limit = srv_deadline_from_ms (LEAVE_LIMIT_MS);

  while (srv_base_server_is_loop_elsewhere (server) &&
         !srv_deadline_has_passed (limit))
    srv_base_server_wait_for_event (server, limit);
  return !srv_base_server_is_loop_elsewhere (server);
}

gboolean
srv_prefork_drain (SrvPrefork *self,
                   SrvBaseServer *server,
                   SrvDrainStep step,
                   gint64 deadline,
                   guint *n_cut)
{
  if (!await_loop (server))
    return FALSE;
  if (self->scoreboard == NULL)
    return TRUE;
  collect (self, server);
  switch (step)
    {
    case SRV_DRAIN_STEP_WAIT:
      give_order_to_all (self, SRV_ORDER_DRAIN);
      break;
    case SRV_DRAIN_STEP_CUT:
      *n_cut += srv_scoreboard_count_active (self->scoreboard);
      give_order_to_all (self, SRV_ORDER_CUT);
      break;
    case SRV_DRAIN_STEP_KILL:
    default:
      deadline = srv_children_kill_for_good (&self->children, deadline);
    }
  while (srv_prefork_count (self) > 0)
    {
      if (!srv_base_server_wait_for_event (server, deadline))
        return FALSE;
      take_event (self->news_fd);
      take_event (self->timer_fd);
      take_event (self->stop_fd);
      collect (self, server);
    }
  return TRUE;
}
