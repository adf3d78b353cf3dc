/* greeting-server.c - greets whoever connects
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: the shortest dialogues: a banner, or with --read-first a question and
 *        an answer, where a question is not just what one read gave.
 * Run:   greeting-server --read-first --greeting 'Hello, client!'
 *        then, elsewhere: greeting-client --say 'Hello, server!'
 * See:   the greeting at the client; what the client said, on the server's
 *        standard error.
 *
 * In Python:
 *
 *   class Handler(socketserver.BaseRequestHandler):
 *       def handle(self):
 *           print("message:", self.request.recv(1000000).decode())
 *           self.request.sendall("Hello, client!".encode())
 *
 *   with socketserver.TCPServer(("", 11111), Handler) as s:
 *       s.serve_forever()
 */

#include "sample-server.h"

static char *greeting; /* NULL: the handler's own */
static gboolean read_first;
static int max_bytes = 65536;

static const GOptionEntry entries[] = {
  { "greeting", 'g', 0, G_OPTION_ARG_FILENAME, &greeting,
    "What to say (default: thanks for connecting)", "TEXT" },
  { "read-first", 'r', 0, G_OPTION_ARG_NONE, &read_first,
    "Let the client speak first", NULL },
  { "max-bytes", 'b', 0, G_OPTION_ARG_INT, &max_bytes,
    "The longest message of a client (default: 65536)", "BYTES" },
  G_OPTION_ENTRY_NULL,
};

typedef SrvGreetingHandler Handler;
typedef SrvGreetingHandlerClass HandlerClass;

GType handler_get_type (void);

G_DEFINE_TYPE (Handler, handler, SRV_TYPE_GREETING_HANDLER)

static void
handler_class_init (G_GNUC_UNUSED HandlerClass *klass)
{
}

static void
handler_init (Handler *self)
{
  g_object_set (self, "read-first", read_first, "max-bytes",
                CLAMP (max_bytes, 1, 16 * 1024 * 1024), NULL);
  if (greeting != NULL)
    g_object_set (self, "greeting", greeting, NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Greets whoever connects.", entries);
  int exit_status;

  if (sample_server_parse (sample, &argc, &argv, &exit_status))
    exit_status =
      sample_server_run (sample, handler_get_type (), G_TYPE_INVALID);
  g_free (greeting);
  return exit_status;
}
