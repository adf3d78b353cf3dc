/* srv-flusher.c - the one thread that finishes what others posted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-flusher-private.h"

#include "srv-errno-private.h"
#include "srv-error.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Without work the thread stays for so long: under a load that comes in bursts
 * it would otherwise be started and ended again and again. */
#define LINGER_MS 50

#define EVENTS_AT_ONCE 64

/* What the event that only wakes carries; jobs begin at 1. */
#define WAKE_ID 0

typedef struct
{
  int epoll_fd;
  int wake_fd;
  guint64 last_id;
  GHashTable *jobs; /* by id: all that wait; holds a reference on each */
  GSequence *timed; /* those that wait for a time, the next one first */
} Flusher;

/* Guards the pointer, what it points to, and the flusher's part of each job. */
static GMutex lock;
static Flusher *flusher; /* NULL while there is no thread */
static guint generation; /* atomic */

static void
flusher_free (Flusher *self)
{
  close (self->epoll_fd);
  close (self->wake_fd);
  g_hash_table_unref (self->jobs);
  g_sequence_free (self->timed);
  g_free (self);
}

/* A fork takes the lock, so that the child finds the table whole. */
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

/* The thread is not there. The jobs concern connections of the parent: their
 * locks may be held by threads that are gone as well, so they are only
 * dropped. The descriptors are copies. */
static void
after_fork_in_child (void)
{
  if (flusher != NULL)
    {
      close (flusher->epoll_fd);
      close (flusher->wake_fd);
      flusher = NULL;
    }
  g_atomic_int_inc (&generation);
  g_mutex_unlock (&lock);
}

guint
srv_flusher_generation (void)
{
  static gsize registered;

  if (g_once_init_enter (&registered))
    {
      pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
      g_once_init_leave (&registered, 1);
    }
  return (guint) g_atomic_int_get (&generation);
}

static int
compare_due (gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
  gint64 first = ((const SrvFlushJob *) a)->due;
  gint64 second = ((const SrvFlushJob *) b)->due;

  return first < second ? -1 : first > second;
}

static void
wake (Flusher *self)
{
  const guint64 one = 1;

  while (write (self->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
    continue;
}

/* Ends what the job waits for, but keeps it in the table. */
static void
stop_waiting (Flusher *self, SrvFlushJob *job)
{
  if (g_atomic_int_get (&job->wait) == SRV_FLUSH_WRITABLE)
    epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, job->fd, NULL);
  else if (g_atomic_int_get (&job->wait) == SRV_FLUSH_AT_TIME)
    g_sequence_remove (job->place);
  g_atomic_int_set (&job->wait, SRV_FLUSH_IDLE);
}

static gint64
next_due (Flusher *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->timed);
  SrvFlushJob *job;

  if (g_hash_table_size (self->jobs) == 0)
    return srv_deadline_from_ms (LINGER_MS);
  if (g_sequence_iter_is_end (first))
    return SRV_DEADLINE_NEVER;
  job = g_sequence_get (first);
  return job->due;
}

static void
take_job (SrvFlushJob *job, GPtrArray *ready)
{
  job->ref (job);
  g_ptr_array_add (ready, job);
}

/* Those that are ready or due; a job that was forgotten since the system told
 * about it is no longer in the table. */
static void
collect (Flusher *self,
         const struct epoll_event *events,
         int n_events,
         GPtrArray *ready)
{
  gint64 now = g_get_monotonic_time ();
  GSequenceIter *first;
  guint64 counter;

  for (int i = 0; i < n_events; i++)
    {
      guint64 id = events[i].data.u64;
      SrvFlushJob *job = g_hash_table_lookup (self->jobs, &id);

      if (job != NULL)
        take_job (job, ready);
      else if (id == WAKE_ID &&
               read (self->wake_fd, &counter, sizeof counter) < 0)
        continue;
    }
  while (
    !g_sequence_iter_is_end (first = g_sequence_get_begin_iter (self->timed)))
    {
      SrvFlushJob *job = g_sequence_get (first);

      if (job->due > now)
        break;
      stop_waiting (self, job);
      take_job (job, ready);
    }
}

static void
run_all (GPtrArray *ready)
{
  for (guint i = 0; i < ready->len; i++)
    {
      SrvFlushJob *job = ready->pdata[i];

      job->run (job);
      job->unref (job);
    }
  g_ptr_array_set_size (ready, 0);
}

static gpointer
flush_until_idle (gpointer data)
{
  Flusher *self = data;
  g_autoptr (GPtrArray) ready = g_ptr_array_new ();
  struct epoll_event events[EVENTS_AT_ONCE];
  gint64 due;
  int n;

  for (;;)
    {
      g_mutex_lock (&lock);
      due = next_due (self);
      g_mutex_unlock (&lock);
      n = epoll_wait (self->epoll_fd, events, EVENTS_AT_ONCE,
                      srv_deadline_poll_timeout (due));
      g_mutex_lock (&lock);
      if (n == 0 && g_hash_table_size (self->jobs) == 0)
        break;
      collect (self, events, n, ready);
      g_mutex_unlock (&lock);
      run_all (ready);
    }
  /* The descriptors go first: who counts threads may count descriptors. */
  flusher = NULL;
  flusher_free (self);
  g_mutex_unlock (&lock);
  return NULL;
}

/* The process's signals are not this thread's business. */
static gboolean
start_thread (Flusher *self, GError **error)
{
  sigset_t all;
  sigset_t before;
  GThread *thread;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  thread = g_thread_try_new ("srv-flusher", flush_until_idle, self, error);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  if (thread == NULL)
    return FALSE;
  g_thread_unref (thread);
  return TRUE;
}

static void
unref_job (gpointer data)
{
  SrvFlushJob *job = data;

  job->unref (job);
}

static Flusher *
flusher_new (GError **error)
{
  struct epoll_event event = { .events = EPOLLIN, .data.u64 = WAKE_ID };
  Flusher *self = g_new0 (Flusher, 1);

  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->jobs =
    g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, unref_job);
  self->timed = g_sequence_new (NULL);
  if (self->epoll_fd >= 0 && self->wake_fd >= 0 &&
      epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, self->wake_fd, &event) == 0)
    return self;
  srv_set_errno_error (error, errno, "could not prepare to send later");
  flusher_free (self);
  return NULL;
}

/* Under the lock. */
static Flusher *
ensure_flusher (GError **error)
{
  if (flusher != NULL)
    return flusher;
  flusher = flusher_new (error);
  if (flusher != NULL && !start_thread (flusher, error))
    g_clear_pointer (&flusher, flusher_free);
  return flusher;
}

static void
put_into_table (Flusher *self, SrvFlushJob *job)
{
  if (job->id != 0)
    return;
  job->id = ++self->last_id;
  job->ref (job);
  g_hash_table_insert (self->jobs, &job->id, job);
}

static gboolean
wait_writable (SrvFlushJob *job, int fd, GError **error)
{
  Flusher *self = ensure_flusher (error);
  struct epoll_event event = { .events = EPOLLOUT };

  if (self == NULL)
    return FALSE;
  put_into_table (self, job);
  if (g_atomic_int_get (&job->wait) == SRV_FLUSH_WRITABLE)
    return TRUE;
  stop_waiting (self, job);
  event.data.u64 = job->id;
  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
    return srv_set_errno_error (error, errno,
                                "could not prepare to send later");
  g_atomic_int_set (&job->wait, SRV_FLUSH_WRITABLE);
  job->fd = fd;
  return TRUE;
}

gboolean
srv_flusher_wait_writable (SrvFlushJob *job, int fd, GError **error)
{
  gboolean ok;

  g_mutex_lock (&lock);
  ok = wait_writable (job, fd, error);
  g_mutex_unlock (&lock);
  return ok;
}

gboolean
srv_flusher_wait_until (SrvFlushJob *job, gint64 due, GError **error)
{
  Flusher *self;

  g_mutex_lock (&lock);
  self = ensure_flusher (error);
  if (self != NULL)
    {
      put_into_table (self, job);
      stop_waiting (self, job);
      g_atomic_int_set (&job->wait, SRV_FLUSH_AT_TIME);
      job->due = due;
      job->place =
        g_sequence_insert_sorted (self->timed, job, compare_due, NULL);
      if (g_sequence_iter_is_begin (job->place))
        wake (self);
    }
  g_mutex_unlock (&lock);
  return self != NULL;
}

/* The last one wakes the thread, which may end then. */
void
srv_flusher_forget (SrvFlushJob *job)
{
  guint64 id;

  g_mutex_lock (&lock);
  id = job->id;
  if (id != 0)
    {
      stop_waiting (flusher, job);
      g_hash_table_steal (flusher->jobs, &id);
      job->id = 0;
      if (g_hash_table_size (flusher->jobs) == 0)
        wake (flusher);
    }
  g_mutex_unlock (&lock);
  if (id != 0)
    job->unref (job);
}
