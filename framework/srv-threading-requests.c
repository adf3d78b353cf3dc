/* srv-threading-requests.c - requests in line, and the threads that serve them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-threading-mix-in-private.h"

#include "srv-base-server.h"
#include "srv-task-private.h"

/* A thread without work stays for a moment, for to start one and let it go takes
 * longer than to serve a short request. So many do, and no longer than so. */
#define MAX_IDLE_THREADS 16
#define IDLE_TIME        (100 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  SrvBaseServer *server; /* borrowed: held by the thread that will come */
  SrvRequest *request;   /* owned */
} Work;

/* What a new thread is told. */
typedef struct
{
  SrvThreadingMixIn *mix_in; /* borrowed: the server owns it */
  SrvBaseServer *server;     /* borrowed, held */
} Start;

/* Joins a thread that has nothing left to do but to exit. */
void
srv_threading_mix_in_join_last (SrvThreadingMixIn *self)
{
  SrvLastThread last;

  g_mutex_lock (&self->lock);
  last = srv_last_thread_take (&self->last);
  g_mutex_unlock (&self->lock);
  srv_last_thread_join (last);
}

/* Sees that a thread comes for the first in line; the lock is held. TRUE if one
 * has to be started. */
static gboolean
call_thread (SrvThreadingMixIn *self)
{
  gboolean is_there = self->n_idle > self->n_called;

  if (self->n_ready > 0 || (!is_there && self->max_threads > 0 &&
                            self->n_threads >= self->max_threads))
    return FALSE;
  self->n_ready++;
  if (is_there)
    {
      self->n_called++;
      g_cond_signal (&self->called);
    }
  else
    self->n_threads++;
  return !is_there;
}

/* When no thread could be started: whether one that is there comes. */
static gboolean
call_idle (SrvThreadingMixIn *self)
{
  gboolean comes;

  g_mutex_lock (&self->lock);
  comes = self->n_ready > 0 || self->n_idle > self->n_called;
  if (comes)
    call_thread (self);
  g_mutex_unlock (&self->lock);
  return comes;
}

/* Whoever does not wait for threads at the close must not find one that only
 * waits itself, and has the server. */
static gboolean
may_wait (SrvThreadingMixIn *self)
{
  return self->n_idle < MAX_IDLE_THREADS && !self->closing &&
         srv_mix_in_get_block_on_close (SRV_MIX_IN (self));
}

/* The calling thread has nothing to do, and the lock is held. FALSE if there is
 * still nothing in the end. */
static gboolean
await_call (SrvThreadingMixIn *self)
{
  const gint64 deadline = g_get_monotonic_time () + IDLE_TIME;
  gboolean in_time = TRUE;

  if (!may_wait (self))
    return FALSE;
  self->n_idle++;
  while (self->n_called == 0 && !self->closing && in_time)
    in_time = g_cond_wait_until (&self->called, &self->lock, deadline);
  self->n_idle--;
  /* Without a call there may be something too: where no thread could be had. */
  if (self->n_called == 0)
    return self->waiting.length > 0;
  self->n_called--;
  self->n_ready--;
  return TRUE;
}

/* From now on a thread without work ends at once. */
void
srv_threading_mix_in_end_idle (SrvThreadingMixIn *self)
{
  g_mutex_lock (&self->lock);
  self->closing = TRUE;
  g_cond_broadcast (&self->called);
  g_mutex_unlock (&self->lock);
}

static void *run_thread (void *data);

static int
start_thread (SrvThreadingMixIn *self, SrvBaseServer *server)
{
  Start *start = g_new (Start, 1);
  pthread_attr_t attributes;
  pthread_t thread;
  int code;

  *start = (Start){ self, server };
  srv_base_server_hold (server);
  code = pthread_attr_init (&attributes);
  if (code == 0)
    {
      code = pthread_attr_setstacksize (&attributes, self->stack_size);
      if (code == 0)
        code = pthread_create (&thread, &attributes, run_thread, start);
      pthread_attr_destroy (&attributes);
    }
  if (code == 0)
    return 0;
  g_mutex_lock (&self->lock);
  self->n_ready--;
  self->n_threads--;
  g_mutex_unlock (&self->lock);
  srv_base_server_release (server);
  g_free (start);
  return code;
}

static void
fail_without_thread (GError **error, int code)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a thread for the request: %s",
               g_strerror (code));
}

static void
work_free (Work *work)
{
  g_object_unref (work->request);
  g_free (work);
}

/* A request has come to its end: there is room for one more. */
static void
end_request (SrvThreadingMixIn *self, SrvBaseServer *server)
{
  gboolean wake;

  g_mutex_lock (&self->lock);
  self->n_requests--;
  wake = self->at_limit;
  self->at_limit = FALSE;
  g_mutex_unlock (&self->lock);
  if (wake)
    srv_base_server_wake (server);
}

/* A handler that asks for a stop ends its own request and no more: the loop is
 * somebody else's. */
static void
serve (SrvThreadingMixIn *self, Work *work)
{
  g_autoptr (GError) error = NULL;

  srv_base_server_complete_request (work->server, work->request, &error);
  end_request (self, work->server);
  work_free (work);
}

/* There is no thread for the first in line; it is told so, as the loop would. */
static void
give_up_on_first (SrvThreadingMixIn *self, int code)
{
  g_autoptr (GError) error = NULL;
  Work *work;

  g_mutex_lock (&self->lock);
  work = g_queue_pop_head (&self->waiting);
  g_mutex_unlock (&self->lock);
  if (work == NULL)
    return;
  fail_without_thread (&error, code);
  srv_base_server_handle_error (work->server, work->request, error);
  srv_base_server_shutdown_request (work->server, work->request);
  end_request (self, work->server);
  work_free (work);
}

/* The first in line. If there are more, one other thread is called before this
 * one begins: a handler may take for ever, and none shall wait for another. But
 * if they are quick, this thread has served all before that one is there, which
 * is how short requests are served without a thread for each. NULL: there is
 * nothing left to do, and @before has to be joined. */
static Work *
take_work (SrvThreadingMixIn *self,
           SrvBaseServer *server,
           gboolean *is_new,
           SrvLastThread *before)
{
  gboolean start;
  Work *work;
  int code;

  g_mutex_lock (&self->lock);
  if (*is_new)
    self->n_ready--;
  *is_new = FALSE;
  while ((work = g_queue_pop_head (&self->waiting)) == NULL &&
         await_call (self))
    continue;
  if (work == NULL)
    {
      self->n_threads--;
      *before = srv_last_thread_replace (&self->last);
    }
  start = work != NULL && self->waiting.length > 0 && call_thread (self);
  g_mutex_unlock (&self->lock);
  if (start && (code = start_thread (self, server)) != 0 && !call_idle (self))
    give_up_on_first (self, code);
  return work;
}

static void *
run_thread (void *data)
{
  Start *start = data;
  SrvThreadingMixIn *self = start->mix_in;
  SrvBaseServer *server = start->server;
  gboolean is_new = TRUE;
  SrvLastThread before;
  Work *work;

  g_free (start);
  srv_task_set (SRV_TASK_MIX_IN, self);
  while ((work = take_work (self, server, &is_new, &before)) != NULL)
    serve (self, work);
  srv_last_thread_join (before);
  /* Wakes a drain; from here on the server may be gone. */
  srv_base_server_release (server);
  return NULL;
}

static gboolean
put_in_line (SrvThreadingMixIn *self, Work *work)
{
  gboolean start;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->waiting, work);
  self->n_requests++;
  start = call_thread (self);
  g_mutex_unlock (&self->lock);
  return start;
}

/* FALSE if another thread has taken it meanwhile. */
static gboolean
take_out_of_line (SrvThreadingMixIn *self, Work *work)
{
  gboolean found;

  g_mutex_lock (&self->lock);
  found = g_queue_remove (&self->waiting, work);
  if (found)
    self->n_requests--;
  g_mutex_unlock (&self->lock);
  return found;
}

gboolean
srv_threading_mix_in_process_request (SrvMixIn *mix_in,
                                      SrvBaseServer *server,
                                      SrvRequest *request,
                                      GError **error)
{
  SrvThreadingMixIn *self = SRV_THREADING_MIX_IN (mix_in);
  Work *work = g_new (Work, 1);
  int code;

  *work = (Work){ server, g_object_ref (request) };
  if (!put_in_line (self, work))
    return TRUE;
  code = start_thread (self, server);
  if (code == 0 || call_idle (self) || !take_out_of_line (self, work))
    return TRUE;
  work_free (work);
  fail_without_thread (error, code);
  return FALSE;
}
