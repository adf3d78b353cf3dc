/* srv-base-server-request.c - the way of one request, and its error paths
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *   get_request → verify_request → process_request ─┐
 *                                                    └→ finish_request
 *                                                     → shutdown_request
 *                                                     → close_request
 *
 * srv_base_server_take_one () owns the first line, on the loop's thread, and
 * srv_base_server_complete_request () the rest, wherever the mix-in runs it.
 * A request is shut down and closed exactly once: it stands in the set of
 * active requests until then, and whoever is not in the set is left alone.
 */

#include "config.h"

#include "srv-base-server-private.h"
#include "srv-escape.h"
#include "srv-hook-private.h"
#include "srv-log-private.h"
#include "srv-service-private.h"

/* What a failed get_request had from the system, for the errno that GError
 * forgets. */
void
srv_base_server_set_accept_errno (int code)
{
  srv_task_set (SRV_TASK_ACCEPT_ERRNO, GINT_TO_POINTER (code));
}

static void
add_active (SrvBaseServer *self, SrvRequest *request)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  g_mutex_lock (&priv->lock);
  srv_request_set_add (&priv->active, request);
  priv->tally->n_accepted++;
  g_mutex_unlock (&priv->lock);
  if (priv->process != NULL)
    srv_worker_process_note_begin (priv->process);
}

gboolean
srv_base_server_is_active (SrvBaseServer *self, SrvRequest *request)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return srv_request_set_contains (&priv->active, request, &priv->lock);
}

/* Somebody may wait for this: a drain for the last request, a loop out of
 * descriptors for one more. */
static void
remove_active (SrvBaseServer *self, SrvRequest *request)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean found;
  gboolean spare;

  g_mutex_lock (&priv->lock);
  found = srv_request_set_remove (&priv->active, request);
  /* Once the server is closed nobody empties them again. */
  spare = found && !g_atomic_int_get (&priv->closing) &&
          srv_spares_put (&priv->spares, request);
  g_mutex_unlock (&priv->lock);
  if (!found)
    return;
  if (priv->process != NULL)
    srv_worker_process_note_end (priv->process);
  /* A child that was forked for it ends with it. */
  if (!spare && !priv->in_child)
    srv_request_drop (request);
  if (g_atomic_int_get (&priv->closing) ||
      g_atomic_int_get (&priv->in_shortage))
    srv_base_server_wake (self);
}

static void
count (SrvBaseServer *self, guint64 *counter)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  g_mutex_lock (&priv->lock);
  ++*counter;
  g_mutex_unlock (&priv->lock);
}

/* Whether the calling thread is serving a request of this server. */
gboolean
srv_base_server_is_own_request (SrvBaseServer *self)
{
  SrvRequest *own = srv_service_get_request ();

  return own != NULL && srv_base_server_is_active (self, own);
}

/* Whether the loop itself waits for the caller: its handler is on the loop's
 * thread, and the caller is that handler or a task that it has spawned. */
gboolean
srv_base_server_keeps_loop (SrvBaseServer *self)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  return g_atomic_int_get (&priv->in_request) &&
         srv_base_server_is_own_request (self);
}

/* How many requests run beside the caller's own. */
guint
srv_base_server_count_others (SrvBaseServer *self)
{
  guint n = srv_base_server_get_n_active_requests (self);

  return srv_base_server_is_own_request (self) ? n - 1 : n;
}

static void
for_each_other (SrvBaseServer *self, void (*func) (SrvRequest *request))
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  g_autoptr (GList) all = NULL;

  g_mutex_lock (&priv->lock);
  all = srv_request_set_list (&priv->active);
  for (GList *link = all; link != NULL; link = link->next)
    if (link->data != srv_service_get_request ())
      func (link->data);
  g_mutex_unlock (&priv->lock);
}

/* Ends every connection under its handler, but the caller's own. */
void
srv_base_server_cut_active (SrvBaseServer *self)
{
  for_each_other (self, srv_request_cut);
}

/* Tells every request that a drain began, but the caller's own. */
void
srv_base_server_drain_active (SrvBaseServer *self)
{
  for_each_other (self, srv_request_drain);
}

/* A client that has gone is an everyday event and no fault of the service. */
static GLogLevelFlags
level_of (const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED))
    return G_LOG_LEVEL_DEBUG;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
      g_error_matches (error, SRV_ERROR, SRV_ERROR_SLOW_CONSUMER))
    return G_LOG_LEVEL_INFO;
  return G_LOG_LEVEL_WARNING;
}

void
srv_base_server_real_handle_error (SrvBaseServer *self,
                                   SrvRequest *request,
                                   const GError *error)
{
  g_autofree char *peer = srv_request_describe_client (request);
  g_autofree char *message = srv_escape (error->message, -1);

  srv_log (level_of (error), "request-failed", self, request,
           "request of %s failed: %s", peer, message);
}

void
srv_base_server_real_accept_failed (SrvBaseServer *self,
                                    SrvAcceptVerdict verdict,
                                    const GError *error)
{
  /* A shortage is told by episodes, and a fatal error by who gets it. */
  if (verdict == SRV_ACCEPT_VERDICT_RETRY ||
      verdict == SRV_ACCEPT_VERDICT_REFUSED)
    srv_log (G_LOG_LEVEL_DEBUG, "accept-failed", self, NULL,
             "a client was lost before it was served: %s", error->message);
}

/* The error path of a request, wherever it failed: told, unless it is the
 * handler's wish to stop, and shut down. */
static gboolean
end_failed_request (SrvBaseServer *self,
                    SrvRequest *request,
                    GError *failure,
                    GError **error)
{
  gboolean stop = g_error_matches (failure, SRV_ERROR, SRV_ERROR_STOP);

  if (!stop)
    srv_base_server_handle_error (self, request, failure);
  srv_base_server_shutdown_request (self, request);
  if (!stop)
    {
      g_error_free (failure);
      return TRUE;
    }
  g_propagate_error (error, failure);
  return FALSE;
}

static SrvAcceptVerdict
judge (const GError *failure)
{
  int code = GPOINTER_TO_INT (srv_task_get (SRV_TASK_ACCEPT_ERRNO));

  if (failure == NULL)
    return SRV_ACCEPT_VERDICT_WAIT;
  if (code != 0)
    return srv_accept_classify (code);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return SRV_ACCEPT_VERDICT_WAIT;
  /* A hook of the user's that cannot go on says so in our domain; any other
   * trouble of his may pass. */
  return failure->domain == SRV_ERROR ? SRV_ACCEPT_VERDICT_FATAL
                                      : SRV_ACCEPT_VERDICT_SHORTAGE;
}

/* No request could be had. In Python: ignored without a trace, whatever the
 * reason, so a server out of descriptors spins. */
static SrvStep
note_accept_failure (SrvBaseServer *self,
                     SrvLoop *loop,
                     GError *failure,
                     GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvAcceptVerdict verdict = judge (failure);

  if (verdict != SRV_ACCEPT_VERDICT_WAIT)
    {
      count (self, &priv->tally->n_accept_failures);
      SRV_BASE_SERVER_GET_CLASS (self)->accept_failed (self, verdict, failure);
    }
  if (verdict == SRV_ACCEPT_VERDICT_FATAL)
    {
      g_propagate_error (error, failure);
      return SRV_STEP_FAILED;
    }
  if (verdict == SRV_ACCEPT_VERDICT_SHORTAGE)
    {
      srv_shortage_note (&loop->shortage, self, failure);
      g_atomic_int_set (&priv->in_shortage, TRUE);
    }
  g_clear_error (&failure);
  switch (verdict)
    {
    case SRV_ACCEPT_VERDICT_WAIT:
      return SRV_STEP_WAIT;
    case SRV_ACCEPT_VERDICT_SHORTAGE:
      return SRV_STEP_PAUSE;
    default:
      return SRV_STEP_GO_ON;
    }
}

static gboolean
verify (SrvBaseServer *self, SrvRequest *request, SrvHandleResult *result)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  GError *failure = NULL;

  if (srv_base_server_verify_request (self, request, &failure))
    return TRUE;
  *result = SRV_HANDLE_RESULT_REFUSED;
  if (failure != NULL)
    {
      /* In Python: escapes from the loop, and the connection leaks. */
      srv_base_server_handle_error (self, request, failure);
      g_error_free (failure);
    }
  else
    count (self, &priv->tally->n_refused);
  srv_base_server_shutdown_request (self, request);
  return FALSE;
}

/* What the server takes, with an error if there is nothing. */
SrvRequest *
srv_base_server_real_get_request (SrvBaseServer *self, GError **error)
{
  GError *local = NULL;
  SrvRequest *request =
    SRV_BASE_SERVER_GET_CLASS (self)->take_request (self, &local);

  if (request == NULL && local == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
                         "could not get a request: none is waiting");
  else if (local != NULL)
    g_propagate_error (error, local);
  return request;
}

/* Nearly every request is followed by a try that finds none. Unless a subclass
 * wants to be asked, that makes no error. */
static SrvRequest *
take_request (SrvBaseServer *self, GError **error)
{
  const SrvBaseServerClass *klass = SRV_BASE_SERVER_GET_CLASS (self);

  return klass->get_request == srv_base_server_real_get_request
           ? klass->take_request (self, error)
           : srv_base_server_get_request (self, error);
}

/* Takes at most one request and brings it on its way. */
SrvStep
srv_base_server_take_one (SrvBaseServer *self,
                          SrvLoop *loop,
                          SrvHandleResult *result,
                          GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  GError *failure = NULL;
  g_autoptr (SrvRequest) request = NULL;

  *result = SRV_HANDLE_RESULT_NOTHING;
  srv_base_server_set_accept_errno (0);
  request = take_request (self, &failure);
  if (request == NULL)
    return note_accept_failure (self, loop, failure, error);

  add_active (self, request);
  if (g_atomic_int_get (&priv->in_shortage))
    {
      g_atomic_int_set (&priv->in_shortage, FALSE);
      srv_shortage_end (&loop->shortage, self);
    }
  if (!verify (self, request, result))
    return SRV_STEP_GO_ON;
  *result = SRV_HANDLE_RESULT_HANDLED;
  if (srv_base_server_process_request (self, request, &failure))
    return SRV_STEP_GO_ON;
  return end_failed_request (self, request, failure, error) ? SRV_STEP_GO_ON
                                                            : SRV_STEP_FAILED;
}

/**
 * srv_base_server_get_request: (virtual get_request)
 * @self: a server
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets the next request, without waiting.
 *
 * The loop calls it when the descriptor is ready. An implementation of your
 * own fails with %G_IO_ERROR_WOULD_BLOCK when nothing is there, and with a
 * code of %SRV_ERROR when the loop shall end; after any other error the loop
 * pauses and tries again.
 *
 * Threads: the loop's. In Python: `BaseServer.get_request()`.
 *
 * Returns: (transfer full): the request, or %NULL with @error set
 */
SrvRequest *
srv_base_server_get_request (SrvBaseServer *self, GError **error)
{
  GError *local = NULL;
  SrvRequest *request;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  request = SRV_BASE_SERVER_GET_CLASS (self)->get_request (self, &local);
  if (!srv_hook_check (self, "get_request", request != NULL, local, error))
    g_clear_object (&request);
  return request;
}

/**
 * srv_base_server_verify_request: (virtual verify_request)
 * @self: a server
 * @request: a request that just came
 * @error: return location for a [struct@GLib.Error]
 *
 * Decides whether a request is served. By default every one is.
 *
 * An implementation that refuses returns %FALSE and sets no @error; one that
 * fails sets it, and the failure goes to
 * [vfunc@SocketServer.BaseServer.handle_error]. In both cases the request is
 * shut down.
 *
 * Threads: the loop's. In Python: `BaseServer.verify_request()`.
 *
 * Returns: %TRUE to serve it
 */
gboolean
srv_base_server_verify_request (SrvBaseServer *self,
                                SrvRequest *request,
                                GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (srv_is_request (request), FALSE);

  ok = SRV_BASE_SERVER_GET_CLASS (self)->verify_request (self, request, &local);
  if (!ok && local == NULL)
    return FALSE;
  return srv_hook_check (self, "verify_request", ok, local, error);
}

/**
 * srv_base_server_process_request: (virtual process_request)
 * @self: a server
 * @request: a verified request
 * @error: return location for a [struct@GLib.Error]
 *
 * Hands the request to the mix-in, or serves it at once if there is none.
 *
 * On success the request is taken care of: it has been shut down, or a worker
 * will do it. On failure the caller reports the error and shuts it down.
 *
 * Fails when no worker could be had, and with %SRV_ERROR_STOP when the handler
 * ran at once and asks the server to stop.
 *
 * Threads: the loop's. In Python: `BaseServer.process_request()`.
 *
 * Returns: %TRUE if the request is taken care of, %FALSE with @error set
 *   otherwise
 */
gboolean
srv_base_server_process_request (SrvBaseServer *self,
                                 SrvRequest *request,
                                 GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (srv_is_request (request), FALSE);

  ok =
    SRV_BASE_SERVER_GET_CLASS (self)->process_request (self, request, &local);
  return srv_hook_check (self, "process_request", ok, local, error);
}

/**
 * srv_base_server_finish_request: (virtual finish_request)
 * @self: a server
 * @request: a verified request
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a handler and runs it. The handler's whole life is inside this call.
 *
 * Fails with what the handler failed with.
 *
 * Threads: wherever the mix-in runs requests. In Python:
 * `BaseServer.finish_request()`.
 *
 * Returns: %TRUE if the handler succeeded, %FALSE with @error set otherwise
 */
gboolean
srv_base_server_finish_request (SrvBaseServer *self,
                                SrvRequest *request,
                                GError **error)
{
  gboolean is_whole = srv_service_get_request () != request;
  GError *local = NULL;
  SrvService outer;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (srv_is_request (request), FALSE);

  if (is_whole)
    srv_service_begin (request, &outer);
  ok = SRV_BASE_SERVER_GET_CLASS (self)->finish_request (self, request, &local);
  if (is_whole)
    srv_service_end (&outer);
  return srv_hook_check (self, "finish_request", ok, local, error);
}

/**
 * srv_base_server_complete_request:
 * @self: a server
 * @request: a verified request
 * @error: return location for a [struct@GLib.Error]
 *
 * Does all that is left to do for a request: `finish_request`, `handle_error`
 * if that failed, and `shutdown_request`. Mix-ins call it in their workers.
 *
 * Fails with %SRV_ERROR_STOP alone: the handler asks the server to stop.
 * Everything else has been told to
 * [vfunc@SocketServer.BaseServer.handle_error].
 *
 * Threads: wherever the mix-in runs requests. In Python:
 * `ThreadingMixIn.process_request_thread()`.
 *
 * Returns: %TRUE, or %FALSE with @error set
 */
gboolean
srv_base_server_complete_request (SrvBaseServer *self,
                                  SrvRequest *request,
                                  GError **error)
{
  GError *failure = NULL;
  gboolean ok = TRUE;
  SrvService outer;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (srv_is_request (request), FALSE);

  srv_service_begin (request, &outer);
  if (srv_base_server_finish_request (self, request, &failure))
    srv_base_server_shutdown_request (self, request);
  else
    ok = end_failed_request (self, request, failure, error);
  srv_service_end (&outer);
  return ok;
}

/**
 * srv_base_server_shutdown_request: (virtual shutdown_request)
 * @self: a server
 * @request: a request of this server
 *
 * Ends a request in order and closes it. A second call does nothing.
 *
 * An implementation that hands the connection over to somebody else does not
 * chain up; the server forgets the request then.
 *
 * Threads: wherever the mix-in runs requests. In Python:
 * `BaseServer.shutdown_request()`.
 */
void
srv_base_server_shutdown_request (SrvBaseServer *self, SrvRequest *request)
{
  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (srv_is_request (request));

  if (!srv_base_server_is_active (self, request))
    return;
  SRV_BASE_SERVER_GET_CLASS (self)->shutdown_request (self, request);
  remove_active (self, request);
}

/**
 * srv_base_server_close_request: (virtual close_request)
 * @self: a server
 * @request: a request of this server
 *
 * Closes this process's copy of a request, without ending it: under forking
 * the parent closes, and the child goes on. A second call does nothing.
 *
 * Threads: wherever the mix-in runs requests. In Python:
 * `BaseServer.close_request()`.
 */
void
srv_base_server_close_request (SrvBaseServer *self, SrvRequest *request)
{
  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (srv_is_request (request));

  if (!srv_base_server_is_active (self, request))
    return;
  SRV_BASE_SERVER_GET_CLASS (self)->close_request (self, request);
  remove_active (self, request);
}

/**
 * srv_base_server_handle_error: (virtual handle_error)
 * @self: a server
 * @request: the request that failed
 * @error: why
 *
 * Tells the world that a request failed. It is the only place that does.
 *
 * By default one structured log record is written: a warning, but information
 * when a time limit passed, and a debug message when the client has gone.
 *
 * Threads: wherever the mix-in runs requests; the loop's when no worker could
 * be had. In Python: `BaseServer.handle_error()`, which has to fetch the error
 * from the interpreter and writes a traceback in several pieces.
 */
void
srv_base_server_handle_error (SrvBaseServer *self,
                              SrvRequest *request,
                              const GError *error)
{
  SrvBaseServerPrivate *priv;

  g_return_if_fail (SRV_IS_BASE_SERVER (self));
  g_return_if_fail (srv_is_request (request));
  g_return_if_fail (error != NULL);

  priv = srv_base_server_get_private (self);
  count (self, &priv->tally->n_failed);
  SRV_BASE_SERVER_GET_CLASS (self)->handle_error (self, request, error);
}

/**
 * srv_base_server_service_actions: (virtual service_actions)
 * @self: a server
 * @error: return location for a [struct@GLib.Error]
 *
 * Does periodic work. The loop calls it after each request, and when idle
 * every [property@SocketServer.BaseServer:poll-interval]. By default the
 * mix-in's is called; chain up.
 *
 * A failure ends the loop.
 *
 * Threads: the loop's. In Python: `BaseServer.service_actions()`.
 *
 * Returns: %TRUE, or %FALSE with @error set
 */
gboolean
srv_base_server_service_actions (SrvBaseServer *self, GError **error)
{
  GError *local = NULL;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  ok = SRV_BASE_SERVER_GET_CLASS (self)->service_actions (self, &local);
  return srv_hook_check (self, "service_actions", ok, local, error);
}
