/* srv-fiber-mix-in.c - a fiber for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-fiber-mix-in.h"

#include "fiber/srv-fiber-private.h"
#include "srv-base-server.h"
#include "srv-log-private.h"
#include "srv-task-private.h"
#include "srv-wait-list-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define DEFAULT_STACK_SIZE     (64 * 1024)
#define SMALLEST_STACK_SIZE    (16 * 1024)
#define DEFAULT_BLOCK_LIMIT_MS 500
#define MAX_WORKERS            256

/* A worker may have so many fibers more than the least busy one before it gives
 * away what it has accepted. To give away costs more than to keep. */
#define SLACK 4

/**
 * SrvFiberMixIn:
 *
 * Serves each request in a fiber: a function with a stack of its own, of which
 * a thread runs as many as there are clients.
 *
 * The handlers are the same as under every other mix-in, and are written as if
 * each had a thread: where one would wait, for its client or with
 * [func@SocketServer.wait_fd], [func@SocketServer.sleep] or
 * [func@SocketServer.offload], its worker runs another. A switch takes a few
 * nanoseconds and an idle connection a few kilobytes.
 *
 * There are [property@SocketServer.FiberMixIn:workers] threads, one for each
 * processor by default. All accept; a request stays with one of them for ever.
 *
 * A handler that waits in another way, for a lock, a file or in a library, stops
 * all the others of its worker. One that does so for longer than
 * [property@SocketServer.FiberMixIn:block-limit] is reported, once for each
 * class. Such calls go through [func@SocketServer.offload]. Stacks are small:
 * large data belongs on the heap. A handler that outgrows
 * [property@SocketServer.FiberMixIn:stack-size] ends the process with a message
 * that says so.
 *
 * Python has no counterpart; gevent comes near.
 */
struct _SrvFiberMixIn
{
  SrvMixIn parent_instance;

  guint n_workers_wanted; /* 0: one for each processor */
  gsize stack_size;
  guint max_fibers;
  int block_limit_ms;

  GPtrArray *workers; /* of Worker; NULL while none runs; goes under the lock */
  int watch_fd;       /* a timer: see whether a worker is stuck; or -1 */
  int watch_sleeps;   /* atomic: the timer does not run */
  GHashTable *told;   /* classes that have been reported */

  int n_fibers;      /* atomic: requests that have a fiber */
  gboolean at_limit; /* atomic: a loop waits for one to end */

  /* Guards everything below. */
  GMutex lock;
  SrvWaitList loop_left;
  guint n_loops;    /* of workers that accept */
  gboolean serving; /* workers accept, and nobody else does */
  GError *failure;  /* owned: what ended a loop first */
};

typedef struct
{
  SrvFiberMixIn *mix_in; /* borrowed */
  SrvFiberWorker *fibers;
  pthread_t thread;
  int room_fd;       /* an eventfd: its loop may accept again */
  int n_requests;    /* atomic: that it has been given */
  gboolean orphaned; /* atomic: nobody joins it; it frees itself */
} Worker;

/* A request on its way to its fiber. */
typedef struct
{
  SrvFiberMessage message;
  Worker *worker;
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
} Loop;

typedef enum
{
  PROP_WORKERS = 1,
  PROP_STACK_SIZE,
  PROP_MAX_FIBERS,
  PROP_BLOCK_LIMIT,
  PROP_N_FIBERS,
} SrvFiberMixInProperty;

static GParamSpec *properties[PROP_N_FIBERS + 1];

G_DEFINE_FINAL_TYPE (SrvFiberMixIn, srv_fiber_mix_in, SRV_TYPE_MIX_IN)

/* Workers */

static void
worker_free (Worker *self)
{
  srv_fiber_worker_free (self->fibers);
  if (self->room_fd >= 0)
    close (self->room_fd);
  g_free (self);
}

static void *
run_worker (void *data)
{
  Worker *self = data;

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
static void
start_watch (gpointer data)
{
  Worker *worker = data;
  SrvFiberMixIn *self = worker->mix_in;

  if (!g_atomic_int_get (&worker->orphaned) &&
      g_atomic_int_get (&self->watch_sleeps) &&
      g_atomic_int_get (&self->n_fibers) > 0 &&
      g_atomic_int_compare_and_exchange (&self->watch_sleeps, TRUE, FALSE))
    start_timer (self);
}

/* A signal handler would run on the small stack of a fiber: other threads may
 * have it. Faults stay with who made them. */
static int
start_thread (Worker *worker)
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
  Worker *worker = g_new0 (Worker, 1);
  int code;

  worker->mix_in = self;
  worker->fibers =
    srv_fiber_worker_new (self->stack_size,
                          self->watch_fd >= 0 ? start_watch : NULL, worker,
                          error);
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

static gboolean
is_own (const Worker *worker)
{
  return worker->fibers == srv_fiber_worker_self ();
}

/* Ends the workers when their fibers have ended. The one that calls, if any,
 * ends by itself later. */
static void
stop_workers (SrvFiberMixIn *self)
{
  g_autoptr (GPtrArray) workers = NULL;

  g_mutex_lock (&self->lock);
  workers = g_steal_pointer (&self->workers);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; workers != NULL && i < workers->len; i++)
    {
      Worker *worker = workers->pdata[i];

      if (is_own (worker))
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

static gboolean
start_workers (SrvFiberMixIn *self, GError **error)
{
  guint n = self->n_workers_wanted > 0
              ? self->n_workers_wanted
              : MIN (g_get_num_processors (), MAX_WORKERS);

  if (self->workers != NULL)
    return TRUE;
  if (self->block_limit_ms > 0 && self->watch_fd < 0)
    self->watch_fd =
      timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  g_atomic_int_set (&self->watch_sleeps, TRUE);
  self->workers = g_ptr_array_new ();
  while (self->workers->len < n)
    if (!add_worker (self, error))
      {
        stop_workers (self);
        return FALSE;
      }
  return TRUE;
}

/* The calling one if it is not much busier than the least busy. */
static Worker *
choose_worker (SrvFiberMixIn *self)
{
  Worker *own = NULL;
  Worker *best = self->workers->pdata[0];

  for (guint i = 0; i < self->workers->len; i++)
    {
      Worker *worker = self->workers->pdata[i];

      if (is_own (worker))
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

/* Requests */

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
    if (write (((Worker *) self->workers->pdata[i])->room_fd, &one,
               sizeof one) < 0)
      g_assert (errno == EAGAIN);
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

static gboolean
srv_fiber_mix_in_process_request (SrvMixIn *mix_in,
                                  SrvBaseServer *server,
                                  SrvRequest *request,
                                  GError **error)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  Work *work;

  if (!start_workers (self, error))
    return FALSE;
  work = g_new (Work, 1);
  work->message.deliver = deliver_work;
  work->worker = choose_worker (self);
  work->mix_in = self;
  work->server = server;
  work->request = g_object_ref (request);
  srv_base_server_hold (server);
  change_n_fibers (work, +1);
  if (!is_own (work->worker))
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
  GError *error = NULL;

  g_free (loop);
  srv_fiber_set_label (G_OBJECT_TYPE_NAME (server));
  if (!srv_base_server_run_worker (server, &error))
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

static void
start_loops (SrvFiberMixIn *self, SrvBaseServer *server)
{
  g_mutex_lock (&self->lock);
  self->serving = TRUE;
  self->n_loops = self->workers->len;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < self->workers->len; i++)
    {
      Loop *loop = g_new (Loop, 1);

      *loop = (Loop){ { .deliver = deliver_loop }, self, server };
      srv_fiber_worker_post (((Worker *) self->workers->pdata[i])->fibers,
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
static gboolean
srv_fiber_mix_in_serve (SrvMixIn *mix_in, SrvBaseServer *server, GError **error)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  GError *own_failure = NULL;
  GError *failure;

  if (!start_workers (self, error))
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

static gboolean
is_left_to_workers (SrvFiberMixIn *self)
{
  gboolean serving;

  if (srv_task_fiber () != NULL)
    return FALSE;
  g_mutex_lock (&self->lock);
  serving = self->serving;
  g_mutex_unlock (&self->lock);
  return serving;
}

static gboolean
srv_fiber_mix_in_admits (SrvMixIn *mix_in, G_GNUC_UNUSED SrvBaseServer *server)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);

  if (is_left_to_workers (self))
    return FALSE;
  if (self->max_fibers == 0 ||
      g_atomic_int_get (&self->n_fibers) < (int) self->max_fibers)
    return TRUE;
  g_atomic_int_set (&self->at_limit, TRUE);
  /* One may have ended in between. */
  return g_atomic_int_get (&self->n_fibers) < (int) self->max_fibers;
}

/* Workers that are stuck */

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

/* The worker whose loop calls, NULL for the loop of a thread. */
static Worker *
worker_of_loop (SrvFiberMixIn *self)
{
  if (srv_task_fiber () == NULL || srv_task_get (SRV_TASK_LOOP) == NULL)
    return NULL;
  for (guint i = 0; i < self->workers->len; i++)
    if (is_own (self->workers->pdata[i]))
      return self->workers->pdata[i];
  return NULL;
}

static int
srv_fiber_mix_in_fileno (SrvMixIn *mix_in, G_GNUC_UNUSED SrvBaseServer *server)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  Worker *worker = worker_of_loop (self);

  return worker != NULL ? worker->room_fd : self->watch_fd;
}

static gboolean
srv_fiber_mix_in_service_actions (SrvMixIn *mix_in,
                                  SrvBaseServer *server,
                                  G_GNUC_UNUSED GError **error)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  const struct itimerspec never = { { 0, 0 }, { 0, 0 } };
  Worker *own = worker_of_loop (self);
  gboolean all_idle = TRUE;
  const char *label;
  guint64 ticks;

  if (own != NULL && read (own->room_fd, &ticks, sizeof ticks) < 0)
    g_assert (errno == EAGAIN);

  if (srv_task_fiber () != NULL || self->workers == NULL ||
      self->watch_fd < 0 || read (self->watch_fd, &ticks, sizeof ticks) < 0)
    return TRUE;
  for (guint i = 0; i < self->workers->len; i++)
    {
      Worker *worker = self->workers->pdata[i];

      if (srv_fiber_worker_is_stuck (worker->fibers, &label))
        tell_stuck (self, server, label);
      all_idle = all_idle && srv_fiber_worker_is_idle (worker->fibers);
    }
  if (!all_idle)
    return TRUE;
  timerfd_settime (self->watch_fd, 0, &never, NULL);
  g_atomic_int_set (&self->watch_sleeps, TRUE);
  return TRUE;
}

/* The end */

/* A handler that closes its own server does not wait for itself. */
static guint
count_others (SrvFiberMixIn *self)
{
  guint n = srv_fiber_mix_in_get_n_fibers (self);

  return srv_task_get (SRV_TASK_MIX_IN) == self ? n - 1 : n;
}

static gboolean
srv_fiber_mix_in_drain (SrvMixIn *mix_in,
                        SrvBaseServer *server,
                        G_GNUC_UNUSED SrvDrainStep step,
                        gint64 deadline,
                        G_GNUC_UNUSED guint *n_cut)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);

  while (count_others (self) > 0)
    if (!srv_base_server_wait_for_event (server, deadline))
      return FALSE;
  if (!srv_base_server_wait_for_requests (server, deadline))
    return FALSE;
  if (srv_task_fiber () == NULL)
    stop_workers (self);
  return TRUE;
}

static void
srv_fiber_mix_in_finalize (GObject *object)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (object);

  stop_workers (self);
  if (self->watch_fd >= 0)
    close (self->watch_fd);
  g_hash_table_unref (self->told);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (srv_fiber_mix_in_parent_class)->finalize (object);
}

static void
srv_fiber_mix_in_get_property (GObject *object,
                               guint id,
                               GValue *value,
                               GParamSpec *pspec)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (object);

  switch ((SrvFiberMixInProperty) id)
    {
    case PROP_WORKERS:
      g_value_set_uint (value, self->n_workers_wanted);
      break;
    case PROP_STACK_SIZE:
      g_value_set_uint64 (value, self->stack_size);
      break;
    case PROP_MAX_FIBERS:
      g_value_set_uint (value, self->max_fibers);
      break;
    case PROP_BLOCK_LIMIT:
      g_value_set_int (value, self->block_limit_ms);
      break;
    case PROP_N_FIBERS:
      g_value_set_uint (value, srv_fiber_mix_in_get_n_fibers (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_fiber_mix_in_set_property (GObject *object,
                               guint id,
                               const GValue *value,
                               GParamSpec *pspec)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (object);

  switch ((SrvFiberMixInProperty) id)
    {
    case PROP_WORKERS:
      srv_fiber_mix_in_set_workers (self, g_value_get_uint (value));
      break;
    case PROP_STACK_SIZE:
      srv_fiber_mix_in_set_stack_size (self,
                                       (gsize) g_value_get_uint64 (value));
      break;
    case PROP_MAX_FIBERS:
      srv_fiber_mix_in_set_max_fibers (self, g_value_get_uint (value));
      break;
    case PROP_BLOCK_LIMIT:
      srv_fiber_mix_in_set_block_limit (self, g_value_get_int (value));
      break;
    case PROP_N_FIBERS:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  /**
   * SrvFiberMixIn:workers:
   *
   * How many threads run the fibers; 0 for one on each processor.
   */
  properties[PROP_WORKERS] =
    g_param_spec_uint ("workers", NULL, NULL, 0, MAX_WORKERS, 0, flags);
  /**
   * SrvFiberMixIn:stack-size:
   *
   * How large the stack of a fiber is, in bytes, at least 16 KiB. Only what is
   * used of it takes memory.
   */
  properties[PROP_STACK_SIZE] =
    g_param_spec_uint64 ("stack-size", NULL, NULL, SMALLEST_STACK_SIZE,
                         G_MAXSSIZE, DEFAULT_STACK_SIZE, flags);
  /**
   * SrvFiberMixIn:max-fibers:
   *
   * How many requests may be served before the server stops accepting; 0 for no
   * limit. Workers that accept at the same moment may go beyond it, by one for
   * each but the first. May change at any time.
   */
  properties[PROP_MAX_FIBERS] =
    g_param_spec_uint ("max-fibers", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * SrvFiberMixIn:block-limit:
   *
   * For how long a handler may keep its worker to itself before it is reported,
   * in milliseconds; 0 never reports.
   */
  properties[PROP_BLOCK_LIMIT] =
    g_param_spec_int ("block-limit", NULL, NULL, 0, G_MAXINT,
                      DEFAULT_BLOCK_LIMIT_MS, flags);
  /**
   * SrvFiberMixIn:n-fibers:
   *
   * How many requests are being served.
   */
  properties[PROP_N_FIBERS] =
    g_param_spec_uint ("n-fibers", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_fiber_mix_in_class_init (SrvFiberMixInClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvMixInClass *mix_in_class = SRV_MIX_IN_CLASS (klass);

  object_class->finalize = srv_fiber_mix_in_finalize;
  object_class->get_property = srv_fiber_mix_in_get_property;
  object_class->set_property = srv_fiber_mix_in_set_property;
  mix_in_class->process_request = srv_fiber_mix_in_process_request;
  mix_in_class->serve = srv_fiber_mix_in_serve;
  mix_in_class->admits = srv_fiber_mix_in_admits;
  mix_in_class->fileno = srv_fiber_mix_in_fileno;
  mix_in_class->service_actions = srv_fiber_mix_in_service_actions;
  mix_in_class->drain = srv_fiber_mix_in_drain;
  install_properties (object_class);
}

static void
srv_fiber_mix_in_init (SrvFiberMixIn *self)
{
  g_mutex_init (&self->lock);
  self->stack_size = DEFAULT_STACK_SIZE;
  self->block_limit_ms = DEFAULT_BLOCK_LIMIT_MS;
  self->watch_fd = -1;
  self->told = g_hash_table_new (g_str_hash, g_str_equal);
}

/**
 * srv_fiber_mix_in_new:
 *
 * Makes a mix-in that serves each request in a fiber.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new mix-in
 */
SrvMixIn *
srv_fiber_mix_in_new (void)
{
  return g_object_new (SRV_TYPE_FIBER_MIX_IN, NULL);
}

/**
 * srv_fiber_mix_in_set_workers:
 * @self: a mix-in
 * @workers: how many threads, up to 256; 0 for one on each processor
 *
 * Sets how many threads run the fibers.
 *
 * Threads: before the loop runs.
 */
void
srv_fiber_mix_in_set_workers (SrvFiberMixIn *self, guint workers)
{
  g_return_if_fail (SRV_IS_FIBER_MIX_IN (self));
  g_return_if_fail (workers <= MAX_WORKERS);

  if (self->n_workers_wanted == workers)
    return;
  self->n_workers_wanted = workers;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_WORKERS]);
}

/**
 * srv_fiber_mix_in_get_workers:
 * @self: a mix-in
 *
 * Gets how many threads run the fibers.
 *
 * Threads: any.
 *
 * Returns: the number of threads, 0 for one on each processor
 */
guint
srv_fiber_mix_in_get_workers (SrvFiberMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FIBER_MIX_IN (self), 0);
  return self->n_workers_wanted;
}

/**
 * srv_fiber_mix_in_set_stack_size:
 * @self: a mix-in
 * @stack_size: bytes, at least 16 KiB
 *
 * Sets how large the stack of a fiber is.
 *
 * Threads: before the loop runs.
 */
void
srv_fiber_mix_in_set_stack_size (SrvFiberMixIn *self, gsize stack_size)
{
  g_return_if_fail (SRV_IS_FIBER_MIX_IN (self));
  g_return_if_fail (stack_size >= SMALLEST_STACK_SIZE);

  if (self->stack_size == stack_size)
    return;
  self->stack_size = stack_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STACK_SIZE]);
}

/**
 * srv_fiber_mix_in_get_stack_size:
 * @self: a mix-in
 *
 * Gets how large the stack of a fiber is.
 *
 * Threads: any.
 *
 * Returns: bytes
 */
gsize
srv_fiber_mix_in_get_stack_size (SrvFiberMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FIBER_MIX_IN (self), 0);
  return self->stack_size;
}

/**
 * srv_fiber_mix_in_set_max_fibers:
 * @self: a mix-in
 * @max_fibers: how many requests, 0 for no limit
 *
 * Sets how many requests may be served before the server stops accepting.
 *
 * Threads: before the loop runs.
 */
void
srv_fiber_mix_in_set_max_fibers (SrvFiberMixIn *self, guint max_fibers)
{
  g_return_if_fail (SRV_IS_FIBER_MIX_IN (self));
  g_return_if_fail (max_fibers <= G_MAXINT);

  if (self->max_fibers == max_fibers)
    return;
  self->max_fibers = max_fibers;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_FIBERS]);
}

/**
 * srv_fiber_mix_in_get_max_fibers:
 * @self: a mix-in
 *
 * Gets how many requests may be served before the server stops accepting.
 *
 * Threads: any.
 *
 * Returns: the number of requests, 0 for no limit
 */
guint
srv_fiber_mix_in_get_max_fibers (SrvFiberMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FIBER_MIX_IN (self), 0);
  return self->max_fibers;
}

/**
 * srv_fiber_mix_in_set_block_limit:
 * @self: a mix-in
 * @block_limit_ms: milliseconds, 0 never to report
 *
 * Sets for how long a handler may keep its worker to itself before it is
 * reported.
 *
 * Threads: before the loop runs.
 */
void
srv_fiber_mix_in_set_block_limit (SrvFiberMixIn *self, int block_limit_ms)
{
  g_return_if_fail (SRV_IS_FIBER_MIX_IN (self));
  g_return_if_fail (block_limit_ms >= 0);

  if (self->block_limit_ms == block_limit_ms)
    return;
  self->block_limit_ms = block_limit_ms;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BLOCK_LIMIT]);
}

/**
 * srv_fiber_mix_in_get_block_limit:
 * @self: a mix-in
 *
 * Gets for how long a handler may keep its worker to itself before it is
 * reported.
 *
 * Threads: any.
 *
 * Returns: milliseconds, 0 for ever
 */
int
srv_fiber_mix_in_get_block_limit (SrvFiberMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FIBER_MIX_IN (self), 0);
  return self->block_limit_ms;
}

/**
 * srv_fiber_mix_in_get_n_fibers:
 * @self: a mix-in
 *
 * Gets how many requests are being served.
 *
 * Threads: any.
 *
 * Returns: the number of requests
 */
guint
srv_fiber_mix_in_get_n_fibers (SrvFiberMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FIBER_MIX_IN (self), 0);
  return (guint) g_atomic_int_get (&self->n_fibers);
}
