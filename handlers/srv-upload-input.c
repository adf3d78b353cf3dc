/* srv-upload-input.c - what a client sends, within its time limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The lines of SrvReader would do, were it not for clients that send a byte now
 * and then: a limit on each read does not bound the whole. So every wait here
 * is a single read, and the clock is looked at before each.
 */

#include "config.h"

#include "srv-upload-input-private.h"

#include <string.h>

#define BUFFER_SIZE 65536

struct _SrvUploadInput
{
  SrvStreamRequestHandler *handler; /* borrowed */
  const SrvUploadLimits *limits;    /* borrowed */
  int idle_timeout;                 /* milliseconds; between two files */

  guint8 *buffer; /* owned; what is not used up stands from start to end */
  gsize start;
  gsize end;
  guint64 n_received;

  gint64 body_since; /* monotonic time */
  guint64 n_body;
};

SrvUploadInput *
srv_upload_input_new (SrvStreamRequestHandler *handler,
                      const SrvUploadLimits *limits)
{
  SrvUploadInput *self = g_new0 (SrvUploadInput, 1);

  self->handler = handler;
  self->limits = limits;
  self->idle_timeout = srv_connection_get_timeout (
    srv_stream_request_handler_get_connection (handler));
  self->buffer = g_malloc (BUFFER_SIZE);
  return self;
}

void
srv_upload_input_free (SrvUploadInput *self)
{
  g_free (self->buffer);
  g_free (self);
}

guint64
srv_upload_input_get_n_received (SrvUploadInput *self)
{
  return self->n_received;
}

/* The client did not send the rest. */
static gssize
fail_ended (SrvUploadInput *self, GError **error)
{
  if (srv_base_request_handler_is_draining (
        SRV_BASE_REQUEST_HANDLER (self->handler)))
    g_set_error_literal (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_STOPPING,
                         "could not read on: the server ends");
  else
    g_set_error_literal (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_TRUNCATED,
                         "could not read on: the client has ended");
  return -1;
}

static gssize
fail_slow (GError **error)
{
  g_set_error_literal (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_TIMEOUT,
                       "could not read on: the client is too slow");
  return -1;
}

/* Reads what is there behind what is there already, waiting for the first
 * byte. */
static gssize
read_more (SrvUploadInput *self, int timeout_ms, GError **error)
{
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self->handler);
  SrvConnection *connection =
    srv_stream_request_handler_get_connection (self->handler);
  GError *local = NULL;
  gssize n;

  memmove (self->buffer, self->buffer + self->start, self->end - self->start);
  self->end -= self->start;
  self->start = 0;
  if (!srv_connection_set_timeout (connection, timeout_ms, error))
    return -1;
  n = srv_reader_read (rfile, self->buffer + self->end, BUFFER_SIZE - self->end,
                       &local);
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      g_error_free (local);
      return fail_slow (error);
    }
  if (local != NULL)
    g_propagate_error (error, local);
  self->end += (gsize) MAX (n, 0);
  self->n_received += (guint64) MAX (n, 0);
  return n;
}

static int
time_left (gint64 deadline)
{
  const gint64 left_ms = (deadline - g_get_monotonic_time ()) / 1000;

  return (int) CLAMP (left_ms, 0, G_MAXINT);
}

/* One more piece of a header that is not whole. @deadline is 0 until its first
 * byte has come: only then it has begun. */
static gssize
read_header_part (SrvUploadInput *self, gint64 *deadline, GError **error)
{
  const gboolean has_begun = self->end > self->start;
  int timeout_ms = self->idle_timeout;
  gssize n;

  if (has_begun)
    {
      if (*deadline == 0)
        *deadline =
          g_get_monotonic_time () + (gint64) self->limits->stall_timeout * 1000;
      timeout_ms = time_left (*deadline);
      if (timeout_ms == 0)
        return fail_slow (error);
    }
  n = read_more (self, timeout_ms, error);
  return n == 0 && has_begun ? fail_ended (self, error) : n;
}

gssize
srv_upload_input_read_header (SrvUploadInput *self,
                              SrvUploadHeader *header,
                              const guint8 **line,
                              GError **error)
{
  gint64 deadline = 0;
  gssize used, n;

  while (
    (used = srv_upload_header_parse ((const char *) self->buffer + self->start,
                                     self->end - self->start,
                                     self->limits->allow_post, header,
                                     error)) == 0)
    {
      n = read_header_part (self, &deadline, error);
      if (n <= 0)
        return n;
    }
  if (used < 0)
    return -1;
  *line = self->buffer + self->start;
  self->start += (gsize) used;
  return used;
}

void
srv_upload_input_begin_body (SrvUploadInput *self)
{
  self->body_since = g_get_monotonic_time ();
  self->n_body = 0;
}

/* A client that sends a byte now and then is never silent. */
static gboolean
is_too_slow (SrvUploadInput *self)
{
  const gint64 elapsed_ms = (g_get_monotonic_time () - self->body_since) / 1000;

  return elapsed_ms > self->limits->stall_timeout &&
         self->n_body <
           (guint64) self->limits->min_rate * (guint64) elapsed_ms / 1000;
}

gsize
srv_upload_input_read_body (SrvUploadInput *self,
                            const guint8 **chunk,
                            guint64 max,
                            GError **error)
{
  gsize length;
  gssize n = 1;

  if (self->start == self->end)
    n = is_too_slow (self)
          ? fail_slow (error)
          : read_more (self, self->limits->stall_timeout, error);
  if (n == 0)
    fail_ended (self, error);
  if (n <= 0)
    return 0;
  length = (gsize) MIN (self->end - self->start, max);
  *chunk = self->buffer + self->start;
  self->start += length;
  self->n_body += length;
  return length;
}
