/* srv-fiber-requests.c - requests and loops, on their way to a fiber
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server-private.h"
#include "srv-connection-private.h"
#include "srv-datagram.h"
#include "srv-fiber-mix-in-private.h"
#include "srv-task-private.h"

#include <errno.h>
#include <unistd.h>

/* A request on its way to its fiber. */
typedef struct
{
  SrvFiberMessage message;
  SrvFiberThread *worker;
  SrvFiberMixIn *mix_in; /* borrowed: the server owns it */
  SrvBaseServer *server; /* borrowed, held */
  SrvRequest *request;   /* owned */
} Work;

/* A loop on its way to its fiber. */
typedef struct
{
  SrvFiberMessage message;
  SrvFiberMixIn *mix_in;
  SrvBaseServer *server;
  SrvListener *listener; /* borrowed, nullable: the worker's own */
} Loop;

static void
change_n_fibers (Work *work, int change)
{
  g_atomic_int_add (&work->mix_in->n_fibers, change);
  g_atomic_int_add (&work->worker->n_requests, change);
}

/* Whoever waits at the limit looks again. The server's own descriptor is read
 * by the calling thread's loop, and would then not wake a worker's. */
static void
tell_room (SrvFiberMixIn *self, SrvBaseServer *server)
{
  const guint64 one = 1;

  srv_base_server_wake (server);
  g_mutex_lock (&self->lock);
  for (guint i = 0; self->workers != NULL && i < self->workers->len; i++)
    {
      SrvFiberThread *worker = self->workers->pdata[i];

      if (write (worker->room_fd, &one, sizeof one) < 0)
        g_assert (errno == EAGAIN);
      g_atomic_int_set (&worker->has_room, TRUE);
    }
  g_mutex_unlock (&self->lock);
}

/* The request has come to its end, or will never begin. */
static void
end_work (Work *work)
{
  SrvFiberMixIn *mix_in = work->mix_in;
  SrvBaseServer *server = work->server;

  change_n_fibers (work, -1);
  g_object_unref (work->request);
  g_free (work);
  if (g_atomic_int_get (&mix_in->at_limit) &&
      g_atomic_int_compare_and_exchange (&mix_in->at_limit, TRUE, FALSE))
    tell_room (mix_in, server);
  /* Wakes a drain; from here on the server may be gone. */
  srv_base_server_release (server);
}

static void
run_work (gpointer data)
{
  Work *work = data;
  g_autoptr (GError) error = NULL;

  srv_task_set (SRV_TASK_MIX_IN, work->mix_in);
  /* A handler that asks for a stop ends its own fiber and no more. */
  srv_base_server_complete_request (work->server, work->request, &error);
  if (SRV_IS_CONNECTION (work->request))
    srv_connection_leave_worker (SRV_CONNECTION (work->request));
  end_work (work);
}

static gboolean
spawn (Work *work, GError **error)
{
  if (srv_fiber_spawn (work->worker->fibers, run_work, work))
    return TRUE;
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a fiber for the request: %s",
               g_strerror (errno));
  return FALSE;
}

/* On the worker that was chosen; whoever chose it is told no more. */
static void
deliver_work (SrvFiberMessage *message, G_GNUC_UNUSED SrvFiberWorker *worker)
{
  Work *work = (Work *) message;
  g_autoptr (GError) error = NULL;

  if (spawn (work, &error))
    return;
  srv_base_server_handle_error (work->server, work->request, error);
  srv_base_server_shutdown_request (work->server, work->request);
  end_work (work);
}

/* A datagram is served by whoever has received it: every worker looks at the
 * socket, and takes from it what it comes to. */
static SrvFiberThread *
choose_worker (SrvFiberMixIn *self, SrvRequest *request)
{
  SrvFiberThread *own =
    SRV_IS_DATAGRAM (request) ? srv_fiber_threads_find_loop (self) : NULL;

  return own != NULL ? own : srv_fiber_threads_choose (self);
}

gboolean
srv_fiber_mix_in_process_request (SrvMixIn *mix_in,
                                  SrvBaseServer *server,
                                  SrvRequest *request,
                                  GError **error)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  Work *work;

  if (!srv_fiber_threads_start (self, error))
    return FALSE;
  work = g_new (Work, 1);
  work->message.deliver = deliver_work;
  work->worker = choose_worker (self, request);
  work->mix_in = self;
  work->server = server;
  work->request = g_object_ref (request);
  srv_base_server_hold (server);
  change_n_fibers (work, +1);
  /* The worker may have begun to work before it was for a request. */
  srv_fiber_thread_start_watch (work->worker);
  if (!srv_fiber_thread_is_own (work->worker))
    srv_fiber_worker_post (work->worker->fibers, &work->message);
  else if (!spawn (work, error))
    {
      end_work (work);
      return FALSE;
    }
  return TRUE;
}

/* Loops */

static void
run_loop (gpointer data)
{
  Loop *loop = data;
  SrvFiberMixIn *self = loop->mix_in;
  SrvBaseServer *server = loop->server;
  SrvListener *listener = loop->listener;
  GError *error = NULL;

  g_free (loop);
  srv_fiber_set_label (G_OBJECT_TYPE_NAME (server));
  if (!srv_base_server_run_worker_on (server, listener, &error))
    srv_base_server_stop (server);
  g_mutex_lock (&self->lock);
  if (self->failure == NULL)
    self->failure = g_steal_pointer (&error);
  self->n_loops--;
  srv_wait_list_wake_all (&self->loop_left);
  g_mutex_unlock (&self->lock);
  g_clear_error (&error);
}

static void
leave_loop (SrvFiberMixIn *self, int code)
{
  g_mutex_lock (&self->lock);
  self->n_loops--;
  if (self->failure == NULL)
    g_set_error (&self->failure, SRV_ERROR, SRV_ERROR_LIMIT,
                 "could not start a fiber for the loop: %s", g_strerror (code));
  srv_wait_list_wake_all (&self->loop_left);
  g_mutex_unlock (&self->lock);
}

static void
deliver_loop (SrvFiberMessage *message, SrvFiberWorker *worker)
{
  Loop *loop = (Loop *) message;

  if (srv_fiber_spawn (worker, run_loop, loop))
    return;
  leave_loop (loop->mix_in, errno);
  srv_base_server_stop (loop->server);
  g_free (loop);
}

/* Sees that there is a socket for each worker, if each shall have its own, and
 * else none: who came to one that nobody accepts from would wait for ever. */
static gboolean
open_listeners (SrvFiberMixIn *self, SrvBaseServer *server, GError **error)
{
  guint n_twins = self->workers->len - 1;
  gboolean shared = self->listener_sharing == SRV_LISTENER_SHARING_SHARED;

  if (!shared && (n_twins == 0 ||
                  srv_base_server_get_twin (server, n_twins, error) != NULL))
    return TRUE;
  srv_base_server_drop_twins (server);
  return shared;
}

static void
start_loops (SrvFiberMixIn *self, SrvBaseServer *server)
{
  gboolean own_listeners = self->listener_sharing ==
                           SRV_LISTENER_SHARING_REUSE_PORT;

  g_mutex_lock (&self->lock);
  self->serving = TRUE;
  self->n_loops = self->workers->len;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < self->workers->len; i++)
    {
      Loop *loop = g_new (Loop, 1);

      *loop = (Loop){ { .deliver = deliver_loop }, self, server, NULL };
      if (own_listeners && i > 0)
        loop->listener = srv_base_server_get_twin (server, i, NULL);
      srv_fiber_worker_post (((SrvFiberThread *) self->workers->pdata[i])
                               ->fibers,
                             &loop->message);
    }
}

/* Nobody accepts after this. What the loops failed with. */
static GError *
await_loops (SrvFiberMixIn *self)
{
  GError *failure;

  g_mutex_lock (&self->lock);
  while (self->n_loops > 0)
    srv_wait_list_wait (&self->loop_left, &self->lock, SRV_DEADLINE_NEVER);
  self->serving = FALSE;
  failure = g_steal_pointer (&self->failure);
  g_mutex_unlock (&self->lock);
  return failure;
}

/* The calling thread accepts nobody: it keeps the periodic work, and watches
 * the workers. */
gboolean
srv_fiber_mix_in_serve (SrvMixIn *mix_in, SrvBaseServer *server, GError **error)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  GError *own_failure = NULL;
  GError *failure;

  if (!srv_fiber_threads_start (self, error))
    return FALSE;
  if (!open_listeners (self, server, error))
    return FALSE;
  start_loops (self, server);
  if (!srv_base_server_run_loop (server, &own_failure))
    srv_base_server_stop (server);
  failure = await_loops (self);
  if (failure == NULL && own_failure == NULL)
    return TRUE;
  if (own_failure != NULL)
    g_clear_error (&failure);
  g_propagate_error (error, own_failure != NULL ? own_failure : failure);
  return FALSE;
}
