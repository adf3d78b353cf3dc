/* test-threading.c - a thread for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <pthread.h>

/* Numbers of the tests. */
enum
{
  N_RUNNING,
  N_SEEN,
  N_TOO_MANY,
  STACK_SIZE,
  FINALIZED,
  GATE,
};

static SrvThreadingMixIn *
threading_of (SrvBaseServer *server)
{
  return SRV_THREADING_MIX_IN (srv_base_server_get_mix_in (server));
}

static SrvBaseServer *
make_server (SrvHandlerFunc function)
{
  SrvBaseServer *server =
    srv_test_server_new (SRV_TEST_TCP, SRV_TEST_THREADING);

  if (function != NULL)
    srv_base_server_set_handler_func (server, function, NULL, NULL);
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

/* The limit. */

/* No limit, small stacks, and close waits. */
START_TEST (defaults_are_documented)
{
  g_autoptr (SrvMixIn) mix_in = srv_threading_mix_in_new ();
  SrvThreadingMixIn *threading = SRV_THREADING_MIX_IN (mix_in);

  ck_assert (!srv_threading_mix_in_get_daemon_threads (threading));
  ck_assert_uint_eq (srv_threading_mix_in_get_max_threads (threading), 0);
  ck_assert_uint_eq (srv_threading_mix_in_get_stack_size (threading),
                     256 * 1024);
  ck_assert_uint_eq (srv_threading_mix_in_get_n_threads (threading), 0);
  ck_assert (srv_mix_in_get_block_on_close (mix_in));
}
END_TEST

#define LIMIT     2
#define N_CLIENTS 50

static gboolean
crowd (SrvBaseRequestHandler *handler,
       G_GNUC_UNUSED gpointer user_data,
       GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_add_number (N_SEEN, 1);
  srv_test_wait_for_number (N_SEEN, LIMIT);
  if (srv_test_get_number (N_RUNNING) > LIMIT)
    srv_test_add_number (N_TOO_MANY, 1);
  srv_test_add_number (N_RUNNING, -1);

  return srv_test_reply (handler, "done\n", error);
}

/* At max-threads the others wait in the queue of the listener, and all are
 * served in the end. Python grows without limit (SS-141, D-10). */
START_TEST (crowd_keeps_to_the_limit)
{
  SrvBaseServer *server = make_server (crowd);
  SrvTestRun *run;
  int fds[N_CLIENTS];

  srv_threading_mix_in_set_max_threads (threading_of (server), LIMIT);
  for (guint i = 0; i < N_CLIENTS; i++)
    fds[i] = srv_test_connect (server);
  run = srv_test_run (server);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_expect_end (fds[i]);
      srv_test_close (fds[i]);
    }
  ck_assert_int_eq (srv_test_get_number (N_TOO_MANY), 0);
  srv_test_finish (run);
}
END_TEST

/* Nobody is taken at the limit, yet the loop can be stopped. */
START_TEST (stop_works_at_the_limit)
{
  SrvBaseServer *server = make_server (wait_at_gate);
  SrvTestRun *run;
  gint64 before;
  int fds[LIMIT + 1];

  srv_threading_mix_in_set_max_threads (threading_of (server), LIMIT);
  for (guint i = 0; i <= LIMIT; i++)
    fds[i] = srv_test_connect (server);
  run = srv_test_run (server);
  srv_test_wait_for_number (N_RUNNING, LIMIT);
  before = g_get_monotonic_time ();
  srv_test_stop (run);
  srv_test_assert_took (before, 0);
  ck_assert_uint_eq (get_n_accepted (server), LIMIT);
  ck_assert_uint_eq (srv_threading_mix_in_get_n_threads (threading_of (server)),
                     LIMIT);

  srv_test_open_gate (0);
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  for (guint i = 0; i <= LIMIT; i++)
    srv_test_close (fds[i]);
  g_object_unref (server);
}
END_TEST

static SrvHandleResult
handle_one (SrvBaseServer *server, int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  SrvHandleResult result;

  result = srv_base_server_handle_request (server, timeout_ms, NULL, &error);
  srv_test_assert_no_error (error);

  return result;
}

/* The limit counts for single requests too. */
START_TEST (single_requests_keep_to_the_limit)
{
  SrvBaseServer *server = make_server (wait_at_gate);
  int fds[2];

  srv_threading_mix_in_set_max_threads (threading_of (server), 1);
  fds[0] = srv_test_connect (server);
  fds[1] = srv_test_connect (server);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  ck_assert_int_eq (handle_one (server, 30), SRV_HANDLE_RESULT_TIMED_OUT);
  srv_test_open_gate (0);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  for (guint i = 0; i < 2; i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_close (fds[i]);
    }
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

#define N_CROWD 60

static gboolean
wait_for_all (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_SEEN, 1);
  srv_test_wait_for_number (N_SEEN, N_CROWD);

  return srv_test_reply (handler, "done\n", error);
}

/* Zero threads at most means no limit. */
START_TEST (limit_of_zero_is_no_limit)
{
  SrvBaseServer *server = make_server (wait_for_all);
  SrvTestRun *run;
  int fds[N_CROWD];

  srv_threading_mix_in_set_max_threads (threading_of (server), 0);
  run = srv_test_run (server);
  for (guint i = 0; i < N_CROWD; i++)
    fds[i] = srv_test_connect (server);
  for (guint i = 0; i < N_CROWD; i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_close (fds[i]);
    }
  srv_test_finish (run);
}
END_TEST

/* Threads. */

/* A thread that cannot be had is one request's failure: serving goes on, and
 * close does not trip over it. Python's close does (SS-145). */
START_TEST (missing_thread_is_an_error_of_the_request)
{
  SrvBaseServer *server = make_server (NULL);
  SrvThreadingMixIn *threading = threading_of (server);
  SrvTestRun *run;
  int fd;

  srv_threading_mix_in_set_stack_size (threading, G_MAXSSIZE / 2);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_test_wait_for_trace ("service_actions", 1);
  srv_test_assert_trace (SRV_TEST_EVERYBODY,
                         "get_request verify_request process_request "
                         "handle_error shutdown_request close_request "
                         "service_actions");
  ck_assert_uint_eq (srv_test_get_error_domain (), SRV_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_LIMIT);
  ck_assert_uint_eq (srv_threading_mix_in_get_n_threads (threading), 0);

  if (_i == 0)
    {
      srv_threading_mix_in_set_stack_size (threading, 256 * 1024);
      srv_test_echo (server, "hello\n");
    }
  srv_test_finish (run);
}
END_TEST

static gboolean
measure_stack (SrvBaseRequestHandler *handler,
               G_GNUC_UNUSED gpointer user_data,
               GError **error)
{
  pthread_attr_t attributes;
  size_t size = 0;

  if (pthread_getattr_np (pthread_self (), &attributes) == 0)
    {
      pthread_attr_getstacksize (&attributes, &size);
      pthread_attr_destroy (&attributes);
    }
  srv_test_set_number (STACK_SIZE, (gint64) size);

  return srv_test_reply (handler, "done\n", error);
}

static const gsize stack_sizes[] = { 64 * 1024, 256 * 1024, 3 * 1024 * 1024 };

/* stack-size is what a thread gets, up to the system's own needs. */
START_TEST (stack_size_is_obeyed)
{
  SrvBaseServer *server = make_server (measure_stack);
  gint64 wanted = (gint64) stack_sizes[_i];
  SrvTestRun *run;
  int fd;

  srv_threading_mix_in_set_stack_size (threading_of (server), stack_sizes[_i]);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_expect (fd, "done\n");
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_int_ge (srv_test_get_number (STACK_SIZE), wanted - 16 * 1024);
#ifndef __SANITIZE_THREAD__ /* adds room of its own */
  /* Under valgrind a thread may get the larger stack of one that ran before the
   * tests were forked. */
  if (g_getenv ("SRV_VALGRIND") == NULL)
    ck_assert_int_le (srv_test_get_number (STACK_SIZE), wanted + 128 * 1024);
#endif
}
END_TEST

/* n-threads counts the workers that run, and comes back to nothing. */
START_TEST (threads_are_counted)
{
  SrvBaseServer *server = make_server (wait_at_gate);
  SrvThreadingMixIn *threading = threading_of (server);
  SrvTestRun *run = srv_test_run (server);
  guint n_threads;
  int fds[3];

  for (guint i = 0; i < 3; i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_wait_for_number (N_RUNNING, i + 1);
      ck_assert_uint_eq (srv_threading_mix_in_get_n_threads (threading), i + 1);
    }
  g_object_get (threading, "n-threads", &n_threads, NULL);
  ck_assert_uint_eq (n_threads, 3);
  srv_test_open_gate (0);
  for (guint i = 0; i < 3; i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_close (fds[i]);
    }
  srv_test_eventually (srv_threading_mix_in_get_n_threads (threading) == 0);
  srv_test_finish (run);
}
END_TEST

/* Ended workers leave nothing behind while the server runs (SS-144). */
START_TEST (many_requests_leave_no_threads)
{
  SrvBaseServer *server = make_server (NULL);
  SrvTestRun *run = srv_test_run (server);
  guint n_threads = srv_test_count_threads ();

  for (guint i = 0; i < 500; i++)
    srv_test_echo (server, "hello\n");
  srv_test_eventually (srv_test_count_threads () == n_threads);
  ck_assert_uint_eq (srv_threading_mix_in_get_n_threads (threading_of (server)),
                     0);
  srv_test_finish (run);
}
END_TEST

static GMutex threads_lock;
static GHashTable *threads;

static gboolean
note_thread (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  g_mutex_lock (&threads_lock);
  g_hash_table_add (threads, GINT_TO_POINTER (gettid ()));
  g_mutex_unlock (&threads_lock);

  return srv_test_reply (handler, "done\n", error);
}

/* A thread that has served one client waits a moment for the next. A slow
 * machine may be slower than that, but not each time. */
START_TEST (short_requests_share_threads)
{
  const guint n_requests = 100;
  SrvTestRun *run = srv_test_run (make_server (note_thread));

  threads = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < n_requests; i++)
    {
      int fd = srv_test_connect (run->server);

      srv_test_expect (fd, "done\n");
      srv_test_expect_end (fd);
      srv_test_close (fd);
    }
  ck_assert_uint_lt (g_hash_table_size (threads), n_requests / 2);
  g_hash_table_unref (threads);
  srv_test_finish (run);
}
END_TEST

static gboolean
wait_at_a_gate (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  const guint gate = (guint) srv_test_get_number (GATE);

  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (gate);

  return srv_test_reply (handler, "done\n", error);
}

/* ... and not for longer. Who waits counts as a thread once. */
START_TEST (idle_threads_end)
{
  SrvTestRun *run = srv_test_run (make_server (wait_at_a_gate));
  SrvThreadingMixIn *threading = threading_of (run->server);
  guint n_threads = srv_test_count_threads ();
  int fds[40];

  for (guint round = 0; round < 2; round++)
    {
      srv_test_set_number (GATE, round);
      for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
        fds[i] = srv_test_connect (run->server);
      srv_test_wait_for_number (N_RUNNING, (round + 1) * G_N_ELEMENTS (fds));
      srv_test_eventually (srv_threading_mix_in_get_n_threads (threading) ==
                           G_N_ELEMENTS (fds));
      srv_test_open_gate (round);
      for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
        {
          srv_test_expect (fds[i], "done\n");
          srv_test_close (fds[i]);
        }
    }
  srv_test_eventually (srv_test_count_threads () == n_threads);
  ck_assert_uint_eq (srv_threading_mix_in_get_n_threads (threading), 0);
  srv_test_finish (run);
}
END_TEST

/* The least of several times: a slow machine is not slow each time. Who waited in
 * vain would take a tenth of a second. */
#define N_TIMES     10
#define LEAST_LIMIT (80 * G_TIME_SPAN_MILLISECOND)

/* More than sixteen do not wait. */
START_TEST (few_threads_wait)
{
  SrvTestRun *run = srv_test_run (make_server (wait_at_a_gate));
  SrvThreadingMixIn *threading = threading_of (run->server);
  gint64 least = G_MAXINT64;
  int fds[40];

  for (guint round = 0; round < SRV_TEST_N_GATES; round++)
    {
      gint64 before;

      srv_test_set_number (GATE, round);
      for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
        fds[i] = srv_test_connect (run->server);
      srv_test_wait_for_number (N_RUNNING, (round + 1) * G_N_ELEMENTS (fds));
      srv_test_open_gate (round);
      for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
        srv_test_expect (fds[i], "done\n");
      before = g_get_monotonic_time ();
      srv_test_eventually (srv_threading_mix_in_get_n_threads (threading) <=
                           16);
      least = MIN (least, g_get_monotonic_time () - before);
      for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
        srv_test_close (fds[i]);
    }
  ck_assert_int_lt (least, LEAST_LIMIT);
  srv_test_finish (run);
}
END_TEST

/* Close. */

START_TEST (close_ends_threads_that_wait)
{
  gint64 least = G_MAXINT64;

  for (guint i = 0; i < N_TIMES; i++)
    {
      SrvTestRun *run = srv_test_run (make_server (NULL));
      gint64 before;

      srv_test_echo (run->server, "hello\n");
      srv_test_eventually (
        srv_base_server_get_n_active_requests (run->server) == 0);
      before = g_get_monotonic_time ();
      srv_test_finish (run);
      least = MIN (least, g_get_monotonic_time () - before);
    }
  ck_assert_int_lt (least, LEAST_LIMIT);
}
END_TEST

/* Where the close does not wait for threads, nobody waits who has the server. */
START_TEST (no_thread_waits_without_block_on_close)
{
  SrvBaseServer *server = make_server (NULL);
  SrvTestRun *run;
  gint64 least = G_MAXINT64;

  srv_mix_in_set_block_on_close (srv_base_server_get_mix_in (server), FALSE);
  run = srv_test_run (server);
  for (guint i = 0; i < N_TIMES; i++)
    {
      gint64 before;

      srv_test_echo (server, "hello\n");
      srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
      before = g_get_monotonic_time ();
      srv_test_eventually (
        srv_threading_mix_in_get_n_threads (threading_of (server)) == 0);
      least = MIN (least, g_get_monotonic_time () - before);
    }
  ck_assert_int_lt (least, LEAST_LIMIT);
  srv_test_finish (run);
}
END_TEST

/* With daemon-threads, or without block-on-close, close neither waits for a
 * worker nor cuts its connection (SS-147, SS-148). The server lives as long
 * as the last of them. */
START_TEST (close_leaves_daemon_threads_alone)
{
  SrvBaseServer *server = make_server (wait_at_gate);
  GWeakRef watcher;
  SrvTestRun *run;
  gint64 before;
  int fds[2];

  g_weak_ref_init (&watcher, server);
  if (_i % 2 == 0)
    srv_threading_mix_in_set_daemon_threads (threading_of (server), TRUE);
  else
    srv_mix_in_set_block_on_close (srv_base_server_get_mix_in (server), FALSE);
  run = srv_test_run (server);
  fds[0] = srv_test_connect (server);
  fds[1] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 2);

  srv_test_stop (run);
  before = g_get_monotonic_time ();
  if (_i < 2)
    ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  g_object_unref (server);
  srv_test_assert_took (before, 0);
  ck_assert (srv_test_is_quiet (fds[0]));
  ck_assert (srv_test_is_quiet (fds[1]));

  srv_test_open_gate (0);
  for (guint i = 0; i < 2; i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_expect_end (fds[i]);
      srv_test_close (fds[i]);
    }

  for (gboolean gone = FALSE; !gone;)
    {
      g_autoptr (SrvBaseServer) left = g_weak_ref_get (&watcher);

      gone = left == NULL;
    }
  g_weak_ref_clear (&watcher);
}
END_TEST

static void
note_finalization (G_GNUC_UNUSED gpointer data,
                   G_GNUC_UNUSED GObject *where_the_object_was)
{
  srv_test_add_number (FINALIZED, 1);
}

/* A server that was dropped while daemon threads run goes with the last of
 * them, on whatever thread that is. */
START_TEST (last_daemon_thread_frees_the_server)
{
  SrvBaseServer *server = make_server (wait_at_gate);
  SrvTestRun *run;
  int fd;

  g_object_weak_ref (G_OBJECT (server), note_finalization, NULL);
  srv_threading_mix_in_set_daemon_threads (threading_of (server), TRUE);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_finish (run);
  srv_test_open_gate (0);
  srv_test_expect (fd, "done\n");
  srv_test_wait_for_number (FINALIZED, 1);
  srv_test_close (fd);
}
END_TEST

/* A server that never served anybody closes at once (SS-149). */
START_TEST (unused_server_closes)
{
  SrvBaseServer *server = make_server (NULL);

  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "limit", defaults_are_documented, 1 },
    { "limit", crowd_keeps_to_the_limit, 1 },
    { "limit", stop_works_at_the_limit, 1 },
    { "limit", single_requests_keep_to_the_limit, 1 },
    { "limit", limit_of_zero_is_no_limit, 1 },
    { "threads", missing_thread_is_an_error_of_the_request, 2 },
    { "threads", stack_size_is_obeyed, G_N_ELEMENTS (stack_sizes) },
    { "threads", threads_are_counted, 1 },
    { "threads", many_requests_leave_no_threads, 1 },
    { "threads", short_requests_share_threads, 1 },
    { "threads", idle_threads_end, 1 },
    { "threads", few_threads_wait, 1 },
    { "close", close_ends_threads_that_wait, 1 },
    { "close", no_thread_waits_without_block_on_close, 1 },
    { "close", close_leaves_daemon_threads_alone, 4 },
    { "close", last_daemon_thread_frees_the_server, 1 },
    { "close", unused_server_closes, 1 },
  };

  return srv_test_run_entries ("Threading", tests, G_N_ELEMENTS (tests));
}
