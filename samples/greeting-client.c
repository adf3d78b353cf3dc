/* greeting-client.c - says something, if need be, and reads the answer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: ending one's half of a connection, so that the server knows that
 *        nothing follows; bytes and characters.
 * Run:   greeting-client --say 'Hello, server!' tcp:127.0.0.1:11111
 * See:   the answer, and a line with its length.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 11111), 10) as s:
 *       s.sendall("Hello, server!".encode())
 *       s.shutdown(socket.SHUT_WR)
 *       answer = s.makefile("rb").read()
 *       print(answer.decode(), len(answer))
 */

#include "sample-answer.h"

#include <string.h>

#define MAX_ANSWER (1024 * 1024)

static char *say; /* NULL: nothing */

static const GOptionEntry entries[] = {
  { "say", 's', 0, G_OPTION_ARG_FILENAME, &say,
    "What to say to the server (default: nothing)", "TEXT" },
  G_OPTION_ENTRY_NULL,
};

static char *
describe_length (const GString *answer)
{
  if (!g_utf8_validate_len (answer->str, answer->len, NULL))
    return g_strdup_printf ("%" G_GSIZE_FORMAT " bytes, not UTF-8\n",
                            answer->len);
  return g_strdup_printf ("%" G_GSIZE_FORMAT " bytes, %ld characters\n",
                          answer->len,
                          g_utf8_strlen (answer->str, (gssize) answer->len));
}

static gboolean
talk (SampleClient *client, GError **error)
{
  const gint64 deadline = sample_client_get_deadline (client);
  g_autoptr (GString) answer = NULL;
  g_autofree char *length = NULL;

  if (say != NULL &&
      !sample_answer_send (client, say, strlen (say), deadline, error))
    return FALSE;
  if (!sample_client_is_datagram (client))
    sample_client_half_close (client, NULL);
  answer = sample_answer_receive_all (client, MAX_ANSWER, deadline, error);
  if (answer == NULL)
    return FALSE;
  length = describe_length (answer);
  if (answer->len > 0 && answer->str[answer->len - 1] != '\n')
    g_string_append_c (answer, '\n');
  return sample_client_print (client, answer->str, answer->len, error) &&
         sample_client_print (client, length, strlen (length), error);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new ("Says something and shows the answer.");
  g_autoptr (GError) error = NULL;
  int exit_status;

  sample_client_describe (client, entries, SAMPLE_ANSWER_DESCRIPTION);
  if (sample_client_parse (client, &argc, &argv, &exit_status))
    {
      if (sample_client_connect (client, &error))
        talk (client, &error);
      exit_status = sample_client_end (client, error);
    }
  g_free (say);
  return exit_status;
}
