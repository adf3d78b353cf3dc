/* test-simple-handlers.c - greeting, discard, chargen, and their limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <socketserver-handlers.h>

/* What the factory gives to the handler. */
typedef struct
{
  GType type;
  gboolean read_first;
  guint pause;
  guint max_bytes;
  guint max_time;
} Settings;

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer user_data)
{
  const Settings *settings = user_data;

  if (settings->type == SRV_TYPE_GREETING_HANDLER)
    return g_object_new (settings->type, "greeting", "Hello!\n", "refusal",
                         "No.\n", "read-first", settings->read_first, "pause",
                         settings->pause, "max-bytes", settings->max_bytes,
                         "max-time", settings->max_time, NULL);
  return g_object_new (settings->type, "max-bytes",
                       (guint64) settings->max_bytes, "max-time",
                       settings->max_time, NULL);
}

/* Tests run under both mix-ins in turn: under one, handlers wait in the system,
 * under the other, they must not. */
#define N_MIX_INS 2
#define mix_in_of(i) \
  ((i) % N_MIX_INS == 0 ? SRV_TEST_THREADING : SRV_TEST_FIBERS)
#define setting_of(i) ((i) / N_MIX_INS)

static SrvBaseServer *
make_server (SrvTestMixIn mix_in, const Settings *settings)
{
  g_autoptr (SrvMixIn) object = srv_test_mix_in_new (mix_in);
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "mix-in", object, NULL);

  srv_base_server_set_handler_factory (server, make_handler,
                                       (gpointer) settings, NULL);
  return server;
}

static guint64
count (SrvBaseServer *server, const char *property)
{
  guint64 value = 0;

  g_object_get (server, property, &value, NULL);
  return value;
}

/* Nobody failed, and nothing was cut. */
static void
finish_well (SrvTestRun *run)
{
  g_object_ref (run->server);
  {
    g_autoptr (SrvBaseServer) server = run->server;

    srv_test_finish (run);
    ck_assert_uint_eq (count (server, "n-failed"), 0);
  }
}

/* Greeting */

/* The default is a banner: nobody has to speak. */
START_TEST (banner_comes_unasked)
{
  const Settings settings = { SRV_TYPE_GREETING_HANDLER, FALSE, 0, 64, 0 };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_expect (fd, "Hello!\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish_well (run);
}
END_TEST

/* Messages, how they are sent, and the answer. Without a pause only a newline
 * and the end of the input end them. */
static const struct
{
  const char *pieces[3];
  gboolean half_close;
  guint pause;
  const char *answer;
} dialogues[] = {
  { { "hi\n" }, FALSE, 0, "Hello!\n" },
  { { "hi" }, TRUE, 0, "Hello!\n" },
  { { "hi" }, FALSE, 50, "Hello!\n" },
  { { "h", "i", "\n" }, FALSE, 0, "Hello!\n" },
  { { "" }, TRUE, 0, "Hello!\n" },
  { { "\xd0", "\x9f\n" }, FALSE, 0, "Hello!\n" },
  { { "\xd0\n" }, FALSE, 0, "No.\n" },
  { { "\xff" }, TRUE, 0, "No.\n" },
  { { "123456789012345\n" }, FALSE, 0, "Hello!\n" },
  { { "1234567890123456\n" }, FALSE, 0, "No.\n" },
  { { "12345678", "901234567" }, FALSE, 0, "No.\n" },
};

START_TEST (messages_are_answered)
{
  const Settings settings = { SRV_TYPE_GREETING_HANDLER, TRUE,
                              dialogues[setting_of (_i)].pause, 16,
                              SRV_TEST_PATIENCE };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  for (guint i = 0; i < 3 && dialogues[setting_of (_i)].pieces[i] != NULL; i++)
    srv_test_say (fd, dialogues[setting_of (_i)].pieces[i]);
  if (dialogues[setting_of (_i)].half_close)
    shutdown (fd, SHUT_WR);
  srv_test_expect (fd, dialogues[setting_of (_i)].answer);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish_well (run);
}
END_TEST

/* A client that never ends its message is cut off: that is a failed request. */
START_TEST (endless_message_times_out)
{
  const Settings settings = { SRV_TYPE_GREETING_HANDLER, TRUE, 0, 64, 100 };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_begin_log ();
  srv_test_say (fd, "and then, and then, ");
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

/* What the client said is in the log as one message. */
START_TEST (message_is_logged_whole)
{
  const Settings settings = { SRV_TYPE_GREETING_HANDLER, TRUE, 0, 64, 0 };
  g_autofree char *path = srv_test_path ("log");
  g_autofree char *text = NULL;
  g_autoptr (SrvEventLog) log = srv_event_log_new_for_file (path, NULL);
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run;
  int fd;

  srv_event_log_watch (log, server);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "one ");
  srv_test_say (fd, "\033[2J two\n");
  srv_test_expect (fd, "Hello!\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish_well (run);
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_ptr_nonnull (
    strstr (text, " bytes=13 text=\"one \\x1b[2J two\\n\"\n"));
  ck_assert_ptr_nonnull (strstr (text, " received=13 sent=7 end=eof\n"));
  g_unlink (path);
}
END_TEST

/* Discard */

START_TEST (discard_answers_nothing)
{
  const Settings settings = { SRV_TYPE_DISCARD_HANDLER, .max_bytes = 0 };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *much = g_strnfill (1000000, 'x');
  int fd = srv_test_connect (server);

  srv_test_say (fd, much);
  shutdown (fd, SHUT_WR);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish_well (run);
}
END_TEST

START_TEST (discard_ends_at_its_limits)
{
  const Settings settings[] = {
    { SRV_TYPE_DISCARD_HANDLER, .max_bytes = 10 },
    { SRV_TYPE_DISCARD_HANDLER, .max_time = 100 },
  };
  SrvBaseServer *server =
    make_server (mix_in_of (_i), &settings[setting_of (_i)]);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_say (fd, "0123456789");
  ck_assert (setting_of (_i) == 1 || srv_test_is_quiet (fd));
  if (setting_of (_i) == 0)
    srv_test_say (fd, "!");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish_well (run);
}
END_TEST

/* A byte now and then is no way around the limit on time. */
START_TEST (discard_is_not_kept_by_a_trickle)
{
  const Settings settings = { SRV_TYPE_DISCARD_HANDLER, .max_time = 200 };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  const gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  int fd = srv_test_connect (server);
  char byte = 'x';

  while (recv (fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
    {
      ck_assert (g_get_monotonic_time () < deadline);
      if (send (fd, &byte, 1, MSG_NOSIGNAL) < 0)
        break;
      g_usleep (10000);
    }
  srv_test_close (fd);
  finish_well (run);
}
END_TEST

/* Chargen */

/* The pattern of RFC 864, figured out another way than the handler does. */
static char
expected_character (gsize position)
{
  const gsize line = position / 74;
  const gsize column = position % 74;

  if (column >= 72)
    return column == 72 ? '\r' : '\n';
  return (char) (32 + (line + column) % 95);
}

static const guint totals[] = { 1, 73, 74, 7029, 7030, 7031, 200000 };

START_TEST (chargen_sends_the_pattern)
{
  const Settings settings = { SRV_TYPE_CHARGEN_HANDLER,
                              .max_bytes = totals[setting_of (_i)] };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  g_autofree char *all = NULL;
  gsize length;

  all = srv_test_read_all (fd, &length);
  ck_assert_uint_eq (length, totals[setting_of (_i)]);
  for (gsize i = 0; i < length; i++)
    if (all[i] != expected_character (i))
      ck_abort_msg ("byte %zu is wrong", i);
  srv_test_close (fd);
  finish_well (run);
}
END_TEST

/* A client that does not read cannot keep it beyond its time. */
START_TEST (chargen_ends_in_time)
{
  const Settings settings = { SRV_TYPE_CHARGEN_HANDLER, .max_time = 100 };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_eventually (count (server, "n-accepted") == 1);
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
  srv_test_close (fd);
  finish_well (run);
}
END_TEST

START_TEST (chargen_ends_when_the_client_does)
{
  const Settings settings = { SRV_TYPE_CHARGEN_HANDLER, .max_bytes = 0 };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  char line[74];

  ck_assert_int_eq (srv_test_receive (fd, line, sizeof line), sizeof line);
  srv_test_close (fd);
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
  srv_test_finish (run);
}
END_TEST

static gpointer
read_to_the_end (gpointer data)
{
  char buffer[4096];

  while (recv (GPOINTER_TO_INT (data), buffer, sizeof buffer, 0) > 0)
    ;
  return NULL;
}

/* Without any limit it still ends when the server closes. */
START_TEST (chargen_ends_when_the_server_closes)
{
  const Settings settings = { SRV_TYPE_CHARGEN_HANDLER, .max_bytes = 0 };
  SrvBaseServer *server = make_server (mix_in_of (_i), &settings);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  GThread *reader =
    g_thread_new ("reader", read_to_the_end, GINT_TO_POINTER (fd));

  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 1);
  finish_well (run);
  g_thread_join (reader);
  srv_test_close (fd);
}
END_TEST

int
main (void)
{
  const SrvTestEntry entries[] = {
    { "greeting", banner_comes_unasked, N_MIX_INS },
    { "greeting", messages_are_answered, G_N_ELEMENTS (dialogues) * N_MIX_INS },
    { "greeting", endless_message_times_out, N_MIX_INS },
    { "greeting", message_is_logged_whole, N_MIX_INS },
    { "discard", discard_answers_nothing, N_MIX_INS },
    { "discard", discard_ends_at_its_limits, 2 * N_MIX_INS },
    { "discard", discard_is_not_kept_by_a_trickle, N_MIX_INS },
    { "chargen", chargen_sends_the_pattern, G_N_ELEMENTS (totals) * N_MIX_INS },
    { "chargen", chargen_ends_in_time, N_MIX_INS },
    { "chargen", chargen_ends_when_the_client_does, N_MIX_INS },
    { "chargen", chargen_ends_when_the_server_closes, N_MIX_INS },
  };

  return srv_test_run_entries ("simple-handlers", entries,
                               G_N_ELEMENTS (entries));
}
