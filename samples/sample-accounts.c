/* sample-accounts.c - what the samples about accounts have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lines from a server, and the tutorials' dialogues, where a server that is
 * silent waits for an answer.
 */

#include "sample-accounts.h"

#include "sample-answer.h"

#include <string.h>

#define MAX_LINE 65536
#define PAUSE_US (300 * 1000)

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
  gsize rest;

  while ((newline = memchr (buffer->str, '\n', buffer->len)) == NULL)
    {
      gssize n =
        sample_answer_receive (client, chunk, sizeof chunk, deadline, error);

      if (n > 0)
        g_string_append_len (buffer, chunk, n);
      explicit_bzero (chunk, sizeof chunk);
      if (n == 0 || buffer->len > MAX_LINE)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                             "the server has not answered");
      if (n <= 0 || buffer->len > MAX_LINE)
        return NULL;
    }
  line = g_strndup (buffer->str, (gsize) (newline - buffer->str));
  rest = buffer->len - (gsize) (newline - buffer->str) - 1;
  g_string_erase (buffer, 0, newline - buffer->str + 1);
  /* It may have been a token, which is still behind the end. */
  explicit_bzero (buffer->str + rest, buffer->allocated_len - rest - 1);
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
