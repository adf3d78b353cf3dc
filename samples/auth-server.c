/* auth-server.c - logs its clients in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: passwords that take time to check without holding up others, tokens
 *        that end, and limits on guessing.
 * Run:   chat-admin accounts.db add Ada
 *        auth-server --store accounts.db --mix-in fibers
 *        then, elsewhere: auth-client --login Ada --token-file token
 * See:   the token in its file; auth-client --whoami --token-file token.
 *
 * In Python: nothing that is short and right at the same time.
 */

#include "sample-server.h"

#include <sysexits.h>

static char *path;
static gboolean allow_insecure;
static gboolean allow_register;
static gboolean tutorial;
static gboolean bind_sessions;
static int max_hashes = 2;
static int hash_memory = 65536;
static int idle_time = 7 * 86400;
static int lifetime = 30 * 86400;
static int login_time = 60;
static int free_attempts = 5;
static int free_attempts_address = 20;
static int registrations = 1000;
static int registrations_address = 10;

static const GOptionEntry entries[] = {
  { "store", 's', 0, G_OPTION_ARG_FILENAME, &path,
    "Where the accounts are kept (default: accounts.db)", "FILE" },
  { "allow-register", 'r', 0, G_OPTION_ARG_NONE, &allow_register,
    "Let clients make accounts", NULL },
  { "allow-insecure", 0, 0, G_OPTION_ARG_NONE, &allow_insecure,
    "Take passwords over networks without TLS", NULL },
  { "tutorial", 0, 0, G_OPTION_ARG_NONE, &tutorial, "Talk as the tutorials do",
    NULL },
  { "bind-sessions", 0, 0, G_OPTION_ARG_NONE, &bind_sessions,
    "Take a token from the address alone that it was made for", NULL },
  { "max-hashes", 0, 0, G_OPTION_ARG_INT, &max_hashes,
    "How many passwords to check at a time (default: 2)", "N" },
  { "hash-memory", 0, 0, G_OPTION_ARG_INT, &hash_memory,
    "What it takes to check one (default: 65536)", "KIB" },
  { "session-idle-time", 0, 0, G_OPTION_ARG_INT, &idle_time,
    "When an unused session ends (default: a week)", "SECONDS" },
  { "session-lifetime", 0, 0, G_OPTION_ARG_INT, &lifetime,
    "When any session ends (default: 30 days)", "SECONDS" },
  { "login-time", 0, 0, G_OPTION_ARG_INT, &login_time,
    "How long a client may take to log in (default: 60)", "SECONDS" },
  { "free-attempts", 0, 0, G_OPTION_ARG_INT, &free_attempts,
    "How many wrong passwords a name may have before the first wait "
    "(default: 5)",
    "N" },
  { "free-attempts-address", 0, 0, G_OPTION_ARG_INT, &free_attempts_address,
    "How many an address may have (default: 20)", "N" },
  { "registrations", 0, 0, G_OPTION_ARG_INT, &registrations,
    "How many accounts clients may make in an hour (default: 1000)", "N" },
  { "registrations-address", 0, 0, G_OPTION_ARG_INT, &registrations_address,
    "How many of them from one address (default: 10)", "N" },
  G_OPTION_ENTRY_NULL,
};

typedef SrvAuthHandler Handler;
typedef SrvAuthHandlerClass HandlerClass;

GType handler_get_type (void);

G_DEFINE_TYPE (Handler, handler, SRV_TYPE_AUTH_HANDLER)

static void
handler_class_init (G_GNUC_UNUSED HandlerClass *klass)
{
}

static void
handler_init (Handler *self)
{
  g_object_set (self, "allow-insecure", allow_insecure, "allow-register",
                allow_register, "tutorial", tutorial, "login-time",
                1000 * (guint) CLAMP (login_time, 1, 86400), NULL);
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
  g_object_set (store, "max-hashes", (guint) CLAMP (max_hashes, 1, 1024),
                "hash-memory", (guint) CLAMP (hash_memory, 8, 1 << 22),
                "session-idle-time", (guint) MAX (idle_time, 1),
                "session-lifetime", (guint) MAX (lifetime, 1), "bind-sessions",
                (guint) bind_sessions, "free-attempts",
                (guint) CLAMP (free_attempts, 0, 1000000),
                "free-attempts-address",
                (guint) CLAMP (free_attempts_address, 0, 1000000),
                "registration-limit", (guint) CLAMP (registrations, 0, 1000000),
                "registration-limit-address",
                (guint) CLAMP (registrations_address, 0, 1000000), NULL);
  sample_server_set_prepare (sample, prepare, store);
  return sample_server_run (sample, handler_get_type (), G_TYPE_INVALID);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Logs its clients in.", entries);
  int exit_status;

  if (sample_server_parse (sample, &argc, &argv, &exit_status))
    exit_status = serve (sample);
  g_free (path);
  return exit_status;
}
