/* srv-base-server-run.c - states: run and stop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A stop belongs to a run. One that comes before the first run is kept for it,
 * so that a thread that starts the loop and a thread that stops it may race;
 * one that comes to an idle server later has nothing to stop. Python keeps two
 * booleans instead, and hangs when they meet in the wrong order.
 *
 * Whoever waits here waits on the eventfd that the loop polls, or on the
 * condition of the state; never with an interval.
 */

#include "config.h"

#include "srv-base-server-private.h"
#include "srv-connection-private.h"
#include "srv-deadline-private.h"
#include "srv-log-private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Closed is final; a run that has ended meanwhile is not being stopped. */
static gboolean
may_change (SrvServerState from, SrvServerState to)
{
  if (to == SRV_SERVER_STATE_STOPPING)
    return from == SRV_SERVER_STATE_SERVING;
  return from != to && from != SRV_SERVER_STATE_CLOSED;
}

void
srv_base_server_set_state (SrvBaseServer *self, SrvServerState state)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean changed;

  g_mutex_lock (&priv->lock);
  changed = may_change (priv->state, state);
  if (changed)
    priv->state = state;
  srv_wait_list_wake_all (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (changed)
    g_object_notify (G_OBJECT (self), "state");
}

/* A full counter wakes as well, so a failure to add to it is none. */
static void
signal_eventfd (int fd)
{
  const guint64 one = 1;
  int saved_errno = errno;

  if (fd >= 0 && write (fd, &one, sizeof one) < 0)
    errno = saved_errno;
}

/**
 * srv_base_server_wake:
 * @self: a server
 *
 * Makes the loop, and whoever closes the server, look again at what they wait
 * for. A mix-in calls it when it can admit a request after it could not.
 *
 * Threads: any; also in a signal handler.
 */
void
srv_base_server_wake (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  signal_eventfd (priv->wake_fd);
  if (g_atomic_int_get (&priv->closing))
    signal_eventfd (priv->event_fd);
}

gboolean
srv_base_server_must_stop (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return g_atomic_int_get (&priv->stop_requested) ||
         g_atomic_int_get (&priv->closing);
}

static gboolean
check_runnable (SrvBaseServerPrivate *priv, GError **error)
{
  if (g_atomic_int_get (&priv->closing) ||
      priv->state == SRV_SERVER_STATE_CLOSED)
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_CLOSED,
                         "the server is closed");
  else if (priv->wake_fd < 0 || priv->state < SRV_SERVER_STATE_ACTIVE)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                         "the server is not bound and active yet");
  else if (priv->loop_task != NULL || priv->source != NULL)
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_BUSY,
                         "the server is already being served");
  else
    return TRUE;
  return FALSE;
}

/* Makes the calling thread the one that waits for requests. */
gboolean
srv_base_server_enter_loop (SrvBaseServer *self, GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean ok;

  g_mutex_lock (&priv->lock);
  ok = check_runnable (priv, error);
  if (ok)
    priv->loop_task = srv_task_self ();
  g_mutex_unlock (&priv->lock);
  return ok;
}

/* What the loop of a closed server had taken ahead keeps the socket open. Nobody
 * comes for it any more, once the loop has left. */
void
srv_base_server_drop_stock (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gpointer stock = NULL;

  g_mutex_lock (&priv->lock);
  if (priv->loop_task == NULL)
    stock = g_steal_pointer (&priv->loop.stock);
  g_mutex_unlock (&priv->lock);
  if (stock != NULL)
    priv->loop.put_back (stock);
}

void
srv_base_server_leave_loop (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean closing;

  g_mutex_lock (&priv->lock);
  priv->loop_task = NULL;
  closing = g_atomic_int_get (&priv->closing);
  srv_wait_list_wake_all (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (!closing)
    return;
  /* Whoever closes could not wait for this thread, or is doing so now. */
  srv_base_server_close_listener (self);
  srv_base_server_drop_stock (self);
  srv_base_server_wake (self);
}

gboolean
srv_base_server_begin_run (SrvBaseServer *self, GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (!srv_base_server_enter_loop (self, error))
    return FALSE;
  g_mutex_lock (&priv->lock);
  if (priv->n_runs++ > 0)
    g_atomic_int_set (&priv->n_signals, 0);
  priv->running = TRUE;
  g_mutex_unlock (&priv->lock);
  srv_base_server_set_state (self, SRV_SERVER_STATE_SERVING);
  return TRUE;
}

/* The stop that ended this run is used up with it. */
void
srv_base_server_end_run (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  srv_base_server_set_state (self, SRV_SERVER_STATE_STOPPING);
  g_mutex_lock (&priv->lock);
  g_atomic_int_inc (&priv->n_ended_runs);
  g_atomic_int_set (&priv->stop_requested, FALSE);
  priv->running = FALSE;
  if (!g_atomic_int_get (&priv->closing))
    priv->state = SRV_SERVER_STATE_ACTIVE;
  g_mutex_unlock (&priv->lock);
  srv_base_server_leave_loop (self);
  g_object_notify (G_OBJECT (self), "state");
}

/* In a forked child the descriptors that would carry the wish are the
 * parent's; the child is not the one to stop or to close. */
gboolean
srv_base_server_is_misplaced (SrvBaseServer *self, const char *what)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (!priv->in_child && !priv->in_worker)
    return FALSE;
  srv_log (G_LOG_LEVEL_WARNING, "in-child", NULL, NULL,
           "%s in a forked child does nothing: the server runs in the parent",
           what);
  return TRUE;
}

/* Ends the run of a server that is attached to a main context, unless a
 * request is just being served there; that thread then does it. */
void
srv_base_server_detach (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  GSource *source = NULL;

  g_mutex_lock (&priv->lock);
  if (priv->loop_task == NULL)
    source = g_steal_pointer (&priv->source);
  g_mutex_unlock (&priv->lock);
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
  srv_base_server_end_run (self);
}

/**
 * srv_base_server_stop:
 * @self: a server
 *
 * Asks the loop to end, and does not wait for it.
 *
 * The loop leaves without accepting anybody else; requests that run are not
 * touched, and the socket stays open. A stop before the first run is kept for
 * it. Later, a stop of a server that is not being served does nothing.
 *
 * A worker process passes the wish on to its parent; in the child of
 * [class@SocketServer.ForkingMixIn] there is no way to do that, and the call
 * only warns.
 *
 * Threads: any, also the loop's own, in a hook or a handler.
 */
void
srv_base_server_stop (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  gboolean idle;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));

  priv = srv_base_server_get_private (self);
  if (priv->stop_fd >= 0)
    {
      signal_eventfd (priv->stop_fd);
      return;
    }
  if (srv_base_server_is_misplaced (self, "stop"))
    return;
  g_mutex_lock (&priv->lock);
  idle = priv->n_runs > 0 && !priv->running;
  if (!idle)
    g_atomic_int_set (&priv->stop_requested, TRUE);
  g_mutex_unlock (&priv->lock);
  if (idle)
    return;
  srv_base_server_wake (self);
  srv_base_server_set_state (self, SRV_SERVER_STATE_STOPPING);
  srv_base_server_detach (self);
}

/**
 * srv_base_server_stop_from_signal:
 * @self: a server
 *
 * Asks the loop to end, from a signal handler. If no loop runs, the next one
 * returns at once.
 *
 * Threads: any; async-signal-safe.
 */
void
srv_base_server_stop_from_signal (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (priv->in_child)
    return;
  g_atomic_int_set (&priv->stop_requested, TRUE);
  srv_base_server_wake (self);
}

/* Without a mix-in the only thread may be blocked in a read of the client, and
 * nobody else is there to end it. So the first signal gives that read the time
 * that a drain would have, and the second ends the connection. If the read has
 * begun already, the signal interrupts it, and it looks at the limit again. */
static void
limit_inline_request (SrvBaseServerPrivate *priv, gboolean at_once)
{
  int fd = g_atomic_int_get (&priv->inline_fd);
  SrvConnection *connection = g_atomic_pointer_get (&priv->inline_connection);
  const struct timeval limit = {
    .tv_sec = priv->drain_timeout_ms / 1000,
    .tv_usec = (priv->drain_timeout_ms % 1000) * 1000,
  };

  if (fd < 0)
    return;
  if (connection != NULL)
    srv_connection_drain_from_signal (connection);
  if (at_once || priv->drain_timeout_ms == 0)
    shutdown (fd, SHUT_RDWR);
  else if (priv->drain_timeout_ms > 0)
    {
      setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
}

/* What a signal that is bound to the server does: the first asks for a stop,
 * the second makes whoever drains cut. TRUE if the loop's own thread, @blocked,
 * may be blocked in a handler. Async-signal-safe. */
gboolean
srv_base_server_note_signal (SrvBaseServer *self, pthread_t *blocked)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean again;

  if (priv->in_child)
    return FALSE;
  again = g_atomic_int_add (&priv->n_signals, 1) > 0 ||
          g_atomic_int_get (&priv->closing);
  if (again)
    g_atomic_int_set (&priv->hurry, TRUE);
  limit_inline_request (priv, again);
  srv_base_server_stop_from_signal (self);
  *blocked = priv->inline_thread;
  return g_atomic_int_get (&priv->in_request);
}

/* Wait for nobody: whoever drains cuts what still runs. */
void
srv_base_server_hurry (SrvBaseServer *self)
{
  g_atomic_int_set (&srv_base_server_get_private (self)->hurry, TRUE);
  srv_base_server_wake (self);
}

/**
 * srv_base_server_shutdown:
 * @self: a server
 *
 * Asks the loop to end and waits until it has. The socket stays open: clients
 * can connect, and wait until somebody serves again.
 *
 * On the loop's own thread, and in what a handler there has spawned, it only
 * asks, as [method@SocketServer.BaseServer.stop] does. (In Python that hangs for ever,
 * as does a shutdown of a server that nobody serves.) A handler that runs on
 * the loop's thread, without a mix-in, is waited for;
 * [method@SocketServer.BaseServer.server_close] waits with a limit.
 *
 * Threads: any but a signal handler. In Python: `BaseServer.shutdown()`.
 */
void
srv_base_server_shutdown (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  guint run;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));

  srv_base_server_stop (self);
  priv = srv_base_server_get_private (self);
  if (priv->in_child || priv->in_worker || srv_base_server_keeps_loop (self))
    return;
  g_mutex_lock (&priv->lock);
  run = priv->n_runs;
  while (priv->running && priv->n_runs == run &&
         !srv_base_server_is_in_loop (self))
    srv_wait_list_wait (&priv->changed, &priv->lock, SRV_DEADLINE_NEVER);
  g_mutex_unlock (&priv->lock);
}

typedef gboolean (*Condition) (SrvBaseServerPrivate *priv, guint run);

/* Whether somebody serves, or has since the call began: a run may be so short
 * that nobody sees it. */
static gboolean
is_serving (SrvBaseServerPrivate *priv, guint run)
{
  return priv->state == SRV_SERVER_STATE_SERVING || priv->n_runs > run;
}

static gboolean
is_stopped (SrvBaseServerPrivate *priv, G_GNUC_UNUSED guint run)
{
  return !priv->running;
}

static gboolean
wait_until (SrvBaseServer *self,
            Condition condition,
            int timeout_ms,
            const char *what,
            GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gint64 deadline = srv_deadline_from_ms (timeout_ms);
  gboolean met, closed;
  gboolean in_time = TRUE;
  guint run;

  g_mutex_lock (&priv->lock);
  run = priv->n_runs;
  while (!(met = condition (priv, run)) &&
         !(closed = priv->state == SRV_SERVER_STATE_CLOSED) && in_time)
    in_time = srv_wait_list_wait (&priv->changed, &priv->lock, deadline);
  g_mutex_unlock (&priv->lock);
  if (met)
    return TRUE;
  g_set_error (error, SRV_ERROR,
               closed ? SRV_ERROR_CLOSED : SRV_ERROR_TIMED_OUT,
               "the server is not %s: %s", what,
               closed ? "it is closed" : "time limit reached");
  return FALSE;
}

/**
 * srv_base_server_wait_until_serving:
 * @self: a server
 * @timeout_ms: longest wait, in milliseconds; 0 does not wait, -1 waits for
 *   ever
 * @error: return location for a [struct@GLib.Error]
 *
 * Waits until a loop runs, or one has run during the wait.
 *
 * Fails with %SRV_ERROR_TIMED_OUT, and with %SRV_ERROR_CLOSED.
 *
 * Threads: any but the loop's. Python has no counterpart.
 *
 * Returns: %TRUE when the server serves, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_wait_until_serving (SrvBaseServer *self,
                                    int timeout_ms,
                                    GError **error)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  return wait_until (self, is_serving, timeout_ms, "serving", error);
}

/**
 * srv_base_server_wait_until_stopped:
 * @self: a server
 * @timeout_ms: longest wait, in milliseconds; 0 does not wait, -1 waits for
 *   ever
 * @error: return location for a [struct@GLib.Error]
 *
 * Waits until no loop runs. Together with
 * [method@SocketServer.BaseServer.stop] it is a shutdown with a time limit.
 *
 * Fails with %SRV_ERROR_TIMED_OUT.
 *
 * Threads: any but the loop's.
 *
 * Returns: %TRUE when no loop runs, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_wait_until_stopped (SrvBaseServer *self,
                                    int timeout_ms,
                                    GError **error)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  return wait_until (self, is_stopped, timeout_ms, "stopped", error);
}

/**
 * srv_base_server_get_state:
 * @self: a server
 *
 * Gets where the server is in its life.
 *
 * Threads: any.
 *
 * Returns: the state
 */
SrvServerState
srv_base_server_get_state (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  SrvServerState state;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), SRV_SERVER_STATE_CLOSED);

  priv = srv_base_server_get_private (self);
  g_mutex_lock (&priv->lock);
  state = priv->state;
  g_mutex_unlock (&priv->lock);
  return state;
}
