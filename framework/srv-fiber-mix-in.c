/* srv-fiber-mix-in.c - a fiber for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server.h"
#include "srv-fiber-mix-in-private.h"
#include "srv-task-private.h"

#include <errno.h>
#include <unistd.h>

#define DEFAULT_STACK_SIZE     (64 * 1024)
#define SMALLEST_STACK_SIZE    (16 * 1024)
#define DEFAULT_BLOCK_LIMIT_MS 500

typedef enum
{
  PROP_WORKERS = 1,
  PROP_STACK_SIZE,
  PROP_MAX_FIBERS,
  PROP_BLOCK_LIMIT,
  PROP_LISTENER_SHARING,
  PROP_N_FIBERS,
} SrvFiberMixInProperty;

static GParamSpec *properties[PROP_N_FIBERS + 1];

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
G_DEFINE_FINAL_TYPE (SrvFiberMixIn, srv_fiber_mix_in, SRV_TYPE_MIX_IN)

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

static int
srv_fiber_mix_in_fileno (SrvMixIn *mix_in, G_GNUC_UNUSED SrvBaseServer *server)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  SrvFiberThread *worker = srv_fiber_threads_find_loop (self);

  return worker != NULL ? worker->room_fd : self->watch_fd;
}

/* It is called after each request. */
static gboolean
srv_fiber_mix_in_service_actions (SrvMixIn *mix_in,
                                  SrvBaseServer *server,
                                  G_GNUC_UNUSED GError **error)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (mix_in);
  SrvFiberThread *own = srv_fiber_threads_find_loop (self);
  guint64 count;

  if (own != NULL && g_atomic_int_get (&own->has_room) &&
      g_atomic_int_compare_and_exchange (&own->has_room, TRUE, FALSE) &&
      read (own->room_fd, &count, sizeof count) < 0)
    g_assert (errno == EAGAIN);
  if (srv_task_fiber () == NULL)
    srv_fiber_threads_watch (self, server);
  return TRUE;
}

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
    {
      if (!srv_base_server_wait_for_event (server, deadline))
        return FALSE;
      /* The loop has left: nobody else empties what was waited for. */
      srv_fiber_mix_in_service_actions (mix_in, server, NULL);
    }
  if (!srv_base_server_wait_for_requests (server, deadline))
    return FALSE;
  if (srv_task_fiber () == NULL)
    srv_fiber_threads_stop (self);
  return TRUE;
}

static void
srv_fiber_mix_in_finalize (GObject *object)
{
  SrvFiberMixIn *self = SRV_FIBER_MIX_IN (object);

  srv_fiber_threads_stop (self);
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
    case PROP_LISTENER_SHARING:
      g_value_set_enum (value, (int) self->listener_sharing);
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
    case PROP_LISTENER_SHARING:
      srv_fiber_mix_in_set_listener_sharing (self, (SrvListenerSharing)
                                                     g_value_get_enum (value));
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
  properties[PROP_WORKERS] = g_param_spec_uint ("workers", NULL, NULL, 0,
                                                SRV_FIBER_MAX_THREADS, 0,
                                                flags);
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
   * SrvFiberMixIn:listener-sharing:
   *
   * How the workers share the clients of a server.
   *
   * By default all accept from the server's socket. With sockets of their own
   * nothing is shared between them, which pays where there are many processors
   * and connections are short; but a client then waits for the worker that the
   * system has chosen, although others are idle. Only servers over IP that were
   * bound with `allow-reuse-port` can have them, and those sockets stay until
   * the server is closed or served without them.
   */
  properties[PROP_LISTENER_SHARING] =
    g_param_spec_enum ("listener-sharing", NULL, NULL,
                       SRV_TYPE_LISTENER_SHARING, SRV_LISTENER_SHARING_SHARED,
                       flags);
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
  g_return_if_fail (workers <= SRV_FIBER_MAX_THREADS);

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
 * srv_fiber_mix_in_set_listener_sharing:
 * @self: a mix-in
 * @sharing: how
 *
 * Sets how the workers share the clients of a server.
 *
 * With %SRV_LISTENER_SHARING_REUSE_PORT,
 * [method@SocketServer.BaseServer.serve_forever] fails with
 * %G_IO_ERROR_NOT_SUPPORTED on a server whose socket cannot be one of several.
 *
 * Threads: before the loop runs.
 */
void
srv_fiber_mix_in_set_listener_sharing (SrvFiberMixIn *self,
                                       SrvListenerSharing sharing)
{
  g_return_if_fail (SRV_IS_FIBER_MIX_IN (self));

  if (self->listener_sharing == sharing)
    return;
  self->listener_sharing = sharing;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LISTENER_SHARING]);
}

/**
 * srv_fiber_mix_in_get_listener_sharing:
 * @self: a mix-in
 *
 * Gets how the workers share the clients of a server.
 *
 * Threads: any.
 *
 * Returns: how
 */
SrvListenerSharing
srv_fiber_mix_in_get_listener_sharing (SrvFiberMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FIBER_MIX_IN (self),
                        SRV_LISTENER_SHARING_SHARED);
  return self->listener_sharing;
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
