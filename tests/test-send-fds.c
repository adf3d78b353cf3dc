/* test-send-fds.c - pairs of connections, and descriptors that go through them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

#include <sys/resource.h>

typedef struct
{
  SrvConnection *a;
  SrvConnection *b;
} Pair;

static Pair
make_pair (void)
{
  Pair pair = { NULL, NULL };
  g_autoptr (GError) error = NULL;

  ck_assert (srv_socketpair (&pair.a, &pair.b, &error));
  srv_test_assert_no_error (error);
  srv_connection_set_timeout (pair.a, SRV_TEST_PATIENCE, NULL);
  srv_connection_set_timeout (pair.b, SRV_TEST_PATIENCE, NULL);
  return pair;
}

static void
end_pair (Pair *pair)
{
  g_clear_object (&pair->a);
  g_clear_object (&pair->b);
}

/* @n descriptors, each the reading end of a pipe that holds its number. */
static GUnixFDList *
make_list (int n)
{
  GUnixFDList *list = g_unix_fd_list_new ();

  for (int i = 0; i < n; i++)
    {
      char digit = (char) ('0' + i % 10);
      int fds[2];

      ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
      ck_assert_int_eq (write (fds[1], &digit, 1), 1);
      ck_assert_int_eq (g_unix_fd_list_append (list, fds[0], NULL), i);
      srv_test_close (fds[0]);
      srv_test_close (fds[1]);
    }
  return list;
}

static void
expect_list (GUnixFDList *list, int n)
{
  int length;
  const int *fds = g_unix_fd_list_peek_fds (list, &length);

  ck_assert_int_eq (length, n);
  for (int i = 0; i < n; i++)
    {
      char digit = 0;

      ck_assert_int_eq (fcntl (fds[i], F_GETFD), FD_CLOEXEC);
      ck_assert_int_eq (read (fds[i], &digit, 1), 1);
      ck_assert_int_eq (digit, '0' + i % 10);
    }
}

static void
send_list (SrvConnection *connection, int n)
{
  g_autoptr (GUnixFDList) list = make_list (n);
  g_autoptr (GError) error = NULL;

  ck_assert (srv_send_fds (connection, "fds", 3, list, &error));
  srv_test_assert_no_error (error);
}

/* Both ends are private, speak with each other, and see each other's end. */
START_TEST (ends_speak_with_each_other)
{
  Pair pair = make_pair ();
  char text[6] = "";

  ck_assert_int_eq (fcntl (srv_connection_get_fd (pair.a), F_GETFD),
                    FD_CLOEXEC);
  ck_assert_int_eq (fcntl (srv_connection_get_fd (pair.b), F_GETFD),
                    FD_CLOEXEC);
  ck_assert (srv_connection_send_all (pair.a, "there", 5, NULL, NULL));
  ck_assert_int_eq (srv_connection_receive (pair.b, text, 5, NULL, NULL), 5);
  ck_assert_str_eq (text, "there");
  ck_assert (srv_connection_send_all (pair.b, "back", 4, NULL, NULL));
  ck_assert_int_eq (srv_connection_receive (pair.a, text, 4, NULL, NULL), 4);
  ck_assert_int_eq (memcmp (text, "back", 4), 0);
  g_clear_object (&pair.a);
  ck_assert_int_eq (srv_connection_receive (pair.b, text, 1, NULL, NULL), 0);
  end_pair (&pair);
}
END_TEST

/* A handler runs over one end, without any server. */
START_TEST (handler_runs_over_a_pair)
{
  Pair pair = make_pair ();
  g_autoptr (SrvBaseRequestHandler) handler =
    g_object_new (srv_test_handler_type (SRV_TEST_UNIX), NULL);
  g_autoptr (GError) error = NULL;
  char text[8] = "";

  ck_assert (srv_connection_send_all (pair.a, "hello\n", 6, NULL, NULL));
  ck_assert (srv_connection_shutdown_write (pair.a, NULL));
  ck_assert (
    srv_base_request_handler_run (handler, SRV_REQUEST (pair.b), NULL, &error));
  srv_test_assert_no_error (error);
  ck_assert_int_eq (srv_connection_receive (pair.a, text, 6, NULL, NULL), 6);
  ck_assert_str_eq (text, "hello\n");
  end_pair (&pair);
}
END_TEST

/* Valgrind keeps the limit of descriptors in another way than the system. */
static gboolean
limit_is_the_systems (const char *test)
{
  if (g_getenv ("SRV_VALGRIND") == NULL)
    return TRUE;
  g_printerr ("%s: not tried under valgrind\n", test);
  return FALSE;
}

/* Nothing is left behind when there are no descriptors for it. */
START_TEST (pair_needs_descriptors)
{
  struct rlimit before;
  struct rlimit none;
  SrvConnection *a = NULL;
  SrvConnection *b = NULL;
  g_autoptr (GError) error = NULL;

  if (!limit_is_the_systems ("pair_needs_descriptors"))
    return;
  ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &none), 0);
  ck_assert (!srv_socketpair (&a, &b, &error));
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &before), 0);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  ck_assert_ptr_null (a);
  ck_assert_ptr_null (b);
}
END_TEST

static const int counts[] = { 0, 1, 2, 3, 10, SRV_MAX_FDS };

/* As many as were sent, in order, usable, and closed with the list. */
START_TEST (descriptors_arrive)
{
  const int n = counts[_i];
  Pair pair = make_pair ();
  const guint before = srv_test_count_descriptors ();
  g_autoptr (GUnixFDList) list = NULL;
  g_autoptr (GError) error = NULL;
  char text[4] = "";

  send_list (pair.a, n);
  ck_assert_uint_eq (srv_test_count_descriptors (), before);
  ck_assert_int_eq (srv_recv_fds (pair.b, text, 4, (guint) MAX (n, 1), &list,
                                  &error),
                    3);
  srv_test_assert_no_error (error);
  ck_assert_str_eq (text, "fds");
  expect_list (list, n);
  g_clear_object (&list);
  ck_assert_uint_eq (srv_test_count_descriptors (), before);
  end_pair (&pair);
}
END_TEST

/* More than expected, by one or by many: all are closed, and it is an error.
 * The connection still works. */
START_TEST (surplus_descriptors_are_closed)
{
  const int expected = 1 + _i % 4;
  const int sent = expected + (_i < 4 ? 1 : 100);
  Pair pair = make_pair ();
  const guint before = srv_test_count_descriptors ();
  g_autoptr (GUnixFDList) list = NULL;
  g_autoptr (GError) error = NULL;
  char text[4] = "";

  send_list (pair.a, sent);
  ck_assert_int_eq (srv_recv_fds (pair.b, text, 4, (guint) expected, &list,
                                  &error),
                    -1);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TRUNCATED);
  ck_assert_ptr_null (list);
  ck_assert_uint_eq (srv_test_count_descriptors (), before);
  g_clear_error (&error);
  send_list (pair.a, 1);
  ck_assert_int_eq (srv_recv_fds (pair.b, text, 4, 1, &list, &error), 3);
  srv_test_assert_no_error (error);
  expect_list (list, 1);
  end_pair (&pair);
}
END_TEST

/* The process may have no more: what did arrive is closed. */
START_TEST (shortage_is_an_error)
{
  Pair pair;
  guint before;
  struct rlimit usual;
  struct rlimit few;
  g_autoptr (GUnixFDList) list = NULL;
  g_autoptr (GError) error = NULL;
  char text[4];
  int next;

  if (!limit_is_the_systems ("shortage_is_an_error"))
    return;
  pair = make_pair ();
  send_list (pair.a, 5);
  before = srv_test_count_descriptors ();
  next = dup (0);
  srv_test_close (next);
  ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &usual), 0);
  few = usual;
  few.rlim_cur = (rlim_t) next + 2;
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &few), 0);
  ck_assert_int_eq (srv_recv_fds (pair.b, text, 4, 5, &list, &error), -1);
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &usual), 0);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TRUNCATED);
  ck_assert_uint_eq (srv_test_count_descriptors (), before);
  end_pair (&pair);
}
END_TEST

/* A socket that asks who its peer is gets that beside the descriptors. */
START_TEST (credentials_need_no_room)
{
  Pair pair = make_pair ();
  const int on = 1;
  g_autoptr (GUnixFDList) list = NULL;
  g_autoptr (GError) error = NULL;
  char text[4];

  ck_assert_int_eq (setsockopt (srv_connection_get_fd (pair.b), SOL_SOCKET,
                                SO_PASSCRED, &on, sizeof on),
                    0);
  send_list (pair.a, 2);
  ck_assert_int_eq (srv_recv_fds (pair.b, text, 4, 2, &list, &error), 3);
  srv_test_assert_no_error (error);
  expect_list (list, 2);
  end_pair (&pair);
}
END_TEST

static gpointer
drain (gpointer data)
{
  static char buffer[65536];
  SrvConnection *connection = data;
  g_autoptr (GUnixFDList) list = NULL;
  gsize total = 0;
  gssize n;

  n = srv_recv_fds (connection, buffer, sizeof buffer, 1, &list, NULL);
  while (n > 0)
    {
      total += (gsize) n;
      n =
        srv_connection_receive (connection, buffer, sizeof buffer, NULL, NULL);
    }
  return GSIZE_TO_POINTER (total);
}

/* Bytes that do not fit at once follow; none is lost, none twice. */
START_TEST (many_bytes_go_with_them)
{
  const gsize size = 3 * 1000 * 1000;
  Pair pair = make_pair ();
  g_autofree char *bytes = g_malloc0 (size);
  g_autoptr (GUnixFDList) list = make_list (1);
  GThread *thread = g_thread_new ("drain", drain, pair.b);
  g_autoptr (GError) error = NULL;

  ck_assert (srv_send_fds (pair.a, bytes, size, list, &error));
  srv_test_assert_no_error (error);
  g_object_unref (g_steal_pointer (&pair.a));
  ck_assert_uint_eq (GPOINTER_TO_SIZE (g_thread_join (thread)), size);
  end_pair (&pair);
}
END_TEST

typedef struct
{
  SrvConnection *connection;
  gssize n;
  GError *error;
} Receiver;

/* In a fiber the connection is its worker's, and has to go before it. */
static void
receive_in_fiber (gpointer data)
{
  Receiver *self = data;
  g_autoptr (GUnixFDList) list = NULL;
  char text[4];

  self->n = srv_recv_fds (self->connection, text, 4, 1, &list, &self->error);
  g_clear_object (&self->connection);
}

static void
send_in_fiber (gpointer connection)
{
  send_list (connection, 1);
  g_object_unref (connection);
}

/* A fiber that waits for them lets the others run: here one of them sends. */
START_TEST (fiber_waits_for_descriptors)
{
  Pair pair = make_pair ();
  Receiver receiver = { .connection = g_steal_pointer (&pair.b) };
  SrvFiberWorker *worker = make_worker ();

  spawn (worker, receive_in_fiber, &receiver);
  spawn (worker, send_in_fiber, pair.a);
  run_to_the_end (worker);
  srv_test_assert_no_error (receiver.error);
  ck_assert_int_eq (receiver.n, 3);
}
END_TEST

/* The connection's limit holds, in a thread and in a fiber. */
START_TEST (limit_is_kept)
{
  Pair pair = make_pair ();
  Receiver receiver = { .connection = g_steal_pointer (&pair.b) };

  srv_connection_set_timeout (receiver.connection, 30, NULL);
  run_in (_i, receive_in_fiber, &receiver);
  ck_assert_int_eq (receiver.n, -1);
  srv_test_assert_error (receiver.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&receiver.error);
  end_pair (&pair);
}
END_TEST

/* The end of the stream is an end, without descriptors. */
START_TEST (end_has_none)
{
  Pair pair = make_pair ();
  g_autoptr (GUnixFDList) list = NULL;
  g_autoptr (GError) error = NULL;
  char text[4];

  g_clear_object (&pair.a);
  ck_assert_int_eq (srv_recv_fds (pair.b, text, 4, 1, &list, &error), 0);
  srv_test_assert_no_error (error);
  ck_assert_int_eq (g_unix_fd_list_get_length (list), 0);
  end_pair (&pair);
}
END_TEST

/* Too many for a message, and sockets that carry none. */
START_TEST (what_cannot_go_is_refused)
{
  Pair pair = make_pair ();
  g_autoptr (GUnixFDList) list = make_list (SRV_MAX_FDS + 1);
  g_autoptr (GUnixFDList) got = NULL;
  g_autoptr (GSocket) listener =
    srv_create_server_socket ("tcp:127.0.0.1:0", G_SOCKET_FAMILY_INVALID, 0,
                              FALSE, FALSE, NULL);
  g_autoptr (GSocketAddress) address =
    g_socket_get_local_address (listener, NULL);
  g_autofree char *endpoint =
    g_strdup_printf ("tcp:127.0.0.1:%u", g_inet_socket_address_get_port (
                                           G_INET_SOCKET_ADDRESS (address)));
  g_autoptr (SrvConnection) tcp =
    srv_create_connection (endpoint, SRV_TEST_PATIENCE, NULL, NULL);
  g_autoptr (GError) error = NULL;
  char byte;

  ck_assert (!srv_send_fds (pair.a, "x", 1, list, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  ck_assert (!srv_send_fds (tcp, "x", 1, list, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  ck_assert_int_eq (srv_recv_fds (tcp, &byte, 1, 1, &got, &error), -1);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  srv_connection_set_post_limit (pair.a, 1000);
  ck_assert (!srv_send_fds (pair.a, "x", 1, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  end_pair (&pair);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "pairs", ends_speak_with_each_other, 1 },
    { "pairs", handler_runs_over_a_pair, 1 },
    { "pairs", pair_needs_descriptors, 1 },
    { "descriptors", descriptors_arrive, (int) G_N_ELEMENTS (counts) },
    { "descriptors", surplus_descriptors_are_closed, 8 },
    { "descriptors", shortage_is_an_error, 1 },
    { "descriptors", credentials_need_no_room, 1 },
    { "descriptors", many_bytes_go_with_them, 1 },
    { "descriptors", fiber_waits_for_descriptors, 1 },
    { "descriptors", limit_is_kept, 2 },
    { "descriptors", end_has_none, 1 },
    { "descriptors", what_cannot_go_is_refused, 1 },
  };

  return srv_test_run_entries ("Send descriptors", tests, G_N_ELEMENTS (tests));
}
