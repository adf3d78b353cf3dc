/* srv-command-session.c - what both dialogues of a command server share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-command-session-private.h"

#include "srv-event-log.h"

void
srv_command_session_note_received (SrvCommandSession *self,
                                   const guint8 *data,
                                   gsize length)
{
  self->n_received += length;
  if (self->log != NULL)
    srv_event_log_received (self->log, SRV_BASE_REQUEST_HANDLER (self->handler),
                            data, length);
}

/* At once: the client waits for it, and a command must not get ahead of it. */
gboolean
srv_command_session_send (SrvCommandSession *self,
                          const void *data,
                          gsize length,
                          GError **error)
{
  if (!srv_writer_write (self->wfile, data, length, error) ||
      !srv_writer_flush (self->wfile, error))
    return FALSE;
  self->n_sent += length;
  if (self->log != NULL)
    srv_event_log_sent (self->log, SRV_BASE_REQUEST_HANDLER (self->handler),
                        length);
  return TRUE;
}

/* The record that tells later who has run what, and how it went. */
static void
audit (SrvCommandSession *self,
       const SrvCommandPlan *plan,
       const SrvCommandResult *result)
{
  g_autofree char *client =
    srv_request_describe_client (SRV_REQUEST (self->connection));
  g_autofree char *joined = g_strjoinv (" ", plan->argv);
  g_autofree char *shown = srv_escape (joined, -1);

  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_INFO, "SRV_EVENT", "command",
                    "SRV_PEER", client, "MESSAGE",
                    "%s ran \"%s\": end %d, code %d%s%s", client, shown,
                    result != NULL ? (int) result->end : -1,
                    result != NULL ? (int) result->code : -1,
                    result != NULL && result->reason != NULL ? ", " : "",
                    result != NULL && result->reason != NULL ? result->reason
                                                             : "");
}

/* While the command runs, the client may be slow for a shorter time than
 * between commands. */
gboolean
srv_command_session_run (SrvCommandSession *self,
                         const SrvCommandPlan *plan,
                         SrvCommandSink sink,
                         gpointer user_data,
                         SrvCommandResult *result,
                         GError **error)
{
  SrvBaseRequestHandler *handler = SRV_BASE_REQUEST_HANDLER (self->handler);
  gboolean ok;

  if (!srv_connection_set_timeout (self->connection,
                                   (int) self->limits->write_timeout_ms, error))
    return FALSE;
  ok =
    srv_command_run (plan, srv_connection_get_fd (self->connection),
                     srv_base_request_handler_get_drain_cancellable (handler),
                     sink, user_data, result, error);
  audit (self, plan, ok ? result : NULL);
  return ok;
}
