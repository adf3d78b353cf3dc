/* srv-base-server-life.c - states: run, stop, drain, close
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
#include "srv-deadline-private.h"
#include "srv-log-private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void
srv_base_server_set_state (SrvBaseServer *self, SrvServerState state)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean changed;

  g_mutex_lock (&priv->lock);
  /* Closed is final. */
  changed = priv->state != state && priv->state != SRV_SERVER_STATE_CLOSED;
  if (changed)
    priv->state = state;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (changed)
    g_object_notify (G_OBJECT (self), "state");
}

/**
 * srv_base_server_wake:
 * @self: a server
 *
 * Makes the loop look again at what it waits for. A mix-in calls it when it
 * can admit a request after it could not.
 *
 * Threads: any; also in a signal handler.
 */
void
srv_base_server_wake (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  const guint64 one = 1;
  int saved_errno = errno;

  /* A full counter wakes as well, so a failure to add to it is none. */
  if (priv->wake_fd >= 0 && write (priv->wake_fd, &one, sizeof one) < 0)
    errno = saved_errno;
}

gboolean
srv_base_server_must_stop (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return g_atomic_int_get (&priv->stop_requested) ||
         g_atomic_int_get (&priv->closing);
}

void
srv_base_server_note_stopping (SrvBaseServer *self)
{
  if (srv_base_server_get_state (self) == SRV_SERVER_STATE_SERVING)
    srv_base_server_set_state (self, SRV_SERVER_STATE_STOPPING);
}

static gboolean
check_runnable (SrvBaseServerPrivate *priv, GError **error)
{
  if (priv->closing || priv->state == SRV_SERVER_STATE_CLOSED)
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_CLOSED,
                         "the server is closed");
  else if (priv->wake_fd < 0 || priv->state < SRV_SERVER_STATE_ACTIVE)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                         "the server is not bound and active yet");
  else if (priv->loop_thread != NULL || priv->source != NULL)
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
    priv->loop_thread = g_thread_self ();
  g_mutex_unlock (&priv->lock);
  return ok;
}

/* Gives the socket up. The name is free from now on; the descriptor closes
 * when the last datagram that needs it has been served. */
static void
close_listener (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvListener *listener;

  g_mutex_lock (&priv->lock);
  listener = g_steal_pointer (&priv->listener);
  g_mutex_unlock (&priv->lock);
  if (listener == NULL)
    return;
  srv_listener_retire (listener);
  srv_listener_unref (listener);
}

void
srv_base_server_leave_loop (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean closing;

  g_mutex_lock (&priv->lock);
  priv->loop_thread = NULL;
  closing = priv->closing;
  g_cond_broadcast (&priv->changed);
  g_mutex_unlock (&priv->lock);
  if (!closing)
    return;
  /* Whoever closes could not wait for this thread, or is doing so now. */
  close_listener (self);
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

  srv_base_server_note_stopping (self);
  g_mutex_lock (&priv->lock);
  g_atomic_int_set (&priv->stop_requested, FALSE);
  priv->running = FALSE;
  if (!priv->closing)
    priv->state = SRV_SERVER_STATE_ACTIVE;
  g_mutex_unlock (&priv->lock);
  srv_base_server_leave_loop (self);
  g_object_notify (G_OBJECT (self), "state");
}

/* In a forked child the descriptors that would carry the wish are the
 * parent's; the child is not the one to stop or to close. */
static gboolean
is_misplaced (SrvBaseServer *self, const char *what)
{
  if (!srv_base_server_get_private (self)->in_child)
    return FALSE;
  srv_log (G_LOG_LEVEL_WARNING, "in-child", NULL, NULL,
           "%s in a forked child does nothing: the server runs in the parent",
           what);
  return TRUE;
}

/* Ends the run of a server that is attached to a main context, unless a
 * request is just being served there; that thread then does it. */
static void
detach (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  GSource *source = NULL;

  g_mutex_lock (&priv->lock);
  if (priv->loop_thread == NULL)
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
 * Threads: any, also the loop's own, in a hook or a handler.
 */
void
srv_base_server_stop (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  gboolean idle;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));

  if (is_misplaced (self, "stop"))
    return;
  priv = srv_base_server_get_private (self);
  g_mutex_lock (&priv->lock);
  idle = priv->n_runs > 0 && !priv->running;
  if (!idle)
    g_atomic_int_set (&priv->stop_requested, TRUE);
  g_mutex_unlock (&priv->lock);
  if (idle)
    return;
  srv_base_server_wake (self);
  srv_base_server_note_stopping (self);
  detach (self);
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
  const struct timeval limit = {
    .tv_sec = priv->drain_timeout_ms / 1000,
    .tv_usec = (priv->drain_timeout_ms % 1000) * 1000,
  };

  if (fd < 0)
    return;
  if (at_once || priv->drain_timeout_ms == 0)
    shutdown (fd, SHUT_RDWR);
  else if (priv->drain_timeout_ms > 0)
    {
      setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
}

/* What a signal that is bound to the server does: the first asks for a stop,
 * the second makes whoever drains cut. Async-signal-safe. */
void
srv_base_server_note_signal (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean again = g_atomic_int_add (&priv->n_signals, 1) > 0 ||
                   g_atomic_int_get (&priv->closing);

  if (priv->in_child)
    return;
  if (again)
    g_atomic_int_set (&priv->hurry, TRUE);
  limit_inline_request (priv, again);
  srv_base_server_stop_from_signal (self);
}

/**
 * srv_base_server_shutdown:
 * @self: a server
 *
 * Asks the loop to end and waits until it has. The socket stays open: clients
 * can connect, and wait until somebody serves again.
 *
 * On the loop's own thread it only asks, as
 * [method@SocketServer.BaseServer.stop] does. (In Python that hangs for ever,
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
  if (priv->in_child)
    return;
  g_mutex_lock (&priv->lock);
  run = priv->n_runs;
  while (priv->running && priv->n_runs == run &&
         priv->loop_thread != g_thread_self ())
    g_cond_wait (&priv->changed, &priv->lock);
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
    if (deadline == SRV_DEADLINE_NEVER)
      g_cond_wait (&priv->changed, &priv->lock);
    else
      in_time = g_cond_wait_until (&priv->changed, &priv->lock, deadline);
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

/**
 * srv_base_server_wait_for_event:
 * @self: a server that is being closed
 * @deadline: when to give up, on the clock of [func@GLib.get_monotonic_time];
 *   -1 waits for ever
 *
 * Waits until something happens that a drain may wait for: a request ended,
 * the loop left, the mix-in's descriptor is ready, somebody is in a hurry.
 * Mix-ins call it in `drain`.
 *
 * Threads: the one that closes the server.
 *
 * Returns: %FALSE when the wait is over: the deadline has passed, or a second
 *   signal asked not to wait any longer
 */
gboolean
srv_base_server_wait_for_event (SrvBaseServer *self, gint64 deadline)
{
  SrvBaseServerPrivate *priv;
  struct pollfd fds[2] = { { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };
  guint64 count;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);

  priv = srv_base_server_get_private (self);
  fds[0].fd = priv->wake_fd;
  if (priv->mix_in != NULL)
    fds[1].fd = srv_mix_in_fileno (priv->mix_in, self);
  if (poll (fds, G_N_ELEMENTS (fds), srv_deadline_poll_timeout (deadline)) >
        0 &&
      fds[0].revents != 0 && read (priv->wake_fd, &count, sizeof count) < 0)
    g_assert (errno == EAGAIN);
  if (g_atomic_int_get (&priv->patient) && g_atomic_int_get (&priv->hurry))
    return FALSE;
  return !srv_deadline_has_passed (deadline);
}

/* Whether another thread is in the loop. */
static gboolean
is_loop_elsewhere (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  GThread *thread;

  g_mutex_lock (&priv->lock);
  thread = priv->loop_thread;
  g_mutex_unlock (&priv->lock);
  return thread != NULL && thread != g_thread_self ();
}

/**
 * srv_base_server_wait_for_requests:
 * @self: a server that is being closed
 * @deadline: when to give up, on the clock of [func@GLib.get_monotonic_time];
 *   -1 waits for ever
 *
 * Waits until no request is being served but the caller's own.
 *
 * Threads: the one that closes the server.
 *
 * Returns: %TRUE when none is left, %FALSE when the deadline has passed
 */
gboolean
srv_base_server_wait_for_requests (SrvBaseServer *self, gint64 deadline)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);

  while (srv_base_server_count_others (self) > 0 || is_loop_elsewhere (self))
    if (!srv_base_server_wait_for_event (self, deadline))
      return FALSE;
  return TRUE;
}

/* The loop polls the socket or is about to: then it must leave first. While it
 * runs a handler it will see the wish to stop before it touches the socket
 * again. */
static gboolean
may_close_listener (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return !is_loop_elsewhere (self) || g_atomic_int_get (&priv->in_request);
}

static gboolean
wait_for_loop (SrvBaseServer *self, gint64 deadline)
{
  while (!may_close_listener (self))
    if (!srv_base_server_wait_for_event (self, deadline))
      return FALSE;
  return TRUE;
}

static gboolean
drain_step (SrvBaseServer *self,
            SrvDrainStep step,
            gint64 deadline,
            guint *n_cut)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (priv->mix_in == NULL)
    return srv_base_server_wait_for_requests (self, deadline);
  return srv_mix_in_drain (priv->mix_in, self, step, deadline, n_cut);
}

static void
begin_drain (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  g_autoptr (GCancellable) cancellable = NULL;

  g_mutex_lock (&priv->lock);
  g_atomic_int_set (&priv->draining, TRUE);
  g_set_object (&cancellable, priv->drain_cancellable);
  g_mutex_unlock (&priv->lock);
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
}

/* What is left when the deadline is over is cut; what does not notice even
 * that is left alone, but for children, which can be killed. */
static void
cut_the_rest (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  guint n_cut = srv_base_server_count_others (self);
  gint64 deadline = srv_deadline_from_ms (priv->cut_timeout_ms);

  srv_base_server_cut_active (self);
  if (!drain_step (self, SRV_DRAIN_STEP_CUT, deadline, &n_cut))
    drain_step (self, SRV_DRAIN_STEP_KILL,
                srv_deadline_from_ms (priv->cut_timeout_ms), &n_cut);
  g_mutex_lock (&priv->lock);
  priv->n_cut += n_cut;
  g_mutex_unlock (&priv->lock);
  if (n_cut > 0)
    srv_log (G_LOG_LEVEL_MESSAGE, "cut", NULL, NULL,
             "%u requests did not end in time and were cut", n_cut);
}

/* Lets what runs come to its end. A second signal shortens the wait. */
static gboolean
drain (SrvBaseServer *self, gint64 deadline)
{
  guint ignored = 0;

  return drain_step (self, SRV_DRAIN_STEP_WAIT, deadline, &ignored);
}

/* The whole end of a server: the loop leaves, the socket closes, what runs is
 * waited for, and in the end cut. */
void
srv_base_server_real_server_close (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gint64 deadline = srv_deadline_from_ms (priv->drain_timeout_ms);
  gboolean block = priv->mix_in == NULL ||
                   srv_mix_in_get_block_on_close (priv->mix_in);
  gboolean drained;

  srv_base_server_note_stopping (self);
  srv_base_server_wake (self);
  detach (self);
  begin_drain (self);
  g_atomic_int_set (&priv->patient, TRUE);
  /* A hook on the loop's thread that does not return leaves the closing to
   * that thread. */
  if (wait_for_loop (self, deadline))
    close_listener (self);
  drained = !block || drain (self, deadline);
  g_atomic_int_set (&priv->patient, FALSE);
  if (!drained)
    cut_the_rest (self);
}

/**
 * srv_base_server_server_close: (virtual server_close)
 * @self: a server
 *
 * Closes the server for good.
 *
 * The loop is stopped, wherever it runs; the socket is closed, and the path of
 * a Unix server removed. Then requests that still run are waited for, if the
 * mix-in's [property@SocketServer.MixIn:block-on-close] says so: up to
 * [property@SocketServer.BaseServer:drain-timeout] for them to end by
 * themselves, after that their connections are shut down, and
 * [property@SocketServer.BaseServer:cut-timeout] for them to notice; child
 * processes are terminated and then killed. A handler that closes its own
 * server is not waited for. A second call does nothing.
 *
 * An implementation that closes more things chains up first.
 *
 * Threads: any but a signal handler, in any order with
 * [method@SocketServer.BaseServer.shutdown]. In Python:
 * `BaseServer.server_close()`, which neither stops the loop nor waits with a
 * limit.
 *
 * Returns: how many requests were cut
 */
guint
srv_base_server_server_close (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), 0);

  if (is_misplaced (self, "server_close"))
    return 0;
  priv = srv_base_server_get_private (self);
  if (g_atomic_int_exchange (&priv->closing, TRUE))
    return srv_base_server_get_n_cut_requests (self);
  SRV_BASE_SERVER_GET_CLASS (self)->server_close (self);
  srv_base_server_set_state (self, SRV_SERVER_STATE_CLOSED);
  return srv_base_server_get_n_cut_requests (self);
}

/**
 * srv_base_server_get_n_cut_requests:
 * @self: a server
 *
 * Gets how many requests did not end in time when the server was closed.
 *
 * Threads: any.
 *
 * Returns: the number of requests
 */
guint
srv_base_server_get_n_cut_requests (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  guint n_cut;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), 0);

  priv = srv_base_server_get_private (self);
  g_mutex_lock (&priv->lock);
  n_cut = priv->n_cut;
  g_mutex_unlock (&priv->lock);
  return n_cut;
}

/**
 * srv_base_server_is_draining:
 * @self: a server
 *
 * Asks whether the server is being closed and waits for its handlers. In a
 * forked child the answer is that of the parent.
 *
 * Threads: any.
 *
 * Returns: %TRUE once a drain began
 */
gboolean
srv_base_server_is_draining (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  struct pollfd pollfd = { -1, 0, 0 };

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);

  priv = srv_base_server_get_private (self);
  if (!priv->in_child)
    return g_atomic_int_get (&priv->draining);
  pollfd.fd = priv->drain_fd;
  return pollfd.fd >= 0 && poll (&pollfd, 1, 0) > 0;
}

/* In a child: the parent drops its end of a pipe when it begins to drain. */
static void *
watch_parent (void *data)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (data);
  struct pollfd pollfd = { priv->drain_fd, 0, 0 };

  while (poll (&pollfd, 1, -1) < 0 && errno == EINTR)
    continue;
  g_cancellable_cancel (priv->drain_cancellable);
  return NULL;
}

/* Only for who asks: most handlers do not, and a thread costs. */
static void
watch_drain_in_child (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  pthread_t thread;

  if (priv->drain_watched || priv->drain_fd < 0)
    return;
  priv->drain_watched = TRUE;
  if (pthread_create (&thread, NULL, watch_parent, self) == 0)
    pthread_detach (thread);
}

/**
 * srv_base_server_get_drain_cancellable:
 * @self: a server
 *
 * Gets a cancellable that is cancelled when a drain begins. In a forked child
 * it follows the parent.
 *
 * Threads: any.
 *
 * Returns: (transfer none): the cancellable
 */
GCancellable *
srv_base_server_get_drain_cancellable (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  GCancellable *cancellable;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), NULL);

  priv = srv_base_server_get_private (self);
  g_mutex_lock (&priv->lock);
  if (priv->drain_cancellable == NULL)
    priv->drain_cancellable = g_cancellable_new ();
  cancellable = priv->drain_cancellable;
  g_mutex_unlock (&priv->lock);
  if (priv->in_child)
    watch_drain_in_child (self);
  else if (g_atomic_int_get (&priv->draining))
    g_cancellable_cancel (cancellable);
  return cancellable;
}

/**
 * srv_base_server_hold:
 * @self: a server
 *
 * Says that a worker borrows the server. Mix-ins call it before they start
 * one. Workers do not take references: the last of them would then dispose of
 * the server on its own thread and wait for itself.
 *
 * Threads: the loop's.
 */
void
srv_base_server_hold (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));

  priv = srv_base_server_get_private (self);
  g_mutex_lock (&priv->lock);
  priv->n_holds++;
  g_mutex_unlock (&priv->lock);
}

/**
 * srv_base_server_release:
 * @self: a server
 *
 * Says that a worker does not need the server any more. It must not touch the
 * server after that.
 *
 * Threads: any.
 */
void
srv_base_server_release (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv;
  gboolean last;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));

  priv = srv_base_server_get_private (self);
  g_mutex_lock (&priv->lock);
  priv->n_holds--;
  last = priv->n_holds == 0 && priv->afterlife;
  if (priv->closing)
    srv_base_server_wake (self);
  g_mutex_unlock (&priv->lock);
  if (last)
    g_object_unref (self);
}

/* The last reference is gone. Workers that a close does not wait for still
 * borrow the server: the last of them gets it. */
void
srv_base_server_dispose_life (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (priv->in_child)
    return;
  if (priv->wake_fd >= 0)
    srv_base_server_server_close (self);
  g_mutex_lock (&priv->lock);
  if (priv->n_holds > 0 && !priv->afterlife)
    {
      priv->afterlife = TRUE;
      g_object_ref (self);
    }
  g_mutex_unlock (&priv->lock);
}
