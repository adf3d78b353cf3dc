/* srv-base-server-loop.c - waiting: the loop and handle_request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Both wait, as the source of a main context does, for the same things: the
 * eventfd that says "look again", the mix-in's descriptor (children that ended),
 * and the listener, unless the mix-in admits nobody or a shortage asks for a
 * pause. There is no interval; a timer exists only while somebody asked for
 * periodic work or a pause runs.
 */

#include "config.h"

#include "srv-base-server-loop-private.h"
#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-hook-private.h"

#include <errno.h>
#include <unistd.h>

/* How many requests one wake-up may bring before the loop looks around. */
#define BATCH 64

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

void
srv_loop_prepare (SrvBaseServer *self, SrvLoop *loop, SrvLoopWait *wait)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gint64 resume_at = pause_end (loop);
  gboolean open = admits (self);

  *wait = (SrvLoopWait){ .deadline = SRV_DEADLINE_NEVER };
  for (int i = 0; i < SRV_LOOP_N_FDS; i++)
    wait->fds[i] = (struct pollfd){ -1, POLLIN, 0 };
  wait->fds[SRV_LOOP_WAKE].fd = priv->wake_fd;
  if (priv->mix_in != NULL)
    wait->fds[SRV_LOOP_MIX_IN].fd = srv_mix_in_fileno (priv->mix_in, self);
  if (open && resume_at == 0)
    wait->fds[SRV_LOOP_LISTENER].fd = loop->listener != NULL
                                        ? srv_listener_get_fd (loop->listener)
                                        : srv_base_server_fileno (self);
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
gboolean
srv_loop_check_descriptor (SrvBaseServer *self, GError **error)
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
gboolean
srv_loop_need_not_wait (const SrvLoop *loop, const SrvLoopWait *wait)
{
  return loop->more && wait->fds[SRV_LOOP_LISTENER].fd >= 0;
}

static gboolean
wait_once (SrvBaseServer *self,
           SrvLoop *loop,
           SrvLoopWait *wait,
           gint64 deadline,
           GError **error)
{
  srv_wait_set_yield (loop->set);
  SRV_BASE_SERVER_GET_CLASS (self)->before_wait (self);
  if (srv_loop_need_not_wait (loop, wait))
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
             const SrvLoopWait *wait,
             GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  guint64 count;

  if (wait->fds[SRV_LOOP_WAKE].revents != 0)
    {
      if (read (priv->wake_fd, &count, sizeof count) < 0)
        g_assert (errno == EAGAIN || errno == EINTR);
      note_drained (loop, SRV_LOOP_WAKE);
      /* Something of ours may have been closed. */
      srv_shortage_retry_now (&loop->shortage);
    }
  note_drained (loop, SRV_LOOP_MIX_IN);
  if (wait->fds[SRV_LOOP_MIX_IN].revents != 0)
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
      loop->position = i;
      step = srv_base_server_take_one (self, loop, &result, error);
      if (step == SRV_STEP_FAILED)
        return FALSE;
      if (step == SRV_STEP_WAIT)
        note_drained (loop, SRV_LOOP_LISTENER);
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
gboolean
srv_loop_do_round (SrvBaseServer *self,
                   SrvLoop *loop,
                   const SrvLoopWait *wait,
                   GError **error)
{
  const struct pollfd *listener = &wait->fds[SRV_LOOP_LISTENER];

  if (srv_base_server_must_stop (self))
    return TRUE;
  if (!look_around (self, loop, wait, error))
    return FALSE;
  if (listener->revents & POLLNVAL)
    return fail_not_open (self, error);
  if ((listener->revents != 0 || srv_loop_need_not_wait (loop, wait)) &&
      !take_batch (self, loop, error))
    return FALSE;
  return must_leave (self, loop) || serve_interval (self, loop, error);
}

void
srv_loop_prepare_run (SrvBaseServer *self, SrvLoop *loop)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  loop->next_service = priv->poll_interval_ms > 0 && !loop->is_worker
                         ? srv_deadline_from_ms (priv->poll_interval_ms)
                         : SRV_DEADLINE_NEVER;
  loop->run = g_atomic_int_get (&priv->n_ended_runs);
  loop->idle_at = SRV_DEADLINE_NEVER;
}

/* From here on the calling task is this loop, until what it was is put back. */
SrvLoop *
srv_loop_become (SrvBaseServer *self, SrvLoop *loop)
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
  SrvLoop *outer = srv_loop_become (self, loop);
  gboolean ok = TRUE;
  SrvLoopWait wait;

  loop->set = srv_wait_set_new (loop->is_worker || priv->in_worker);
  srv_loop_prepare_run (self, loop);
  while (ok && !must_leave (self, loop) &&
         !srv_deadline_has_passed (loop->idle_at))
    {
      srv_loop_prepare (self, loop, &wait);
      ok = srv_loop_check_descriptor (self, error) &&
           wait_once (self, loop, &wait,
                      srv_deadline_min (loop->next_service, loop->idle_at),
                      error) &&
           srv_loop_do_round (self, loop, &wait, error);
    }
  /* Who read the event last may have taken it from the others. */
  if (srv_base_server_must_stop (self))
    srv_base_server_wake (self);
  SRV_BASE_SERVER_GET_CLASS (self)->before_wait (self);
  g_clear_pointer (&loop->set, srv_wait_set_free);
  srv_task_set (SRV_TASK_LOOP, outer);
  return ok;
}

static gboolean
run_worker (SrvBaseServer *self, SrvLoop *loop, GError **error)
{
  gboolean ok = run (self, loop, error);

  if (loop->put_back != NULL)
    loop->put_back (loop->stock);
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

/* The same for a worker with a socket of its own, NULL for the server's. */
gboolean
srv_base_server_run_worker_on (SrvBaseServer *self,
                               SrvListener *listener,
                               GError **error)
{
  SrvLoop loop = { .is_worker = TRUE, .idle_ms = -1, .listener = listener };
  gboolean ok;

  if (listener != NULL)
    srv_listener_ref (listener);
  ok = run_worker (self, &loop, error);
  if (listener != NULL)
    srv_listener_unref (listener);
  return ok;
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

  ok = run_worker (self, &loop, error);
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
gboolean
srv_loop_check_attachable (SrvBaseServer *self,
                           const char *what,
                           GError **error)
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
  SrvLoopWait wait;

  loop->position = 0;
  for (;;)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
          !srv_loop_check_descriptor (self, error))
        return SRV_HANDLE_RESULT_FAILED;
      srv_loop_prepare (self, loop, &wait);
      wait.fds[SRV_LOOP_CANCEL].fd = cancel_fd;
      expired = srv_deadline_has_passed (deadline);
      if (!wait_once (self, loop, &wait, deadline, error))
        return SRV_HANDLE_RESULT_FAILED;
      if (g_atomic_int_get (&priv->closing))
        return fail_closed (error) ? result : SRV_HANDLE_RESULT_FAILED;
      if (!look_around (self, loop, &wait, error))
        return SRV_HANDLE_RESULT_FAILED;
      if (wait.fds[SRV_LOOP_LISTENER].revents & POLLNVAL)
        return fail_not_open (self, error) ? result : SRV_HANDLE_RESULT_FAILED;
      if (wait.fds[SRV_LOOP_LISTENER].revents != 0 ||
          srv_loop_need_not_wait (loop, &wait))
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

  if (!srv_loop_check_attachable (self, "handle a request", error) ||
      !srv_base_server_enter_loop (self, error))
    return SRV_HANDLE_RESULT_FAILED;
  deadline = srv_deadline_min (srv_deadline_from_ms (timeout_ms),
                               srv_deadline_from_ms (
                                 srv_base_server_get_timeout (self)));
  g_cancellable_make_pollfd (cancellable, &cancel);
  loop = &srv_base_server_get_private (self)->loop;
  outer = srv_loop_become (self, loop);
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
