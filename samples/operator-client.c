/* operator-client.c - a terminal for a chat, both ways at once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: keyboard and network at the same time: one thread for each, and a
 *        terminal on which they do not get in each other's way.
 * Run:   operator-client tcp:127.0.0.1:5000
 * See:   what others say, above the line that you type. `exit` or Ctrl-D ends,
 *        and is not sent; `ByeBye` is sent, and ends.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 5000)) as s:
 *       while (line := input(">>> ")) != "exit":
 *           s.sendall(line.encode())
 *           if line == "ByeBye":
 *               break
 *           print(s.recv(1024).decode())
 */

#include "sample-answer.h"
#include "sample-console.h"

#include <string.h>
#include <sys/socket.h>

#define MAX_LINE 4096

static char *bye_word; /* NULL: "ByeBye" */
static gboolean no_newline;

static const GOptionEntry entries[] = {
  { "bye", 'b', 0, G_OPTION_ARG_FILENAME, &bye_word,
    "The message with which to take leave (default: ByeBye)", "WORD" },
  { "no-newline", 'n', 0, G_OPTION_ARG_NONE, &no_newline,
    "Send messages without an end, as tutorials' servers want them", NULL },
  G_OPTION_ENTRY_NULL,
};

typedef struct
{
  SampleClient *client;
  SampleConsole *console;
  GString *line; /* what has come of a line */

  GMutex lock;
  GCond cond;
  gboolean has_ended; /* the network's thread; guarded by the lock */
  GError *error;      /* why; NULL: end of stream */
} Talk;

static void
show_line (Talk *talk, gsize length)
{
  g_autofree char *text = srv_escape (talk->line->str, (gssize) length);

  sample_console_show (talk->console, "%s", text);
}

/* Whole lines; and what has come without an end, when nothing follows it. */
static void
show_lines (Talk *talk, gboolean is_all)
{
  const char *newline;

  while ((newline = memchr (talk->line->str, '\n', talk->line->len)) != NULL)
    {
      const gsize length = (gsize) (newline - talk->line->str);

      show_line (talk, length);
      g_string_erase (talk->line, 0, (gssize) length + 1);
    }
  if (talk->line->len == 0 || (!is_all && talk->line->len < MAX_LINE))
    return;
  show_line (talk, talk->line->len);
  g_string_truncate (talk->line, 0);
}

/* The servers of tutorials send no newlines: after a pause, a line is shown as
 * it is. */
static gboolean
has_paused (Talk *talk)
{
  return !srv_wait_fd (sample_client_get_fd (talk->client), G_IO_IN,
                       g_get_monotonic_time () + 300000, NULL, NULL);
}

/* The network's thread. */
static gpointer
listen_to_server (gpointer data)
{
  Talk *talk = data;
  char chunk[MAX_LINE];
  gssize n;

  while ((n = sample_answer_receive (talk->client, chunk, sizeof chunk,
                                     G_MAXINT64, &talk->error)) > 0)
    {
      g_string_append_len (talk->line, chunk, n);
      show_lines (talk, FALSE);
      if (talk->line->len > 0)
        show_lines (talk, has_paused (talk));
    }
  show_lines (talk, TRUE);
  sample_console_stop (talk->console);
  g_mutex_lock (&talk->lock);
  talk->has_ended = TRUE;
  g_cond_signal (&talk->cond);
  g_mutex_unlock (&talk->lock);
  return NULL;
}

/* The keyboard's thread, which is the main one. */
static gboolean
send_lines (Talk *talk, GError **error)
{
  const char *bye = bye_word != NULL ? bye_word : "ByeBye";
  gboolean go_on = TRUE;
  guint tag;
  char *line;

  while (go_on &&
         (line = sample_console_read_line (talk->console, &tag)) != NULL)
    {
      g_autofree char *message =
        g_strconcat (line, no_newline ? "" : "\n", NULL);
      gboolean is_exit = strcmp (line, "exit") == 0;

      go_on = !is_exit && strcmp (line, bye) != 0;
      g_free (line);
      if (!is_exit &&
          !sample_answer_send (talk->client, message, strlen (message),
                               sample_client_get_deadline (talk->client),
                               error))
        return FALSE;
    }
  return TRUE;
}

/* Ends our half; a server that then does not end its own gets no more time than
 * any other answer. */
static gboolean
hang_up (Talk *talk, GThread *thread, GError **error)
{
  const gint64 deadline = sample_client_get_deadline (talk->client);
  gboolean in_time = TRUE;

  sample_client_half_close (talk->client, NULL);
  g_mutex_lock (&talk->lock);
  while (!talk->has_ended && in_time)
    in_time = g_cond_wait_until (&talk->cond, &talk->lock, deadline);
  g_mutex_unlock (&talk->lock);
  if (!in_time)
    {
      shutdown (sample_client_get_fd (talk->client), SHUT_RDWR);
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           "the server did not hang up in time");
    }
  g_thread_join (thread);
  return in_time;
}

static void
chat (SampleClient *client, GError **error)
{
  g_autoptr (SampleConsole) console = sample_console_new ();
  g_autoptr (GString) line = g_string_new (NULL);
  Talk talk = { .client = client, .console = console, .line = line };
  GThread *thread;

  if (sample_console_is_terminal (console))
    sample_client_set_quiet (client);
  sample_console_set_prompt (console, ">>> ", 0);
  g_mutex_init (&talk.lock);
  g_cond_init (&talk.cond);
  thread = g_thread_new ("network", listen_to_server, &talk);
  if (send_lines (&talk, error))
    hang_up (&talk, thread, error);
  else
    hang_up (&talk, thread, NULL);
  g_mutex_clear (&talk.lock);
  g_cond_clear (&talk.cond);
  if (*error == NULL && talk.error != NULL)
    g_propagate_error (error, g_steal_pointer (&talk.error));
  g_clear_error (&talk.error);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new ("A terminal for a chat, both ways at once.");
  g_autoptr (GError) error = NULL;
  int exit_status;

  sample_client_describe (client, entries, SAMPLE_ANSWER_DESCRIPTION);
  if (sample_client_parse (client, &argc, &argv, &exit_status))
    {
      if (sample_client_connect (client, &error))
        chat (client, &error);
      exit_status = sample_client_end (client, error);
    }
  g_free (bye_word);
  return exit_status;
}
