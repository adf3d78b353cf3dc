/* test-fiber-serving.c - what clients of a server with fibers see
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* More than a socket takes at once. */
#define BIG (8 * 1024 * 1024)

/* Numbers of the tests. */
enum
{
  N_RUNNING,
  N_RIGHT,
  N_ENDED,
};

static SrvTestRun *
run_server (SrvTestTransport transport, guint workers, SrvHandlerFunc function)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_FIBERS);

  srv_fiber_mix_in_set_workers (SRV_FIBER_MIX_IN (
                                  srv_base_server_get_mix_in (server)),
                                workers);
  if (function != NULL)
    srv_base_server_set_handler_func (server, function, NULL, NULL);

  return srv_test_run (server);
}

static SrvConnection *
connection_of (SrvBaseRequestHandler *handler)
{
  return srv_stream_request_handler_get_connection (
    SRV_STREAM_REQUEST_HANDLER (handler));
}

/* Datagrams. */

#define N_PEERS 10

/* Each datagram gets its own reply, to its own sender, from several workers. */
START_TEST (datagrams_are_answered)
{
  SrvTestTransport transport = _i % 2 ? SRV_TEST_UNIXGRAM : SRV_TEST_UDP;
  SrvTestRun *run = run_server (transport, _i / 2 ? 2 : 1, NULL);
  int fds[N_PEERS];

  for (guint i = 0; i < N_PEERS; i++)
    fds[i] = srv_test_connect (run->server);
  for (guint round = 0; round < 50; round++)
    {
      for (guint i = 0; i < N_PEERS; i++)
        {
          g_autofree char *text = g_strdup_printf ("%u of %u\n", round, i);

          srv_test_say (fds[i], text);
        }
      for (guint i = 0; i < N_PEERS; i++)
        {
          g_autofree char *text = g_strdup_printf ("%u of %u\n", round, i);

          srv_test_expect (fds[i], text);
        }
    }
  for (guint i = 0; i < N_PEERS; i++)
    srv_test_close (fds[i]);
  srv_test_finish (run);
}
END_TEST

/* Time limits. */

static void
note_time_out (GError *error, gint64 before, int limit_ms)
{
  gint64 taken = g_get_monotonic_time () - before;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) &&
      taken >= (gint64) limit_ms * 1000 &&
      taken < (gint64) (limit_ms + SRV_TEST_AT_ONCE) * 1000)
    srv_test_add_number (N_RIGHT, 1);
  g_clear_error (&error);
}

#define IDLE_MS 50

/* Whether a read, or a write to one who does not read, ends in time. */
static gboolean
run_out_of_time (SrvBaseRequestHandler *handler,
                 G_GNUC_UNUSED gpointer user_data,
                 G_GNUC_UNUSED GError **error)
{
  SrvConnection *connection = connection_of (handler);
  g_autofree char *data = g_malloc0 (BIG);
  gint64 before = g_get_monotonic_time ();
  GError *failure = NULL;
  char byte;

  srv_connection_receive (connection, &byte, 1, NULL, &failure);
  note_time_out (failure, before, IDLE_MS);
  before = g_get_monotonic_time ();
  failure = NULL;
  srv_connection_send_all (connection, data, BIG, NULL, &failure);
  note_time_out (failure, before, IDLE_MS);
  srv_connection_set_timeout (connection, 2 * IDLE_MS, NULL);
  before = g_get_monotonic_time ();
  failure = NULL;
  srv_connection_receive (connection, &byte, 1, NULL, &failure);
  note_time_out (failure, before, 2 * IDLE_MS);
  srv_test_add_number (N_ENDED, 1);

  return TRUE;
}

/* idle-timeout and the limit of a connection end reads and writes. */
START_TEST (time_limits_are_kept)
{
  SrvTestRun *run =
    run_server (_i == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX, 1, run_out_of_time);
  int fds[5];

  g_object_set (run->server, "idle-timeout", IDLE_MS, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (run->server);
  srv_test_wait_for_number (N_ENDED, G_N_ELEMENTS (fds));
  ck_assert_int_eq (srv_test_get_number (N_RIGHT), 3 * G_N_ELEMENTS (fds));
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_close (fds[i]);
  srv_test_finish (run);
}
END_TEST

static gboolean
set_own_limit (SrvBaseRequestHandler *handler,
               G_GNUC_UNUSED gpointer user_data,
               GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  gint64 before = g_get_monotonic_time ();
  GError *failure = NULL;
  const char *line;

  srv_reader_read_line (rfile, &line, 100, &failure);
  note_time_out (failure, before, IDLE_MS);

  return srv_writer_write_string (srv_stream_request_handler_get_wfile (
                                    SRV_STREAM_REQUEST_HANDLER (handler)),
                                  "too late\n", error);
}

static SrvBaseRequestHandler *
make_limited (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              G_GNUC_UNUSED gpointer user_data)
{
  SrvBaseRequestHandler *handler =
    g_object_new (SRV_TYPE_STREAM_REQUEST_HANDLER, "timeout", IDLE_MS, NULL);

  srv_base_request_handler_set_function (handler, set_own_limit, NULL, NULL);

  return handler;
}

/* The handler's own limit, set before it runs; it can go on afterwards. */
START_TEST (handlers_have_a_limit_of_their_own)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_FIBERS);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_factory (server, make_limited, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "half a line");
  srv_test_expect (fd, "too late\n");
  ck_assert_int_eq (srv_test_get_number (N_RIGHT), 1);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static GCancellable *cancellable;

static gboolean
wait_to_be_cancelled (SrvBaseRequestHandler *handler,
                      G_GNUC_UNUSED gpointer user_data,
                      G_GNUC_UNUSED GError **error)
{
  SrvConnection *connection = connection_of (handler);
  g_autoptr (GError) reading = NULL;
  g_autoptr (GError) writing = NULL;
  char byte;

  srv_test_add_number (N_RUNNING, 1);
  srv_connection_receive (connection, &byte, 1, cancellable, &reading);
  srv_connection_send_all (connection, "x", 1, cancellable, &writing);
  if (g_error_matches (reading, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
      g_error_matches (writing, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    srv_test_add_number (N_RIGHT, 1);

  return TRUE;
}

/* One cancellation from another thread ends the waits of many fibers. */
START_TEST (cancelling_wakes_all)
{
  SrvTestRun *run = run_server (SRV_TEST_TCP, 2, wait_to_be_cancelled);
  int fds[20];

  cancellable = g_cancellable_new ();
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (run->server);
  srv_test_wait_for_number (N_RUNNING, G_N_ELEMENTS (fds));
  g_cancellable_cancel (cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      srv_test_expect_end (fds[i]);
      srv_test_close (fds[i]);
    }
  ck_assert_int_eq (srv_test_get_number (N_RIGHT), G_N_ELEMENTS (fds));
  srv_test_finish (run);
  g_object_unref (cancellable);
}
END_TEST

/* Slow and many. */

/* The reply: runs of one letter. */
#define RUN 1000

static char
byte_at (gsize i)
{
  return (char) ('a' + i / RUN % 26);
}

static gboolean
send_much (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  SrvConnection *connection = connection_of (handler);
  g_autofree char *data = g_malloc (BIG);
  char first;

  if (srv_connection_receive (connection, &first, 1, NULL, error) != 1)
    return FALSE;
  if (first != 'B')
    return srv_test_echo_lines (handler, user_data, error);
  srv_test_add_number (N_RUNNING, 1);
  for (gsize i = 0; i < BIG; i += RUN)
    memset (data + i, byte_at (i), MIN (RUN, BIG - i));

  return srv_connection_send_all (connection, data, BIG, NULL, error);
}

/* A client that reads slowly, and has closed its side or not: others of the one
 * worker are served, nothing spins, and it gets every byte in the end. */
START_TEST (slow_reader_holds_up_nobody)
{
  SrvTestTransport transport = _i / 2 ? SRV_TEST_UNIX : SRV_TEST_TCP;
  SrvTestRun *run = run_server (transport, 1, send_much);
  int slow = srv_test_connect (run->server), fd;
  g_autofree char *got = NULL;
  gsize length;

  srv_test_say (slow, "B");
  if (_i % 2)
    ck_assert_int_eq (shutdown (slow, SHUT_WR), 0);
  srv_test_wait_for_number (N_RUNNING, 1);
  for (guint i = 0; i < 20; i++)
    {
      fd = srv_test_connect (run->server);
      srv_test_say (fd, "-hello\n");
      srv_test_expect (fd, "hello\n");
      srv_test_close (fd);
    }
  srv_test_assert_idle ();
  got = srv_test_read_all (slow, &length);
  ck_assert_uint_eq (length, BIG);
  for (gsize i = 0; i < BIG; i++)
    if (got[i] != byte_at (i))
      ck_abort_msg ("byte %zu is wrong", i);
  srv_test_close (slow);
  srv_test_finish (run);
}
END_TEST

static int flood_fd;
static int flood_may_end;

/* Takes one byte at a time of what comes faster than that. */
static gboolean
sip (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  SrvConnection *connection = connection_of (handler);
  char byte;

  if (srv_connection_receive (connection, &byte, 1, NULL, error) != 1)
    return FALSE;
  if (byte != 'F')
    return srv_test_echo_lines (handler, user_data, error);
  srv_test_add_number (N_RUNNING, 1);
  while (!g_atomic_int_get (&flood_may_end) &&
         srv_connection_receive (connection, &byte, 1, NULL, error) == 1)
    continue;
  srv_test_add_number (N_ENDED, 1);

  return TRUE;
}

static gpointer
flood (G_GNUC_UNUSED gpointer data)
{
  static char bytes[65536];

  memset (bytes, 'F', sizeof bytes);
  while (!g_atomic_int_get (&flood_may_end))
    if (send (flood_fd, bytes, sizeof bytes, MSG_NOSIGNAL) < 0 &&
        errno != EAGAIN)
      break;
  shutdown (flood_fd, SHUT_RDWR);

  return NULL;
}

/* A client that sends all the time, so that its handler never has to wait,
 * keeps the others of its worker waiting for moments only. */
START_TEST (greedy_client_starves_nobody)
{
  SrvTestRun *run = run_server (SRV_TEST_TCP, 1, sip);
  gint64 before;
  GThread *thread;

  flood_fd = srv_test_connect (run->server);
  thread = g_thread_new ("flood", flood, NULL);
  srv_test_wait_for_number (N_RUNNING, 1);
  before = g_get_monotonic_time ();
  for (guint i = 0; i < 10; i++)
    {
      int fd = srv_test_connect (run->server);

      srv_test_say (fd, "-hello\n");
      srv_test_expect (fd, "hello\n");
      srv_test_close (fd);
    }
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_ENDED), 0);
  g_atomic_int_set (&flood_may_end, TRUE);
  g_thread_join (thread);
  srv_test_close (flood_fd);
  srv_test_finish (run);
}
END_TEST

#if defined(__SANITIZE_THREAD__)
#define N_CROWD 200
#else
#define N_CROWD 1000
#endif

/* A thousand connections at once; each is answered, twice. */
START_TEST (thousand_clients_are_served)
{
  static int fds[N_CROWD];
  struct rlimit limit;
  SrvTestRun *run;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = MAX (limit.rlim_cur, MIN (limit.rlim_max, 4000));
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 4000)
    {
      g_print ("# skipped: the process may not have 4000 descriptors\n");
      return;
    }
  run = run_server (_i % 2 ? SRV_TEST_UNIX : SRV_TEST_TCP, 1 + _i / 2,
                    srv_test_echo_lines);
  for (guint i = 0; i < N_CROWD; i++)
    {
      fds[i] = srv_test_connect (run->server);
      srv_test_say (fds[i], "hello\n");
    }
  for (guint i = 0; i < N_CROWD; i++)
    srv_test_expect (fds[i], "hello\n");
  ck_assert_uint_eq (srv_fiber_mix_in_get_n_fibers (SRV_FIBER_MIX_IN (
                       srv_base_server_get_mix_in (run->server))),
                     N_CROWD);
  for (guint i = 0; i < N_CROWD; i++)
    srv_test_say (fds[i], "again\n");
  for (guint i = 0; i < N_CROWD; i++)
    {
      srv_test_expect (fds[i], "again\n");
      srv_test_close (fds[i]);
    }
  srv_test_eventually (srv_base_server_get_n_active_requests (run->server) ==
                       0);
  srv_test_finish (run);
}
END_TEST

/* Clients that reset, in the middle of a line and of a reply, leave nothing. */
START_TEST (resets_leave_nothing)
{
  const struct linger at_once = { 1, 0 };
  SrvTestRun *run = run_server (SRV_TEST_TCP, 2, send_much);

  srv_test_begin_log ();
  for (guint i = 0; i < 100; i++)
    {
      int fd = srv_test_connect (run->server);

      srv_test_say (fd, i % 2 ? "Big" : "-hel");
      setsockopt (fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      srv_test_close (fd);
    }
  srv_test_eventually (srv_base_server_get_n_active_requests (run->server) ==
                       0);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

/* Streams of GIO. */

static gboolean
echo_by_gio (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  GIOStream *stream = G_IO_STREAM (connection_of (handler));
  g_autoptr (GDataInputStream) input =
    g_data_input_stream_new (g_io_stream_get_input_stream (stream));
  GOutputStream *output = g_io_stream_get_output_stream (stream);

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (input),
                                               FALSE);
  while (TRUE)
    {
      g_autofree char *line =
        g_data_input_stream_read_line (input, NULL, NULL, NULL);

      if (line == NULL)
        return TRUE;
      if (!g_output_stream_printf (output, NULL, NULL, error, "%s\n", line))
        return FALSE;
    }
}

/* A handler that knows only GIO waits as a fiber does: others are served while
 * half a line is there. */
START_TEST (streams_of_gio_wait_like_fibers)
{
  SrvTestRun *run = run_server (SRV_TEST_TCP, 1, echo_by_gio);
  int fds[5];

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = srv_test_connect (run->server);
      srv_test_say (fds[i], "hel");
    }
  srv_test_echo (run->server, "between\n");
  for (guint i = G_N_ELEMENTS (fds); i > 0; i--)
    {
      srv_test_say (fds[i - 1], "lo\n");
      srv_test_expect (fds[i - 1], "hello\n");
    }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_close (fds[i]);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "datagrams", datagrams_are_answered, 4 },
    { "limits", time_limits_are_kept, 2 },
    { "limits", handlers_have_a_limit_of_their_own, 1 },
    { "limits", cancelling_wakes_all, 1 },
    { "many", slow_reader_holds_up_nobody, 4 },
    { "many", greedy_client_starves_nobody, 1 },
    { "many", thousand_clients_are_served, 4 },
    { "many", resets_leave_nothing, 1 },
    { "streams", streams_of_gio_wait_like_fibers, 1 },
  };

  return srv_test_run_entries ("FiberServing", tests, G_N_ELEMENTS (tests));
}
