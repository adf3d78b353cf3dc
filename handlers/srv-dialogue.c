/* srv-dialogue.c - questions and answers in lines
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-dialogue-private.h"
#include "srv-secret-private.h"

#include <string.h>

#define CHUNK_SIZE 256

void
srv_dialogue_begin (SrvDialogue *self,
                    SrvStreamRequestHandler *handler,
                    guint max_line,
                    guint pause_ms,
                    guint max_time_ms)
{
  self->handler = SRV_BASE_REQUEST_HANDLER (handler);
  self->rfile = srv_stream_request_handler_get_rfile (handler);
  self->wfile = srv_stream_request_handler_get_wfile (handler);
  self->log = srv_event_log_for_server (
    srv_base_request_handler_get_server (self->handler));
  /* It never grows, so that no copy of a password is left behind. */
  self->buffer = g_string_sized_new (max_line + CHUNK_SIZE + 2);
  self->max_line = max_line;
  self->pause_ms = pause_ms;
  self->max_time_ms = max_time_ms;
  srv_event_log_connected (self->log, self->handler);
}

void
srv_dialogue_end (SrvDialogue *self, const GError *error)
{
  srv_secret_wipe (self->buffer->str, self->buffer->allocated_len);
  g_string_free (self->buffer, TRUE);
  srv_event_log_disconnected (self->log, self->handler, self->n_received,
                              self->n_sent, error);
}

/* @n_bytes of the buffer with an end of @end_size bytes, which is not the
 * line's. */
static gboolean
take_line (SrvDialogue *self,
           gsize n_bytes,
           gsize end_size,
           char **line,
           GError **error)
{
  gsize length = n_bytes;

  if (length > 0 && self->buffer->str[length - 1] == '\r')
    length--;
  if (!g_utf8_validate_len (self->buffer->str, length, NULL))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "a line is not UTF-8 text");
      return FALSE;
    }
  *line = g_strndup (self->buffer->str, length);
  n_bytes += end_size;
  memmove (self->buffer->str, self->buffer->str + n_bytes,
           self->buffer->len - n_bytes);
  srv_secret_wipe (self->buffer->str + self->buffer->len - n_bytes, n_bytes);
  g_string_set_size (self->buffer, self->buffer->len - n_bytes);
  return TRUE;
}

/* One read. END at the end of the stream and at a pause. */
static SrvDialogueResult
fill (SrvDialogue *self, SrvTimeLimit *limit, GError **error)
{
  const guint pause_ms = self->buffer->len > 0 ? self->pause_ms : 0;
  GError *local = NULL;
  char chunk[CHUNK_SIZE];
  gssize n = -1;

  if (srv_time_limit_apply (limit, pause_ms, &local))
    n = srv_reader_read (self->rfile, chunk, sizeof chunk, &local);
  if (n > 0)
    {
      g_string_append_len (self->buffer, chunk, n);
      self->n_received += (guint64) n;
      srv_secret_wipe (chunk, sizeof chunk);
      return SRV_DIALOGUE_LINE;
    }
  if (pause_ms > 0 && !srv_time_limit_is_over (limit) &&
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_clear_error (&local);
  if (local == NULL)
    return SRV_DIALOGUE_END;
  g_propagate_error (error, local);
  return SRV_DIALOGUE_FAILED;
}

static SrvDialogueResult
read_line (SrvDialogue *self, SrvTimeLimit *limit, char **line, GError **error)
{
  SrvDialogueResult result = SRV_DIALOGUE_LINE;

  while (result == SRV_DIALOGUE_LINE)
    {
      const GString *buffer = self->buffer;
      const char *newline = memchr (buffer->str, '\n', buffer->len);
      const gsize length = newline != NULL ? (gsize) (newline - buffer->str)
                                           : buffer->len;

      if (length > self->max_line)
        {
          g_set_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
                       "a line has more than %u bytes", self->max_line);
          return SRV_DIALOGUE_FAILED;
        }
      if (newline != NULL)
        return take_line (self, length, 1, line, error) ? SRV_DIALOGUE_LINE
                                                        : SRV_DIALOGUE_FAILED;
      result = fill (self, limit, error);
    }
  if (result == SRV_DIALOGUE_END && self->buffer->len > 0)
    return take_line (self, self->buffer->len, 0, line, error)
             ? SRV_DIALOGUE_LINE
             : SRV_DIALOGUE_FAILED;
  return result;
}

SrvDialogueResult
srv_dialogue_read (SrvDialogue *self,
                   guint max_time_ms,
                   char **line,
                   GError **error)
{
  SrvTimeLimit limit;
  SrvDialogueResult result;

  srv_time_limit_begin (&limit, SRV_STREAM_REQUEST_HANDLER (self->handler),
                        max_time_ms);
  result = read_line (self, &limit, line, error);
  if (result != SRV_DIALOGUE_FAILED)
    srv_connection_set_timeout (limit.connection, limit.own_timeout_ms, NULL);
  return result;
}

void
srv_dialogue_note (SrvDialogue *self, const char *text)
{
  srv_event_log_received (self->log, self->handler, (const guint8 *) text,
                          strlen (text));
}

static gboolean
write_in_time (SrvDialogue *self, const char *text, GError **error)
{
  SrvTimeLimit limit;
  gboolean ok;

  srv_time_limit_begin (&limit, SRV_STREAM_REQUEST_HANDLER (self->handler),
                        self->max_time_ms);
  ok = srv_time_limit_apply (&limit, 0, error) &&
       srv_writer_write_string (self->wfile, text, error) &&
       srv_writer_flush (self->wfile, error);
  if (ok)
    srv_connection_set_timeout (limit.connection, limit.own_timeout_ms, NULL);
  return ok;
}

gboolean
srv_dialogue_say (SrvDialogue *self, GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  gboolean ok;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  ok = write_in_time (self, text, error);
  if (ok)
    {
      self->n_sent += strlen (text);
      srv_event_log_sent (self->log, self->handler, strlen (text));
    }
  /* It may have been a token. */
  srv_secret_wipe (text, strlen (text));
  return ok;
}
