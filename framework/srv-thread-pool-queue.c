/* srv-thread-pool-queue.c - handing requests over to the threads of a pool
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-thread-pool-private.h"

#include "srv-base-server.h"
#include "srv-connection-private.h"

static SrvPoolJob *
job_new (SrvBaseServer *server, SrvRequest *request)
{
  SrvPoolJob *self = g_new (SrvPoolJob, 1);

  srv_base_server_hold (server);
  self->server = server;
  self->request = g_object_ref (request);
  return self;
}

/* Wakes a drain; from here on the server may be gone. */
void
srv_pool_job_free (SrvPoolJob *self)
{
  SrvBaseServer *server = self->server;

  g_object_unref (self->request);
  g_free (self);
  srv_base_server_release (server);
}

static guint
count_most_threads (SrvThreadPool *self)
{
  return MAX (self->min_threads, self->max_threads);
}

/* After the system had no thread for us the pool gets along with what it has,
 * if it has any. */
gboolean
srv_thread_pool_may_start (SrvThreadPool *self)
{
  guint n = self->threads.length;

  return n == 0 || (n < count_most_threads (self) &&
                    srv_deadline_has_passed (self->retry_at));
}

static gboolean
has_room (SrvThreadPool *self)
{
  guint n_threads = srv_thread_pool_may_start (self) ? count_most_threads (self)
                                                     : self->threads.length;

  return self->n_busy + self->jobs.length <
         n_threads + self->n_dying + self->queue_size;
}

/* Makes room: who has been waiting longest for its client is cut. FALSE if
 * nobody waits. Under the lock. */
static gboolean
cut_oldest_idle (SrvThreadPool *self)
{
  SrvPoolThread *oldest = NULL;
  int longest_ms = -1;

  for (GList *i = self->threads.head; i != NULL; i = i->next)
    {
      SrvPoolThread *thread = i->data;
      int idle_ms =
        !thread->is_cut && SRV_IS_CONNECTION (thread->request)
          ? srv_connection_get_idle_time (SRV_CONNECTION (thread->request))
          : -1;

      if (idle_ms <= longest_ms)
        continue;
      longest_ms = idle_ms;
      oldest = thread;
    }
  if (oldest == NULL)
    return FALSE;
  oldest->is_cut = TRUE;
  self->n_dying++;
  srv_request_cut (oldest->request);
  return TRUE;
}

/* Whether a request that no thread can take now may wait for one. Under the
 * lock. */
static gboolean
may_queue (SrvThreadPool *self)
{
  switch (self->full_policy)
    {
    case SRV_FULL_POLICY_REFUSE:
      return has_room (self);
    case SRV_FULL_POLICY_OLDEST_IDLE:
      return has_room (self) || cut_oldest_idle (self);
    case SRV_FULL_POLICY_WAIT: /* the loop has asked before */
    default:
      return TRUE;
    }
}

static void
give_job (SrvThreadPool *self, SrvPoolThread *thread, SrvPoolJob *job)
{
  thread->job = job;
  srv_thread_pool_begin_service (self, thread, job->request);
}

/* Finds a place for a job: an idle thread, a new one, which is returned and must
 * be launched, or the queue. A thread that is neither idle nor busy is about to
 * look into the queue. FALSE if there is none. */
static gboolean
place_job (SrvThreadPool *self, SrvPoolJob *job, SrvPoolThread **new_thread)
{
  SrvPoolThread *idle;
  gboolean placed = TRUE;

  g_mutex_lock (&self->lock);
  idle = g_queue_peek_head (&self->idle);
  *new_thread = idle == NULL &&
                    self->n_busy + self->jobs.length >= self->threads.length
                  ? srv_thread_pool_reserve (self)
                  : NULL;
  if (idle != NULL || *new_thread != NULL)
    give_job (self, idle != NULL ? idle : *new_thread, job);
  else if ((placed = may_queue (self)))
    g_queue_push_tail (&self->jobs, job);
  if (idle != NULL)
    srv_thread_pool_wake (self, idle);
  g_mutex_unlock (&self->lock);
  return placed;
}

/* No thread could be had for a job. It waits for one of the others, beyond the
 * bound. */
static void
put_back (SrvThreadPool *self, SrvPoolJob *job)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->jobs, job);
  if (self->idle.length > 0)
    srv_thread_pool_wake (self, self->idle.head->data);
  g_mutex_unlock (&self->lock);
}

gboolean
srv_thread_pool_push (SrvThreadPool *self,
                      SrvBaseServer *server,
                      SrvRequest *request,
                      GError **error)
{
  SrvPoolJob *job = job_new (server, request);
  SrvPoolJob *left = NULL;
  SrvPoolThread *thread;

  if (self->full_policy == SRV_FULL_POLICY_OLDEST_IDLE &&
      SRV_IS_CONNECTION (request))
    srv_connection_note_idle (SRV_CONNECTION (request));
  if (!place_job (self, job, &thread))
    {
      srv_pool_job_free (job);
      /* Nothing is waited for at its end: the loop has no time. */
      srv_request_cut (request);
      g_set_error_literal (error, SRV_ERROR, SRV_ERROR_LIMIT,
                           "the pool has no room for the request");
      return FALSE;
    }
  if (thread != NULL &&
      !srv_thread_pool_launch (self, thread, server, &left, error))
    {
      srv_pool_job_free (left);
      return FALSE;
    }
  if (left != NULL)
    put_back (self, left);
  return TRUE;
}

gboolean
srv_thread_pool_admits (SrvThreadPool *self)
{
  gboolean open;

  if (srv_thread_pool_is_own (self))
    return TRUE;
  g_mutex_lock (&self->lock);
  /* While our threads accept, nobody else does. */
  open = self->server == NULL &&
         (self->full_policy != SRV_FULL_POLICY_WAIT || has_room (self));
  self->at_limit = !open && self->server == NULL;
  g_mutex_unlock (&self->lock);
  return open;
}

void
srv_thread_pool_drop_jobs (SrvThreadPool *self)
{
  GQueue jobs;
  SrvPoolJob *job;

  g_mutex_lock (&self->lock);
  jobs = self->jobs;
  g_queue_init (&self->jobs);
  g_mutex_unlock (&self->lock);
  while ((job = g_queue_pop_head (&jobs)) != NULL)
    {
      srv_base_server_shutdown_request (job->server, job->request);
      srv_pool_job_free (job);
    }
}
