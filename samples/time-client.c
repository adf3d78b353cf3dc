/* time-client.c - asks a time server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: reading to the end within a limit and a deadline, and not believing
 *        what came.
 * Run:   time-client tcp:127.0.0.1:10000
 *        time-client --format rfc-868 udp:127.0.0.1:10000
 * See:   a line `current time: ...`.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 10000), 10) as s:
 *       print("current time:", s.makefile().read(1024), end="")
 */

#include "sample-answer.h"
#include "sample-time.h"

#include <string.h>

#define MAX_ANSWER 1024

/* Over UDP a server sends no more than it got: a question must be longer than
 * any answer. */
#define QUESTION_LENGTH 64

static SrvTimeFormat format = SRV_TIME_FORMAT_CTIME;

static gboolean
parse_format (G_GNUC_UNUSED const char *option,
              const char *value,
              G_GNUC_UNUSED gpointer data,
              GError **error)
{
  return sample_time_parse_format (value, &format, error);
}

static const GOptionEntry entries[] = {
  { "format", 'f', 0, G_OPTION_ARG_CALLBACK, parse_format,
    "What the server speaks: ctime (default), iso-8601, rfc-868 or daytime",
    "NAME" },
  G_OPTION_ENTRY_NULL,
};

static char *
bad_answer (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "what the server sent is not a time");
  return NULL;
}

/* Four bytes, the highest first. They count from 1900, and from 2036 on once
 * more from 0; no server's clock is before 1968. */
static char *
decode_rfc_868 (const GString *answer, GError **error)
{
  g_autoptr (GDateTime) when = NULL;
  guint32 big_endian;
  gint64 seconds;

  if (answer->len != sizeof big_endian)
    return bad_answer (error);
  memcpy (&big_endian, answer->str, sizeof big_endian);
  seconds = GUINT32_FROM_BE (big_endian);
  if (seconds < G_GINT64_CONSTANT (0x80000000))
    seconds += G_GINT64_CONSTANT (0x100000000);
  when =
    g_date_time_new_from_unix_utc (seconds - G_GINT64_CONSTANT (2208988800));
  return g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ");
}

/* One line of ASCII that is not empty. */
static char *
decode_line (GString *answer, GError **error)
{
  if (answer->len > 0 && answer->str[answer->len - 1] == '\n')
    g_string_truncate (answer, answer->len - 1);
  if (answer->len > 0 && answer->str[answer->len - 1] == '\r')
    g_string_truncate (answer, answer->len - 1);
  if (answer->len == 0)
    return bad_answer (error);
  for (gsize i = 0; i < answer->len; i++)
    {
      if (!g_ascii_isprint (answer->str[i]))
        return bad_answer (error);
    }
  return g_strdup (answer->str);
}

static gboolean
ask (SampleClient *client, GError **error)
{
  const gint64 deadline = sample_client_get_deadline (client);
  const char question[QUESTION_LENGTH] = { 0 };
  g_autoptr (GString) answer = NULL;
  g_autofree char *when = NULL;
  g_autofree char *line = NULL;

  if (sample_client_is_datagram (client) &&
      !sample_answer_send (client, question, sizeof question, deadline, error))
    return FALSE;
  answer = sample_answer_receive_all (client, MAX_ANSWER, deadline, error);
  if (answer == NULL)
    return FALSE;
  when = format == SRV_TIME_FORMAT_RFC_868 ? decode_rfc_868 (answer, error)
                                           : decode_line (answer, error);
  if (when == NULL)
    return FALSE;
  line = g_strdup_printf ("current time: %s\n", when);
  return sample_client_print (client, line, strlen (line), error);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new ("Asks a time server what time it is.");
  g_autoptr (GError) error = NULL;
  int exit_status;

  sample_client_describe (client, entries, SAMPLE_ANSWER_DESCRIPTION);
  if (!sample_client_parse (client, &argc, &argv, &exit_status))
    return exit_status;
  if (sample_client_connect (client, &error))
    ask (client, &error);
  return sample_client_end (client, error);
}
