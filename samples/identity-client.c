/* identity-client.c - asks whether a server knows this address
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a client of commands and answers, each a line.
 * Run:   identity-client --name Ada tcp:127.0.0.1:9999
 * See:   whether the address had a name, and that it has one now.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 9999), 10) as s:
 *       file = s.makefile("rw")
 *       print(file.readline(), end="")
 *       print("name Ada", file=file, flush=True)
 *       print(file.readline(), end="")
 */

#include "sample-accounts.h"
#include "sample-answer.h"

#include <string.h>
#include <sysexits.h>

static char *name;
static gboolean forget;
static gboolean tutorial;

static const GOptionEntry entries[] = {
  { "name", 'n', 0, G_OPTION_ARG_STRING, &name, "Give the address this name",
    "NAME" },
  { "forget", 'f', 0, G_OPTION_ARG_NONE, &forget,
    "Have the name of the address forgotten", NULL },
  { "tutorial", 0, 0, G_OPTION_ARG_NONE, &tutorial, "Talk as the tutorials do",
    NULL },
  G_OPTION_ENTRY_NULL,
};

/* Shows one answer; *IS_BAD is whether the server has refused something. */
static gboolean
show_answer (SampleClient *client,
             GString *buffer,
             gboolean *is_bad,
             GError **error)
{
  g_autofree char *line =
    sample_accounts_receive_line (client, buffer,
                                  sample_client_get_deadline (client), error);
  g_autofree char *shown = NULL;

  if (line == NULL)
    return FALSE;
  *is_bad = *is_bad || g_str_has_prefix (line, "bad");
  shown = g_strconcat (line, "\n", NULL);
  return sample_client_print (client, shown, strlen (shown), error);
}

static gboolean
command (SampleClient *client, const char *text, GError **error)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return sample_answer_send (client, line, strlen (line),
                             sample_client_get_deadline (client), error);
}

static gboolean
talk (SampleClient *client, gboolean *is_bad, GError **error)
{
  g_autoptr (GString) buffer = g_string_new (NULL);
  g_autofree char *text = name != NULL ? g_strconcat ("name ", name, NULL)
                                       : NULL;

  if (!show_answer (client, buffer, is_bad, error))
    return FALSE;
  if (text != NULL && (!command (client, text, error) ||
                       !show_answer (client, buffer, is_bad, error)))
    return FALSE;
  return !forget || (command (client, "forget", error) &&
                     show_answer (client, buffer, is_bad, error));
}

static int
run (SampleClient *client)
{
  const char *const answers[] = { name, NULL };
  g_autoptr (GError) error = NULL;
  gboolean is_bad = FALSE;
  int exit_status;

  if (sample_client_connect (client, &error))
    {
      if (tutorial)
        sample_accounts_recite (client, answers, &error);
      else
        talk (client, &is_bad, &error);
    }
  exit_status = sample_client_end (client, error);
  return exit_status == EX_OK && is_bad ? EX_NOPERM : exit_status;
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new ("Asks whether a server knows this address.");
  int exit_status;

  sample_client_describe (client, entries,
                          SAMPLE_ANSWER_DESCRIPTION
                          "77 the server has refused.\n");
  if (sample_client_parse (client, &argc, &argv, &exit_status))
    exit_status = run (client);
  g_free (name);
  return exit_status;
}
