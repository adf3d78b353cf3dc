/* test-create-connection.c - connecting by endpoint within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <stdio.h>

/* A listener on loopback that nobody accepts from; @port 0 chooses one. */
static int
listener (int family, guint16 *port, int backlog)
{
  struct sockaddr_in in = {
    .sin_family = AF_INET,
    .sin_port = htons (*port),
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
  };
  struct sockaddr_in6 in6 = {
    .sin6_family = AF_INET6,
    .sin6_port = htons (*port),
    .sin6_addr = in6addr_loopback,
  };
  const int on = 1;
  socklen_t size = family == AF_INET ? sizeof in : sizeof in6;
  gpointer address = family == AF_INET ? (gpointer) &in : (gpointer) &in6;
  int fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;
  if (family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind (fd, address, size) != 0)
    {
      close (fd);
      return -1;
    }
  if (backlog >= 0)
    ck_assert_int_eq (listen (fd, backlog), 0);
  ck_assert_int_eq (getsockname (fd, address, &size), 0);
  *port = ntohs (family == AF_INET ? in.sin_port : in6.sin6_port);
  return fd;
}

/* A listener on ::1 whose port is bound on 127.0.0.1, too. Bound without being
 * listened to, the latter refuses. Without a host both are tried, 127.0.0.1
 * first. -1 where there is no IPv6. */
static int
listener_on_both (int *on_v4, guint16 *port, int v4_backlog)
{
  for (int attempt = 0; attempt < 20; attempt++)
    {
      int on_v6;

      *port = 0;
      *on_v4 = listener (AF_INET, port, v4_backlog);
      ck_assert_int_ge (*on_v4, 0);
      on_v6 = listener (AF_INET6, port, 5);
      if (on_v6 >= 0)
        return on_v6;
      srv_test_close (*on_v4);
    }
  printf ("# skipped: no IPv6 on loopback\n");
  return -1;
}

/* Fills the queue of a listener, so that it answers nobody any more. */
static void
fill_queue (guint16 port, int *fds, int n_fds)
{
  struct sockaddr_in in = {
    .sin_family = AF_INET,
    .sin_port = htons (port),
    .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
  };

  for (int i = 0; i < n_fds; i++)
    {
      fds[i] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      ck_assert_int_ge (fds[i], 0);
      connect (fds[i], (struct sockaddr *) &in, sizeof in);
    }
}

static void
close_all (const int *fds, int n_fds)
{
  for (int i = 0; i < n_fds; i++)
    srv_test_close (fds[i]);
}

/* The first address refuses, the second one answers. */
START_TEST (next_address_is_tried)
{
  int on_v4;
  guint16 port;
  int on_v6 = listener_on_both (&on_v4, &port, -1);
  g_autofree char *endpoint = g_strdup_printf ("tcp::%u", port);
  g_autoptr (SrvConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  if (on_v6 < 0)
    return;
  connection =
    srv_create_connection (endpoint, SRV_TEST_PATIENCE, NULL, &error);
  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (connection);
  srv_test_close (on_v4);
  srv_test_close (on_v6);
}
END_TEST

/* The first address does not answer, and may use up half of the time only. */
START_TEST (silent_address_leaves_time)
{
  int on_v4;
  guint16 port;
  int on_v6 = listener_on_both (&on_v4, &port, 0);
  int fds[3];
  g_autofree char *endpoint = g_strdup_printf ("tcp::%u", port);
  g_autoptr (SrvConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();

  if (on_v6 < 0)
    return;
  fill_queue (port, fds, G_N_ELEMENTS (fds));
  connection = srv_create_connection (endpoint, 2000, NULL, &error);
  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (connection);
  srv_test_assert_took (before, 1000);
  close_all (fds, G_N_ELEMENTS (fds));
  srv_test_close (on_v4);
  srv_test_close (on_v6);
}
END_TEST

/* The client has the address that it asked for, and the server sees it. */
START_TEST (source_can_be_chosen)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvConnection) connection =
    srv_create_connection_from (endpoint, "tcp:127.0.0.2:0", SRV_TEST_PATIENCE,
                                NULL, &error);
  GSocketAddress *address;
  g_autofree char *host = NULL;

  srv_test_assert_no_error (error);
  address = srv_request_get_local_address (SRV_REQUEST (connection));
  host = g_inet_address_to_string (
    g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
  ck_assert_str_eq (host, "127.0.0.2");
  ck_assert_uint_ne (g_inet_socket_address_get_port (
                       G_INET_SOCKET_ADDRESS (address)),
                     0);
  g_object_unref (server);
}
END_TEST

/* One that is taken, of another family, or of no use is an error. */
START_TEST (wrong_source_is_refused)
{
  guint16 port = 0;
  int fd = listener (AF_INET, &port, 5);
  g_autofree char *endpoint = g_strdup_printf ("tcp:127.0.0.1:%u", port);
  const struct
  {
    const char *source;
    int code;
  } cases[] = {
    { endpoint, G_IO_ERROR_ADDRESS_IN_USE },
    { "tcp:[::1]:0", G_IO_ERROR_NOT_SUPPORTED },
    { "udp:127.0.0.1:0", G_IO_ERROR_INVALID_ARGUMENT },
    { "unix:@name", G_IO_ERROR_INVALID_ARGUMENT },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_ptr_null (srv_create_connection_from (endpoint, cases[i].source,
                                                      SRV_TEST_PATIENCE, NULL,
                                                      &error));
      srv_test_assert_error (error, G_IO_ERROR, cases[i].code);
    }
  srv_test_close (fd);
}
END_TEST

/* Nobody answers: every address is told, with its trouble. */
START_TEST (every_trouble_is_told)
{
  int on_v4;
  guint16 port;
  int on_v6 = listener_on_both (&on_v4, &port, -1);
  g_autofree char *endpoint = g_strdup_printf ("tcp::%u", port);
  g_autofree char *expected =
    g_strdup_printf ("could not connect to tcp::%u: 127.0.0.1:%u: Connection "
                     "refused; [::1]:%u: Connection refused",
                     port, port, port);
  g_autoptr (GError) error = NULL;

  if (on_v6 < 0)
    return;
  srv_test_close (on_v6);
  ck_assert_ptr_null (
    srv_create_connection (endpoint, SRV_TEST_PATIENCE, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  ck_assert_str_eq (error->message, expected);
  srv_test_close (on_v4);
}
END_TEST

/* A listener whose queue is full answers nobody; the time limit is kept. */
START_TEST (connecting_keeps_its_limit)
{
  guint16 port = 0;
  int fd = listener (AF_INET, &port, 0);
  int fds[3];
  g_autofree char *endpoint = g_strdup_printf ("tcp:127.0.0.1:%u", port);
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();

  fill_queue (port, fds, G_N_ELEMENTS (fds));
  ck_assert_ptr_null (srv_create_connection (endpoint, 100, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  ck_assert_ptr_nonnull (strstr (error->message, endpoint));
  srv_test_assert_took (before, 100);
  close_all (fds, G_N_ELEMENTS (fds));
  srv_test_close (fd);
}
END_TEST

/* A Unix listener with a queue of one place, which @taken takes. */
static int
full_unix_listener (const char *path, int *taken)
{
  struct sockaddr_un un = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (un.sun_path, path, sizeof un.sun_path);
  ck_assert_int_eq (bind (fd, (struct sockaddr *) &un, sizeof un), 0);
  ck_assert_int_eq (listen (fd, 0), 0);
  *taken = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_eq (connect (*taken, (struct sockaddr *) &un, sizeof un), 0);
  return fd;
}

static gpointer
connect_in_thread (gpointer endpoint)
{
  return srv_create_connection (endpoint, SRV_TEST_PATIENCE, NULL, NULL);
}

/* The kernel does not queue for a full Unix listener, it refuses at once. Such a
 * client must wait all the same, and get its turn. */
START_TEST (full_unix_listener_is_waited_for)
{
  g_autofree char *path = srv_test_path ("full");
  g_autofree char *endpoint = g_strdup_printf ("unix:%s", path);
  g_autoptr (SrvConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;
  int taken;
  int fd = full_unix_listener (path, &taken);
  int accepted;

  ck_assert_ptr_null (srv_create_connection (endpoint, 50, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  thread = g_thread_new ("client", connect_in_thread, endpoint);
  accepted = accept (fd, NULL, NULL);
  ck_assert_int_ge (accepted, 0);
  connection = g_thread_join (thread);
  ck_assert_ptr_nonnull (connection);
  srv_test_close (accepted);
  srv_test_close (taken);
  srv_test_close (fd);
  g_unlink (path);
}
END_TEST

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_usleep (20000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* Cancelled before and in the middle, over TCP and over a full Unix listener. */
START_TEST (connecting_can_be_cancelled)
{
  g_autofree char *path = srv_test_path ("full");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *endpoint = NULL;
  guint16 port = 0;
  int taken[3] = { -1, -1, -1 };
  int fd;

  if (_i == 0)
    {
      fd = listener (AF_INET, &port, 0);
      fill_queue (port, taken, G_N_ELEMENTS (taken));
      endpoint = g_strdup_printf ("tcp:127.0.0.1:%u", port);
    }
  else
    {
      fd = full_unix_listener (path, taken);
      endpoint = g_strdup_printf ("unix:%s", path);
    }
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      GThread *thread = g_thread_new ("cancel", cancel_in_thread, cancellable);

      ck_assert_ptr_null (
        srv_create_connection (endpoint, -1, cancellable, &error));
      srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_thread_join (thread);
    }
  close_all (taken, _i == 0 ? 3 : 1);
  srv_test_close (fd);
  g_unlink (path);
}
END_TEST

START_TEST (missing_path_is_told)
{
  g_autofree char *path = srv_test_path ("nowhere");
  g_autofree char *endpoint =
    g_strdup_printf ("%s:%s", _i == 0 ? "unix" : "unixgram", path);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
    srv_create_socket (endpoint, SRV_TEST_PATIENCE, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  ck_assert_ptr_nonnull (strstr (error->message, path));
}
END_TEST

START_TEST (wrong_endpoints_are_refused)
{
  const struct
  {
    const char *endpoint;
    GQuark domain;
    int code;
  } cases[] = {
    { "nonsense", SRV_ERROR, SRV_ERROR_BAD_ENDPOINT },
    { "udp:127.0.0.1:9", G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT },
    { "unixgram:@nowhere", G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT },
    { "fd:0", G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED },
    { "tcp:127.0.0.1:no-such-service", G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_ptr_null (
        srv_create_connection (cases[i].endpoint, 1000, NULL, &error));
      srv_test_assert_error (error, cases[i].domain, cases[i].code);
    }
}
END_TEST

/* The socket itself, for who wants to poll it. */
START_TEST (sockets_are_connected)
{
  SrvBaseServer *server = srv_test_server_new (_i, SRV_TEST_THREADING);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  g_autoptr (GError) error = NULL;
  GSocket *socket =
    srv_create_socket (endpoint, SRV_TEST_PATIENCE, NULL, &error);
  char back[6] = "";

  srv_test_assert_no_error (error);
  ck_assert_int_eq (g_socket_send (socket, "hello\n", 6, NULL, NULL), 6);
  ck_assert_int_eq (g_socket_receive (socket, back, 6, NULL, NULL), 6);
  ck_assert_int_eq (memcmp (back, "hello\n", 6), 0);
  g_object_unref (socket);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "addresses", next_address_is_tried, 1 },
    { "addresses", silent_address_leaves_time, 1 },
    { "addresses", every_trouble_is_told, 1 },
    { "addresses", source_can_be_chosen, 1 },
    { "addresses", wrong_source_is_refused, 1 },
    { "addresses", missing_path_is_told, 2 },
    { "addresses", wrong_endpoints_are_refused, 1 },
    { "addresses", sockets_are_connected, SRV_TEST_N_TRANSPORTS },
    { "time", connecting_keeps_its_limit, 1 },
    { "time", full_unix_listener_is_waited_for, 1 },
    { "time", connecting_can_be_cancelled, 2 },
  };

  return srv_test_run_entries ("Create connection", tests,
                               G_N_ELEMENTS (tests));
}
