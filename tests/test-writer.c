/* test-writer.c - wfile: gathers, and writes everything or fails
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <pthread.h>

#define DEFAULT_SIZE 16384

/* A connection, a writer over it, and the other end. */
typedef struct
{
  SrvConnection *connection;
  SrvWriter *writer;
  int peer;
} Pair;

/* What socketpair(2) does for Unix sockets. */
static void
tcp_pair (int fds[2])
{
  struct sockaddr_in name = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof name;
  int listener = srv_test_socket (AF_INET, SOCK_STREAM);

  ck_assert_int_eq (bind (listener, (struct sockaddr *) &name, sizeof name), 0);
  ck_assert_int_eq (listen (listener, 1), 0);
  getsockname (listener, (struct sockaddr *) &name, &length);
  fds[1] = srv_test_socket (AF_INET, SOCK_STREAM);
  ck_assert_int_eq (connect (fds[1], (struct sockaddr *) &name, sizeof name),
                    0);
  fds[0] = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  close (listener);
}

static void
pair_open_over (gboolean tcp, Pair *self, int timeout_ms, gssize size)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  if (tcp)
    tcp_pair (fds);
  else
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                      0);
  self->connection = srv_connection_new_for_fd (fds[0], &error);
  srv_test_assert_no_error (error);
  ck_assert (srv_connection_set_timeout (self->connection, timeout_ms, NULL));
  self->writer = srv_writer_new (g_io_stream_get_output_stream (
                                   G_IO_STREAM (self->connection)),
                                 size);
  self->peer = fds[1];
}

static void
pair_open (Pair *self, int timeout_ms, gssize size)
{
  pair_open_over (FALSE, self, timeout_ms, size);
}

static void
pair_close (Pair *self)
{
  g_object_unref (self->writer);
  g_object_unref (self->connection);
  if (self->peer >= 0)
    close (self->peer);
}

static void
ignore_signal (G_GNUC_UNUSED int number)
{
}

static void
catch_usr1 (void)
{
  struct sigaction action = { .sa_handler = ignore_signal }; /* no SA_RESTART */

  sigaction (SIGUSR1, &action, NULL);
}

typedef struct
{
  int fd;
  pthread_t victim;
  gsize length;
  gsize got;
  guint n_wrong;
} Drinker;

/* Reads in small sips, and interrupts the writer before each. */
static gpointer
drink_slowly (gpointer data)
{
  Drinker *drinker = data;
  guint8 buffer[40000];
  gssize n;

  do
    {
      pthread_kill (drinker->victim, SIGUSR1);
      n = srv_test_receive (drinker->fd, buffer, sizeof buffer);
      for (gssize i = 0; i < n; i++)
        drinker->n_wrong += buffer[i] != (guint8) ((drinker->got + i) * 7 >> 3);
      drinker->got += (gsize) MAX (n, 0);
    }
  while (n > 0 && drinker->got < drinker->length);

  return NULL;
}

static const gssize sizes[] = { -1, 0, 1, 100000 };

#define N_SIZES ((int) G_N_ELEMENTS (sizes))

/* Partial sends and interruptions are not the caller's matter (SS-165). */
START_TEST (large_reply_survives_signals)
{
  const gsize length = 16 * 1024 * 1024;
  g_autofree guint8 *data = g_malloc (length);
  g_autoptr (GError) error = NULL;
  Drinker drinker = { .victim = pthread_self (), .length = length };
  GThread *thread;
  Pair pair;

  for (gsize i = 0; i < length; i++)
    data[i] = (guint8) (i * 7 >> 3);
  catch_usr1 ();
  pair_open (&pair, SRV_TEST_PATIENCE, sizes[_i]);
  drinker.fd = pair.peer;
  thread = g_thread_new ("drinker", drink_slowly, &drinker);
  srv_writer_write (pair.writer, data, length, &error);
  srv_test_assert_no_error (error);
  ck_assert (srv_writer_flush (pair.writer, &error));
  g_thread_join (thread);
  ck_assert_uint_eq (drinker.got, length);
  ck_assert_uint_eq (drinker.n_wrong, 0);
  pair_close (&pair);
}
END_TEST

/* Small writes stay until somebody flushes; then they are one piece. */
START_TEST (writes_are_gathered_until_flush)
{
  Pair pair;

  pair_open (&pair, SRV_TEST_PATIENCE, -1);
  ck_assert (srv_writer_write_string (pair.writer, "one ", NULL));
  ck_assert (srv_writer_write_string (pair.writer, "two", NULL));
  ck_assert_uint_eq (srv_writer_get_pending (pair.writer), 7);
  ck_assert (srv_test_is_quiet (pair.peer));
  ck_assert (srv_writer_flush (pair.writer, NULL));
  ck_assert_uint_eq (srv_writer_get_pending (pair.writer), 0);
  srv_test_expect (pair.peer, "one two");
  ck_assert (srv_writer_flush (pair.writer, NULL));
  ck_assert (srv_test_is_quiet (pair.peer));
  pair_close (&pair);
}
END_TEST

/* The stream's own flush does the same. */
START_TEST (gio_flush_flushes)
{
  Pair pair;

  pair_open (&pair, SRV_TEST_PATIENCE, -1);
  ck_assert (srv_writer_write_string (pair.writer, "text", NULL));
  ck_assert (g_output_stream_flush (G_OUTPUT_STREAM (pair.writer), NULL, NULL));
  srv_test_expect (pair.peer, "text");
  pair_close (&pair);
}
END_TEST

/* A full buffer leaves by itself, in the order of the writes. */
START_TEST (full_buffer_is_sent)
{
  static const gssize buffer_sizes[] = { -1, 10, 1000 };
  gsize size = buffer_sizes[_i] < 0 ? DEFAULT_SIZE : (gsize) buffer_sizes[_i];
  g_autofree char *buffer = g_malloc0 (size + 2);
  Pair pair;

  pair_open (&pair, SRV_TEST_PATIENCE, buffer_sizes[_i]);
  for (gsize i = 0; i < size - 1; i++)
    ck_assert (srv_writer_write (pair.writer, "x", 1, NULL));
  ck_assert (srv_test_is_quiet (pair.peer));
  ck_assert_uint_eq (srv_writer_get_pending (pair.writer), size - 1);
  ck_assert (srv_writer_write (pair.writer, "yz", 2, NULL));
  ck_assert (!srv_test_is_quiet (pair.peer));
  ck_assert (srv_writer_flush (pair.writer, NULL));
  for (gsize got = 0; got < size + 1;)
    got += (gsize) srv_test_receive (pair.peer, buffer + got, size + 1 - got);
  ck_assert_mem_eq (buffer + size - 1, "yz", 2);
  pair_close (&pair);
}
END_TEST

/* Without a buffer each write leaves at once (SS-159). */
START_TEST (unbuffered_write_leaves_at_once)
{
  Pair pair;

  pair_open (&pair, SRV_TEST_PATIENCE, 0);
  ck_assert (srv_writer_write_string (pair.writer, "a", NULL));
  ck_assert_uint_eq (srv_writer_get_pending (pair.writer), 0);
  srv_test_expect (pair.peer, "a");
  ck_assert (srv_writer_printf (pair.writer, NULL, "%d", 5));
  srv_test_expect (pair.peer, "5");
  pair_close (&pair);
}
END_TEST

/* Every way of writing counts bytes and sends them in order. */
START_TEST (all_ways_of_writing_agree)
{
  g_autoptr (GBytes) bytes = g_bytes_new ("b\0b", 3);
  g_autofree char *wide = g_strnfill (3000, 'w');
  g_autofree char *got = NULL;
  gsize length;
  Pair pair;

  pair_open (&pair, SRV_TEST_PATIENCE, sizes[_i]);
  ck_assert (srv_writer_write (pair.writer, "a\0a", 3, NULL));
  ck_assert (srv_writer_write (pair.writer, NULL, 0, NULL));
  ck_assert (srv_writer_write_bytes (pair.writer, bytes, NULL));
  ck_assert (srv_writer_write_string (pair.writer, "", NULL));
  ck_assert (srv_writer_write_string (pair.writer, "s", NULL));
  ck_assert (srv_writer_printf (pair.writer, NULL, "%s %d%%", "p", 7));
  ck_assert (srv_writer_printf (pair.writer, NULL, "%s", wide));
  ck_assert (g_output_stream_write_all (G_OUTPUT_STREAM (pair.writer), "gio", 3,
                                        NULL, NULL, NULL));
  ck_assert (srv_writer_flush (pair.writer, NULL));
  ck_assert (srv_connection_shutdown_write (pair.connection, NULL));
  got = srv_test_read_all (pair.peer, &length);
  ck_assert_uint_eq (length, 3 + 3 + 1 + 4 + 3000 + 3);
  ck_assert_mem_eq (got, "a\0ab\0bsp 7%www", 14);
  ck_assert_mem_eq (got + length - 5, "wwgio", 5);
  pair_close (&pair);
}
END_TEST

typedef struct
{
  int fd;
  int stop;
} Dripper;

/* Reads a little every few milliseconds, so that each send(2) makes way. */
static gpointer
drip (gpointer data)
{
  Dripper *dripper = data;
  char buffer[4096];

  while (!g_atomic_int_get (&dripper->stop))
    {
      GPollFD nothing = { .fd = -1 };

      g_poll (&nothing, 1, 5);
      if (recv (dripper->fd, buffer, sizeof buffer, MSG_DONTWAIT) == 0)
        break;
    }

  return NULL;
}

/* The limit bounds the whole write: a client that takes a byte now and then
 * does not hold a worker for ever (SS-161). */
START_TEST (one_deadline_bounds_a_whole_write)
{
  const gsize length = (_i < N_SIZES ? 4 : 32) * 1024 * 1024;
  g_autofree char *data = g_malloc0 (length);
  g_autoptr (GError) error = NULL;
  Dripper dripper = { 0 };
  GThread *thread;
  gint64 before;
  Pair pair;

  pair_open_over (_i >= N_SIZES, &pair, 100, sizes[_i % N_SIZES]);
  dripper.fd = pair.peer;
  thread = g_thread_new ("dripper", drip, &dripper);
  before = g_get_monotonic_time ();
  ck_assert (!srv_writer_write (pair.writer, data, length, &error));
  srv_test_assert_took (before, 99);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_atomic_int_set (&dripper.stop, 1);
  g_thread_join (thread);
  pair_close (&pair);
}
END_TEST

/* Interruptions do not move the deadline. */
static gpointer
interrupt (gpointer data)
{
  Drinker *drinker = data;

  while (!g_atomic_int_get (&drinker->n_wrong))
    {
      GPollFD nothing = { .fd = -1 };

      pthread_kill (drinker->victim, SIGUSR1);
      g_poll (&nothing, 1, 3);
    }

  return NULL;
}

/* Signals that keep coming neither fail a write nor prolong it (SS-165): if they
 * did, it would last as long as they come. The bound is wide because tools that
 * check memory are slow. */
START_TEST (signals_do_not_move_the_deadline)
{
  const gsize length = 16 * 1024 * 1024;
  g_autofree char *data = g_malloc0 (length);
  g_autoptr (GError) error = NULL;
  Drinker storm = { .victim = pthread_self () };
  GThread *thread;
  gint64 before;
  Pair pair;

  catch_usr1 ();
  pair_open (&pair, 100, sizes[_i]);
  thread = g_thread_new ("storm", interrupt, &storm);
  before = g_get_monotonic_time ();
  ck_assert (!srv_writer_write (pair.writer, data, length, &error));
  srv_test_assert_took (before, 99);
  g_atomic_int_set (&storm.n_wrong, 1);
  g_thread_join (thread);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  pair_close (&pair);
}
END_TEST

/* A client that has gone is an error, never a signal, and reported once: what
 * could not be sent is dropped, so closing succeeds (SS-162, SS-163). */
START_TEST (vanished_client_fails_the_flush_only)
{
  g_autoptr (GError) error = NULL;
  Pair pair;

  signal (SIGPIPE, SIG_DFL);
  pair_open (&pair, SRV_TEST_PATIENCE, -1);
  ck_assert (srv_writer_write_string (pair.writer, "lost", &error));
  close (pair.peer);
  pair.peer = -1;
  ck_assert (!srv_writer_flush (pair.writer, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_clear_error (&error);
  ck_assert_uint_eq (srv_writer_get_pending (pair.writer), 0);
  ck_assert (srv_writer_flush (pair.writer, &error));
  ck_assert (
    g_output_stream_close (G_OUTPUT_STREAM (pair.writer), NULL, &error));
  srv_test_assert_no_error (error);
  pair_close (&pair);
}
END_TEST

/* The same for a write that goes through. */
START_TEST (vanished_client_fails_the_write)
{
  g_autofree char *data = g_malloc0 (200000);
  g_autoptr (GError) error = NULL;
  Pair pair;

  signal (SIGPIPE, SIG_DFL);
  pair_open (&pair, SRV_TEST_PATIENCE, sizes[_i]);
  close (pair.peer);
  pair.peer = -1;
  ck_assert (!srv_writer_write (pair.writer, data, 200000, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  pair_close (&pair);
}
END_TEST

/* Closing sends what was gathered. */
START_TEST (close_flushes)
{
  Pair pair;

  pair_open (&pair, SRV_TEST_PATIENCE, -1);
  ck_assert (srv_writer_write_string (pair.writer, "bye", NULL));
  ck_assert (g_output_stream_close (G_OUTPUT_STREAM (pair.writer), NULL, NULL));
  srv_test_expect (pair.peer, "bye");
  pair_close (&pair);
}
END_TEST

/* Any stream will do. */
START_TEST (writer_works_over_memory)
{
  g_autoptr (GOutputStream) base = g_memory_output_stream_new_resizable ();
  SrvWriter *writer = srv_writer_new (base, sizes[_i]);
  GMemoryOutputStream *memory = G_MEMORY_OUTPUT_STREAM (base);

  for (guint i = 0; i < 5000; i++)
    ck_assert (srv_writer_printf (writer, NULL, "%04u\n", i));
  ck_assert (srv_writer_flush (writer, NULL));
  ck_assert_uint_eq (g_memory_output_stream_get_data_size (memory), 25000);
  ck_assert_mem_eq (g_memory_output_stream_get_data (memory), "0000\n0001\n",
                    10);
  g_object_unref (writer);
}
END_TEST

/* In a handler: one write, then a wait for what the client says next. */
static gboolean
ask_and_answer (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
  const char *line;
  gssize length;

  if (!srv_writer_write_string (wfile, "name? ", error))
    return FALSE;
  while ((length = srv_reader_read_line (rfile, &line, 100, error)) > 0)
    {
      if (!srv_writer_printf (wfile, error, "hello %s", line))
        return FALSE;
      srv_test_set_number (0, (gint64) srv_writer_get_pending (wfile));
    }

  return length == 0 && srv_writer_write_string (wfile, "bye\n", error);
}

/* Replies are gathered until rfile has to wait: a client that asks and waits
 * gets each at once, one that asks much at a time gets them together; the rest
 * leaves at the end (decided here; Python sends each write: SS-159). */
START_TEST (gathered_until_rfile_would_wait)
{
  SrvBaseServer *server =
    srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0", NULL);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, ask_and_answer, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_expect (fd, "name? ");
  srv_test_say (fd, "a\n");
  srv_test_expect (fd, "hello a\n");
  srv_test_say (fd, "b\nc\nd\n");
  srv_test_expect (fd, "hello b\nhello c\nhello d\n");
  ck_assert_int_eq (srv_test_get_number (0), 3 * 8);
  shutdown (fd, SHUT_WR);
  srv_test_expect (fd, "bye\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "whole", large_reply_survives_signals, N_SIZES },
    { "whole", all_ways_of_writing_agree, N_SIZES },
    { "whole", writer_works_over_memory, N_SIZES },
    { "gathering", writes_are_gathered_until_flush, 1 },
    { "gathering", gio_flush_flushes, 1 },
    { "gathering", full_buffer_is_sent, 3 },
    { "gathering", unbuffered_write_leaves_at_once, 1 },
    { "gathering", close_flushes, 1 },
    { "gathering", gathered_until_rfile_would_wait, 1 },
    { "failures", one_deadline_bounds_a_whole_write, 2 * N_SIZES },
    { "failures", signals_do_not_move_the_deadline, N_SIZES },
    { "failures", vanished_client_fails_the_flush_only, 1 },
    { "failures", vanished_client_fails_the_write, N_SIZES },
  };

  return srv_test_run_entries ("Writer", tests, G_N_ELEMENTS (tests));
}
