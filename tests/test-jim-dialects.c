/* test-jim-dialects.c - what clients of JIM call things, and are sent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "jim-test.h"

/* Somebody who has not said anything is sent most names, and the sender's. */
#define TOLD_TO   "\"to\":\"other\",\"receiver\":\"other\","
#define TOLD_FROM "\"from\":\"me\",\"sender\":\"me\","
#define TOLD_LIKE_MSG \
  TOLD_TO TOLD_FROM "\"message\":\"hi\",\"message_text\":\"hi\"}"
#define TOLD_LIKE_MESSAGE(to) \
  TOLD_TO to TOLD_FROM "\"message_text\":\"hi\",\"message\":\"hi\"}"

/* What each client says when it comes, how it writes to somebody silent, what
 * that one is sent, and what it is sent when it is written to. */
static const struct
{
  const char *presence;
  const char *message; /* to "other", text "hi" */
  const char *told;    /* to "other" */
  const char *heard;   /* from "other" to this, text "yo" */
} dialects[] = {
  { "{\"action\": \"presence\", \"time\": 1795224873.997142, \"type\": "
    "\"status\", \"user\": {\"account_name\": \"me\", \"status\": \"I'm "
    "here!\"}}",
    "{\"action\": \"msg\", \"time\": 1795224874.9654462, \"to\": \"other\", "
    "\"from\": \"me\", \"message\": \"hi\"}",
    TOLD_LIKE_MSG, "\"to\":\"me\",\"from\":\"other\",\"message\":\"yo\"}" },
  { "{\"action\": \"presence\", \"time\": 1.5, \"user\": {\"account_name\": "
    "\"me\"}}",
    "{\"action\": \"msg\", \"time\": 1.5, \"sender\": \"me\", \"receiver\": "
    "\"other\", \"message\": \"hi\"}",
    TOLD_LIKE_MSG,
    "\"receiver\":\"me\",\"sender\":\"other\",\"message\":\"yo\"}" },
  { "{\"action\": \"presence\", \"time\": 1.5, \"user\": {\"account_name\": "
    "\"me\"}}",
    "{\"action\": \"message\", \"sender\": \"me\", \"recipient\": \"other\", "
    "\"time\": 1.5, \"message_text\": \"hi\"}",
    TOLD_LIKE_MESSAGE ("\"recipient\":\"other\","),
    "\"recipient\":\"me\",\"sender\":\"other\",\"message_text\":\"yo\"}" },
  { "{\"action\": \"presence\", \"time\": 1.5, \"account_name\": \"me\"}",
    "{\"action\": \"message\", \"sender\": \"me\", \"to\": \"other\", "
    "\"time\": 1.5, \"message_text\": \"hi\"}",
    TOLD_LIKE_MESSAGE (""),
    "\"to\":\"me\",\"sender\":\"other\",\"message_text\":\"yo\"}" },
  { "{\"action\": \"presence\", \"time\": 1.5, \"user\": \"me\"}",
    "{\"action\": \"message\", \"time\": 1.5, \"sender\": \"me\", "
    "\"destination\": \"other\", \"message_text\": \"hi\"}",
    TOLD_LIKE_MESSAGE ("\"destination\":\"other\","),
    "\"destination\":\"me\",\"sender\":\"other\",\"message_text\":\"yo\"}" },
  { "{\"action\": \"presence\", \"time\": \"1.5\", \"user\": \"me\"}",
    "{\"action\": \"msg\", \"to\": \"other\", \"message\": \"hi\", \"time\": "
    "1.5}",
    TOLD_LIKE_MSG, "\"to\":\"me\",\"from\":\"other\",\"message\":\"yo\"}" },
  { "{\"action\": \"presence\", \"time\": 1795224873123456789, \"user\": "
    "\"me\"}",
    "{\"action\": \"message\", \"from\": \"me\", \"to\": \"other\", "
    "\"mess_text\": \"hi\"}",
    TOLD_TO TOLD_FROM
    "\"mess_text\":\"hi\",\"message\":\"hi\",\"message_text\":\"hi\"}",
    "\"to\":\"me\",\"from\":\"other\",\"mess_text\":\"yo\"}" },
};

START_TEST (dialects_are_answered_in_kind)
{
  SrvTestRun *run = start (SRV_TEST_THREADING, NULL);
  int other = come (run, "other");
  int fd = srv_test_connect (run->server);
  const char *action = strstr (dialects[_i].message, "\"message\",") != NULL
                         ? "{\"action\":\"message\","
                         : "{\"action\":\"msg\",";
  g_autofree char *heard = NULL;
  g_autofree char *told = NULL;

  ck_assert_int_eq (ask (fd, dialects[_i].presence), 200);
  ck_assert_int_eq (ask (fd, dialects[_i].message), 202);
  told = hear (other);
  ck_assert_msg (g_str_has_suffix (told, dialects[_i].told), "%s", told);
  ck_assert_msg (g_str_has_prefix (told, action), "%s", told);
  ck_assert_int_eq (ask (other, MSG ("me", "yo")), 202);
  heard = hear (fd);
  ck_assert_msg (g_str_has_suffix (heard, dialects[_i].heard), "%s", heard);
  ck_assert_msg (g_str_has_prefix (heard, action), "%s", heard);
  srv_test_close (fd);
  srv_test_close (other);
  finish (run);
}
END_TEST

static const char *const presences[] = {
  "{\"action\":\"presence\",\"type\":\"status\",\"user\":"
  "{\"account_name\":\"plain\"}}",
  "{\"action\":\"presence\",\"user\":"
  "{\"account_name\":\"plain\",\"status\":\"here\"}}",
  "{\"action\":\"presence\",\"user\":\"plain\",\"status\":\"online\"}",
};

/* Who comes with a status, as in the protocol's sample, is sent its action
 * whatever the others use; a long text has one name, the one that is read. */
START_TEST (silent_one_is_told_what_it_can_read)
{
  SrvTestRun *run = start (SRV_TEST_THREADING, NULL);
  int template_fd = come (run, "template");
  int plain = srv_test_connect (run->server);
  int sender = come (run, "sender");
  g_autofree char *text = g_strnfill (500, 'x');
  const char *const to[] = { "plain", "template" };
  const int fds[] = { plain, template_fd };
  const char *const expected[] = { "{\"action\":\"msg\",",
                                   "{\"action\":\"message\"," };
  const char *const names[] = { ",\"message\":\"x", ",\"mess_text\":\"x" };

  ck_assert_int_eq (ask (plain, presences[_i]), 200);
  for (gsize i = 0; i < G_N_ELEMENTS (to); i++)
    {
      g_autofree char *object = g_strdup_printf (
        "{\"action\":\"message\",\"from\":\"sender\",\"to\":\"%s\","
        "\"mess_text\":\"%s\"}",
        to[i], text);
      g_autofree char *told = NULL;

      ck_assert_int_eq (ask (sender, object), 202);
      told = hear (fds[i]);
      ck_assert_msg (g_str_has_prefix (told, expected[i]), "%s", told);
      ck_assert_msg (strstr (told, names[i]) != NULL, "%s", told);
      ck_assert_ptr_null (strstr (strstr (told, "xxx"), "\"xxx"));
      srv_test_close (fds[i]);
    }
  srv_test_close (sender);
  finish (run);
}
END_TEST

int
main (void)
{
  const int n_json = srv_jim_handler_is_supported () ? 1 : 0;
  const SrvTestEntry tests[] = {
    { "dialects", dialects_are_answered_in_kind,
      (int) G_N_ELEMENTS (dialects) * n_json },
    { "dialects", silent_one_is_told_what_it_can_read,
      (int) G_N_ELEMENTS (presences) * n_json },
  };

  if (n_json == 0)
    {
      puts ("1..0 # SKIP built without jansson");
      return EXIT_SUCCESS;
    }
  return srv_test_run_entries ("Jim dialects", tests, G_N_ELEMENTS (tests));
}
