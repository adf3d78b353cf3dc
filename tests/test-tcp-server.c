/* test-tcp-server.c - addresses and options of TCP servers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

static SrvBaseServer *
make_server (const char *endpoint)
{
  return srv_test_make (srv_test_server_type (SRV_TEST_TCP), endpoint,
                        "handler-type", srv_test_handler_type (SRV_TEST_TCP),
                        NULL);
}

static int
get_option (int fd, int level, int name)
{
  int value = -1;
  socklen_t length = sizeof value;

  ck_assert_int_eq (getsockopt (fd, level, name, &value, &length), 0);

  return value;
}

/* A client that knows nothing but the string. */
static int
connect_endpoint (const char *string)
{
  g_autoptr (SrvEndpoint) endpoint = NULL;
  g_autoptr (GError) error = NULL;
  GList *addresses;
  int fd = -1;

  endpoint = srv_endpoint_parse (string, &error);
  srv_test_assert_no_error (error);
  addresses = srv_endpoint_resolve (endpoint, FALSE, &error);
  srv_test_assert_no_error (error);
  for (GList *link = addresses; link != NULL && fd < 0; link = link->next)
    {
      struct sockaddr_storage native;
      gssize length = g_socket_address_get_native_size (link->data);

      ck_assert (
        g_socket_address_to_native (link->data, &native, sizeof native, NULL));
      fd = srv_test_socket (native.ss_family, SOCK_STREAM);
      if (connect (fd, (struct sockaddr *) &native, (socklen_t) length) < 0)
        {
          close (fd);
          fd = -1;
        }
    }
  g_list_free_full (addresses, g_object_unref);

  return fd;
}

/* Connects to an address of the machine, -1 if nobody listens there. */
static int
connect_to (const char *host, guint16 port)
{
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string (host, port);
  struct sockaddr_storage native;
  gssize length = g_socket_address_get_native_size (address);
  int fd;

  g_socket_address_to_native (address, &native, sizeof native, NULL);
  fd = srv_test_socket (native.ss_family, SOCK_STREAM);
  if (connect (fd, (struct sockaddr *) &native, (socklen_t) length) == 0)
    return fd;
  close (fd);

  return -1;
}

static void
converse (int fd)
{
  ck_assert_int_ge (fd, 0);
  srv_test_say (fd, "hello\n");
  srv_test_expect (fd, "hello\n");
  srv_test_close (fd);
}

static const char *const addresses[] = {
  "tcp:127.0.0.1:0", "tcp:[::1]:0", "tcp:localhost:0", "tcp:*:0",
  "tcp::0",          "tcp:[::]:0",  "tcp:0.0.0.0:0",   "tcp:127.0.0.9:0",
};

/* Whatever is asked for, what the bound server prints is what a client can
 * use, with the real port (SS-080, SS-090, D-30). Python's family must be
 * chosen by the caller. */
START_TEST (printed_endpoint_reaches_the_server)
{
  SrvBaseServer *server = make_server (addresses[_i]);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  SrvTestRun *run = srv_test_run (server);

  ck_assert_msg (g_str_has_prefix (endpoint, "tcp:"), "%s", endpoint);
  ck_assert_uint_ne (srv_test_port (server), 0);
  converse (connect_endpoint (endpoint));
  srv_test_finish (run);
}
END_TEST

/* The string has the canonical form, and the property the same address. */
START_TEST (real_port_is_read_back)
{
  SrvBaseServer *server =
    make_server (_i == 0 ? "tcp:127.0.0.1:0" : "tcp:[::1]:0");
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autofree char *expected =
    g_strdup_printf (_i == 0 ? "tcp:127.0.0.1:%u" : "tcp:[::1]:%u",
                     srv_test_port (server));
  g_autoptr (GSocketAddress) address = NULL;
  struct sockaddr_storage name;
  socklen_t length = sizeof name;

  ck_assert_str_eq (endpoint, expected);
  g_object_get (server, "server-address", &address, NULL);
  ck_assert_ptr_eq (address, srv_base_server_get_server_address (server));
  ck_assert_int_eq (getsockname (srv_base_server_fileno (server),
                                 (struct sockaddr *) &name, &length),
                    0);
  ck_assert_uint_eq (ntohs (((struct sockaddr_in *) &name)->sin_port),
                     srv_test_port (server));
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* Whether a wildcard takes IPv4 is said explicitly, whatever the system's
 * default is (D-31). */
START_TEST (dual_stack_is_a_choice)
{
  SrvDualStack dual_stack = _i == 0 ? SRV_DUAL_STACK_ON : SRV_DUAL_STACK_OFF;
  SrvBaseServer *server =
    srv_test_make (srv_test_server_type (SRV_TEST_TCP), "tcp:[::]:0",
                   "dual-stack", dual_stack, "handler-type",
                   srv_test_handler_type (SRV_TEST_TCP), NULL);
  guint16 port = srv_test_port (server);
  SrvTestRun *run = srv_test_run (server);
  int fd;

  converse (connect_to ("::1", port));
  fd = connect_to ("127.0.0.1", port);
  if (dual_stack == SRV_DUAL_STACK_ON)
    converse (fd);
  else
    ck_assert_int_lt (fd, 0);
  srv_test_finish (run);
}
END_TEST

/* Both stacks are the default, also for the nameless wildcard. */
START_TEST (wildcard_serves_both_stacks)
{
  static const char *const wildcards[] = { "tcp:*:0", "tcp::0", "tcp:[::]:0" };
  SrvBaseServer *server = make_server (wildcards[_i]);
  guint16 port = srv_test_port (server);
  SrvTestRun *run = srv_test_run (server);

  converse (connect_to ("127.0.0.1", port));
  converse (connect_to ("::1", port));
  srv_test_finish (run);
}
END_TEST

/* address-family narrows what a name stands for (SS-080). */
START_TEST (family_can_be_chosen)
{
  GSocketFamily family = _i == 0 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6;
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:*:0",
                                         "address-family", family, NULL);

  ck_assert_int_eq (g_socket_address_get_family (
                      srv_base_server_get_server_address (server)),
                    family);
  g_object_unref (server);
}
END_TEST

/* The constructor of the tutorials. */
START_TEST (constructor_takes_host_and_port)
{
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server = srv_tcp_server_new (_i == 0 ? "127.0.0.1" : NULL, 0,
                                              SRV_TYPE_STREAM_REQUEST_HANDLER,
                                              &error);
  SrvTestRun *run;
  int fd;

  srv_test_assert_no_error (error);
  ck_assert (SRV_IS_TCP_SERVER (server));
  ck_assert_ptr_null (srv_base_server_get_mix_in (server));
  ck_assert_uint_eq (srv_base_server_get_handler_type (server),
                     SRV_TYPE_STREAM_REQUEST_HANDLER);

  /* A handler without handle() serves an immediate end (SS-154). */
  run = srv_test_run (server);
  fd = connect_to ("127.0.0.1", srv_test_port (server));
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A second server on the address is refused, and the message says which
 * address it was. */
START_TEST (bind_error_names_the_address)
{
  SrvBaseServer *server = make_server ("tcp:127.0.0.1:0");
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autofree char *address =
    g_strdup_printf ("127.0.0.1:%u", srv_test_port (server));
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
    srv_test_try (SRV_TYPE_TCP_SERVER, endpoint, &error, NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert_msg (strstr (error->message, address) != NULL, "%s",
                 error->message);
  g_object_unref (server);
}
END_TEST

/* What cannot be had is an error of the constructor that names it. */
START_TEST (impossible_address_is_named)
{
  static const char *const bad[][2] = {
    { "tcp:192.0.2.1:0", "192.0.2.1" },
    { "tcp:no-such-host.invalid:0", "no-such-host.invalid" },
    { "tcp:127.0.0.1:no-such-service", "no-such-service" },
  };
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
    srv_test_try (SRV_TYPE_TCP_SERVER, bad[_i][0], &error, NULL));
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (strstr (error->message, bad[_i][1]) != NULL, "%s",
                 error->message);
}
END_TEST

/* A thousand failures use up nothing (SS-086, D-46, test_tcpserver_bind_leak).
 * The fixture counts. */
START_TEST (failed_constructions_leak_nothing)
{
  SrvBaseServer *server = make_server ("tcp:127.0.0.1:0");
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  guint before = srv_test_count_descriptors ();

  for (guint i = 0; i < 1024; i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_ptr_null (
        srv_test_try (SRV_TYPE_TCP_SERVER, endpoint, &error, NULL));
      srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    }
  ck_assert_uint_eq (srv_test_count_descriptors (), before);
  g_object_unref (server);
}
END_TEST

/* Reuse of the address is on, sharing of the port is off, and they are two
 * options (SS-083, SS-084, D-32, D-34). Python: both off. */
START_TEST (reuse_options_are_independent)
{
  gboolean reuse_address = _i % 2;
  gboolean reuse_port = _i / 2;
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "allow-reuse-address", reuse_address,
                                         "allow-reuse-port", reuse_port, NULL);
  int fd = srv_base_server_fileno (server);

  ck_assert_int_eq (get_option (fd, SOL_SOCKET, SO_REUSEADDR), reuse_address);
  ck_assert_int_eq (get_option (fd, SOL_SOCKET, SO_REUSEPORT), reuse_port);
  g_object_unref (server);
}
END_TEST

START_TEST (reuse_of_the_address_alone_is_the_default)
{
  SrvBaseServer *server =
    srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0", NULL);
  int fd = srv_base_server_fileno (server);

  ck_assert_int_eq (get_option (fd, SOL_SOCKET, SO_REUSEADDR), 1);
  ck_assert_int_eq (get_option (fd, SOL_SOCKET, SO_REUSEPORT), 0);
  g_object_unref (server);
}
END_TEST

/* Two servers share a port if, and only if, both say so. */
START_TEST (port_is_shared_when_both_agree)
{
  SrvBaseServer *first = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                        "allow-reuse-port", TRUE, NULL);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (first);
  g_autoptr (GError) error = NULL;
  SrvBaseServer *second;

  ck_assert_ptr_null (
    srv_test_try (SRV_TYPE_TCP_SERVER, endpoint, &error, NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  second = srv_test_make (SRV_TYPE_TCP_SERVER, endpoint, "allow-reuse-port",
                          TRUE, NULL);
  ck_assert_uint_eq (srv_test_port (first), srv_test_port (second));
  g_object_unref (second);
  g_object_unref (first);
}
END_TEST

static gboolean
keep_connection (SrvBaseRequestHandler *handler,
                 G_GNUC_UNUSED gpointer user_data,
                 G_GNUC_UNUSED GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);

  srv_test_set_number (0, fcntl (srv_request_fileno (request), F_DUPFD_CLOEXEC,
                                 0));

  return TRUE;
}

/* With reuse of the address a restart succeeds while old connections linger;
 * without it fails (D-34). The server closes first, so that the lingering is on
 * its side; a copy of the descriptor makes it last. */
START_TEST (restart_needs_reuse_of_the_address)
{
  gboolean reuse = _i;
  SrvBaseServer *server = make_server ("tcp:127.0.0.1:0");
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, keep_connection, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_expect_end (fd);
  srv_test_finish (run);

  server = srv_test_try (SRV_TYPE_TCP_SERVER, endpoint, &error,
                         "allow-reuse-address", reuse, NULL);
  if (reuse)
    srv_test_assert_no_error (error);
  else
    srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_clear_object (&server);
  srv_test_close (fd);
  srv_test_close ((int) srv_test_get_number (0));
}
END_TEST

/* Options that come too late once the socket is bound cannot be set late
 * (SS-007, D-34). Python ignores them silently. */
START_TEST (socket_options_are_fixed_at_construction)
{
  static const char *const names[] = {
    "endpoint",           "bind-and-activate",
    "request-queue-size", "allow-reuse-address",
    "allow-reuse-port",   "dual-stack",
    "address-family",
  };
  g_autoptr (GTypeClass) klass = g_type_class_ref (SRV_TYPE_TCP_SERVER);
  GParamSpec *property =
    g_object_class_find_property (G_OBJECT_CLASS (klass), names[_i]);

  ck_assert_msg (property != NULL, "%s", names[_i]);
  ck_assert_msg ((property->flags & G_PARAM_CONSTRUCT_ONLY) != 0 ||
                   (property->flags & G_PARAM_WRITABLE) == 0,
                 "%s", names[_i]);
}
END_TEST

/* The queue is as long as asked for; by default as the system allows
 * (SS-082, D-35). Python: 5 up to 3.14. */
START_TEST (backlog_is_as_asked)
{
  static const int sizes[] = { 0, 1, 3, 64 };
  g_autofree char *text = NULL;
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "request-queue-size", sizes[_i], NULL);
  struct tcp_info info = { 0 };
  socklen_t length = sizeof info;
  guint64 expected = (guint64) sizes[_i];

  ck_assert (
    g_file_get_contents ("/proc/sys/net/core/somaxconn", &text, NULL, NULL));
  if (expected == 0)
    expected = g_ascii_strtoull (text, NULL, 10);
  ck_assert_int_eq (srv_stream_server_get_request_queue_size (
                      SRV_STREAM_SERVER (server)),
                    sizes[_i]);
  ck_assert_int_eq (getsockopt (srv_base_server_fileno (server), IPPROTO_TCP,
                                TCP_INFO, &info, &length),
                    0);
  ck_assert_uint_eq (info.tcpi_sacked, expected);
  g_object_unref (server);
}
END_TEST

/* A listener never blocks, and no socket is inherited by programs that somebody
 * starts (SS-079, D-27, section 5.7). A datagram socket is in blocking mode for
 * its replies, which are worth a short wait; it is read without waiting. */
START_TEST (listener_is_nonblocking_and_private)
{
  SrvTestTransport transport = (SrvTestTransport) _i;
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_INLINE);
  int fd = srv_base_server_fileno (server);

  if (srv_test_is_stream (transport))
    ck_assert_int_ne (fcntl (fd, F_GETFL) & O_NONBLOCK, 0);
  ck_assert_int_ne (fcntl (fd, F_GETFD) & FD_CLOEXEC, 0);
  srv_base_server_server_close (server);
  ck_assert_int_eq (srv_base_server_fileno (server), -1);
  g_object_unref (server);
}
END_TEST

static gboolean
look_at_connection (SrvBaseRequestHandler *handler,
                    G_GNUC_UNUSED gpointer user_data,
                    G_GNUC_UNUSED GError **error)
{
  SrvStreamRequestHandler *stream = SRV_STREAM_REQUEST_HANDLER (handler);
  int fd =
    srv_connection_get_fd (srv_stream_request_handler_get_connection (stream));

  srv_test_set_number (1, fcntl (fd, F_GETFD) & FD_CLOEXEC);
  srv_test_set_number (2,
                       srv_request_fileno (
                         srv_base_request_handler_get_request (handler)) == fd);
  srv_test_set_number (0, 1);

  return TRUE;
}

/* Accepted connections are close-on-exec from birth (SS-095). */
START_TEST (connection_is_private)
{
  SrvBaseServer *server =
    srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0", NULL);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, look_at_connection, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (0, 1);
  ck_assert_int_ne (srv_test_get_number (1), 0);
  ck_assert_int_ne (srv_test_get_number (2), 0);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A socket on loopback, listening if asked. */
static int
make_socket (int type, gboolean listening)
{
  struct sockaddr_in name = { .sin_family = AF_INET };
  int fd = socket (AF_INET, type | SOCK_CLOEXEC, 0);

  name.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  ck_assert_int_eq (bind (fd, (struct sockaddr *) &name, sizeof name), 0);
  if (listening)
    ck_assert_int_eq (listen (fd, 5), 0);

  return fd;
}

/* A socket that somebody else made can be served, whether it listens already
 * or not; the server closes it in the end (D-39). */
START_TEST (open_descriptor_is_adopted)
{
  int fd = make_socket (SOCK_STREAM, _i == 0);
  g_autofree char *name = g_strdup_printf ("fd:%d", fd);
  SrvBaseServer *server = make_server (name);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autofree char *expected =
    g_strdup_printf ("tcp:127.0.0.1:%u", srv_test_port (server));
  SrvTestRun *run = srv_test_run (server);

  ck_assert_str_eq (endpoint, expected);
  ck_assert_int_eq (srv_base_server_fileno (server), fd);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
  ck_assert_int_lt (fcntl (fd, F_GETFD), 0);
}
END_TEST

/* What is no socket of the right kind is refused. */
START_TEST (wrong_descriptor_is_refused)
{
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;
  int fd = -1;

  switch (_i)
    {
    case 0:
      fd = make_socket (SOCK_DGRAM, FALSE);
      break;
    case 1:
      fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
      break;
    default:
      break;
    }
  name = g_strdup_printf ("fd:%d", fd >= 0 ? fd : 987);
  ck_assert_ptr_null (srv_test_try (SRV_TYPE_TCP_SERVER, name, &error, NULL));
  ck_assert_ptr_nonnull (error);
  if (fd >= 0)
    close (fd);
}
END_TEST

/* One call picks the class from the string (issue, point 6). */
START_TEST (string_picks_the_class)
{
  SrvTestTransport transport = srv_test_transport_of (_i);
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new (srv_test_mix_in_of (_i));
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server = srv_create_server (string,
                                             srv_test_handler_type (transport),
                                             mix_in, &error);
  SrvTestRun *run;

  srv_test_assert_no_error (error);
  ck_assert_uint_eq (G_OBJECT_TYPE (server), srv_test_plain_type (transport));
  ck_assert_ptr_eq (srv_base_server_get_mix_in (server), mix_in);
  run = srv_test_run (server);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}
END_TEST

/* The same for a descriptor, whose class the socket itself decides. */
START_TEST (descriptor_picks_the_class)
{
  int type = _i == 0 ? SOCK_STREAM : SOCK_DGRAM;
  g_autofree char *name =
    g_strdup_printf ("fd:%d", make_socket (type, _i == 0));
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_create_server (name,
                       _i == 0 ? SRV_TYPE_STREAM_REQUEST_HANDLER
                               : SRV_TYPE_DATAGRAM_REQUEST_HANDLER,
                       NULL, &error);

  srv_test_assert_no_error (error);
  ck_assert_uint_eq (G_OBJECT_TYPE (server),
                     _i == 0 ? SRV_TYPE_TCP_SERVER : SRV_TYPE_UDP_SERVER);
  g_object_unref (server);
}
END_TEST

/* A string that cannot be understood is an error of the call. */
START_TEST (bad_string_is_an_error)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (srv_create_server ("carrier-pigeon:coo",
                                         SRV_TYPE_STREAM_REQUEST_HANDLER, NULL,
                                         &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT);
}
END_TEST

/* Clients in the queue at close are not left hanging (SS-092). */
START_TEST (waiting_client_is_released_by_close)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);
  int fd = srv_test_connect (server);

  srv_base_server_server_close (server);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "addresses", printed_endpoint_reaches_the_server,
      G_N_ELEMENTS (addresses) },
    { "addresses", real_port_is_read_back, 2 },
    { "addresses", dual_stack_is_a_choice, 2 },
    { "addresses", wildcard_serves_both_stacks, 3 },
    { "addresses", family_can_be_chosen, 2 },
    { "addresses", constructor_takes_host_and_port, 2 },
    { "errors", bind_error_names_the_address, 1 },
    { "errors", impossible_address_is_named, 3 },
    { "errors", failed_constructions_leak_nothing, 1 },
    { "errors", bad_string_is_an_error, 1 },
    { "options", reuse_options_are_independent, 4 },
    { "options", reuse_of_the_address_alone_is_the_default, 1 },
    { "options", port_is_shared_when_both_agree, 1 },
    { "options", restart_needs_reuse_of_the_address, 2 },
    { "options", socket_options_are_fixed_at_construction, 7 },
    { "options", backlog_is_as_asked, 4 },
    { "sockets", listener_is_nonblocking_and_private, SRV_TEST_N_TRANSPORTS },
    { "sockets", connection_is_private, 1 },
    { "sockets", open_descriptor_is_adopted, 2 },
    { "sockets", wrong_descriptor_is_refused, 3 },
    { "sockets", waiting_client_is_released_by_close, 2 },
    { "create", string_picks_the_class, SRV_TEST_N_COMBINATIONS },
    { "create", descriptor_picks_the_class, 2 },
  };

  return srv_test_run_entries ("TCPServer", tests, G_N_ELEMENTS (tests));
}
