/* test-prefork.c - processes that serve one request after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prefork-test.h"

#include <stdlib.h>

/* Settings. */

START_TEST (defaults_are_documented)
{
  g_autoptr (SrvMixIn) mix_in = srv_prefork_mix_in_new ();
  guint workers, max_workers, min_spare, max_spare, max_requests, spread;
  guint crash_limit, n_workers;
  guint64 max_memory;
  SrvForkGuard guard;
  g_autoptr (SrvMixIn) inner = NULL;

  g_object_get (mix_in, "workers", &workers, "max-workers", &max_workers,
                "min-spare", &min_spare, "max-spare", &max_spare,
                "max-requests", &max_requests, "recycle-spread", &spread,
                "crash-limit", &crash_limit, "max-memory", &max_memory,
                "fork-guard", &guard, "inner", &inner, "n-workers", &n_workers,
                NULL);
  ck_assert_uint_eq (workers, 0);
  ck_assert_uint_eq (max_workers, 0);
  ck_assert_uint_eq (min_spare, 1);
  ck_assert_uint_eq (max_spare, 10);
  ck_assert_uint_eq (max_requests, 0);
  ck_assert_uint_eq (spread, 10);
  ck_assert_uint_eq (crash_limit, 10);
  ck_assert_uint_eq (max_memory, 0);
  ck_assert_int_eq (guard, SRV_FORK_GUARD_WARN);
  ck_assert_ptr_null (inner);
  ck_assert_uint_eq (n_workers, 0);
}
END_TEST

/* A program can ask what differs; tests leave out rows by it. */
START_TEST (differences_can_be_queried)
{
  static const struct
  {
    SrvMixIn *(*make) (void);
    gboolean shares_memory;
    gboolean stop_from_handler;
    gboolean attachable;
  } rows[] = {
    { srv_threading_mix_in_new, TRUE, TRUE, TRUE },
    { srv_fiber_mix_in_new, TRUE, TRUE, TRUE },
    { srv_forking_mix_in_new, FALSE, FALSE, TRUE },
    { srv_prefork_mix_in_new, FALSE, TRUE, FALSE },
  };
  g_autoptr (SrvMixIn) mix_in = rows[_i].make ();

  ck_assert_int_eq (srv_mix_in_get_shares_memory (mix_in),
                    rows[_i].shares_memory);
  ck_assert_int_eq (srv_mix_in_get_stop_from_handler (mix_in),
                    rows[_i].stop_from_handler);
  ck_assert_int_eq (srv_mix_in_get_attachable (mix_in), rows[_i].attachable);
}
END_TEST

/* Neither a main context nor single requests: nobody is served silently by
 * nobody. */
START_TEST (other_ways_to_serve_are_refused)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, NULL);
  g_autoptr (GError) error = NULL;

  ck_assert (!srv_base_server_attach (server, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  ck_assert_ptr_nonnull (strstr (error->message, "serve_forever"));
  g_clear_error (&error);
  ck_assert_int_eq (srv_base_server_handle_request (server, 0, NULL, &error),
                    SRV_HANDLE_RESULT_FAILED);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_ACTIVE);
  g_object_unref (server);
}
END_TEST

/* The guard can refuse: the loop of the test runs in a thread. */
START_TEST (threads_can_be_refused)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, NULL);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  srv_prefork_mix_in_set_fork_guard (prefork_of (server),
                                     SRV_FORK_GUARD_REFUSE);
  run = srv_test_start (server);
  ck_assert (!srv_test_join (run, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_THREADS);
  ck_assert (!srv_test_has_children ());
  g_object_unref (server);
}
END_TEST

/* The number of workers. */

/* One that is killed is replaced, and meanwhile the others serve. */
START_TEST (killed_worker_is_replaced)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 2, say_pid);
  SrvTestRun *run = srv_test_run (server);
  int victim = first_worker (server);

  srv_test_begin_log ();
  kill (victim, SIGKILL);
  srv_test_wait_for_number (N_EXITED, 1);
  ck_assert_int_eq (WTERMSIG ((int) srv_test_get_number (LAST_STATUS)),
                    SIGKILL);
  ck_assert_int_ne (ask_pid (server), victim);
  srv_test_eventually (count_workers (server) == 2);
  ck_assert_uint_eq (srv_test_count_log_event ("worker-crashed"), 1);
  srv_test_end_log ();
  srv_test_finish (run);
}
END_TEST

/* An administrator's SIGTERM lets the worker end what it serves. */
START_TEST (terminated_worker_ends_its_request)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, wait_at_gate);
  SrvTestRun *run = srv_test_run (server);
  int victim = first_worker (server);
  int fd = srv_test_connect (server);

  srv_test_wait_for_number (N_RUNNING, 1);
  kill (victim, SIGTERM);
  srv_test_open_gate (0);
  srv_test_expect_done (fd);
  srv_test_wait_for_number (N_EXITED, 1);
  ck_assert_int_eq (srv_test_get_number (LAST_STATUS), 0);
  srv_test_eventually (count_workers (server) == 1);
  ck_assert_int_ne (first_worker (server), victim);
  fd = srv_test_connect (server);
  srv_test_expect_done (fd);
  srv_test_finish (run);
}
END_TEST

/* Workers are added while too few are idle, up to the limit, and sent away
 * when too many are. */
START_TEST (spare_workers_come_and_go)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, wait_at_gate);
  SrvTestRun *run;
  int fds[4];

  g_object_set (prefork_of (server), "max-workers", 4, "min-spare", 1,
                "max-spare", 2, NULL);
  run = srv_test_run (server);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_wait_for_number (N_RUNNING, i + 1);
      srv_test_eventually (count_workers (server) == MIN (i + 2, 4));
    }
  ck_assert_uint_eq (count_state (server, SRV_WORKER_STATE_BUSY), 4);
  srv_test_open_gate (0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    srv_test_expect_done (fds[i]);
  srv_test_eventually (count_workers (server) == 2);
  srv_test_wait_for_number (N_EXITED, 2);
  ck_assert_int_eq (srv_test_get_number (LAST_STATUS), 0);
  ck_assert_uint_eq (count_state (server, SRV_WORKER_STATE_IDLE), 2);
  srv_test_finish (run);
}
END_TEST

/* Recycling. */

/* Two requests each, without spread. */
START_TEST (worker_ends_after_its_requests)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, say_pid);
  SrvTestRun *run;
  int pids[6];

  g_object_set (prefork_of (server), "max-requests", 2, "recycle-spread", 0,
                NULL);
  run = srv_test_run (server);
  for (guint i = 0; i < G_N_ELEMENTS (pids); i++)
    pids[i] = ask_pid (server);
  for (guint i = 0; i < G_N_ELEMENTS (pids); i += 2)
    ck_assert_int_eq (pids[i], pids[i + 1]);
  ck_assert_int_ne (pids[1], pids[2]);
  ck_assert_int_ne (pids[3], pids[4]);
  srv_test_wait_for_number (N_EXITED, 3);
  ck_assert_int_eq (srv_test_get_number (LAST_STATUS), 0);
  srv_test_finish (run);
}
END_TEST

#define LARGE (64 * 1024 * 1024)

static gboolean
grow (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  static volatile char *never_freed;

  never_freed = malloc (LARGE);
  for (gsize i = 0; i < LARGE; i += 1024)
    never_freed[i] = 1;

  return say_pid (handler, user_data, error);
}

/* One that has grown too much is not asked a second time. */
START_TEST (large_worker_ends)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, grow);
  SrvTestRun *run;

  g_object_set (prefork_of (server), "max-memory", (guint64) LARGE,
                "recycle-spread", 0, NULL);
  run = srv_test_run (server);
  ck_assert_int_ne (ask_pid (server), ask_pid (server));
  srv_test_wait_for_number (N_EXITED, 1);
  ck_assert_int_eq (srv_test_get_number (LAST_STATUS), 0);
  srv_test_finish (run);
}
END_TEST

/* Crashes. */

/* A mix-in whose processes end at once. */
typedef struct
{
  SrvMixIn parent_instance;
} CrashMixIn;
typedef struct
{
  SrvMixInClass parent_class;
} CrashMixInClass;

static GType crash_mix_in_get_type (void);
G_DEFINE_TYPE (CrashMixIn, crash_mix_in, SRV_TYPE_MIX_IN)

static gboolean
crash_mix_in_serve (G_GNUC_UNUSED SrvMixIn *mix_in,
                    G_GNUC_UNUSED SrvBaseServer *server,
                    G_GNUC_UNUSED GError **error)
{
  _exit (7);
}

static void
crash_mix_in_class_init (CrashMixInClass *klass)
{
  SRV_MIX_IN_CLASS (klass)->serve = crash_mix_in_serve;
}

static void
crash_mix_in_init (G_GNUC_UNUSED CrashMixIn *self)
{
}

/* Workers that crash at once are started ever more slowly, and in the end no
 * more: 50 ms, 100 ms, and the third time is one too many. */
START_TEST (crash_loop_ends_the_run)
{
  g_autoptr (SrvMixIn) inner = g_object_new (crash_mix_in_get_type (), NULL);
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 2, NULL);
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();
  SrvTestRun *run;

  srv_test_begin_log ();
  srv_prefork_mix_in_set_inner (prefork_of (server), inner);
  g_object_set (prefork_of (server), "crash-limit", 3, NULL);
  run = srv_test_start (server);
  ck_assert (!srv_test_join (run, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_CRASH_LOOP);
  ck_assert_int_ge (g_get_monotonic_time () - before, 150 * 1000);
  ck_assert (!srv_test_has_children ());
  ck_assert_uint_ge (srv_test_count_log (G_LOG_LEVEL_WARNING, "exit status 7"),
                     3);
  srv_test_end_log ();
  g_object_unref (server);
}
END_TEST

/* The pause between two crashes does not keep anybody from stopping. */
START_TEST (crash_loop_can_be_stopped)
{
  g_autoptr (SrvMixIn) inner = g_object_new (crash_mix_in_get_type (), NULL);
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, NULL);
  SrvTestRun *run;

  srv_test_begin_log ();
  srv_prefork_mix_in_set_inner (prefork_of (server), inner);
  g_object_set (prefork_of (server), "crash-limit", 0, NULL);
  run = srv_test_start (server);
  srv_test_wait_for_number (N_EXITED, 3);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

static gboolean
crash_or_not (SrvBaseRequestHandler *handler,
              gpointer user_data,
              GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  const char *line = "";

  if (srv_reader_read_line (rfile, &line, 100, error) < 0)
    return FALSE;
  if (g_str_equal (line, "crash\n"))
    _exit (9);

  return say_pid (handler, user_data, error);
}

/* A client that makes workers crash is no crash loop while others are served:
 * the limit is never reached. */
START_TEST (one_clients_crashes_are_no_loop)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 2, crash_or_not);
  SrvTestRun *run;

  srv_test_begin_log ();
  g_object_set (prefork_of (server), "crash-limit", 2, NULL);
  run = srv_test_run (server);
  for (guint i = 1; i <= 5; i++)
    {
      int fd = srv_test_connect (server);

      srv_test_say (fd, "crash\n");
      srv_test_expect_gone (fd);
      srv_test_close (fd);
      srv_test_wait_for_number (N_EXITED, i);
      fd = srv_test_connect (server);
      srv_test_say (fd, "hello\n");
      g_free (srv_test_read_all (fd, NULL));
      srv_test_close (fd);
    }
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_SERVING);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "settings", defaults_are_documented, 1 },
    { "settings", differences_can_be_queried, 4 },
    { "settings", other_ways_to_serve_are_refused, 1 },
    { "settings", threads_can_be_refused, 1 },
    { "number", killed_worker_is_replaced, 1 },
    { "number", terminated_worker_ends_its_request, 1 },
    { "number", spare_workers_come_and_go, 1 },
    { "recycling", worker_ends_after_its_requests, 1 },
    { "recycling", large_worker_ends, 1 },
    { "crashes", crash_loop_ends_the_run, 1 },
    { "crashes", crash_loop_can_be_stopped, 1 },
    { "crashes", one_clients_crashes_are_no_loop, 1 },
  };

  return srv_test_run_entries ("Prefork", tests, G_N_ELEMENTS (tests));
}
