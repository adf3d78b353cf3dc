/* test-prefork.c - processes that serve one request after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <stdlib.h>
#include <sys/prctl.h>

/* What all mix-ins have in common runs for this one in the other programs. */

/* Numbers of the tests. */
enum
{
  N_RUNNING, /* handlers at this moment, or since the start */
  N_ENDED,
  N_EXITED, /* calls of worker-exited */
  LAST_STATUS,
  N_CUT,
  FIRST_PID,
};

static SrvPreforkMixIn *
prefork_of (SrvBaseServer *server)
{
  return SRV_PREFORK_MIX_IN (srv_base_server_get_mix_in (server));
}

static void
note_exit (G_GNUC_UNUSED SrvPreforkMixIn *mix_in,
           G_GNUC_UNUSED int pid,
           int wait_status,
           G_GNUC_UNUSED gpointer user_data)
{
  srv_test_set_number (LAST_STATUS, wait_status);
  srv_test_add_number (N_EXITED, 1);
}

/* A server with so many workers. Without FUNCTION it gives back a line. */
static SrvBaseServer *
make_server (SrvTestTransport transport, guint workers, SrvHandlerFunc function)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_PREFORK);

  srv_prefork_mix_in_set_workers (prefork_of (server), workers);
  if (function != NULL)
    srv_base_server_set_handler_func (server, function, NULL, NULL);
  g_signal_connect (prefork_of (server), "worker-exited",
                    G_CALLBACK (note_exit), NULL);
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

/* Tells the client who serves it. */
static gboolean
say_pid (SrvBaseRequestHandler *handler,
         G_GNUC_UNUSED gpointer user_data,
         GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d", getpid ());

  return reply (handler, text, error);
}

static int
ask_pid (SrvBaseServer *server)
{
  int fd = srv_test_connect (server);
  g_autofree char *text = srv_test_read_all (fd, NULL);

  srv_test_close (fd);
  return atoi (text);
}

static guint
count_state (SrvBaseServer *server, SrvWorkerState state)
{
  g_autoptr (GPtrArray) workers =
    srv_prefork_mix_in_list_workers (prefork_of (server));
  guint n = 0;

  for (guint i = 0; i < workers->len; i++)
    if (((SrvWorkerInfo *) workers->pdata[i])->state == state)
      n++;
  return n;
}

static guint
count_workers (SrvBaseServer *server)
{
  return count_state (server, SRV_WORKER_STATE_IDLE) +
         count_state (server, SRV_WORKER_STATE_BUSY);
}

static int
first_worker (SrvBaseServer *server)
{
  g_autoptr (GPtrArray) workers =
    srv_prefork_mix_in_list_workers (prefork_of (server));

  ck_assert_uint_gt (workers->len, 0);
  return ((SrvWorkerInfo *) workers->pdata[0])->pid;
}

static guint64
read_counter (SrvBaseServer *server, const char *name)
{
  guint64 value;

  g_object_get (server, name, &value, NULL);
  return value;
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

static void
expect_done (int fd)
{
  srv_test_expect (fd, "done\n");
  srv_test_close (fd);
}

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
  expect_done (fd);
  srv_test_wait_for_number (N_EXITED, 1);
  ck_assert_int_eq (srv_test_get_number (LAST_STATUS), 0);
  srv_test_eventually (count_workers (server) == 1);
  ck_assert_int_ne (first_worker (server), victim);
  fd = srv_test_connect (server);
  expect_done (fd);
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
    expect_done (fds[i]);
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

/* The scoreboard. */

static gboolean
fail_or_wait (SrvBaseRequestHandler *handler,
              gpointer user_data,
              GError **error)
{
  if (srv_test_get_number (FIRST_PID) == 0)
    return wait_at_gate (handler, user_data, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "on purpose");
  return FALSE;
}

/* The parent sees what each worker does and has done; its own counters include
 * theirs, also of those that are gone. */
START_TEST (scoreboard_tells_what_workers_do)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, fail_or_wait);
  g_autoptr (GPtrArray) workers = NULL;
  g_autofree char *text = NULL;
  SrvWorkerInfo *info;
  SrvTestRun *run;
  int fd;

  text = srv_prefork_mix_in_print_workers (prefork_of (server));
  ck_assert_ptr_eq (strchr (text, '\n') + 1, text + strlen (text));
  run = srv_test_run (server);
  ck_assert_uint_eq (count_state (server, SRV_WORKER_STATE_IDLE), 1);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  workers = srv_prefork_mix_in_list_workers (prefork_of (server));
  ck_assert_uint_eq (workers->len, 1);
  info = workers->pdata[0];
  ck_assert_int_eq (info->state, SRV_WORKER_STATE_BUSY);
  ck_assert_uint_eq (info->n_active, 1);
  ck_assert_uint_eq (info->n_accepted, 1);
  ck_assert_uint_eq (info->n_served, 0);
  ck_assert_int_ge (info->since, info->started);
  ck_assert_int_le (info->since, g_get_monotonic_time ());
  g_free (text);
  text = srv_prefork_mix_in_print_workers (prefork_of (server));
  ck_assert_ptr_nonnull (strstr (text, "busy"));

  srv_test_open_gate (0);
  expect_done (fd);
  srv_test_set_number (FIRST_PID, info->pid);
  fd = srv_test_connect (server);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_eventually (count_state (server, SRV_WORKER_STATE_IDLE) == 1);
  ck_assert_uint_eq (read_counter (server, "n-accepted"), 2);
  ck_assert_uint_eq (read_counter (server, "n-failed"), 1);

  kill (info->pid, SIGTERM);
  srv_test_wait_for_number (N_EXITED, 1);
  ck_assert_uint_eq (read_counter (server, "n-accepted"), 2);
  ck_assert_uint_eq (read_counter (server, "n-failed"), 1);
  srv_test_finish (run);
}
END_TEST

/* Stop and close. */

/* A stop leaves alone who is busy, and waits for nobody; close does. The next
 * run has workers of its own. */
START_TEST (stop_leaves_busy_workers_alone)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, wait_at_gate);
  SrvTestRun *run = srv_test_run (server);
  int first = srv_test_connect (server);
  gint64 before;
  int second;

  srv_test_wait_for_number (N_RUNNING, 1);
  before = g_get_monotonic_time ();
  srv_test_stop (run);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_ENDED), 0);
  ck_assert_uint_eq (count_state (server, SRV_WORKER_STATE_LEAVING), 1);

  run = srv_test_run (server);
  second = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 2);
  srv_test_open_gate (0);
  expect_done (first);
  expect_done (second);
  srv_test_finish (run);
}
END_TEST

/* Ignores everything that can be ignored. */
static gboolean
wait_for_ever (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
               G_GNUC_UNUSED gpointer user_data,
               G_GNUC_UNUSED GError **error)
{
  signal (SIGTERM, SIG_IGN);
  srv_test_add_number (N_RUNNING, 1);
  for (;;)
    pause ();

  return TRUE;
}

/* What heeds neither the drain nor the cut is killed. */
START_TEST (stubborn_worker_is_killed)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 2, wait_for_ever);
  SrvTestRun *run;
  gint64 before;
  int fd;

  srv_base_server_set_drain_timeout (server, 50);
  srv_base_server_set_cut_timeout (server, 100);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  before = g_get_monotonic_time ();
  ck_assert_uint_eq (srv_base_server_server_close (server), 1);
  srv_test_assert_took (before, 150);
  ck_assert (!srv_test_has_children ());
  ck_assert_int_eq (WTERMSIG ((int) srv_test_get_number (LAST_STATUS)),
                    SIGKILL);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  ck_assert (srv_test_join (run, NULL));
  g_object_unref (server);
}
END_TEST

static gboolean
read_to_the_end (SrvBaseRequestHandler *handler,
                 G_GNUC_UNUSED gpointer user_data,
                 GError **error)
{
  SrvStreamRequestHandler *stream = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (stream);
  const char *line;
  gssize n;

  srv_test_add_number (N_RUNNING, 1);
  do
    n = srv_reader_read_line (rfile, &line, 100, error);
  while (n > 0);
  srv_test_add_number (N_ENDED, 1);

  return n == 0;
}

/* The input of these handlers ends when a drain begins. */
static SrvBaseRequestHandler *
make_reader (G_GNUC_UNUSED SrvBaseServer *server,
             G_GNUC_UNUSED SrvRequest *request,
             G_GNUC_UNUSED gpointer user_data)
{
  SrvBaseRequestHandler *handler =
    g_object_new (SRV_TYPE_STREAM_REQUEST_HANDLER, "end-on-drain", TRUE, NULL);

  srv_base_request_handler_set_function (handler, read_to_the_end, NULL, NULL);
  return handler;
}

static SrvBaseServer *
make_reading_server (guint workers)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, workers, NULL);

  srv_base_server_set_handler_factory (server, make_reader, NULL, NULL);

  return server;
}

static SrvMixIn *
make_inner (int i)
{
  switch (i)
    {
    case 0:
      return NULL;
    case 1:
      return srv_threading_mix_in_new ();
    case 2:
      return srv_fiber_mix_in_new ();
    default:
      return g_object_new (SRV_TYPE_FORKING_MIX_IN, "fork-guard",
                           SRV_FORK_GUARD_IGNORE, NULL);
    }
}

/* None is the first of them. */
#define N_INNER 4

/* Handlers that only wait for their client end at once, in every process. */
START_TEST (drain_reaches_all_workers)
{
  SrvBaseServer *server = make_reading_server (3);
  g_autoptr (SrvMixIn) inner = make_inner (_i);
  SrvTestRun *run;
  gint64 before;
  int fds[3];

  srv_prefork_mix_in_set_inner (prefork_of (server), inner);
  run = srv_test_run (server);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, G_N_ELEMENTS (fds));
  before = g_get_monotonic_time ();
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_ENDED), G_N_ELEMENTS (fds));
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      srv_test_expect_end (fds[i]);
      srv_test_close (fds[i]);
    }
  ck_assert (srv_test_join (run, NULL));
  g_object_unref (server);
}
END_TEST

/* One worker serves two clients at the same time with a mix-in inside. */
START_TEST (inner_mix_in_serves_several)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, 1, wait_at_gate);
  g_autoptr (SrvMixIn) inner = make_inner (_i + 1);
  SrvTestRun *run;
  int fds[2];

  srv_prefork_mix_in_set_inner (prefork_of (server), inner);
  /* A gate of the test parks the thread and not the fiber. */
  if (SRV_IS_FIBER_MIX_IN (inner))
    srv_fiber_mix_in_set_workers (SRV_FIBER_MIX_IN (inner), 4);
  run = srv_test_run (server);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_wait_for_number (N_RUNNING, i + 1);
    }
  ck_assert_uint_eq (count_workers (server), 1);
  srv_test_open_gate (0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    expect_done (fds[i]);
  ck_assert_uint_eq (read_counter (server, "n-accepted"), 2);
  srv_test_finish (run);
}
END_TEST

/* The parent's death. */

/* A process with a server, which tells its workers' number and serves. */
static pid_t
start_parent (SrvBaseServer *server)
{
  pid_t pid = fork ();

  if (pid != 0)
    return pid;
  srv_base_server_serve_forever (server, NULL);
  _exit (EXIT_SUCCESS);
}

static guint
count_ended (void)
{
  guint n = 0;

  while (waitpid (-1, NULL, WNOHANG) > 0)
    n++;
  return n;
}

/* Workers go when their parent does, the busy ones too; nothing tells them but
 * the end of their leash. */
START_TEST (workers_do_not_outlive_their_parent)
{
  SrvBaseServer *server = make_reading_server (2);
  guint n_ended = 0;
  pid_t parent;
  int fds[2];

  /* Orphans become ours, so that they can be waited for. */
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  parent = start_parent (server);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, G_N_ELEMENTS (fds));
  kill (parent, SIGKILL);
  srv_test_eventually ((n_ended += count_ended ()) == 3);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      srv_test_expect_end (fds[i]);
      srv_test_close (fds[i]);
    }
  g_object_unref (server);
}
END_TEST

/* Transports. */

/* The path is the parent's: it stays when workers end and goes with the
 * server. */
START_TEST (unix_path_survives_workers)
{
  SrvTestTransport transport = _i == 0 ? SRV_TEST_UNIX : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server = make_server (transport, 1, NULL);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *path = srv_test_path ("socket");

  srv_test_begin_log ();
  for (guint i = 1; i <= 2; i++)
    {
      srv_test_echo (server, "hello\n");
      kill (first_worker (server), i == 1 ? SIGTERM : SIGKILL);
      srv_test_wait_for_number (N_EXITED, i);
      ck_assert (g_file_test (path, G_FILE_TEST_EXISTS));
    }
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
  srv_test_end_log ();
  ck_assert (!g_file_test (path, G_FILE_TEST_EXISTS));
}
END_TEST

/* Each datagram is answered once, whoever of the workers got it. */
START_TEST (datagrams_are_answered_once)
{
  SrvBaseServer *server = make_server (SRV_TEST_UDP, 3, NULL);
  SrvTestRun *run = srv_test_run (server);
  int fds[20];

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      g_autofree char *text = g_strdup_printf ("packet %u", i);

      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], text);
    }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      g_autofree char *text = g_strdup_printf ("packet %u", i);

      srv_test_expect (fds[i], text);
    }
  srv_test_eventually (count_state (server, SRV_WORKER_STATE_IDLE) == 3);
  ck_assert_uint_eq (read_counter (server, "n-accepted"), G_N_ELEMENTS (fds));
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      ck_assert (srv_test_is_quiet (fds[i]));
      srv_test_close (fds[i]);
    }
  srv_test_finish (run);
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
    { "scoreboard", scoreboard_tells_what_workers_do, 1 },
    { "end", stop_leaves_busy_workers_alone, 1 },
    { "end", stubborn_worker_is_killed, 1 },
    { "end", drain_reaches_all_workers, N_INNER },
    { "end", workers_do_not_outlive_their_parent, 1 },
    { "inner", inner_mix_in_serves_several, N_INNER - 1 },
    { "transports", unix_path_survives_workers, 2 },
    { "transports", datagrams_are_answered_once, 1 },
  };

  return srv_test_run_entries ("Prefork", tests, G_N_ELEMENTS (tests));
}
