/* test-upload-handler.c - the dialogue of an upload, under every mix-in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <poll.h>
#include <socketserver-handlers.h>
#include <sys/file.h>

#define HASH "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b"
#define TEXT "hello, world"

#define STREAMS (2 * SRV_TEST_N_MIX_INS)

/* A server with its store, and the loop that runs it. */
typedef struct
{
  SrvUploadStore *store;
  SrvBaseServer *server; /* borrowed from the run */
  SrvTestRun *run;
} Service;

static char *
in_store (const char *name)
{
  return g_build_filename (srv_test_directory (), "store", name, NULL);
}

static SrvBaseServer *
make_server (SrvTestTransport transport, SrvTestMixIn kind)
{
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new (kind);
  SrvBaseServer *server = srv_test_make (srv_test_plain_type (transport),
                                         string, "linger-timeout", 100, NULL);

  /* A handler that keeps its worker waiting is noticed when there is one. */
  if (kind == SRV_TEST_FIBERS)
    g_object_set (mix_in, "workers", 1, NULL);
  srv_base_server_set_mix_in (server, mix_in);
  return server;
}

/* A service that is yet to run. What is set now, processes that are forked
 * before the first client know, too. */
static Service
prepare (SrvTestTransport transport, SrvTestMixIn mix_in)
{
  g_autofree char *directory = in_store (NULL);
  g_autoptr (GError) error = NULL;
  Service service = { .server = make_server (transport, mix_in) };

  ck_assert_int_eq (g_mkdir_with_parents (directory, 0700), 0);
  service.store = srv_upload_store_new (directory, &error);
  srv_test_assert_no_error (error);
  srv_upload_handler_install (service.server, service.store);
  return service;
}

static Service
start (SrvTestTransport transport, SrvTestMixIn mix_in)
{
  Service service = prepare (transport, mix_in);

  service.run = srv_test_run (service.server);
  return service;
}

static guint
count_files (const char *prefix)
{
  g_autofree char *directory = in_store (NULL);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_prefix (name, prefix);
  return n;
}

/* Nothing stays that nobody can resume. */
static void
finish (Service *service)
{
  g_autofree char *directory = in_store (NULL);
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (service->run != NULL)
    srv_test_finish (service->run);
  g_object_unref (service->store);
  ck_assert_uint_eq (count_files (".srv-upload-t-"), 0);
  dir = g_dir_open (directory, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = in_store (name);

      g_unlink (path);
    }
  g_rmdir (directory);
}

static void
assert_content (const char *name, const char *expected)
{
  g_autofree char *path = in_store (name);
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &content, NULL, &error);
  srv_test_assert_no_error (error);
  ck_assert_str_eq (content, expected);
}

/* A line of the server, without its newline; the caller frees it. */
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
expect_word (int fd, const char *words)
{
  g_autofree char *line = read_line (fd);

  ck_assert_msg (g_str_has_prefix (line, words), "\"%s\", not \"%s\"", line,
                 words);
}

/* As it stands in the header file. */
START_TEST (dialogue_is_as_documented)
{
  Service service = start (_i / SRV_TEST_N_MIX_INS, _i % SRV_TEST_N_MIX_INS);
  int fd = srv_test_connect (service.run->server);

  srv_test_say (fd, "upload 1 12 hello%20there.txt " HASH "\n");
  srv_test_expect (fd, "go 0\n");
  srv_test_say (fd, TEXT);
  srv_test_expect (fd, "stored 12 hello%20there.txt " HASH "\n");
  assert_content ("hello there.txt", TEXT);

  srv_test_say (fd, "upload 1 12 hello%20there.txt " HASH "\n");
  expect_word (fd, "refused exists ");
  srv_test_say (fd, "upload 1 5 ..%2F..%2Fetc%2Fpasswd -\n");
  expect_word (fd, "refused bad-name ");
  srv_test_say (fd, "upload 1 0 empty -\n");
  srv_test_expect (fd, "go 0\nstored 0 empty e3b0c44298fc1c149afbf4c8996fb9242"
                       "7ae41e4649b934ca495991b7852b855\n");
  assert_content ("empty", "");
  srv_test_say (fd, "upload 1 12 other " HASH "\n");
  srv_test_expect (fd, "go 0\n");
  srv_test_say (fd, "HELLO, world");
  expect_word (fd, "refused checksum ");

  ck_assert_int_eq (shutdown (fd, SHUT_WR), 0);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish (&service);
}
END_TEST

START_TEST (pieces_do_not_matter)
{
  Service service = start (_i / SRV_TEST_N_MIX_INS, _i % SRV_TEST_N_MIX_INS);
  const char *header = "upload 1 12 a -\n";
  int fd = srv_test_connect (service.run->server);

  for (const char *next = header; *next != '\0'; next++)
    srv_test_send (fd, next, 1);
  srv_test_expect (fd, "go 0\n");
  for (const char *next = TEXT; *next != '\0'; next++)
    srv_test_send (fd, next, 1);
  srv_test_expect (fd, "stored 12 a " HASH "\n");
  /* And all at once, without waiting for leave. */
  srv_test_say (fd, "upload 1 12 b -\n" TEXT "upload 1 12 c -\n" TEXT);
  srv_test_expect (fd,
                   "go 0\nstored 12 b " HASH "\ngo 0\nstored 12 c " HASH "\n");
  srv_test_close (fd);
  finish (&service);
}
END_TEST

static const struct
{
  const char *text;
  const char *reply;
} bad_headers[] = {
  { "upload 1 -1 a -\n", "refused bad-size " },
  { "upload 1 9223372036854775808 a -\n", "refused bad-size " },
  { "upload 1 1073741825 a -\n", "refused too-large " },
  { "upload 1 5 \033[2J -\n", "refused bad-name " },
  { "upload 1 5 %00 -\n", "refused bad-name " },
  { "GET / HTTP/1.1\r\n", "refused bad-header " },
  { "post|a|5", "refused bad-header " },
};

START_TEST (bad_header_gets_its_reply)
{
  Service service = start (SRV_TEST_TCP, SRV_TEST_THREADING);
  int fd = srv_test_connect (service.run->server);

  srv_test_say (fd, bad_headers[_i].text);
  expect_word (fd, bad_headers[_i].reply);
  ck_assert_int_eq (shutdown (fd, SHUT_WR), 0);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish (&service);
}
END_TEST

START_TEST (more_than_announced_is_no_part_of_the_file)
{
  Service service = start (SRV_TEST_TCP, _i);
  int fd = srv_test_connect (service.run->server);

  srv_test_say (fd, "upload 1 12 a -\n");
  srv_test_expect (fd, "go 0\n");
  srv_test_say (fd, TEXT " and more");
  srv_test_expect (fd, "stored 12 a " HASH "\n");
  expect_word (fd, "refused bad-header ");
  srv_test_close (fd);
  assert_content ("a", TEXT);
  finish (&service);
}
END_TEST

START_TEST (less_than_announced_is_no_file)
{
  Service service = start (SRV_TEST_TCP, _i);
  int fd = srv_test_connect (service.run->server);

  srv_test_say (fd, "upload 1 12 a -\n");
  srv_test_expect (fd, "go 0\n");
  srv_test_say (fd, "hello");
  ck_assert_int_eq (shutdown (fd, SHUT_WR), 0);
  expect_word (fd, "refused truncated ");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish (&service);
}
END_TEST

/* Until the server has noticed that the first client has gone, the file is
 * busy. (A forked child has a copy of the client's descriptor too: it is the
 * shutdown that it notices, not the close.) */
START_TEST (upload_goes_on_over_another_connection)
{
  Service service = start (_i / SRV_TEST_N_MIX_INS, _i % SRV_TEST_N_MIX_INS);
  const gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  int fd = srv_test_connect (service.run->server);
  gboolean again = TRUE;

  srv_test_say (fd, "upload 1 12 a " HASH "\n");
  srv_test_expect (fd, "go 0\n");
  srv_test_say (fd, "hello");
  ck_assert_int_eq (shutdown (fd, SHUT_RDWR), 0);
  srv_test_close (fd);
  while (again)
    {
      g_autofree char *line = NULL;

      fd = srv_test_connect (service.run->server);
      srv_test_say (fd, "upload 1 12 a " HASH "\n");
      line = read_line (fd);
      again = g_str_has_prefix (line, "refused busy ");
      ck_assert (g_get_monotonic_time () < deadline);
      if (!again)
        ck_assert_str_eq (line, "go 5");
      else
        {
          ck_assert_int_eq (shutdown (fd, SHUT_RDWR), 0);
          srv_test_close (fd);
        }
    }
  srv_test_say (fd, ", world");
  srv_test_expect (fd, "stored 12 a " HASH "\n");
  srv_test_close (fd);
  assert_content ("a", TEXT);
  finish (&service);
}
END_TEST

/* Concurrency: threads, and processes that share nothing but the directory. */

#define N_CLIENTS 6

START_TEST (room_is_given_away_once)
{
  Service service = prepare (SRV_TEST_TCP, SRV_TEST_THREADING + _i);
  int fds[N_CLIENTS];
  guint n_go = 0;

  g_object_set (service.store, "quota", (guint64) 100, NULL);
  service.run = srv_test_run (service.server);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      g_autofree char *header = g_strdup_printf ("upload 1 30 f%u -\n", i);

      fds[i] = srv_test_connect (service.run->server);
      srv_test_say (fds[i], header);
    }
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      g_autofree char *line = read_line (fds[i]);

      if (g_str_equal (line, "go 0"))
        n_go++;
      else
        ck_assert (g_str_has_prefix (line, "refused quota "));
    }
  ck_assert_uint_eq (n_go, 3);
  for (guint i = 0; i < N_CLIENTS; i++)
    srv_test_close (fds[i]);
  finish (&service);
}
END_TEST

START_TEST (one_of_two_uploads_of_a_name_wins)
{
  Service service = start (SRV_TEST_TCP, SRV_TEST_THREADING + _i);
  g_autofree char *first_line = NULL;
  g_autofree char *second_line = NULL;
  int first = srv_test_connect (service.run->server);
  int second = srv_test_connect (service.run->server);

  srv_test_say (first, "upload 1 3 a -\n");
  srv_test_say (second, "upload 1 3 a -\n");
  srv_test_expect (first, "go 0\n");
  srv_test_expect (second, "go 0\n");
  srv_test_say (first, "one");
  srv_test_say (second, "two");
  first_line = read_line (first);
  second_line = read_line (second);
  ck_assert_int_ne (g_str_has_prefix (first_line, "stored 3 a "),
                    g_str_has_prefix (second_line, "stored 3 a "));
  ck_assert_int_ne (g_str_has_prefix (first_line, "refused exists "),
                    g_str_has_prefix (second_line, "refused exists "));
  assert_content ("a", g_str_has_prefix (first_line, "stored") ? "one" : "two");
  srv_test_close (first);
  srv_test_close (second);
  finish (&service);
}
END_TEST

/* Another process has the directory locked: who waits for it holds up nobody,
 * also where all share one thread. */
START_TEST (wait_for_the_lock_holds_up_nobody)
{
  Service service = start (SRV_TEST_TCP, SRV_TEST_THREADING + _i);
  g_autofree char *path = in_store (".srv-upload-lock");
  int lock_fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int waiting = srv_test_connect (service.run->server);
  int other = srv_test_connect (service.run->server);

  ck_assert_int_eq (flock (lock_fd, LOCK_EX), 0);
  srv_test_say (waiting, "upload 1 12 a -\n");
  srv_test_say (other, "nonsense\n");
  expect_word (other, "refused ");
  ck_assert (srv_test_is_quiet (waiting));
  /* Not by close: forked children have the descriptor, too. */
  ck_assert_int_eq (flock (lock_fd, LOCK_UN), 0);
  srv_test_close (lock_fd);
  srv_test_expect (waiting, "go 0\n");
  srv_test_close (waiting);
  srv_test_close (other);
  finish (&service);
}
END_TEST

/* Time. */

/* A byte now and then, until the server has something to say. */
static void
trickle (int fd)
{
  struct pollfd poll_fd = { fd, POLLIN, 0 };
  const gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);

  while (poll (&poll_fd, 1, 5) == 0)
    {
      ck_assert (g_get_monotonic_time () < deadline);
      srv_test_send (fd, "1", 1);
    }
}

static const struct
{
  const char *begin;
  gboolean trickles;
} slow_clients[] = {
  { "upload 1 1", FALSE },
  { "upload 1 a", TRUE },
  { "upload 1 100000 a -\n", FALSE },
  { "upload 1 100000 a -\n", TRUE },
};

START_TEST (slow_client_is_cut_off)
{
  Service service = prepare (SRV_TEST_TCP, _i % SRV_TEST_N_MIX_INS);
  const char *begin = slow_clients[_i / SRV_TEST_N_MIX_INS].begin;
  int fd;

  g_object_set (service.store, "stall-timeout", 100, "min-rate", 1000000, NULL);
  service.run = srv_test_run (service.server);
  fd = srv_test_connect (service.run->server);
  srv_test_say (fd, begin);
  if (g_str_has_suffix (begin, "\n"))
    srv_test_expect (fd, "go 0\n");
  if (slow_clients[_i / SRV_TEST_N_MIX_INS].trickles)
    trickle (fd);
  expect_word (fd, "refused timeout ");
  srv_test_close (fd);
  finish (&service);
}
END_TEST

/* What has come is not lost when the server ends. */
START_TEST (stop_is_told_and_part_is_kept)
{
  Service service = start (SRV_TEST_TCP, SRV_TEST_THREADING + _i);
  int fd = srv_test_connect (service.run->server);

  srv_test_say (fd, "upload 1 12 a " HASH "\n");
  srv_test_expect (fd, "go 0\n");
  srv_test_say (fd, "hello");
  srv_test_finish (g_steal_pointer (&service.run));
  expect_word (fd, "refused stopping ");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  ck_assert_uint_eq (count_files (".srv-upload-p-"), 1);
  finish (&service);
}
END_TEST

/* The tutorial's protocol: nothing comes back. */
START_TEST (post_is_silent)
{
  Service service = prepare (SRV_TEST_TCP, _i);
  int fd;

  g_object_set (service.store, "allow-post", TRUE, NULL);
  service.run = srv_test_run (service.server);
  fd = srv_test_connect (service.run->server);
  srv_test_say (fd, "post|a b.txt|12" TEXT "post|empty|0post|c|3xyz");
  ck_assert_int_eq (shutdown (fd, SHUT_WR), 0);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  assert_content ("a b.txt", TEXT);
  assert_content ("empty", "");
  assert_content ("c", "xyz");
  finish (&service);
}
END_TEST

static const struct
{
  const char *text;
  const char *logged;
} bad_posts[] = {
  { "post|../a|12", "begins with a dot" },
  { "post|a|-1", "no number" },
  { "post|a|9223372036854775808", "no number" },
  { "post|a|9223372036854775807", "too large" },
  { "post|a", "has ended" },
  { "post|a|12hello", "has ended" },
};

/* The operator hears of what the client cannot be told. */
START_TEST (refused_post_is_logged)
{
  Service service = prepare (SRV_TEST_TCP, SRV_TEST_THREADING);
  int fd;

  g_object_set (service.store, "allow-post", TRUE, NULL);
  service.run = srv_test_run (service.server);
  fd = srv_test_connect (service.run->server);
  srv_test_begin_log ();
  srv_test_say (fd, bad_posts[_i].text);
  ck_assert_int_eq (shutdown (fd, SHUT_WR), 0);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (g_steal_pointer (&service.run));
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING,
                                         bad_posts[_i].logged),
                     1);
  srv_test_end_log ();
  finish (&service);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "dialogue", dialogue_is_as_documented, STREAMS },
    { "dialogue", pieces_do_not_matter, STREAMS },
    { "dialogue", bad_header_gets_its_reply, (int) G_N_ELEMENTS (bad_headers) },
    { "dialogue", more_than_announced_is_no_part_of_the_file,
      SRV_TEST_N_MIX_INS },
    { "dialogue", less_than_announced_is_no_file, SRV_TEST_N_MIX_INS },
    { "dialogue", upload_goes_on_over_another_connection, STREAMS },
    { "many", room_is_given_away_once, 3 },
    { "many", one_of_two_uploads_of_a_name_wins, 3 },
    { "many", wait_for_the_lock_holds_up_nobody, 3 },
    { "time", slow_client_is_cut_off,
      (int) G_N_ELEMENTS (slow_clients) * SRV_TEST_N_MIX_INS },
    { "time", stop_is_told_and_part_is_kept, 3 },
    { "post", post_is_silent, SRV_TEST_N_MIX_INS },
    { "post", refused_post_is_logged, (int) G_N_ELEMENTS (bad_posts) },
  };

  return srv_test_run_entries ("UploadHandler", tests, G_N_ELEMENTS (tests));
}
