/* sample-answer.c - one question, one answer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For clients that say little and then read: everything is sent, however many
 * pieces the system makes of it, and one deadline holds for all.
 */

#include "sample-answer.h"

#define CHUNK_SIZE 4096

gboolean
sample_answer_send (SampleClient *client,
                    const char *data,
                    gsize length,
                    gint64 deadline,
                    GError **error)
{
  while (length > 0)
    {
      gssize n;

      if (!srv_wait_fd (sample_client_get_fd (client), G_IO_OUT, deadline, NULL,
                        error))
        return FALSE;
      n = sample_client_send (client, data, length, error);
      if (n < 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* What has come, at least a byte; 0 at the end of a stream. */
gssize
sample_answer_receive (SampleClient *client,
                       char *buffer,
                       gsize size,
                       gint64 deadline,
                       GError **error)
{
  if (!srv_wait_fd (sample_client_get_fd (client), G_IO_IN, deadline, NULL,
                    error))
    return -1;
  return sample_client_receive (client, buffer, size, error);
}

/* A datagram, or a stream to its end. An answer that has more than @max_length
 * bytes is none. */
GString *
sample_answer_receive_all (SampleClient *client,
                           gsize max_length,
                           gint64 deadline,
                           GError **error)
{
  g_autoptr (GString) answer = g_string_new (NULL);
  char chunk[CHUNK_SIZE];
  gssize n;

  do
    {
      n = sample_answer_receive (client, chunk, sizeof chunk, deadline, error);
      if (n < 0)
        return NULL;
      g_string_append_len (answer, chunk, n);
    }
  while (n > 0 && answer->len <= max_length &&
         !sample_client_is_datagram (client));
  if (answer->len <= max_length)
    return g_steal_pointer (&answer);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "the answer has more than %" G_GSIZE_FORMAT " bytes",
               max_length);
  return NULL;
}
