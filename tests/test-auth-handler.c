/* test-auth-handler.c - identity and auth under every mix-in, and hostile input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <socketserver-handlers.h>
#include <stdio.h>
#include <stdlib.h>

#define PASSWORD "correct horse"

/* A service over a store in the test's directory. */
typedef struct
{
  SrvAccountStore *store;
  SrvBaseServer *server;
  SrvTestRun *run;
} Service;

static SrvBaseRequestHandler *
make_auth (G_GNUC_UNUSED SrvBaseServer *server,
           G_GNUC_UNUSED SrvRequest *request,
           gpointer data)
{
  return g_object_new (SRV_TYPE_AUTH_HANDLER, "allow-register", TRUE,
                       "max-line", 200, "login-time", GPOINTER_TO_UINT (data),
                       "max-failures", 3, NULL);
}

static SrvBaseRequestHandler *
make_tutorial (G_GNUC_UNUSED SrvBaseServer *server,
               G_GNUC_UNUSED SrvRequest *request,
               gpointer data)
{
  return g_object_new (GPOINTER_TO_SIZE (data), "tutorial", TRUE, "pause", 20,
                       NULL);
}

static SrvBaseRequestHandler *
make_identity (G_GNUC_UNUSED SrvBaseServer *server,
               G_GNUC_UNUSED SrvRequest *request,
               gpointer data)
{
  return g_object_new (SRV_TYPE_IDENTITY_HANDLER, "disclose", data != NULL,
                       "max-line", 100, "max-commands", 6, "line-time", 200,
                       NULL);
}

static Service
start (SrvTestMixIn mix_in, SrvHandlerFactory factory, gpointer data)
{
  g_autofree char *path = srv_test_path ("accounts.db");
  g_autoptr (SrvMixIn) owned = srv_test_mix_in_new (mix_in);
  Service service = { .store = srv_account_store_new (path, NULL) };

  g_object_set (service.store, "hash-memory", 8, "hash-operations", 1, NULL);
  if (mix_in == SRV_TEST_FIBERS)
    g_object_set (owned, "workers", 1, NULL);
  service.server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                  "mix-in", owned, NULL);
  srv_account_store_serve (service.store, service.server);
  srv_base_server_set_handler_factory (service.server, factory, data, NULL);
  service.run = srv_test_run (service.server);
  return service;
}

static void
stop (Service *service)
{
  g_autofree char *path = srv_test_path ("accounts.db");
  g_autofree char *shm = g_strconcat (path, "-shm", NULL);
  g_autofree char *wal = g_strconcat (path, "-wal", NULL);

  srv_test_finish (service->run);
  g_object_unref (service->store);
  g_unlink (path);
  /* Children end without closing the file, as if they were killed. */
  g_unlink (shm);
  g_unlink (wal);
}

static char *
read_line (int fd)
{
  GString *line = g_string_new (NULL);
  char c;

  while (srv_test_receive (fd, &c, 1) == 1 && c != '\n')
    g_string_append_c (line, c);
  return g_string_free (line, FALSE);
}

static void
exchange (int fd, const char *command, const char *answer)
{
  srv_test_say (fd, command);
  srv_test_expect (fd, answer);
}

/* Logs in and gives the token. */
static char *
log_in (int fd)
{
  g_autofree char *line = NULL;

  srv_test_say (fd, "login ada correct%20horse\n");
  line = read_line (fd);
  ck_assert_msg (g_str_has_prefix (line, "ok ") && strlen (line) == 46,
                 "answer: %s", line);
  return g_strdup (line + 3);
}

/* Auth */

START_TEST (session_goes_its_way)
{
  Service service =
    start ((SrvTestMixIn) _i, make_auth, GUINT_TO_POINTER (10000));
  int fd = srv_test_connect (service.server);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *resume = NULL;
  g_autofree char *line = NULL;

  exchange (fd, "whoami\n", "refused session\n");
  exchange (fd, "register Ada correct%20horse\r\n", "ok\n");
  exchange (fd, "register ADA correct%20horse\n", "refused exists\n");
  exchange (fd, "register B%0A correct%20horse\n", "refused name\n");
  exchange (fd, "register Bob short\n", "refused password\n");
  first = log_in (fd);
  exchange (fd, "whoami\n", "ok Ada\n");
  srv_test_say (fd, "rotate\n");
  line = read_line (fd);
  second = g_strdup (line + 3);
  ck_assert_str_ne (first, second);
  srv_test_close (fd);

  fd = srv_test_connect (service.server);
  resume = g_strdup_printf ("resume %s\n", first);
  exchange (fd, resume, "refused session\n");
  g_free (resume);
  resume = g_strdup_printf ("resume %s\n", second);
  exchange (fd, resume, "ok Ada\n");
  exchange (fd, "revoke 99\n", "refused missing\n");
  exchange (fd, "revoke x\n", "bad command\n");
  srv_test_say (fd, "sessions\n");
  srv_test_expect (fd, "ok 1\nsession 1 ");
  g_free (line);
  line = read_line (fd);
  ck_assert (g_str_has_suffix (line, " 127.0.0.1 current"));
  exchange (fd, "password correct%20horse battery%20staple\n", "ok\n");
  exchange (fd, "whoami\n", "refused session\n");
  exchange (fd, "quit\n", "ok\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  stop (&service);
}
END_TEST

START_TEST (what_is_revoked_is_over_at_once)
{
  Service service =
    start (SRV_TEST_THREADING, make_auth, GUINT_TO_POINTER (10000));
  int fd = srv_test_connect (service.server);
  g_autofree char *token = NULL;

  exchange (fd, "register Ada correct%20horse\n", "ok\n");
  token = log_in (fd);
  exchange (fd, "whoami\n", "ok Ada\n");
  ck_assert (srv_account_store_set_banned (service.store, "Ada", TRUE, NULL));
  exchange (fd, "whoami\n", "refused session\n");
  exchange (fd, "login Ada correct%20horse\n", "refused banned\n");
  srv_test_close (fd);
  stop (&service);
}
END_TEST

/* Who makes more accounts than the store lets it is told for how long to wait,
 * and loses the connection as who guesses does. */
START_TEST (accounts_are_made_at_a_rate)
{
  Service service =
    start (SRV_TEST_THREADING, make_auth, GUINT_TO_POINTER (10000));
  int fd = srv_test_connect (service.server);

  g_object_set (service.store, "registration-limit-address", 1, NULL);
  exchange (fd, "register Ada correct%20horse\n", "ok\n");
  for (int i = 0; i < 3; i++)
    {
      g_autofree char *line = NULL;

      srv_test_say (fd, "register Eve correct%20horse\n");
      line = read_line (fd);
      ck_assert_msg (g_str_has_prefix (line, "wait "), "answer: %s", line);
    }
  srv_test_expect_end (fd);
  srv_test_close (fd);
  stop (&service);
}
END_TEST

START_TEST (guesses_end_the_connection)
{
  Service service =
    start (SRV_TEST_FIBERS, make_auth, GUINT_TO_POINTER (10000));
  int fd = srv_test_connect (service.server);

  exchange (fd, "login Ada wrong\n", "refused login\n");
  exchange (fd, "login Bob wrong\n", "refused login\n");
  exchange (fd, "login Ada wrong\n", "refused login\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  /* Ada has two attempts left, Bob and others more. */
  fd = srv_test_connect (service.server);
  exchange (fd, "login Ada wrong\n", "refused login\n");
  exchange (fd, "login Ada wrong\n", "refused login\n");
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  exchange (fd, "login Ada wrong\n", "refused login\n");
  exchange (fd, "login Ada wrong\n", "wait 1\n");
  srv_test_close (fd);
  stop (&service);
}
END_TEST

/* Input, and the answer after which the connection ends or goes on. */
static const struct
{
  const char *input;
  const char *answer;
  gboolean ends;
} inputs[] = {
  { "\n", "bad command\n", FALSE },
  { "login\n", "bad command\n", FALSE },
  { "login Ada\n", "bad command\n", FALSE },
  { "login Ada %zz\n", "bad command\n", FALSE },
  { "login Ada a%00b\n", "bad command\n", FALSE },
  { "login Ada %ff\n", "bad command\n", FALSE },
  { "login Ada b c\n", "bad command\n", FALSE },
  { "LOGIN Ada b\n", "bad command\n", FALSE },
  { "whoami \n", "bad command\n", FALSE },
  { "GET / HTTP/1.1\r\n", "bad command\n", FALSE },
  { "\xff\n", "bad command\n", TRUE },
  { "login \xd0\n", "bad command\n", TRUE },
  { "\x16\x03\x01\x02\n", "bad command\n", FALSE },
};

START_TEST (nonsense_is_answered)
{
  Service service =
    start (SRV_TEST_FIBERS, make_auth, GUINT_TO_POINTER (10000));
  int fd = srv_test_connect (service.server);

  exchange (fd, inputs[_i].input, inputs[_i].answer);
  if (inputs[_i].ends)
    srv_test_expect_end (fd);
  else
    exchange (fd, "quit\n", "ok\n");
  srv_test_close (fd);
  stop (&service);
}
END_TEST

START_TEST (line_has_a_limit)
{
  Service service =
    start (SRV_TEST_FIBERS, make_auth, GUINT_TO_POINTER (10000));
  g_autofree char *most = g_strnfill (200, 'x');
  g_autofree char *much = g_strnfill (100000, 'x');
  int fd = srv_test_connect (service.server);

  srv_test_say (fd, most);
  exchange (fd, "\n", "bad command\n");
  exchange (fd, "quit\n", "ok\n");
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  srv_test_say (fd, most);
  exchange (fd, "x", "bad command\n");
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  exchange (fd, much, "bad command\n");
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  stop (&service);
}
END_TEST

/* A byte now and then is no way to stay. */
START_TEST (slow_client_is_cut)
{
  Service service =
    start ((SrvTestMixIn) _i, make_auth, GUINT_TO_POINTER (200));
  const gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  int fd;

  srv_test_begin_log ();
  fd = srv_test_connect (service.server);
  while (send (fd, "x", 1, MSG_NOSIGNAL) == 1)
    {
      char byte;

      ck_assert (g_get_monotonic_time () < deadline);
      g_usleep (10000);
      if (recv (fd, &byte, 1, MSG_DONTWAIT) == 0)
        break;
    }
  srv_test_close (fd);
  stop (&service);
  srv_test_end_log ();
}
END_TEST

/* One worker: while it waits for a hash that takes long, it serves others. */
START_TEST (hashing_holds_up_nobody)
{
  Service service =
    start (SRV_TEST_FIBERS, make_auth, GUINT_TO_POINTER (10000));
  int slow = srv_test_connect (service.server);
  int quick = srv_test_connect (service.server);

  g_object_set (service.store, "hash-memory", 65536, "hash-operations", 20,
                NULL);
  srv_test_say (slow, "register Ada correct%20horse\n");
  for (int i = 0; i < 3; i++)
    exchange (quick, "bad\n", "bad command\n");
  exchange (quick, "quit\n", "ok\n");
  ck_assert (srv_test_is_quiet (slow));
  srv_test_expect (slow, "ok\n");
  srv_test_close (slow);
  srv_test_close (quick);
  stop (&service);
}
END_TEST

/* Identity */

START_TEST (address_gets_a_name)
{
  Service service =
    start ((SrvTestMixIn) _i, make_identity, GUINT_TO_POINTER (1));
  int fd = srv_test_connect (service.server);

  srv_test_expect (fd, "unknown\n");
  exchange (fd, "name #\n",
            "bad the name has a character that names cannot have\n");
  exchange (fd, "name Ада\n", "named Ада\n");
  exchange (fd, "who\n", "known Ада\n");
  exchange (fd, "quit\n", "bye\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  srv_test_expect (fd, "known Ада\n");
  exchange (fd, "forget\n", "forgotten\n");
  exchange (fd, "who\n", "unknown\n");
  exchange (fd, "else\n", "bad there are name, forget, who and quit\n");
  shutdown (fd, SHUT_WR);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  stop (&service);
}
END_TEST

START_TEST (neighbours_are_not_told)
{
  Service service = start (SRV_TEST_FIBERS, make_identity, NULL);
  int fd = srv_test_connect (service.server);

  srv_test_expect (fd, "unknown\n");
  exchange (fd, "name Ada\n", "named Ada\n");
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  srv_test_expect (fd, "known\n");
  for (int i = 0; i < 6; i++)
    exchange (fd, "who\n", "known\n");
  /* The commands are used up. */
  srv_test_expect_end (fd);
  srv_test_close (fd);
  stop (&service);
}
END_TEST

/* The tutorials' dialogues */

START_TEST (tutorial_greets)
{
  Service service = start (SRV_TEST_FIBERS, make_tutorial,
                           GSIZE_TO_POINTER (SRV_TYPE_IDENTITY_HANDLER));
  int fd = srv_test_connect (service.server);

  srv_test_expect (fd, "What is your name?\n");
  exchange (fd, "Ada", "Nice to meet you, Ada!\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  srv_test_expect (fd, "Hello, Ada!\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  stop (&service);
}
END_TEST

START_TEST (tutorial_asks_for_a_password)
{
  Service service = start (SRV_TEST_FIBERS, make_tutorial,
                           GSIZE_TO_POINTER (SRV_TYPE_AUTH_HANDLER));
  g_autofree char *token = NULL;
  int fd;

  ck_assert (srv_account_store_add (service.store, "Ada", PASSWORD, NULL));
  fd = srv_test_connect (service.server);
  srv_test_expect (fd, "What is your name?\n");
  exchange (fd, "Ada", "Password?\n");
  exchange (fd, "wrong", "Refused: wrong name or password.\n");
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  srv_test_expect (fd, "What is your name?\n");
  exchange (fd, "Ada", "Password?\n");
  exchange (fd, PASSWORD, "Hello, Ada!\n");
  token = read_line (fd);
  srv_test_close (fd);
  fd = srv_test_connect (service.server);
  srv_test_expect (fd, "Password?\n");
  exchange (fd, token, "Hello, Ada!\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  stop (&service);
}
END_TEST

int
main (void)
{
  const SrvTestEntry entries[] = {
    { "auth", session_goes_its_way, SRV_TEST_N_MIX_INS },
    { "auth", what_is_revoked_is_over_at_once, 1 },
    { "auth", accounts_are_made_at_a_rate, 1 },
    { "auth", guesses_end_the_connection, 1 },
    { "auth", nonsense_is_answered, G_N_ELEMENTS (inputs) },
    { "auth", line_has_a_limit, 1 },
    { "auth", slow_client_is_cut, SRV_TEST_N_MIX_INS },
    { "auth", hashing_holds_up_nobody, 1 },
    { "identity", address_gets_a_name, SRV_TEST_N_MIX_INS },
    { "identity", neighbours_are_not_told, 1 },
    { "tutorial", tutorial_greets, 1 },
    { "tutorial", tutorial_asks_for_a_password, 1 },
  };
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (SrvAccountStore) store =
    srv_account_store_new ("", &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    {
      printf ("1..0 # SKIP %s\n", error->message);
      return EXIT_SUCCESS;
    }
  return srv_test_run_entries ("auth-handler", entries, G_N_ELEMENTS (entries));
}
