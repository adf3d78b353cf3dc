/* test-endpoint-servers.c - the servers that endpoints make
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "endpoint-test.h"

#include <arpa/inet.h>
#include <gio/gunixsocketaddress.h>

/* Servers. */

static gboolean
echo (SrvBaseRequestHandler *handler,
      G_GNUC_UNUSED gpointer user_data,
      GError **error)
{
  if (SRV_IS_DATAGRAM_REQUEST_HANDLER (handler))
    {
      SrvDatagramRequestHandler *datagram =
        SRV_DATAGRAM_REQUEST_HANDLER (handler);

      return srv_datagram_request_handler_write_bytes (
        datagram, srv_datagram_request_handler_get_packet (datagram), error);
    }
  else
    {
      SrvStreamRequestHandler *stream = SRV_STREAM_REQUEST_HANDLER (handler);
      const char *line;
      gssize length;

      length =
        srv_reader_read_line (srv_stream_request_handler_get_rfile (stream),
                              &line, 1024, error);
      return length > 0 &&
             srv_writer_write (srv_stream_request_handler_get_wfile (stream),
                               line, (gsize) length, error);
    }
}

/* Serves one client, asked over the printed endpoint's address. */
static void
serve_one (SrvBaseServer *server)
{
  g_autoptr (GError) error = NULL;
  int fd;

  srv_base_server_set_handler_func (server, echo, NULL, NULL);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, &error),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_assert_no_error (error);
  srv_test_expect (fd, "hello\n");
  srv_test_close (fd);
}

static GType
type_of_kind (int i)
{
  const GType types[] = {
    SRV_TYPE_TCP_SERVER,
    SRV_TYPE_UDP_SERVER,
    SRV_TYPE_UNIX_STREAM_SERVER,
    SRV_TYPE_UNIX_DATAGRAM_SERVER,
  };

  return types[i];
}

/* The endpoint picks the class, and what the server prints a client can use. */
START_TEST (endpoint_picks_the_class)
{
  g_autofree char *path = g_strdup_printf ("unix:%s/s", srv_test_directory ());
  g_autofree char *gram =
    g_strdup_printf ("unixgram:%s/s", srv_test_directory ());
  const char *strings[] = { "tcp:127.0.0.1:0", "udp:127.0.0.1:0", path, gram };
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_create_server (strings[_i], G_TYPE_INVALID, NULL, &error);
  g_autofree char *bound = NULL;
  g_autofree char *port = NULL;

  srv_test_assert_no_error (error);
  ck_assert (G_OBJECT_TYPE (server) == type_of_kind (_i));
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_ACTIVE);
  bound = srv_base_server_dup_endpoint (server);
  if (_i < 2)
    {
      port = g_strdup_printf ("%.14s%u", strings[_i], srv_test_port (server));
      ck_assert_str_eq (bound, port);
    }
  else
    ck_assert_str_eq (bound, strings[_i]);
  serve_one (server);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* A socket that the test opened, bound and, if it is a stream, listening. */
static int
open_socket (int i)
{
  g_autofree char *path = srv_test_path ("adopted");
  struct sockaddr_in in = { .sin_family = AF_INET,
                            .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct sockaddr_un un = { .sun_family = AF_UNIX };
  gboolean stream = i % 2 == 0;
  gboolean inet = i < 2;
  int fd = socket (inet ? AF_INET : AF_UNIX,
                   (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

  g_strlcpy (un.sun_path, path, sizeof un.sun_path);
  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (inet ? bind (fd, (struct sockaddr *) &in, sizeof in)
                         : bind (fd, (struct sockaddr *) &un, sizeof un),
                    0);
  if (stream)
    ck_assert_int_eq (listen (fd, 5), 0);

  return fd;
}

/* A socket that a service manager has opened is served by the class that
 * fits; its path is not removed, for somebody else made it. */
START_TEST (adopted_socket_is_served)
{
  static const char *const prefixes[] = {
    "tcp:127.0.0.1:",
    "udp:127.0.0.1:",
    "unix:/",
    "unixgram:/",
  };
  g_autofree char *path = srv_test_path ("adopted");
  int adopted = open_socket (_i);
  g_autofree char *string = g_strdup_printf ("fd:%d", adopted);
  g_autofree char *bound = NULL;
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_create_server (string, G_TYPE_INVALID, NULL, &error);

  srv_test_assert_no_error (error);
  ck_assert (G_OBJECT_TYPE (server) == type_of_kind (_i));
  bound = srv_base_server_dup_endpoint (server);
  ck_assert_msg (g_str_has_prefix (bound, prefixes[_i]), "%s", bound);
  serve_one (server);
  srv_base_server_server_close (server);
  g_object_unref (server);
  if (_i >= 2)
    {
      ck_assert (g_file_test (path, G_FILE_TEST_EXISTS));
      g_unlink (path);
    }
  close (adopted);
}
END_TEST

/* A descriptor that is no socket, or none that one can serve, is refused and
 * stays open: it is the caller's. */
START_TEST (unfit_descriptor_is_refused)
{
  g_autofree char *string = NULL;
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;
  int fds[2] = { -1, -1 };

  switch (_i)
    {
    case 0: /* not open */
      fds[0] = 999;
      break;
    case 1: /* no socket */
      ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
      break;
    case 2: /* connected */
      ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
                                    fds),
                        0);
      break;
    case 3: /* neither stream nor datagram */
      ck_assert_int_eq (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
                                    fds),
                        0);
      break;
    default:
      g_assert_not_reached ();
    }

  string = g_strdup_printf ("fd:%d", fds[0]);
  server = srv_create_server (string, G_TYPE_INVALID, NULL, &error);
  ck_assert_ptr_null (server);
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (strstr (error->message, _i == 0 ? "999" : string + 3) != NULL,
                 "which descriptor? %s", error->message);
  if (_i > 0)
    {
      ck_assert_int_ge (fcntl (fds[0], F_GETFD), 0);
      close (fds[0]);
      close (fds[1]);
    }
}
END_TEST

/* A class does not take the descriptor of another transport. */
START_TEST (class_refuses_the_socket_of_another)
{
  int cls = _i / 4;
  int sock = _i % 4;
  g_autofree char *path = srv_test_path ("adopted");
  int adopted = open_socket (sock);
  g_autofree char *string = g_strdup_printf ("fd:%d", adopted);
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_test_try (type_of_kind (cls), string, &error, NULL);

  ck_assert_msg ((server != NULL) == (cls == sock), "class %d, socket %d: %s",
                 cls, sock, error != NULL ? error->message : "taken");
  if (server != NULL)
    {
      srv_base_server_server_close (server);
      g_object_unref (server);
    }
  g_unlink (path);
  close (adopted);
}
END_TEST

/* The same with the endpoint of another transport. */
START_TEST (class_refuses_the_endpoint_of_another)
{
  static const char *const strings[] = {
    "tcp:127.0.0.1:0",
    "udp:127.0.0.1:0",
    "unix:@",
    "unixgram:@",
  };
  int cls = _i / 4;
  int other = _i % 4;
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_test_try (type_of_kind (cls), strings[other], &error, NULL);

  ck_assert_msg ((server != NULL) == (cls == other), "class %d, endpoint %s",
                 cls, strings[other]);
  if (server == NULL)
    ck_assert_ptr_nonnull (error);
  else
    srv_base_server_server_close (server);
  g_clear_object (&server);
}
END_TEST

/* A string that cannot be understood makes no server. */
START_TEST (bad_string_makes_no_server)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
    srv_create_server ("tcp:127.0.0.1", G_TYPE_INVALID, NULL, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BAD_ENDPOINT);
}
END_TEST

/* The mix-in and the handler that were given are the server's. */
START_TEST (created_server_has_mix_in_and_handler)
{
  g_autoptr (SrvMixIn) mix_in = srv_threading_mix_in_new ();
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_create_server ("tcp:localhost:0", srv_test_handler_type (SRV_TEST_TCP),
                       mix_in, &error);
  g_autofree char *bound = NULL;

  srv_test_assert_no_error (error);
  ck_assert_ptr_eq (srv_base_server_get_mix_in (server), mix_in);
  ck_assert (srv_base_server_get_handler_type (server) ==
             srv_test_handler_type (SRV_TEST_TCP));
  bound = srv_base_server_dup_endpoint (server);
  ck_assert_msg (g_str_has_prefix (bound, "tcp:127.0.0.1:"), "%s", bound);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* A server on all interfaces prints an endpoint that a client can use. */
START_TEST (wildcard_server_prints_what_a_client_can_use)
{
  static const char *const strings[] = {
    "tcp:*:0", "tcp::0", "tcp:[::]:0", "tcp:0.0.0.0:0", "udp:*:0",
  };
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_create_server (strings[_i], G_TYPE_INVALID, NULL, &error);
  g_autofree char *bound = NULL;
  GList *addresses;

  srv_test_assert_no_error (error);
  bound = srv_base_server_dup_endpoint (server);
  addresses = resolve (bound, FALSE);
  ck_assert_int_eq (g_inet_socket_address_get_port (
                      G_INET_SOCKET_ADDRESS (addresses->data)),
                    srv_test_port (server));
  free_addresses (addresses);
  serve_one (server);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "servers", endpoint_picks_the_class, 4 },
    { "servers", adopted_socket_is_served, 4 },
    { "servers", unfit_descriptor_is_refused, 4 },
    { "servers", class_refuses_the_socket_of_another, 16 },
    { "servers", class_refuses_the_endpoint_of_another, 16 },
    { "servers", bad_string_makes_no_server, 1 },
    { "servers", created_server_has_mix_in_and_handler, 1 },
    { "servers", wildcard_server_prints_what_a_client_can_use, 5 },
  };

  return srv_test_run_entries ("EndpointServers", tests, G_N_ELEMENTS (tests));
}
