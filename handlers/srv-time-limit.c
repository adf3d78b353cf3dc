/* srv-time-limit.c - a limit for everything that a handler does
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-time-limit-private.h"

/* From now on; @max_time_ms 0 is no limit. */
void
srv_time_limit_begin (SrvTimeLimit *self,
                      SrvStreamRequestHandler *handler,
                      guint max_time_ms)
{
  self->connection = srv_stream_request_handler_get_connection (handler);
  self->own_timeout_ms = srv_connection_get_timeout (self->connection);
  self->deadline = max_time_ms > 0
                     ? g_get_monotonic_time () + (gint64) max_time_ms * 1000
                     : G_MAXINT64;
}

gboolean
srv_time_limit_is_over (const SrvTimeLimit *self)
{
  return g_get_monotonic_time () >= self->deadline;
}

/* What the next read or write may take: no more than is left, than the
 * connection's own limit, and than @pause_ms, where these are not 0. Fails with
 * G_IO_ERROR_TIMED_OUT, as that read or write would. */
gboolean
srv_time_limit_apply (SrvTimeLimit *self, guint pause_ms, GError **error)
{
  gint64 allowed_ms = G_MAXINT;

  if (srv_time_limit_is_over (self))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           "the time for the whole connection is over");
      return FALSE;
    }
  if (self->deadline != G_MAXINT64)
    allowed_ms = (self->deadline - g_get_monotonic_time ()) / 1000 + 1;
  if (self->own_timeout_ms > 0)
    allowed_ms = MIN (allowed_ms, self->own_timeout_ms);
  if (pause_ms > 0)
    allowed_ms = MIN (allowed_ms, pause_ms);
  allowed_ms = CLAMP (allowed_ms, 1, G_MAXINT);
  return srv_connection_set_timeout (self->connection,
                                     allowed_ms == G_MAXINT ? -1
                                                            : (int) allowed_ms,
                                     error);
}
