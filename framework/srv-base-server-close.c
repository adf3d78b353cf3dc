/* srv-base-server-close.c - the end of a server: drain, cut, let go
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server-private.h"
#include "srv-connection-private.h"
#include "srv-deadline-private.h"
#include "srv-log-private.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

/* Gives the socket up. The name is free from now on; the descriptor closes
 * when the last datagram that needs it has been served. */
void
srv_base_server_close_listener (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvListener *listener;

  g_mutex_lock (&priv->lock);
  listener = g_steal_pointer (&priv->listener);
  g_mutex_unlock (&priv->lock);
  if (listener == NULL)
    return;
  srv_base_server_drop_twins (self);
  srv_listener_retire (listener);
  srv_listener_unref (listener);
}

/* Whether another task is in the loop. */
gboolean
srv_base_server_is_loop_elsewhere (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvTask *task;

  g_mutex_lock (&priv->lock);
  task = priv->loop_task;
  g_mutex_unlock (&priv->lock);
  return task != NULL && task != srv_task_self ();
}

/* The same, but for a loop that is busy with the caller's own request: the
 * caller is a task that the handler has spawned, and waits for. */
static gboolean
must_wait_for_loop (SrvBaseServer *self)
{
  return srv_base_server_is_loop_elsewhere (self) &&
         !srv_base_server_keeps_loop (self);
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
  struct pollfd fds[SRV_WAIT_SET_SIZE];
  g_autoptr (SrvWaitSet) set = NULL;
  guint64 count;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);

  priv = srv_base_server_get_private (self);
  for (int i = 0; i < SRV_WAIT_SET_SIZE; i++)
    fds[i] = (struct pollfd){ -1, POLLIN, 0 };
  fds[0].fd = priv->event_fd;
  /* A loop that has not left yet takes care of the mix-in's descriptor. */
  if (priv->mix_in != NULL && !srv_base_server_is_loop_elsewhere (self))
    fds[1].fd = srv_mix_in_fileno (priv->mix_in, self);
  set = srv_wait_set_new (FALSE);
  if (srv_wait_set_wait (set, fds, deadline, NULL) && fds[0].revents != 0 &&
      read (priv->event_fd, &count, sizeof count) < 0)
    g_assert (errno == EAGAIN);
  if (g_atomic_int_get (&priv->patient) && g_atomic_int_get (&priv->hurry))
    return FALSE;
  return !srv_deadline_has_passed (deadline);
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

  while (srv_base_server_count_others (self) > 0 || must_wait_for_loop (self))
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

  return !srv_base_server_is_loop_elsewhere (self) ||
         g_atomic_int_get (&priv->in_request);
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

void
srv_base_server_begin_drain (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  g_autoptr (GCancellable) cancellable = NULL;

  g_mutex_lock (&priv->lock);
  g_atomic_int_set (&priv->draining, TRUE);
  g_set_object (&cancellable, priv->drain_cancellable);
  g_mutex_unlock (&priv->lock);
  srv_base_server_drain_active (self);
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
}

/* A drain may end the input of this connection. If it began before the
 * connection knew, it is told again. */
void
srv_base_server_end_on_drain (SrvBaseServer *self, SrvConnection *connection)
{
  SrvBaseServerPrivate *priv;

  if (self == NULL)
    return;
  priv = srv_base_server_get_private (self);
  srv_connection_end_on_drain (connection, priv->drain_fd);
  if (g_atomic_int_get (&priv->in_request))
    g_atomic_pointer_set (&priv->inline_connection, connection);
  if (!priv->in_child && g_atomic_int_get (&priv->draining))
    srv_request_drain (SRV_REQUEST (connection));
}

/* What is left when the deadline is over is cut; what does not notice even
 * that is left alone, but for children, which can be killed. Returns how many
 * requests it was. */
static guint
cut_the_rest (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  guint n_cut = srv_base_server_count_others (self);
  gint64 deadline = srv_deadline_from_ms (priv->cut_timeout_ms);

  srv_base_server_cut_active (self);
  if (!drain_step (self, SRV_DRAIN_STEP_CUT, deadline, &n_cut))
    drain_step (self, SRV_DRAIN_STEP_KILL,
                srv_deadline_from_ms (priv->cut_timeout_ms), &n_cut);
  return n_cut;
}

static void
tell_cut (SrvBaseServer *self, guint n_cut)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  g_mutex_lock (&priv->lock);
  priv->n_cut += n_cut;
  g_mutex_unlock (&priv->lock);
  if (n_cut > 0)
    srv_log (G_LOG_LEVEL_MESSAGE, "cut", self, NULL,
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

  srv_base_server_set_state (self, SRV_SERVER_STATE_STOPPING);
  srv_base_server_wake (self);
  srv_base_server_detach (self);
  srv_base_server_begin_drain (self);
  g_atomic_int_set (&priv->patient, TRUE);
  /* A hook on the loop's thread that does not return leaves the closing to
   * that thread. */
  if (wait_for_loop (self, deadline))
    srv_base_server_close_listener (self);
  drained = !block || drain (self, deadline);
  g_atomic_int_set (&priv->patient, FALSE);
  if (!drained)
    tell_cut (self, cut_the_rest (self));
}

/* The end of a worker process, whose loop has left: what runs may take its
 * time, until somebody is in a hurry. The drain begins when the parent says so,
 * and it is the parent who counts. */
void
srv_base_server_end_process (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  g_atomic_int_set (&priv->closing, TRUE);
  srv_base_server_wake (self);
  srv_base_server_close_listener (self);
  g_atomic_int_set (&priv->patient, TRUE);
  if (!drain (self, SRV_DEADLINE_NEVER))
    {
      g_atomic_int_set (&priv->patient, FALSE);
      cut_the_rest (self);
    }
  srv_spares_clear (&priv->spares, &priv->lock);
}

/* Somebody else closes the server already. The server waits for its handlers,
 * so they must not wait for it; neither must a hook that the closing calls. */
static void
wait_for_closer (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (srv_base_server_is_own_request (self))
    return;
  g_mutex_lock (&priv->lock);
  while (priv->state != SRV_SERVER_STATE_CLOSED &&
         priv->closer != srv_task_self () && !srv_base_server_is_in_loop (self))
    srv_wait_list_wait (&priv->changed, &priv->lock, SRV_DEADLINE_NEVER);
  g_mutex_unlock (&priv->lock);
}

/**
 * srv_base_server_server_close:
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
 * server is not waited for. A second call does nothing but wait until the first
 * is done.
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

  if (srv_base_server_is_misplaced (self, "server_close"))
    return 0;
  priv = srv_base_server_get_private (self);
  if (g_atomic_int_exchange (&priv->closing, TRUE))
    {
      wait_for_closer (self);
      return srv_base_server_get_n_cut_requests (self);
    }
  g_mutex_lock (&priv->lock);
  priv->closer = srv_task_self ();
  g_mutex_unlock (&priv->lock);
  SRV_BASE_SERVER_GET_CLASS (self)->server_close (self);
  srv_base_server_drop_stock (self);
  srv_spares_clear (&priv->spares, &priv->lock);
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
  if (g_atomic_int_get (&priv->closing))
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

  if (priv->in_child || priv->in_worker)
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
