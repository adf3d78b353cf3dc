/* test-udp-server.c - datagrams: sizes, addresses, ports
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "udp-test.h"

/* Datagrams arrive and leave whole up to the largest that UDP knows (SS-105,
 * SS-108, D-41). Python's default cuts at 8192. */
START_TEST (datagrams_are_whole_at_any_size)
{
  static const gsize sizes[] = { 1, 8192, 8193, 65506, LARGEST_UDP };
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", give_back);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  exchange (fd, sizes[_i]);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
report_lengths (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (self);
  g_autofree char *text = NULL;
  gsize length;

  srv_datagram_get_data (datagram, &length);
  text = g_strdup_printf ("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT "%s",
                          length, srv_datagram_get_full_length (datagram),
                          srv_datagram_get_truncated (datagram) ? ", cut" : "");
  srv_test_trace ("datagram");

  return srv_datagram_request_handler_write (self, text, strlen (text), error);
}

/* A datagram that is longer than the limit is marked, and its full length
 * known (SS-108, D-41). Python loses the tail silently. */
START_TEST (truncation_is_noticed)
{
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", report_lengths);
  SrvTestRun *run;
  guint8 data[150] = { 0 };
  int fd;

  srv_datagram_server_set_max_packet_size (SRV_DATAGRAM_SERVER (server), 100);
  ck_assert_uint_eq (srv_datagram_server_get_max_packet_size (
                       SRV_DATAGRAM_SERVER (server)),
                     100);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_send (fd, data, 99);
  srv_test_expect (fd, "99 of 99");
  srv_test_send (fd, data, 100);
  srv_test_expect (fd, "100 of 100");
  srv_test_send (fd, data, 101);
  srv_test_expect (fd, "100 of 101, cut");
  srv_test_send (fd, data, 150);
  srv_test_expect (fd, "100 of 150, cut");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* With drop-truncated such datagrams never reach a handler; the next one does
 * (D-41). */
START_TEST (truncated_datagrams_can_be_dropped)
{
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", report_lengths);
  SrvTestRun *run;
  guint8 data[150] = { 0 };
  int fd;

  g_object_set (server, "max-packet-size", 100u, "drop-truncated", TRUE, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_send (fd, data, 101);
  srv_test_send (fd, data, 50);
  srv_test_expect (fd, "50 of 50");
  ck_assert_uint_eq (srv_test_count_trace ("datagram"), 1);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

START_TEST (defaults_fit_the_protocol)
{
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", give_back);
  SrvDatagramServer *datagram = SRV_DATAGRAM_SERVER (server);

  ck_assert_uint_eq (srv_datagram_server_get_max_packet_size (datagram), 65535);
  ck_assert (!srv_datagram_server_get_drop_truncated (datagram));
  ck_assert_int_eq (srv_datagram_server_get_reply_timeout (datagram), 100);
  g_object_unref (server);
}
END_TEST

/* The reply leaves from the address that was asked, or a connected client never
 * sees it (SS-113, D-42). Python answers from the route's address. */
START_TEST (reply_leaves_from_the_address_asked)
{
  static const struct
  {
    const char *endpoint;
    const char *asked;
  } cases[] = {
    { "udp:0.0.0.0:0", "127.0.0.9" }, { "udp:0.0.0.0:0", "127.0.0.1" },
    { "udp:*:0", "127.0.0.9" },       { "udp:[::]:0", "127.0.0.9" },
    { "udp:[::]:0", "::1" },          { "udp:127.0.0.9:0", "127.0.0.9" },
    { "udp:[::1]:0", "::1" },
  };
  SrvBaseServer *server = make_server (cases[_i].endpoint, give_back);
  SrvTestRun *run = srv_test_run (server);
  int fd = connect_to (cases[_i].asked, srv_test_port (server));

  exchange (fd, 12);
  exchange (fd, LARGEST_UDP);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
tell_local_address (SrvBaseRequestHandler *handler,
                    G_GNUC_UNUSED gpointer user_data,
                    GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  GSocketAddress *address = srv_request_get_local_address (request);
  GInetAddress *inet =
    g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
  g_autofree char *text = g_inet_address_to_string (inet);

  return srv_datagram_request_handler_write (SRV_DATAGRAM_REQUEST_HANDLER (
                                               handler),
                                             text, strlen (text), error);
}

/* The handler can ask which address that was. */
START_TEST (handler_knows_the_address_asked)
{
  SrvBaseServer *server = make_server ("udp:0.0.0.0:0", tell_local_address);
  SrvTestRun *run = srv_test_run (server);
  int fd = connect_to ("127.0.0.9", srv_test_port (server));

  srv_test_say (fd, "who?");
  srv_test_expect (fd, "127.0.0.9");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
answer_length (SrvBaseRequestHandler *handler,
               G_GNUC_UNUSED gpointer user_data,
               GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  g_autofree char *text =
    g_strdup_printf ("%" G_GSIZE_FORMAT " bytes",
                     g_bytes_get_size (
                       srv_datagram_request_handler_get_packet (self)));

  return srv_datagram_request_handler_write (self, text, strlen (text), error);
}

/* A datagram of no bytes is a request like any other, no end of anything
 * (SS-109). */
START_TEST (empty_datagram_is_a_request)
{
  SrvTestTransport transport = _i == 0 ? SRV_TEST_UDP : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server = make_recorder (transport);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, answer_length, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  ck_assert_int_eq (send (fd, "", 0, 0), 0);
  srv_test_expect (fd, "0 bytes");
  srv_test_say (fd, "abc");
  srv_test_expect (fd, "3 bytes");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* Without reuse options nobody can take the address away (SS-105, D-32). GSocket
 * switches SO_REUSEPORT on for datagram sockets. */
START_TEST (port_is_not_shared)
{
  SrvBaseServer *server = make_server ("udp:127.0.0.1:0", give_back);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autoptr (GError) error = NULL;
  int value = -1;
  socklen_t length = sizeof value;

  ck_assert_int_eq (getsockopt (srv_base_server_fileno (server), SOL_SOCKET,
                                SO_REUSEPORT, &value, &length),
                    0);
  ck_assert_int_eq (value, 0);
  ck_assert_int_eq (getsockopt (srv_base_server_fileno (server), SOL_SOCKET,
                                SO_REUSEADDR, &value, &length),
                    0);
  ck_assert_int_eq (value, 0);
  ck_assert_ptr_null (
    srv_test_try (SRV_TYPE_UDP_SERVER, endpoint, &error, NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_object_unref (server);
}
END_TEST

/* Both ends of the printed address work for a client. */
START_TEST (printed_endpoint_names_the_port)
{
  static const char *const names[] = { "udp:127.0.0.1:0", "udp:[::1]:0" };
  static const char *const hosts[] = { "127.0.0.1", "[::1]" };
  SrvBaseServer *server = make_server (names[_i], give_back);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autofree char *expected =
    g_strdup_printf ("udp:%s:%u", hosts[_i], srv_test_port (server));

  ck_assert_str_eq (endpoint, expected);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "sizes", datagrams_are_whole_at_any_size, 5 },
    { "sizes", truncation_is_noticed, 1 },
    { "sizes", truncated_datagrams_can_be_dropped, 1 },
    { "sizes", defaults_fit_the_protocol, 1 },
    { "sizes", empty_datagram_is_a_request, 2 },
    { "addresses", reply_leaves_from_the_address_asked, 7 },
    { "addresses", handler_knows_the_address_asked, 1 },
    { "addresses", port_is_not_shared, 1 },
    { "addresses", printed_endpoint_names_the_port, 2 },
  };

  return srv_test_run_entries ("UDPServer", tests, G_N_ELEMENTS (tests));
}
