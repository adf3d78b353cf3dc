/* minimal.c - the shortest complete service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a service in one function; each client has a thread of its own.
 * Run:   minimal [ENDPOINT], then talk to it: nc 127.0.0.1 9999
 * See:   every line comes back in upper case.
 *
 * In Python:
 *
 *   class Handler(socketserver.StreamRequestHandler):
 *       def handle(self):
 *           for line in self.rfile:
 *               self.wfile.write(line.upper())
 *
 *   with socketserver.ThreadingTCPServer(("127.0.0.1", 9999), Handler) as s:
 *       s.serve_forever()
 */

#include <socketserver.h>
#include <stdlib.h>

static gboolean
upper (SrvBaseRequestHandler *handler,
       G_GNUC_UNUSED gpointer user_data,
       GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
  const char *line;
  gssize length;

  while ((length = srv_reader_read_line (rfile, &line, 4096, error)) > 0)
    {
      g_autofree char *reply = g_ascii_strup (line, length);

      if (!srv_writer_write (wfile, reply, (gsize) length, error))
        return FALSE;
    }
  return length == 0;
}

int
main (int argc, char **argv)
{
  const char *endpoint = argc > 1 ? argv[1] : "tcp:127.0.0.1:9999";
  g_autoptr (SrvMixIn) threads = srv_threading_mix_in_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvBaseServer) server =
    srv_create_server (endpoint, G_TYPE_INVALID, threads, &error);

  if (server != NULL && srv_signals_bind (server, &error))
    {
      g_autofree char *bound = srv_base_server_dup_endpoint (server);

      srv_base_server_set_handler_func (server, upper, NULL, NULL);
      g_print ("listening on %s\n", bound);
      srv_base_server_serve_forever (server, &error);
    }
  if (error != NULL)
    g_printerr ("%s\n", error->message);
  return error == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
