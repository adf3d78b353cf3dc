/* srv-fiber-threads.c - the threads that run the fibers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * They start with the first request and end in the drain. A timer looks whether
 * a handler keeps one of them from all others.
 */

#include "config.h"

#include "srv-fiber-mix-in-private.h"
#include "srv-log-private.h"
#include "srv-task-private.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A worker may have so many fibers more than the least busy one before it gives
 * away what it has accepted. To give away costs more than to keep. */
#define SLACK 4

static void
worker_free (SrvFiberThread *self)
{
  srv_fiber_worker_free (self->fibers);
  if (self->room_fd >= 0)
    close (self->room_fd);
  g_free (self);
}

static void *
run_worker (void *data)
{
  SrvFiberThread *self = data;

  srv_fiber_worker_run (self->fibers);
  if (g_atomic_int_get (&self->orphaned))
    worker_free (self);
  return NULL;
}

static void
start_timer (SrvFiberMixIn *self)
{
  const struct timespec limit = {
    .tv_sec = self->block_limit_ms / 1000,
    .tv_nsec = (self->block_limit_ms % 1000) * 1000000L,
  };
  const struct itimerspec interval = { limit, limit };

  timerfd_settime (self->watch_fd, 0, &interval, NULL);
}

/* The timer looks only while somebody works, so that nothing wakes an idle
 * process. Whoever begins to work starts it again. An orphan has outlived the
 * mix-in. */
void
srv_fiber_thread_start_watch (SrvFiberThread *worker)
{
  SrvFiberMixIn *self = worker->mix_in;

  if (!g_atomic_int_get (&worker->orphaned) &&
      g_atomic_int_get (&self->watch_sleeps) &&
      g_atomic_int_get (&self->n_fibers) > 0 &&
      g_atomic_int_compare_and_exchange (&self->watch_sleeps, TRUE, FALSE))
    start_timer (self);
}

static void
on_woken (gpointer worker)
{
  srv_fiber_thread_start_watch (worker);
}

/* A signal handler would run on the small stack of a fiber: other threads may
 * have it. Faults stay with who made them. */
static int
start_thread (SrvFiberThread *worker)
{
  static const int faults[] = { SIGSEGV, SIGBUS,  SIGFPE,
                                SIGILL,  SIGTRAP, SIGABRT };
  sigset_t blocked, before;
  int code;

  sigfillset (&blocked);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    sigdelset (&blocked, faults[i]);
  pthread_sigmask (SIG_BLOCK, &blocked, &before);
  code = pthread_create (&worker->thread, NULL, run_worker, worker);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return code;
}

static gboolean
add_worker (SrvFiberMixIn *self, GError **error)
{
  SrvFiberThread *worker = g_new0 (SrvFiberThread, 1);
  int code;

  worker->mix_in = self;
  worker->fibers = srv_fiber_worker_new (self->stack_size,
                                         self->watch_fd >= 0 ? on_woken : NULL,
                                         worker, error);
  if (worker->fibers == NULL)
    {
      g_free (worker);
      return FALSE;
    }
  worker->room_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  code = worker->room_fd >= 0 ? start_thread (worker) : errno;
  if (code == 0)
    {
      g_ptr_array_add (self->workers, worker);
      return TRUE;
    }
  worker_free (worker);
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a thread for fibers: %s", g_strerror (code));
  return FALSE;
}

gboolean
srv_fiber_thread_is_own (const SrvFiberThread *worker)
{
  return worker->fibers == srv_fiber_worker_self ();
}

/* Ends the workers when their fibers have ended. The one that calls, if any,
 * ends by itself later. */
void
srv_fiber_threads_stop (SrvFiberMixIn *self)
{
  g_autoptr (GPtrArray) workers = NULL;

  g_mutex_lock (&self->lock);
  workers = g_steal_pointer (&self->workers);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; workers != NULL && i < workers->len; i++)
    {
      SrvFiberThread *worker = workers->pdata[i];

      if (srv_fiber_thread_is_own (worker))
        {
          g_atomic_int_set (&worker->orphaned, TRUE);
          pthread_detach (worker->thread);
          srv_fiber_worker_quit (worker->fibers);
          continue;
        }
      srv_fiber_worker_quit (worker->fibers);
      pthread_join (worker->thread, NULL);
      worker_free (worker);
    }
}

/* GLib reads a file of the system for the number of processors. */
static guint
choose_n_workers (SrvFiberMixIn *self)
{
  if (self->n_workers_wanted > 0)
    return self->n_workers_wanted;
  return MIN (g_get_num_processors (), SRV_FIBER_MAX_THREADS);
}

gboolean
srv_fiber_threads_start (SrvFiberMixIn *self, GError **error)
{
  guint n;

  if (self->workers != NULL)
    return TRUE;
  n = choose_n_workers (self);
  if (self->block_limit_ms > 0 && self->watch_fd < 0)
    self->watch_fd =
      timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  g_atomic_int_set (&self->watch_sleeps, TRUE);
  self->workers = g_ptr_array_new ();
  while (self->workers->len < n)
    if (!add_worker (self, error))
      {
        srv_fiber_threads_stop (self);
        return FALSE;
      }
  return TRUE;
}

/* The calling one if it is not much busier than the least busy. */
SrvFiberThread *
srv_fiber_threads_choose (SrvFiberMixIn *self)
{
  SrvFiberThread *own = NULL;
  SrvFiberThread *best = self->workers->pdata[0];

  for (guint i = 0; i < self->workers->len; i++)
    {
      SrvFiberThread *worker = self->workers->pdata[i];

      if (srv_fiber_thread_is_own (worker))
        own = worker;
      if (g_atomic_int_get (&worker->n_requests) <
          g_atomic_int_get (&best->n_requests))
        best = worker;
    }
  if (own == NULL || g_atomic_int_get (&own->n_requests) >
                       g_atomic_int_get (&best->n_requests) + SLACK)
    return best;
  return own;
}

/* The worker whose loop calls, NULL for the loop of a thread. */
SrvFiberThread *
srv_fiber_threads_find_loop (SrvFiberMixIn *self)
{
  if (srv_task_fiber () == NULL || srv_task_get (SRV_TASK_LOOP) == NULL)
    return NULL;
  for (guint i = 0; i < self->workers->len; i++)
    if (srv_fiber_thread_is_own (self->workers->pdata[i]))
      return self->workers->pdata[i];
  return NULL;
}

static void
tell_stuck (SrvFiberMixIn *self, SrvBaseServer *server, const char *label)
{
  if (label == NULL || !g_hash_table_add (self->told, (gpointer) label))
    return;
  srv_log (G_LOG_LEVEL_WARNING, "worker-blocked", server, NULL,
           "%s blocks its worker for more than %d ms, and all clients of that "
           "worker wait; srv_offload () is for calls that block",
           label, self->block_limit_ms);
}

/* FALSE when no worker has anything to do. */
static gboolean
report_stuck (SrvFiberMixIn *self, SrvBaseServer *server)
{
  gboolean any_busy = FALSE;
  const char *label;

  for (guint i = 0; i < self->workers->len; i++)
    {
      SrvFiberThread *worker = self->workers->pdata[i];

      if (srv_fiber_worker_is_stuck (worker->fibers, &label))
        tell_stuck (self, server, label);
      any_busy = any_busy || !srv_fiber_worker_is_idle (worker->fibers);
    }
  return any_busy;
}

/* When the timer has gone off, on the thread that serves. */
void
srv_fiber_threads_watch (SrvFiberMixIn *self, SrvBaseServer *server)
{
  const struct itimerspec never = { { 0, 0 }, { 0, 0 } };
  guint64 ticks;

  if (self->workers == NULL || self->watch_fd < 0 ||
      read (self->watch_fd, &ticks, sizeof ticks) < 0 ||
      report_stuck (self, server))
    return;
  timerfd_settime (self->watch_fd, 0, &never, NULL);
  g_atomic_int_set (&self->watch_sleeps, TRUE);
  /* Who began to work in between found the timer running. */
  for (guint i = 0; i < self->workers->len; i++)
    {
      SrvFiberThread *worker = self->workers->pdata[i];

      if (!srv_fiber_worker_is_idle (worker->fibers))
        srv_fiber_thread_start_watch (worker);
    }
}
