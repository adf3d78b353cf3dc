/* echo-server.c - sends back what comes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: one handler for streams and one for datagrams, behind any number of
 *        endpoints, under any mix-in.
 * Run:   echo-server --mix-in threading --listen tcp:127.0.0.1:9999
 *        then, elsewhere: echo-client tcp:127.0.0.1:9999
 * See:   a line `listening on ENDPOINT` for each endpoint on standard output,
 *        and the seven events of the service on standard error.
 *
 * In Python:
 *
 *   class Handler(socketserver.BaseRequestHandler):
 *       def handle(self):
 *           while chunk := self.request.recv(1024):
 *               self.request.sendall(chunk)
 *
 *   with socketserver.ThreadingTCPServer(("127.0.0.1", 9999), Handler) as s:
 *       s.serve_forever()
 */

#include "sample-server.h"

static gboolean upper;

static const GOptionEntry entries[] = {
  { "upper", 'u', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &upper,
    "Send ASCII letters back in upper case", NULL },
  G_OPTION_ENTRY_NULL,
};

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Sends back what comes.", entries);
  int exit_status;

  sample_server_add_sender_limit (sample);
  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  if (upper)
    return sample_server_run (sample, SRV_TYPE_UPPER_HANDLER,
                              SRV_TYPE_DATAGRAM_UPPER_HANDLER);
  return sample_server_run (sample, SRV_TYPE_ECHO_HANDLER,
                            SRV_TYPE_DATAGRAM_ECHO_HANDLER);
}
