/* identity-server.c - knows its clients by their addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a handler that keeps something from one connection to the next, in a
 *        store that all of them share.
 * Run:   identity-server --store names.db
 *        then, elsewhere: identity-client --name Ada, and identity-client
 * See:   the first time the name is taken down, the second time it is known.
 *
 * In Python:
 *
 *   class Handler(socketserver.StreamRequestHandler):
 *       def handle(self):
 *           name = names.get(self.client_address[0])
 *           if not name:
 *               self.wfile.write(b"What is your name?\n")
 *               name = names[self.client_address[0]] = self.rfile.readline(256)
 *           self.wfile.write(b"Hello, " + name)
 *
 *   with socketserver.TCPServer(("127.0.0.1", 9999), Handler) as s:
 *       s.serve_forever()
 */

#include "sample-server.h"

#include <sysexits.h>

static char *path;
static gboolean tutorial;
static gboolean disclose;
static int lifetime_days = 365;

static const GOptionEntry entries[] = {
  { "store", 's', 0, G_OPTION_ARG_FILENAME, &path,
    "Where the names are kept (default: accounts.db)", "FILE" },
  { "tutorial", 0, 0, G_OPTION_ARG_NONE, &tutorial, "Talk as the tutorials do",
    NULL },
  { "disclose", 0, 0, G_OPTION_ARG_NONE, &disclose,
    "Tell the name to whoever comes from the address", NULL },
  { "lifetime", 0, 0, G_OPTION_ARG_INT, &lifetime_days,
    "For how long a name is kept after the last visit (default: 365)", "DAYS" },
  G_OPTION_ENTRY_NULL,
};

typedef SrvIdentityHandler Handler;
typedef SrvIdentityHandlerClass HandlerClass;

GType handler_get_type (void);

G_DEFINE_TYPE (Handler, handler, SRV_TYPE_IDENTITY_HANDLER)

static void
handler_class_init (G_GNUC_UNUSED HandlerClass *klass)
{
}

static void
handler_init (Handler *self)
{
  g_object_set (self, "tutorial", tutorial, "disclose", disclose, NULL);
}

static void
prepare (SrvBaseServer *server, gpointer store)
{
  srv_account_store_serve (store, server);
}

static int
serve (SampleServer *sample)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvAccountStore) store =
    srv_account_store_new (path != NULL ? path : "accounts.db", &error);

  if (store == NULL)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      return EX_CANTCREAT;
    }
  g_object_set (store, "identity-lifetime",
                86400 * (guint) CLAMP (lifetime_days, 1, 24000), NULL);
  sample_server_set_prepare (sample, prepare, store);
  return sample_server_run (sample, handler_get_type (), G_TYPE_INVALID);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Knows its clients by their addresses.", entries);
  int exit_status;

  if (sample_server_parse (sample, &argc, &argv, &exit_status))
    exit_status = serve (sample);
  g_free (path);
  return exit_status;
}
