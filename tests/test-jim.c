/* test-jim.c - a chat that speaks JIM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "jim-test.h"

/* Presence, a room, messages, quit; nobody can forge who he is. */
START_TEST (people_talk)
{
  SrvTestRun *run = start (shared_memory[_i], NULL);
  int alice = come (run, "alice");
  int bob = come (run, "bob");

  ck_assert_int_eq (ask (alice, ROOM ("join", "#tea")), 201);
  ck_assert_int_eq (ask (bob, ROOM ("join", "#tea")), 200);
  ck_assert_int_eq (ask (bob, ROOM ("join", "#tea")), 200);
  ck_assert_int_eq (ask (bob, MSG ("#tea", "x")), 202);
  g_free (hear (alice));
  ck_assert_int_eq (ask (alice, MSG ("#tea", "{hi} \\u044f")), 202);
  expect_object (bob, "{\"action\":\"msg\",\"time\":1,\"to\":\"#tea\","
                      "\"from\":\"alice\","
                      "\"message\":\"\\u007bhi\\u007d я\"}");
  ck_assert_int_eq (ask (alice, MSG ("BOB", "psst")), 202);
  expect_object (bob, "{\"action\":\"msg\",\"time\":1,\"to\":\"bob\","
                      "\"from\":\"alice\",\"message\":\"psst\"}");
  ck_assert_int_eq (ask (alice, ROOM ("leave", "#tea")), 200);
  srv_test_say (bob, "{\"action\":\"quit\"}");
  srv_test_expect_end (bob);
  srv_test_close (bob);
  srv_test_close (alice);
  finish (run);
}
END_TEST

/* Both protocols in one room. */
START_TEST (people_of_both_protocols_talk)
{
  SrvTestRun *run = start (SRV_TEST_THREADING, NULL);
  SrvTestRun *line_run = start (SRV_TEST_FIBERS, hub);
  int alice = come (run, "alice");
  int bob = srv_test_connect (line_run->server);
  g_autofree char *object = NULL;

  ck_assert_int_eq (ask (alice, ROOM ("join", "#tea")), 201);
  srv_test_say (bob, "/nick bob\n/join #tea\nhello\n");
  object = hear (alice);
  ck_assert (strstr (object, "\"from\":\"bob\",\"sender\":\"bob\","
                             "\"message\":\"hello\"") != NULL);
  srv_test_expect (bob, "Welcome. Say /nick NAME, then /join #ROOM; /help for "
                        "more.\nyou are bob\nyou are in #tea\n");
  ck_assert_int_eq (ask (alice, MSG ("#tea", "\\u001b[2J")), 202);
  srv_test_expect (bob, "[#tea] alice: \\x1b[2J\n");
  srv_test_close (bob);
  srv_test_close (alice);
  srv_test_finish (line_run);
  finish (run);
}
END_TEST

/* Every row of the server's rules, for a client that is new or has a name. */
static const struct
{
  const char *object;
  int new_code;   /* negative: and then the connection ends */
  int named_code; /* as "alice" */
  const char *setting;
} rules[] = {
  { "{]}", 400, 400, NULL },
  { "{\"action\":\"presence\",\"action\":\"presence\"}", 400, 400, NULL },
  { "{}", 400, 400, NULL },
  { "{\"action\":1}", 400, 400, NULL },
  { "{\"action\":\"dance\"}", 400, 400, NULL },
  { "{\"action\":\"Msg\"}", 400, 400, NULL },
  { "{\"action\":\"pr\xd0\xbe"
    "be\",\"time\":1}",
    400, 400, NULL },
  { "{\"action\":\"probe\",\"time\":1}", 400, 400, NULL },
  { "{\"action\":\"presence\",\"time\":1}", 400, 200, NULL },
  { "{\"action\":\"presence\",\"user\":\"alice\"}", 409, 200, NULL },
  { "{\"action\":\"presence\",\"account_name\":\"carol\"}", 200, 400, NULL },
  { "{\"action\":\"presence\",\"user\":{\"account_name\":\"a\\nb\"}}", 400, 400,
    NULL },
  { "{\"action\":\"presence\",\"user\":\"x\",\"account_name\":\"y\"}", 400, 400,
    NULL },
  { "{\"action\":\"presence\",\"user\":\"carol\"}", 401, 400, "auth=2" },
  { "{\"action\":\"presence\",\"user\":{\"account_name\":\"carol\"},"
    "\"time\":\"Thu May 1\"}",
    200, 400, NULL },
  { "{\"action\":\"presence\",\"user\":\"carol\"}", 400, 400, "strict=1" },
  { "{\"action\":\"authenticate\",\"user\":{\"account_name\":\"carol\","
    "\"password\":\"x\"}}",
    402, 400, NULL },
  { "{\"action\":\"authenticate\",\"user\":{\"account_name\":\"alice\"}}", 400,
    400, NULL },
  { "{\"action\":\"authenticate\",\"user\":{\"account_name\":\"carol\","
    "\"password\":\"x\"}}",
    -402, 400, "max-failed-logins=1" },
  { MSG ("bob", "x"), 401, 202, NULL },
  { MSG ("nobody", "x"), 401, 404, NULL },
  { MSG ("gone", "x"), 401, 410, NULL },
  { MSG ("#nowhere", "x"), 401, 404, NULL },
  { MSG ("#others", "x"), 401, 403, NULL },
  { MSG ("", "x"), 401, 400, NULL },
  { MSG ("all", "x"), 401, 400, NULL },
  { MSG ("bob", "x"), 401, 400, "strict=1" },
  { "{\"action\":\"msg\",\"time\":1,\"to\":\"bob\",\"from\":\"alice\","
    "\"message\":\"\xd1\x8f\"}",
    400, 400, "strict=1" },
  { "{\"action\":\"msg\",\"time\":1,\"to\":\"bob\",\"from\":\"alice\","
    "\"encoding\":\"utf-8\",\"message\":\"\xd1\x8f\"}",
    401, 202, "strict=1" },
  { "{\"action\":\"msg\",\"to\":\"bob\"}", 400, 400, NULL },
  { "{\"action\":\"msg\",\"to\":\"bob\",\"message\":5}", 400, 400, NULL },
  { "{\"action\":\"msg\",\"to\":\"bob\",\"message\":\"a\","
    "\"mess_text\":\"b\"}",
    400, 400, NULL },
  { "{\"action\":\"msg\",\"to\":\"bob\",\"message\":\"a\","
    "\"mess_text\":\"a\"}",
    401, 202, NULL },
  { "{\"action\":\"message\",\"to\":\"bob\",\"message\":\"a\"}", 400, 400,
    "dialect=2" },
  { ROOM ("join", "#new"), 401, 201, NULL },
  { ROOM ("join", "new"), 401, 201, NULL },
  { ROOM ("join", "new"), 401, 400, "strict=1" },
  { ROOM ("join", "#others"), 401, 200, NULL },
  { ROOM ("join", "#a\\u202eb"), 401, 400, NULL },
  { "{\"action\":\"join\",\"time\":1}", 400, 400, NULL },
  { ROOM ("create", "#new"), 401, 201, NULL },
  { ROOM ("create", "#others"), 401, 409, NULL },
  { ROOM ("leave", "#others"), 401, 404, NULL },
  { ROOM ("leave", "#nowhere"), 401, 404, NULL },
  { "[1]", -400, -400, NULL },
  { "GET / HTTP/1.0\r\n\r\n", -400, -400, NULL },
  { "\x80\x04\x95", -400, -400, NULL },
  { "{\"a\":[[[[[[[[", -400, -400, NULL },
  { "{\"action\":\"quit\"}", 0, 0, NULL },
  { "{\"action\":\"exit\",\"time\":1,\"account_name\":\"x\"}", 0, 0, NULL },
  { "{\"action\":\"quit\"}", 0, 0, "strict=1" },
  { "{\"action\":\"quit\"}{\"action\":\"presence\"}", 0, 0, NULL },
};

static void
expect_rule (int fd, const char *object, int code)
{
  srv_test_say (fd, object);
  if (code != 0)
    ck_assert_int_eq (hear_code (fd), ABS (code));
  if (code <= 0)
    srv_test_expect_gone (fd);
  else
    ck_assert_int_eq (ask (fd, "{\"action\":\"probe\"}"), 400);
}

START_TEST (rules_are_kept)
{
  SrvTestRun *run = start (SRV_TEST_THREADING, NULL);
  int bob = come (run, "bob");
  int gone = come (run, "gone");
  int fd;
  int alice;

  ck_assert_int_eq (ask (bob, ROOM ("join", "#others")), 201);
  srv_test_say (gone, "{\"action\":\"quit\"}");
  srv_test_expect_end (gone);
  srv_test_close (gone);
  alice = come (run, "alice");
  /* A new connection gets the setting; alice's is made again for it. */
  g_atomic_pointer_set (&setting, rules[_i].setting);
  fd = srv_test_connect (run->server);
  expect_rule (fd, rules[_i].object, rules[_i].new_code);
  srv_test_close (fd);
  if (setting != NULL && strcmp (setting, "auth=2") != 0)
    {
      srv_test_say (alice, "{\"action\":\"quit\"}");
      srv_test_expect_end (alice);
      srv_test_close (alice);
      alice = come (run, "alice");
    }
  expect_rule (alice, rules[_i].object, rules[_i].named_code);
  srv_test_close (alice);
  srv_test_close (bob);
  finish (run);
}
END_TEST

static const char *const letters[] = { "a", "я", "😀", "x\xcc\x81" };
static const glong n_points[] = { 1, 1, 1, 2 };

static void
append_letters (GString *out, const char *letter, glong n)
{
  while (n-- > 0)
    g_string_append (out, letter);
}

/* A text of 500 characters goes, one of 501 does not, whatever they are. */
START_TEST (text_has_500_characters)
{
  SrvTestRun *run = start (SRV_TEST_THREADING, NULL);
  int fd = come (run, "me");
  const char *letter = letters[_i % 4];
  glong excess = _i / 4 - 1; /* -1, 0, 1 */
  g_autoptr (GString) object = g_string_new (
    "{\"action\":\"msg\",\"to\":\"me\",\"time\":5,\"message\":\"");

  append_letters (object, letter, (500 + MIN (excess, 0)) / n_points[_i % 4]);
  if (n_points[_i % 4] == 2 && excess < 0)
    g_string_append (object, "a");
  if (excess > 0)
    g_string_append (object, "a");
  g_string_append (object, "\"}");
  ck_assert_int_eq ((int) g_utf8_strlen (strstr (object->str,
                                                 "\"message\":\"") +
                                           11,
                                         -1) -
                      2,
                    500 + (int) excess);
  srv_test_say (fd, object->str);
  if (excess <= 0)
    {
      g_autofree char *first = hear (fd);
      g_autofree char *second = hear (fd);

      /* The message and its answer. */
      ck_assert (strstr (first, "\"action\"") != NULL);
      ck_assert (strstr (second, "\"response\":202") != NULL);
    }
  else
    ck_assert_int_eq (hear_code (fd), 400);
  srv_test_close (fd);
  finish (run);
}
END_TEST

/* An object has 640 characters as it could be written, however it is; in strict
 * mode, as it is. Escaped letters are one character each. */
START_TEST (object_has_640_characters)
{
  gboolean is_strict = _i >= 9;
  int excess = _i % 3 - 1;
  int form = _i / 3 % 3; /* plain, escaped, with spaces */
  SrvTestRun *run;
  int fd;
  g_autoptr (GString) object = g_string_new (
    "{\"action\":\"join\",\"time\":1,\"room\":\"#x\",\"more\":\"");

  setting = is_strict ? "strict=1" : NULL;
  run = start (SRV_TEST_THREADING, NULL);
  fd = come (run, "me");
  append_letters (object, form == 1 && !is_strict ? "\\u044f" : "a",
                  640 + excess - (glong) object->len - 2 -
                    (is_strict && form == 2 ? 50 : 0));
  g_string_append (object, "\"");
  if (form == 2)
    append_letters (object, " ", 50);
  g_string_append (object, "}");
  ck_assert_int_eq (ask (fd, object->str), excess <= 0 ? 201 : 400);
  ck_assert_int_eq (ask (fd, "{\"action\":\"probe\"}"), 400);
  setting = NULL;
  srv_test_close (fd);
  finish (run);
}
END_TEST

/* Names have 25 characters, an action 15, an encoding 25, an id 32. */
START_TEST (fields_have_limits)
{
  static const struct
  {
    const char *before;
    int n;
    int code; /* at the limit */
  } fields[] = {
    { "{\"action\":\"presence\",\"user\":\"", 25, 200 },
    { "{\"action\":\"presence\",\"user\":\"me\",\"id\":\"", 32, 200 },
    { "{\"action\":\"", 15, 400 },
  };
  const char *before = fields[_i / 3].before;
  int excess = _i % 3 - 1;
  SrvTestRun *run = start (SRV_TEST_THREADING, NULL);

  for (gsize i = 0; i < 2; i++)
    {
      int fd = srv_test_connect (run->server);
      g_autoptr (GString) object = g_string_new (before);

      append_letters (object, letters[i], fields[_i / 3].n + excess);
      g_string_append (object, "\"}");
      ck_assert_int_eq (ask (fd, object->str),
                        excess > 0 ? 400 : fields[_i / 3].code);
      srv_test_close (fd);
      /* The name is free again when the handler has gone. */
      srv_test_eventually (
        srv_base_server_get_n_active_requests (run->server) == 0);
    }
  finish (run);
}
END_TEST

/* An answer has the request's id, whatever it is. */
START_TEST (id_is_copied)
{
  SrvTestRun *run = start (SRV_TEST_THREADING, NULL);
  int fd = srv_test_connect (run->server);
  g_autofree char *text = NULL;
  g_autofree char *number = NULL;

  srv_test_say (fd, "{\"action\":\"dance\",\"id\":\"a\\\"}b\"}");
  text = hear (fd);
  ck_assert (g_str_has_suffix (text, ",\"id\":\"a\\\"\\u007db\"}"));
  srv_test_say (fd, "{\"action\":\"dance\",\"id\":17}");
  number = hear (fd);
  ck_assert (g_str_has_suffix (number, ",\"id\":17}"));
  srv_test_close (fd);
  finish (run);
}
END_TEST

/* Limits: each is answered, then the connection ends. */
static const struct
{
  const char *setting;
  const char *object;
  int code;
} limits[] = {
  { "message-burst=2",
    "{\"action\":\"probe\"}{\"action\":\"probe\"}{\"action\":\"probe\"}", 403 },
  { "byte-burst=30", "{\"action\":\"probe\",\"padding\":\"xxxxxxxx\"}", 403 },
  { "unidentified-timeout=50", "{\"action\":\"probe\"}", 401 },
  { "partial-timeout=50", "{\"action\":", 400 },
  { "max-failed-logins=2", AUTH ("a", "b") AUTH ("a", "b"), 402 },
};

START_TEST (limits_are_answered)
{
  SrvTestRun *run;
  g_autofree char *all = NULL;
  g_autofree char *last = NULL;
  int fd;

  setting = limits[_i].setting;
  /* At the usual rate a slow machine would be given the next one by then. */
  setting2 = "messages-per-second=1";
  run = start (shared_memory[_i % 2], NULL);
  fd = srv_test_connect (run->server);
  srv_test_say (fd, limits[_i].object);
  all = srv_test_read_all (fd, NULL);
  last = g_strdup_printf ("{\"response\":%d", limits[_i].code);
  ck_assert_msg (g_str_has_prefix (strrchr (all, '{'), last), "%s", all);
  srv_test_close (fd);
  setting = setting2 = NULL;
  finish (run);
}
END_TEST

/* One connection too many is told in the protocol. */
START_TEST (full_server_says_so)
{
  SrvTestRun *run;
  int first;
  int second;

  hub =
    g_object_new (SRV_TYPE_CHAT_HUB, "max-connections-per-address", 1, NULL);
  run = start (SRV_TEST_THREADING, NULL);
  first = come (run, "first");
  second = srv_test_connect (run->server);
  ck_assert_int_eq (hear_code (second), 403);
  srv_test_expect_end (second);
  srv_test_close (second);
  srv_test_close (first);
  finish (run);
}
END_TEST

/* A client that waits for the server to begin is probed, once. */
START_TEST (silent_newcomer_is_probed)
{
  SrvTestRun *run;
  g_autofree char *probe = NULL;
  int fd;

  setting = "probe-grace=20";
  run = start (shared_memory[_i], NULL);
  fd = srv_test_connect (run->server);
  probe = hear (fd);
  ck_assert (g_str_has_prefix (probe, "{\"action\":\"probe\",\"time\":"));
  ck_assert_int_eq (ask (fd, "{\"action\":\"presence\",\"user\":\"me\"}"), 200);
  setting = NULL;
  srv_test_close (fd);
  finish (run);
}
END_TEST

/* Objects come one by one, at least @gap_us after each other. A client that was
 * kept from reading for so long finds more, and that is its own fault. */
static void
expect_one_by_one (int fd, guint n_objects, gint64 gap_us)
{
  gint64 last = g_get_monotonic_time ();

  for (guint i = 0; i < n_objects;)
    {
      char buffer[4096];
      gssize n = srv_test_receive (fd, buffer, sizeof buffer);
      gint64 now = g_get_monotonic_time ();
      guint n_found = 0;

      ck_assert_int_gt (n, 2);
      ck_assert_int_eq (buffer[n - 1], '}');
      for (gssize j = 0; j < n; j++)
        n_found += buffer[j] == '}';
      ck_assert_int_le (n_found, 1 + (now - last) / gap_us);
      i += n_found;
      last = now;
    }
}

/* A client that parses one object for each read sees all of a burst. */
START_TEST (burst_comes_object_by_object)
{
  SrvTestRun *run;
  int me;
  int other;

  setting = "post-gap=5";
  run = start (shared_memory[_i], NULL);
  me = come (run, "me");
  other = come (run, "other");
  for (int i = 0; i < 20; i++)
    srv_test_say (other, MSG ("me", "hi"));
  expect_one_by_one (me, 20, 4000); /* clocks count in milliseconds */
  for (int i = 0; i < 20; i++)
    ck_assert_int_eq (hear_code (other), 202);
  setting = NULL;
  srv_test_close (me);
  srv_test_close (other);
  finish (run);
}
END_TEST

/* Lengths before objects are answered with lengths; lines with lines. */
START_TEST (framing_is_the_clients)
{
  static const char *const framings[] = { "framing=3", "framing=2",
                                          "framing=1" };
  static const char presence[] =
    "\0\0\0\x2c{\"action\":\"presence\",\"time\":1,\"user\":\"me\"}  ";
  SrvTestRun *run;
  char head[5] = { 0 };
  int fd;

  setting = framings[_i];
  run = start (SRV_TEST_THREADING, NULL);
  fd = srv_test_connect (run->server);
  if (_i < 2)
    {
      srv_test_send (fd, presence, sizeof presence - 1);
      ck_assert_int_eq (srv_test_receive (fd, head, 4), 4);
      ck_assert_int_eq (head[0], 0);
      ck_assert_int_eq (hear_code (fd), 200);
    }
  else
    {
      ck_assert_int_eq (ask (fd, "{\"action\":\"presence\",\"user\":\"me\"}\n"),
                        200);
      srv_test_expect (fd, "\n");
    }
  setting = NULL;
  srv_test_close (fd);
  finish (run);
}
END_TEST

/* The default room is joined with the name; messages to nobody may go there. */
START_TEST (default_room_is_joined)
{
  SrvTestRun *run;
  int me;
  int other;

  setting = "default-room=#default";
  setting2 = "compat-broadcast=1";
  run = start (SRV_TEST_THREADING, NULL);
  me = come (run, "me");
  other = come (run, "other");
  ck_assert_int_eq (ask (me, MSG ("#default", "hi")), 202);
  g_free (hear (other));
  ck_assert_int_eq (ask (me, MSG ("client", "hi")), 202);
  g_free (hear (other));
  setting = setting2 = NULL;
  srv_test_close (me);
  srv_test_close (other);
  finish (run);
}
END_TEST

/* Notices are messages from the server. */
START_TEST (notices_are_messages)
{
  SrvTestRun *run;
  int me;
  int other;
  g_autofree char *joined = NULL;
  g_autofree char *left = NULL;

  setting = "default-room=#default";
  setting2 = "notices=1";
  run = start (SRV_TEST_THREADING, NULL);
  me = come (run, "me");
  other = come (run, "other");
  joined = hear (me);
  ck_assert (strstr (joined, "\"from\":\"server\"") != NULL);
  ck_assert (strstr (joined, "other has joined") != NULL);
  srv_test_close (other);
  left = hear (me);
  ck_assert (strstr (left, "other has left") != NULL);
  setting = setting2 = NULL;
  srv_test_close (me);
  finish (run);
}
END_TEST

/* What never was JIM: each is answered or not, and the server lives. */
START_TEST (hostile_input_does_no_harm)
{
  SrvTestRun *run = start (shared_memory[_i % 2], NULL);
  int me = come (run, "me");
  int fd = srv_test_connect (run->server);
  g_autoptr (GString) input = g_string_new (NULL);
  char buffer[4096];

  switch (_i / 2)
    {
    case 0: /* nested brackets */
      g_string_append (input, "{\"a\":");
      append_letters (input, "[", 100000);
      break;
    case 1: /* an object without an end */
      g_string_append (input, "{\"a\":\"");
      append_letters (input, "x", 10 * 1024 * 1024);
      break;
    case 2: /* TLS */
      g_string_append_len (input, "\x16\x03\x01\x02\x00\x01", 6);
      break;
    case 3: /* NULs */
      g_string_append_len (input, "{\"a\0b\":\"\0\"}", 12);
      break;
    case 4: /* random bytes */
    default:
      for (int i = 0; i < 10000; i++)
        g_string_append_c (input, (char) g_random_int ());
      break;
    }
  /* The server may have gone before everything is sent. */
  for (gsize done = 0; done < input->len;)
    {
      gssize n = send (fd, input->str + done, input->len - done, MSG_NOSIGNAL);

      if (n <= 0)
        break;
      done += (gsize) n;
    }
  shutdown (fd, SHUT_WR);
  while (srv_test_receive (fd, buffer, sizeof buffer) > 0)
    continue;
  srv_test_say (me, MSG ("me", "alive"));
  g_free (hear (me));
  ck_assert_int_eq (hear_code (me), 202);
  srv_test_close (fd);
  srv_test_close (me);
  finish (run);
}
END_TEST

int
main (void)
{
  const int n_json = srv_jim_handler_is_supported () ? 1 : 0;
  const SrvTestEntry tests[] = {
    { "talk", people_talk, 2 * n_json },
    { "talk", people_of_both_protocols_talk, n_json },
    { "talk", default_room_is_joined, n_json },
    { "talk", notices_are_messages, n_json },
    { "rules", rules_are_kept, (int) G_N_ELEMENTS (rules) * n_json },
    { "rules", id_is_copied, n_json },
    { "wire", silent_newcomer_is_probed, 2 * n_json },
    { "wire", burst_comes_object_by_object, 2 * n_json },
    { "wire", framing_is_the_clients, 3 * n_json },
    { "limits", text_has_500_characters, 12 * n_json },
    { "limits", object_has_640_characters, 18 * n_json },
    { "limits", fields_have_limits, 9 * n_json },
    { "limits", limits_are_answered, (int) G_N_ELEMENTS (limits) * n_json },
    { "limits", full_server_says_so, n_json },
    { "limits", hostile_input_does_no_harm, 10 * n_json },
  };

  if (n_json == 0)
    {
      puts ("1..0 # SKIP built without jansson");
      return EXIT_SUCCESS;
    }
  return srv_test_run_entries ("Jim", tests, G_N_ELEMENTS (tests));
}
