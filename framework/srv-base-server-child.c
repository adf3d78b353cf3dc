/* srv-base-server-child.c - the copy of a server that a forked child has
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server-private.h"
#include "srv-connection-private.h"
#include "srv-errno-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Each child would have to make a handler's memory anew. GSlice keeps what was
 * used once; since GLib 2.76 there is no GSlice, and this does nothing. */
static void
warm_up (GType type)
{
  GTypeQuery query;

  g_type_query (type, &query);
  g_slice_free1 (query.instance_size, g_slice_alloc (query.instance_size));
}

/* Each child would make a handler of its own, on pages that it shares with its
 * parent until it writes there. Of a class whose handlers may be used again, the
 * parent makes one for all of them, which it never uses. */
static void
lay_out_handler (SrvRequest *request, gpointer handler_class)
{
  SrvRequestLink *link = srv_request_get_link (request);

  if (link != NULL &&
      srv_base_request_handler_class_is_reusable (handler_class))
    link->handler =
      srv_base_server_take_handler (request, G_TYPE_FROM_CLASS (handler_class));
}

/* To initialize a class takes locks of GLib, which another thread may hold when
 * the process is forked: what a child is about to need is there before. */
void
srv_base_server_prepare_fork (SrvBaseServer *self, SrvRequest *request)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  GType type = priv->function != NULL
                 ? SRV_BASE_SERVER_GET_CLASS (self)->default_handler_type
                 : priv->handler_type;

  if (priv->factory != NULL || type == G_TYPE_INVALID)
    return;
  if (priv->handler_class == NULL)
    {
      priv->handler_class = g_type_class_ref (type);
      warm_up (type);
    }
  if (request != NULL)
    lay_out_handler (request, priv->handler_class);
}

/* In the child, without the property's locks. */
guint64
srv_base_server_get_n_failed (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  guint64 n_failed;

  g_mutex_lock (&priv->lock);
  n_failed = priv->tally->n_failed;
  g_mutex_unlock (&priv->lock);
  return n_failed;
}

/* A child may keep nobody's connection but its own. */
static void
drop_requests (SrvBaseServerPrivate *priv, SrvRequest *request)
{
  g_autoptr (GList) all = NULL;

  if (request != NULL && srv_request_set_size (&priv->active) == 1 &&
      srv_request_set_contains (&priv->active, request, &priv->lock))
    return;
  all = srv_request_set_list (&priv->active);
  for (GList *link = all; link != NULL; link = link->next)
    if (link->data != request)
      {
        if (SRV_IS_CONNECTION (link->data))
          srv_connection_abandon (link->data);
        else if (G_IS_IO_STREAM (link->data))
          g_io_stream_close (link->data, NULL, NULL);
        srv_request_set_remove (&priv->active, link->data);
      }
}

/* The child serves one request and nothing else: it may keep neither the
 * socket, nor the descriptor that wakes the parent. */
static void
drop_parents_things (SrvBaseServerPrivate *priv, SrvRequest *request)
{
  drop_requests (priv, request);
  g_clear_pointer (&priv->twins, g_ptr_array_unref);
  if (priv->listener != NULL)
    srv_listener_abandon (priv->listener);
  priv->parents_listener = g_steal_pointer (&priv->listener);
  close (priv->wake_fd);
  close (priv->event_fd);
  priv->wake_fd = -1;
  priv->event_fd = -1;
}

/**
 * srv_base_server_enter_child:
 * @self: a server
 * @request: the request that the child serves
 * @drain_fd: a descriptor that becomes ready when the parent begins to drain,
 *   -1 for none
 *
 * Turns this process's copy of the server into one that serves @request alone.
 * A mix-in calls it first of all in a forked child. The socket is closed, and
 * stop, shutdown and close do nothing any more.
 *
 * Threads: the only one of a child that was just forked.
 */
void
srv_base_server_enter_child (SrvBaseServer *self,
                             SrvRequest *request,
                             int drain_fd)
{
  SrvBaseServerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (srv_is_request (request));

  priv = srv_base_server_get_private (self);
  /* Another thread may have held it. */
  g_mutex_init (&priv->lock);
  priv->in_child = TRUE;
  priv->drain_fd = drain_fd;
  /* If this is the child of a worker process, its parent counts for both. */
  priv->process = NULL;
  priv->own_tally = *priv->tally;
  priv->tally = &priv->own_tally;
  drop_parents_things (priv, request);
}

/* Both are shared with the parent: one process would take away the events of
 * the other. */
static gboolean
renew_eventfds (SrvBaseServerPrivate *priv, GError **error)
{
  close (priv->wake_fd);
  close (priv->event_fd);
  priv->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  priv->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  return (priv->wake_fd >= 0 && priv->event_fd >= 0) ||
         srv_set_errno_error (error, errno, "could not make an eventfd");
}

/* As if the run had just begun, on this thread. Whoever waited for a change
 * has stayed in the parent, and so has the lock's holder. */
static void
begin_anew (SrvBaseServerPrivate *priv)
{
  g_mutex_init (&priv->lock);
  priv->changed = (SrvWaitList){ NULL, NULL };
  priv->spares.n = 0;
  g_clear_pointer (&priv->loop.set, srv_wait_set_free);
  priv->loop = (SrvLoop){ .set = NULL };
  priv->loop_task = srv_task_self ();
  priv->closer = NULL;
  priv->source = NULL;
  priv->n_holds = 0;
  priv->drain_cancellable = NULL;
  priv->stop_requested = FALSE;
  priv->n_signals = 0;
  priv->hurry = FALSE;
  priv->closing = FALSE;
  priv->draining = FALSE;
  priv->patient = FALSE;
  priv->in_shortage = FALSE;
  priv->scoreboard = NULL;
}

/**
 * srv_base_server_enter_worker_process:
 * @self: a server that is being served
 * @mix_in: (nullable): how requests run at the same time in this process
 * @stop_fd: an eventfd that asks the parent to stop, -1 for none
 * @error: return location for a [struct@GLib.Error]
 *
 * Turns this process's copy of the server into one that serves beside others. A
 * mix-in calls it in `serve`, first of all in a forked child, and then serves
 * with [method@SocketServer.BaseServer.run_worker], or with the `serve` of
 * @mix_in.
 *
 * The socket is shared with the parent and with other workers; everything else
 * is the worker's own. [method@SocketServer.BaseServer.stop] writes to @stop_fd,
 * and [method@SocketServer.BaseServer.stop_from_signal] stops this process
 * alone. Closing does nothing, periodic work stays with the parent, and the path
 * of a Unix server is the parent's to remove.
 *
 * Threads: the only one of a child that was just forked, on the thread that
 * ran `serve`.
 *
 * Returns: %TRUE, or %FALSE with @error set
 */
gboolean
srv_base_server_enter_worker_process (SrvBaseServer *self,
                                      SrvMixIn *mix_in,
                                      int stop_fd,
                                      GError **error)
{
  SrvBaseServerPrivate *priv;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (mix_in == NULL || SRV_IS_MIX_IN (mix_in), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  priv = srv_base_server_get_private (self);
  begin_anew (priv);
  drop_requests (priv, NULL);
  priv->in_worker = TRUE;
  priv->stop_fd = stop_fd;
  priv->poll_interval_ms = 0;
  /* What it was is the caller. */
  priv->mix_in = mix_in != NULL ? g_object_ref (mix_in) : NULL;
  return renew_eventfds (priv, error);
}

/* In a worker process: who is told of requests, and where they are counted. */
void
srv_base_server_set_process (SrvBaseServer *self,
                             SrvWorkerProcess *process,
                             SrvTally *tally)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  priv->process = process;
  priv->tally = tally;
}

/* In the parent: where workers count what belongs to this server. */
void
srv_base_server_set_scoreboard (SrvBaseServer *self, SrvScoreboard *scoreboard)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  g_mutex_lock (&priv->lock);
  g_clear_pointer (&priv->scoreboard, srv_scoreboard_unref);
  priv->scoreboard = srv_scoreboard_ref (scoreboard);
  g_mutex_unlock (&priv->lock);
}

/* In the parent: takes over what a worker that is gone has counted, from its
 * slot, which is empty from then on. */
void
srv_base_server_take_over_slot (SrvBaseServer *self, SrvScoreboardSlot *slot)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  g_mutex_lock (&priv->lock);
  srv_tally_add (priv->tally, &slot->tally);
  srv_scoreboard_free_slot (slot);
  g_mutex_unlock (&priv->lock);
}
