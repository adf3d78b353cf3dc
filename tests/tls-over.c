/* tls-over.c - lays TLS over the connections of clients that ask for it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tls-over.h"

#include <sys/socket.h>

gboolean
tls_over_is_there (void)
{
  return g_tls_backend_supports_tls (g_tls_backend_get_default ());
}

gboolean
tls_over_set_up (SrvStreamRequestHandler *handler,
                 GTlsCertificate *certificate,
                 int timeout_ms,
                 GError **error)
{
  SrvConnection *connection =
    srv_stream_request_handler_get_connection (handler);
  int fd = srv_connection_get_fd (connection);
  guint8 first = 0;

  if (!srv_wait_fd (fd, G_IO_IN, -1, NULL, error))
    return FALSE;
  if (recv (fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1 || first != TLS_RECORD)
    return TRUE;

  return srv_stream_request_handler_start_tls (handler, certificate, timeout_ms,
                                               error);
}
