/* chat-admin.c - looks after the accounts of a store
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: the store by itself, beside the servers that use it.
 * Run:   chat-admin chat.db add Ada
 *        chat-admin chat.db list
 * See:   the accounts, a line each.
 *
 * In Python: sqlite3, hashlib.scrypt() and getpass.
 */

#include "sample-secret.h"

#include <socketserver-handlers.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int password_fd = -1;
static gboolean version;

static const GOptionEntry entries[] = {
  { "password-fd", 0, 0, G_OPTION_ARG_INT, &password_fd,
    "Read the password from this descriptor", "NUMBER" },
  { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Show the version and exit",
    NULL },
  G_OPTION_ENTRY_NULL,
};

typedef gboolean (*Action) (SrvAccountStore *store,
                            const char *name,
                            const char *argument,
                            GError **error);
typedef gboolean (*PasswordAction) (SrvAccountStore *store,
                                    const char *name,
                                    const char *password,
                                    GError **error);

static gboolean
with_password (SrvAccountStore *store,
               const char *name,
               PasswordAction action,
               GError **error)
{
  char *password = sample_secret_get (password_fd, "Password", error);
  char *again = password == NULL ? NULL
                : password_fd >= 0 || !isatty (STDIN_FILENO)
                  ? g_strdup (password)
                  : sample_secret_get (-1, "Again", error);
  gboolean ok = FALSE;

  if (again != NULL && strcmp (password, again) != 0)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                         "the two are not the same");
  else if (again != NULL)
    ok = action (store, name, password, error);
  sample_secret_free (password);
  sample_secret_free (again);
  return ok;
}

static gboolean
do_add (SrvAccountStore *store,
        const char *name,
        G_GNUC_UNUSED const char *argument,
        GError **error)
{
  return with_password (store, name, srv_account_store_add, error);
}

static gboolean
do_password (SrvAccountStore *store,
             const char *name,
             G_GNUC_UNUSED const char *argument,
             GError **error)
{
  return with_password (store, name, srv_account_store_set_password, error);
}

static gboolean
do_remove (SrvAccountStore *store,
           const char *name,
           G_GNUC_UNUSED const char *argument,
           GError **error)
{
  return srv_account_store_remove (store, name, error);
}

static gboolean
do_ban (SrvAccountStore *store,
        const char *name,
        G_GNUC_UNUSED const char *argument,
        GError **error)
{
  return srv_account_store_set_banned (store, name, TRUE, error);
}

static gboolean
do_unban (SrvAccountStore *store,
          const char *name,
          G_GNUC_UNUSED const char *argument,
          GError **error)
{
  return srv_account_store_set_banned (store, name, FALSE, error);
}

static gboolean
do_forgive (SrvAccountStore *store,
            const char *name,
            G_GNUC_UNUSED const char *argument,
            GError **error)
{
  return srv_account_store_forgive (store, name, error);
}

static char *
describe_time (gint64 seconds)
{
  g_autoptr (GDateTime) when =
    seconds > 0 ? g_date_time_new_from_unix_utc (seconds) : NULL;

  return when != NULL ? g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ")
                      : g_strdup ("never");
}

static gboolean
do_list (SrvAccountStore *store,
         G_GNUC_UNUSED const char *name,
         G_GNUC_UNUSED const char *argument,
         GError **error)
{
  g_autoptr (GPtrArray) list = srv_account_store_list (store, error);

  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      const SrvAccount *account = list->pdata[i];
      g_autofree char *created = describe_time (account->created);
      g_autofree char *used = describe_time (account->last_login);

      printf ("%s\tcreated=%s\tlogin=%s\tsessions=%u%s\n", account->name,
              created, used, account->n_sessions,
              account->is_banned ? "\tbanned" : "");
    }
  return list != NULL;
}

static gboolean
do_sessions (SrvAccountStore *store,
             const char *name,
             G_GNUC_UNUSED const char *argument,
             GError **error)
{
  g_autoptr (GPtrArray) list =
    srv_account_store_list_sessions (store, name, error);

  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      const SrvSession *session = list->pdata[i];
      g_autofree char *created = describe_time (session->created);
      g_autofree char *used = describe_time (session->last_used);
      g_autofree char *expires = describe_time (session->expires);

      printf ("%" G_GINT64_FORMAT "\t%s\tcreated=%s\tused=%s\texpires=%s\n",
              session->id, session->address, created, used, expires);
    }
  return list != NULL;
}

static gboolean
do_revoke (SrvAccountStore *store,
           const char *name,
           const char *argument,
           GError **error)
{
  guint64 id;

  if (strcmp (argument, "all") == 0)
    return srv_account_store_revoke_all (store, name, error);
  return g_ascii_string_to_unsigned (argument, 10, 1, G_MAXINT64, &id, error) &&
         srv_account_store_revoke (store, name, (gint64) id, error);
}

static const struct
{
  const char *word;
  int n_arguments; /* after the word */
  Action action;
} commands[] = {
  { "add", 1, do_add },         { "password", 1, do_password },
  { "ban", 1, do_ban },         { "unban", 1, do_unban },
  { "forgive", 1, do_forgive }, { "remove", 1, do_remove },
  { "list", 0, do_list },       { "sessions", 1, do_sessions },
  { "revoke", 2, do_revoke },
};

static Action
find_action (int argc, char **argv, GError **error)
{
  for (gsize i = 0; argc >= 3 && i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].word, argv[2]) == 0 &&
        commands[i].n_arguments == argc - 3)
      return commands[i].action;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                       "wrong arguments; try --help");
  return NULL;
}

static int
end (const GError *error)
{
  if (error == NULL)
    return EX_OK;
  g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  if (error->domain == G_OPTION_ERROR)
    return EX_USAGE;
  return error->domain == SRV_ACCOUNT_ERROR ? EX_DATAERR : EX_IOERR;
}

static GOptionContext *
make_context (void)
{
  GOptionContext *context =
    g_option_context_new ("STORE COMMAND [NAME [NUMBER]]");

  g_option_context_set_summary (
    context, "Looks after the accounts of a store, for chat-server and "
             "auth-server.");
  g_option_context_set_description (
    context,
    "Commands: add NAME, password NAME, ban NAME, unban NAME, forgive NAME,\n"
    "remove NAME, list, sessions NAME, revoke NAME NUMBER, revoke NAME all.\n\n"
    "Passwords come from standard input, which a terminal does not show, or\n"
    "by --password-fd.\n\n"
    "Exit status: 0 done, 64 wrong usage, 65 cannot be done as asked, 74\n"
    "other trouble.\n");
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = make_context ();
  g_autoptr (SrvAccountStore) store = NULL;
  g_autoptr (GError) error = NULL;
  Action action = NULL;

  if (!g_option_context_parse (context, &argc, &argv, &error))
    return end (error);
  if (version)
    {
      g_print ("%s %s\n", g_get_prgname (), SRV_VERSION_S);
      return EX_OK;
    }
  action = find_action (argc, argv, &error);
  if (action != NULL)
    store = srv_account_store_new (argv[1], &error);
  if (store != NULL)
    action (store, argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL,
            &error);
  return end (error);
}
