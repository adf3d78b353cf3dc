/* test-fiber-mix-in.c - a fiber for each request: properties, limits, workers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fiber-server-test.h"

#include <sys/syscall.h>

/* Numbers of the tests. */
enum
{
  N_RUNNING,
  N_SEEN,
  N_TOO_MANY,
};

static gboolean
wait_at_gate (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);

  return srv_test_reply (handler, "done\n", error);
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
crowd (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);

  srv_test_add_number (N_RUNNING, 1);
  srv_test_add_number (N_SEEN, 1);
  while (srv_test_get_number (N_SEEN) < LIMIT &&
         g_get_monotonic_time () < deadline)
    srv_sleep (1, NULL, NULL);
  srv_sleep (1, NULL, NULL);
  if (srv_test_get_number (N_RUNNING) > LIMIT + GPOINTER_TO_INT (user_data) - 1)
    srv_test_add_number (N_TOO_MANY, 1);
  srv_test_add_number (N_RUNNING, -1);

  return srv_test_reply (handler, "done\n", error);
}

/* At max-fibers nobody accepts, but for workers that had just begun to; when
 * one ends, the next is taken. */
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
    srv_test_expect_done (fds[i]);
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
  const gint64 most = LIMIT + worker_counts[_i] - 1;
  SrvTestRun *run;
  gint64 before;
  int fds[LIMIT + 5];

  srv_fiber_mix_in_set_max_fibers (fibers, LIMIT);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (server);
  run = srv_test_run (server);
  srv_test_wait_for_number (N_RUNNING, LIMIT);
  ck_assert_uint_ge (srv_fiber_mix_in_get_n_fibers (fibers), LIMIT);
  before = g_get_monotonic_time ();
  srv_test_stop (run);
  srv_test_assert_took (before, 0);
  ck_assert_int_le (srv_test_get_number (N_RUNNING), most);

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

  return srv_test_echo_lines (handler, user_data, error);
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

#define EVERYTHING ((GLogLevelFlags) (G_LOG_LEVEL_MASK))

/* How long the handler waits, one way or another. */
static int wait_ms;

static void
block (G_GNUC_UNUSED gpointer user_data)
{
  g_usleep ((gulong) wait_ms * 1000);
}

static void
block_until_reported (void)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);

  while (srv_test_count_log (EVERYTHING, "TestBlocker") == 0 &&
         g_get_monotonic_time () < deadline)
    g_usleep (1000);
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
  else if (g_str_equal (line, "stuck\n"))
    block_until_reported ();
  else if (g_str_equal (line, "sleep\n"))
    srv_sleep (wait_ms, NULL, NULL);
  else if (!srv_offload (block, NULL, error))
    return FALSE;

  return srv_test_reply (handler, "done\n", error);
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

static SrvBaseServer *
make_blocking_server (int block_limit_ms)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 2, NULL);

  wait_ms = 5 * BLOCK_LIMIT_MS;
  srv_base_server_set_handler_type (server, TEST_TYPE_BLOCKER);
  srv_fiber_mix_in_set_block_limit (fibers_of (server), block_limit_ms);

  return server;
}

static SrvTestRun *
run_blockers (int block_limit_ms)
{
  return srv_test_run (make_blocking_server (block_limit_ms));
}

static void
ask (SrvBaseServer *server, const char *line)
{
  int fd = srv_test_connect (server);

  srv_test_say (fd, line);
  srv_test_expect_done (fd);
}

/* A class that blocks its worker is reported once, by name; also when its
 * first request never had to wait before that. */
START_TEST (blocking_class_is_reported_once)
{
  SrvBaseServer *server = make_blocking_server (BLOCK_LIMIT_MS);
  int fd = srv_test_connect (server);
  SrvTestRun *run;

  srv_test_begin_log ();
  if (_i == 0)
    srv_test_say (fd, "stuck\n");
  run = srv_test_run (server);
  if (_i == 1)
    srv_test_say (fd, "stuck\n");
  srv_test_expect_done (fd);
  ck_assert_uint_eq (srv_test_count_log (EVERYTHING, "TestBlocker"), 1);
  ask (run->server, "block\n");
  ask (run->server, "block\n");
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_log (EVERYTHING, "TestBlocker"), 1);
  srv_test_end_log ();
}
END_TEST

/* One that waits as it should is not. A busy machine can keep a worker from
 * running for longer than the limit, which looks the same: then a longer one is
 * tried. */
START_TEST (waiting_class_is_not_reported)
{
  guint n_reported = 1;

  for (int limit = BLOCK_LIMIT_MS; n_reported > 0 && limit < 2000; limit *= 3)
    {
      SrvTestRun *run = run_blockers (limit);

      wait_ms = 5 * limit;
      srv_test_begin_log ();
      ask (run->server, "sleep\n");
      ask (run->server, "offload\n");
      srv_test_finish (run);
      n_reported = srv_test_count_log (EVERYTHING, "TestBlocker");
      srv_test_end_log ();
    }
  ck_assert_uint_eq (n_reported, 0);
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

/* ThreadSanitizer has a thread of its own that wakes all the time. */
#ifdef __SANITIZE_THREAD__
#define MAX_WAITS 100
#else
#define MAX_WAITS 1
#endif

/* With nothing to do no thread wakes up, the one that looks for blocked workers
 * included; not before the first request, and not after. */
START_TEST (idle_server_wakes_nobody)
{
  const int span = 5 * (_i == 0 ? 100 : BLOCK_LIMIT_MS);
  SrvTestRun *run = run_blockers (_i == 0 ? 1000 : BLOCK_LIMIT_MS);

  for (guint round = 0; round < 2; round++)
    {
      int fd = srv_test_connect (run->server);

      srv_test_say (fd, "hel");
      ck_assert (srv_test_stays_asleep (0, span, MAX_WAITS));
      srv_test_say (fd, "lo\n");
      srv_test_expect_done (fd);
    }
  srv_test_finish (run);
}
END_TEST

static gboolean
sleep_on (SrvBaseRequestHandler *handler,
          G_GNUC_UNUSED gpointer user_data,
          GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_sleep (10 * BLOCK_LIMIT_MS, NULL, NULL);

  return srv_test_reply (handler, "done\n", error);
}

static gint64
get_processor_time (void)
{
  struct timespec spent;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &spent);

  return spent.tv_sec * G_USEC_PER_SEC + spent.tv_nsec / 1000;
}

/* Whoever closes waits for the fibers asleep, too. */
START_TEST (drain_does_not_spin)
{
  SrvBaseServer *server = make_blocking_server (BLOCK_LIMIT_MS);
  SrvTestRun *run;
  gint64 before, processor_before;
  int fd;

  srv_base_server_set_handler_func (server, sleep_on, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  before = g_get_monotonic_time ();
  processor_before = get_processor_time ();
  srv_test_finish (run);
  ck_assert_int_lt (2 * (get_processor_time () - processor_before),
                    g_get_monotonic_time () - before);
  srv_test_expect (fd, "done\n");
  srv_test_close (fd);
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
    { "workers", blocking_class_is_reported_once, 2 },
    { "workers", waiting_class_is_not_reported, 1 },
    { "workers", limit_of_zero_reports_nobody, 1 },
    { "workers", idle_server_wakes_nobody, 2 },
    { "workers", drain_does_not_spin, 1 },
  };

  return srv_test_run_entries ("FiberMixIn", tests, G_N_ELEMENTS (tests));
}
