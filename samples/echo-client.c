/* echo-client.c - sends lines, shows what comes back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a client of any transport: connecting with a time limit, sending and
 *        receiving at the same time, ending in order, telling how it went.
 * Run:   echo-client tcp:127.0.0.1:9999
 *        then type lines; `exit` or Ctrl-D ends.
 * See:   the replies on standard output, the events connected, sent, received
 *        and disconnected on standard error.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 9999), 10) as s:
 *       s.sendall(sys.stdin.buffer.read())
 *       s.shutdown(socket.SHUT_WR)
 *       while chunk := s.recv(1024):
 *           sys.stdout.buffer.write(chunk)
 */

#include "sample-client.h"
#include "sample-talk.h"

#include <gio/gunixinputstream.h>
#include <unistd.h>

#define MAX_DATAGRAM 65535

/* A datagram can be lost, so each is waited for in its turn: an answer then
 * belongs to the last question. */
static gboolean
ask (SampleClient *client, const char *line, gsize length, GError **error)
{
  const int fd = sample_client_get_fd (client);
  const gint64 deadline = sample_client_get_deadline (client);
  g_autofree char *reply = g_malloc (MAX_DATAGRAM + 1);
  gssize n;

  if (!srv_wait_fd (fd, G_IO_OUT, deadline, NULL, error) ||
      sample_client_send (client, line, length, error) < 0 ||
      !srv_wait_fd (fd, G_IO_IN, deadline, NULL, error))
    return FALSE;
  n = sample_client_receive (client, reply, MAX_DATAGRAM, error);
  if (n < 0)
    return FALSE;
  reply[n] = '\n';
  return sample_client_print (client, reply, (gsize) n + 1, error);
}

/* One line, one datagram. */
static gboolean
ask_lines (SampleClient *client, GError **error)
{
  g_autoptr (GInputStream) input =
    g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (SrvReader) reader = srv_reader_new (input, -1);
  const char *line;
  gssize length;

  while ((length = srv_reader_read_line (reader, &line, MAX_DATAGRAM, error)) >
         0)
    {
      if (sample_client_is_exit (line, (gsize) length))
        return TRUE;
      if (line[length - 1] == '\n')
        length--;
      if (!ask (client, line, (gsize) length, error))
        return FALSE;
    }
  return length == 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new ("Sends lines and shows what comes back.");
  g_autoptr (GError) error = NULL;
  int exit_status;

  if (!sample_client_parse (client, &argc, &argv, &exit_status))
    return exit_status;
  if (sample_client_connect (client, &error))
    {
      if (sample_client_is_datagram (client))
        ask_lines (client, &error);
      else
        sample_talk (client, &error);
    }
  return sample_client_end (client, error);
}
