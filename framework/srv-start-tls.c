/* srv-start-tls.c - TLS over the connection of a handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GIO's handshake runs a main context until it is done, and reads from the
 * connection in a thread of its own meanwhile; a worker of fibers must not wait
 * for that. So all of it happens in a thread that was borrowed, with a timer
 * beside it: a client that has begun and does not go on is not waited for.
 */

#include "config.h"

#include "srv-connection-private.h"
#include "srv-deadline-private.h"
#include "srv-gate-private.h"
#include "srv-spawn-private.h"
#include "srv-stream-request-handler.h"

/* A handshake waits for a client. All those of fibers together must leave room
 * for other things that are offloaded, 64 at a time. */
static SrvGate handshake_gate = { .most = 48 };

typedef struct
{
  GIOStream *base;              /* borrowed */
  GTlsCertificate *certificate; /* borrowed */
  int timeout_ms;
  gint64 deadline;

  GCancellable *cancellable; /* owned while it lasts */
  gboolean done;
  gboolean late;

  GIOStream *tls; /* owned, NULL if it could not be made */
  GError *error;  /* owned, NULL if all is well */
} Handshake;

/* By default, each connection reads the certificates of all authorities that
 * the system knows, which takes ten milliseconds: to check those of clients,
 * who are not asked for any. */
static GIOStream *
make_stream (GIOStream *base, GTlsCertificate *certificate, GError **error)
{
  GType type =
    g_tls_backend_get_server_connection_type (g_tls_backend_get_default ());

  return g_initable_new (type, NULL, error, "base-io-stream", base,
                         "certificate", certificate, "database", NULL, NULL);
}

static void
set_late (Handshake *self, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
               "the handshake of TLS took more than %d ms", self->timeout_ms);
}

static void
on_shaken (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Handshake *self = user_data;

  self->done = TRUE;
  g_tls_connection_handshake_finish (G_TLS_CONNECTION (source), result,
                                     &self->error);
  if (!self->late)
    return;
  g_clear_error (&self->error);
  set_late (self, &self->error);
}

static gboolean
on_late (gpointer user_data)
{
  Handshake *self = user_data;

  self->late = TRUE;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
}

static void
run_context (Handshake *self, GMainContext *context)
{
  g_autoptr (GSource) timer = NULL;

  if (self->deadline != SRV_DEADLINE_NEVER)
    {
      timer = g_timeout_source_new (
        (guint) srv_deadline_poll_timeout (self->deadline));
      g_source_set_callback (timer, on_late, self, NULL);
      g_source_attach (timer, context);
    }
  while (!self->done)
    g_main_context_iteration (context, TRUE);
  if (timer != NULL)
    g_source_destroy (timer);
}

/* In a thread where to wait is no harm. */
static void
shake_hands (gpointer user_data)
{
  Handshake *self = user_data;
  g_autoptr (GMainContext) context = NULL;

  self->tls = make_stream (self->base, self->certificate, &self->error);
  if (self->tls == NULL)
    return;
  context = g_main_context_new ();
  self->cancellable = g_cancellable_new ();
  g_main_context_push_thread_default (context);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (self->tls),
                                    G_PRIORITY_DEFAULT, self->cancellable,
                                    on_shaken, self);
  run_context (self, context);
  g_main_context_pop_thread_default (context);
  g_clear_object (&self->cancellable);
}

/* Threads need no gate: they are offloaded nowhere, and after a fork among them
 * its places would be held for ever. */
static gboolean
shake_hands_in_turn (Handshake *self, GError **error)
{
  gboolean ok;

  if (srv_task_fiber () == NULL)
    {
      shake_hands (self);
      return TRUE;
    }
  if (!srv_gate_enter (&handshake_gate, self->deadline))
    {
      set_late (self, error);
      return FALSE;
    }
  ok = srv_offload_until (shake_hands, self, self->deadline, error);
  srv_gate_leave (&handshake_gate);
  return ok;
}

/* Whatever was sent before the handshake was sent by anybody: it must not be
 * taken for the client's, once the client is known to be who it is. */
static gboolean
finish_plain_part (SrvStreamRequestHandler *self, GError **error)
{
  const gsize n_unread =
    srv_reader_get_available (srv_stream_request_handler_get_rfile (self));

  if (n_unread > 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "could not start TLS: %" G_GSIZE_FORMAT
                   " bytes came before the handshake",
                   n_unread);
      return FALSE;
    }
  return srv_writer_flush (srv_stream_request_handler_get_wfile (self), error);
}

/**
 * srv_stream_request_handler_start_tls:
 * @self: a handler that runs
 * @certificate: the server's certificate, with its private key
 * @timeout_ms: the most that the handshake may take, with the wait for its
 *   turn, in milliseconds; -1 for no limit
 * @error: return location for a [struct@GLib.Error]
 *
 * Speaks TLS with the client from here on: shakes hands, and lays the stream
 * over what was there ([method@SocketServer.StreamRequestHandler.set_stream]).
 * Afterwards `rfile` and `wfile` are new ones. It is called in `setup`, or, for
 * protocols that have a command for it (STARTTLS), after the answer to that
 * command was written; what the client has sent after the command and before
 * the handshake is an error (%G_IO_ERROR_INVALID_DATA).
 *
 * In a fiber the handshake, with all that it computes, is offloaded
 * ([func@SocketServer.offload]), so that the worker serves others meanwhile.
 *
 * GIO shakes hands in a pool of threads, ten at first and more as time goes by,
 * and in fibers no more than 48 handshakes are under way at a time. Clients who
 * begin and do not go on keep their places until @timeout_ms has passed, and
 * others waiting for their own handshake, although not for anything else: with
 * 30 of them that was 2 s. So the limit should be short, a few seconds are enough
 * for an honest client, and a service that anybody may reach is better off behind
 * a program that speaks TLS for it.
 *
 * Clients are not asked for certificates; who needs that makes a
 * [iface@Gio.TlsServerConnection] and uses `set_stream`. Such a handler should
 * offload that as well, and give the stream its `database` when it is
 * constructed: the default one costs ten milliseconds for each connection.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT, with an error of the handshake, or with
 * %G_TLS_ERROR_UNAVAILABLE where GIO has no TLS (on Debian, the package
 * `glib-networking`). After a failure the connection is of no more use.
 *
 * After a fork GIO shakes hands only if the parent has used no asynchronous
 * function of GIO before.
 *
 * Threads: the one that runs the handler. In Python: `ssl.wrap_socket()`.
 *
 * Returns: %TRUE, or %FALSE with @error set
 */
gboolean
srv_stream_request_handler_start_tls (SrvStreamRequestHandler *self,
                                      GTlsCertificate *certificate,
                                      int timeout_ms,
                                      GError **error)
{
  Handshake handshake = {
    .certificate = certificate,
    .timeout_ms = timeout_ms,
    .deadline = srv_deadline_from_ms (timeout_ms),
  };
  g_autoptr (GIOStream) tls = NULL;

  g_return_val_if_fail (SRV_IS_STREAM_REQUEST_HANDLER (self), FALSE);
  g_return_val_if_fail (G_IS_TLS_CERTIFICATE (certificate), FALSE);
  g_return_val_if_fail (timeout_ms >= -1, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  srv_connection_set_overlaid (srv_stream_request_handler_get_connection (self),
                               TRUE);
  if (!finish_plain_part (self, error))
    return FALSE;
  handshake.base = srv_stream_request_handler_get_stream (self);
  if (!shake_hands_in_turn (&handshake, error))
    return FALSE;
  tls = handshake.tls;
  if (handshake.error != NULL)
    {
      g_propagate_error (error, handshake.error);
      return FALSE;
    }
  srv_stream_request_handler_set_stream (self, tls);
  return TRUE;
}
