/* test-request.c - who the client is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <arpa/inet.h>

/* What the handler saw, as text. */
static char seen_client[256];
static char seen_local[256];
static char seen_who[256];
static int seen_credentials;

static void
show (char *buffer, gsize size, GSocketAddress *address)
{
  g_autofree char *text = NULL;

  if (address != NULL)
    text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
  g_strlcpy (buffer, text != NULL ? text : "none", size);
}

static gboolean
look (SrvBaseRequestHandler *handler,
      G_GNUC_UNUSED gpointer user_data,
      G_GNUC_UNUSED GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  g_autofree char *who = srv_request_describe_client (request);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GCredentials) credentials =
    srv_request_get_credentials (request, &failure);

  show (seen_client, sizeof seen_client,
        srv_request_get_client_address (request));
  show (seen_local, sizeof seen_local, srv_request_get_local_address (request));
  g_strlcpy (seen_who, who, sizeof seen_who);
  seen_credentials =
    credentials != NULL                                               ? -1
    : g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED) ? 1
                                                                      : 0;

  return TRUE;
}

static const struct
{
  const char *server;
  const char *client; /* the address that is asked */
  const char *shown;  /* how the client and the local address begin */
} table[] = {
  { "tcp:127.0.0.1:0", "127.0.0.1", "127.0.0.1:" },
  { "tcp:[::1]:0", "::1", "[::1]:" },
  { "tcp:[::]:0", "127.0.0.1", "127.0.0.1:" },
  { "tcp:[::]:0", "::1", "[::1]:" },
  { "tcp:0.0.0.0:0", "127.0.0.1", "127.0.0.1:" },
  { "udp:127.0.0.1:0", "127.0.0.1", "127.0.0.1:" },
  { "udp:[::1]:0", "::1", "[::1]:" },
  { "udp:[::]:0", "127.0.0.1", "127.0.0.1:" },
  { "udp:[::]:0", "::1", "[::1]:" },
  { "udp:0.0.0.0:0", "127.0.0.1", "127.0.0.1:" },
};

/* Addresses are what people know: IPv4 is IPv4 also on a dual-stack socket,
 * the local one is that which was asked (SS-090, SS-095, SS-107). No
 * credentials come with them. */
START_TEST (inet_client_is_shown)
{
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server =
    srv_create_server (table[_i].server, G_TYPE_INVALID, NULL, &error);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocketAddress) own = NULL;
  g_autofree char *local = NULL;
  g_autofree char *client = NULL;
  struct sockaddr_storage native;
  socklen_t length = sizeof native;
  int fd;

  srv_test_assert_no_error (error);
  srv_base_server_set_handler_func (server, look, NULL, NULL);
  address = g_inet_socket_address_new_from_string (table[_i].client,
                                                   srv_test_port (server));
  ck_assert (
    g_socket_address_to_native (address, &native, sizeof native, NULL));
  fd = srv_test_socket (native.ss_family,
                        g_str_has_prefix (table[_i].server, "tcp")
                          ? SOCK_STREAM
                          : SOCK_DGRAM);
  ck_assert_int_eq (connect (fd, (struct sockaddr *) &native,
                             (socklen_t) g_socket_address_get_native_size (
                               address)),
                    0);
  srv_test_say (fd, "x");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);

  getsockname (fd, (struct sockaddr *) &native, &length);
  own = g_socket_address_new_from_native (&native, length);
  client = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (own));
  local = g_strdup_printf ("%s%u", table[_i].shown, srv_test_port (server));
  ck_assert_str_eq (seen_client, client);
  ck_assert_str_eq (seen_who, client);
  ck_assert (g_str_has_prefix (seen_who, table[_i].shown));
  ck_assert_str_eq (seen_local, local);
  ck_assert_int_eq (seen_credentials, 1);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* Abstract names of clients are any bytes; shown, they are a printable line.
 */
START_TEST (hostile_name_of_a_client_is_escaped)
{
  static const struct
  {
    const char *name;
    const char *shown;
  } names[] = { { "srv-test-plain", "@srv-test-plain" },
                { "srv\n\x1b[31m\xff", "@srv\\n\\x1b[31m\\xff" } };
  SrvTestTransport transport = _i / 2 == 0 ? SRV_TEST_UNIX : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_INLINE);
  struct sockaddr_un own = { .sun_family = AF_UNIX };
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  g_autofree char *path = srv_test_path ("socket");
  const char *text = names[_i % 2].name;
  int fd = srv_test_socket (AF_UNIX, _i / 2 == 0 ? SOCK_STREAM : SOCK_DGRAM);

  srv_base_server_set_handler_func (server, look, NULL, NULL);
  memcpy (own.sun_path + 1, text, strlen (text));
  ck_assert_int_eq (bind (fd, (struct sockaddr *) &own,
                          (socklen_t) (offsetof (struct sockaddr_un, sun_path) +
                                       1 + strlen (text))),
                    0);
  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  ck_assert_int_eq (connect (fd, (struct sockaddr *) &name, sizeof name), 0);
  srv_test_say (fd, "x");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);
  ck_assert_str_eq (seen_who, names[_i % 2].shown);
  ck_assert_int_eq (seen_credentials, -1);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "addresses", inet_client_is_shown, (int) G_N_ELEMENTS (table) },
    { "addresses", hostile_name_of_a_client_is_escaped, 4 },
  };

  return srv_test_run_entries ("Request", tests, G_N_ELEMENTS (tests));
}
