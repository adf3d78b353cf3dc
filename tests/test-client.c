/* test-client.c - messages to a server and back, each within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

static SrvFraming *
lines (void)
{
  return srv_framing_new_line (100, TRUE);
}

/* A client of @endpoint that must be had. */
static SrvClient *
client_of (const char *endpoint, int timeout_ms)
{
  g_autoptr (SrvFraming) framing = lines ();
  g_autoptr (GError) error = NULL;
  SrvClient *client =
    srv_client_new (endpoint, framing, timeout_ms, NULL, &error);

  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (client);
  return client;
}

static SrvClient *
client_of_server (SrvBaseServer *server)
{
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);

  return client_of (endpoint, SRV_TEST_PATIENCE);
}

static void
send_text (SrvClient *client, const char *text)
{
  g_autoptr (GError) error = NULL;

  ck_assert (srv_client_send (client, text, strlen (text), NULL, &error));
  srv_test_assert_no_error (error);
}

static void
expect_text (SrvClient *client, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) reply = srv_client_receive (client, NULL, &error);
  g_autoptr (GBytes) wanted = g_bytes_new (expected, strlen (expected));

  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (reply);
  ck_assert (g_bytes_equal (reply, wanted));
}

#define expect_failure(client, domain, code)                            \
  do                                                                    \
    {                                                                   \
      g_autoptr (GError) failure = NULL;                                \
                                                                        \
      ck_assert_ptr_null (srv_client_receive (client, NULL, &failure)); \
      srv_test_assert_error (failure, domain, code);                    \
    }                                                                   \
  while (0)

/* One client for every transport, under every mix-in. A child must not be forked
 * while this thread makes objects, since it would inherit their locks: a stream
 * is connected before, and its child is there before anything is sent. */
START_TEST (messages_come_back)
{
  const SrvTestTransport transport = srv_test_transport_of (_i);
  SrvBaseServer *server =
    srv_test_server_new (transport, srv_test_mix_in_of (_i));
  g_autoptr (SrvClient) client = client_of_server (server);
  SrvTestRun *run = srv_test_run (server);

  if (srv_test_is_stream (transport))
    srv_test_wait_for_trace ("handle", 1);
  ck_assert_int_eq (srv_client_is_datagram (client),
                    !srv_test_is_stream (transport));
  ck_assert_int_eq (srv_client_get_connection (client) == NULL,
                    !srv_test_is_stream (transport));
  ck_assert_int_ge (srv_client_get_fd (client), 0);
  send_text (client, "hello");
  expect_text (client, "hello");
  ck_assert (srv_client_shutdown_write (client, NULL));
  srv_client_close (client);
  srv_test_finish (run);
}
END_TEST

/* Abstract names, for streams and datagrams: the answer finds its way. */
START_TEST (abstract_names_are_reached)
{
  g_autofree char *endpoint = g_strdup_printf ("%s:@srv-test-client-%d",
                                               _i == 0 ? "unix" : "unixgram",
                                               getpid ());
  const SrvTestTransport transport = _i == 0 ? SRV_TEST_UNIX
                                             : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server =
    srv_test_make (srv_test_server_type (transport), endpoint, "handler-type",
                   srv_test_handler_type (transport), NULL);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (SrvClient) client = client_of (endpoint, SRV_TEST_PATIENCE);

  send_text (client, "hello");
  expect_text (client, "hello");
  srv_client_close (client);
  srv_test_finish (run);
}
END_TEST

/* A socket on loopback, and where it is bound. */
static struct sockaddr_in
bound_socket (int type, int *fd)
{
  struct sockaddr_in in = {
    .sin_family = AF_INET,
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
  };
  socklen_t size = sizeof in;

  *fd = socket (AF_INET, type | SOCK_CLOEXEC, 0);
  ck_assert_int_eq (bind (*fd, (struct sockaddr *) &in, size), 0);
  if (type == SOCK_STREAM)
    ck_assert_int_eq (listen (*fd, 5), 0);
  ck_assert_int_eq (getsockname (*fd, (struct sockaddr *) &in, &size), 0);
  return in;
}

/* A client of our own listener, and the accepted other end. */
static SrvClient *
client_and_peer (SrvFraming *framing, int timeout_ms, int *peer)
{
  int fd;
  struct sockaddr_in in = bound_socket (SOCK_STREAM, &fd);
  g_autofree char *endpoint =
    g_strdup_printf ("tcp:127.0.0.1:%u", ntohs (in.sin_port));
  SrvClient *client =
    srv_client_new (endpoint, framing, timeout_ms, NULL, NULL);

  ck_assert_ptr_nonnull (client);
  *peer = accept (fd, NULL, NULL);
  ck_assert_int_ge (*peer, 0);
  srv_test_close (fd);
  return client;
}

static gpointer
drip_in_thread (gpointer fd)
{
  while (send (GPOINTER_TO_INT (fd), "x", 1, MSG_NOSIGNAL) == 1)
    g_usleep (5000);
  return NULL;
}

/* A server that sends a byte now and then does not stretch the time limit. */
START_TEST (limit_bounds_a_whole_receive)
{
  g_autoptr (SrvFraming) framing = srv_framing_new_line (1 << 20, TRUE);
  int peer;
  g_autoptr (SrvClient) client = client_and_peer (framing, 100, &peer);
  GThread *thread;
  gint64 before = g_get_monotonic_time ();

  expect_failure (client, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  thread = g_thread_new ("drip", drip_in_thread, GINT_TO_POINTER (peer));
  expect_failure (client, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  ck_assert_int_lt (g_get_monotonic_time () - before,
                    SRV_TEST_PATIENCE * (gint64) 1000);
  srv_client_close (client);
  g_thread_join (thread);
  srv_test_close (peer);
}
END_TEST

/* A server that does not read holds a sender no longer than the limit. */
START_TEST (limit_bounds_a_send)
{
  g_autoptr (SrvFraming) framing =
    srv_framing_new_varint (SRV_FRAMING_MAX_SIZE);
  g_autoptr (GError) error = NULL;
  g_autofree char *large = g_malloc0 (32 << 20);
  int peer;
  g_autoptr (SrvClient) client = client_and_peer (framing, 100, &peer);

  ck_assert_int_eq (srv_client_get_timeout (client), 100);
  ck_assert (!srv_client_send (client, large, 32 << 20, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_close (peer);
}
END_TEST

/* Without a limit, and after it was changed. */
START_TEST (limit_can_be_changed)
{
  g_autoptr (SrvFraming) framing = lines ();
  int peer;
  g_autoptr (SrvClient) client = client_and_peer (framing, -1, &peer);

  srv_test_say (peer, "one\r\ntwo\nthr");
  expect_text (client, "one");
  expect_text (client, "two");
  ck_assert (srv_client_set_timeout (client, 20, NULL));
  expect_failure (client, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  ck_assert (srv_client_set_timeout (client, -1, NULL));
  srv_test_say (peer, "ee\n");
  expect_text (client, "three");
  srv_test_close (peer);
}
END_TEST

/* A clean end is no error, a cut message is one. */
START_TEST (end_is_told_from_a_cut)
{
  g_autoptr (SrvFraming) framing = lines ();
  g_autoptr (GError) error = NULL;
  int peer;
  g_autoptr (SrvClient) client =
    client_and_peer (framing, SRV_TEST_PATIENCE, &peer);

  srv_test_say (peer, _i == 0 ? "one\n" : "one\ntw");
  srv_test_close (peer);
  expect_text (client, "one");
  if (_i == 1)
    {
      expect_failure (client, SRV_ERROR, SRV_ERROR_TRUNCATED);
      return;
    }
  ck_assert_ptr_null (srv_client_receive (client, NULL, &error));
  srv_test_assert_no_error (error);
}
END_TEST

/* A message that ends with the stream is sent whole: the end, too. */
START_TEST (last_message_ends_the_stream)
{
  g_autoptr (SrvFraming) framing = srv_framing_new_end (100);
  int peer;
  g_autoptr (SrvClient) client =
    client_and_peer (framing, SRV_TEST_PATIENCE, &peer);
  g_autofree char *all = NULL;
  gsize length;

  send_text (client, "question");
  all = srv_test_read_all (peer, &length);
  ck_assert_uint_eq (length, 8);
  srv_test_say (peer, "answer");
  srv_test_close (peer);
  expect_text (client, "answer");
}
END_TEST

/* A datagram socket of our own as the server, with a connected client. */
static SrvClient *
datagram_client_and_peer (int *peer)
{
  g_autofree char *endpoint =
    g_strdup_printf ("unixgram:@srv-peer-%d", getpid ());
  struct sockaddr_un un = { .sun_family = AF_UNIX };
  int length = g_snprintf (un.sun_path + 1, sizeof un.sun_path - 1,
                           "srv-peer-%d", getpid ());

  *peer = srv_test_socket (AF_UNIX, SOCK_DGRAM);
  ck_assert_int_eq (bind (*peer, (struct sockaddr *) &un,
                          offsetof (struct sockaddr_un, sun_path) + 1 +
                            (socklen_t) length),
                    0);
  return client_of (endpoint, 200);
}

/* Empty ones, the longest one, and one that is a byte too long, which is lost;
 * the next one comes. */
START_TEST (datagrams_have_limits)
{
  struct sockaddr_un from;
  socklen_t size = sizeof from;
  char buffer[101];
  g_autofree char *text = g_strnfill (101, 'x');
  g_autoptr (GError) error = NULL;
  int peer;
  g_autoptr (SrvClient) client = datagram_client_and_peer (&peer);

  ck_assert (!srv_client_send (client, text, 101, NULL, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG);
  ck_assert (srv_client_send (client, text, 100, NULL, NULL));
  ck_assert_int_eq (recvfrom (peer, buffer, sizeof buffer, 0,
                              (struct sockaddr *) &from, &size),
                    100);
  ck_assert (srv_client_send (client, NULL, 0, NULL, NULL));
  ck_assert_int_eq (recv (peer, buffer, sizeof buffer, 0), 0);

  for (gsize length = 99; length <= 101; length++)
    ck_assert_int_eq (sendto (peer, text, length, 0, (struct sockaddr *) &from,
                              size),
                      (gssize) length);
  ck_assert_int_eq (sendto (peer, "", 0, 0, (struct sockaddr *) &from, size),
                    0);
  expect_text (client, text + 2);
  expect_text (client, text + 1);
  expect_failure (client, SRV_ERROR, SRV_ERROR_TOO_LONG);
  expect_text (client, "");
  expect_failure (client, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_close (peer);
}
END_TEST

/* The queue of a server that does not receive gets full; a sender waits, but
 * not for ever. */
START_TEST (full_datagram_queue_is_told)
{
  g_autoptr (GError) error = NULL;
  int peer;
  g_autoptr (SrvClient) client = datagram_client_and_peer (&peer);

  for (int i = 0; i < 100000 && error == NULL; i++)
    srv_client_send (client, "x", 1, NULL, &error);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_close (peer);
}
END_TEST

/* UDP to a port that takes nothing from us, since its socket is connected to
 * itself: the system reports it at the next call. */
START_TEST (refused_datagram_is_told)
{
  int fd;
  struct sockaddr_in in = bound_socket (SOCK_DGRAM, &fd);
  g_autofree char *endpoint =
    g_strdup_printf ("udp:127.0.0.1:%u", ntohs (in.sin_port));
  g_autoptr (SrvClient) client = client_of (endpoint, SRV_TEST_PATIENCE);

  ck_assert_int_eq (connect (fd, (struct sockaddr *) &in, sizeof in), 0);
  send_text (client, "hello");
  expect_failure (client, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  srv_test_close (fd);
}
END_TEST

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_usleep (20000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

START_TEST (calls_can_be_cancelled)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (SrvFraming) framing = lines ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) again = NULL;
  int peer;
  g_autoptr (SrvClient) client = _i == 0 ? client_and_peer (framing, -1, &peer)
                                         : datagram_client_and_peer (&peer);

  ck_assert (srv_client_set_timeout (client, -1, NULL));
  {
    GThread *thread = g_thread_new ("cancel", cancel_in_thread, cancellable);

    ck_assert_ptr_null (srv_client_receive (client, cancellable, &error));
    srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_thread_join (thread);
  }
  ck_assert (!srv_client_send (client, "x", 1, cancellable, &again));
  srv_test_assert_error (again, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  srv_test_close (peer);
}
END_TEST

START_TEST (closed_client_says_so)
{
  g_autoptr (SrvFraming) framing = lines ();
  g_autoptr (GError) error = NULL;
  int peer;
  g_autoptr (SrvClient) client = _i == 0 ? client_and_peer (framing, 200, &peer)
                                         : datagram_client_and_peer (&peer);

  srv_client_close (client);
  srv_client_close (client);
  ck_assert_int_eq (srv_client_get_fd (client), -1);
  expect_failure (client, G_IO_ERROR, G_IO_ERROR_CLOSED);
  ck_assert (!srv_client_send (client, "x", 1, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  srv_test_close (peer);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "messages", abstract_names_are_reached, 2 },
    { "messages", messages_come_back, SRV_TEST_N_COMBINATIONS },
    { "messages", limit_bounds_a_whole_receive, 1 },
    { "messages", limit_bounds_a_send, 1 },
    { "messages", limit_can_be_changed, 1 },
    { "messages", end_is_told_from_a_cut, 2 },
    { "messages", last_message_ends_the_stream, 1 },
    { "messages", datagrams_have_limits, 1 },
    { "messages", full_datagram_queue_is_told, 1 },
    { "messages", refused_datagram_is_told, 1 },
    { "messages", calls_can_be_cancelled, 2 },
    { "messages", closed_client_says_so, 2 },
  };

  return srv_test_run_entries ("Client", tests, G_N_ELEMENTS (tests));
}
