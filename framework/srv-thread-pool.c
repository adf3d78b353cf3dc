/* srv-thread-pool.c - the threads of a pool, and what waits for one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-thread-pool-private.h"

#include "srv-base-server.h"
#include "srv-connection-private.h"
#include "srv-log-private.h"
#include "srv-task-private.h"

/* How long to get along without more threads when the system had none. */
#define RETRY_MS 1000

/* A request that has been handed over. */
typedef struct
{
  SrvBaseServer *server; /* borrowed, held */
  SrvRequest *request;   /* owned */
} Job;

typedef struct
{
  SrvThreadPool *pool; /* borrowed */
  gboolean orphaned;   /* its own: the pool has ended under it */

  /* Under the lock of the pool. */
  GList link;         /* in the list of threads */
  GList idle_link;    /* in the stack of idle ones */
  gboolean is_coming; /* counted in n_coming */
  gboolean is_idle;
  SrvWaitList wake;
  Job *job;            /* owned: to be served next */
  SrvRequest *request; /* borrowed: being served */
  gboolean is_cut;     /* its connection, for room */
  guint run;           /* the last one that it took part in */
  gboolean must_quit;
} Thread;

typedef enum
{
  WORK_NONE,
  WORK_JOB,
  WORK_LOOP,
  WORK_LEAVE,
} Work;

static Job *
job_new (SrvBaseServer *server, SrvRequest *request)
{
  Job *self = g_new (Job, 1);

  srv_base_server_hold (server);
  self->server = server;
  self->request = g_object_ref (request);
  return self;
}

/* Wakes a drain; from here on the server may be gone. */
static void
job_free (Job *self)
{
  SrvBaseServer *server = self->server;

  g_object_unref (self->request);
  g_free (self);
  srv_base_server_release (server);
}

/* The thread of the pool that calls, NULL if somebody else does. */
static Thread *
own_thread (SrvThreadPool *self)
{
  Thread *thread = srv_task_get (SRV_TASK_POOL_THREAD);

  return thread != NULL && thread->pool == self ? thread : NULL;
}

gboolean
srv_thread_pool_is_own (SrvThreadPool *self)
{
  return own_thread (self) != NULL;
}

/* Serving. What follows down to the threads' life is under the lock, unless it
 * says so. */

static void
begin_service (SrvThreadPool *self, Thread *thread, SrvRequest *request)
{
  self->n_busy++;
  thread->request = request;
}

/* TRUE if a loop waits for that. */
static gboolean
end_service (SrvThreadPool *self, Thread *thread)
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
serve_job (SrvThreadPool *self, Thread *thread)
{
  Job *job = g_steal_pointer (&thread->job);
  g_autoptr (GError) error = NULL;
  gboolean wake;

  /* A handler that asks for a stop ends its own request and no more. */
  srv_base_server_complete_request (job->server, job->request, &error);
  g_mutex_lock (&self->lock);
  wake = end_service (self, thread);
  g_mutex_unlock (&self->lock);
  if (wake)
    srv_base_server_wake (job->server);
  job_free (job);
}

static guint
count_most_threads (SrvThreadPool *self)
{
  return MAX (self->min_threads, self->max_threads);
}

/* After the system had no thread for us the pool gets along with what it has,
 * if it has any. */
static gboolean
may_start (SrvThreadPool *self)
{
  guint n = self->threads.length;

  return n == 0 || (n < count_most_threads (self) &&
                    srv_deadline_has_passed (self->retry_at));
}

static gboolean
has_room (SrvThreadPool *self)
{
  guint n_threads = may_start (self) ? count_most_threads (self)
                                     : self->threads.length;

  return self->n_busy + self->jobs.length <
         n_threads + self->n_dying + self->queue_size;
}

static void
note_coming (SrvThreadPool *self, Thread *thread, gboolean is_coming)
{
  if (thread->is_coming == is_coming)
    return;
  thread->is_coming = is_coming;
  self->n_coming += is_coming ? 1 : -1u;
}

static void
wake_thread (SrvThreadPool *self, Thread *thread)
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
    wake_thread (self, self->idle.head->data);
}

/* What a thread does next. */
static Work
find_work (SrvThreadPool *self, Thread *thread)
{
  note_coming (self, thread, FALSE);
  if (thread->job == NULL && self->jobs.length > 0)
    {
      thread->job = g_queue_pop_head (&self->jobs);
      begin_service (self, thread, thread->job->request);
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
wait_idle (SrvThreadPool *self, Thread *thread)
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
wait_for_work (SrvThreadPool *self, Thread *thread)
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
begin_loop (SrvThreadPool *self, Thread *thread)
{
  thread->run = self->run;
  self->n_accepting++;
  srv_base_server_hold (self->server);
  return self->server;
}

/* A loop that was idle is repeated, unless there are enough threads without it
 * and one of them accepts. FALSE when the thread shall end. */
static gboolean
end_loop (SrvThreadPool *self, Thread *thread, gboolean is_idle)
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
run_loop (SrvThreadPool *self, Thread *thread, SrvBaseServer *server)
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

static void
join_ended (SrvThreadPool *self)
{
  pthread_t ended;
  gboolean has_ended;

  g_mutex_lock (&self->lock);
  ended = self->ended;
  has_ended = self->has_ended;
  self->has_ended = FALSE;
  g_mutex_unlock (&self->lock);
  if (has_ended)
    pthread_join (ended, NULL);
}

/* The calling thread is done; somebody joins it. */
static void
deregister (SrvThreadPool *self)
{
  pthread_t before;
  gboolean has_before;

  g_mutex_lock (&self->lock);
  before = self->ended;
  has_before = self->has_ended;
  self->ended = pthread_self ();
  self->has_ended = TRUE;
  self->n_alive--;
  srv_wait_list_wake_all (&self->changed);
  g_mutex_unlock (&self->lock);
  if (has_before)
    pthread_join (before, NULL);
}

/* FALSE when the thread shall end. */
static gboolean
do_work (SrvThreadPool *self, Thread *thread)
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
  Thread *thread = data;
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
static Thread *
reserve_thread (SrvThreadPool *self)
{
  Thread *thread;

  if (!may_start (self))
    return NULL;
  thread = g_new0 (Thread, 1);
  thread->pool = self;
  thread->link.data = thread->idle_link.data = thread;
  thread->run = self->run - 1;
  g_queue_push_head_link (&self->threads, &thread->link);
  self->n_alive++;
  note_coming (self, thread, TRUE);
  return thread;
}

static int
create_thread (SrvThreadPool *self, Thread *thread)
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
static Job *
abandon_thread (SrvThreadPool *self, Thread *thread, guint *n_left)
{
  Job *job = thread->job;

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
static gboolean
launch (SrvThreadPool *self,
        Thread *thread,
        SrvBaseServer *server,
        Job **job,
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
  Thread *thread;
  Job *none;

  g_mutex_lock (&self->lock);
  thread = wanted (self) ? reserve_thread (self) : NULL;
  g_mutex_unlock (&self->lock);
  return thread == NULL || launch (self, thread, server, &none, error);
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
 * to launch for that, if there is nobody. */
static Thread *
step_out_of_loop (SrvThreadPool *self, Thread *thread, SrvRequest *request)
{
  Thread *substitute;

  g_mutex_lock (&self->lock);
  begin_service (self, thread, request);
  self->n_accepting--;
  srv_wait_list_wake_all (&self->changed);
  substitute = has_nobody_to_accept (self) ? reserve_thread (self) : NULL;
  g_mutex_unlock (&self->lock);
  return substitute;
}

static void
step_into_loop (SrvThreadPool *self, Thread *thread, SrvBaseServer *server)
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
  Thread *thread = own_thread (self);
  g_autoptr (GError) error = NULL;
  Thread *substitute = NULL;
  gboolean is_nested;
  Job *none;

  g_assert (thread != NULL);
  is_nested = thread->request != NULL;
  if (!is_nested)
    substitute = step_out_of_loop (self, thread, request);
  if (substitute != NULL)
    launch (self, substitute, server, &none, NULL);
  /* A handler that asks for a stop ends its own request and no more. */
  srv_base_server_complete_request (server, request, &error);
  if (!is_nested)
    step_into_loop (self, thread, server);
}

/* Makes room: who has been waiting longest for its client is cut. FALSE if
 * nobody waits. Under the lock. */
static gboolean
cut_oldest_idle (SrvThreadPool *self)
{
  Thread *oldest = NULL;
  int longest_ms = -1;

  for (GList *i = self->threads.head; i != NULL; i = i->next)
    {
      Thread *thread = i->data;
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
give_job (SrvThreadPool *self, Thread *thread, Job *job)
{
  thread->job = job;
  begin_service (self, thread, job->request);
}

/* Finds a place for a job: an idle thread, a new one, which is returned and must
 * be launched, or the queue. A thread that is neither idle nor busy is about to
 * look into the queue. FALSE if there is none. */
static gboolean
place_job (SrvThreadPool *self, Job *job, Thread **new_thread)
{
  Thread *idle;
  gboolean placed = TRUE;

  g_mutex_lock (&self->lock);
  idle = g_queue_peek_head (&self->idle);
  *new_thread = idle == NULL &&
                    self->n_busy + self->jobs.length >= self->threads.length
                  ? reserve_thread (self)
                  : NULL;
  if (idle != NULL || *new_thread != NULL)
    give_job (self, idle != NULL ? idle : *new_thread, job);
  else if ((placed = may_queue (self)))
    g_queue_push_tail (&self->jobs, job);
  if (idle != NULL)
    wake_thread (self, idle);
  g_mutex_unlock (&self->lock);
  return placed;
}

/* No thread could be had for a job. It waits for one of the others, beyond the
 * bound. */
static void
put_back (SrvThreadPool *self, Job *job)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->jobs, job);
  if (self->idle.length > 0)
    wake_thread (self, self->idle.head->data);
  g_mutex_unlock (&self->lock);
}

gboolean
srv_thread_pool_push (SrvThreadPool *self,
                      SrvBaseServer *server,
                      SrvRequest *request,
                      GError **error)
{
  Job *job = job_new (server, request);
  Job *left = NULL;
  Thread *thread;

  if (self->full_policy == SRV_FULL_POLICY_OLDEST_IDLE &&
      SRV_IS_CONNECTION (request))
    srv_connection_note_idle (SRV_CONNECTION (request));
  if (!place_job (self, job, &thread))
    {
      job_free (job);
      /* Nothing is waited for at its end: the loop has no time. */
      srv_request_cut (request);
      g_set_error_literal (error, SRV_ERROR, SRV_ERROR_LIMIT,
                           "the pool has no room for the request");
      return FALSE;
    }
  if (thread != NULL && !launch (self, thread, server, &left, error))
    {
      job_free (left);
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

  if (own_thread (self) != NULL)
    return TRUE;
  g_mutex_lock (&self->lock);
  /* While our threads accept, nobody else does. */
  open = self->server == NULL &&
         (self->full_policy != SRV_FULL_POLICY_WAIT || has_room (self));
  self->at_limit = !open && self->server == NULL;
  g_mutex_unlock (&self->lock);
  return open;
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
srv_thread_pool_drop_jobs (SrvThreadPool *self)
{
  GQueue jobs;
  Job *job;

  g_mutex_lock (&self->lock);
  jobs = self->jobs;
  g_queue_init (&self->jobs);
  g_mutex_unlock (&self->lock);
  while ((job = g_queue_pop_head (&jobs)) != NULL)
    {
      srv_base_server_shutdown_request (job->server, job->request);
      job_free (job);
    }
}

void
srv_thread_pool_stop (SrvThreadPool *self)
{
  guint n_own = own_thread (self) != NULL ? 1 : 0;

  g_mutex_lock (&self->lock);
  for (GList *i = self->threads.head; i != NULL; i = i->next)
    ((Thread *) i->data)->must_quit = TRUE;
  wake_idle_threads (self);
  while (self->n_alive > n_own)
    srv_wait_list_wait (&self->changed, &self->lock, SRV_DEADLINE_NEVER);
  g_mutex_unlock (&self->lock);
  join_ended (self);
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
  Thread *own = own_thread (self);

  srv_thread_pool_stop (self);
  if (own != NULL)
    {
      own->orphaned = TRUE;
      pthread_detach (pthread_self ());
    }
  g_clear_error (&self->failure);
  g_mutex_clear (&self->lock);
}
