/* sample-talk.c - standard input to a stream, its replies to standard output
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Both ways at once. Who first sends everything and then reads will sooner or
 * later wait for a server that waits for him: both buffers are full.
 */

#include "sample-talk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_SIZE  16384
#define MAX_PENDING 65536

typedef struct
{
  SampleClient *client;
  GString *held;    /* the start of a line that may become `exit` */
  GString *pending; /* to be sent */
  gboolean in_line; /* the line that `held` goes on with is no `exit` */
  gboolean input_ended;
  gboolean half_closed;
  gboolean send_failed;
  gboolean server_ended;
  guint64 n_unanswered;
  gint64 deadline; /* of the server's next sign of life */
} Talk;

/* Moves whole lines to what shall be sent, and the rest of a line as soon as
 * it cannot be `exit` any more. */
static void
take_lines (Talk *talk)
{
  const char *start = talk->held->str;
  const char *end = start + talk->held->len;

  while (start < end && !talk->input_ended)
    {
      const char *newline = memchr (start, '\n', (gsize) (end - start));
      gsize length = (gsize) ((newline != NULL ? newline + 1 : end) - start);

      if (!talk->in_line && newline == NULL && length <= strlen ("exit\r"))
        break;
      if (!talk->in_line && sample_client_is_exit (start, length))
        talk->input_ended = TRUE;
      else
        g_string_append_len (talk->pending, start, (gssize) length);
      talk->in_line = newline == NULL;
      start += length;
    }
  g_string_erase (talk->held, 0, start - talk->held->str);
}

static void
end_input (Talk *talk)
{
  talk->input_ended = TRUE;
  if (!sample_client_is_exit (talk->held->str, talk->held->len))
    g_string_append_len (talk->pending, talk->held->str,
                         (gssize) talk->held->len);
  g_string_truncate (talk->held, 0);
}

static gboolean
read_input (Talk *talk, GError **error)
{
  char chunk[CHUNK_SIZE];
  gssize n = read (STDIN_FILENO, chunk, sizeof chunk);

  if (n > 0)
    {
      g_string_append_len (talk->held, chunk, n);
      take_lines (talk);
    }
  else if (n == 0)
    end_input (talk);
  else if (errno != EINTR && errno != EAGAIN)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   "could not read standard input: %s", g_strerror (errno));
      return FALSE;
    }
  return TRUE;
}

static gboolean
is_only_busy (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

/* A server that no longer listens may still have replies under way, so this is
 * not the end. */
static void
send_pending (Talk *talk)
{
  g_autoptr (GError) local = NULL;
  gssize n;

  if (talk->pending->len > 0)
    {
      n = sample_client_send (talk->client, talk->pending->str,
                              talk->pending->len, &local);
      if (n > 0)
        {
          g_string_erase (talk->pending, 0, n);
          talk->n_unanswered += (guint64) n;
        }
    }
  if (talk->pending->len == 0 && talk->input_ended && !talk->half_closed)
    {
      talk->half_closed = TRUE;
      sample_client_half_close (talk->client, NULL);
    }
  if (local == NULL || is_only_busy (local))
    return;
  talk->send_failed = TRUE;
  talk->input_ended = TRUE;
  g_string_truncate (talk->pending, 0);
}

static gboolean
receive_replies (Talk *talk, GError **error)
{
  char chunk[CHUNK_SIZE];
  g_autoptr (GError) local = NULL;
  gssize n = sample_client_receive (talk->client, chunk, sizeof chunk, &local);

  if (n > 0)
    {
      talk->n_unanswered -= MIN ((guint64) n, talk->n_unanswered);
      return sample_client_print (talk->client, chunk, (gsize) n, error);
    }
  if (n == 0)
    talk->server_ended = TRUE;
  if (local == NULL || is_only_busy (local))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
step (Talk *talk, GError **error)
{
  gboolean waits_for_server = talk->half_closed || talk->n_unanswered > 0 ||
                              talk->pending->len > 0;
  gboolean wants_input = !talk->input_ended && talk->pending->len < MAX_PENDING;
  GPollFD fds[] = {
    { wants_input ? STDIN_FILENO : -1, G_IO_IN, 0 },
    { sample_client_get_fd (talk->client), G_IO_IN, 0 },
  };
  gint64 left_ms;
  int n;

  if (talk->pending->len > 0)
    fds[1].events |= G_IO_OUT;
  if (!waits_for_server)
    talk->deadline = sample_client_get_deadline (talk->client);
  left_ms = (talk->deadline - g_get_monotonic_time () + 999) / 1000;
  n = g_poll (fds, G_N_ELEMENTS (fds),
              waits_for_server ? (int) MAX (left_ms, 0) : -1);
  if (n == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           "the server did not answer in time");
      return FALSE;
    }
  if (n < 0)
    return TRUE;
  if (fds[1].revents != 0)
    talk->deadline = sample_client_get_deadline (talk->client);
  if (fds[0].revents != 0 && !read_input (talk, error))
    return FALSE;
  if ((fds[1].revents & ~G_IO_OUT) != 0 && !receive_replies (talk, error))
    return FALSE;
  if (!talk->server_ended)
    send_pending (talk);
  return TRUE;
}

static gboolean
check_complete (Talk *talk, GError **error)
{
  if (talk->half_closed && !talk->send_failed && talk->n_unanswered == 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                       "the server hung up before everything had come back");
  return FALSE;
}

/* Sends lines until `exit` or the end of the input, ends its half of the
 * connection, and shows replies until the server does the same. */
gboolean
sample_talk (SampleClient *client, GError **error)
{
  g_autoptr (GString) held = g_string_new (NULL);
  g_autoptr (GString) pending = g_string_new (NULL);
  Talk talk = { .client = client, .held = held, .pending = pending };

  while (!talk.server_ended)
    {
      if (!step (&talk, error))
        return FALSE;
    }
  return check_complete (&talk, error);
}
