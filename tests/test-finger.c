/* test-finger.c - one line asked, a text answered
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <socketserver-handlers.h>

#define NOBODY     "There is nobody of that name.\r\n"
#define NOT_PASSED "Questions are not passed on.\r\n"

/* More than the system takes for a client that reads nothing. */
#define LONG_TEXT (16 << 20)

static guint max_time; /* 0: no limit */

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer plans)
{
  return g_object_new (SRV_TYPE_FINGER_HANDLER, "plans", plans, "max-time",
                       max_time, NULL);
}

/* In turn under threads, where handlers wait in the system, and fibers, where
 * they must not. */
static SrvTestRun *
begin (int i)
{
  g_autoptr (SrvMixIn) mix_in =
    srv_test_mix_in_new (i % 2 == 0 ? SRV_TEST_THREADING : SRV_TEST_FIBERS);
  GHashTable *plans =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "mix-in", mix_in, NULL);

  g_hash_table_insert (plans, g_strdup ("grace"),
                       g_strdup ("I find bugs.\nAnd moths.\n"));
  g_hash_table_insert (plans, g_strdup ("ada"), g_strdup ("I write programs."));
  g_hash_table_insert (plans, g_strdup ("/Wanda"),
                       g_strdup ("I am no wish for more.\r\n"));
  if (max_time > 0)
    g_hash_table_insert (plans, g_strdup ("long"), g_strnfill (LONG_TEXT, 'x'));
  srv_base_server_set_handler_factory (server, make_handler, plans,
                                       (GDestroyNotify) g_hash_table_unref);
  return srv_test_run (server);
}

/* Whatever is asked, the answer is one of few texts, in lines with CR LF; what
 * the client has said is no part of it. */
START_TEST (questions_are_answered)
{
  static const struct
  {
    const char *question;
    const char *answer;
  } cases[] = {
    { "ada\r\n", "I write programs.\r\n" },
    { "ada\n", "I write programs.\r\n" },
    { "/W  ada \r\n", "I write programs.\r\n" },
    { "/Wanda\r\n", "I am no wish for more.\r\n" },
    { "grace\r\n", "I find bugs.\r\nAnd moths.\r\n" },
    { "\r\n", "/Wanda\r\nada\r\ngrace\r\n" },
    { "/W\r\n", "/Wanda\r\nada\r\ngrace\r\n" },
    { "Ada\r\n", NOBODY },
    { "\033[2Jada\r\n", NOBODY },
    { "../ada\r\n", NOBODY },
    { "ada@example.org\r\n", NOT_PASSED },
    { "@example.org\r\n", NOT_PASSED },
  };
  SrvTestRun *run = begin (_i);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int fd = srv_test_connect (run->server);

      srv_test_say (fd, cases[i].question);
      srv_test_expect (fd, cases[i].answer);
      srv_test_expect_end (fd);
      srv_test_close (fd);
    }
  srv_test_finish (run);
}
END_TEST

static void
expect_no_answer (SrvBaseServer *server, const char *question)
{
  int fd = srv_test_connect (server);

  srv_test_say (fd, question);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
}

/* Questions that are too long or no text are not answered. The limit is
 * exact. */
START_TEST (limits_are_kept)
{
  g_autofree char *longest = g_strnfill (512, 'x');
  g_autofree char *too_long = g_strnfill (513, 'x');
  SrvTestRun *run = begin (_i);
  int fd;

  srv_test_begin_log ();
  expect_no_answer (run->server, too_long);
  expect_no_answer (run->server, "\xff\xff\n");
  fd = srv_test_connect (run->server);
  srv_test_say (fd, longest);
  srv_test_say (fd, "\n");
  srv_test_expect (fd, NOBODY);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

/* Who does not end his question does not keep a handler. */
START_TEST (slow_question_is_given_up)
{
  SrvTestRun *run;

  max_time = 50;
  run = begin (_i);
  srv_test_begin_log ();
  expect_no_answer (run->server, "ada");
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

static guint64
get_n_failed (SrvBaseServer *server)
{
  guint64 n_failed = 0;

  g_object_get (server, "n-failed", &n_failed, NULL);
  return n_failed;
}

/* Neither does who does not read the answer. */
START_TEST (refused_answer_is_given_up)
{
  SrvTestRun *run;
  int fd;

  max_time = 50;
  run = begin (_i);
  srv_test_begin_log ();
  fd = srv_test_connect (run->server);
  srv_test_say (fd, "long\r\n");
  srv_test_eventually (get_n_failed (run->server) == 1);
  srv_test_close (fd);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

/* A handler that was given nothing knows nobody. */
START_TEST (nothing_is_known_by_itself)
{
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "handler-type",
                                         SRV_TYPE_FINGER_HANDLER, NULL);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_say (fd, "root\r\n");
  srv_test_expect (fd, NOBODY);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "finger", questions_are_answered, 2 },
    { "finger", limits_are_kept, 2 },
    { "finger", slow_question_is_given_up, 2 },
    { "finger", refused_answer_is_given_up, 2 },
    { "finger", nothing_is_known_by_itself, 1 },
  };

  return srv_test_run_entries ("Finger", tests, G_N_ELEMENTS (tests));
}
