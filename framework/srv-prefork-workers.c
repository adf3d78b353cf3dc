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
#include "srv-connection.h"
#include "srv-datagram.h"
#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-log-private.h"
#include "srv-process-private.h"
#include "srv-worker-process-private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* A worker that ends badly before it is as old as this, with nobody served
 * meanwhile, is one of a row of crashes. */
#define CRASH_AGE_MS 1000

/* The pause after the first crash of a row; each doubles it. */
#define FIRST_PAUSE_MS   50
#define LONGEST_PAUSE_MS 5000

/* How long workers may take to stop accepting. */
#define LEAVE_LIMIT_MS 10000

typedef struct
{
  pid_t pid;
  SrvScoreboardSlot *slot; /* borrowed */
  int leash_fd;
  gboolean was_sent_away;
} Worker;

struct _SrvPrefork
{
  const SrvPreforkSettings *settings; /* borrowed */
  SrvChildEnded ended;
  gpointer user_data;

  SrvScoreboard *scoreboard; /* owned, nullable until the first start */
  SrvChildren *children;     /* owned */
  GHashTable *workers;       /* of Worker, by pid */
  gboolean warned;           /* of threads */

  int epoll_fd; /* all that follow, and the children */
  int news_fd;
  int stop_fd;
  int timer_fd;

  /* A row of crashes. */
  guint n_crashes;
  gint64 resume_at;     /* no worker is started before */
  guint64 n_served;     /* when the last one crashed */
  guint64 n_served_old; /* by workers that are gone */
};

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
  Worker *self = data;

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
  self->children = srv_children_new ();
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
  srv_children_free (self->children);
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
  if (!srv_children_open (self->children, error))
    return FALSE;
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->news_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (watch_fd (self, srv_children_get_fd (self->children)) &&
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

/* Starting */

static gboolean
check_threads (SrvPrefork *self, SrvBaseServer *server, GError **error)
{
  SrvForkGuard guard = self->settings->fork_guard;

  if (guard == SRV_FORK_GUARD_IGNORE || !srv_process_has_threads ())
    return TRUE;
  if (guard == SRV_FORK_GUARD_REFUSE)
    {
      g_set_error_literal (error, SRV_ERROR, SRV_ERROR_THREADS,
                           "could not fork: the process has other threads");
      return FALSE;
    }
  if (!self->warned)
    srv_log (
      G_LOG_LEVEL_WARNING, "fork-guard", server, NULL,
      "forking in a process that has other threads: a worker can hang on a "
      "lock that one of them held");
  self->warned = TRUE;
  return TRUE;
}

/* A limit of recycling and some more, so that workers that were started
 * together do not all end together. */
static guint64
spread (SrvPrefork *self, guint64 limit)
{
  double share = self->settings->recycle_spread / 100.0;

  return limit + (guint64) ((double) limit * share * g_random_double ());
}

static guint
count_wanted (const SrvPreforkSettings *settings)
{
  guint n = settings->workers > 0 ? settings->workers : g_get_num_processors ();

  return MIN (n, SRV_SCOREBOARD_SIZE / 2);
}

static SrvWorkerProcess
describe_worker (SrvPrefork *self,
                 SrvBaseServer *server,
                 SrvScoreboardSlot *slot,
                 int leash_fd)
{
  const SrvPreforkSettings *settings = self->settings;

  return (SrvWorkerProcess){
    .server = server,
    .inner = settings->inner,
    .scoreboard = self->scoreboard,
    .slot = slot,
    .leash_fd = leash_fd,
    .news_fd = self->news_fd,
    .stop_fd = self->stop_fd,
    .max_requests = spread (self, settings->max_requests),
    .max_memory = spread (self, settings->max_memory),
    .is_elastic = settings->max_workers > count_wanted (settings),
    .min_spare = settings->min_spare,
    .max_spare = settings->max_spare,
  };
}

/* In a child: only the parent may hold the leashes, or its end would go
 * unnoticed. */
static void
drop_parents_things (SrvPrefork *self)
{
  g_hash_table_remove_all (self->workers);
  srv_children_drop (self->children);
  clear_fd (&self->epoll_fd);
  clear_fd (&self->timer_fd);
}

/* No handler of the parent's may run in the child, where it would reach for
 * what both share; so signals wait until the child has its own. */
static pid_t
fork_worker (SrvPrefork *self, const int leash[2], SrvWorkerProcess *process)
{
  sigset_t all, before;
  pid_t pid;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  /* Or the child would print it once more. */
  fflush (stdout);
  fflush (stderr);
  pid = fork ();
  if (pid == 0)
    {
      close (leash[1]);
      g_atomic_int_set (&process->slot->pid, getpid ());
      drop_parents_things (self);
      srv_worker_process_run (process);
    }
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return pid;
}

static gboolean
fail_limit (GError **error, const char *why)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a worker process: %s", why);
  return FALSE;
}

static gboolean
start_in_slot (SrvPrefork *self,
               SrvBaseServer *server,
               SrvScoreboardSlot *slot,
               GError **error)
{
  SrvWorkerProcess process;
  Worker *worker;
  int leash[2];
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, leash) != 0)
    return fail_limit (error, g_strerror (errno));
  process = describe_worker (self, server, slot, leash[0]);
  pid = fork_worker (self, leash, &process);
  close (leash[0]);
  if (pid < 0)
    {
      close (leash[1]);
      return fail_limit (error, g_strerror (errno));
    }
  g_atomic_int_set (&slot->pid, pid);
  worker = g_new0 (Worker, 1);
  worker->pid = pid;
  worker->slot = slot;
  worker->leash_fd = leash[1];
  g_hash_table_insert (self->workers, GINT_TO_POINTER (pid), worker);
  srv_children_watch (self->children, pid);
  return TRUE;
}

static gboolean
start_worker (SrvPrefork *self, SrvBaseServer *server, GError **error)
{
  SrvScoreboardSlot *slot = srv_scoreboard_take_slot (self->scoreboard);

  if (slot == NULL)
    return fail_limit (error, "the scoreboard is full");
  if (start_in_slot (self, server, slot, error))
    return TRUE;
  srv_scoreboard_free_slot (slot);
  return FALSE;
}

/* Orders */

/* A worker that does not hear any more is about to end. The leash is a socket
 * because a pipe without a reader would raise SIGPIPE. */
static void
give_order (Worker *worker, SrvOrder order)
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
      Worker *worker = data;

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

/* A service that serves is no crash loop, whatever one client does to it.
 * Workers that crash while the pause runs belong to the crash before it. */
static void
note_crash (SrvPrefork *self, gint64 age)
{
  guint64 n_served = count_served (self);

  if (age >= CRASH_AGE_MS * 1000 || n_served != self->n_served)
    self->n_crashes = 0;
  self->n_served = n_served;
  if (age >= CRASH_AGE_MS * 1000 || !srv_deadline_has_passed (self->resume_at))
    return;
  self->resume_at = srv_deadline_from_ms (
    MIN (FIRST_PAUSE_MS << MIN (self->n_crashes, 16), LONGEST_PAUSE_MS));
  self->n_crashes++;
}

static gboolean
is_crash (const Worker *worker, int wait_status)
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
  Worker *worker = g_hash_table_lookup (self->workers, GINT_TO_POINTER (pid));
  gint64 age = g_get_monotonic_time () - worker->slot->started;
  gboolean crashed = is_crash (worker, wait_status);

  if (crashed)
    note_crash (self, age);
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

  srv_children_collect (self->children, on_ended, &collecting);
}

/* Supervision */

static gboolean
check_crashes (SrvPrefork *self, GError **error)
{
  guint limit = self->settings->crash_limit;

  if (limit == 0 || self->n_crashes < limit)
    return TRUE;
  g_set_error (error, SRV_ERROR, SRV_ERROR_CRASH_LOOP,
               "workers have crashed %u times in a row, as soon as they were "
               "started",
               self->n_crashes);
  self->n_crashes = 0;
  return FALSE;
}

/* How many workers there shall be, of which @n are there. */
static guint
count_needed (SrvPrefork *self, guint n, guint n_idle)
{
  const SrvPreforkSettings *settings = self->settings;
  guint least = count_wanted (settings);
  guint most = MAX (settings->max_workers, least);
  guint needed = MAX (n, least);

  if (most > least && n_idle < settings->min_spare)
    needed = MAX (needed, n + settings->min_spare - n_idle);
  return MIN (needed, MIN (most, SRV_SCOREBOARD_SIZE / 2));
}

static void
retire_spare (SrvPrefork *self, guint n, guint n_idle)
{
  guint least = count_wanted (self->settings);

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
  self->resume_at = srv_deadline_from_ms (LONGEST_PAUSE_MS);
  set_timer (self, self->resume_at);
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
  if (!srv_deadline_has_passed (self->resume_at))
    {
      set_timer (self, self->resume_at);
      return TRUE;
    }
  if (!check_threads (self, server, error))
    return FALSE;
  for (; n < needed; n++)
    if (!start_worker (self, server, &failure))
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
  return check_crashes (self, error) && adjust (self, server, error);
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

/* Makes ready what every request needs, once instead of in each worker. A
 * worker then need not ask the type system for it, one of whose locks another
 * thread may have held at the fork. */
static void
warm_up (SrvBaseServer *server)
{
  const GType types[] = {
    SRV_TYPE_CONNECTION,
    SRV_TYPE_DATAGRAM,
    SRV_BASE_SERVER_GET_CLASS (server)->default_handler_type,
    srv_base_server_get_handler_type (server),
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i] != G_TYPE_INVALID)
      g_type_class_unref (g_type_class_ref (types[i]));
}

/* A wish to stop that was meant for the run before is void. */
gboolean
srv_prefork_start (SrvPrefork *self, SrvBaseServer *server, GError **error)
{
  if (!open_descriptors (self, error))
    return FALSE;
  if (!open_scoreboard (self, server, error))
    return FALSE;
  warm_up (server);
  take_event (self->stop_fd);
  self->n_crashes = 0;
  self->resume_at = 0;
  return srv_base_server_must_stop (server) || adjust (self, server, error);
}

static gboolean
have_all_left (SrvPrefork *self)
{
  GHashTableIter iter;
  gpointer worker;

  g_hash_table_iter_init (&iter, self->workers);
  while (g_hash_table_iter_next (&iter, NULL, &worker))
    if (!g_atomic_int_get (&((Worker *) worker)->slot->has_left))
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
  return srv_scoreboard_take_failure (self->scoreboard);
}

gboolean
srv_prefork_drain (SrvPrefork *self,
                   SrvBaseServer *server,
                   SrvDrainStep step,
                   gint64 deadline,
                   guint *n_cut)
{
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
      srv_children_kill (self->children, SIGKILL);
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
