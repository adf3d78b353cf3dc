/* test-prefork-end.c - what workers do, and how they end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "prefork-test.h"

#include <stdlib.h>
#include <sys/prctl.h>

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
  srv_test_expect_done (fd);
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
  srv_test_expect_done (first);
  srv_test_expect_done (second);
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
  /* On a busy machine the other one may be late, and killed as well. */
  ck_assert_int_ge (srv_test_get_number (N_KILLED), 1);
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
    srv_test_expect_done (fds[i]);
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
    { "scoreboard", scoreboard_tells_what_workers_do, 1 },
    { "end", stop_leaves_busy_workers_alone, 1 },
    { "end", stubborn_worker_is_killed, 1 },
    { "end", drain_reaches_all_workers, N_INNER },
    { "end", workers_do_not_outlive_their_parent, 1 },
    { "inner", inner_mix_in_serves_several, N_INNER - 1 },
    { "transports", unix_path_survives_workers, 2 },
    { "transports", datagrams_are_answered_once, 1 },
  };

  return srv_test_run_entries ("PreforkEnd", tests, G_N_ELEMENTS (tests));
}
