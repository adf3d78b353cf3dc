/* srv-thread-pool.c - the threads of a pool, and what waits for one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-thread-pool-private.h"

#include "srv-base-server.h"
#include "srv-log-private.h"
#include "srv-task-private.h"

/* How long to get along without more threads when the system had none. */
#define RETRY_MS 1000

typedef enum
{
  WORK_NONE,
  WORK_JOB,
  WORK_LOOP,
  WORK_LEAVE,
} Work;

/* The thread of the pool that calls, NULL if somebody else does. */
static SrvPoolThread *
own_thread (SrvThreadPool *self)
{
  SrvPoolThread *thread = srv_task_get (SRV_TASK_POOL_THREAD);

  return thread != NULL && thread->pool == self ? thread : NULL;
}

gboolean
srv_thread_pool_is_own (SrvThreadPool *self)
{
  return own_thread (self) != NULL;
}

/* Serving. What follows down to the threads' life is under the lock, unless it
 * says so. */

void
srv_thread_pool_begin_service (SrvThreadPool *self,
                               SrvPoolThread *thread,
                               SrvRequest *request)
{
  self->n_busy++;
  thread->request = request;
}

/* TRUE if a loop waits for that. */
static gboolean
end_service (SrvThreadPool *self, SrvPoolThread *thread)
{
  gboolean wake = self->at_limit;

  self->n_busy--;
  thread->request = NULL;
  if (thread->is_cut)
    self->n_dying--;
  thread->is_cut = FALSE;
  self->at_limit = FALSE;
  return wake;
}

/* Without the lock. Afterwards the pool may be gone. */
static void
serve_job (SrvThreadPool *self, SrvPoolThread *thread)
{
  SrvPoolJob *job = g_steal_pointer (&thread->job);
  g_autoptr (GError) error = NULL;
  gboolean wake;

  /* A handler that asks for a stop ends its own request and no more. */
  srv_base_server_complete_request (job->server, job->request, &error);
  g_mutex_lock (&self->lock);
  wake = end_service (self, thread);
  g_mutex_unlock (&self->lock);
  if (wake)
    srv_base_server_wake (job->server);
  srv_pool_job_free (job);
}

static void
note_coming (SrvThreadPool *self, SrvPoolThread *thread, gboolean is_coming)
{
  if (thread->is_coming == is_coming)
    return;
  thread->is_coming = is_coming;
  self->n_coming += is_coming ? 1 : -1u;
}

void
srv_thread_pool_wake (SrvThreadPool *self, SrvPoolThread *thread)
{
  g_queue_unlink (&self->idle, &thread->idle_link);
  thread->is_idle = FALSE;
  note_coming (self, thread, TRUE);
  srv_wait_list_wake_one (&thread->wake);
}

static void
wake_idle_threads (SrvThreadPool *self)
{
  while (self->idle.length > 0)
    srv_thread_pool_wake (self, self->idle.head->data);
}

/* What a thread does next. */
static Work
find_work (SrvThreadPool *self, SrvPoolThread *thread)
{
  note_coming (self, thread, FALSE);
  if (thread->job == NULL && self->jobs.length > 0)
    {
      thread->job = g_queue_pop_head (&self->jobs);
      srv_thread_pool_begin_service (self, thread, thread->job->request);
    }
  if (thread->job != NULL)
    return WORK_JOB;
  if (thread->must_quit)
    return WORK_LEAVE;
  if (self->server != NULL && thread->run != self->run)
    return WORK_LOOP;
  return WORK_NONE;
}

/* Whether a thread that has been idle for long enough is one too many. */
static gboolean
is_surplus (SrvThreadPool *self)
{
  return self->threads.length > self->min_threads;
}

/* FALSE when the thread shall end. */
static gboolean
wait_idle (SrvThreadPool *self, SrvPoolThread *thread)
{
  gint64 deadline = is_surplus (self)
                      ? srv_deadline_from_ms (self->idle_time_ms)
                      : SRV_DEADLINE_NEVER;
  gboolean in_time = TRUE;

  thread->is_idle = TRUE;
  g_queue_push_head_link (&self->idle, &thread->idle_link);
  while (thread->is_idle && in_time)
    in_time = srv_wait_list_wait (&thread->wake, &self->lock, deadline);
  if (!thread->is_idle)
    return TRUE;
  g_queue_unlink (&self->idle, &thread->idle_link);
  thread->is_idle = FALSE;
  return !is_surplus (self);
}

/* A thread that decides to end is none any more for those who decide after
 * it. */
static Work
wait_for_work (SrvThreadPool *self, SrvPoolThread *thread)
{
  Work work;

  while ((work = find_work (self, thread)) == WORK_NONE)
    if (!wait_idle (self, thread))
      {
        work = WORK_LEAVE;
        break;
      }
  if (work == WORK_LEAVE)
    g_queue_unlink (&self->threads, &thread->link);
  return work;
}

static SrvBaseServer *
begin_loop (SrvThreadPool *self, SrvPoolThread *thread)
{
  thread->run = self->run;
  self->n_accepting++;
  srv_base_server_hold (self->server);
  return self->server;
}

/* A loop that was idle is repeated, unless there are enough threads without it
 * and one of them accepts. FALSE when the thread shall end. */
static gboolean
end_loop (SrvThreadPool *self, SrvPoolThread *thread, gboolean is_idle)
{
  gboolean ends;

  self->n_accepting--;
  srv_wait_list_wake_all (&self->changed);
  ends = is_idle && is_surplus (self) && self->n_accepting > 0;
  if (ends)
    g_queue_unlink (&self->threads, &thread->link);
  else if (is_idle)
    thread->run = self->run - 1;
  return !ends;
}

/* Without the lock. Afterwards the pool may be gone. FALSE when the thread shall
 * end. */
static gboolean
run_loop (SrvThreadPool *self, SrvPoolThread *thread, SrvBaseServer *server)
{
  int idle_ms = self->min_threads < self->max_threads ? self->idle_time_ms : -1;
  gboolean is_idle, goes_on;
  GError *error = NULL;

  if (!srv_base_server_run_worker_until_idle (server, idle_ms, &is_idle,
                                              &error))
    srv_base_server_stop (server);
  g_mutex_lock (&self->lock);
  if (self->failure == NULL)
    self->failure = g_steal_pointer (&error);
  goes_on = end_loop (self, thread, is_idle);
  g_mutex_unlock (&self->lock);
  g_clear_error (&error);
  srv_base_server_release (server);
  return goes_on;
}

/* The life of a thread. From here on nothing is under the lock, unless it says
 * so. */

/* The calling thread is done; somebody joins it. */
static void
deregister (SrvThreadPool *self)
{
  SrvLastThread before;

  g_mutex_lock (&self->lock);
  before = srv_last_thread_replace (&self->last);
  self->n_alive--;
  srv_wait_list_wake_all (&self->changed);
  g_mutex_unlock (&self->lock);
  srv_last_thread_join (before);
}

/* FALSE when the thread shall end. */
static gboolean
do_work (SrvThreadPool *self, SrvPoolThread *thread)
{
  SrvBaseServer *server = NULL;
  Work work;

  g_mutex_lock (&self->lock);
  work = wait_for_work (self, thread);
  if (work == WORK_LOOP)
    server = begin_loop (self, thread);
  g_mutex_unlock (&self->lock);
  if (work == WORK_LOOP)
    return run_loop (self, thread, server);
  if (work == WORK_JOB)
    serve_job (self, thread);
  return work != WORK_LEAVE;
}

static void *
run_thread (void *data)
{
  SrvPoolThread *thread = data;
  SrvThreadPool *self = thread->pool;

  srv_task_set (SRV_TASK_MIX_IN, self->mix_in);
  srv_task_set (SRV_TASK_POOL_THREAD, thread);
  while (do_work (self, thread) && !thread->orphaned)
    continue;
  if (!thread->orphaned)
    deregister (self);
  g_free (thread);
  return NULL;
}

/* Takes a place for a new thread, NULL if there is none. Under the lock. */
SrvPoolThread *
srv_thread_pool_reserve (SrvThreadPool *self)
{
  SrvPoolThread *thread;

  if (!srv_thread_pool_may_start (self))
    return NULL;
  thread = g_new0 (SrvPoolThread, 1);
  thread->pool = self;
  thread->link.data = thread->idle_link.data = thread;
  thread->run = self->run - 1;
  g_queue_push_head_link (&self->threads, &thread->link);
  self->n_alive++;
  note_coming (self, thread, TRUE);
  return thread;
}

static int
create_thread (SrvThreadPool *self, SrvPoolThread *thread)
{
  pthread_attr_t attributes;
  pthread_t id;
  int code;

  code = pthread_attr_init (&attributes);
  if (code != 0)
    return code;
  code = pthread_attr_setstacksize (&attributes, self->stack_size);
  if (code == 0)
    code = pthread_create (&id, &attributes, run_thread, thread);
  pthread_attr_destroy (&attributes);
  return code;
}

/* Gives the place back. What the thread should have served is returned. */
static SrvPoolJob *
abandon_thread (SrvThreadPool *self, SrvPoolThread *thread, guint *n_left)
{
  SrvPoolJob *job = thread->job;

  g_mutex_lock (&self->lock);
  if (job != NULL)
    end_service (self, thread);
  g_queue_unlink (&self->threads, &thread->link);
  self->n_alive--;
  note_coming (self, thread, FALSE);
  self->retry_at = srv_deadline_from_ms (RETRY_MS);
  *n_left = self->threads.length;
  g_mutex_unlock (&self->lock);
  g_free (thread);
  return job;
}

/* Starts a thread in its place. If that fails, it is no failure as long as there
 * are others. Whoever has given the thread a job gets it back. */
gboolean
srv_thread_pool_launch (SrvThreadPool *self,
                        SrvPoolThread *thread,
                        SrvBaseServer *server,
                        SrvPoolJob **job,
                        GError **error)
{
  int code = create_thread (self, thread);
  guint n_left;

  *job = NULL;
  if (code == 0)
    return TRUE;
  *job = abandon_thread (self, thread, &n_left);
  if (n_left > 0)
    {
      srv_log (G_LOG_LEVEL_WARNING, "thread-missing", server, NULL,
               "could not start one more thread than %u: %s", n_left,
               g_strerror (code));
      return TRUE;
    }
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a thread for the pool: %s", g_strerror (code));
  return FALSE;
}

/* Starts one thread if WANTED (self) is true. */
static gboolean
start_if (SrvThreadPool *self,
          gboolean (*wanted) (SrvThreadPool *self),
          SrvBaseServer *server,
          GError **error)
{
  SrvPoolThread *thread;
  SrvPoolJob *none;

  g_mutex_lock (&self->lock);
  thread = wanted (self) ? srv_thread_pool_reserve (self) : NULL;
  g_mutex_unlock (&self->lock);
  return thread == NULL ||
         srv_thread_pool_launch (self, thread, server, &none, error);
}

static gboolean
has_too_few (SrvThreadPool *self)
{
  return self->threads.length < self->min_threads;
}

static gboolean
has_nobody_to_accept (SrvThreadPool *self)
{
  return self->server != NULL && self->n_accepting + self->n_coming == 0;
}

gboolean
srv_thread_pool_start (SrvThreadPool *self,
                       SrvBaseServer *server,
                       GError **error)
{
  for (guint i = 0; i < self->min_threads; i++)
    if (!start_if (self, has_too_few, server, error))
      return FALSE;
  return TRUE;
}

/* Nobody accepts after this. What the loops have failed with. */
static GError *
await_loops (SrvThreadPool *self)
{
  GError *failure;

  g_mutex_lock (&self->lock);
  while (self->n_accepting > 0)
    srv_wait_list_wait (&self->changed, &self->lock, SRV_DEADLINE_NEVER);
  self->server = NULL;
  failure = g_steal_pointer (&self->failure);
  g_mutex_unlock (&self->lock);
  return failure;
}

static void
begin_run (SrvThreadPool *self, SrvBaseServer *server)
{
  g_mutex_lock (&self->lock);
  self->server = server;
  self->run++;
  wake_idle_threads (self);
  g_mutex_unlock (&self->lock);
}

gboolean
srv_thread_pool_run_loops (SrvThreadPool *self,
                           SrvBaseServer *server,
                           GError **error)
{
  GError *own_failure = NULL;
  GError *failure;

  begin_run (self, server);
  if (!srv_thread_pool_start (self, server, &own_failure) ||
      !start_if (self, has_nobody_to_accept, server, &own_failure) ||
      !srv_base_server_run_loop (server, &own_failure))
    srv_base_server_stop (server);
  failure = await_loops (self);
  if (own_failure != NULL)
    g_clear_error (&failure);
  else if (failure == NULL)
    return TRUE;
  g_propagate_error (error, own_failure != NULL ? own_failure : failure);
  return FALSE;
}

/* For the time that the thread is busy somebody else must accept. Returns whom
 * to srv_thread_pool_launch for that, if there is nobody. */
static SrvPoolThread *
step_out_of_loop (SrvThreadPool *self,
                  SrvPoolThread *thread,
                  SrvRequest *request)
{
  SrvPoolThread *substitute;

  g_mutex_lock (&self->lock);
  srv_thread_pool_begin_service (self, thread, request);
  self->n_accepting--;
  srv_wait_list_wake_all (&self->changed);
  substitute = has_nobody_to_accept (self) ? srv_thread_pool_reserve (self)
                                           : NULL;
  g_mutex_unlock (&self->lock);
  return substitute;
}

static void
step_into_loop (SrvThreadPool *self,
                SrvPoolThread *thread,
                SrvBaseServer *server)
{
  gboolean wake;

  g_mutex_lock (&self->lock);
  wake = end_service (self, thread);
  self->n_accepting++;
  g_mutex_unlock (&self->lock);
  if (wake)
    srv_base_server_wake (server);
}

/* One that is in a handler already, and has been made to take another request,
 * serves that too. */
void
srv_thread_pool_serve (SrvThreadPool *self,
                       SrvBaseServer *server,
                       SrvRequest *request)
{
  SrvPoolThread *thread = own_thread (self);
  g_autoptr (GError) error = NULL;
  SrvPoolThread *substitute = NULL;
  gboolean is_nested;
  SrvPoolJob *none;

  g_assert (thread != NULL);
  is_nested = thread->request != NULL;
  if (!is_nested)
    substitute = step_out_of_loop (self, thread, request);
  if (substitute != NULL)
    srv_thread_pool_launch (self, substitute, server, &none, NULL);
  /* A handler that asks for a stop ends its own request and no more. */
  srv_base_server_complete_request (server, request, &error);
  if (!is_nested)
    step_into_loop (self, thread, server);
}

guint
srv_thread_pool_count_others (SrvThreadPool *self)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = self->n_busy + self->n_accepting + self->jobs.length;
  g_mutex_unlock (&self->lock);
  return own_thread (self) != NULL ? n - 1 : n;
}

void
srv_thread_pool_stop (SrvThreadPool *self)
{
  guint n_own = own_thread (self) != NULL ? 1 : 0;
  SrvLastThread last;

  g_mutex_lock (&self->lock);
  for (GList *i = self->threads.head; i != NULL; i = i->next)
    ((SrvPoolThread *) i->data)->must_quit = TRUE;
  wake_idle_threads (self);
  while (self->n_alive > n_own)
    srv_wait_list_wait (&self->changed, &self->lock, SRV_DEADLINE_NEVER);
  last = srv_last_thread_take (&self->last);
  g_mutex_unlock (&self->lock);
  srv_last_thread_join (last);
}

void
srv_thread_pool_init (SrvThreadPool *self, gpointer mix_in)
{
  self->mix_in = mix_in;
  g_mutex_init (&self->lock);
}

/* Whoever gave up the server may be one of us: it ends by itself, and joins
 * nobody and is not joined. */
void
srv_thread_pool_clear (SrvThreadPool *self)
{
  SrvPoolThread *own = own_thread (self);

  srv_thread_pool_stop (self);
  if (own != NULL)
    {
      own->orphaned = TRUE;
      pthread_detach (pthread_self ());
    }
  g_clear_error (&self->failure);
  g_mutex_clear (&self->lock);
}
