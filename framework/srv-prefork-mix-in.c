/* srv-prefork-mix-in.c - processes that serve one request after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-prefork-mix-in.h"

#include "srv-base-server.h"
#include "srv-prefork-private.h"

/**
 * SrvPreforkMixIn:
 *
 * Serves requests in processes that are started beforehand.
 *
 * A handler that crashes takes with it only its own worker and the requests
 * that this worker serves, which without
 * [property@SocketServer.PreforkMixIn:inner] is one: another worker takes its
 * place. Workers share the socket, and each client wakes one of them.
 *
 * There are [property@SocketServer.PreforkMixIn:workers] of them, or up to
 * [property@SocketServer.PreforkMixIn:max-workers] if that is more: then a
 * worker is added when fewer than
 * [property@SocketServer.PreforkMixIn:min-spare] are idle, and one is sent away
 * when more than [property@SocketServer.PreforkMixIn:max-spare] are.
 *
 * A worker may itself serve many requests at a time, in threads or fibers:
 * [property@SocketServer.PreforkMixIn:inner] says how. It ends, and another is
 * started, after [property@SocketServer.PreforkMixIn:max-requests], or when it
 * uses more than [property@SocketServer.PreforkMixIn:max-memory].
 *
 * Workers that crash at once, again and again, are started more and more
 * slowly, and after [property@SocketServer.PreforkMixIn:crash-limit] times
 * `serve_forever` fails with %SRV_ERROR_CRASH_LOOP.
 *
 * Each worker has its own copy of the server, on which all hooks of a request
 * run; its mix-in is the inner one. [method@SocketServer.BaseServer.stop] there
 * stops the server in the parent; an error %SRV_ERROR_STOP of a handler ends its
 * worker only. What a loop fails with, such as an error of `service_actions`,
 * comes out of `serve_forever` in the parent. The server's counters in the
 * parent include those of its workers.
 *
 * `SIGTERM` and `SIGINT` make a worker end after what it serves; the parent then
 * starts another. Workers end when their parent does, as when it closes the
 * server: within the limits of
 * [property@SocketServer.BaseServer:drain-timeout] and
 * [property@SocketServer.BaseServer:cut-timeout].
 *
 * Workers are forked from `serve_forever`, and the remarks on threads at
 * [class@SocketServer.ForkingMixIn] apply. The server cannot be attached to a
 * main context, and `handle_request` fails.
 *
 * Python has no counterpart.
 */
struct _SrvPreforkMixIn
{
  SrvMixIn parent_instance;

  SrvPreforkSettings settings;
  SrvPrefork *workers; /* owned */
};

typedef enum
{
  PROP_WORKERS = 1,
  PROP_MAX_WORKERS,
  PROP_MIN_SPARE,
  PROP_MAX_SPARE,
  PROP_MAX_REQUESTS,
  PROP_MAX_MEMORY,
  PROP_RECYCLE_SPREAD,
  PROP_CRASH_LIMIT,
  PROP_FORK_GUARD,
  PROP_INNER,
  PROP_N_WORKERS,
} SrvPreforkMixInProperty;

static GParamSpec *properties[PROP_N_WORKERS + 1];

typedef enum
{
  SIGNAL_WORKER_EXITED,
} SrvPreforkMixInSignal;

static guint signals[SIGNAL_WORKER_EXITED + 1];

G_DEFINE_FINAL_TYPE (SrvPreforkMixIn, srv_prefork_mix_in, SRV_TYPE_MIX_IN)

static void
tell_ended (gpointer self, pid_t pid, int wait_status)
{
  g_signal_emit (self, signals[SIGNAL_WORKER_EXITED], 0, (int) pid,
                 wait_status);
}

/* The calling thread accepts nobody: it watches the workers. */
static gboolean
srv_prefork_mix_in_serve (SrvMixIn *mix_in,
                          SrvBaseServer *server,
                          GError **error)
{
  SrvPreforkMixIn *self = SRV_PREFORK_MIX_IN (mix_in);
  GError *own_failure = NULL;
  GError *failure;
  gboolean ok = srv_prefork_start (self->workers, server, &own_failure) &&
                srv_base_server_run_loop (server, &own_failure);

  failure = srv_prefork_send_away (self->workers, server);
  if (ok && failure == NULL)
    return TRUE;
  if (own_failure != NULL)
    g_clear_error (&failure);
  g_propagate_error (error, own_failure != NULL ? own_failure : failure);
  return FALSE;
}

static gboolean
srv_prefork_mix_in_admits (G_GNUC_UNUSED SrvMixIn *mix_in,
                           G_GNUC_UNUSED SrvBaseServer *server)
{
  return FALSE;
}

static int
srv_prefork_mix_in_fileno (SrvMixIn *mix_in,
                           G_GNUC_UNUSED SrvBaseServer *server)
{
  return srv_prefork_get_fd (SRV_PREFORK_MIX_IN (mix_in)->workers);
}

static gboolean
srv_prefork_mix_in_service_actions (SrvMixIn *mix_in,
                                    SrvBaseServer *server,
                                    GError **error)
{
  return srv_prefork_supervise (SRV_PREFORK_MIX_IN (mix_in)->workers, server,
                                error);
}

static gboolean
srv_prefork_mix_in_drain (SrvMixIn *mix_in,
                          SrvBaseServer *server,
                          SrvDrainStep step,
                          gint64 deadline,
                          guint *n_cut)
{
  return srv_prefork_drain (SRV_PREFORK_MIX_IN (mix_in)->workers, server, step,
                            deadline, n_cut) &&
         srv_base_server_wait_for_requests (server, deadline);
}

static void
srv_prefork_mix_in_finalize (GObject *object)
{
  SrvPreforkMixIn *self = SRV_PREFORK_MIX_IN (object);

  srv_prefork_free (self->workers);
  g_clear_object (&self->settings.inner);
  G_OBJECT_CLASS (srv_prefork_mix_in_parent_class)->finalize (object);
}

/* Where a plain number is kept; NULL for properties of other types. */
static guint *
find_number (SrvPreforkMixIn *self, guint id)
{
  switch ((SrvPreforkMixInProperty) id)
    {
    case PROP_WORKERS:
      return &self->settings.workers;
    case PROP_MAX_WORKERS:
      return &self->settings.max_workers;
    case PROP_MIN_SPARE:
      return &self->settings.min_spare;
    case PROP_MAX_SPARE:
      return &self->settings.max_spare;
    case PROP_MAX_REQUESTS:
      return &self->settings.max_requests;
    case PROP_RECYCLE_SPREAD:
      return &self->settings.recycle_spread;
    case PROP_CRASH_LIMIT:
      return &self->settings.crash_limit;
    case PROP_MAX_MEMORY:
    case PROP_FORK_GUARD:
    case PROP_INNER:
    case PROP_N_WORKERS:
    default:
      return NULL;
    }
}

static void
set_number (SrvPreforkMixIn *self, guint id, guint value)
{
  guint *number = find_number (self, id);

  if (*number == value)
    return;
  *number = value;
  g_object_notify_by_pspec (G_OBJECT (self), properties[id]);
}

static void
set_max_memory (SrvPreforkMixIn *self, guint64 max_memory)
{
  if (self->settings.max_memory == max_memory)
    return;
  self->settings.max_memory = max_memory;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_MEMORY]);
}

static void
srv_prefork_mix_in_get_property (GObject *object,
                                 guint id,
                                 GValue *value,
                                 GParamSpec *pspec)
{
  SrvPreforkMixIn *self = SRV_PREFORK_MIX_IN (object);
  const guint *number = find_number (self, id);

  if (number != NULL)
    g_value_set_uint (value, *number);
  else if (id == PROP_MAX_MEMORY)
    g_value_set_uint64 (value, self->settings.max_memory);
  else if (id == PROP_FORK_GUARD)
    g_value_set_enum (value, (int) self->settings.fork_guard);
  else if (id == PROP_INNER)
    g_value_set_object (value, self->settings.inner);
  else if (id == PROP_N_WORKERS)
    g_value_set_uint (value, srv_prefork_mix_in_get_n_workers (self));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
srv_prefork_mix_in_set_property (GObject *object,
                                 guint id,
                                 const GValue *value,
                                 GParamSpec *pspec)
{
  SrvPreforkMixIn *self = SRV_PREFORK_MIX_IN (object);

  if (find_number (self, id) != NULL)
    set_number (self, id, g_value_get_uint (value));
  else if (id == PROP_MAX_MEMORY)
    set_max_memory (self, g_value_get_uint64 (value));
  else if (id == PROP_FORK_GUARD)
    srv_prefork_mix_in_set_fork_guard (self,
                                       (SrvForkGuard) g_value_get_enum (value));
  else if (id == PROP_INNER)
    srv_prefork_mix_in_set_inner (self, g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
install_number (SrvPreforkMixInProperty id,
                const char *name,
                guint most,
                guint value)
{
  properties[id] =
    g_param_spec_uint (name, NULL, NULL, 0, most, value,
                       G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                         G_PARAM_EXPLICIT_NOTIFY);
}

static void
install_numbers (void)
{
  /**
   * SrvPreforkMixIn:workers:
   *
   * How many workers there are at least; 0 for one on each processor. Up to
   * 512. The properties of this class are for the time before the loop runs.
   */
  install_number (PROP_WORKERS, "workers", SRV_SCOREBOARD_SIZE / 2, 0);
  /**
   * SrvPreforkMixIn:max-workers:
   *
   * How many workers there are at most, up to 512; no more than
   * [property@SocketServer.PreforkMixIn:workers], whose number is then fixed,
   * unless this is greater.
   */
  install_number (PROP_MAX_WORKERS, "max-workers", SRV_SCOREBOARD_SIZE / 2, 0);
  /**
   * SrvPreforkMixIn:min-spare:
   *
   * How many workers shall be idle, if there may be more of them.
   */
  install_number (PROP_MIN_SPARE, "min-spare", SRV_SCOREBOARD_SIZE / 2, 1);
  /**
   * SrvPreforkMixIn:max-spare:
   *
   * How many workers may be idle, if there may be fewer of them.
   */
  install_number (PROP_MAX_SPARE, "max-spare", SRV_SCOREBOARD_SIZE / 2, 10);
  /**
   * SrvPreforkMixIn:max-requests:
   *
   * After how many requests a worker ends; 0 for no limit.
   */
  install_number (PROP_MAX_REQUESTS, "max-requests", G_MAXUINT, 0);
  /**
   * SrvPreforkMixIn:recycle-spread:
   *
   * By how much the limits of a worker may be higher than what was set, in
   * percent: each worker gets its own by chance, so that not all end at the same
   * time.
   */
  install_number (PROP_RECYCLE_SPREAD, "recycle-spread", 1000, 10);
  /**
   * SrvPreforkMixIn:crash-limit:
   *
   * How many times in a row workers may crash within a second of their start,
   * with no request served meanwhile, before the server stops; 0 for no limit.
   * Crashes during the pause that follows one count as the same.
   */
  install_number (PROP_CRASH_LIMIT, "crash-limit", G_MAXUINT, 10);
}

static void
install_others (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  /**
   * SrvPreforkMixIn:max-memory:
   *
   * With how much resident memory, in bytes, a worker ends after a request; 0
   * for no limit. What it shares with the parent counts. It is looked at no more
   * than ten times a second.
   */
  properties[PROP_MAX_MEMORY] =
    g_param_spec_uint64 ("max-memory", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /**
   * SrvPreforkMixIn:fork-guard:
   *
   * What to do when the process has other threads. A refusal makes
   * `serve_forever` fail with %SRV_ERROR_THREADS.
   */
  properties[PROP_FORK_GUARD] = g_param_spec_enum ("fork-guard", NULL, NULL,
                                                   SRV_TYPE_FORK_GUARD,
                                                   SRV_FORK_GUARD_WARN, flags);
  /**
   * SrvPreforkMixIn:inner:
   *
   * How requests run at the same time in each worker; %NULL for one after the
   * other. Each worker has its own copy.
   */
  properties[PROP_INNER] =
    g_param_spec_object ("inner", NULL, NULL, SRV_TYPE_MIX_IN, flags);
  /**
   * SrvPreforkMixIn:n-workers:
   *
   * How many workers have not been collected yet, those that are on their way
   * out included.
   */
  properties[PROP_N_WORKERS] =
    g_param_spec_uint ("n-workers", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
}

static void
srv_prefork_mix_in_class_init (SrvPreforkMixInClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvMixInClass *mix_in_class = SRV_MIX_IN_CLASS (klass);

  object_class->finalize = srv_prefork_mix_in_finalize;
  object_class->get_property = srv_prefork_mix_in_get_property;
  object_class->set_property = srv_prefork_mix_in_set_property;
  mix_in_class->serve = srv_prefork_mix_in_serve;
  mix_in_class->admits = srv_prefork_mix_in_admits;
  mix_in_class->fileno = srv_prefork_mix_in_fileno;
  mix_in_class->service_actions = srv_prefork_mix_in_service_actions;
  mix_in_class->drain = srv_prefork_mix_in_drain;
  mix_in_class->shares_memory = FALSE;
  mix_in_class->attachable = FALSE;
  install_numbers ();
  install_others ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);

  /**
   * SrvPreforkMixIn::worker-exited:
   * @self: a mix-in
   * @pid: the worker
   * @wait_status: how it ended, as `waitpid()` tells it; -1 if nobody knows,
   *   because other code has waited for it
   *
   * A worker has ended. A status of 0 is one that was stopped or recycled, or
   * whose handler said so by %SRV_ERROR_STOP.
   *
   * Threads: the loop's, and the one that closes the server.
   */
  signals[SIGNAL_WORKER_EXITED] =
    g_signal_new ("worker-exited", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                  0, NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_INT);
}

static void
srv_prefork_mix_in_init (SrvPreforkMixIn *self)
{
  self->settings.min_spare = 1;
  self->settings.max_spare = 10;
  self->settings.recycle_spread = 10;
  self->settings.crash_limit = 10;
  self->settings.fork_guard = SRV_FORK_GUARD_WARN;
  self->workers = srv_prefork_new (&self->settings, tell_ended, self);
}

/**
 * srv_prefork_mix_in_new:
 *
 * Makes a mix-in that serves requests in processes started beforehand.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new mix-in
 */
SrvMixIn *
srv_prefork_mix_in_new (void)
{
  return g_object_new (SRV_TYPE_PREFORK_MIX_IN, NULL);
}

/**
 * srv_prefork_mix_in_set_workers:
 * @self: a mix-in
 * @workers: how many processes, up to 512; 0 for one on each processor
 *
 * Sets how many workers there are at least.
 *
 * Threads: before the loop runs.
 */
void
srv_prefork_mix_in_set_workers (SrvPreforkMixIn *self, guint workers)
{
  g_return_if_fail (SRV_IS_PREFORK_MIX_IN (self));
  g_return_if_fail (workers <= SRV_SCOREBOARD_SIZE / 2);
  set_number (self, PROP_WORKERS, workers);
}

/**
 * srv_prefork_mix_in_get_workers:
 * @self: a mix-in
 *
 * Gets how many workers there are at least.
 *
 * Threads: any.
 *
 * Returns: the number of processes, 0 for one on each processor
 */
guint
srv_prefork_mix_in_get_workers (SrvPreforkMixIn *self)
{
  g_return_val_if_fail (SRV_IS_PREFORK_MIX_IN (self), 0);
  return self->settings.workers;
}

/**
 * srv_prefork_mix_in_set_inner:
 * @self: a mix-in
 * @inner: (nullable): a mix-in that can be attached, %NULL for none
 *
 * Sets how requests run at the same time in each worker.
 *
 * Threads: before the loop runs.
 */
void
srv_prefork_mix_in_set_inner (SrvPreforkMixIn *self, SrvMixIn *inner)
{
  g_return_if_fail (SRV_IS_PREFORK_MIX_IN (self));
  g_return_if_fail (inner == NULL || SRV_IS_MIX_IN (inner));
  g_return_if_fail (inner == NULL || srv_mix_in_get_attachable (inner));

  if (g_set_object (&self->settings.inner, inner))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_INNER]);
}

/**
 * srv_prefork_mix_in_get_inner:
 * @self: a mix-in
 *
 * Gets how requests run at the same time in each worker.
 *
 * Threads: any.
 *
 * Returns: (transfer none) (nullable): the mix-in
 */
SrvMixIn *
srv_prefork_mix_in_get_inner (SrvPreforkMixIn *self)
{
  g_return_val_if_fail (SRV_IS_PREFORK_MIX_IN (self), NULL);
  return self->settings.inner;
}

/**
 * srv_prefork_mix_in_set_fork_guard:
 * @self: a mix-in
 * @fork_guard: what to do
 *
 * Sets what to do when the process has other threads.
 *
 * Threads: before the loop runs.
 */
void
srv_prefork_mix_in_set_fork_guard (SrvPreforkMixIn *self,
                                   SrvForkGuard fork_guard)
{
  g_return_if_fail (SRV_IS_PREFORK_MIX_IN (self));

  if (self->settings.fork_guard == fork_guard)
    return;
  self->settings.fork_guard = fork_guard;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FORK_GUARD]);
}

/**
 * srv_prefork_mix_in_get_fork_guard:
 * @self: a mix-in
 *
 * Gets what to do when the process has other threads.
 *
 * Threads: any.
 *
 * Returns: what to do
 */
SrvForkGuard
srv_prefork_mix_in_get_fork_guard (SrvPreforkMixIn *self)
{
  g_return_val_if_fail (SRV_IS_PREFORK_MIX_IN (self), SRV_FORK_GUARD_WARN);
  return self->settings.fork_guard;
}

/**
 * srv_prefork_mix_in_get_n_workers:
 * @self: a mix-in
 *
 * Gets how many workers have not been collected yet.
 *
 * Threads: the loop's, or while the server is not served.
 *
 * Returns: the number of workers
 */
guint
srv_prefork_mix_in_get_n_workers (SrvPreforkMixIn *self)
{
  g_return_val_if_fail (SRV_IS_PREFORK_MIX_IN (self), 0);
  return srv_prefork_count (self->workers);
}

/**
 * srv_prefork_mix_in_list_workers:
 * @self: a mix-in
 *
 * Reads the scoreboard: what each worker does, and what it has done. The
 * numbers are read one after the other while the workers go on.
 *
 * Threads: any.
 *
 * Returns: (transfer container) (element-type SrvWorkerInfo): the workers, which
 *   go with the array; empty before the server serves
 */
GPtrArray *
srv_prefork_mix_in_list_workers (SrvPreforkMixIn *self)
{
  SrvScoreboard *scoreboard;

  g_return_val_if_fail (SRV_IS_PREFORK_MIX_IN (self), NULL);

  scoreboard = srv_prefork_get_scoreboard (self->workers);
  return scoreboard != NULL ? srv_scoreboard_list (scoreboard)
                            : g_ptr_array_new ();
}

/**
 * srv_prefork_mix_in_print_workers:
 * @self: a mix-in
 *
 * Writes the scoreboard as text: a line of headings, and a line for each
 * worker.
 *
 * Threads: any.
 *
 * Returns: (transfer full): UTF-8 text that ends with a new line
 */
char *
srv_prefork_mix_in_print_workers (SrvPreforkMixIn *self)
{
  g_autoptr (GPtrArray) workers = NULL;

  g_return_val_if_fail (SRV_IS_PREFORK_MIX_IN (self), NULL);

  workers = srv_prefork_mix_in_list_workers (self);
  return srv_scoreboard_print (workers);
}
