/* test-connection.c - a connection without a server around it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <pthread.h>

static SrvConnection *
connection_new (int *peer, int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  SrvConnection *connection;
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], &error);
  srv_test_assert_no_error (error);
  ck_assert (srv_connection_set_timeout (connection, timeout_ms, NULL));
  *peer = fds[1];

  return connection;
}

/* Blocking descriptor or, once a GSocket was asked for, a non-blocking one:
 * every test runs with both. */
static SrvConnection *
connection_new_way (int way, int *peer, int timeout_ms)
{
  SrvConnection *connection = connection_new (peer, timeout_ms);

  if (way == 1)
    ck_assert_ptr_nonnull (srv_connection_get_socket (connection, NULL));

  return connection;
}

/* Bytes pass both ways; the end is 0 (SS-095). */
START_TEST (bytes_pass_both_ways)
{
  int peer;
  SrvConnection *connection = connection_new_way (_i, &peer, 1000);
  g_autoptr (GError) error = NULL;
  char buffer[16] = { 0 };

  srv_test_say (peer, "there");
  ck_assert_int_eq (srv_connection_receive (connection, buffer, sizeof buffer,
                                            NULL, &error),
                    5);
  ck_assert_str_eq (buffer, "there");
  ck_assert (srv_connection_send_all (connection, "back", 4, NULL, &error));
  srv_test_expect (peer, "back");
  ck_assert (srv_connection_shutdown_write (connection, &error));
  srv_test_expect_end (peer);
  shutdown (peer, SHUT_WR);
  ck_assert_int_eq (srv_connection_receive (connection, buffer, sizeof buffer,
                                            NULL, &error),
                    0);
  srv_test_assert_no_error (error);
  g_object_unref (connection);
  close (peer);
}
END_TEST

typedef struct
{
  pthread_t victim;
  GCancellable *cancellable;
  SrvRequest *request;
  int done;
} Disturber;

static gpointer
disturb (gpointer data)
{
  Disturber *self = data;

  while (!g_atomic_int_get (&self->done))
    {
      GPollFD nothing = { .fd = -1 };

      g_poll (&nothing, 1, 3);
      if (self->cancellable != NULL)
        g_cancellable_cancel (self->cancellable);
      else if (self->request != NULL)
        srv_request_cut (self->request);
      else
        pthread_kill (self->victim, SIGUSR1);
    }

  return NULL;
}

static void
ignore_signal (G_GNUC_UNUSED int number)
{
}

/* A signal storm neither fails a wait nor moves its deadline. */
START_TEST (interruptions_keep_the_deadline)
{
  struct sigaction action = { .sa_handler = ignore_signal };
  int peer;
  SrvConnection *connection = connection_new_way (_i, &peer, 100);
  Disturber storm = { .victim = pthread_self () };
  g_autoptr (GError) error = NULL;
  gint64 before;
  GThread *thread;
  char byte;

  sigaction (SIGUSR1, &action, NULL);
  thread = g_thread_new ("storm", disturb, &storm);
  before = g_get_monotonic_time ();
  ck_assert_int_eq (srv_connection_receive (connection, &byte, 1, NULL, &error),
                    -1);
  srv_test_assert_took (before, 95);
  g_atomic_int_set (&storm.done, 1);
  g_thread_join (thread);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  /* One can go on. */
  g_clear_error (&error);
  srv_test_say (peer, "x");
  ck_assert_int_eq (srv_connection_receive (connection, &byte, 1, NULL, &error),
                    1);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* A cancellable ends a wait, before it and during it. */
START_TEST (cancellable_ends_the_wait)
{
  const gsize length = 8 * 1024 * 1024;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *data = g_malloc0 (length);
  Disturber disturber = { .cancellable = cancellable };
  int peer;
  SrvConnection *connection = connection_new_way (_i % 2, &peer, 0);
  g_autoptr (GError) error = NULL;
  GThread *thread = NULL;
  char byte;

  if (_i / 4 == 0)
    g_cancellable_cancel (cancellable);
  else
    thread = g_thread_new ("cancel", disturb, &disturber);
  if (_i / 2 % 2 == 0)
    ck_assert_int_eq (srv_connection_receive (connection, &byte, 1, cancellable,
                                              &error),
                      -1);
  else
    ck_assert (
      !srv_connection_send_all (connection, data, length, cancellable, &error));
  g_atomic_int_set (&disturber.done, 1);
  if (thread != NULL)
    g_thread_join (thread);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* A cut from another thread ends every wait, as if the client had gone. */
START_TEST (cut_wakes_the_reader)
{
  int peer;
  SrvConnection *connection = connection_new_way (_i, &peer, 0);
  Disturber disturber = { .request = SRV_REQUEST (connection) };
  GThread *thread = g_thread_new ("cut", disturb, &disturber);
  char byte;

  ck_assert_int_le (srv_connection_receive (connection, &byte, 1, NULL, NULL),
                    0);
  g_atomic_int_set (&disturber.done, 1);
  g_thread_join (thread);
  srv_test_expect_gone (peer);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* A closed connection says so, and has no descriptor; closing twice is fine. */
START_TEST (closed_connection_says_so)
{
  int peer;
  SrvConnection *connection = connection_new_way (_i, &peer, 0);
  g_autoptr (GError) error = NULL;
  char byte;

  ck_assert (g_io_stream_close (G_IO_STREAM (connection), NULL, &error));
  ck_assert (g_io_stream_close (G_IO_STREAM (connection), NULL, &error));
  ck_assert_int_eq (srv_connection_get_fd (connection), -1);
  ck_assert_int_eq (srv_request_fileno (SRV_REQUEST (connection)), -1);
  ck_assert_int_eq (srv_connection_receive (connection, &byte, 1, NULL, &error),
                    -1);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  ck_assert (!srv_connection_send_all (connection, "x", 1, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  ck_assert_ptr_null (_i == 0 ? srv_connection_get_socket (connection, &error)
                              : NULL);
  srv_request_cut (SRV_REQUEST (connection));
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* A peer that has gone is an error and no SIGPIPE. */
START_TEST (vanished_peer_is_an_error)
{
  int peer;
  SrvConnection *connection = connection_new_way (_i, &peer, 0);
  g_autoptr (GError) error = NULL;

  signal (SIGPIPE, SIG_DFL);
  close (peer);
  ck_assert (!srv_connection_send_all (connection, "x", 1, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_object_unref (connection);
}
END_TEST

/* Only stream sockets make connections; the descriptor stays the caller's. */
START_TEST (unfit_descriptor_is_refused)
{
  g_autoptr (GError) error = NULL;
  int fds[2] = { 999, -1 };

  if (_i == 1)
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
  if (_i == 2)
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds),
                      0);
  ck_assert_ptr_null (srv_connection_new_for_fd (fds[0], &error));
  ck_assert_ptr_nonnull (error);
  ck_assert (error->domain == G_IO_ERROR);
  if (_i == 2)
    srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  if (_i > 0)
    {
      ck_assert_int_eq (close (fds[0]), 0);
      close (fds[1]);
    }
}
END_TEST

/* The descriptor is set to close on exec, and to blocking mode. */
START_TEST (descriptor_is_put_in_order)
{
  g_autoptr (SrvConnection) connection = NULL;
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], NULL);
  ck_assert_int_eq (fcntl (fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  ck_assert_int_eq (fcntl (fds[0], F_GETFL) & O_NONBLOCK, 0);
  close (fds[1]);
}
END_TEST

static gboolean
on_readable (GPollableInputStream *stream, gpointer user_data)
{
  char buffer[8] = { 0 };

  ck_assert_int_eq (g_pollable_input_stream_read_nonblocking (stream, buffer,
                                                              sizeof buffer,
                                                              NULL, NULL),
                    4);
  ck_assert_str_eq (buffer, "ping");
  g_main_loop_quit (user_data);

  return G_SOURCE_REMOVE;
}

/* The streams can be watched by a main context (what GTlsConnection needs). */
START_TEST (streams_can_be_polled)
{
  int peer;
  SrvConnection *connection = connection_new_way (_i, &peer, 0);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (
    g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (
    g_io_stream_get_output_stream (G_IO_STREAM (connection)));
  g_autoptr (GError) error = NULL;
  g_autoptr (GSource) source = NULL;
  char byte;

  ck_assert (g_pollable_input_stream_can_poll (input));
  ck_assert (g_pollable_output_stream_can_poll (output));
  ck_assert (!g_pollable_input_stream_is_readable (input));
  ck_assert (g_pollable_output_stream_is_writable (output));
  ck_assert_int_eq (g_pollable_input_stream_read_nonblocking (input, &byte, 1,
                                                              NULL, &error),
                    -1);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  ck_assert_int_eq (g_pollable_output_stream_write_nonblocking (output, "pong",
                                                                4, NULL, NULL),
                    4);
  srv_test_expect (peer, "pong");

  source = g_pollable_input_stream_create_source (input, NULL);
  g_source_set_callback (source, G_SOURCE_FUNC (on_readable), loop, NULL);
  g_source_attach (source, context);
  srv_test_say (peer, "ping");
  g_main_loop_run (loop);
  g_source_destroy (source);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* Nagle's algorithm is none of a Unix socket's business (SS-157). */
START_TEST (no_delay_succeeds_on_unix_sockets)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 0);
  g_autoptr (GError) error = NULL;

  ck_assert (srv_connection_set_no_delay (connection, TRUE, &error));
  srv_test_assert_no_error (error);
  g_object_unref (connection);
  close (peer);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "bytes", bytes_pass_both_ways, 2 },
    { "bytes", interruptions_keep_the_deadline, 2 },
    { "bytes", cancellable_ends_the_wait, 8 },
    { "bytes", vanished_peer_is_an_error, 2 },
    { "bytes", streams_can_be_polled, 2 },
    { "life", cut_wakes_the_reader, 2 },
    { "life", closed_connection_says_so, 2 },
    { "life", unfit_descriptor_is_refused, 3 },
    { "life", descriptor_is_put_in_order, 1 },
    { "life", no_delay_succeeds_on_unix_sockets, 1 },
  };

  return srv_test_run_entries ("Connection", tests, G_N_ELEMENTS (tests));
}
