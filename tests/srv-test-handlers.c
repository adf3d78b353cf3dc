/* srv-test-handlers.c - what handlers of many tests do
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

gboolean
srv_test_reply (SrvBaseRequestHandler *handler,
                const char *text,
                GError **error)
{
  if (SRV_IS_DATAGRAM_REQUEST_HANDLER (handler))
    return srv_datagram_request_handler_write (SRV_DATAGRAM_REQUEST_HANDLER (
                                                 handler),
                                               text, strlen (text), error);
  return srv_writer_write_string (srv_stream_request_handler_get_wfile (
                                    SRV_STREAM_REQUEST_HANDLER (handler)),
                                  text, error);
}

gboolean
srv_test_echo_lines (SrvBaseRequestHandler *handler,
                     G_GNUC_UNUSED gpointer user_data,
                     GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  const char *line;
  gssize length;

  while ((length = srv_reader_read_line (rfile, &line, 100, error)) > 0)
    if (!srv_test_reply (handler, line, error))
      return FALSE;

  return length == 0;
}

void
srv_test_wait_for_drain (SrvBaseRequestHandler *handler)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);

  while (!srv_base_request_handler_is_draining (handler) &&
         g_get_monotonic_time () < deadline)
    g_usleep (1000);
}
