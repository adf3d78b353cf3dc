/* test-log.c - what operators find in the log
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* The plain classes, whose handle_error() writes the record. */
static SrvBaseServer *
make_server (SrvTestTransport transport,
             SrvTestMixIn mix_in,
             SrvHandlerFunc function)
{
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvMixIn) object = srv_test_mix_in_new (mix_in);
  SrvBaseServer *server = srv_test_make (srv_test_plain_type (transport),
                                         string, "mix-in", object, NULL);

  srv_base_server_set_handler_func (server, function, NULL, NULL);

  return server;
}

static void
drop (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  g_object_unref (server);
}

static gboolean
fail_badly (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
            G_GNUC_UNUSED gpointer user_data,
            GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "evil\n\x1b[31m"
               "text");

  return FALSE;
}

static gboolean
wait_for_the_client (SrvBaseRequestHandler *handler,
                     G_GNUC_UNUSED gpointer user_data,
                     GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  const char *line;

  return srv_reader_read_line (srv_stream_request_handler_get_rfile (self),
                               &line, 100, error) >= 0;
}

static void
handle_one (SrvBaseServer *server)
{
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);
}

/* One failure is one record with the fields to search for, whatever the
 * error's text holds; threads' failures are not lost (SS-077). */
START_TEST (failed_request_is_one_record)
{
  SrvTestTransport transport = srv_test_transport_of (_i);
  SrvTestMixIn mix_in = srv_test_mix_in_of (_i);
  SrvBaseServer *server;
  g_autofree char *message = NULL;
  g_autofree char *event = NULL;
  g_autofree char *peer = NULL;
  g_autofree char *name = NULL;
  g_autofree char *domain = NULL;
  g_autofree char *bound = NULL;
  int fd;

  /* Elsewhere the record is the child's. */
  if (!srv_test_mix_in_is (mix_in, "shares-memory"))
    return;

  server = make_server (transport, mix_in, fail_badly);
  bound = srv_base_server_dup_endpoint (server);
  srv_test_begin_log ();
  fd = srv_test_connect (server);
  srv_test_say (fd, "x\n");
  handle_one (server);
  srv_base_server_server_close (server);

  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, NULL), 1);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, "evil"), 1);
  message = srv_test_get_log_field ("evil", "MESSAGE");
  event = srv_test_get_log_field ("evil", "SRV_EVENT");
  peer = srv_test_get_log_field ("evil", "SRV_PEER");
  name = srv_test_get_log_field ("evil", "SRV_SERVER");
  domain = srv_test_get_log_field ("evil", "GLIB_DOMAIN");
  srv_test_end_log ();

  ck_assert_ptr_null (strpbrk (message, "\n\x1b"));
  ck_assert_ptr_nonnull (strstr (message, "evil\\n\\x1b[31mtext"));
  ck_assert_ptr_nonnull (event);
  ck_assert_str_eq (name, bound);
  ck_assert_str_eq (domain, "SocketServer");
  if (!srv_test_is_unix (transport))
    {
      struct sockaddr_in own = { 0 };
      socklen_t length = sizeof own;
      g_autofree char *expected = NULL;

      getsockname (fd, (struct sockaddr *) &own, &length);
      expected = g_strdup_printf ("127.0.0.1:%u", ntohs (own.sin_port));
      ck_assert_str_eq (peer, expected);
    }
  srv_test_close (fd);
  g_object_unref (server);
}
END_TEST

/* A peer that vanished is not worth a warning (D-43). */
START_TEST (vanished_peer_is_quiet)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, SRV_TEST_INLINE, wait_for_the_client);
  struct linger reset = { .l_onoff = 1, .l_linger = 0 };
  int fd = srv_test_connect (server);

  srv_test_begin_log ();
  setsockopt (fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  srv_test_close (fd);
  handle_one (server);
  ck_assert_uint_eq (
    srv_test_count_log ((GLogLevelFlags) (G_LOG_LEVEL_WARNING |
                                          G_LOG_LEVEL_CRITICAL |
                                          G_LOG_LEVEL_MESSAGE |
                                          G_LOG_LEVEL_INFO),
                        NULL),
    0);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_DEBUG, NULL), 1);
  srv_test_end_log ();
  drop (server);
}
END_TEST

/* A client that was too slow is information, not a warning; also one that had
 * connected before the limit was set, and waited in the queue. */
START_TEST (slow_client_is_information)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, SRV_TEST_INLINE, wait_for_the_client);
  int fd = _i == 1 ? srv_test_connect (server) : -1;

  srv_stream_server_set_idle_timeout (SRV_STREAM_SERVER (server), 10);
  if (_i == 0)
    fd = srv_test_connect (server);
  srv_test_begin_log ();
  handle_one (server);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, NULL), 0);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_INFO, NULL), 1);
  srv_test_end_log ();
  srv_test_close (fd);
  drop (server);
}
END_TEST

static gboolean
fail_without_a_reason (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
                       G_GNUC_UNUSED gpointer user_data,
                       G_GNUC_UNUSED GError **error)
{
  return FALSE;
}

/* A handler that fails without an error is a mistake of the program: it is
 * told so, and the request still fails in order. */
START_TEST (failure_without_a_reason_is_a_critical)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, SRV_TEST_INLINE, fail_without_a_reason);
  int fd = srv_test_connect (server);

  srv_test_begin_log ();
  handle_one (server);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_CRITICAL, NULL), 1);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, NULL), 1);
  srv_test_end_log ();
  srv_test_expect_end (fd);
  srv_test_close (fd);
  drop (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "records", failed_request_is_one_record, SRV_TEST_N_COMBINATIONS },
    { "records", vanished_peer_is_quiet, 1 },
    { "records", slow_client_is_information, 2 },
    { "records", failure_without_a_reason_is_a_critical, 1 },
  };

  /* Debug records nobody wants are not even made. */
  g_setenv ("G_MESSAGES_DEBUG", "all", TRUE);

  return srv_test_run_entries ("Log", tests, G_N_ELEMENTS (tests));
}
