/* test-unix-names.c - names without a path, and names of clients
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "unix-test.h"

/* Abstract names. */

/* A name without a file: no lock, nothing to remove (SS-115). */
START_TEST (abstract_name_is_served)
{
  g_autofree char *name =
    g_strdup_printf ("@srv-test-%d-%d", (int) getpid (), _i);
  SrvBaseServer *server = make_on (_i, name);
  g_autofree char *bound = srv_base_server_dup_endpoint (server);
  g_autofree char *expected = endpoint_of (_i, name);

  ck_assert_str_eq (bound, expected);
  serve_one (server);
  expect_refused (_i, name, G_IO_ERROR_ADDRESS_IN_USE);
  drop (server);
  drop (make_on (_i, name));
}
END_TEST

/* An empty name lets the kernel pick one, which can be read back (SS-115). */
START_TEST (kernel_picks_a_name)
{
  SrvBaseServer *one = make_on (_i, "@");
  SrvBaseServer *two = make_on (_i, "@");
  g_autofree char *first = srv_base_server_dup_endpoint (one);
  g_autofree char *second = srv_base_server_dup_endpoint (two);
  g_autofree char *start = endpoint_of (_i, "@");

  ck_assert (g_str_has_prefix (first, start));
  ck_assert_uint_eq (strlen (first), strlen (start) + 5);
  ck_assert_str_ne (first, second);
  serve_one (one);
  serve_one (two);
  drop (one);
  drop (two);
}
END_TEST

/* NULs inside a name and at its end are part of it. */
START_TEST (abstract_name_may_hold_nuls)
{
  g_autofree char *name =
    g_strdup_printf ("@srv-test-%d%%00x%%00", (int) getpid ());
  g_autofree char *shorter =
    g_strdup_printf ("@srv-test-%d%%00x", (int) getpid ());
  SrvBaseServer *server = make_on (_i, name);
  SrvBaseServer *other = make_on (_i, shorter);
  g_autofree char *bound = srv_base_server_dup_endpoint (server);
  g_autofree char *expected = endpoint_of (_i, name);

  ck_assert_str_eq (bound, expected);
  serve_one (server);
  drop (server);
  drop (other);
}
END_TEST

/* Clients. */

static void
note_client (SrvBaseServer *server, SrvRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCredentials) credentials =
    srv_request_get_credentials (request, &error);
  g_autofree char *who = srv_request_describe_client (request);

  (void) server;
  srv_test_set_number (1, srv_request_get_client_address (request) != NULL);
  srv_test_set_number (2, g_str_equal (who, "unnamed"));
  if (credentials == NULL)
    return;
  srv_test_set_number (3, g_credentials_get_unix_pid (credentials, NULL));
  srv_test_set_number (4, g_credentials_get_unix_user (credentials, NULL));
  srv_test_set_number (5, 1);
}

static gboolean
note_and_return (SrvBaseRequestHandler *handler,
                 G_GNUC_UNUSED gpointer user_data,
                 G_GNUC_UNUSED GError **error)
{
  note_client (srv_base_request_handler_get_server (handler),
               srv_base_request_handler_get_request (handler));
  srv_test_set_number (6, srv_base_request_handler_get_client_address (
                            handler) != NULL);

  return TRUE;
}

static int
send_hello (gpointer server)
{
  int fd = srv_test_connect (server);

  srv_test_say (fd, "hello\n");
  srv_test_set_number (7, getpid ());
  if (SRV_IS_STREAM_SERVER (server))
    srv_test_expect_gone (fd);
  srv_test_close (fd);

  return 0;
}

/* The server knows process and user of a client on the same machine. */
START_TEST (client_has_credentials)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server = make_on (_i, path);
  pid_t pid;

  srv_base_server_set_handler_func (server, note_and_return, NULL, NULL);
  pid = fork ();
  if (pid == 0)
    _exit (send_hello (server));
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);
  waitpid (pid, NULL, 0);
  ck_assert_int_eq (srv_test_get_number (5), 1);
  ck_assert_int_eq (srv_test_get_number (3), pid);
  ck_assert_int_eq (srv_test_get_number (4), getuid ());
  drop (server);
}
END_TEST

/* A client that has not bound its socket has no address, and that is no error
 * (SS-116, SS-117: in Python "" or None, and a crash at the reply). */
START_TEST (unbound_client_has_no_address)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server = make_on (_i, path);
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  int fd = srv_test_socket (AF_UNIX, _i == 0 ? SOCK_STREAM : SOCK_DGRAM);

  srv_base_server_set_handler_func (server, note_and_return, NULL, NULL);
  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  ck_assert_int_eq (connect (fd, (struct sockaddr *) &name, sizeof name), 0);
  srv_test_say (fd, "hello\n");
  srv_test_set_number (1, -1);
  srv_test_set_number (6, -1);
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);
  ck_assert_int_eq (srv_test_get_number (1), 0);
  ck_assert_int_eq (srv_test_get_number (6), 0);
  ck_assert_int_eq (srv_test_get_number (2), 1);
  srv_test_close (fd);
  drop (server);
}
END_TEST

/* The address of the server is the public path, not a temporary one. */
START_TEST (server_address_is_the_public_path)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server = make_on (_i, path);
  g_autofree char *bound = srv_base_server_dup_endpoint (server);
  g_autofree char *expected = endpoint_of (_i, path);

  ck_assert_str_eq (bound, expected);
  ck_assert_str_eq (g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (
                      srv_base_server_get_server_address (server))),
                    path);
  drop (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "names", server_address_is_the_public_path, N_TYPES },
    { "names", abstract_name_is_served, N_TYPES },
    { "names", kernel_picks_a_name, N_TYPES },
    { "names", abstract_name_may_hold_nuls, N_TYPES },
    { "clients", client_has_credentials, N_TYPES },
    { "clients", unbound_client_has_no_address, N_TYPES },
  };

  return srv_test_run_entries ("UnixNames", tests, G_N_ELEMENTS (tests));
}
