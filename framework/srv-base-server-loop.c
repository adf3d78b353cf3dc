/* srv-base-server-loop.c - waiting: the loop, handle_request, the GSource
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All three wait for the same things: the eventfd that says "look again", the
 * mix-in's descriptor (children that ended), and the listener, unless the
 * mix-in admits nobody or a shortage asks for a pause. There is no interval;
 * a timer exists only while somebody asked for periodic work or a pause runs.
 */

#include "config.h"

#include "srv-base-server-private.h"
#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-hook-private.h"

#include <errno.h>
#include <unistd.h>

/* How many requests one wake-up may bring before the loop looks around. */
#define BATCH 64

enum
{
  WAKE,
  MIX_IN,
  CANCEL,
  LISTENER, /* the last: the one that loops may share */
  N_FDS = SRV_WAIT_SET_SIZE,
};

typedef struct
{
  struct pollfd fds[N_FDS];
  gint64 deadline;
} Wait;

static gboolean
admits (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return priv->mix_in == NULL || srv_mix_in_admits (priv->mix_in, self);
}

/* A worker that was busy when its run ended must not go on in the next. */
static gboolean
must_leave (SrvBaseServer *self, const SrvLoop *loop)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return srv_base_server_must_stop (self) ||
         (loop->is_worker &&
          g_atomic_int_get (&priv->n_ended_runs) != loop->run);
}

/* When the listener may be asked again; 0: now. */
static gint64
pause_end (const SrvLoop *loop)
{
  gint64 resume_at = loop->shortage.resume_at;

  return resume_at > g_get_monotonic_time () ? resume_at : 0;
}

static void
prepare (SrvBaseServer *self, SrvLoop *loop, Wait *wait)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gint64 resume_at = pause_end (loop);
  gboolean open = admits (self);

  *wait = (Wait){ .deadline = SRV_DEADLINE_NEVER };
  for (int i = 0; i < N_FDS; i++)
    wait->fds[i] = (struct pollfd){ -1, POLLIN, 0 };
  wait->fds[WAKE].fd = priv->wake_fd;
  if (priv->mix_in != NULL)
    wait->fds[MIX_IN].fd = srv_mix_in_fileno (priv->mix_in, self);
  if (open && resume_at == 0)
    wait->fds[LISTENER].fd = srv_base_server_fileno (self);
  else if (open)
    wait->deadline = resume_at;
}

static gboolean
fail_closed (GError **error)
{
  g_set_error_literal (error, SRV_ERROR, SRV_ERROR_CLOSED,
                       "the server is closed");
  return FALSE;
}

/* poll () ignores a negative descriptor, so a server without one would sleep
 * for ever. */
static gboolean
check_descriptor (SrvBaseServer *self, GError **error)
{
  if (srv_base_server_fileno (self) >= 0)
    return TRUE;
  if (srv_base_server_must_stop (self))
    return fail_closed (error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "%s has no descriptor to wait for: fileno is not implemented",
               G_OBJECT_TYPE_NAME (self));
  return FALSE;
}

/* There is something to do before the system has anything to tell. */
static gboolean
need_not_wait (const SrvLoop *loop, const Wait *wait)
{
  return loop->more && wait->fds[LISTENER].fd >= 0;
}

static gboolean
wait_once (SrvBaseServer *self,
           SrvLoop *loop,
           Wait *wait,
           gint64 deadline,
           GError **error)
{
  srv_wait_set_yield (loop->set);
  SRV_BASE_SERVER_GET_CLASS (self)->before_wait (self);
  if (need_not_wait (loop, wait))
    deadline = 0;
  return srv_wait_set_wait (loop->set, wait->fds,
                            srv_deadline_min (wait->deadline, deadline), error);
}

/* A loop that a main context runs waits there. */
static void
note_drained (SrvLoop *loop, guint slot)
{
  if (loop->set != NULL)
    srv_wait_set_drained (loop->set, slot);
}

/* What came beside requests: a wish to look again, children that ended. */
static gboolean
look_around (SrvBaseServer *self,
             SrvLoop *loop,
             const Wait *wait,
             GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  guint64 count;

  if (wait->fds[WAKE].revents != 0)
    {
      if (read (priv->wake_fd, &count, sizeof count) < 0)
        g_assert (errno == EAGAIN || errno == EINTR);
      note_drained (loop, WAKE);
      /* Something of ours may have been closed. */
      srv_shortage_retry_now (&loop->shortage);
    }
  note_drained (loop, MIX_IN);
  if (wait->fds[MIX_IN].revents != 0)
    return srv_mix_in_service_actions (priv->mix_in, self, error);
  return TRUE;
}

static gboolean
fail_not_open (SrvBaseServer *self, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
               "descriptor %d of the server was closed behind its back",
               srv_base_server_fileno (self));
  return FALSE;
}

/* As many requests as are there and may be taken, bounded. Stop is looked at
 * before each: nobody is accepted after it. */
static gboolean
take_batch (SrvBaseServer *self, SrvLoop *loop, GError **error)
{
  SrvStep step = SRV_STEP_GO_ON;
  SrvHandleResult result;

  for (int i = 0; i < BATCH && step == SRV_STEP_GO_ON; i++)
    {
      if (must_leave (self, loop) || !admits (self))
        break;
      step = srv_base_server_take_one (self, loop, &result, error);
      if (step == SRV_STEP_FAILED)
        return FALSE;
      if (step == SRV_STEP_WAIT)
        note_drained (loop, LISTENER);
      loop->more = loop->stock != NULL && step == SRV_STEP_GO_ON;
      if (result == SRV_HANDLE_RESULT_NOTHING)
        continue;
      if (loop->is_worker)
        loop->idle_at = srv_deadline_from_ms (loop->idle_ms);
      if (!must_leave (self, loop) &&
          !srv_base_server_service_actions (self, error))
        return FALSE;
    }
  return TRUE;
}

/* The periodic work of an idle server, when it is due. */
static gboolean
serve_interval (SrvBaseServer *self, SrvLoop *loop, GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (!srv_deadline_has_passed (loop->next_service))
    return TRUE;
  loop->next_service = srv_deadline_from_ms (priv->poll_interval_ms);
  return srv_base_server_service_actions (self, error);
}

/* One round after the wait: stop first, then children, then requests. */
static gboolean
do_round (SrvBaseServer *self, SrvLoop *loop, const Wait *wait, GError **error)
{
  const struct pollfd *listener = &wait->fds[LISTENER];

  if (srv_base_server_must_stop (self))
    return TRUE;
  if (!look_around (self, loop, wait, error))
    return FALSE;
  if (listener->revents & POLLNVAL)
    return fail_not_open (self, error);
  if ((listener->revents != 0 || need_not_wait (loop, wait)) &&
      !take_batch (self, loop, error))
    return FALSE;
  return must_leave (self, loop) || serve_interval (self, loop, error);
}

static void
prepare_run (SrvBaseServer *self, SrvLoop *loop)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  loop->next_service = priv->poll_interval_ms > 0 && !loop->is_worker
                         ? srv_deadline_from_ms (priv->poll_interval_ms)
                         : SRV_DEADLINE_NEVER;
  loop->run = g_atomic_int_get (&priv->n_ended_runs);
  loop->idle_at = SRV_DEADLINE_NEVER;
}

/* From here on the calling task is this loop, until what it was is put back. */
static SrvLoop *
become (SrvBaseServer *self, SrvLoop *loop)
{
  SrvLoop *outer = srv_task_get (SRV_TASK_LOOP);

  loop->server = self;
  srv_task_set (SRV_TASK_LOOP, loop);
  return outer;
}

static gboolean
run (SrvBaseServer *self, SrvLoop *loop, GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvLoop *outer = become (self, loop);
  gboolean ok = TRUE;
  Wait wait;

  loop->set = srv_wait_set_new (loop->is_worker || priv->in_worker);
  prepare_run (self, loop);
  while (ok && !must_leave (self, loop) &&
         !srv_deadline_has_passed (loop->idle_at))
    {
      prepare (self, loop, &wait);
      ok = check_descriptor (self, error) &&
           wait_once (self, loop, &wait,
                      srv_deadline_min (loop->next_service, loop->idle_at),
                      error) &&
           do_round (self, loop, &wait, error);
    }
  /* Who read the event last may have taken it from the others. */
  if (srv_base_server_must_stop (self))
    srv_base_server_wake (self);
  SRV_BASE_SERVER_GET_CLASS (self)->before_wait (self);
  g_clear_pointer (&loop->set, srv_wait_set_free);
  srv_task_set (SRV_TASK_LOOP, outer);
  return ok;
}

/* Whether the caller was called by a loop of this server; under the lock. */
gboolean
srv_base_server_is_in_loop (SrvBaseServer *self)
{
  SrvLoop *loop = srv_task_get (SRV_TASK_LOOP);

  return (loop != NULL && loop->server == self) ||
         srv_base_server_get_private (self)->loop_task == srv_task_self ();
}

/* The loop that has called the caller, NULL if none of this server's has. */
SrvLoop *
srv_base_server_get_loop (SrvBaseServer *self)
{
  SrvLoop *loop = srv_task_get (SRV_TASK_LOOP);

  return loop != NULL && loop->server == self ? loop : NULL;
}

/**
 * srv_base_server_run_loop:
 * @self: a server
 * @error: return location for a [struct@GLib.Error]
 *
 * Runs the loop that accepts and processes requests until a stop is asked for.
 * It is what [vfunc@SocketServer.MixIn.serve] does by default.
 *
 * Threads: the one that called
 * [method@SocketServer.BaseServer.serve_forever].
 *
 * Returns: %TRUE after a stop, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_run_loop (SrvBaseServer *self, GError **error)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return run (self, &srv_base_server_get_private (self)->loop, error);
}

/**
 * srv_base_server_run_worker:
 * @self: a server
 * @error: return location for a [struct@GLib.Error]
 *
 * Runs one more loop that accepts and processes requests, until a stop is asked
 * for. Mix-ins with workers of their own call it in each, while
 * [method@SocketServer.BaseServer.run_loop] runs in `serve` and, because their
 * `admits` says so, takes no requests itself.
 *
 * Workers share the socket, and a client wakes one of them. The hooks of a
 * request then run on the worker, and several at a time.
 *
 * Threads: any number, of the mix-in's own; or fibers of them.
 *
 * Returns: %TRUE after a stop, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_run_worker (SrvBaseServer *self, GError **error)
{
  return srv_base_server_run_worker_until_idle (self, -1, NULL, error);
}

/**
 * srv_base_server_run_worker_until_idle:
 * @self: a server
 * @idle_ms: how long to wait for another request after one, in milliseconds;
 *   -1 waits for ever
 * @is_idle: (out) (optional): whether it returned because no other came
 * @error: return location for a [struct@GLib.Error]
 *
 * Does what [method@SocketServer.BaseServer.run_worker] does, and returns also
 * when the loop has taken a request and no other for a while. Until it takes
 * its first one, it waits for ever.
 *
 * Threads: any number, of the mix-in's own; or fibers of them.
 *
 * Returns: %TRUE after a stop and when idle, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_run_worker_until_idle (SrvBaseServer *self,
                                       int idle_ms,
                                       gboolean *is_idle,
                                       GError **error)
{
  SrvLoop loop = { .is_worker = TRUE, .idle_ms = idle_ms };
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (idle_ms >= -1, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  ok = run (self, &loop, error);
  if (loop.put_back != NULL)
    loop.put_back (loop.stock);
  if (is_idle != NULL)
    *is_idle = ok && !must_leave (self, &loop);
  return ok;
}

/**
 * srv_base_server_serve_forever:
 * @self: a server that is bound and active
 * @error: return location for a [struct@GLib.Error]
 *
 * Serves requests until somebody stops it, and may be called again after that.
 *
 * Waits without an interval: an idle server sleeps in one system call. Needs
 * no main context.
 *
 * Fails with %SRV_ERROR_STOP when a handler that ran on this thread asked for
 * it, with %SRV_ERROR_BUSY when another thread serves already, with
 * %SRV_ERROR_CLOSED, with the error of `service_actions`, and with what makes
 * the socket unusable. Requests that fail are no failure of this call.
 *
 * Threads: one at a time. In Python: `BaseServer.serve_forever()`, whose poll
 * interval is [property@SocketServer.BaseServer:poll-interval] here.
 *
 * Returns: %TRUE after a stop, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_serve_forever (SrvBaseServer *self, GError **error)
{
  SrvBaseServerPrivate *priv;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  priv = srv_base_server_get_private (self);
  if (!srv_base_server_begin_run (self, error))
    return FALSE;
  ok = priv->mix_in != NULL ? srv_mix_in_serve (priv->mix_in, self, error)
                            : srv_base_server_run_loop (self, error);
  srv_base_server_end_run (self);
  return ok;
}

/* A mix-in whose workers are others' processes cannot be given a request. */
static gboolean
check_attachable (SrvBaseServer *self, const char *what, GError **error)
{
  SrvMixIn *mix_in = srv_base_server_get_mix_in (self);

  if (mix_in == NULL || srv_mix_in_get_attachable (mix_in))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "could not %s: under %s only serve_forever serves", what,
               G_OBJECT_TYPE_NAME (mix_in));
  return FALSE;
}

static SrvHandleResult
expire (SrvBaseServer *self)
{
  return SRV_BASE_SERVER_GET_CLASS (self)->handle_timeout (self);
}

static SrvHandleResult
handle_one (SrvBaseServer *self,
            SrvLoop *loop,
            gint64 deadline,
            int cancel_fd,
            GCancellable *cancellable,
            GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvHandleResult result = SRV_HANDLE_RESULT_FAILED;
  gboolean expired;
  Wait wait;

  for (;;)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
          !check_descriptor (self, error))
        return SRV_HANDLE_RESULT_FAILED;
      prepare (self, loop, &wait);
      wait.fds[CANCEL].fd = cancel_fd;
      expired = srv_deadline_has_passed (deadline);
      if (!wait_once (self, loop, &wait, deadline, error))
        return SRV_HANDLE_RESULT_FAILED;
      if (g_atomic_int_get (&priv->closing))
        return fail_closed (error) ? result : SRV_HANDLE_RESULT_FAILED;
      if (!look_around (self, loop, &wait, error))
        return SRV_HANDLE_RESULT_FAILED;
      if (wait.fds[LISTENER].revents & POLLNVAL)
        return fail_not_open (self, error) ? result : SRV_HANDLE_RESULT_FAILED;
      if (wait.fds[LISTENER].revents != 0 || need_not_wait (loop, &wait))
        return srv_base_server_take_one (self, loop, &result, error) ==
                   SRV_STEP_FAILED
                 ? SRV_HANDLE_RESULT_FAILED
                 : result;
      if (expired)
        return expire (self);
    }
}

/**
 * srv_base_server_handle_request:
 * @self: a server that is bound and active
 * @timeout_ms: longest wait, in milliseconds; 0 does not wait, -1 leaves it to
 *   [property@SocketServer.BaseServer:timeout]
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Waits for one request and serves it, or hands it to the mix-in.
 *
 * The wait is the shorter one of @timeout_ms and the server's `timeout`; it
 * does not bound the handler. When it is over, `handle_timeout` is called and
 * its result returned. Children that have ended are collected, and a mix-in
 * that is at its limit is waited for. A stop has no effect.
 *
 * Fails with %G_IO_ERROR_CANCELLED, %SRV_ERROR_CLOSED, %SRV_ERROR_BUSY when
 * another thread is serving, and %SRV_ERROR_STOP when the handler asked for
 * it; with %G_IO_ERROR_NOT_SUPPORTED under a mix-in that is not
 * [property@SocketServer.MixIn:attachable]. A request that fails is no failure
 * of this call.
 *
 * Threads: one at a time. In Python: `BaseServer.handle_request()`.
 *
 * Returns: what was done, %SRV_HANDLE_RESULT_FAILED with @error set
 */
SrvHandleResult
srv_base_server_handle_request (SrvBaseServer *self,
                                int timeout_ms,
                                GCancellable *cancellable,
                                GError **error)
{
  GPollFD cancel = { -1, 0, 0 };
  SrvHandleResult result;
  SrvLoop *loop;
  SrvLoop *outer;
  gint64 deadline;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), SRV_HANDLE_RESULT_FAILED);
  g_return_val_if_fail (timeout_ms >= -1, SRV_HANDLE_RESULT_FAILED);
  g_return_val_if_fail (error == NULL || *error == NULL,
                        SRV_HANDLE_RESULT_FAILED);

  if (!check_attachable (self, "handle a request", error) ||
      !srv_base_server_enter_loop (self, error))
    return SRV_HANDLE_RESULT_FAILED;
  deadline = srv_deadline_min (srv_deadline_from_ms (timeout_ms),
                               srv_deadline_from_ms (
                                 srv_base_server_get_timeout (self)));
  g_cancellable_make_pollfd (cancellable, &cancel);
  loop = &srv_base_server_get_private (self)->loop;
  outer = become (self, loop);
  loop->set = srv_wait_set_new (FALSE);
  loop->one_by_one = TRUE;
  result = handle_one (self, loop, deadline, cancel.fd, cancellable, error);
  loop->one_by_one = FALSE;
  g_clear_pointer (&loop->set, srv_wait_set_free);
  srv_task_set (SRV_TASK_LOOP, outer);
  if (cancel.fd >= 0)
    g_cancellable_release_fd (cancellable);
  srv_base_server_leave_loop (self);
  return result;
}

/* A source borrows its server, and may be about to run when the server goes:
 * hence a weak reference, held for the time of a callback. */
typedef struct
{
  GSource source;
  GWeakRef server;
  gpointer tags[N_FDS];
  int fds[N_FDS];
} ServerSource;

/* Polls what the loop would poll just now. */
static void
update_source (ServerSource *self, SrvBaseServer *server)
{
  SrvLoop *loop = &srv_base_server_get_private (server)->loop;
  Wait wait;
  gint64 deadline;

  prepare (server, loop, &wait);
  for (int i = 0; i < N_FDS; i++)
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
  if (need_not_wait (loop, &wait))
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
dispatch_round (SrvBaseServer *server, const Wait *wait, GError **error)
{
  SrvLoop *loop = &srv_base_server_get_private (server)->loop;
  SrvLoop *outer = become (server, loop);
  gboolean ok = do_round (server, loop, wait, error);

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
  Wait wait = { .deadline = SRV_DEADLINE_NEVER };

  if (server == NULL || !enter_dispatch (server, self))
    return G_SOURCE_REMOVE;
  for (int i = 0; i < N_FDS; i++)
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
  for (int i = 0; i < N_FDS; i++)
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

  if (!check_attachable (self, "attach the server", error) ||
      !srv_base_server_begin_run (self, error))
    return FALSE;
  if (!check_descriptor (self, error))
    {
      srv_base_server_end_run (self);
      return FALSE;
    }
  priv = srv_base_server_get_private (self);
  prepare_run (self, &priv->loop);
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
