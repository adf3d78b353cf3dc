/* srv-lookup.c - questions to the system that cannot be given up
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GIO's resolver is not used: it keeps its threads for a while, and a process
 * with threads should not fork any more. A thread of ours ends with its answer.
 */

#include "config.h"

#include "srv-lookup-private.h"

#include "srv-error.h"
#include "srv-escape.h"
#include "srv-wait-list-private.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>

/* So many run at a time, with those that nobody waits for any more; others wait
 * for their turn. */
#define MAX_LOOKUPS 64

/* Guards the count, and in each lookup whether it is done. */
static GMutex lock;
static SrvWaitList changed;
static guint n_running;

/* A fork takes the lock, so that the child finds it free. */
static void
before_fork (void)
{
  g_mutex_lock (&lock);
}

static void
after_fork_in_parent (void)
{
  g_mutex_unlock (&lock);
}

/* The threads are not there, and neither is whoever waited for them: they would
 * count as running for ever, and their stacks are free for others. */
static void
after_fork_in_child (void)
{
  n_running = 0;
  changed = (SrvWaitList){ NULL, NULL };
  g_mutex_unlock (&lock);
}

static void
prepare_for_forks (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
      g_once_init_leave (&once, 1);
    }
}

/* A lookup of @size bytes, which begin with a SrvLookup; all others are zero. */
gpointer
srv_lookup_new (gsize size,
                void (*run) (SrvLookup *self),
                void (*clear) (SrvLookup *self))
{
  SrvLookup *self = g_atomic_rc_box_alloc0 (size);

  self->run = run;
  self->clear = clear;
  return self;
}

void
srv_lookup_unref (gpointer lookup)
{
  SrvLookup *self = lookup;

  g_atomic_rc_box_release_full (self, (GDestroyNotify) self->clear);
}

static void *
run_in_thread (void *data)
{
  SrvLookup *self = data;

  self->run (self);
  g_mutex_lock (&lock);
  self->done = TRUE;
  n_running--;
  srv_wait_list_wake_all (&changed);
  g_mutex_unlock (&lock);
  srv_lookup_unref (self);
  return NULL;
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable,
              G_GNUC_UNUSED gpointer user_data)
{
  g_mutex_lock (&lock);
  srv_wait_list_wake_all (&changed);
  g_mutex_unlock (&lock);
}

/* Until something has changed; under the lock. */
static gboolean
wait_for_change (gint64 deadline, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (srv_wait_list_wait (&changed, &lock, deadline))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                       "time limit reached");
  return FALSE;
}

/* The process's signals are not the thread's business. */
static gboolean
start (SrvLookup *self, pthread_t *thread, GError **error)
{
  sigset_t all, before;
  int code;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  code = pthread_create (thread, NULL, run_in_thread,
                         g_atomic_rc_box_acquire (self));
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  if (code == 0)
    {
      n_running++;
      return TRUE;
    }
  srv_lookup_unref (self);
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a thread for a look-up: %s", g_strerror (code));
  return FALSE;
}

/* Whether @thread has been started, and whether it is through. */
static gboolean
run_until (SrvLookup *self,
           pthread_t *thread,
           gboolean *started,
           gint64 deadline,
           GCancellable *cancellable,
           GError **error)
{
  while (n_running >= MAX_LOOKUPS)
    if (!wait_for_change (deadline, cancellable, error))
      return FALSE;
  *started = start (self, thread, error);
  if (!*started)
    return FALSE;
  while (!self->done)
    if (!wait_for_change (deadline, cancellable, error))
      return FALSE;
  return TRUE;
}

static gboolean
wait_for_thread (SrvLookup *self,
                 gint64 deadline,
                 GCancellable *cancellable,
                 GError **error)
{
  gboolean started = FALSE;
  gulong id = 0;
  pthread_t thread;
  gboolean ok;

  prepare_for_forks ();
  if (cancellable != NULL)
    id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), NULL,
                                NULL);
  g_mutex_lock (&lock);
  ok = run_until (self, &thread, &started, deadline, cancellable, error);
  g_mutex_unlock (&lock);
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, id);
  if (ok)
    pthread_join (thread, NULL);
  else if (started)
    pthread_detach (thread);
  return ok;
}

/* Without a limit a thread can ask by itself. */
gboolean
srv_lookup_wait (gpointer lookup,
                 gint64 deadline,
                 GCancellable *cancellable,
                 GError **error)
{
  SrvLookup *self = lookup;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (deadline != SRV_DEADLINE_NEVER || cancellable != NULL ||
      srv_task_fiber () != NULL)
    return wait_for_thread (self, deadline, cancellable, error);
  self->run (self);
  return TRUE;
}

void
srv_lookup_set_error (GError **error,
                      int code,
                      int saved_errno,
                      const char *what)
{
  g_autofree char *name = srv_escape (what, -1);

  if (code == EAI_AGAIN)
    g_set_error (error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE,
                 "could not find %s: %s", name, gai_strerror (code));
  else if (code == EAI_SYSTEM)
    g_set_error (error, G_IO_ERROR, (int) g_io_error_from_errno (saved_errno),
                 "could not find %s: %s", name, g_strerror (saved_errno));
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND,
                 "could not find %s: %s", name, gai_strerror (code));
}
