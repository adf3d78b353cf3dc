/* srv-threading-mix-in.c - a thread for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-threading-mix-in-private.h"

#include "srv-base-server.h"
#include "srv-task-private.h"

#include <limits.h>
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
typedef enum
{
  PROP_DAEMON_THREADS = 1,
  PROP_MAX_THREADS,
  PROP_STACK_SIZE,
  PROP_N_THREADS,
} SrvThreadingMixInProperty;

static GParamSpec *properties[PROP_N_THREADS + 1];

G_DEFINE_FINAL_TYPE (SrvThreadingMixIn, srv_threading_mix_in, SRV_TYPE_MIX_IN)

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

  srv_threading_mix_in_end_idle (self);
  if (self->daemon_threads)
    return TRUE;
  while (count_others (self) > 0)
    if (!srv_base_server_wait_for_event (server, deadline))
      return FALSE;
  srv_threading_mix_in_join_last (self);
  return srv_base_server_wait_for_requests (server, deadline);
}

static void
srv_threading_mix_in_finalize (GObject *object)
{
  SrvThreadingMixIn *self = SRV_THREADING_MIX_IN (object);

  srv_threading_mix_in_join_last (self);
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
