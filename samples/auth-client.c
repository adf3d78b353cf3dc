/* auth-client.c - logs in, and asks about sessions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a password that is never seen, and a token in a file of one's own.
 * Run:   auth-client --login Ada --token-file token
 *        auth-client --sessions --token-file token
 * See:   the sessions of the account.
 *
 * In Python: socket, getpass, and urllib.parse.quote for what is sent.
 */

#include "sample-accounts.h"
#include "sample-answer.h"
#include "sample-secret.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sysexits.h>

static char *login;
static char *registers;
static char *token_path;
static char *revoked;
static gboolean whoami;
static gboolean sessions;
static gboolean rotate;
static gboolean logout;
static gboolean new_password;
static gboolean tutorial;
static int password_fd = -1;

static const GOptionEntry entries[] = {
  { "register", 0, 0, G_OPTION_ARG_STRING, &registers, "Make an account",
    "NAME" },
  { "login", 'l', 0, G_OPTION_ARG_STRING, &login, "Log in by password",
    "NAME" },
  { "whoami", 'w', 0, G_OPTION_ARG_NONE, &whoami, "Show whose the token is",
    NULL },
  { "sessions", 's', 0, G_OPTION_ARG_NONE, &sessions, "List the sessions",
    NULL },
  { "revoke", 0, 0, G_OPTION_ARG_STRING, &revoked,
    "End the session with this number, or all", "NUMBER" },
  { "new-password", 0, 0, G_OPTION_ARG_NONE, &new_password,
    "Change the password; ends all sessions", NULL },
  { "rotate", 0, 0, G_OPTION_ARG_NONE, &rotate, "Get a new token", NULL },
  { "logout", 0, 0, G_OPTION_ARG_NONE, &logout, "End the session", NULL },
  { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &token_path,
    "Where the token is, or goes", "FILE" },
  { "password-fd", 0, 0, G_OPTION_ARG_INT, &password_fd,
    "Read passwords from this descriptor, a line each", "NUMBER" },
  { "tutorial", 0, 0, G_OPTION_ARG_NONE, &tutorial,
    "Talk as the tutorials do, with the name of --login", NULL },
  G_OPTION_ENTRY_NULL,
};

typedef struct
{
  SampleClient *client;
  GString *buffer;
  gboolean is_refused;
} Talk;

static gboolean
print_line (Talk *talk, const char *text, GError **error)
{
  char *line = g_strconcat (text, "\n", NULL);
  gboolean ok = sample_client_print (talk->client, line, strlen (line), error);

  /* It may be a token. */
  sample_secret_free (line);
  return ok;
}

/* One command; what the server gives with its "ok", or NULL: with an error, or
 * refused, which is shown. It may be a token. */
static char *
command (Talk *talk,
         GError **error,
         const char *verb,
         const char *first,
         const char *second)
{
  const gint64 deadline = sample_client_get_deadline (talk->client);
  char *a = g_uri_escape_string (first != NULL ? first : "", NULL, TRUE);
  char *b = g_uri_escape_string (second != NULL ? second : "", NULL, TRUE);
  char *line = g_strconcat (verb, first != NULL ? " " : "", a,
                            second != NULL ? " " : "", b, "\n", NULL);
  gboolean ok =
    sample_answer_send (talk->client, line, strlen (line), deadline, error);
  char *answer = NULL;
  char *given = NULL;

  sample_secret_free (a);
  sample_secret_free (b);
  sample_secret_free (line);
  if (ok)
    answer = sample_accounts_receive_line (talk->client, talk->buffer, deadline,
                                           error);
  if (answer == NULL)
    return NULL;
  talk->is_refused = !g_str_has_prefix (answer, "ok");
  if (talk->is_refused)
    print_line (talk, answer, error);
  else
    given = g_strdup (answer + strlen (answer[2] == ' ' ? "ok " : "ok"));
  sample_secret_free (answer);
  return given;
}

/* The file is only for its owner, and whole or not there. */
static gboolean
show_token (Talk *talk, const char *token, GError **error)
{
  if (token_path == NULL)
    return print_line (talk, token, error);
  return g_file_set_contents_full (token_path, token, -1,
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

static char *
read_token (GError **error)
{
  char *token = NULL;

  if (token_path == NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         "where is the token? Give --token-file");
  else if (g_file_get_contents (token_path, &token, NULL, error))
    g_strstrip (token);
  return token;
}

static gboolean
give_password (Talk *talk, const char *verb, const char *name, GError **error)
{
  char *password = sample_secret_get (password_fd, "Password", error);
  char *given = password != NULL ? command (talk, error, verb, name, password)
                                 : NULL;
  gboolean ok;

  sample_secret_free (password);
  if (given == NULL)
    return talk->is_refused;
  ok = *given != '\0' ? show_token (talk, given, error)
                      : print_line (talk, "ok", error);
  sample_secret_free (given);
  return ok;
}

static gboolean
change_password (Talk *talk, GError **error)
{
  char *old = sample_secret_get (password_fd, "Old password", error);
  char *new =
    old != NULL ? sample_secret_get (password_fd, "New password", error) : NULL;
  g_autofree char *given =
    new != NULL ? command (talk, error, "password", old, new) : NULL;

  sample_secret_free (old);
  sample_secret_free (new);
  return given != NULL ? print_line (talk, "ok", error) : talk->is_refused;
}

static gboolean
list_sessions (Talk *talk, GError **error)
{
  g_autofree char *count = command (talk, error, "sessions", NULL, NULL);
  guint64 n = 0;

  if (count == NULL)
    return talk->is_refused;
  if (!g_ascii_string_to_unsigned (count, 10, 0, 1000000, &n, error))
    return FALSE;
  while (n-- > 0)
    {
      g_autofree char *line =
        sample_accounts_receive_line (talk->client, talk->buffer,
                                      sample_client_get_deadline (talk->client),
                                      error);

      if (line == NULL || !print_line (talk, line, error))
        return FALSE;
    }
  return TRUE;
}

/* What needs a token. */
static gboolean
use_token (Talk *talk, GError **error)
{
  char *token = read_token (error);
  g_autofree char *name =
    token != NULL ? command (talk, error, "resume", token, NULL) : NULL;
  char *given;
  gboolean ok;

  sample_secret_free (token);
  if (name == NULL)
    return talk->is_refused;
  if (sessions)
    return list_sessions (talk, error);
  if (new_password)
    return change_password (talk, error);
  if (!rotate && !logout && revoked == NULL)
    return print_line (talk, name, error);
  given = command (talk, error,
                   rotate   ? "rotate"
                   : logout ? "logout"
                            : "revoke",
                   rotate || logout ? NULL : revoked, NULL);
  if (given == NULL)
    return talk->is_refused;
  ok = rotate ? show_token (talk, given, error)
              : print_line (talk, "ok", error);
  sample_secret_free (given);
  return ok;
}

/* With a token, if there is one, instead of the password. */
static gboolean
recite (Talk *talk, GError **error)
{
  char *secret = sample_secret_get (password_fd, "Password", error);
  const char *const both[] = { login, secret, NULL };
  const char *const one[] = { secret, NULL };
  gboolean ok =
    secret != NULL &&
    sample_accounts_recite (talk->client, login != NULL ? both : one, error);

  sample_secret_free (secret);
  return ok;
}

static gboolean
run (Talk *talk, GError **error)
{
  if (!sample_client_connect (talk->client, error))
    return FALSE;
  if (tutorial)
    return recite (talk, error);
  if (registers != NULL)
    return give_password (talk, "register", registers, error);
  if (login != NULL)
    return give_password (talk, "login", login, error);
  return use_token (talk, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new ("Logs in, and asks about sessions. Does one thing.");
  g_autoptr (GString) buffer = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  Talk talk = { .client = client, .buffer = buffer };
  int exit_status;

  sample_client_describe (client, entries,
                          SAMPLE_ANSWER_DESCRIPTION
                          "77 the server has refused.\n");
  if (sample_client_parse (client, &argc, &argv, &exit_status))
    {
      run (&talk, &error);
      exit_status = sample_client_end (client, error);
      if (exit_status == EX_OK && talk.is_refused)
        exit_status = EX_NOPERM;
    }
  g_free (login);
  g_free (registers);
  g_free (revoked);
  g_free (token_path);
  return exit_status;
}
