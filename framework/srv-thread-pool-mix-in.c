/* srv-thread-pool-mix-in.c - a limited number of threads for all requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-thread-pool-mix-in.h"

#include "srv-base-server.h"
#include "srv-thread-pool-private.h"

#define DEFAULT_MIN_THREADS  1
#define DEFAULT_MAX_THREADS  64
#define DEFAULT_IDLE_TIME_MS 10000
#define DEFAULT_STACK_SIZE   (256 * 1024)
#define SMALLEST_STACK_SIZE  (64 * 1024)

/**
 * SrvThreadPoolMixIn:
 *
 * Serves requests in a limited number of threads, which are used again and
 * again.
 *
 * There are [property@SocketServer.ThreadPoolMixIn:min-threads] of them, and
 * more when these are busy, up to
 * [property@SocketServer.ThreadPoolMixIn:max-threads]. One that is too many ends
 * when no request has come for it during
 * [property@SocketServer.ThreadPoolMixIn:idle-time]. A thread has its request to
 * the end: with connections that stay open there must be as many threads as
 * clients.
 *
 * Under [method@SocketServer.BaseServer.serve_forever] the threads accept by
 * themselves, and nothing is handed from one to another; the hooks of a request
 * run on the thread that serves it, and several at a time. While all are busy,
 * clients wait in the system's queue.
 *
 * With a [property@SocketServer.ThreadPoolMixIn:queue-size], or another
 * [property@SocketServer.ThreadPoolMixIn:full-policy] than to wait, the loop
 * accepts, and hands requests over in the order in which they came. It does so
 * too for a server that is attached to a main context, and for single requests.
 *
 * A full pool may refuse: the request fails with %SRV_ERROR_LIMIT, which
 * [vfunc@SocketServer.BaseServer.handle_error] gets, and its connection is
 * closed at once. Or it may cut the connection that has been idle for longest,
 * which is the one whose handler has been waiting for its client, in a read of
 * the connection or of `rfile`, for the longest time until now. A handler that
 * computes, or writes, or waits for something else, is not idle, nor is one of a
 * datagram. The handler finds that its client has gone, and its thread serves
 * the next in the queue. If nobody is idle, the request is refused.
 *
 * Threads have small stacks; a handler with large local variables or deep
 * recursion raises [property@SocketServer.ThreadPoolMixIn:stack-size]. A thread
 * that cannot be had is no failure as long as there is another.
 *
 * After a stop, requests that run come to their end;
 * [method@SocketServer.BaseServer.server_close] waits for them, and ends the
 * threads.
 *
 * Python has no counterpart in `socketserver`; a `ThreadPoolExecutor` has a
 * queue without a bound.
 */
struct _SrvThreadPoolMixIn
{
  SrvMixIn parent_instance;

  SrvThreadPool pool;
};

typedef enum
{
  PROP_MIN_THREADS = 1,
  PROP_MAX_THREADS,
  PROP_IDLE_TIME,
  PROP_QUEUE_SIZE,
  PROP_FULL_POLICY,
  PROP_STACK_SIZE,
  PROP_N_THREADS,
  PROP_N_BUSY,
  PROP_N_QUEUED,
} SrvThreadPoolMixInProperty;

static GParamSpec *properties[PROP_N_QUEUED + 1];

G_DEFINE_FINAL_TYPE (SrvThreadPoolMixIn,
                     srv_thread_pool_mix_in,
                     SRV_TYPE_MIX_IN)

static gboolean
srv_thread_pool_mix_in_process_request (SrvMixIn *mix_in,
                                        SrvBaseServer *server,
                                        SrvRequest *request,
                                        GError **error)
{
  SrvThreadPool *pool = &SRV_THREAD_POOL_MIX_IN (mix_in)->pool;

  if (!srv_thread_pool_is_own (pool))
    return srv_thread_pool_push (pool, server, request, error);
  srv_thread_pool_serve (pool, server, request);
  return TRUE;
}

static gboolean
srv_thread_pool_mix_in_serve (SrvMixIn *mix_in,
                              SrvBaseServer *server,
                              GError **error)
{
  SrvThreadPool *pool = &SRV_THREAD_POOL_MIX_IN (mix_in)->pool;

  if (pool->queue_size == 0 && pool->full_policy == SRV_FULL_POLICY_WAIT)
    return srv_thread_pool_run_loops (pool, server, error);
  return srv_thread_pool_start (pool, server, error) &&
         srv_base_server_run_loop (server, error);
}

static gboolean
srv_thread_pool_mix_in_admits (SrvMixIn *mix_in,
                               G_GNUC_UNUSED SrvBaseServer *server)
{
  return srv_thread_pool_admits (&SRV_THREAD_POOL_MIX_IN (mix_in)->pool);
}

static gboolean
srv_thread_pool_mix_in_drain (SrvMixIn *mix_in,
                              SrvBaseServer *server,
                              SrvDrainStep step,
                              gint64 deadline,
                              G_GNUC_UNUSED guint *n_cut)
{
  SrvThreadPool *pool = &SRV_THREAD_POOL_MIX_IN (mix_in)->pool;

  if (step != SRV_DRAIN_STEP_WAIT)
    srv_thread_pool_drop_jobs (pool);
  while (srv_thread_pool_count_others (pool) > 0)
    if (!srv_base_server_wait_for_event (server, deadline))
      return FALSE;
  if (!srv_base_server_wait_for_requests (server, deadline))
    return FALSE;
  srv_thread_pool_stop (pool);
  return TRUE;
}

static void
srv_thread_pool_mix_in_finalize (GObject *object)
{
  srv_thread_pool_clear (&SRV_THREAD_POOL_MIX_IN (object)->pool);
  G_OBJECT_CLASS (srv_thread_pool_mix_in_parent_class)->finalize (object);
}

static void
srv_thread_pool_mix_in_get_property (GObject *object,
                                     guint id,
                                     GValue *value,
                                     GParamSpec *pspec)
{
  SrvThreadPoolMixIn *self = SRV_THREAD_POOL_MIX_IN (object);

  switch ((SrvThreadPoolMixInProperty) id)
    {
    case PROP_MIN_THREADS:
      g_value_set_uint (value, self->pool.min_threads);
      break;
    case PROP_MAX_THREADS:
      g_value_set_uint (value, self->pool.max_threads);
      break;
    case PROP_IDLE_TIME:
      g_value_set_int (value, self->pool.idle_time_ms);
      break;
    case PROP_QUEUE_SIZE:
      g_value_set_uint (value, self->pool.queue_size);
      break;
    case PROP_FULL_POLICY:
      g_value_set_enum (value, self->pool.full_policy);
      break;
    case PROP_STACK_SIZE:
      g_value_set_uint64 (value, self->pool.stack_size);
      break;
    case PROP_N_THREADS:
      g_value_set_uint (value, srv_thread_pool_mix_in_get_n_threads (self));
      break;
    case PROP_N_BUSY:
      g_value_set_uint (value, srv_thread_pool_mix_in_get_n_busy (self));
      break;
    case PROP_N_QUEUED:
      g_value_set_uint (value, srv_thread_pool_mix_in_get_n_queued (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_thread_pool_mix_in_set_property (GObject *object,
                                     guint id,
                                     const GValue *value,
                                     GParamSpec *pspec)
{
  SrvThreadPoolMixIn *self = SRV_THREAD_POOL_MIX_IN (object);

  switch ((SrvThreadPoolMixInProperty) id)
    {
    case PROP_MIN_THREADS:
      srv_thread_pool_mix_in_set_min_threads (self, g_value_get_uint (value));
      break;
    case PROP_MAX_THREADS:
      srv_thread_pool_mix_in_set_max_threads (self, g_value_get_uint (value));
      break;
    case PROP_IDLE_TIME:
      srv_thread_pool_mix_in_set_idle_time (self, g_value_get_int (value));
      break;
    case PROP_QUEUE_SIZE:
      srv_thread_pool_mix_in_set_queue_size (self, g_value_get_uint (value));
      break;
    case PROP_FULL_POLICY:
      srv_thread_pool_mix_in_set_full_policy (self, g_value_get_enum (value));
      break;
    case PROP_STACK_SIZE:
      srv_thread_pool_mix_in_set_stack_size (self, (gsize) g_value_get_uint64 (
                                                     value));
      break;
    case PROP_N_THREADS:
    case PROP_N_BUSY:
    case PROP_N_QUEUED:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags counted = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  /**
   * SrvThreadPoolMixIn:min-threads:
   *
   * How many threads there are at least, also when there is nothing to do. They
   * start with the first run of the server.
   */
  properties[PROP_MIN_THREADS] = g_param_spec_uint ("min-threads", NULL, NULL,
                                                    1, G_MAXINT,
                                                    DEFAULT_MIN_THREADS, flags);
  /**
   * SrvThreadPoolMixIn:max-threads:
   *
   * How many threads there are at most, and so how many requests are served
   * at a time. With as many as
   * [property@SocketServer.ThreadPoolMixIn:min-threads], or fewer, the number is
   * fixed to those.
   */
  properties[PROP_MAX_THREADS] = g_param_spec_uint ("max-threads", NULL, NULL,
                                                    1, G_MAXINT,
                                                    DEFAULT_MAX_THREADS, flags);
  /**
   * SrvThreadPoolMixIn:idle-time:
   *
   * How long a thread beyond
   * [property@SocketServer.ThreadPoolMixIn:min-threads] waits for a request before
   * it ends, in milliseconds; -1 never ends one.
   */
  properties[PROP_IDLE_TIME] = g_param_spec_int ("idle-time", NULL, NULL, -1,
                                                 G_MAXINT, DEFAULT_IDLE_TIME_MS,
                                                 flags);
  /**
   * SrvThreadPoolMixIn:queue-size:
   *
   * How many requests that have been accepted may wait for a thread. With 0
   * they are accepted when there is a thread for them, and wait in the system's
   * queue.
   */
  properties[PROP_QUEUE_SIZE] =
    g_param_spec_uint ("queue-size", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * SrvThreadPoolMixIn:full-policy:
   *
   * What happens to a request when all threads are busy and the queue is full.
   */
  properties[PROP_FULL_POLICY] =
    g_param_spec_enum ("full-policy", NULL, NULL, SRV_TYPE_FULL_POLICY,
                       SRV_FULL_POLICY_WAIT, flags);
  /**
   * SrvThreadPoolMixIn:stack-size:
   *
   * How large the stack of a new thread is, in bytes, at least 64 KiB.
   */
  properties[PROP_STACK_SIZE] =
    g_param_spec_uint64 ("stack-size", NULL, NULL, SMALLEST_STACK_SIZE,
                         G_MAXSSIZE, DEFAULT_STACK_SIZE, flags);
  /**
   * SrvThreadPoolMixIn:n-threads:
   *
   * How many threads there are.
   */
  properties[PROP_N_THREADS] =
    g_param_spec_uint ("n-threads", NULL, NULL, 0, G_MAXUINT, 0, counted);
  /**
   * SrvThreadPoolMixIn:n-busy:
   *
   * How many threads have a request.
   */
  properties[PROP_N_BUSY] =
    g_param_spec_uint ("n-busy", NULL, NULL, 0, G_MAXUINT, 0, counted);
  /**
   * SrvThreadPoolMixIn:n-queued:
   *
   * How many accepted requests wait for a thread.
   */
  properties[PROP_N_QUEUED] =
    g_param_spec_uint ("n-queued", NULL, NULL, 0, G_MAXUINT, 0, counted);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_thread_pool_mix_in_class_init (SrvThreadPoolMixInClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvMixInClass *mix_in_class = SRV_MIX_IN_CLASS (klass);

  object_class->finalize = srv_thread_pool_mix_in_finalize;
  object_class->get_property = srv_thread_pool_mix_in_get_property;
  object_class->set_property = srv_thread_pool_mix_in_set_property;
  mix_in_class->process_request = srv_thread_pool_mix_in_process_request;
  mix_in_class->serve = srv_thread_pool_mix_in_serve;
  mix_in_class->admits = srv_thread_pool_mix_in_admits;
  mix_in_class->drain = srv_thread_pool_mix_in_drain;
  install_properties (object_class);
}

static void
srv_thread_pool_mix_in_init (SrvThreadPoolMixIn *self)
{
  srv_thread_pool_init (&self->pool, self);
  self->pool.min_threads = DEFAULT_MIN_THREADS;
  self->pool.max_threads = DEFAULT_MAX_THREADS;
  self->pool.idle_time_ms = DEFAULT_IDLE_TIME_MS;
  self->pool.stack_size = DEFAULT_STACK_SIZE;
}

/**
 * srv_thread_pool_mix_in_new:
 *
 * Makes a mix-in that serves requests in a limited number of threads.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new mix-in
 */
SrvMixIn *
srv_thread_pool_mix_in_new (void)
{
  return g_object_new (SRV_TYPE_THREAD_POOL_MIX_IN, NULL);
}

/**
 * srv_thread_pool_mix_in_set_min_threads:
 * @self: a mix-in
 * @min_threads: how many threads, at least 1
 *
 * Sets how many threads there are at least.
 *
 * Threads: before the loop runs.
 */
void
srv_thread_pool_mix_in_set_min_threads (SrvThreadPoolMixIn *self,
                                        guint min_threads)
{
  g_return_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self));
  g_return_if_fail (min_threads >= 1 && min_threads <= G_MAXINT);

  if (self->pool.min_threads == min_threads)
    return;
  self->pool.min_threads = min_threads;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MIN_THREADS]);
}

/**
 * srv_thread_pool_mix_in_get_min_threads:
 * @self: a mix-in
 *
 * Gets how many threads there are at least.
 *
 * Threads: any.
 *
 * Returns: the number of threads
 */
guint
srv_thread_pool_mix_in_get_min_threads (SrvThreadPoolMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);
  return self->pool.min_threads;
}

/**
 * srv_thread_pool_mix_in_set_max_threads:
 * @self: a mix-in
 * @max_threads: how many threads, at least 1
 *
 * Sets how many threads there are at most.
 *
 * Threads: before the loop runs.
 */
void
srv_thread_pool_mix_in_set_max_threads (SrvThreadPoolMixIn *self,
                                        guint max_threads)
{
  g_return_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self));
  g_return_if_fail (max_threads >= 1 && max_threads <= G_MAXINT);

  if (self->pool.max_threads == max_threads)
    return;
  self->pool.max_threads = max_threads;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_THREADS]);
}

/**
 * srv_thread_pool_mix_in_get_max_threads:
 * @self: a mix-in
 *
 * Gets how many threads there are at most.
 *
 * Threads: any.
 *
 * Returns: the number of threads
 */
guint
srv_thread_pool_mix_in_get_max_threads (SrvThreadPoolMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);
  return self->pool.max_threads;
}

/**
 * srv_thread_pool_mix_in_set_idle_time:
 * @self: a mix-in
 * @idle_time_ms: milliseconds, -1 for ever
 *
 * Sets how long a thread that is one too many waits for a request.
 *
 * Threads: before the loop runs.
 */
void
srv_thread_pool_mix_in_set_idle_time (SrvThreadPoolMixIn *self,
                                      int idle_time_ms)
{
  g_return_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self));
  g_return_if_fail (idle_time_ms >= -1);

  if (self->pool.idle_time_ms == idle_time_ms)
    return;
  self->pool.idle_time_ms = idle_time_ms;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_IDLE_TIME]);
}

/**
 * srv_thread_pool_mix_in_get_idle_time:
 * @self: a mix-in
 *
 * Gets how long a thread that is one too many waits for a request.
 *
 * Threads: any.
 *
 * Returns: milliseconds, -1 for ever
 */
int
srv_thread_pool_mix_in_get_idle_time (SrvThreadPoolMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);
  return self->pool.idle_time_ms;
}

/**
 * srv_thread_pool_mix_in_set_queue_size:
 * @self: a mix-in
 * @queue_size: how many requests
 *
 * Sets how many accepted requests may wait for a thread.
 *
 * Threads: before the loop runs.
 */
void
srv_thread_pool_mix_in_set_queue_size (SrvThreadPoolMixIn *self,
                                       guint queue_size)
{
  g_return_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self));
  g_return_if_fail (queue_size <= G_MAXINT);

  if (self->pool.queue_size == queue_size)
    return;
  self->pool.queue_size = queue_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_QUEUE_SIZE]);
}

/**
 * srv_thread_pool_mix_in_get_queue_size:
 * @self: a mix-in
 *
 * Gets how many accepted requests may wait for a thread.
 *
 * Threads: any.
 *
 * Returns: the number of requests
 */
guint
srv_thread_pool_mix_in_get_queue_size (SrvThreadPoolMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);
  return self->pool.queue_size;
}

/**
 * srv_thread_pool_mix_in_set_full_policy:
 * @self: a mix-in
 * @full_policy: what to do
 *
 * Sets what happens to a request for which there is no room.
 *
 * Threads: before the loop runs.
 */
void
srv_thread_pool_mix_in_set_full_policy (SrvThreadPoolMixIn *self,
                                        SrvFullPolicy full_policy)
{
  g_return_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self));
  g_return_if_fail (full_policy <= SRV_FULL_POLICY_OLDEST_IDLE);

  if (self->pool.full_policy == full_policy)
    return;
  self->pool.full_policy = full_policy;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FULL_POLICY]);
}

/**
 * srv_thread_pool_mix_in_get_full_policy:
 * @self: a mix-in
 *
 * Gets what happens to a request for which there is no room.
 *
 * Threads: any.
 *
 * Returns: what is done
 */
SrvFullPolicy
srv_thread_pool_mix_in_get_full_policy (SrvThreadPoolMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);
  return self->pool.full_policy;
}

/**
 * srv_thread_pool_mix_in_set_stack_size:
 * @self: a mix-in
 * @stack_size: bytes, at least 64 KiB
 *
 * Sets how large the stack of a new thread is.
 *
 * Threads: before the loop runs.
 */
void
srv_thread_pool_mix_in_set_stack_size (SrvThreadPoolMixIn *self,
                                       gsize stack_size)
{
  g_return_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self));
  g_return_if_fail (stack_size >= SMALLEST_STACK_SIZE);

  if (self->pool.stack_size == stack_size)
    return;
  self->pool.stack_size = stack_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STACK_SIZE]);
}

/**
 * srv_thread_pool_mix_in_get_stack_size:
 * @self: a mix-in
 *
 * Gets how large the stack of a new thread is.
 *
 * Threads: any.
 *
 * Returns: bytes
 */
gsize
srv_thread_pool_mix_in_get_stack_size (SrvThreadPoolMixIn *self)
{
  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);
  return self->pool.stack_size;
}

/**
 * srv_thread_pool_mix_in_get_n_threads:
 * @self: a mix-in
 *
 * Gets how many threads there are.
 *
 * Threads: any.
 *
 * Returns: the number of threads
 */
guint
srv_thread_pool_mix_in_get_n_threads (SrvThreadPoolMixIn *self)
{
  guint n;

  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);

  g_mutex_lock (&self->pool.lock);
  n = self->pool.threads.length;
  g_mutex_unlock (&self->pool.lock);
  return n;
}

/**
 * srv_thread_pool_mix_in_get_n_busy:
 * @self: a mix-in
 *
 * Gets how many threads have a request.
 *
 * Threads: any.
 *
 * Returns: the number of threads
 */
guint
srv_thread_pool_mix_in_get_n_busy (SrvThreadPoolMixIn *self)
{
  guint n;

  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);

  g_mutex_lock (&self->pool.lock);
  n = self->pool.n_busy;
  g_mutex_unlock (&self->pool.lock);
  return n;
}

/**
 * srv_thread_pool_mix_in_get_n_queued:
 * @self: a mix-in
 *
 * Gets how many accepted requests wait for a thread.
 *
 * Threads: any.
 *
 * Returns: the number of requests
 */
guint
srv_thread_pool_mix_in_get_n_queued (SrvThreadPoolMixIn *self)
{
  guint n;

  g_return_val_if_fail (SRV_IS_THREAD_POOL_MIX_IN (self), 0);

  g_mutex_lock (&self->pool.lock);
  n = self->pool.jobs.length;
  g_mutex_unlock (&self->pool.lock);
  return n;
}
