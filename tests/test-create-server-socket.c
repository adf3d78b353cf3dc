/* test-create-server-socket.c - listening sockets without a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <stdio.h>

static GSocket *
make (const char *endpoint,
      GSocketFamily family,
      gboolean reuse_port,
      gboolean dualstack_ipv6)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = srv_create_server_socket (endpoint, family, 0, reuse_port,
                                              dualstack_ipv6, &error);

  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (socket);
  return socket;
}

static guint16
port_of (GSocket *socket)
{
  g_autoptr (GSocketAddress) address =
    g_socket_get_local_address (socket, NULL);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static char *
endpoint_at (const char *host, guint16 port)
{
  return g_strdup_printf ("tcp:%s:%u", host, port);
}

/* Does somebody answer there? */
static gboolean
can_connect (const char *host, guint16 port)
{
  g_autofree char *endpoint = endpoint_at (host, port);
  g_autoptr (SrvConnection) connection =
    srv_create_connection (endpoint, SRV_TEST_PATIENCE, NULL, NULL);

  return connection != NULL;
}

static int
option_of (GSocket *socket, int level, int name)
{
  int value = -1;

  ck_assert (g_socket_get_option (socket, level, name, &value, NULL));
  return value;
}

static gboolean
has_ipv6 (void)
{
  g_autoptr (GSocket) socket =
    srv_create_server_socket ("tcp:[::1]:0", G_SOCKET_FAMILY_INVALID, 0, FALSE,
                              FALSE, NULL);

  if (socket == NULL)
    printf ("# skipped: no IPv6 on loopback\n");
  return socket != NULL;
}

/* One listens, one connects, bytes go through; it is private to the process. */
START_TEST (socket_accepts)
{
  g_autoptr (GSocket) socket =
    make ("tcp:127.0.0.1:0", G_SOCKET_FAMILY_INVALID, FALSE, FALSE);
  g_autofree char *endpoint = endpoint_at ("127.0.0.1", port_of (socket));
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvConnection) client =
    srv_create_connection (endpoint, SRV_TEST_PATIENCE, NULL, &error);
  g_autoptr (GSocket) accepted = g_socket_accept (socket, NULL, &error);
  char byte = 0;

  srv_test_assert_no_error (error);
  ck_assert_int_eq (option_of (socket, SOL_SOCKET, SO_REUSEADDR), 1);
  ck_assert_int_eq (option_of (socket, SOL_SOCKET, SO_REUSEPORT), 0);
  ck_assert_int_eq (fcntl (g_socket_get_fd (socket), F_GETFD), FD_CLOEXEC);
  ck_assert (srv_connection_send_all (client, "x", 1, NULL, &error));
  ck_assert_int_eq (g_socket_receive (accepted, &byte, 1, NULL, &error), 1);
  ck_assert_int_eq (byte, 'x');
}
END_TEST

/* The port is the next one's as soon as it is closed, with a client in its last
 * state. */
START_TEST (address_is_free_at_once)
{
  g_autoptr (GSocket) first =
    make ("tcp:127.0.0.1:0", G_SOCKET_FAMILY_INVALID, FALSE, FALSE);
  g_autofree char *endpoint = endpoint_at ("127.0.0.1", port_of (first));
  g_autoptr (SrvConnection) client =
    srv_create_connection (endpoint, SRV_TEST_PATIENCE, NULL, NULL);
  g_autoptr (GSocket) accepted = g_socket_accept (first, NULL, NULL);
  g_autoptr (GSocket) second = NULL;

  ck_assert_ptr_nonnull (client);
  ck_assert (g_socket_close (accepted, NULL));
  ck_assert (g_socket_close (first, NULL));
  second = make (endpoint, G_SOCKET_FAMILY_INVALID, FALSE, FALSE);
  ck_assert_ptr_nonnull (second);
}
END_TEST

/* Two sockets share a port if both say so, and not otherwise. */
START_TEST (port_is_shared_on_request)
{
  g_autoptr (GSocket) first =
    make ("tcp:127.0.0.1:0", G_SOCKET_FAMILY_INVALID, _i == 1, FALSE);
  g_autofree char *endpoint = endpoint_at ("127.0.0.1", port_of (first));
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) second =
    srv_create_server_socket (endpoint, G_SOCKET_FAMILY_INVALID, 0, TRUE, FALSE,
                              &error);

  ck_assert_int_eq (second != NULL, _i == 1);
  if (_i == 1)
    return;
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert_ptr_nonnull (strstr (error->message, endpoint));
}
END_TEST

/* Clients beyond the backlog get no answer. */
START_TEST (backlog_is_as_asked)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket =
    srv_create_server_socket ("tcp:127.0.0.1:0", G_SOCKET_FAMILY_INVALID, 1,
                              FALSE, FALSE, &error);
  g_autofree char *endpoint = NULL;
  SrvConnection *clients[8];
  guint n = 0;

  srv_test_assert_no_error (error);
  endpoint = endpoint_at ("127.0.0.1", port_of (socket));
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      clients[n] = srv_create_connection (endpoint, 100, NULL, NULL);
      if (clients[n] == NULL)
        break;
      n++;
    }
  /* The system may let one more in. */
  ck_assert_uint_ge (n, 1);
  ck_assert_uint_le (n, 3);
  for (guint i = 0; i < n; i++)
    g_object_unref (clients[i]);
}
END_TEST

/* IPv6 alone unless the other is wanted, too. */
START_TEST (dual_stack_is_on_request)
{
  const gboolean dual = _i == 1;
  g_autoptr (GSocket) socket = NULL;

  if (!has_ipv6 ())
    return;
  socket =
    make (dual ? "tcp::0" : "tcp:[::]:0", G_SOCKET_FAMILY_INVALID, FALSE, dual);
  ck_assert_int_eq (g_socket_get_family (socket), G_SOCKET_FAMILY_IPV6);
  ck_assert_int_eq (option_of (socket, IPPROTO_IPV6, IPV6_V6ONLY), !dual);
  ck_assert (can_connect ("[::1]", port_of (socket)));
  ck_assert (can_connect ("127.0.0.1", port_of (socket)) == dual);
}
END_TEST

/* All interfaces are those of IPv4, unless the family says otherwise. */
START_TEST (family_can_be_chosen)
{
  g_autoptr (GSocket) four =
    make ("tcp::0", G_SOCKET_FAMILY_INVALID, FALSE, FALSE);
  g_autoptr (GSocket) six = NULL;

  ck_assert_int_eq (g_socket_get_family (four), G_SOCKET_FAMILY_IPV4);
  if (!has_ipv6 ())
    return;
  six = make ("tcp::0", G_SOCKET_FAMILY_IPV6, FALSE, FALSE);
  ck_assert_int_eq (g_socket_get_family (six), G_SOCKET_FAMILY_IPV6);
}
END_TEST

/* The answer is that of a real socket, and leaves none behind. */
START_TEST (dual_stack_is_probed)
{
  const int off = 0;
  int fd = socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean expected = fd >= 0 && setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY,
                                             &off, sizeof off) == 0;

  if (fd >= 0)
    srv_test_close (fd);
  ck_assert_int_eq (srv_has_dualstack_ipv6 (), expected);
  ck_assert_int_eq (srv_has_dualstack_ipv6 (), expected);
}
END_TEST

/* What makes no sense is refused, and not silently left out. */
START_TEST (wrong_wishes_are_refused)
{
  const struct
  {
    const char *endpoint;
    GSocketFamily family;
    gboolean dualstack_ipv6;
    GQuark domain;
    int code;
  } cases[] = {
    { "nonsense", G_SOCKET_FAMILY_INVALID, FALSE, SRV_ERROR,
      SRV_ERROR_BAD_ENDPOINT },
    { "udp:127.0.0.1:0", G_SOCKET_FAMILY_INVALID, FALSE, G_IO_ERROR,
      G_IO_ERROR_INVALID_ARGUMENT },
    { "unix:@nobody", G_SOCKET_FAMILY_INVALID, FALSE, G_IO_ERROR,
      G_IO_ERROR_INVALID_ARGUMENT },
    { "tcp::0", G_SOCKET_FAMILY_IPV4, TRUE, G_IO_ERROR,
      G_IO_ERROR_INVALID_ARGUMENT },
    { "tcp:127.0.0.1:no-such-service", G_SOCKET_FAMILY_INVALID, FALSE,
      G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_ptr_null (
        srv_create_server_socket (cases[i].endpoint, cases[i].family, 0, FALSE,
                                  cases[i].dualstack_ipv6, &error));
      srv_test_assert_error (error, cases[i].domain, cases[i].code);
    }
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "listen", socket_accepts, 1 },
    { "listen", address_is_free_at_once, 1 },
    { "listen", port_is_shared_on_request, 2 },
    { "listen", backlog_is_as_asked, 1 },
    { "family", dual_stack_is_on_request, 2 },
    { "family", family_can_be_chosen, 1 },
    { "family", dual_stack_is_probed, 1 },
    { "refused", wrong_wishes_are_refused, 1 },
  };

  return srv_test_run_entries ("Create server socket", tests,
                               G_N_ELEMENTS (tests));
}
