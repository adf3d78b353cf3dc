/* test-time-handlers.c - the time, over streams and datagrams
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <socketserver-handlers.h>

/* What the factories below give to handlers. */
static SrvTimeFormat format;
static gboolean answer_all;

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              SrvRequest *request,
              G_GNUC_UNUSED gpointer user_data)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();

  if (SRV_IS_DATAGRAM (request))
    return g_object_new (SRV_TYPE_DATAGRAM_TIME_HANDLER, "format", format,
                         "time-zone", utc, "answer-all", answer_all, NULL);
  return g_object_new (SRV_TYPE_TIME_HANDLER, "format", format, "time-zone",
                       utc, NULL);
}

static SrvBaseServer *
make_server (SrvTestTransport transport, SrvTestMixIn mix_in)
{
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvMixIn) object = srv_test_mix_in_new (mix_in);
  SrvBaseServer *server = srv_test_make (srv_test_plain_type (transport),
                                         string, "mix-in", object, NULL);

  srv_base_server_set_handler_factory (server, make_handler, NULL, NULL);
  return server;
}

static void
drop (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  g_object_unref (server);
}

static void
handle_one (SrvBaseServer *server)
{
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, &error),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_assert_no_error (error);
}

static guint64
count (SrvBaseServer *server, const char *property)
{
  guint64 value = 0;

  g_object_get (server, property, &value, NULL);
  return value;
}

/* Times whose form is known: of every format one, two days of the month, and
 * the examples of RFC 868. */
static const struct
{
  SrvTimeFormat format;
  const char *zone;
  int year, month, day, hour, minute, second;
  const char *expected;
  gsize length;
} times[] = {
  { SRV_TIME_FORMAT_CTIME, "UTC", 2026, 5, 4, 10, 11, 12,
    "Mon May  4 10:11:12 2026\n", 25 },
  { SRV_TIME_FORMAT_CTIME, "UTC", 1999, 12, 31, 23, 59, 59,
    "Fri Dec 31 23:59:59 1999\n", 25 },
  { SRV_TIME_FORMAT_CTIME, "+03:00", 1970, 1, 1, 3, 0, 0,
    "Thu Jan  1 03:00:00 1970\n", 25 },
  { SRV_TIME_FORMAT_ISO_8601, "UTC", 2026, 5, 4, 10, 11, 12,
    "2026-05-04T10:11:12+00:00\n", 26 },
  { SRV_TIME_FORMAT_ISO_8601, "-03:30", 2026, 11, 30, 1, 2, 3,
    "2026-11-30T01:02:03-03:30\n", 26 },
  { SRV_TIME_FORMAT_DAYTIME, "UTC", 1982, 2, 22, 17, 37, 43,
    "Monday, February 22, 1982 17:37:43-UTC\r\n", 40 },
  { SRV_TIME_FORMAT_DAYTIME, "UTC", 2026, 9, 30, 23, 59, 59,
    "Wednesday, September 30, 2026 23:59:59-UTC\r\n", 44 },
  { SRV_TIME_FORMAT_RFC_868, "UTC", 1970, 1, 1, 0, 0, 0, "\x83\xaa\x7e\x80",
    4 },
  { SRV_TIME_FORMAT_RFC_868, "UTC", 1980, 1, 1, 0, 0, 0, "\x96\x79\x24\x80",
    4 },
  { SRV_TIME_FORMAT_RFC_868, "UTC", 1983, 5, 1, 0, 0, 0, "\x9c\xbc\x44\x80",
    4 },
  { SRV_TIME_FORMAT_RFC_868, "+02:00", 1970, 1, 1, 2, 0, 0, "\x83\xaa\x7e\x80",
    4 },
  { SRV_TIME_FORMAT_RFC_868, "UTC", 2036, 2, 7, 6, 28, 16, "\0\0\0\0", 4 },
};

START_TEST (known_times_are_written_so)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (times[_i].zone);
  g_autoptr (GDateTime) when =
    g_date_time_new (zone, times[_i].year, times[_i].month, times[_i].day,
                     times[_i].hour, times[_i].minute, times[_i].second);
  g_autoptr (GBytes) written = srv_time_format_render (times[_i].format, when);
  gsize length;
  const char *bytes = g_bytes_get_data (written, &length);

  ck_assert_uint_eq (length, times[_i].length);
  ck_assert_mem_eq (bytes, times[_i].expected, length);
}
END_TEST

/* The present, and not that of another century. */
START_TEST (now_is_now)
{
  const gint64 before = g_get_real_time () / G_USEC_PER_SEC;
  g_autoptr (GBytes) written =
    srv_time_format_render_now (SRV_TIME_FORMAT_RFC_868, NULL);
  const gint64 after = g_get_real_time () / G_USEC_PER_SEC;
  guint32 seconds;
  gint64 since_1970;

  memcpy (&seconds, g_bytes_get_data (written, NULL), sizeof seconds);
  since_1970 =
    (gint64) GUINT32_FROM_BE (seconds) - G_GINT64_CONSTANT (2208988800);
  ck_assert_int_ge (since_1970, before);
  ck_assert_int_le (since_1970, after);
}
END_TEST

/* Length of a reply of today; of DAYTIME it is not fixed. */
static const gsize lengths[] = { 25, 26, 4, 0 };

/* Every format over every stream and mix-in: the client gets the time without
 * asking, whole, and then the end. */
START_TEST (streams_tell_the_time)
{
  const SrvTestTransport transport = _i % 2 == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autofree char *reply = NULL;
      SrvBaseServer *server;
      SrvTestRun *run;
      gsize length;
      int fd;

      format = (SrvTimeFormat) i;
      server = make_server (transport, _i / 2 % SRV_TEST_N_MIX_INS);
      run = srv_test_run (server);
      fd = srv_test_connect (server);
      reply = srv_test_read_all (fd, &length);
      if (format == SRV_TIME_FORMAT_DAYTIME)
        ck_assert_str_eq (reply + length - 5, "UTC\r\n");
      else
        ck_assert_uint_eq (length, lengths[i]);
      srv_test_close (fd);
      srv_test_finish (run);
    }
}
END_TEST

/* A client that speaks all the same is answered, and its bytes do not turn the
 * end into a reset. */
START_TEST (unasked_for_input_does_no_harm)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, SRV_TEST_THREADING);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  g_autofree char *reply = NULL;
  gsize length;

  srv_test_say (fd, "what time is it?\n");
  reply = srv_test_read_all (fd, &length);
  ck_assert_uint_eq (length, 25);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* Sends a question of LENGTH bytes; how long is the answer? -1: none. */
static gssize
ask (SrvBaseServer *server, gsize length)
{
  char buffer[128] = { 0 };
  int fd = srv_test_connect (server);
  gssize n = -1;

  srv_test_send (fd, buffer, length);
  handle_one (server);
  /* The handler is through: an answer would be here. */
  if (!srv_test_is_quiet (fd))
    n = srv_test_receive (fd, buffer, sizeof buffer);
  srv_test_close (fd);
  return n;
}

/* The promise of the class: over UDP the answer is shorter than the question,
 * or there is none. */
START_TEST (udp_answers_are_shorter_than_questions)
{
  static const gsize limits[] = { 25, 26, 4 };
  SrvBaseServer *server = make_server (SRV_TEST_UDP, SRV_TEST_INLINE);

  format = (SrvTimeFormat) _i;
  ck_assert_int_eq (ask (server, 0), -1);
  ck_assert_int_eq (ask (server, 1), -1);
  ck_assert_int_eq (ask (server, limits[_i] - 1), -1);
  ck_assert_int_eq (ask (server, limits[_i]), -1);
  ck_assert_int_eq (ask (server, limits[_i] + 1), (gssize) limits[_i]);
  ck_assert_int_eq (ask (server, 64), (gssize) limits[_i]);
  ck_assert_uint_eq (count (server, "n-failed"), 0);
  drop (server);
}
END_TEST

START_TEST (daytime_needs_61_bytes_at_most)
{
  SrvBaseServer *server = make_server (SRV_TEST_UDP, SRV_TEST_INLINE);

  format = SRV_TIME_FORMAT_DAYTIME;
  ck_assert_int_eq (ask (server, 33), -1);
  ck_assert_int_ge (ask (server, 61), 33);
  drop (server);
}
END_TEST

/* RFC 868 and 867 as they are written: an empty datagram asks. */
START_TEST (trusted_networks_get_every_answer)
{
  SrvBaseServer *server = make_server (SRV_TEST_UDP, SRV_TEST_INLINE);

  answer_all = TRUE;
  format = SRV_TIME_FORMAT_RFC_868;
  ck_assert_int_eq (ask (server, 0), 4);
  format = SRV_TIME_FORMAT_CTIME;
  ck_assert_int_eq (ask (server, 1), 25);
  drop (server);
}
END_TEST

/* The system vouches for the senders of Unix sockets. */
START_TEST (unix_datagrams_are_always_answered)
{
  SrvBaseServer *server = make_server (SRV_TEST_UNIXGRAM, SRV_TEST_INLINE);

  ck_assert_int_eq (ask (server, 1), 25);
  drop (server);
}
END_TEST

/* Two servers that a forged datagram has set on each other: the answer of one
 * is no question that another one answers. */
START_TEST (answers_are_not_answered)
{
  SrvBaseServer *server = make_server (SRV_TEST_UDP, SRV_TEST_INLINE);

  for (gsize n = 0; n <= 26; n++)
    {
      format = SRV_TIME_FORMAT_ISO_8601;
      ck_assert_int_eq (ask (server, n), -1);
    }
  drop (server);
}
END_TEST

/* What the event log says of both. */
START_TEST (events_are_reported)
{
  g_autofree char *path = srv_test_path ("log");
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvEventLog) log = srv_event_log_new_for_file (path, &error);
  SrvBaseServer *server = make_server (SRV_TEST_TCP, SRV_TEST_INLINE);
  int fd;

  srv_test_assert_no_error (error);
  srv_event_log_watch (log, server);
  fd = srv_test_connect (server);
  handle_one (server);
  srv_test_close (fd);
  drop (server);
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_ptr_nonnull (strstr (text, " connected tcp:"));
  ck_assert_ptr_nonnull (strstr (text, " bytes=25\n"));
  ck_assert_ptr_nonnull (strstr (text, " received=0 sent=25 end=eof\n"));
  g_unlink (path);
}
END_TEST

int
main (void)
{
  const SrvTestEntry entries[] = {
    { "format", known_times_are_written_so, G_N_ELEMENTS (times) },
    { "format", now_is_now, 1 },
    { "stream", streams_tell_the_time, 2 * SRV_TEST_N_MIX_INS },
    { "stream", unasked_for_input_does_no_harm, 1 },
    { "stream", events_are_reported, 1 },
    { "datagram", udp_answers_are_shorter_than_questions, 3 },
    { "datagram", daytime_needs_61_bytes_at_most, 1 },
    { "datagram", trusted_networks_get_every_answer, 1 },
    { "datagram", unix_datagrams_are_always_answered, 1 },
    { "datagram", answers_are_not_answered, 1 },
  };

  return srv_test_run_entries ("time-handlers", entries,
                               G_N_ELEMENTS (entries));
}
