/* test-thread-pool.c - a limited number of threads for all requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* Numbers of the tests. */
enum
{
  N_RUNNING,
  N_SERVED,
  FINALIZED,
  PLACE_OF, /* the first of several */
};

static SrvThreadPoolMixIn *
pool_of (SrvBaseServer *server)
{
  return SRV_THREAD_POOL_MIX_IN (srv_base_server_get_mix_in (server));
}

static SrvBaseServer *
make_server (SrvTestTransport transport,
             SrvHandlerFunc function,
             guint max_threads,
             guint queue_size,
             SrvFullPolicy full_policy)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_THREAD_POOL);
  SrvThreadPoolMixIn *pool = pool_of (server);

  if (function != NULL)
    srv_base_server_set_handler_func (server, function, NULL, NULL);
  srv_thread_pool_mix_in_set_max_threads (pool, max_threads);
  srv_thread_pool_mix_in_set_queue_size (pool, queue_size);
  srv_thread_pool_mix_in_set_full_policy (pool, full_policy);
  srv_test_clear_trace ();

  return server;
}

static guint64
get_n_accepted (SrvBaseServer *server)
{
  guint64 n_accepted;

  g_object_get (server, "n-accepted", &n_accepted, NULL);

  return n_accepted;
}

static gboolean
wait_at_gate (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);

  return srv_test_reply (handler, "done\n", error);
}

/* Sends lines back until the client ends. */
static gboolean
echo_lines (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  srv_test_add_number (N_RUNNING, 1);

  return srv_test_echo_lines (handler, user_data, error);
}

/* Notes in which place a client, who says a digit, is served. */
static gboolean
note_place (SrvBaseRequestHandler *handler,
            G_GNUC_UNUSED gpointer user_data,
            GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  const char *line;

  if (srv_reader_read_line (rfile, &line, 100, error) < 1)
    return FALSE;
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);
  srv_test_add_number (N_SERVED, 1);
  srv_test_set_number (PLACE_OF + (guint) (line[0] - '0'),
                       srv_test_get_number (N_SERVED));

  return srv_test_reply (handler, "done\n", error);
}

static SrvHandleResult
handle_one (SrvBaseServer *server, int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  SrvHandleResult result;

  result = srv_base_server_handle_request (server, timeout_ms, NULL, &error);
  srv_test_assert_no_error (error);

  return result;
}

/* Threads. */

START_TEST (defaults_are_documented)
{
  g_autoptr (SrvMixIn) mix_in = srv_thread_pool_mix_in_new ();
  SrvThreadPoolMixIn *pool = SRV_THREAD_POOL_MIX_IN (mix_in);

  ck_assert_uint_eq (srv_thread_pool_mix_in_get_min_threads (pool), 1);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_max_threads (pool), 64);
  ck_assert_int_eq (srv_thread_pool_mix_in_get_idle_time (pool), 10000);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_queue_size (pool), 0);
  ck_assert_int_eq (srv_thread_pool_mix_in_get_full_policy (pool),
                    SRV_FULL_POLICY_WAIT);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_stack_size (pool), 256 * 1024);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_threads (pool), 0);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_busy (pool), 0);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_queued (pool), 0);
  ck_assert (srv_mix_in_get_block_on_close (mix_in));
}
END_TEST

#define LIMIT 3

/* Busy threads get company, up to the limit; whoever comes then waits in the
 * system's queue, and is served in the end. */
START_TEST (pool_grows_to_its_limit)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, wait_at_gate, LIMIT, 0, SRV_FULL_POLICY_WAIT);
  SrvThreadPoolMixIn *pool = pool_of (server);
  SrvTestRun *run = srv_test_run (server);
  int fds[LIMIT + 2];

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, LIMIT);
  ck_assert_uint_eq (get_n_accepted (server), LIMIT);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_threads (pool), LIMIT);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_busy (pool), LIMIT);
  srv_test_open_gate (0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_expect_done (fds[i]);
  srv_test_eventually (srv_thread_pool_mix_in_get_n_busy (pool) == 0);
  srv_test_finish (run);
}
END_TEST

/* Threads that are too many end, whether they accept or are given requests, and
 * those that are left go on. */
START_TEST (pool_shrinks)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate, 4,
                                       _i == 0 ? 0 : 1, SRV_FULL_POLICY_WAIT);
  SrvThreadPoolMixIn *pool = pool_of (server);
  SrvTestRun *run;
  int fds[4];

  srv_thread_pool_mix_in_set_min_threads (pool, 2);
  srv_thread_pool_mix_in_set_idle_time (pool, 20);
  run = srv_test_run (server);
  for (guint i = 0; i < 4; i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 4);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_threads (pool), 4);
  srv_test_open_gate (0);
  for (guint i = 0; i < 4; i++)
    srv_test_expect_done (fds[i]);
  srv_test_eventually (srv_thread_pool_mix_in_get_n_threads (pool) == 2);
  for (guint i = 0; i < 4; i++)
    srv_test_expect_done (srv_test_connect (server));
  srv_test_finish (run);
}
END_TEST

/* A fixed number of threads is there from the beginning. */
START_TEST (fixed_pool_starts_at_once)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, NULL, 1, 0, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run;

  srv_thread_pool_mix_in_set_min_threads (pool_of (server), 3);
  run = srv_test_run (server);
  srv_test_eventually (
    srv_thread_pool_mix_in_get_n_threads (pool_of (server)) == 3);
  for (guint i = 0; i < 50; i++)
    srv_test_echo (server, "hello\n");
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_threads (pool_of (server)),
                     3);
  srv_test_finish (run);
}
END_TEST

/* No thread at all is a failure of the server. */
START_TEST (pool_without_threads_fails)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, NULL, 4, (guint) _i, SRV_FULL_POLICY_WAIT);
  g_autoptr (GError) error = NULL;
  int fd;

  srv_thread_pool_mix_in_set_stack_size (pool_of (server), G_MAXSSIZE / 2);
  ck_assert (!srv_base_server_serve_forever (server, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_LIMIT);

  fd = srv_test_connect (server);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_LIMIT);
  srv_test_expect_gone (fd);
  srv_test_close (fd);

  srv_thread_pool_mix_in_set_stack_size (pool_of (server), 256 * 1024);
  srv_test_finish (srv_test_run (server));
}
END_TEST

/* One thread is enough to go on, and what the others should have done waits for
 * it. */
START_TEST (missing_thread_is_no_failure)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate, 4,
                                       (guint) _i, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run;
  int fds[3];

  srv_test_stop (srv_test_run (server));
  srv_thread_pool_mix_in_set_stack_size (pool_of (server), G_MAXSSIZE / 2);
  srv_test_begin_log ();
  run = srv_test_run (server);
  for (guint i = 0; i < 3; i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_eventually (srv_test_count_log_event ("thread-missing") > 0);
  ck_assert_uint_ge (srv_thread_pool_mix_in_get_n_threads (pool_of (server)),
                     1);
  srv_test_open_gate (0);
  for (guint i = 0; i < 3; i++)
    srv_test_expect_done (fds[i]);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

/* Datagrams are taken by several threads at a time, each by one. */
START_TEST (datagrams_are_served_side_by_side)
{
  SrvTestTransport transport = _i % 2 == 0 ? SRV_TEST_UDP : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server = make_server (transport, wait_at_gate, LIMIT,
                                       _i < 2 ? 0 : 1, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run = srv_test_run (server);
  int fds[LIMIT + 2];

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "question");
    }
  srv_test_wait_for_number (N_RUNNING, LIMIT);
  srv_test_open_gate (0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_close (fds[i]);
    }
  srv_test_finish (run);
}
END_TEST

/* The queue. */

/* Who came first is served first. */
START_TEST (queue_keeps_the_order)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, note_place, 1, 5, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run = srv_test_run (server);
  int fds[5];

  for (guint i = 0; i < 5; i++)
    {
      const char line[] = { (char) ('0' + i), '\n', '\0' };

      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], line);
      srv_test_eventually (get_n_accepted (server) == i + 1);
    }
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_eventually (srv_thread_pool_mix_in_get_n_queued (pool_of (server)) ==
                       4);
  srv_test_open_gate (0);
  for (guint i = 0; i < 5; i++)
    {
      srv_test_expect_done (fds[i]);
      ck_assert_int_eq (srv_test_get_number (PLACE_OF + i), i + 1);
    }
  srv_test_finish (run);
}
END_TEST

/* With a full queue nobody is accepted, the loop can be stopped, and when there
 * is room again it goes on. */
START_TEST (full_pool_waits)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, wait_at_gate, 1, 1, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run = srv_test_run (server);
  int fds[4];

  for (guint i = 0; i < 4; i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_eventually (srv_thread_pool_mix_in_get_n_queued (pool_of (server)) ==
                       1);
  srv_test_stop (run);
  ck_assert_uint_eq (get_n_accepted (server), 2);
  run = srv_test_run (server);
  ck_assert_uint_eq (get_n_accepted (server), 2);
  srv_test_open_gate (0);
  for (guint i = 0; i < 4; i++)
    srv_test_expect_done (fds[i]);
  srv_test_finish (run);
}
END_TEST

/* Who finds a full pool is turned away, and the others do not notice. */
START_TEST (full_pool_refuses)
{
  guint queue_size = (guint) _i;
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate, 1,
                                       queue_size, SRV_FULL_POLICY_REFUSE);
  SrvTestRun *run = srv_test_run (server);
  int fds[2];
  int fd;

  for (guint i = 0; i <= queue_size; i++)
    fds[i] = srv_test_connect (server);
  srv_test_eventually (get_n_accepted (server) == 1 + queue_size);
  fd = srv_test_connect (server);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_test_wait_for_trace ("shutdown_request", 1);
  ck_assert_uint_eq (srv_test_get_error_domain (), SRV_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_LIMIT);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  srv_test_open_gate (0);
  for (guint i = 0; i <= queue_size; i++)
    srv_test_expect_done (fds[i]);
  srv_test_eventually (srv_thread_pool_mix_in_get_n_busy (pool_of (server)) ==
                       0);
  srv_test_expect_done (srv_test_connect (server));
  srv_test_finish (run);
}
END_TEST

static void
exchange (int fd)
{
  srv_test_say (fd, "hello\n");
  srv_test_expect (fd, "hello\n");
}

/* The client that has been silent for longest gives way, and not the one that
 * has been there for longest. */
START_TEST (longest_idle_connection_is_cut)
{
  SrvTestTransport transport = _i == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX;
  SrvBaseServer *server =
    make_server (transport, echo_lines, 2, 0, SRV_FULL_POLICY_OLDEST_IDLE);
  SrvTestRun *run = srv_test_run (server);
  gint64 later;
  int fds[3];

  for (guint i = 0; i < 2; i++)
    {
      fds[i] = srv_test_connect (server);
      exchange (fds[i]);
    }
  later = g_get_monotonic_time () + 20 * G_TIME_SPAN_MILLISECOND;
  srv_test_eventually (g_get_monotonic_time () > later);
  exchange (fds[0]);
  fds[2] = srv_test_connect (server);
  exchange (fds[2]);
  srv_test_expect_gone (fds[1]);
  exchange (fds[0]);
  for (guint i = 0; i < 3; i++)
    srv_test_close (fds[i]);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_threads (pool_of (server)),
                     2);
  srv_test_finish (run);
}
END_TEST

/* Handlers that do not wait for their clients are left alone. */
START_TEST (nobody_is_cut_who_is_busy)
{
  SrvTestTransport transport = _i == 0 ? SRV_TEST_TCP : SRV_TEST_UDP;
  SrvBaseServer *server =
    make_server (transport, wait_at_gate, 1, 0, SRV_FULL_POLICY_OLDEST_IDLE);
  SrvTestRun *run = srv_test_run (server);
  int fds[2];

  for (guint i = 0; i < 2; i++)
    {
      fds[i] = srv_test_connect (server);
      if (!srv_test_is_stream (transport))
        srv_test_say (fds[i], "question");
      srv_test_eventually (get_n_accepted (server) == i + 1);
    }
  srv_test_wait_for_trace ("shutdown_request", 1);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_LIMIT);
  if (srv_test_is_stream (transport))
    srv_test_expect_gone (fds[1]);
  srv_test_open_gate (0);
  srv_test_expect (fds[0], "done\n");
  for (guint i = 0; i < 2; i++)
    srv_test_close (fds[i]);
  srv_test_finish (run);
}
END_TEST

/* Whoever runs the loop, the limit is the same: single requests ... */
START_TEST (single_requests_keep_to_the_limit)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, wait_at_gate, 1, 0, SRV_FULL_POLICY_WAIT);
  int fds[2];

  for (guint i = 0; i < 2; i++)
    fds[i] = srv_test_connect (server);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  ck_assert_int_eq (handle_one (server, 30), SRV_HANDLE_RESULT_TIMED_OUT);
  srv_test_open_gate (0);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  for (guint i = 0; i < 2; i++)
    srv_test_expect_done (fds[i]);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* ... and an attached server, which goes on when a thread is free again. */
START_TEST (attached_server_keeps_to_the_limit)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, wait_at_gate, 1, 0, SRV_FULL_POLICY_WAIT);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  int fds[2];

  ck_assert (srv_base_server_attach (server, context, &error));
  srv_test_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    fds[i] = srv_test_connect (server);
  while (srv_test_get_number (N_RUNNING) < 1)
    g_main_context_iteration (context, FALSE);
  for (guint i = 0; i < 5; i++)
    g_main_context_iteration (context, FALSE);
  ck_assert_uint_eq (get_n_accepted (server), 1);
  srv_test_open_gate (0);
  while (get_n_accepted (server) < 2)
    g_main_context_iteration (context, TRUE);
  for (guint i = 0; i < 2; i++)
    srv_test_expect_done (fds[i]);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* Stop and close. */

/* A stop waits for no handler. Those who come while the old ones still run are
 * served in the next run, and nobody by a thread of the last. */
START_TEST (stop_leaves_busy_threads_alone)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate, 4,
                                       (guint) _i, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run = srv_test_run (server);
  gint64 before;
  int fds[3];

  fds[0] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  before = g_get_monotonic_time ();
  srv_test_stop (run);
  srv_test_assert_took (before, 0);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_busy (pool_of (server)), 1);

  run = srv_test_run (server);
  fds[1] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 2);
  srv_test_stop (run);
  srv_test_open_gate (0);
  srv_test_expect_done (fds[0]);
  srv_test_expect_done (fds[1]);
  srv_test_eventually (srv_thread_pool_mix_in_get_n_busy (pool_of (server)) ==
                       0);
  fds[2] = srv_test_connect (server);
  ck_assert_uint_eq (get_n_accepted (server), 2);
  srv_test_close (fds[2]);
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_threads (pool_of (server)),
                     0);
  g_object_unref (server);
}
END_TEST

/* Does what the client says, and tells it when that is done. */
static gboolean
stop_or_close (SrvBaseRequestHandler *handler,
               gpointer user_data,
               GError **error)
{
  SrvBaseServer *server = srv_base_request_handler_get_server (handler);

  if (user_data == NULL)
    srv_base_server_shutdown (server);
  else
    srv_base_server_server_close (server);

  return srv_test_reply (handler, "done\n", error);
}

/* A handler may stop its server and close it: it waits neither for itself nor
 * for who waits for it. */
START_TEST (handler_may_stop_and_close)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, NULL, 4, _i / 2, SRV_FULL_POLICY_WAIT);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  srv_base_server_set_handler_func (server, stop_or_close,
                                    GINT_TO_POINTER (_i % 2), NULL);
  run = srv_test_run (server);
  srv_test_expect_done (srv_test_connect (server));
  ck_assert (srv_test_join (run, &error));
  srv_test_assert_no_error (error);
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  g_object_unref (server);
}
END_TEST

/* What waits in the queue is cut with the rest when nobody comes to it. */
START_TEST (queue_is_given_up_with_the_rest)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, echo_lines, 1, 2, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run = srv_test_run (server);
  int fds[3];

  srv_base_server_set_drain_timeout (server, 50);
  for (guint i = 0; i < 3; i++)
    fds[i] = srv_test_connect (server);
  srv_test_eventually (get_n_accepted (server) == 3);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_stop (run);
  ck_assert_uint_eq (srv_base_server_server_close (server), 3);
  for (guint i = 0; i < 3; i++)
    {
      srv_test_expect_gone (fds[i]);
      srv_test_close (fds[i]);
    }
  ck_assert_uint_eq (srv_thread_pool_mix_in_get_n_queued (pool_of (server)), 0);
  g_object_unref (server);
}
END_TEST

static void
note_finalization (G_GNUC_UNUSED gpointer data,
                   G_GNUC_UNUSED GObject *where_the_object_was)
{
  srv_test_add_number (FINALIZED, 1);
}

/* A server that a close does not wait for goes with the last thread that needs
 * it, and takes the others with it. */
START_TEST (last_thread_frees_the_server)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate, 4,
                                       (guint) _i, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run;
  int fds[2];

  g_object_weak_ref (G_OBJECT (server), note_finalization, NULL);
  srv_mix_in_set_block_on_close (srv_base_server_get_mix_in (server), FALSE);
  srv_thread_pool_mix_in_set_min_threads (pool_of (server), 3);
  run = srv_test_run (server);
  for (guint i = 0; i < 2; i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 2);
  srv_test_finish (run);
  srv_test_open_gate (0);
  for (guint i = 0; i < 2; i++)
    srv_test_expect_done (fds[i]);
  srv_test_wait_for_number (FINALIZED, 1);
}
END_TEST

/* Without a close the last reference ends the threads. */
START_TEST (last_reference_ends_the_threads)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, NULL, 4, (guint) _i, SRV_FULL_POLICY_WAIT);
  SrvTestRun *run = srv_test_run (server);

  srv_test_echo (server, "hello\n");
  srv_test_stop (run);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "threads", defaults_are_documented, 1 },
    { "threads", pool_grows_to_its_limit, 1 },
    { "threads", pool_shrinks, 2 },
    { "threads", fixed_pool_starts_at_once, 1 },
    { "threads", pool_without_threads_fails, 2 },
    { "threads", missing_thread_is_no_failure, 2 },
    { "threads", datagrams_are_served_side_by_side, 4 },
    { "queue", queue_keeps_the_order, 1 },
    { "queue", full_pool_waits, 1 },
    { "queue", full_pool_refuses, 2 },
    { "queue", longest_idle_connection_is_cut, 2 },
    { "queue", nobody_is_cut_who_is_busy, 2 },
    { "queue", single_requests_keep_to_the_limit, 1 },
    { "queue", attached_server_keeps_to_the_limit, 1 },
    { "close", stop_leaves_busy_threads_alone, 2 },
    { "close", handler_may_stop_and_close, 4 },
    { "close", queue_is_given_up_with_the_rest, 1 },
    { "close", last_thread_frees_the_server, 2 },
    { "close", last_reference_ends_the_threads, 2 },
  };

  return srv_test_run_entries ("ThreadPool", tests, G_N_ELEMENTS (tests));
}
