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

/**
 * SrvThreadingMixIn:
 *
 * Serves each request in a thread of its own.
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
  guint n_threads;
  gboolean at_limit; /* the loop has been told to wait for one to end */

  /* The thread that ended last. The next one that ends joins it, and the drain
   * joins the last; so no thread is ever left over, none is waited for that
   * still works, and there is no list to search. */
  pthread_t ended;
  gboolean has_ended;
};

typedef struct
{
  SrvThreadingMixIn *mix_in; /* borrowed: the server owns it */
  SrvBaseServer *server;     /* borrowed, held */
  SrvRequest *request;       /* owned */
} Work;

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

/* The calling thread is done. What it leaves behind is told apart under the
 * lock: the thread before it, to be joined; a loop that waits for room, to be
 * woken. */
static void
deregister (SrvThreadingMixIn *self, SrvBaseServer *server)
{
  gboolean wake;
  pthread_t before;
  gboolean has_before;

  g_mutex_lock (&self->lock);
  self->n_threads--;
  wake = self->at_limit;
  self->at_limit = FALSE;
  before = self->ended;
  has_before = self->has_ended;
  self->ended = pthread_self ();
  self->has_ended = TRUE;
  g_mutex_unlock (&self->lock);
  if (has_before)
    pthread_join (before, NULL);
  if (wake)
    srv_base_server_wake (server);
}

static void *
run_work (void *data)
{
  Work *work = data;
  SrvBaseServer *server = work->server;
  SrvThreadingMixIn *mix_in = work->mix_in;
  g_autoptr (GError) error = NULL;

  srv_task_set (SRV_TASK_MIX_IN, mix_in);
  /* A handler that asks for a stop ends its own thread and no more: the loop
   * is somebody else's. */
  srv_base_server_complete_request (server, work->request, &error);
  g_object_unref (work->request);
  g_free (work);
  deregister (mix_in, server);
  /* Wakes a drain; from here on the server may be gone. */
  srv_base_server_release (server);
  return NULL;
}

static int
start_thread (SrvThreadingMixIn *self, Work *work)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int code;

  code = pthread_attr_init (&attributes);
  if (code != 0)
    return code;
  code = pthread_attr_setstacksize (&attributes, self->stack_size);
  if (code == 0)
    code = pthread_create (&thread, &attributes, run_work, work);
  pthread_attr_destroy (&attributes);
  return code;
}

static void
register_thread (SrvThreadingMixIn *self, int change)
{
  g_mutex_lock (&self->lock);
  self->n_threads += (guint) change;
  g_mutex_unlock (&self->lock);
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

  work->mix_in = self;
  work->server = server;
  work->request = g_object_ref (request);
  srv_base_server_hold (server);
  register_thread (self, +1);
  code = start_thread (self, work);
  if (code == 0)
    return TRUE;
  register_thread (self, -1);
  srv_base_server_release (server);
  g_object_unref (work->request);
  g_free (work);
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not start a thread for the request: %s",
               g_strerror (code));
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
  room = self->n_threads < self->max_threads;
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
   * How many threads run.
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
