/* gio-echo.c - GIO's GThreadedSocketService
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

#include <gio/gio.h>

static gboolean
run (G_GNUC_UNUSED GThreadedSocketService *service,
     GSocketConnection *connection,
     G_GNUC_UNUSED GObject *source,
     G_GNUC_UNUSED gpointer data)
{
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  GSocket *socket = g_socket_connection_get_socket (connection);
  char chunk[PEER_CHUNK];
  gssize n;

  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  while ((n = g_input_stream_read (in, chunk, sizeof chunk, NULL, NULL)) > 0)
    {
      if (!g_output_stream_write_all (out, chunk, (gsize) n, NULL, NULL, NULL))
        break;
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GSocketService) service = g_threaded_socket_service_new (-1);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GSocket) socket =
    g_socket_new_from_fd (peer_listen (argc, argv, SOCK_STREAM), NULL);

  g_signal_connect (service, "run", G_CALLBACK (run), NULL);
  if (!g_socket_listener_add_socket (G_SOCKET_LISTENER (service), socket, NULL,
                                     NULL))
    return 1;
  g_main_loop_run (loop);
}
