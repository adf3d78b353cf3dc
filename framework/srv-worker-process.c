/* srv-worker-process.c - a process that serves for its parent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-worker-process-private.h"

#include "srv-base-server-private.h"
#include "srv-deadline-private.h"
#include "srv-process-private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* How often the memory is looked at, at most. */
#define LOOK_INTERVAL_MS 100

/* The thread on the leash does little. */
#define STACK_SIZE (128 * 1024)

/* For the signal handler. */
static SrvBaseServer *server_of_process;

static void
tell_parent (SrvWorkerProcess *self)
{
  const guint64 one = 1;

  if (write (self->news_fd, &one, sizeof one) < 0)
    g_assert (errno == EAGAIN || errno == EINTR);
}

/* Nobody is accepted any more. */
void
srv_worker_process_note_left (SrvWorkerProcess *self)
{
  srv_scoreboard_slot_leave (self->slot);
  g_atomic_int_set (&self->slot->has_left, TRUE);
  tell_parent (self);
}

/* The parent need not wait for the end to start another. */
static void
retire (SrvWorkerProcess *self)
{
  srv_scoreboard_slot_leave (self->slot);
  srv_base_server_stop_from_signal (self->server);
  tell_parent (self);
}

void
srv_worker_process_note_begin (SrvWorkerProcess *self)
{
  gboolean was_idle = srv_scoreboard_slot_begin (self->slot);

  if (self->max_requests > 0 &&
      __atomic_add_fetch (&self->n_taken, 1, __ATOMIC_RELAXED) ==
        self->max_requests)
    retire (self);
  else if (was_idle && self->is_elastic &&
           srv_scoreboard_count_idle (self->scoreboard, self->min_spare) <
             self->min_spare)
    tell_parent (self);
}

static gboolean
is_too_large (SrvWorkerProcess *self)
{
  if (self->max_memory == 0 || g_atomic_int_get (&self->slot->is_leaving) ||
      !srv_deadline_has_passed (
        __atomic_load_n (&self->next_look, __ATOMIC_RELAXED)))
    return FALSE;
  __atomic_store_n (&self->next_look, srv_deadline_from_ms (LOOK_INTERVAL_MS),
                    __ATOMIC_RELAXED);
  return srv_process_get_memory () > self->max_memory;
}

void
srv_worker_process_note_end (SrvWorkerProcess *self)
{
  gboolean is_idle = srv_scoreboard_slot_end (self->slot);

  if (is_too_large (self))
    retire (self);
  else if (is_idle && self->is_elastic &&
           srv_scoreboard_count_idle (self->scoreboard, self->max_spare + 1) >
             self->max_spare)
    tell_parent (self);
}

/* Ends the loop. One that is busy with a handler looks again before it accepts
 * anybody, so it has left as good as if it had. */
static void
leave (SrvWorkerProcess *self)
{
  srv_base_server_stop_from_signal (self->server);
  if (g_atomic_int_get (
        &srv_base_server_get_private (self->server)->in_request))
    srv_worker_process_note_left (self);
}

/* A loop that is busy does not look at the socket again, and who runs the
 * server next may need its address. */
static void
begin_drain (SrvWorkerProcess *self)
{
  leave (self);
  if (g_atomic_int_get (
        &srv_base_server_get_private (self->server)->in_request))
    srv_base_server_close_listener (self->server);
  srv_base_server_begin_drain (self->server);
}

static void
cut (SrvWorkerProcess *self)
{
  srv_base_server_cut_active (self->server);
  srv_base_server_hurry (self->server);
}

/* The parent is gone, or has become too old to be understood, once this returns
 * -1; 0 means that the deadline has passed. */
static int
await_order (SrvWorkerProcess *self, gint64 deadline)
{
  struct pollfd leash = { self->leash_fd, POLLIN, 0 };
  char order;
  gssize n;

  while (!srv_deadline_has_passed (deadline))
    {
      if (poll (&leash, 1, srv_deadline_poll_timeout (deadline)) <= 0)
        continue;
      n = read (self->leash_fd, &order, 1);
      if (n == 1)
        return order;
      if (n == 0 || errno != EINTR)
        return -1;
    }
  return 0;
}

/* Who gives the orders decides when it is time to cut. Without a parent the
 * server's own limits count, and even a handler that heeds nothing does not
 * outlive them. */
static void *
obey (void *data)
{
  SrvWorkerProcess *self = data;
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self->server);
  gint64 deadline = SRV_DEADLINE_NEVER;
  gboolean has_cut = FALSE;

  for (;;)
    switch (await_order (self, deadline))
      {
      case SRV_ORDER_LEAVE:
        leave (self);
        break;
      case SRV_ORDER_DRAIN:
        begin_drain (self);
        break;
      case -1:
        self->leash_fd = -1;
        begin_drain (self);
        if (!has_cut)
          deadline = srv_deadline_from_ms (priv->drain_timeout_ms);
        break;
      case SRV_ORDER_CUT:
      default:
        if (has_cut)
          _exit (EXIT_FAILURE);
        cut (self);
        has_cut = TRUE;
        /* Once for who heeds the cut, once for children of this process. */
        deadline = srv_deadline_from_ms (2 * priv->cut_timeout_ms);
      }
  return NULL;
}

/* Signals are for the thread that serves. */
static gboolean
start_obeying (SrvWorkerProcess *self, GError **error)
{
  pthread_attr_t attributes;
  sigset_t all, before;
  pthread_t thread;
  int code;

  sigfillset (&all);
  pthread_attr_init (&attributes);
  pthread_attr_setstacksize (&attributes, STACK_SIZE);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  code = pthread_create (&thread, &attributes, obey, self);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  pthread_attr_destroy (&attributes);
  if (code == 0)
    return TRUE;
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a thread of a worker process: %s",
               g_strerror (code));
  return FALSE;
}

static void
on_signal (G_GNUC_UNUSED int signo)
{
  int saved_errno = errno;

  srv_base_server_stop_from_signal (server_of_process);
  errno = saved_errno;
}

/* The parent has its own handlers, and a terminal sends SIGINT to both. */
static void
bind_signals (SrvWorkerProcess *self)
{
  const struct sigaction action = {
    .sa_handler = on_signal,
    .sa_flags = SA_RESTART,
  };
  struct sigaction before;

  server_of_process = self->server;
  sigaction (SIGTERM, &action, NULL);
  if (sigaction (SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction (SIGINT, &action, NULL);
}

static gboolean
serve (SrvWorkerProcess *self, GError **error)
{
  if (!srv_base_server_enter_worker_process (self->server, self->inner,
                                             self->stop_fd, error))
    return FALSE;
  srv_base_server_set_process (self->server, self, &self->slot->tally);
  bind_signals (self);
  if (!start_obeying (self, error))
    return FALSE;
  if (self->inner != NULL)
    return srv_mix_in_serve (self->inner, self->server, error);
  return srv_base_server_run_worker (self->server, error);
}

/* What the loop fails with would fail under every other mix-in as well, and is
 * the parent's to report. A handler that asks for a stop by its error ends its
 * worker and no more. */
void
srv_worker_process_run (SrvWorkerProcess *self)
{
  g_autoptr (GError) error = NULL;

  srv_process_reset_signals ();
  if (!serve (self, &error) &&
      !g_error_matches (error, SRV_ERROR, SRV_ERROR_STOP))
    srv_scoreboard_put_failure (self->scoreboard, error);
  srv_worker_process_note_left (self);
  srv_base_server_end_process (self->server);
  fflush (stdout);
  fflush (stderr);
  _exit (EXIT_SUCCESS);
}
