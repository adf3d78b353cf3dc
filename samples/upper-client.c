/* upper-client.c - sends a text, gets as many bytes back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a reply that comes in pieces, whose end is known by its length.
 * Run:   upper-client tcp:127.0.0.1:10000
 * See:   connected to tcp:127.0.0.1:10000
 *        sending: Hello World!
 *        received: HELLO WORLD!
 *        closing socket
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 10000), 10) as s:
 *       s.sendall(message)
 *       n = 0
 *       while n < len(message) and (data := s.recv(16)):
 *           n += len(data)
 *           print("received:", data.decode())
 */

#include "sample-answer.h"

#include <string.h>

#define CHUNK_SIZE 16

static char *say; /* NULL: the tutorial's */

static const GOptionEntry entries[] = {
  { "say", 's', 0, G_OPTION_ARG_FILENAME, &say,
    "What to send (default: Hello World!)", "TEXT" },
  G_OPTION_ENTRY_NULL,
};

static gboolean G_GNUC_PRINTF (3, 4)
  show (SampleClient *client, GError **error, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  return sample_client_print (client, line, strlen (line), error);
}

/* A chunk may end within a character, so the text is shown as it is escaped:
 * no part of it is lost, and no part can steer a terminal. */
static gboolean
receive_chunks (SampleClient *client,
                gsize length,
                gint64 deadline,
                GError **error)
{
  char chunk[CHUNK_SIZE];
  gsize n_received = 0;

  while (n_received < length)
    {
      gssize n =
        sample_answer_receive (client, chunk, sizeof chunk, deadline, error);
      g_autofree char *text = n > 0 ? srv_escape (chunk, n) : NULL;

      if (n == 0)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                             "the server hung up before everything came back");
      if (n <= 0 || !show (client, error, "received: %s\n", text))
        return FALSE;
      n_received += (gsize) n;
    }
  return TRUE;
}

static gboolean
talk (SampleClient *client, const char *text, GError **error)
{
  const gint64 deadline = sample_client_get_deadline (client);
  g_autofree char *escaped = srv_escape (text, -1);
  gboolean ok =
    show (client, error, "sending: %s\n", escaped) &&
    sample_answer_send (client, text, strlen (text), deadline, error) &&
    receive_chunks (client, strlen (text), deadline, error);

  return show (client, ok ? error : NULL, "closing socket\n") && ok;
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new ("Sends a text and shows how it comes back.");
  g_autoptr (GError) error = NULL;
  int exit_status;

  sample_client_describe (client, entries, SAMPLE_ANSWER_DESCRIPTION);
  if (sample_client_parse (client, &argc, &argv, &exit_status))
    {
      if (sample_client_connect (client, &error))
        talk (client, say != NULL ? say : "Hello World!", &error);
      exit_status = sample_client_end (client, error);
    }
  g_free (say);
  return exit_status;
}
