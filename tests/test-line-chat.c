/* test-line-chat.c - a chat for people with netcat
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <poll.h>
#include <socketserver-handlers.h>

#define WELCOME "Welcome. Say /nick NAME, then /join #ROOM; /help for more.\n"

static const SrvTestMixIn shared_memory[] = { SRV_TEST_THREADING,
                                              SRV_TEST_FIBERS };

static const char *limit_name; /* a property of the handlers, set to ... */
static guint limit;

static SrvBaseRequestHandler *
make_handler (SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              G_GNUC_UNUSED gpointer data)
{
  SrvBaseRequestHandler *handler =
    g_object_new (SRV_TYPE_LINE_CHAT_HANDLER, "default-room", "#lobby", NULL);

  /* At the usual rate a slow machine would be given the next one by then. */
  if (limit_name != NULL)
    g_object_set (handler, "messages-per-second", 1, limit_name, limit, NULL);
  srv_test_trace (server != NULL ? "made" : "made without a server");
  return handler;
}

static SrvTestRun *
start (SrvTestMixIn mix_in)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, mix_in);

  srv_base_server_set_handler_factory (server, make_handler, NULL, NULL);
  return srv_test_run (server);
}

static int
come (SrvTestRun *run, const char *name)
{
  int fd = srv_test_connect (run->server);
  g_autofree char *line = g_strdup_printf ("/nick %s\n", name);
  g_autofree char *reply = g_strdup_printf ("you are %s\n", name);

  srv_test_expect (fd, WELCOME);
  if (name[0] != '\0')
    {
      srv_test_say (fd, line);
      srv_test_expect (fd, reply);
    }
  return fd;
}

/* Two people, a room of their own, a private word, and good-bye. */
START_TEST (people_talk)
{
  SrvTestRun *run = start (shared_memory[_i]);
  int alice = come (run, "alice");
  int bob = come (run, "Bob B");

  srv_test_expect (alice, "* Bob B has come into #lobby\n");
  srv_test_say (alice, "hello, всем\n");
  srv_test_expect (bob, "[#lobby] alice: hello, всем\n");
  srv_test_say (bob, "/msg alice psst: you\r\n");
  srv_test_expect (alice, "[private] Bob B: psst: you\n");
  srv_test_say (alice, "/msg \"bob b\" yes\n");
  srv_test_expect (bob, "[private] alice: yes\n");
  srv_test_say (bob, "/join #tea\n");
  srv_test_expect (bob, "you are in #tea\n");
  srv_test_say (bob, "/who #tea\n");
  srv_test_expect (bob, "1 here: Bob B\n");
  srv_test_say (bob, "/who\n");
  srv_test_expect (bob, "2 here: Bob B, alice\n");
  srv_test_say (bob, "/leave\n");
  srv_test_expect (bob, "you have left #tea\n");
  srv_test_say (bob, "text\n");
  srv_test_expect (bob, "! join a room first; try /help\n");
  srv_test_say (bob, "/quit\n");
  srv_test_expect_end (bob);
  srv_test_expect (alice, "* Bob B has left #lobby\n");
  srv_test_close (bob);
  srv_test_close (alice);
  srv_test_finish (run);
}
END_TEST

/* A room has one name, however it is written: who has left it by another is in
 * no room. */
START_TEST (room_is_left_by_any_writing)
{
  SrvTestRun *run = start (SRV_TEST_THREADING);
  int fd = come (run, "alice");

  srv_test_say (fd, "/join #Tea\n");
  srv_test_expect (fd, "you are in #Tea\n");
  srv_test_say (fd, "/leave #TEA\n");
  srv_test_expect (fd, "you have left #TEA\n");
  srv_test_say (fd, "hello\n");
  srv_test_expect (fd, "! join a room first; try /help\n");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static const struct
{
  const char *said;
  const char *reply;
} mistakes[] = {
  { "/nick \n", "! the name is empty\n" },
  { "/nick alice\n", "! the name is taken\n" },
  { "/join #tea\n", "! say first who you are\n" },
  { "/leave #tea\n", "! say first who you are\n" },
  { "/msg alice hi\n", "! say first who you are\n" },
  { "/msg alice\n", "! /msg NAME TEXT\n" },
  { "/who\n", "! say first who you are\n" },
  { "/who #lobby\n", "! say first who you are\n" },
  { "/dance\n", "! no such command; try /help\n" },
  { "hello\n", "! join a room first; try /help\n" },
  { "\xff\xfe\n", "! this is not UTF-8\n" },
};

/* A mistake is told, and the client can go on. */
START_TEST (mistakes_are_told)
{
  SrvTestRun *run = start (SRV_TEST_THREADING);
  int alice = come (run, "alice");
  int fd = come (run, "");

  srv_test_say (fd, mistakes[_i].said);
  srv_test_expect (fd, mistakes[_i].reply);
  srv_test_say (fd, "/nick new\n");
  srv_test_expect (fd, "you are new\n");
  srv_test_close (fd);
  srv_test_close (alice);
  srv_test_finish (run);
}
END_TEST

/* Nothing of a client steers the terminal of another. */
START_TEST (text_is_escaped)
{
  SrvTestRun *run = start (SRV_TEST_THREADING);
  int alice = come (run, "alice");
  int bob = come (run, "bob");

  srv_test_say (bob, "\x1b[2J\xe2\x80\xae\x07\r x\n");
  srv_test_expect (alice, "* bob has come into #lobby\n"
                          "[#lobby] bob: \\x1b[2J\\u{202e}\\x07\\r x\n");
  srv_test_close (bob);
  srv_test_close (alice);
  srv_test_finish (run);
}
END_TEST

/* Lines are bounded, in bytes and in characters. */
START_TEST (lines_are_bounded)
{
  SrvTestRun *run = start (SRV_TEST_THREADING);
  int alice = come (run, "alice");
  int bob = come (run, "bob");
  g_autoptr (GString) text = g_string_new (NULL);

  srv_test_expect (alice, "* bob has come into #lobby\n");
  for (int i = 0; i < 499; i++)
    g_string_append (text, "ж");
  g_string_append (text, "!\n");
  srv_test_say (bob, text->str);
  srv_test_expect (alice, "[#lobby] bob: ");
  srv_test_expect (alice, text->str);
  g_string_insert (text, 0, "1");
  srv_test_say (bob, text->str);
  srv_test_expect (bob, "! this is too long\n");
  g_string_set_size (text, 4000);
  memset (text->str, 'x', text->len);
  srv_test_say (bob, text->str);
  srv_test_expect (bob, "! line is longer than 2048 bytes\n");
  srv_test_expect_end (bob);
  srv_test_close (bob);
  srv_test_close (alice);
  srv_test_finish (run);
}
END_TEST

/* Limits are answered as the protocol has it, then the client goes. */
START_TEST (limits_are_answered)
{
  SrvTestRun *run;
  int fd;

  if (_i == 0)
    limit_name = "message-burst", limit = 1;
  else if (_i == 1)
    limit_name = "byte-burst", limit = 20;
  else
    limit_name = "unidentified-timeout", limit = 30;
  run = start (SRV_TEST_THREADING);
  if (_i == 2)
    {
      fd = come (run, "");
      srv_test_expect (fd, "! time limit reached\n");
    }
  else
    {
      fd = come (run, "alice");
      srv_test_say (fd, "/who and something to make it long\n");
      srv_test_expect (fd, "! too fast\n");
    }
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* Who sends a little now and then must say its name in the same time as who is
 * silent. */
START_TEST (dripping_does_not_prolong_the_time_without_a_name)
{
  struct pollfd reply = { -1, POLLIN, 0 };
  SrvTestRun *run;
  int fd;

  limit_name = "unidentified-timeout", limit = 100;
  run = start (shared_memory[_i]);
  reply.fd = fd = come (run, "");
  while (poll (&reply, 1, 10) == 0)
    srv_test_say (fd, " ");
  srv_test_expect (fd, "! time limit reached\n");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* Somebody who is there, without a connection. */
#define TEST_TYPE_MEMBER (test_member_get_type ())
G_DECLARE_FINAL_TYPE (TestMember, test_member, TEST, MEMBER, GObject)

struct _TestMember
{
  GObject parent_instance;
};

static void
test_member_iface_init (G_GNUC_UNUSED SrvChatMemberInterface *iface)
{
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestMember,
                               test_member,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (SRV_TYPE_CHAT_MEMBER,
                                                      test_member_iface_init))

static void
test_member_class_init (G_GNUC_UNUSED TestMemberClass *klass)
{
}

static void
test_member_init (G_GNUC_UNUSED TestMember *self)
{
}

/* However many are there, the answer has no more than a hundred names: it is
 * not to fill the queue of who asks. */
START_TEST (who_is_bounded)
{
  SrvTestRun *run = start (SRV_TEST_THREADING);
  SrvChatHub *hub = srv_chat_hub_for_server (run->server);
  int alice = come (run, "aaa");

  for (int i = 1; i < 102; i++)
    {
      g_autoptr (SrvChatMember) member = g_object_new (TEST_TYPE_MEMBER, NULL);
      g_autofree char *name = g_strdup_printf ("p%03d", i);

      ck_assert (srv_chat_hub_enter (hub, member, name, NULL));
    }
  srv_test_say (alice, "/who\n");
  srv_test_expect (alice, "102 here: aaa, p001, ");
  for (int i = 2; i < 99; i++)
    {
      g_autofree char *name = g_strdup_printf ("p%03d, ", i);

      srv_test_expect (alice, name);
    }
  srv_test_expect (alice, "p099 and 2 more\n");
  srv_test_close (alice);
  srv_test_finish (run);
}
END_TEST

/* One more than the hub takes is told so. */
START_TEST (full_server_says_so)
{
  SrvTestRun *run = start (SRV_TEST_THREADING);
  int alice;
  int other;

  g_object_set (srv_chat_hub_for_server (run->server), "max-connections", 1,
                NULL);
  alice = come (run, "alice");
  other = srv_test_connect (run->server);
  srv_test_expect (other, "the server is full\n");
  srv_test_expect_end (other);
  srv_test_close (other);
  srv_test_close (alice);
  srv_test_finish (run);
}
END_TEST

static SrvBaseRequestHandler *
make_overlaid (SrvBaseServer *server, SrvRequest *request, gpointer data)
{
  SrvBaseRequestHandler *handler = make_handler (server, request, data);
  GIOStream *connection = G_IO_STREAM (request);
  g_autoptr (GIOStream) stream =
    g_simple_io_stream_new (g_io_stream_get_input_stream (connection),
                            g_io_stream_get_output_stream (connection));

  srv_stream_request_handler_set_stream (SRV_STREAM_REQUEST_HANDLER (handler),
                                         stream);

  return handler;
}

/* All that a chat says is posted, and under a stream nobody can. */
START_TEST (chat_under_a_stream_is_an_error)
{
  SrvBaseServer *server =
    srv_test_server_new (SRV_TEST_TCP, SRV_TEST_THREADING);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_factory (server, make_overlaid, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_trace ("handle_error", 1);
  ck_assert (srv_test_get_error_domain () == G_IO_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), G_IO_ERROR_NOT_SUPPORTED);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A close of the server ends a chat at once: nobody waits for people. */
START_TEST (close_ends_the_chat)
{
  SrvTestRun *run = start (shared_memory[_i]);
  int alice = come (run, "alice");

  srv_test_finish (run);
  srv_test_expect_end (alice);
  srv_test_close (alice);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "talk", people_talk, 2 },
    { "talk", room_is_left_by_any_writing, 1 },
    { "talk", mistakes_are_told, G_N_ELEMENTS (mistakes) },
    { "talk", text_is_escaped, 1 },
    { "limits", lines_are_bounded, 1 },
    { "limits", limits_are_answered, 3 },
    { "limits", dripping_does_not_prolong_the_time_without_a_name, 2 },
    { "limits", who_is_bounded, 1 },
    { "limits", full_server_says_so, 1 },
    { "end", chat_under_a_stream_is_an_error, 1 },
    { "end", close_ends_the_chat, 2 },
  };

  return srv_test_run_entries ("LineChat", tests, G_N_ELEMENTS (tests));
}
