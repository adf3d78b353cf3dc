/* srv-threading-mix-in.c - a thread for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-threading-mix-in.h"

#include "srv-base-server.h"
#include "srv-task-private.h"

#include <limits.h>
#include <pthread.h>
#include <unistd.h>

/* Eight megabytes, the system's default, cost 2.6 times as much processor time
 * per connection as a small stack: the C library keeps only a few of them. */
#define DEFAULT_STACK_SIZE  (256 * 1024)
#define SMALLEST_STACK_SIZE (64 * 1024)

/* A thread without work stays for a moment, for to start one and let it go takes
 * longer than to serve a short request. So many do, and no longer than so. */
#define MAX_IDLE_THREADS 16
#define IDLE_TIME        (100 * G_TIME_SPAN_MILLISECOND)

/**
 * SrvThreadingMixIn:
 *
 * Serves each request in a thread of its own.
 *
 * A thread that has served its request serves the next one in line, if any, or
 * that comes within a tenth of a second; then it ends. No request ever waits for
 * another to end: as long as one is in line, a thread for it is on its way.
 * Thread-local variables of a handler may so be those of an earlier request. A
 * child that a program forks has none of these threads, and must not go on
 * serving with this mix-in.
 *
 * Threads have small stacks; a handler with large local variables or deep
 * recursion raises
 * [property@SocketServer.ThreadingMixIn:stack-size]. With
 * [property@SocketServer.ThreadingMixIn:max-threads] the server stops
 * accepting when so many threads run, and goes on when one of them ends;
 * clients wait in the system's queue. Without it, the number of threads grows
 * with the number of clients, as in Python.
 *
 * A thread that cannot be had is the failure of one request and not of the
 * server.
 *
 * In Python: `ThreadingMixIn`.
 */
struct _SrvThreadingMixIn
{
  SrvMixIn parent_instance;

  gboolean daemon_threads;
  guint max_threads;
  gsize stack_size;

  /* Guards everything below. */
  GMutex lock;
  GQueue waiting;   /* of Work, owned: requests that no thread has yet */
  guint n_requests; /* that wait or are served */
  guint n_threads;
  guint n_ready;  /* threads started or called for the first in line */
  guint n_idle;   /* threads that wait to be called */
  guint n_called; /* of them */
  GCond called;
  gboolean closing;  /* nobody waits any more */
  gboolean at_limit; /* the loop has been told to wait for one to end */

  /* The thread that ended last. The next one that ends joins it, and the drain
   * joins the last; so no thread is ever left over, none is waited for that
   * still works, and there is no list to search. */
  pthread_t ended;
  gboolean has_ended;
};

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

typedef enum
{
  PROP_DAEMON_THREADS = 1,
  PROP_MAX_THREADS,
  PROP_STACK_SIZE,
  PROP_N_THREADS,
} SrvThreadingMixInProperty;

static GParamSpec *properties[PROP_N_THREADS + 1];

G_DEFINE_FINAL_TYPE (SrvThreadingMixIn, srv_threading_mix_in, SRV_TYPE_MIX_IN)

/* Joins a thread that has nothing left to do but to exit. */
static void
join_ended (SrvThreadingMixIn *self)
{
  pthread_t ended;
  gboolean has_ended;

  g_mutex_lock (&self->lock);
  ended = self->ended;
  has_ended = self->has_ended;
  self->has_ended = FALSE;
  g_mutex_unlock (&self->lock);
  if (!has_ended)
    return;
  if (pthread_equal (ended, pthread_self ()))
    pthread_detach (ended);
  else
    pthread_join (ended, NULL);
}

/* The calling thread is done, and the lock is held. What it leaves behind is
 * the thread before it, to be joined. */
static gboolean
leave (SrvThreadingMixIn *self, pthread_t *before)
{
  gboolean has_before = self->has_ended;

  self->n_threads--;
  *before = self->ended;
  self->ended = pthread_self ();
  self->has_ended = TRUE;
  return has_before;
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
static void
end_idle (SrvThreadingMixIn *self)
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
 * nothing left to do, and @before has to be joined if @has_before. */
static Work *
take_work (SrvThreadingMixIn *self,
           SrvBaseServer *server,
           gboolean *is_new,
           pthread_t *before,
           gboolean *has_before)
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
  *has_before = work == NULL && leave (self, before);
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
  gboolean has_before;
  pthread_t before;
  Work *work;

  g_free (start);
  srv_task_set (SRV_TASK_MIX_IN, self);
  while ((work = take_work (self, server, &is_new, &before, &has_before)) !=
         NULL)
    serve (self, work);
  if (has_before)
    pthread_join (before, NULL);
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

static gboolean
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

static gboolean
srv_threading_mix_in_admits (SrvMixIn *mix_in,
                             G_GNUC_UNUSED SrvBaseServer *server)
{
  SrvThreadingMixIn *self = SRV_THREADING_MIX_IN (mix_in);
  gboolean room;

  if (self->max_threads == 0)
    return TRUE;
  g_mutex_lock (&self->lock);
  room = self->n_requests < self->max_threads;
  self->at_limit = !room;
  g_mutex_unlock (&self->lock);
  return room;
}

/* A handler that closes its own server does not wait for itself. */
static guint
count_others (SrvThreadingMixIn *self)
{
  guint n = srv_threading_mix_in_get_n_threads (self);

  return srv_task_get (SRV_TASK_MIX_IN) == self ? n - 1 : n;
}

static gboolean
srv_threading_mix_in_drain (SrvMixIn *mix_in,
                            SrvBaseServer *server,
                            G_GNUC_UNUSED SrvDrainStep step,
                            gint64 deadline,
                            G_GNUC_UNUSED guint *n_cut)
{
  SrvThreadingMixIn *self = SRV_THREADING_MIX_IN (mix_in);

  end_idle (self);
  if (self->daemon_threads)
    return TRUE;
  while (count_others (self) > 0)
    if (!srv_base_server_wait_for_event (server, deadline))
      return FALSE;
  join_ended (self);
  return srv_base_server_wait_for_requests (server, deadline);
}

static void
srv_threading_mix_in_finalize (GObject *object)
{
  SrvThreadingMixIn *self = SRV_THREADING_MIX_IN (object);

  join_ended (self);
  g_cond_clear (&self->called);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (srv_threading_mix_in_parent_class)->finalize (object);
}

static void
srv_threading_mix_in_get_property (GObject *object,
                                   guint id,
                                   GValue *value,
                                   GParamSpec *pspec)
{
  SrvThreadingMixIn *self = SRV_THREADING_MIX_IN (object);

  switch ((SrvThreadingMixInProperty) id)
    {
    case PROP_DAEMON_THREADS:
      g_value_set_boolean (value, self->daemon_threads);
      break;
    case PROP_MAX_THREADS:
      g_value_set_uint (value, self->max_threads);
      break;
    case PROP_STACK_SIZE:
      g_value_set_uint64 (value, self->stack_size);
      break;
    case PROP_N_THREADS:
      g_value_set_uint (value, srv_threading_mix_in_get_n_threads (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_threading_mix_in_set_property (GObject *object,
                                   guint id,
                                   const GValue *value,
                                   GParamSpec *pspec)
{
  SrvThreadingMixIn *self = SRV_THREADING_MIX_IN (object);

  switch ((SrvThreadingMixInProperty) id)
    {
    case PROP_DAEMON_THREADS:
      srv_threading_mix_in_set_daemon_threads (self,
                                               g_value_get_boolean (value));
      break;
    case PROP_MAX_THREADS:
      srv_threading_mix_in_set_max_threads (self, g_value_get_uint (value));
      break;
    case PROP_STACK_SIZE:
      srv_threading_mix_in_set_stack_size (self,
                                           (gsize) g_value_get_uint64 (value));
      break;
    case PROP_N_THREADS:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_threading_mix_in_class_init (SrvThreadingMixInClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvMixInClass *mix_in_class = SRV_MIX_IN_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = srv_threading_mix_in_finalize;
  object_class->get_property = srv_threading_mix_in_get_property;
  object_class->set_property = srv_threading_mix_in_set_property;
  mix_in_class->process_request = srv_threading_mix_in_process_request;
  mix_in_class->admits = srv_threading_mix_in_admits;
  mix_in_class->drain = srv_threading_mix_in_drain;

  /**
   * SrvThreadingMixIn:daemon-threads:
   *
   * Whether closing the server leaves the threads alone: neither waits for
   * them nor cuts their connections. They end with the process. In Python:
   * `daemon_threads`.
   */
  properties[PROP_DAEMON_THREADS] =
    g_param_spec_boolean ("daemon-threads", NULL, NULL, FALSE, flags);
  /**
   * SrvThreadingMixIn:max-threads:
   *
   * How many threads may run before the server stops accepting; 0 for no
   * limit. May change at any time. Python has no limit.
   */
  properties[PROP_MAX_THREADS] =
    g_param_spec_uint ("max-threads", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * SrvThreadingMixIn:stack-size:
   *
   * How large the stack of a new thread is, in bytes, at least 64 KiB.
   */
  properties[PROP_STACK_SIZE] =
    g_param_spec_uint64 ("stack-size", NULL, NULL, SMALLEST_STACK_SIZE,
                         G_MAXSSIZE, DEFAULT_STACK_SIZE, flags);
  /**
   * SrvThreadingMixIn:n-threads:
   *
   * How many threads run, with those that wait for the next request.
   */
  properties[PROP_N_THREADS] =
    g_param_spec_uint ("n-threads", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_threading_mix_in_init (SrvThreadingMixIn *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->called);
  self->stack_size = DEFAULT_STACK_SIZE;
}

/**
 * srv_threading_mix_in_new:
 *
 * Makes a mix-in that serves each request in a thread.
 *
 * Threads: any. In Python: `ThreadingMixIn`.
 *
 * Returns: (transfer full): a new mix-in
 */
SrvMixIn *
srv_threading_mix_in_new (void)
{
  return g_object_new (SRV_TYPE_THREADING_MIX_IN, NULL);
}

/**
 * srv_threading_mix_in_set_daemon_threads:
 * @self: a mix-in
 * @daemon_threads: whether to leave the threads alone
 *
 * Sets whether closing the server leaves the threads alone.
 *
 * Threads: any. In Python: `daemon_threads`.
 */
void
srv_threading_mix_in_set_daemon_threads (SrvThreadingMixIn *self,
                                         gboolean daemon_threads)
{
  g_return_if_fail (SRV_IS_THREADING_MIX_IN (self));

  if (self->daemon_threads == !!daemon_threads)
    return;
  self->daemon_threads = !!daemon_threads;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DAEMON_THREADS]);
}

/**
 * srv_threading_mix_in_get_daemon_threads:
 * @self: a mix-in
 *
 * Gets whether closing the server leaves the threads alone.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it does
 */
gboolean
srv_threading_mix_in_get_daemon_threads (SrvThreadingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREADING_MIX_IN (self), FALSE);
  return self->daemon_threads;
}

/**
 * srv_threading_mix_in_set_max_threads:
 * @self: a mix-in
 * @max_threads: how many threads may run, 0 for no limit
 *
 * Sets how many threads may run before the server stops accepting.
 *
 * Threads: before the loop runs, or the loop's.
 */
void
srv_threading_mix_in_set_max_threads (SrvThreadingMixIn *self,
                                      guint max_threads)
{
  g_return_if_fail (SRV_IS_THREADING_MIX_IN (self));

  if (self->max_threads == max_threads)
    return;
  self->max_threads = max_threads;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_THREADS]);
}

/**
 * srv_threading_mix_in_get_max_threads:
 * @self: a mix-in
 *
 * Gets how many threads may run before the server stops accepting.
 *
 * Threads: any.
 *
 * Returns: the number of threads, 0 for no limit
 */
guint
srv_threading_mix_in_get_max_threads (SrvThreadingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREADING_MIX_IN (self), 0);
  return self->max_threads;
}

/**
 * srv_threading_mix_in_set_stack_size:
 * @self: a mix-in
 * @stack_size: bytes, at least 64 KiB
 *
 * Sets how large the stack of a new thread is.
 *
 * Threads: before the loop runs, or the loop's.
 */
void
srv_threading_mix_in_set_stack_size (SrvThreadingMixIn *self, gsize stack_size)
{
  g_return_if_fail (SRV_IS_THREADING_MIX_IN (self));
  g_return_if_fail (stack_size >= SMALLEST_STACK_SIZE);

  if (self->stack_size == stack_size)
    return;
  self->stack_size = stack_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STACK_SIZE]);
}

/**
 * srv_threading_mix_in_get_stack_size:
 * @self: a mix-in
 *
 * Gets how large the stack of a new thread is.
 *
 * Threads: any.
 *
 * Returns: bytes
 */
gsize
srv_threading_mix_in_get_stack_size (SrvThreadingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREADING_MIX_IN (self), 0);
  return self->stack_size;
}

/**
 * srv_threading_mix_in_get_n_threads:
 * @self: a mix-in
 *
 * Gets how many threads run.
 *
 * Threads: any.
 *
 * Returns: the number of threads
 */
guint
srv_threading_mix_in_get_n_threads (SrvThreadingMixIn *self)
{
  guint n_threads;

  g_return_val_if_fail (SRV_IS_THREADING_MIX_IN (self), 0);

  g_mutex_lock (&self->lock);
  n_threads = self->n_threads;
  g_mutex_unlock (&self->lock);
  return n_threads;
}
