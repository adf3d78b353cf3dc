/* srv-forking-mix-in.c - a process for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-forking-mix-in.h"

#include "srv-base-server-private.h"
#include "srv-children-private.h"
#include "srv-errno-private.h"
#include "srv-log-private.h"
#include "srv-process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/wait.h>
#include <unistd.h>

/**
 * SrvForkingMixIn:
 *
 * Serves each request in a process of its own.
 *
 * A handler that crashes takes nobody with it, and what it changes is its own:
 * the server object in the child is a copy. The child closes the server's
 * socket, sets the signals that a service may have caught back to their
 * defaults (but SIGHUP, which it ignores then), serves the request, and ends
 * with status 0, or 1 if the handler failed, without running exit handlers.
 *
 * Forking copies a process as it stands, but only one of its threads; locks
 * that the others held stay locked in the child. So the program should have no
 * other threads, and
 * [property@SocketServer.ForkingMixIn:fork-guard] says what happens if it has.
 *
 * Children are watched by pidfd and collected when they end, each by its own
 * number: children that other code has started are not touched. With
 * [property@SocketServer.ForkingMixIn:max-children] the server stops accepting
 * while so many run; it can be stopped meanwhile.
 *
 * In Python: `ForkingMixIn`.
 */
typedef struct
{
  SrvChildren children;
  guint max_children;
  SrvForkGuard fork_guard;
  gboolean warned;

  /* Atomic: children that were collected, all in all. Then the same when a
   * drain gave up waiting: what ended later was cut. */
  guint n_ended;
  guint n_ended_in_time;

  /* A pipe that nobody writes to. Children keep the reading end, and see its
   * end when the parent begins to drain, or has died. */
  int drain_pipe[2];
} SrvForkingMixInPrivate;

typedef enum
{
  PROP_MAX_CHILDREN = 1,
  PROP_FORK_GUARD,
  PROP_N_ACTIVE_CHILDREN,
} SrvForkingMixInProperty;

static GParamSpec *properties[PROP_N_ACTIVE_CHILDREN + 1];

typedef enum
{
  SIGNAL_CHILD_EXITED,
} SrvForkingMixInSignal;

static guint signals[SIGNAL_CHILD_EXITED + 1];

G_DEFINE_TYPE_WITH_PRIVATE (SrvForkingMixIn,
                            srv_forking_mix_in,
                            SRV_TYPE_MIX_IN)

static SrvForkingMixInPrivate *
get_private (SrvForkingMixIn *self)
{
  return srv_forking_mix_in_get_instance_private (self);
}

static void
clear_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static gboolean
check_threads (SrvForkingMixIn *self, SrvBaseServer *server, GError **error)
{
  SrvForkingMixInPrivate *priv = get_private (self);

  if (priv->fork_guard == SRV_FORK_GUARD_IGNORE || !srv_process_has_threads ())
    return TRUE;
  if (priv->fork_guard == SRV_FORK_GUARD_REFUSE)
    {
      g_set_error_literal (error, SRV_ERROR, SRV_ERROR_THREADS,
                           "could not fork: the process has other threads");
      return FALSE;
    }
  if (!priv->warned)
    srv_log (
      G_LOG_LEVEL_WARNING, "fork-guard", server, NULL,
      "forking in a process that has other threads: a child can hang on a lock "
      "that one of them held");
  priv->warned = TRUE;
  return TRUE;
}

static gboolean
prepare_descriptors (SrvForkingMixIn *self, GError **error)
{
  SrvForkingMixInPrivate *priv = get_private (self);

  if (!srv_children_open (&priv->children, error))
    return FALSE;
  if (priv->drain_pipe[0] >= 0 || pipe2 (priv->drain_pipe, O_CLOEXEC) == 0)
    return TRUE;
  return srv_set_errno_error (error, errno, "could not make a pipe");
}

static gboolean
fail_limit (GError **error, int code)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_LIMIT,
               "could not fork for the request: %s", g_strerror (code));
  return FALSE;
}

/* Only what has something: a lock that is taken is a page that is copied. */
static void
flush (FILE *file)
{
  if (__fpending (file) > 0)
    fflush (file);
}

/* The whole life of a child. It has got its own copies of everything, and
 * leaves them to the system: exit handlers, buffers of other streams and
 * finalizers belong to the parent. */
static G_NORETURN void
run_child (SrvForkingMixIn *self, SrvBaseServer *server, SrvRequest *request)
{
  SrvForkingMixInPrivate *priv = get_private (self);
  g_autoptr (GError) error = NULL;
  guint64 n_failed;
  gboolean ok;

  srv_process_reset_signals ();
  srv_base_server_enter_child (server, request, priv->drain_pipe[0]);
  srv_children_drop (&priv->children);
  clear_fd (&priv->drain_pipe[1]);
  n_failed = srv_base_server_get_n_failed (server);
  ok = srv_base_server_complete_request (server, request, &error) &&
       srv_base_server_get_n_failed (server) == n_failed;
  /* In Python what a child has printed to a file or a pipe is lost. */
  flush (stdout);
  flush (stderr);
  _exit (ok ? EXIT_SUCCESS : EXIT_FAILURE);
}

static gboolean
srv_forking_mix_in_process_request (SrvMixIn *mix_in,
                                    SrvBaseServer *server,
                                    SrvRequest *request,
                                    GError **error)
{
  SrvForkingMixIn *self = SRV_FORKING_MIX_IN (mix_in);
  pid_t pid;

  if (!check_threads (self, server, error) ||
      !prepare_descriptors (self, error))
    return FALSE;
  srv_base_server_prepare_fork (server, request);
  /* Or the child would print it once more. */
  flush (stdout);
  flush (stderr);
  pid = fork ();
  if (pid < 0)
    return fail_limit (error, errno);
  if (pid == 0)
    run_child (self, server, request);
  /* First of all, for it makes room for the pidfd. A shutdown would end the
   * child's connection as well. */
  srv_base_server_close_request (server, request);
  srv_children_watch (&get_private (self)->children, pid);
  return TRUE;
}

static gboolean
srv_forking_mix_in_admits (SrvMixIn *mix_in,
                           G_GNUC_UNUSED SrvBaseServer *server)
{
  SrvForkingMixInPrivate *priv = get_private (SRV_FORKING_MIX_IN (mix_in));

  return priv->max_children == 0 ||
         srv_children_count (&priv->children) < priv->max_children;
}

static int
srv_forking_mix_in_fileno (SrvMixIn *mix_in,
                           G_GNUC_UNUSED SrvBaseServer *server)
{
  SrvForkingMixIn *self = SRV_FORKING_MIX_IN (mix_in);

  prepare_descriptors (self, NULL);
  return srv_children_get_fd (&get_private (self)->children);
}

static void
tell_ended (gpointer self, pid_t pid, int wait_status)
{
  g_atomic_int_inc (&get_private (SRV_FORKING_MIX_IN (self))->n_ended);
  g_signal_emit (self, signals[SIGNAL_CHILD_EXITED], 0, (int) pid, wait_status);
}

static gboolean
srv_forking_mix_in_service_actions (SrvMixIn *mix_in,
                                    G_GNUC_UNUSED SrvBaseServer *server,
                                    G_GNUC_UNUSED GError **error)
{
  srv_forking_mix_in_collect_children (SRV_FORKING_MIX_IN (mix_in));
  return TRUE;
}

/* The children that were alive when the waiting ended: a child whose request the
 * loop was about to hand over has seen its connection shut down before it was
 * known, and may have ended already. */
static guint
count_cut (SrvForkingMixInPrivate *priv)
{
  return srv_children_count (&priv->children) +
         g_atomic_int_get (&priv->n_ended) - priv->n_ended_in_time;
}

static gboolean
wait_for_children (SrvForkingMixIn *self,
                   SrvBaseServer *server,
                   gint64 deadline)
{
  SrvChildren *children = &get_private (self)->children;
  gboolean in_time = TRUE;

  while (in_time && srv_children_count (children) > 0)
    {
      in_time = srv_base_server_wait_for_event (server, deadline);
      srv_forking_mix_in_collect_children (self);
    }
  return srv_children_count (children) == 0;
}

static gboolean
srv_forking_mix_in_drain (SrvMixIn *mix_in,
                          SrvBaseServer *server,
                          SrvDrainStep step,
                          gint64 deadline,
                          guint *n_cut)
{
  SrvForkingMixIn *self = SRV_FORKING_MIX_IN (mix_in);
  SrvForkingMixInPrivate *priv = get_private (self);
  gint64 last = deadline;
  gboolean drained;
  gboolean is_alone;

  clear_fd (&priv->drain_pipe[1]);
  /* The loop may be forking right now: the child runs, and nobody knows it yet.
   * Until the loop has left, its request counts in its child's place. */
  is_alone = srv_base_server_wait_for_requests (server, deadline);
  srv_forking_mix_in_collect_children (self);
  if (step == SRV_DRAIN_STEP_CUT)
    {
      *n_cut = count_cut (priv) + (is_alone ? 0 : *n_cut);
      srv_children_kill (&priv->children, SIGTERM);
    }
  else if (step == SRV_DRAIN_STEP_KILL)
    last = srv_children_kill_for_good (&priv->children, deadline);
  /* A loop that does not return would not tell of their end. */
  drained = is_alone && wait_for_children (self, server, last);
  if (step == SRV_DRAIN_STEP_WAIT)
    priv->n_ended_in_time = g_atomic_int_get (&priv->n_ended);
  return drained;
}

static void
srv_forking_mix_in_real_child_exited (G_GNUC_UNUSED SrvForkingMixIn *self,
                                      int pid,
                                      int wait_status)
{
  if (wait_status != -1 && WIFSIGNALED (wait_status))
    srv_log (WTERMSIG (wait_status) == SIGTERM ? G_LOG_LEVEL_INFO
                                               : G_LOG_LEVEL_MESSAGE,
             "child-killed", NULL, NULL, "child %d was ended by signal %d", pid,
             WTERMSIG (wait_status));
}

static void
srv_forking_mix_in_finalize (GObject *object)
{
  SrvForkingMixInPrivate *priv = get_private (SRV_FORKING_MIX_IN (object));

  srv_children_clear (&priv->children);
  clear_fd (&priv->drain_pipe[0]);
  clear_fd (&priv->drain_pipe[1]);
  G_OBJECT_CLASS (srv_forking_mix_in_parent_class)->finalize (object);
}

static void
srv_forking_mix_in_get_property (GObject *object,
                                 guint id,
                                 GValue *value,
                                 GParamSpec *pspec)
{
  SrvForkingMixIn *self = SRV_FORKING_MIX_IN (object);
  SrvForkingMixInPrivate *priv = get_private (self);

  switch ((SrvForkingMixInProperty) id)
    {
    case PROP_MAX_CHILDREN:
      g_value_set_uint (value, priv->max_children);
      break;
    case PROP_FORK_GUARD:
      g_value_set_enum (value, (int) priv->fork_guard);
      break;
    case PROP_N_ACTIVE_CHILDREN:
      g_value_set_uint (value, srv_forking_mix_in_get_n_active_children (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_forking_mix_in_set_property (GObject *object,
                                 guint id,
                                 const GValue *value,
                                 GParamSpec *pspec)
{
  SrvForkingMixIn *self = SRV_FORKING_MIX_IN (object);

  switch ((SrvForkingMixInProperty) id)
    {
    case PROP_MAX_CHILDREN:
      srv_forking_mix_in_set_max_children (self, g_value_get_uint (value));
      break;
    case PROP_FORK_GUARD:
      srv_forking_mix_in_set_fork_guard (self, (SrvForkGuard) g_value_get_enum (
                                                 value));
      break;
    case PROP_N_ACTIVE_CHILDREN:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_forking_mix_in_class_init (SrvForkingMixInClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvMixInClass *mix_in_class = SRV_MIX_IN_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                            G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = srv_forking_mix_in_finalize;
  object_class->get_property = srv_forking_mix_in_get_property;
  object_class->set_property = srv_forking_mix_in_set_property;
  mix_in_class->process_request = srv_forking_mix_in_process_request;
  mix_in_class->admits = srv_forking_mix_in_admits;
  mix_in_class->fileno = srv_forking_mix_in_fileno;
  mix_in_class->service_actions = srv_forking_mix_in_service_actions;
  mix_in_class->drain = srv_forking_mix_in_drain;
  mix_in_class->shares_memory = FALSE;
  mix_in_class->stop_from_handler = FALSE;
  klass->child_exited = srv_forking_mix_in_real_child_exited;

  /**
   * SrvForkingMixIn:max-children:
   *
   * How many children may run before the server stops accepting; 0 for no
   * limit. In Python: `max_children`, 40 as well; at the limit its loop blocks,
   * and with 0 it spins.
   */
  properties[PROP_MAX_CHILDREN] =
    g_param_spec_uint ("max-children", NULL, NULL, 0, G_MAXUINT, 40, flags);
  /**
   * SrvForkingMixIn:fork-guard:
   *
   * What to do when the process has other threads.
   */
  properties[PROP_FORK_GUARD] = g_param_spec_enum ("fork-guard", NULL, NULL,
                                                   SRV_TYPE_FORK_GUARD,
                                                   SRV_FORK_GUARD_WARN, flags);
  /**
   * SrvForkingMixIn:n-active-children:
   *
   * How many children have not been collected yet.
   */
  properties[PROP_N_ACTIVE_CHILDREN] =
    g_param_spec_uint ("n-active-children", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);

  /**
   * SrvForkingMixIn::child-exited:
   * @self: a mix-in
   * @pid: the child
   * @wait_status: how it ended, as `waitpid()` tells it; -1 if nobody knows,
   *   because other code has waited for it
   *
   * A child has ended. A status of 0 is a request that was served, and exit
   * status 1 one that failed; anything else is the handler's own doing, or a
   * crash. Python drops this.
   *
   * Threads: the loop's, and the one that closes the server.
   */
  signals[SIGNAL_CHILD_EXITED] =
    g_signal_new ("child-exited", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                  G_STRUCT_OFFSET (SrvForkingMixInClass, child_exited), NULL,
                  NULL, NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_INT);
}

static void
srv_forking_mix_in_init (SrvForkingMixIn *self)
{
  SrvForkingMixInPrivate *priv = get_private (self);

  srv_children_init (&priv->children);
  priv->max_children = 40;
  priv->fork_guard = SRV_FORK_GUARD_WARN;
  priv->drain_pipe[0] = -1;
  priv->drain_pipe[1] = -1;
}

/**
 * srv_forking_mix_in_new:
 *
 * Makes a mix-in that serves each request in a process.
 *
 * Threads: any. In Python: `ForkingMixIn`.
 *
 * Returns: (transfer full): a new mix-in
 */
SrvMixIn *
srv_forking_mix_in_new (void)
{
  return g_object_new (SRV_TYPE_FORKING_MIX_IN, NULL);
}

/**
 * srv_forking_mix_in_set_max_children:
 * @self: a mix-in
 * @max_children: how many children may run, 0 for no limit
 *
 * Sets how many children may run before the server stops accepting.
 *
 * Threads: before the loop runs, or the loop's. In Python: `max_children`.
 */
void
srv_forking_mix_in_set_max_children (SrvForkingMixIn *self, guint max_children)
{
  SrvForkingMixInPrivate *priv;

  g_return_if_fail (SRV_IS_FORKING_MIX_IN (self));

  priv = get_private (self);
  if (priv->max_children == max_children)
    return;
  priv->max_children = max_children;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_CHILDREN]);
}

/**
 * srv_forking_mix_in_get_max_children:
 * @self: a mix-in
 *
 * Gets how many children may run before the server stops accepting.
 *
 * Threads: any.
 *
 * Returns: the number of children, 0 for no limit
 */
guint
srv_forking_mix_in_get_max_children (SrvForkingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FORKING_MIX_IN (self), 0);
  return get_private (self)->max_children;
}

/**
 * srv_forking_mix_in_set_fork_guard:
 * @self: a mix-in
 * @fork_guard: what to do
 *
 * Sets what to do when the process has other threads.
 *
 * Threads: before the loop runs, or the loop's.
 */
void
srv_forking_mix_in_set_fork_guard (SrvForkingMixIn *self,
                                   SrvForkGuard fork_guard)
{
  SrvForkingMixInPrivate *priv;

  g_return_if_fail (SRV_IS_FORKING_MIX_IN (self));

  priv = get_private (self);
  if (priv->fork_guard == fork_guard)
    return;
  priv->fork_guard = fork_guard;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FORK_GUARD]);
}

/**
 * srv_forking_mix_in_get_fork_guard:
 * @self: a mix-in
 *
 * Gets what to do when the process has other threads.
 *
 * Threads: any.
 *
 * Returns: what to do
 */
SrvForkGuard
srv_forking_mix_in_get_fork_guard (SrvForkingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FORKING_MIX_IN (self), SRV_FORK_GUARD_WARN);
  return get_private (self)->fork_guard;
}

/**
 * srv_forking_mix_in_get_n_active_children:
 * @self: a mix-in
 *
 * Gets how many children have not been collected yet.
 *
 * Threads: the loop's.
 *
 * Returns: the number of children
 */
guint
srv_forking_mix_in_get_n_active_children (SrvForkingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FORKING_MIX_IN (self), 0);
  return srv_children_count (&get_private (self)->children);
}

/**
 * srv_forking_mix_in_get_active_children:
 * @self: a mix-in
 *
 * Gets the children that have not been collected yet.
 *
 * Threads: the loop's. In Python: `active_children`.
 *
 * Returns: (transfer full) (element-type int): their process numbers
 */
GArray *
srv_forking_mix_in_get_active_children (SrvForkingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FORKING_MIX_IN (self), NULL);
  return srv_children_list (&get_private (self)->children);
}

/**
 * srv_forking_mix_in_collect_children:
 * @self: a mix-in
 *
 * Collects the children that have ended, without waiting. The loop does it by
 * itself; a program that calls
 * [method@SocketServer.BaseServer.handle_request] now and then may call it in
 * between.
 *
 * Threads: the loop's. In Python: `collect_children()`.
 *
 * Returns: how many have ended
 */
guint
srv_forking_mix_in_collect_children (SrvForkingMixIn *self)
{
  g_return_val_if_fail (SRV_IS_FORKING_MIX_IN (self), 0);
  return srv_children_collect (&get_private (self)->children, tell_ended, self);
}
