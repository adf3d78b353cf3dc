/* srv-base-server-source.c - a server that a main context serves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server-loop-private.h"
#include "srv-deadline-private.h"

/* A source borrows its server, and may be about to run when the server goes:
 * hence a weak reference, held for the time of a callback. */
typedef struct
{
  GSource source;
  GWeakRef server;
  gpointer tags[SRV_LOOP_N_FDS];
  int fds[SRV_LOOP_N_FDS];
} ServerSource;

/* Polls what the loop would poll just now. */
static void
update_source (ServerSource *self, SrvBaseServer *server)
{
  SrvLoop *loop = &srv_base_server_get_private (server)->loop;
  SrvLoopWait wait;
  gint64 deadline;

  srv_loop_prepare (server, loop, &wait);
  for (int i = 0; i < SRV_LOOP_N_FDS; i++)
    if (self->fds[i] != wait.fds[i].fd)
      {
        if (self->tags[i] != NULL)
          g_source_remove_unix_fd (&self->source, self->tags[i]);
        self->tags[i] =
          wait.fds[i].fd >= 0
            ? g_source_add_unix_fd (&self->source, wait.fds[i].fd, G_IO_IN)
            : NULL;
        self->fds[i] = wait.fds[i].fd;
      }
  deadline = srv_deadline_min (wait.deadline, loop->next_service);
  if (srv_loop_need_not_wait (loop, &wait))
    deadline = 0;
  g_source_set_ready_time (&self->source, deadline);
}

/* FALSE when the server has been detached since. */
static gboolean
enter_dispatch (SrvBaseServer *server, ServerSource *source)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (server);
  gboolean ours;

  g_mutex_lock (&priv->lock);
  ours = priv->source == &source->source && priv->loop_task == NULL;
  if (ours)
    priv->loop_task = srv_task_self ();
  g_mutex_unlock (&priv->lock);
  return ours;
}

static void
end_attachment (SrvBaseServer *server)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (server);
  GSource *source;

  g_mutex_lock (&priv->lock);
  source = g_steal_pointer (&priv->source);
  g_mutex_unlock (&priv->lock);
  if (source != NULL)
    g_source_unref (source);
  srv_base_server_end_run (server);
}

/* Replies do not wait for the context's next round. */
static gboolean
dispatch_round (SrvBaseServer *server, const SrvLoopWait *wait, GError **error)
{
  SrvLoop *loop = &srv_base_server_get_private (server)->loop;
  SrvLoop *outer = srv_loop_become (server, loop);
  gboolean ok = srv_loop_do_round (server, loop, wait, error);

  SRV_BASE_SERVER_GET_CLASS (server)->before_wait (server);
  srv_task_set (SRV_TASK_LOOP, outer);
  return ok;
}

static gboolean
source_dispatch (GSource *source,
                 G_GNUC_UNUSED GSourceFunc callback,
                 G_GNUC_UNUSED gpointer user_data)
{
  ServerSource *self = (ServerSource *) source;
  g_autoptr (SrvBaseServer) server = g_weak_ref_get (&self->server);
  g_autoptr (GError) error = NULL;
  SrvLoopWait wait = { .deadline = SRV_DEADLINE_NEVER };

  if (server == NULL || !enter_dispatch (server, self))
    return G_SOURCE_REMOVE;
  for (int i = 0; i < SRV_LOOP_N_FDS; i++)
    {
      wait.fds[i].fd = self->fds[i];
      if (self->tags[i] != NULL)
        wait.fds[i].revents =
          (short) g_source_query_unix_fd (source, self->tags[i]);
    }
  if (!dispatch_round (server, &wait, &error) &&
      !g_error_matches (error, SRV_ERROR, SRV_ERROR_STOP))
    g_warning ("the server stops: %s", error->message);
  if (error != NULL || srv_base_server_must_stop (server))
    {
      end_attachment (server);
      return G_SOURCE_REMOVE;
    }
  update_source (self, server);
  srv_base_server_leave_loop (server);
  return G_SOURCE_CONTINUE;
}

static void
source_finalize (GSource *source)
{
  g_weak_ref_clear (&((ServerSource *) source)->server);
}

static GSourceFuncs source_funcs = {
  .dispatch = source_dispatch,
  .finalize = source_finalize,
};

static GSource *
make_source (SrvBaseServer *server)
{
  GSource *source = g_source_new (&source_funcs, sizeof (ServerSource));
  ServerSource *self = (ServerSource *) source;

  g_weak_ref_init (&self->server, server);
  for (int i = 0; i < SRV_LOOP_N_FDS; i++)
    self->fds[i] = -1;
  g_source_set_static_name (source, "[socketserver] SrvBaseServer");
  return source;
}

/**
 * srv_base_server_attach:
 * @self: a server that is bound and active
 * @context: (nullable): a main context, %NULL for the default one
 * @error: return location for a [struct@GLib.Error]
 *
 * Serves from a main context instead of a loop of its own, until somebody
 * stops it. The context does not keep the server alive.
 *
 * Without a mix-in handlers run on the context's thread, and block it.
 *
 * Fails with %SRV_ERROR_BUSY and %SRV_ERROR_CLOSED, and with
 * %G_IO_ERROR_NOT_SUPPORTED under a mix-in that is not
 * [property@SocketServer.MixIn:attachable].
 *
 * Threads: any; the server is then served by the thread that runs @context.
 *
 * Returns: %TRUE when the server is attached, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_attach (SrvBaseServer *self,
                        GMainContext *context,
                        GError **error)
{
  SrvBaseServerPrivate *priv;
  GSource *source;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!srv_loop_check_attachable (self, "attach the server", error) ||
      !srv_base_server_begin_run (self, error))
    return FALSE;
  if (!srv_loop_check_descriptor (self, error))
    {
      srv_base_server_end_run (self);
      return FALSE;
    }
  priv = srv_base_server_get_private (self);
  /* A context polls the server's own socket alone. */
  srv_base_server_drop_twins (self);
  srv_loop_prepare_run (self, &priv->loop);
  source = make_source (self);
  update_source ((ServerSource *) source, self);
  /* A stop may have come before. */
  if (srv_base_server_must_stop (self))
    srv_base_server_wake (self);
  /* Under the lock, for the source may run before this call returns. */
  g_mutex_lock (&priv->lock);
  priv->source = source;
  priv->loop_task = NULL;
  g_source_attach (source, context);
  g_mutex_unlock (&priv->lock);
  /* Whoever closes the server saw this thread in the loop, and waits for it. */
  if (g_atomic_int_get (&priv->closing))
    srv_base_server_detach (self);
  return TRUE;
}
