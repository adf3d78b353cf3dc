/* srv-command-frames.c - a command server's dialogue in frames
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-command-session-private.h"

#include <string.h>

/* A request, or where its parts go. */
typedef struct
{
  SrvCommandFrame type;
  guint32 length;
  guint8 *payload; /* owned */
} Request;

static void
request_clear (Request *request)
{
  g_free (request->payload);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

static gboolean
send_frame (gpointer user_data,
            SrvCommandFrame type,
            const guint8 *data,
            gsize length,
            GError **error)
{
  SrvCommandSession *self = user_data;
  guint8 header[SRV_COMMAND_FRAME_HEADER_SIZE];

  srv_command_frame_pack_header (header, type, (guint32) length);
  return srv_writer_write (self->wfile, header, sizeof header, error) &&
         srv_command_session_send (self, data, length, error);
}

static gboolean
send_exit (SrvCommandSession *self,
           SrvCommandEnd end,
           guint8 code,
           const char *reason,
           GError **error)
{
  g_autoptr (GBytes) payload = srv_command_frame_pack_exit (end, code, reason);

  return send_frame (self, SRV_COMMAND_FRAME_EXIT,
                     g_bytes_get_data (payload, NULL),
                     g_bytes_get_size (payload), error);
}

static gboolean
fail_cut (GError **error)
{
  g_set_error_literal (error, SRV_ERROR, SRV_ERROR_TRUNCATED,
                       "the client went away in the middle of a request");
  return FALSE;
}

/* All of it by the deadline, however it trickles in. */
static gboolean
read_by (SrvCommandSession *self,
         guint8 *buffer,
         gsize length,
         gint64 deadline,
         GError **error)
{
  while (length > 0)
    {
      const gint64 left_ms = (deadline - g_get_monotonic_time ()) / 1000;
      gssize n;

      if (!srv_connection_set_timeout (self->connection, (int) MAX (left_ms, 1),
                                       error))
        return FALSE;
      n = srv_reader_read (self->rfile, buffer, length, error);
      if (n <= 0)
        return n == 0 ? fail_cut (error) : FALSE;
      buffer += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* The type must be one that clients send. */
static gboolean
unpack_header (SrvCommandSession *self,
               const guint8 *header,
               Request *request,
               GError **error)
{
  if (!srv_command_frame_unpack_header (header, self->limits->max_request_bytes,
                                        &request->type, &request->length,
                                        error))
    return FALSE;
  if (request->type == SRV_COMMAND_FRAME_RUN ||
      request->type == SRV_COMMAND_FRAME_SHELL)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "could not read a frame: not for a server");
  return FALSE;
}

/* 1 for a request, 0 for the end, -1 with an error. The first byte may come
 * whenever it likes; from then on time runs. */
static int
read_request (SrvCommandSession *self, Request *request, GError **error)
{
  guint8 header[SRV_COMMAND_FRAME_HEADER_SIZE];
  gint64 deadline;
  gssize n;

  if (!srv_connection_set_timeout (self->connection, self->idle_timeout_ms,
                                   error))
    return -1;
  n = srv_reader_read (self->rfile, header, 1, error);
  if (n <= 0)
    return (int) n;
  deadline =
    g_get_monotonic_time () + (gint64) self->limits->request_timeout_ms * 1000;
  if (!read_by (self, header + 1, sizeof header - 1, deadline, error) ||
      !unpack_header (self, header, request, error))
    return -1;
  request->payload = g_malloc ((gsize) request->length + 1);
  request->payload[request->length] = '\0';
  if (!read_by (self, request->payload, request->length, deadline, error))
    return -1;
  srv_command_session_note_received (self, request->payload, request->length);
  return 1;
}

static SrvCommandPlan *
plan_shell (SrvCommandSession *self, const Request *request, GError **error)
{
  const char *line = (const char *) request->payload;

  if (memchr (line, '\0', request->length) == NULL)
    return srv_command_policy_plan_shell (self->policy, line,
                                          SRV_REQUEST (self->connection),
                                          error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "the line has a NUL byte");
  return NULL;
}

static SrvCommandPlan *
plan (SrvCommandSession *self, const Request *request, GError **error)
{
  g_auto (GStrv) argv = NULL;

  if (request->type == SRV_COMMAND_FRAME_SHELL)
    return plan_shell (self, request, error);
  argv =
    srv_command_frame_unpack_request (request->payload, request->length, error);
  if (argv == NULL)
    return NULL;
  return srv_command_policy_plan (self->policy, (const char *const *) argv,
                                  error);
}

/* A command that is not allowed is an answer, not a failure. */
static gboolean
answer (SrvCommandSession *self, const Request *request, GError **error)
{
  g_auto (SrvCommandResult) result = { SRV_COMMAND_END_REFUSED, 0, NULL };
  g_autoptr (GError) refusal = NULL;
  g_autoptr (SrvCommandPlan) allowed = plan (self, request, &refusal);

  if (allowed == NULL)
    return send_exit (self, SRV_COMMAND_END_REFUSED, 0, refusal->message,
                      error);
  return srv_command_session_run (self, allowed, send_frame, self, &result,
                                  error) &&
         send_exit (self, result.end, result.code, result.reason, error);
}

/* Who sends what is no request is told so, and then there is no telling where
 * the next frame begins. */
static gboolean
give_up (SrvCommandSession *self, GError *problem, GError **error)
{
  if (g_error_matches (problem, SRV_ERROR, SRV_ERROR_TOO_LONG) ||
      g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    send_exit (self, SRV_COMMAND_END_REFUSED, 0, problem->message, NULL);
  g_propagate_error (error, problem);
  return FALSE;
}

gboolean
srv_command_session_serve_frames (SrvCommandSession *self, GError **error)
{
  for (;;)
    {
      g_auto (Request) request = { 0 };
      GError *problem = NULL;
      const int n = read_request (self, &request, &problem);

      if (n < 0)
        return give_up (self, problem, error);
      if (n == 0)
        return TRUE;
      if (!answer (self, &request, error))
        return FALSE;
    }
}
