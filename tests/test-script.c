/* test-script.c - dialogues by script
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-script-private.h"
#include "srv-test.h"

#include <socketserver-handlers.h>

/* What the factory gives to the handler. */
typedef struct
{
  SrvScript *script;
  guint max_line;
  guint max_time;
  guint pause;
} Settings;

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer user_data)
{
  const Settings *settings = user_data;

  return g_object_new (SRV_TYPE_SCRIPT_HANDLER, "script", settings->script,
                       "max-line", settings->max_line, "max-time",
                       settings->max_time, "pause", settings->pause, NULL);
}

static const char *const door = "> Who are you?\n"
                                "<\n"
                                "! Go away.\n"
                                "> And the word?\r\n"
                                "# No comment.\n"
                                "\n"
                                "< swordfish\n"
                                "! Too bad.\n"
                                ">\n"
                                "< \n"
                                "<again\n"
                                ">Bye.";

static SrvScript *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  SrvScript *script = srv_script_parse (text, &error);

  srv_test_assert_no_error (error);
  return script;
}

/* A server for the test's loop number: in turn under threads, where handlers
 * wait in the system, and fibers, where they must not. */
static SrvTestRun *
begin (Settings *settings, const char *text, int i)
{
  g_autoptr (SrvMixIn) mix_in =
    srv_test_mix_in_new (i % 2 == 0 ? SRV_TEST_THREADING : SRV_TEST_FIBERS);
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "mix-in", mix_in, NULL);

  settings->script = parse (text);
  srv_base_server_set_handler_factory (server, make_handler, settings, NULL);
  return srv_test_run (server);
}

static void
end (SrvTestRun *run, Settings *settings)
{
  srv_test_finish (run);
  srv_script_unref (settings->script);
}

static void
expect_step (const SrvScript *script,
             guint i,
             SrvScriptVerb verb,
             const char *text,
             const char *refusal)
{
  const SrvScriptStep *step = srv_script_get_step (script, i);

  ck_assert_int_eq (step->verb, verb);
  ck_assert_pstr_eq (step->text, text);
  ck_assert_pstr_eq (step->refusal, refusal);
}

/* One space after the sign, the ends of lines, comments and empty lines are
 * none of the text. */
START_TEST (steps_are_read)
{
  g_autoptr (SrvScript) script = parse (door);

  ck_assert_uint_eq (srv_script_get_n_steps (script), 8);
  expect_step (script, 0, SRV_SCRIPT_SAY, "Who are you?", NULL);
  expect_step (script, 1, SRV_SCRIPT_EXPECT, NULL, NULL);
  expect_step (script, 2, SRV_SCRIPT_SAY, "And the word?", "Go away.");
  expect_step (script, 3, SRV_SCRIPT_EXPECT, "swordfish", "Go away.");
  expect_step (script, 4, SRV_SCRIPT_SAY, "", "Too bad.");
  expect_step (script, 5, SRV_SCRIPT_EXPECT, NULL, "Too bad.");
  expect_step (script, 6, SRV_SCRIPT_EXPECT, "again", "Too bad.");
  expect_step (script, 7, SRV_SCRIPT_SAY, "Bye.", "Too bad.");
}
END_TEST

static char *
repeat (const char *text, guint count)
{
  GString *all = g_string_new (NULL);

  for (guint i = 0; i < count; i++)
    g_string_append (all, text);
  return g_string_free (all, FALSE);
}

/* What is no script is an error that names the line; the limits are exact. */
START_TEST (bad_scripts_are_refused)
{
  g_autofree char *text = repeat ("x", SRV_SCRIPT_MAX_TEXT);
  g_autofree char *steps = repeat ("> x\n! x\n", SRV_SCRIPT_MAX_STEPS / 2);
  const struct
  {
    char *text; /* owned */
    const char *message;
  } scripts[] = {
    { g_strdup ("> a\nhello\n"), "line 2: it begins with none of" },
    { g_strdup ("\n\n >a"), "line 3: it begins with none of" },
    { g_strdup ("> \xff"), "not UTF-8" },
    { g_strdup_printf ("> %sx\n", text), "line 1: it is too long" },
    { g_strdup_printf ("%s<\n", steps), "line 1001: there are too many" },
    { g_strdup (""), NULL },
    { g_strdup_printf ("> %s\n", text), NULL },
    { g_strdup (steps), NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    {
      g_autoptr (GError) error = NULL;
      SrvScript *script = srv_script_parse (scripts[i].text, &error);

      ck_assert ((script == NULL) == (scripts[i].message != NULL));
      if (script != NULL)
        srv_script_unref (script);
      else
        {
          srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
          ck_assert_msg (strstr (error->message, scripts[i].message) != NULL,
                         "%s", error->message);
        }
      g_free (scripts[i].text);
    }
}
END_TEST

/* The whole dialogue, with several clients at once, whose lines may end in
 * either way and come in any pieces. */
START_TEST (script_is_played)
{
  Settings settings = { .max_line = 100 };
  SrvTestRun *run = begin (&settings, door, _i);
  int first = srv_test_connect (run->server);
  int second = srv_test_connect (run->server);

  srv_test_expect (first, "Who are you?\n");
  srv_test_expect (second, "Who are you?\n");
  srv_test_say (second, "\xc3\xa9mile\r\nswordfish\nwhatever\nagain\n");
  srv_test_say (first, "nobody\nsword");
  srv_test_expect (first, "And the word?\n");
  srv_test_say (first, "fish\n");
  srv_test_expect (first, "\n");
  srv_test_say (first, "\n");
  srv_test_say (first, "again\n");
  srv_test_expect (first, "Bye.\n");
  srv_test_expect_end (first);
  srv_test_expect (second, "And the word?\n\nBye.\n");
  srv_test_expect_end (second);
  srv_test_close (first);
  srv_test_close (second);
  end (run, &settings);
}
END_TEST

/* Who says something else hears what the script has for him, and no more. */
START_TEST (wrong_line_ends_it)
{
  Settings settings = { .max_line = 100 };
  SrvTestRun *run = begin (&settings, door, _i);
  SrvBaseServer *server = run->server;
  int fd = srv_test_connect (server);
  guint64 n_failed;

  srv_test_expect (fd, "Who are you?\n");
  srv_test_say (fd, "nobody\nswordfish!\n");
  srv_test_expect (fd, "And the word?\nGo away.\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  fd = srv_test_connect (server);
  srv_test_expect (fd, "Who are you?\n");
  srv_test_close (fd); /* in mid-dialogue */
  srv_test_stop (run);
  srv_base_server_server_close (server);
  g_object_get (server, "n-failed", &n_failed, NULL);
  ck_assert_uint_eq (n_failed, 0);
  g_object_unref (server);
  srv_script_unref (settings.script);
}
END_TEST

/* The tutorial's client sends no newline, and waits. */
START_TEST (pause_ends_a_line)
{
  Settings settings = { .max_line = 100, .pause = 20 };
  SrvTestRun *run = begin (&settings, "< Hello!!\n> Gun!!\n", _i);
  int fd = srv_test_connect (run->server);

  srv_test_say (fd, "Hello!!");
  srv_test_expect (fd, "Gun!!\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  end (run, &settings);
}
END_TEST

/* A line that is too long, takes too long, or is no text fails. */
START_TEST (limits_are_kept)
{
  static const char *const lines[] = { "123456", "12345", "\xff\xff\n" };
  Settings settings = { .max_line = 5, .max_time = 50 };
  SrvTestRun *run = begin (&settings, "<\n> thanks\n", _i);
  guint64 n_failed = 0;
  int fd;

  srv_test_begin_log ();
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      fd = srv_test_connect (run->server);
      srv_test_say (fd, lines[i]);
      srv_test_expect_gone (fd);
      srv_test_close (fd);
    }
  srv_test_eventually ((g_object_get (run->server, "n-failed", &n_failed, NULL),
                        n_failed == G_N_ELEMENTS (lines)));
  srv_test_end_log ();
  end (run, &settings);
}
END_TEST

/* Handlers of a server without a script have nothing to say. */
START_TEST (no_script_is_no_dialogue)
{
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "handler-type",
                                         SRV_TYPE_SCRIPT_HANDLER, NULL);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "script", steps_are_read, 1 },
    { "script", bad_scripts_are_refused, 1 },
    { "handler", script_is_played, 2 },
    { "handler", wrong_line_ends_it, 2 },
    { "handler", pause_ends_a_line, 2 },
    { "handler", limits_are_kept, 2 },
    { "handler", no_script_is_no_dialogue, 1 },
  };

  return srv_test_run_entries ("Script", tests, G_N_ELEMENTS (tests));
}
