/* sample-accounts.c - what the samples about accounts have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Passwords that nobody sees: not on a terminal, not on a command line, which
 * all users of a machine can read. Lines from a server, and the tutorials'
 * dialogues, where a server that is silent waits for an answer.
 */

#include "sample-accounts.h"

#include "sample-answer.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_SECRET 1024
#define MAX_LINE   65536
#define PAUSE_US   (300 * 1000)

/* A line, byte by byte: what follows it is not ours. */
static char *
read_line (int fd, GError **error)
{
  g_autofree char *line = g_malloc0 (MAX_SECRET + 1);
  gsize length = 0;
  gssize n;

  while (length < MAX_SECRET && (n = read (fd, line + length, 1)) != 0)
    {
      if (n < 0 && errno != EINTR)
        {
          g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                       "could not read a password: %s", g_strerror (errno));
          return NULL;
        }
      if (n == 1 && line[length] == '\n')
        break;
      length += n == 1;
    }
  line[length] = '\0';
  if (length > 0 && length < MAX_SECRET)
    return g_steal_pointer (&line);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "there is no password, or one that is too long");
  return NULL;
}

static char *
ask (const char *question, GError **error)
{
  struct termios loud;
  struct termios silent;
  char *secret;

  if (tcgetattr (STDIN_FILENO, &loud) != 0)
    return read_line (STDIN_FILENO, error);
  silent = loud;
  silent.c_lflag &= ~(tcflag_t) ECHO;
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
  g_printerr ("%s: ", question);
  secret = read_line (STDIN_FILENO, error);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &loud);
  g_printerr ("\n");
  return secret;
}

/* From standard input, or, if it is not -1, from a descriptor. A terminal does
 * not show it. */
char *
sample_accounts_read_secret (const char *question, int fd, GError **error)
{
  return fd >= 0 ? read_line (fd, error) : ask (question, error);
}

void
sample_accounts_free_secret (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

/* @buffer holds what has come after the line. */
char *
sample_accounts_receive_line (SampleClient *client,
                              GString *buffer,
                              gint64 deadline,
                              GError **error)
{
  char chunk[1024];
  const char *newline;
  char *line;

  while ((newline = memchr (buffer->str, '\n', buffer->len)) == NULL)
    {
      gssize n =
        sample_answer_receive (client, chunk, sizeof chunk, deadline, error);

      if (n > 0)
        g_string_append_len (buffer, chunk, n);
      if (n == 0 || buffer->len > MAX_LINE)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                             "the server has not answered");
      if (n <= 0 || buffer->len > MAX_LINE)
        return NULL;
    }
  line = g_strndup (buffer->str, (gsize) (newline - buffer->str));
  g_string_erase (buffer, 0, newline - buffer->str + 1);
  return line;
}

/* What has come, 0 at the end, -2 when the server is silent. */
static gssize
listen_to (SampleClient *client,
           char *chunk,
           gsize size,
           gboolean may_answer,
           gint64 deadline,
           GError **error)
{
  const gint64 pause = g_get_monotonic_time () + PAUSE_US;
  GError *local = NULL;
  gssize n =
    sample_answer_receive (client, chunk, size,
                           may_answer ? MIN (pause, deadline) : deadline,
                           &local);

  if (may_answer && g_get_monotonic_time () < deadline &&
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      g_error_free (local);
      return -2;
    }
  if (local != NULL)
    g_propagate_error (error, local);
  return n;
}

/* Shows what the server says, and gives it one answer whenever it has said
 * something and is silent. */
gboolean
sample_accounts_recite (SampleClient *client,
                        const char *const *answers,
                        GError **error)
{
  gint64 deadline = sample_client_get_deadline (client);
  gboolean was_asked = FALSE;
  char chunk[1024];
  gssize n;

  while ((n = listen_to (client, chunk, sizeof chunk,
                         was_asked && *answers != NULL, deadline, error)) != 0)
    {
      if (n == -1)
        return FALSE;
      was_asked = n > 0;
      if (n > 0 && !sample_client_print (client, chunk, (gsize) n, error))
        return FALSE;
      if (n > 0)
        continue;
      deadline = sample_client_get_deadline (client);
      if (!sample_answer_send (client, *answers, strlen (*answers), deadline,
                               error))
        return FALSE;
      answers++;
    }
  return TRUE;
}
