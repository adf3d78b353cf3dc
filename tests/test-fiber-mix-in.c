/* test-fiber-mix-in.c - a fiber for each request: limits, workers, life
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <sys/syscall.h>

/* What a loaded machine may need for something that takes no time. */
#define AT_ONCE_MS 2000

/* Numbers of the tests. */
enum
{
  N_RUNNING,
  N_SEEN,
  N_TOO_MANY,
  N_ENDED,
  N_FINALIZED,
  IN_CLOSE,
};

static const guint worker_counts[] = { 1, 2, 4 };

#define N_COUNTS G_N_ELEMENTS (worker_counts)

static SrvFiberMixIn *
fibers_of (SrvBaseServer *server)
{
  return SRV_FIBER_MIX_IN (srv_base_server_get_mix_in (server));
}

static SrvBaseServer *
make_server (SrvTestTransport transport, guint workers, SrvHandlerFunc function)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_FIBERS);

  srv_fiber_mix_in_set_workers (fibers_of (server), workers);
  if (function != NULL)
    srv_base_server_set_handler_func (server, function, NULL, NULL);
  srv_test_clear_trace ();

  return server;
}

static gboolean
reply (SrvBaseRequestHandler *handler, const char *text, GError **error)
{
  return srv_writer_write_string (srv_stream_request_handler_get_wfile (
                                    SRV_STREAM_REQUEST_HANDLER (handler)),
                                  text, error);
}

static gboolean
wait_at_gate (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);
  srv_test_add_number (N_ENDED, 1);

  return reply (handler, "done\n", error);
}

static gboolean
hold_line (SrvBaseRequestHandler *handler,
           G_GNUC_UNUSED gpointer user_data,
           GError **error)
{
  SrvStreamRequestHandler *stream = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (stream);
  const char *line;
  gssize length;

  while ((length = srv_reader_read_line (rfile, &line, 100, error)) > 0)
    if (!reply (handler, line, error))
      return FALSE;

  return length == 0;
}

static void
expect_done (int fd)
{
  srv_test_expect (fd, "done\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
}

/* Properties. */

static void
count_notify (G_GNUC_UNUSED GObject *object,
              G_GNUC_UNUSED GParamSpec *spec,
              gpointer user_data)
{
  (*(guint *) user_data)++;
}

START_TEST (defaults_are_documented)
{
  g_autoptr (SrvMixIn) mix_in = srv_fiber_mix_in_new ();
  SrvFiberMixIn *fibers = SRV_FIBER_MIX_IN (mix_in);

  ck_assert_uint_eq (srv_fiber_mix_in_get_workers (fibers), 0);
  ck_assert_uint_eq (srv_fiber_mix_in_get_stack_size (fibers), 64 * 1024);
  ck_assert_uint_eq (srv_fiber_mix_in_get_max_fibers (fibers), 0);
  ck_assert_int_gt (srv_fiber_mix_in_get_block_limit (fibers), 0);
  ck_assert_uint_eq (srv_fiber_mix_in_get_n_fibers (fibers), 0);
  ck_assert (srv_mix_in_get_block_on_close (mix_in));
}
END_TEST

/* Properties and functions say the same, and only a change is told. */
START_TEST (properties_can_be_set)
{
  g_autoptr (SrvMixIn) mix_in = srv_fiber_mix_in_new ();
  SrvFiberMixIn *fibers = SRV_FIBER_MIX_IN (mix_in);
  guint workers, max_fibers, n_notified = 0;
  guint64 stack_size;
  int block_limit;

  g_signal_connect (mix_in, "notify", G_CALLBACK (count_notify), &n_notified);
  for (guint round = 0; round < 2; round++)
    {
      srv_fiber_mix_in_set_workers (fibers, 3);
      srv_fiber_mix_in_set_stack_size (fibers, 128 * 1024);
      srv_fiber_mix_in_set_max_fibers (fibers, 17);
      srv_fiber_mix_in_set_block_limit (fibers, 1234);
      ck_assert_uint_eq (n_notified, 4);
    }
  g_object_get (mix_in, "workers", &workers, "stack-size", &stack_size,
                "max-fibers", &max_fibers, "block-limit", &block_limit, NULL);
  ck_assert_uint_eq (workers, 3);
  ck_assert_uint_eq (stack_size, 128 * 1024);
  ck_assert_uint_eq (max_fibers, 17);
  ck_assert_int_eq (block_limit, 1234);
}
END_TEST

/* Limits. */

#define LIMIT     3
#define N_CLIENTS 50

static gboolean
crowd (SrvBaseRequestHandler *handler,
       G_GNUC_UNUSED gpointer user_data,
       GError **error)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);

  srv_test_add_number (N_RUNNING, 1);
  srv_test_add_number (N_SEEN, 1);
  while (srv_test_get_number (N_SEEN) < LIMIT &&
         g_get_monotonic_time () < deadline)
    srv_sleep (1, NULL, NULL);
  srv_sleep (1, NULL, NULL);
  if (srv_test_get_number (N_RUNNING) > LIMIT)
    srv_test_add_number (N_TOO_MANY, 1);
  srv_test_add_number (N_RUNNING, -1);

  return reply (handler, "done\n", error);
}

/* At max-fibers nobody accepts; when one ends, the next is taken. */
START_TEST (crowd_keeps_to_the_limit)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, worker_counts[_i], crowd);
  SrvTestRun *run;
  int fds[N_CLIENTS];

  srv_fiber_mix_in_set_max_fibers (fibers_of (server), LIMIT);
  for (guint i = 0; i < N_CLIENTS; i++)
    fds[i] = srv_test_connect (server);
  run = srv_test_run (server);
  for (guint i = 0; i < N_CLIENTS; i++)
    expect_done (fds[i]);
  ck_assert_int_eq (srv_test_get_number (N_TOO_MANY), 0);
  srv_test_finish (run);
}
END_TEST

/* Nobody is taken at the limit, yet the loop can be stopped. */
START_TEST (stop_works_at_the_limit)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], wait_at_gate);
  SrvFiberMixIn *fibers = fibers_of (server);
  SrvTestRun *run;
  gint64 before;
  int fds[LIMIT + 2];

  srv_fiber_mix_in_set_max_fibers (fibers, LIMIT);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (server);
  run = srv_test_run (server);
  srv_test_wait_for_number (N_RUNNING, LIMIT);
  ck_assert_uint_eq (srv_fiber_mix_in_get_n_fibers (fibers), LIMIT);
  before = g_get_monotonic_time ();
  srv_test_stop (run);
  ck_assert_int_lt (g_get_monotonic_time () - before, AT_ONCE_MS * 1000);
  ck_assert_int_eq (srv_test_get_number (N_RUNNING), LIMIT);

  srv_test_open_gate (0);
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  ck_assert_uint_eq (srv_fiber_mix_in_get_n_fibers (fibers), 0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_close (fds[i]);
  g_object_unref (server);
}
END_TEST

/* Workers. */

#define N_LONG 64

static pid_t worker_tids[N_LONG];

static gboolean
note_worker (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  gint64 n = srv_test_get_number (N_SEEN);
  static GMutex lock;

  g_mutex_lock (&lock);
  n = srv_test_get_number (N_SEEN);
  worker_tids[n] = (pid_t) syscall (SYS_gettid);
  srv_test_set_number (N_SEEN, n + 1);
  g_mutex_unlock (&lock);

  return hold_line (handler, user_data, error);
}

/* How many the busiest and the laziest worker have, and how many there are. */
static void
count_workers (guint *n_workers, guint *fewest)
{
  guint counts[N_LONG] = { 0 };

  *n_workers = 0;
  *fewest = N_LONG;
  for (guint i = 0; i < N_LONG; i++)
    for (guint j = 0; j <= i; j++)
      if (worker_tids[j] == worker_tids[i])
        {
          *n_workers += j == i;
          counts[j]++;
          break;
        }
  for (guint i = 0; i < N_LONG; i++)
    if (counts[i] > 0 && counts[i] < *fewest)
      *fewest = counts[i];
}

/* Long connections spread over the workers, whether they come one by one or all
 * at once: each of two has a quarter at least. */
START_TEST (connections_spread_over_workers)
{
  gboolean at_once = _i % 2;
  guint workers = worker_counts[_i / 2], n_workers, fewest;
  SrvBaseServer *server = make_server (SRV_TEST_TCP, workers, note_worker);
  SrvTestRun *run = at_once ? NULL : srv_test_run (server);
  int fds[N_LONG];

  for (guint i = 0; i < N_LONG; i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "hello\n");
      if (!at_once)
        srv_test_expect (fds[i], "hello\n");
    }
  if (at_once)
    run = srv_test_run (server);
  srv_test_wait_for_number (N_SEEN, N_LONG);
  count_workers (&n_workers, &fewest);
  ck_assert_uint_le (n_workers, workers);
  if (workers <= 2)
    {
      ck_assert_uint_eq (n_workers, workers);
      ck_assert_uint_ge (fewest, N_LONG / workers / 2);
    }
  for (guint i = 0; i < N_LONG; i++)
    {
      if (at_once)
        srv_test_expect (fds[i], "hello\n");
      srv_test_close (fds[i]);
    }
  srv_test_finish (run);
}
END_TEST

/* A handler that keeps its worker. */

#define TEST_TYPE_BLOCKER (test_blocker_get_type ())
G_DECLARE_FINAL_TYPE (TestBlocker,
                      test_blocker,
                      TEST,
                      BLOCKER,
                      SrvStreamRequestHandler)

struct _TestBlocker
{
  SrvStreamRequestHandler parent_instance;
};

G_DEFINE_FINAL_TYPE (TestBlocker, test_blocker, SRV_TYPE_STREAM_REQUEST_HANDLER)

#define BLOCK_LIMIT_MS 40

static void
block (G_GNUC_UNUSED gpointer user_data)
{
  g_usleep (5 * BLOCK_LIMIT_MS * 1000);
}

static gboolean
test_blocker_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  const char *line;

  if (srv_reader_read_line (rfile, &line, 100, error) < 0)
    return FALSE;
  if (g_str_equal (line, "block\n"))
    block (NULL);
  else if (g_str_equal (line, "sleep\n"))
    srv_sleep (5 * BLOCK_LIMIT_MS, NULL, NULL);
  else if (!srv_offload (block, NULL, error))
    return FALSE;

  return reply (handler, "done\n", error);
}

static void
test_blocker_class_init (TestBlockerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = test_blocker_handle;
}

static void
test_blocker_init (G_GNUC_UNUSED TestBlocker *self)
{
}

static SrvTestRun *
run_blockers (int block_limit_ms)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 2, NULL);

  srv_base_server_set_handler_type (server, TEST_TYPE_BLOCKER);
  srv_fiber_mix_in_set_block_limit (fibers_of (server), block_limit_ms);

  return srv_test_run (server);
}

static void
ask (SrvBaseServer *server, const char *line)
{
  int fd = srv_test_connect (server);

  srv_test_say (fd, line);
  expect_done (fd);
}

#define EVERYTHING ((GLogLevelFlags) (G_LOG_LEVEL_MASK))

/* A class that blocks its worker is reported once, by name; one that waits as
 * it should is not. */
START_TEST (blocking_class_is_reported_once)
{
  SrvTestRun *run = run_blockers (BLOCK_LIMIT_MS);

  srv_test_begin_log ();
  ask (run->server, "sleep\n");
  ask (run->server, "offload\n");
  ck_assert_uint_eq (srv_test_count_log (EVERYTHING, "TestBlocker"), 0);
  ask (run->server, "block\n");
  ck_assert_uint_eq (srv_test_count_log (EVERYTHING, "TestBlocker"), 1);
  ask (run->server, "block\n");
  ask (run->server, "block\n");
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_log (EVERYTHING, "TestBlocker"), 1);
  srv_test_end_log ();
}
END_TEST

START_TEST (limit_of_zero_reports_nobody)
{
  SrvTestRun *run = run_blockers (0);

  srv_test_begin_log ();
  ask (run->server, "block\n");
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_log (EVERYTHING, "TestBlocker"), 0);
  srv_test_end_log ();
}
END_TEST

/* How often all threads but the caller have waited so far. */
static guint64
count_waits (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint64 n_waits = 0;
  const char *name;

  while ((name = g_dir_read_name (tasks)) != NULL)
    {
      pid_t tid = (pid_t) g_ascii_strtoull (name, NULL, 10);

      if (tid != (pid_t) syscall (SYS_gettid))
        n_waits += srv_test_thread_status (tid, "\nvoluntary_ctxt_switches");
    }

  return n_waits;
}

/* With nothing to do no thread wakes up, the one that looks for blocked workers
 * included; not before the first request, and not after. */
START_TEST (idle_server_wakes_nobody)
{
  SrvTestRun *run = run_blockers (_i == 0 ? 1000 : BLOCK_LIMIT_MS);
  guint64 before;

  for (guint round = 0; round < 2; round++)
    {
      int fd = srv_test_connect (run->server);

      srv_test_say (fd, "hel");
      g_usleep (3 * 1000 * (_i == 0 ? 100 : BLOCK_LIMIT_MS));
      before = count_waits ();
      g_usleep (5 * 1000 * (_i == 0 ? 100 : BLOCK_LIMIT_MS));
#ifndef __SANITIZE_THREAD__ /* has a thread of its own */
      ck_assert_uint_le (count_waits () - before, 1);
#endif
      srv_test_say (fd, "lo\n");
      expect_done (fd);
    }
  srv_test_finish (run);
}
END_TEST

/* Life. */

static gboolean
close_inside (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  SrvBaseServer *server = srv_base_request_handler_get_server (handler);
  gint64 before = g_get_monotonic_time ();

  if (srv_test_get_number (IN_CLOSE))
    srv_base_server_server_close (server);
  else
    srv_base_server_shutdown (server);
  if (g_get_monotonic_time () - before < AT_ONCE_MS * 1000)
    srv_test_add_number (N_SEEN, 1);

  return reply (handler, "done\n", error);
}

static void
join_well (SrvTestRun *run)
{
  g_autoptr (GError) error = NULL;

  ck_assert (srv_test_join (run, &error));
  srv_test_assert_no_error (error);
}

/* A handler that closes its server, or only ends the loop, is not waited for,
 * and still gives its reply. */
START_TEST (handler_may_close)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i / 2], close_inside);
  SrvTestRun *run = srv_test_run (server);
  int fd;

  srv_test_set_number (IN_CLOSE, _i % 2);
  fd = srv_test_connect (server);
  expect_done (fd);
  join_well (run);
  ck_assert_int_eq (srv_test_get_number (N_SEEN), 1);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

static void
note_finalization (G_GNUC_UNUSED gpointer data,
                   G_GNUC_UNUSED GObject *where_the_object_was)
{
  srv_test_add_number (N_FINALIZED, 1);
}

static gboolean
drop_inside (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  SrvBaseServer *server = srv_base_request_handler_get_server (handler);

  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);
  if (!reply (handler, "done\n", error))
    return FALSE;
  g_object_unref (server);

  return TRUE;
}

/* The last reference goes in a handler: the server ends with that handler, and
 * its workers with it. */
START_TEST (last_reference_may_go_in_a_handler)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], drop_inside);
  SrvTestRun *run = srv_test_run (server);
  int fd;

  g_object_weak_ref (G_OBJECT (server), note_finalization, NULL);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_stop (run);
  srv_test_open_gate (0);
  expect_done (fd);
  srv_test_wait_for_number (N_FINALIZED, 1);
}
END_TEST

#define N_RUNS 15

/* The loop ends and begins again; a long connection lives on through all of it,
 * and those that come in between wait. */
START_TEST (connections_outlive_the_loop)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], hold_line);
  int old = srv_test_connect (server);

  for (guint i = 0; i < N_RUNS; i++)
    {
      int early = srv_test_connect (server);
      SrvTestRun *run;

      srv_test_say (early, "early\n");
      run = srv_test_run (server);
      srv_test_expect (early, "early\n");
      srv_test_say (old, "old\n");
      srv_test_expect (old, "old\n");
      srv_test_echo (server, "hello\n");
      srv_test_stop (run);
      srv_test_say (early, "late\n");
      srv_test_expect (early, "late\n");
      srv_test_close (early);
    }
  srv_test_close (old);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

static int context_may_end;

static gpointer
iterate (gpointer data)
{
  while (!g_atomic_int_get (&context_may_end))
    g_main_context_iteration (data, TRUE);

  return NULL;
}

/* Serves for a while from a main context. */
static void
serve_attached (SrvBaseServer *server)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("context", iterate, context);

  ck_assert (srv_base_server_attach (server, context, &error));
  srv_test_assert_no_error (error);
  srv_test_echo (server, "attached\n");
  srv_base_server_shutdown (server);
  g_atomic_int_set (&context_may_end, TRUE);
  g_main_context_wakeup (context);
  g_thread_join (thread);
  g_atomic_int_set (&context_may_end, FALSE);
}

static void
serve_one (SrvBaseServer *server)
{
  g_autoptr (GError) error = NULL;
  int fd = srv_test_connect (server);

  srv_test_say (fd, "single\n");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, &error),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_assert_no_error (error);
  srv_test_expect (fd, "single\n");
  srv_test_close (fd);
}

/* One server is served by a loop, by a main context and by single calls, in any
 * order. */
START_TEST (ways_of_serving_may_change)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], hold_line);

  for (guint round = 0; round < 3; round++)
    {
      SrvTestRun *run = srv_test_run (server);

      srv_test_echo (server, "loop\n");
      srv_test_stop (run);
      serve_attached (server);
      serve_one (server);
    }
  ck_assert_int_eq (srv_base_server_handle_request (server, 0, NULL, NULL),
                    SRV_HANDLE_RESULT_TIMED_OUT);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* A listening socket that has become useless ends the run with its error,
 * whichever worker finds out; close does not trip over it. */
START_TEST (fatal_accept_error_ends_the_run)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], wait_at_gate);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;
  int fd = srv_test_connect (server);

  srv_test_wait_for_number (N_RUNNING, 1);
  ck_assert_int_eq (shutdown (srv_base_server_fileno (server), SHUT_RDWR), 0);
  ck_assert (!srv_test_join (run, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_ptr_eq (g_quark_to_string (error->domain),
                    g_quark_to_string (G_IO_ERROR));
  srv_test_open_gate (0);
  expect_done (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* service_actions that fails ends the run; a handler that asks for a stop ends
 * only itself, as in a thread. */
START_TEST (hooks_may_end_the_run)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, worker_counts[_i], NULL);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;
  int fd;

  srv_test_set_fault ("handle", SRV_TEST_STOP);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
  srv_test_set_fault ("handle", SRV_TEST_FINE);
  srv_test_set_fault ("service_actions", SRV_TEST_ERROR);
  srv_test_echo (server, "hello\n");
  ck_assert (!srv_test_join (run, &error));
  ck_assert_ptr_nonnull (error);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

static gboolean
wait_for_drain (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_sleep (-1, srv_base_request_handler_get_drain_cancellable (handler),
             NULL);
  srv_sleep (5, NULL, NULL);
  srv_test_add_number (N_ENDED, 1);

  return reply (handler, "done\n", error);
}

/* A close tells all handlers of all workers, and waits for them. */
START_TEST (drain_reaches_all_workers)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], wait_for_drain);
  SrvTestRun *run = srv_test_run (server);
  int fds[N_LONG];

  for (guint i = 0; i < N_LONG; i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, N_LONG);
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  ck_assert_int_eq (srv_test_get_number (N_ENDED), N_LONG);
  for (guint i = 0; i < N_LONG; i++)
    expect_done (fds[i]);
  join_well (run);
  g_object_unref (server);
}
END_TEST

/* Those that do not end in time are cut, in all workers, and counted. */
START_TEST (close_cuts_all_workers)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], hold_line);
  SrvTestRun *run = srv_test_run (server);
  int fds[N_LONG];

  srv_base_server_set_drain_timeout (server, 30);
  srv_test_begin_log ();
  for (guint i = 0; i < N_LONG; i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "hello\n");
      srv_test_expect (fds[i], "hello\n");
    }
  ck_assert_uint_eq (srv_base_server_server_close (server), N_LONG);
  ck_assert_uint_eq (srv_fiber_mix_in_get_n_fibers (fibers_of (server)), 0);
  for (guint i = 0; i < N_LONG; i++)
    {
      srv_test_expect_gone (fds[i]);
      srv_test_close (fds[i]);
    }
  join_well (run);
  srv_test_end_log ();
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "properties", defaults_are_documented, 1 },
    { "properties", properties_can_be_set, 1 },
    { "limits", crowd_keeps_to_the_limit, N_COUNTS },
    { "limits", stop_works_at_the_limit, N_COUNTS },
    { "workers", connections_spread_over_workers, 2 * N_COUNTS },
    { "workers", blocking_class_is_reported_once, 1 },
    { "workers", limit_of_zero_reports_nobody, 1 },
    { "workers", idle_server_wakes_nobody, 2 },
    { "life", handler_may_close, 2 * N_COUNTS },
    { "life", last_reference_may_go_in_a_handler, N_COUNTS },
    { "life", connections_outlive_the_loop, N_COUNTS },
    { "life", ways_of_serving_may_change, N_COUNTS },
    { "life", fatal_accept_error_ends_the_run, N_COUNTS },
    { "life", hooks_may_end_the_run, N_COUNTS },
    { "life", drain_reaches_all_workers, N_COUNTS },
    { "life", close_cuts_all_workers, N_COUNTS },
  };

  return srv_test_run_entries ("FiberMixIn", tests, G_N_ELEMENTS (tests));
}
