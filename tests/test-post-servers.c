/* test-post-servers.c - posts to the connections of a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "post-test.h"

/* The connections of all requests, for others to post to. */
static GMutex members_lock;
static GPtrArray *members;

static gboolean
serve_member (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer data,
              GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvConnection *connection = srv_stream_request_handler_get_connection (self);
  const char *line;
  gssize n;

  srv_connection_set_post_limit (connection, 256 * 1024);
  g_mutex_lock (&members_lock);
  g_ptr_array_add (members, g_object_ref (connection));
  g_mutex_unlock (&members_lock);
  srv_test_trace ("joined");
  while ((n = srv_reader_read_line (rfile, &line, 100, error)) > 0)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (line, (gsize) n);

      g_mutex_lock (&members_lock);
      for (guint i = 0; i < members->len; i++)
        srv_connection_post (members->pdata[i], bytes, NULL);
      g_mutex_unlock (&members_lock);
    }
  g_mutex_lock (&members_lock);
  g_ptr_array_remove (members, connection);
  g_mutex_unlock (&members_lock);
  return n == 0;
}

static SrvTestRun *
start_members (SrvTestTransport transport, SrvTestMixIn mix_in)
{
  SrvBaseServer *server = srv_test_server_new (transport, mix_in);

  members = g_ptr_array_new_with_free_func (g_object_unref);
  srv_base_server_set_handler_func (server, serve_member, NULL, NULL);
  return srv_test_run (server);
}

static void
finish_members (SrvTestRun *run)
{
  srv_test_finish (run);
  g_clear_pointer (&members, g_ptr_array_unref);
}

#define N_MEMBERS 20

static const SrvTestMixIn shared_memory[] = { SRV_TEST_THREADING,
                                              SRV_TEST_FIBERS };

/* What one says, all read, whoever serves them. */
START_TEST (members_hear_one_another)
{
  SrvTestRun *run = start_members (_i % 2 == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX,
                                   shared_memory[_i / 2]);
  int clients[N_MEMBERS];

  for (int i = 0; i < N_MEMBERS; i++)
    clients[i] = srv_test_connect (run->server);
  srv_test_wait_for_trace ("joined", N_MEMBERS);
  for (int i = 0; i < N_MEMBERS; i++)
    {
      srv_test_say (clients[i], "hello, all\n");
      for (int j = 0; j < N_MEMBERS; j++)
        srv_test_expect (clients[j], "hello, all\n");
    }
  for (int i = 0; i < N_MEMBERS; i++)
    srv_test_close (clients[i]);
  finish_members (run);
}
END_TEST

static void
assert_post (SrvConnection *connection, gboolean allowed)
{
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (post_text (connection, "posted\n", &error), allowed);
  if (!allowed)
    srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  ck_assert_int_eq (srv_connection_check_posts (connection, NULL), allowed);
}

/* Bytes that go to the client as they are have no place under a stream. */
static gboolean
change_streams (SrvBaseRequestHandler *handler,
                gpointer allows_before,
                G_GNUC_UNUSED GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvConnection *connection = srv_stream_request_handler_get_connection (self);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output =
    g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (input, output);

  if (allows_before)
    srv_connection_set_post_limit (connection, 1000);
  srv_stream_request_handler_set_stream (self, stream);
  srv_connection_set_post_limit (connection, 1000);
  assert_post (connection, FALSE);
  srv_writer_write_string (srv_stream_request_handler_get_wfile (self),
                           "over the stream\n", NULL);
  srv_writer_flush (srv_stream_request_handler_get_wfile (self), NULL);
  srv_stream_request_handler_set_stream (self, NULL);
  assert_post (connection, TRUE);

  return TRUE;
}

/* One client, who is sent @expected. */
static void
serve_once (SrvHandlerFunc function, gpointer data, const char *expected)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  int fd;

  srv_base_server_set_handler_func (server, function, data, NULL);
  fd = srv_test_connect (server);
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_expect (fd, expected);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}

START_TEST (nobody_posts_under_a_stream)
{
  serve_once (change_streams, GINT_TO_POINTER (_i),
              "over the stream\nposted\n");
}
END_TEST

/* What waits when the stream comes goes before it, and not into it. */
static gboolean
lay_stream_over_posts (SrvBaseRequestHandler *handler,
                       G_GNUC_UNUSED gpointer data,
                       GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvConnection *connection = srv_stream_request_handler_get_connection (self);
  g_autoptr (GIOStream) stream =
    g_simple_io_stream_new (g_io_stream_get_input_stream (
                              G_IO_STREAM (connection)),
                            g_io_stream_get_output_stream (
                              G_IO_STREAM (connection)));

  srv_connection_set_post_limit (connection, 1000);
  srv_connection_set_post_gap (connection, 50);
  ck_assert (post_text (connection, "one, ", NULL));
  ck_assert (post_text (connection, "two, ", NULL));
  ck_assert_uint_eq (srv_connection_get_n_posted_bytes (connection), 5);
  srv_stream_request_handler_set_stream (self, stream);
  ck_assert_uint_eq (srv_connection_get_n_posted_bytes (connection), 0);

  return srv_writer_write_string (srv_stream_request_handler_get_wfile (self),
                                  "and the stream\n", error);
}

START_TEST (posts_that_wait_go_before_the_stream)
{
  serve_once (lay_stream_over_posts, NULL, "one, two, and the stream\n");
}
END_TEST

/* One member never reads: it is cut, its request fails with the reason, and the
 * others have missed nothing. */
START_TEST (slow_member_is_cut_and_told)
{
  const guint n_lines = 100000;
  SrvTestRun *run = start_members (SRV_TEST_UNIX, shared_memory[_i]);
  int slow = srv_test_connect (run->server);
  int fast;
  guint n_sent = 0;

  srv_test_wait_for_trace ("joined", 1);
  fast = srv_test_connect (run->server);
  srv_test_wait_for_trace ("joined", 2);
  while (srv_test_count_trace ("handle_error") == 0 && n_sent < n_lines)
    {
      srv_test_say (fast, "0123456789012345678901234567890123456789\n");
      srv_test_expect (fast, "0123456789012345678901234567890123456789\n");
      n_sent++;
    }
  srv_test_wait_for_trace ("handle_error", 1);
  ck_assert (srv_test_get_error_domain () == SRV_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_SLOW_CONSUMER);
  srv_test_say (fast, "still here\n");
  srv_test_expect (fast, "still here\n");
  srv_test_close (fast);
  close (slow);
  finish_members (run);
}
END_TEST

static gboolean
post_and_leave (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer data,
                GError **error)
{
  SrvConnection *connection = srv_stream_request_handler_get_connection (
    SRV_STREAM_REQUEST_HANDLER (handler));

  srv_connection_set_post_limit (connection, 8 * 1024 * 1024);
  return post_filled (connection, 4 * 1024 * 1024, error) &&
         post_text (connection, "end", error);
}

/* What was posted before the request ended still arrives, under every mix-in:
 * the process's own connections can be posted to in a child as well. */
START_TEST (end_of_the_request_sends_what_waits)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, (SrvTestMixIn) _i);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, post_and_leave, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  read_exactly (fd, 4 * 1024 * 1024);
  srv_test_expect (fd, "end");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "servers", members_hear_one_another, 4 },
    { "servers", nobody_posts_under_a_stream, 2 },
    { "servers", posts_that_wait_go_before_the_stream, 1 },
    { "servers", slow_member_is_cut_and_told, 2 },
    { "servers", end_of_the_request_sends_what_waits, SRV_TEST_N_MIX_INS },
  };

  return srv_test_run_entries ("PostServers", tests, G_N_ELEMENTS (tests));
}
