/* test-forking.c - a process for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "forking-test.h"

#include <stdlib.h>
#include <sys/resource.h>

#define NOBODY 65534

/* The limit. */

/* Python's number; the guard warns. */
START_TEST (defaults_are_documented)
{
  g_autoptr (SrvMixIn) mix_in = srv_forking_mix_in_new ();
  SrvForkingMixIn *forking = SRV_FORKING_MIX_IN (mix_in);

  ck_assert_uint_eq (srv_forking_mix_in_get_max_children (forking), 40);
  ck_assert_int_eq (srv_forking_mix_in_get_fork_guard (forking),
                    SRV_FORK_GUARD_WARN);
  ck_assert_uint_eq (srv_forking_mix_in_get_n_active_children (forking), 0);
  ck_assert (srv_mix_in_get_block_on_close (mix_in));
}
END_TEST

#define LIMIT     5
#define N_CLIENTS 200

/* The first children wait for each other, so that LIMIT really run at a time;
 * all look whether there are more. */
static gboolean
crowd (SrvBaseRequestHandler *handler,
       G_GNUC_UNUSED gpointer user_data,
       GError **error)
{
  gboolean fine;

  srv_test_add_number (N_RUNNING, 1);
  wait_for_others (LIMIT);
  if (srv_test_get_number (N_RUNNING) > LIMIT)
    srv_test_set_number (NOTE, srv_test_get_number (N_RUNNING));
  srv_test_add_number (N_RUNNING, -1);
  fine = srv_test_reply (handler, "done\n", error);

  return fine;
}

/* A burst is served by max-children processes at a time; no reply is lost and
 * no zombie stays (SS-127, SS-129, D-13). */
START_TEST (burst_keeps_to_the_limit)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, crowd);
  SrvTestRun *run;
  int fds[N_CLIENTS];

  srv_forking_mix_in_set_max_children (forking_of (server), LIMIT);
  for (guint i = 0; i < N_CLIENTS; i++)
    fds[i] = srv_test_connect (server);
  run = srv_test_run (server);
  /* Collected while the loop runs, not at close. This thread sleeps meanwhile:
   * a lock that it held during a fork would stay locked in the child. */
  srv_test_wait_for_number (N_EXITED, N_CLIENTS);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_expect_end (fds[i]);
      srv_test_close (fds[i]);
    }
  ck_assert_int_eq (srv_test_get_number (NOTE), 0);

  ck_assert (!srv_test_has_children ());
  ck_assert_uint_eq (srv_forking_mix_in_get_n_active_children (
                       forking_of (server)),
                     0);
  srv_test_finish (run);
}
END_TEST

#define N_CROWD 45

static gboolean
wait_for_all (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  wait_for_others (N_CROWD);

  return srv_test_reply (handler, "done\n", error);
}

/* Zero children at most means no limit. Python spins (SS-133, D-16). */
START_TEST (limit_of_zero_is_no_limit)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_for_all);
  SrvTestRun *run;
  int fds[N_CROWD];

  srv_forking_mix_in_set_max_children (forking_of (server), 0);
  for (guint i = 0; i < N_CROWD; i++)
    fds[i] = srv_test_connect (server);
  run = srv_test_run (server);
  /* All have been forked before this thread goes on. */
  srv_test_wait_for_number (N_SEEN, N_CROWD);
  for (guint i = 0; i < N_CROWD; i++)
    {
      srv_test_expect (fds[i], "done\n");
      srv_test_close (fds[i]);
    }
  srv_test_finish (run);
}
END_TEST

/* A server at its limit takes nobody, but it stops when asked. Python's loop
 * is blocked until a child ends (SS-131, D-16). */
START_TEST (stop_works_at_the_limit)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate);
  SrvTestRun *run;
  gint64 before;
  int fds[2];

  srv_forking_mix_in_set_max_children (forking_of (server), 1);
  run = srv_test_run (server);
  fds[0] = srv_test_connect (server);
  fds[1] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);

  before = g_get_monotonic_time ();
  srv_test_stop (run);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_RUNNING), 1);
  ck_assert_uint_eq (srv_forking_mix_in_get_n_active_children (
                       forking_of (server)),
                     1);

  srv_test_open_gate (0);
  srv_test_expect (fds[0], "done\n");
  srv_test_close (fds[0]);
  srv_test_close (fds[1]);
  drop_server (server);
}
END_TEST

/* The limit counts for single requests too: the call waits for a child to end
 * before it takes the next client (SS-128, D-14). */
START_TEST (single_requests_keep_to_the_limit)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate);
  int fds[2];

  srv_forking_mix_in_set_max_children (forking_of (server), 1);
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
  drop_server (server);
}
END_TEST

/* Collecting. */

/* Who only ever calls handle_request() gets no zombies either. Python has
 * collected nothing there since 3.3 (SS-128, D-14). */
START_TEST (single_requests_leave_no_zombies)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);

  for (guint i = 0; i < 20; i++)
    echo_alone (server, "hello\n");
  srv_test_eventually (handle_one (server, 0) == SRV_HANDLE_RESULT_TIMED_OUT &&
                       !srv_test_has_children ());
  ck_assert_int_eq (srv_test_get_number (N_EXITED), 20);
  ck_assert_uint_eq (srv_forking_mix_in_get_n_active_children (
                       forking_of (server)),
                     0);
  drop_server (server);
}
END_TEST

/* Children of other code keep their exit status for it, also when the server
 * is at its limit. Python takes it away (SS-132, D-15). */
START_TEST (foreign_child_is_not_stolen)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);
  SrvTestRun *run;
  int status = 0;
  pid_t pid = fork ();

  ck_assert_int_ge (pid, 0);
  if (pid == 0)
    _exit (72);

  srv_forking_mix_in_set_max_children (forking_of (server), 1);
  run = srv_test_run (server);
  for (guint i = 0; i < 10; i++)
    srv_test_echo (server, "hello\n");
  srv_test_wait_for_number (N_EXITED, 10);
  srv_test_stop (run);
  srv_base_server_server_close (server);

  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  ck_assert (WIFEXITED (status));
  ck_assert_int_eq (WEXITSTATUS (status), 72);
  g_object_unref (server);
}
END_TEST

static gboolean
end_well (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
          G_GNUC_UNUSED gpointer user_data,
          G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static gboolean
end_failed (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
            G_GNUC_UNUSED gpointer user_data,
            GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no luck");

  return FALSE;
}

static gboolean
end_stopped (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_STOP, "enough");

  return FALSE;
}

static gboolean
end_killed (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
            G_GNUC_UNUSED gpointer user_data,
            G_GNUC_UNUSED GError **error)
{
  kill (getpid (), SIGKILL);

  return TRUE;
}

static gboolean
end_with_own_status (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
                     G_GNUC_UNUSED gpointer user_data,
                     G_GNUC_UNUSED GError **error)
{
  _exit (7);
}

static const struct
{
  SrvHandlerFunc function;
  int exit_status;
  int signal_number;
} ends[] = {
  { end_well, 0, 0 },
  { end_failed, 1, 0 },
  { end_stopped, 1, 0 },
  { end_killed, 0, SIGKILL },
  { end_with_own_status, 7, 0 },
};

/* How a child ended reaches child-exited, with its pid. Python drops it
 * (SS-122, SS-123, SS-137). */
START_TEST (exit_status_is_told)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, ends[_i].function);
  SrvTestRun *run = srv_test_run (server);
  int status;
  int fd;

  fd = srv_test_connect (server);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_test_wait_for_number (N_EXITED, 1);
  status = (int) srv_test_get_number (LAST_STATUS);
  ck_assert_int_gt (srv_test_get_number (LAST_PID), 0);
  if (ends[_i].signal_number != 0)
    {
      ck_assert (WIFSIGNALED (status));
      ck_assert_int_eq (WTERMSIG (status), ends[_i].signal_number);
    }
  else
    {
      ck_assert (WIFEXITED (status));
      ck_assert_int_eq (WEXITSTATUS (status), ends[_i].exit_status);
    }
  srv_test_finish (run);
}
END_TEST

/* Unlike a gate it has nothing that a killed process could leave locked. */
static gboolean
wait_for_line (SrvBaseRequestHandler *handler,
               G_GNUC_UNUSED gpointer user_data,
               GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  const char *line;

  srv_test_add_number (N_RUNNING, 1);

  return srv_reader_read_line (rfile, &line, 100, error) >= 0 &&
         srv_test_reply (handler, "done\n", error);
}

/* A child that was killed ends its own client's connection and nothing else;
 * serving goes on. */
START_TEST (killed_child_hurts_nobody)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_for_line);
  SrvForkingMixIn *forking = forking_of (server);
  g_autoptr (GArray) children = NULL;
  SrvTestRun *run;
  int victim;
  int other;
  int fd;

  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_eventually (srv_forking_mix_in_get_n_active_children (forking) == 1);
  children = srv_forking_mix_in_get_active_children (forking);
  ck_assert_uint_eq (children->len, 1);
  victim = g_array_index (children, int, 0);
  other = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 2);

  ck_assert_int_eq (kill (victim, SIGKILL), 0);
  srv_test_expect_gone (fd);
  srv_test_wait_for_number (N_EXITED, 1);
  ck_assert_int_eq (srv_test_get_number (LAST_PID), victim);

  srv_test_say (other, "go on\n");
  srv_test_expect (other, "done\n");
  srv_test_close (other);
  srv_test_close (fd);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_expect (fd, "done\n");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A process that ignores SIGCHLD has no statuses to collect; the server still
 * knows when its children ended (SS-134). */
START_TEST (sigchld_may_be_ignored)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);
  SrvTestRun *run;

  signal (SIGCHLD, SIG_IGN);
  srv_forking_mix_in_set_max_children (forking_of (server), 2);
  run = srv_test_run (server);
  for (guint i = 0; i < 10; i++)
    srv_test_echo (server, "hello\n");
  srv_test_wait_for_number (N_EXITED, 10);
  ck_assert_int_eq (srv_test_get_number (LAST_STATUS), -1);
  ck_assert_uint_eq (srv_forking_mix_in_get_n_active_children (
                       forking_of (server)),
                     0);
  srv_test_finish (run);
  signal (SIGCHLD, SIG_DFL);
}
END_TEST

/* What cannot be. */

/* The guard against forking beside threads fails the request, not the server
 * (D-18). */
START_TEST (guard_refuses_beside_threads)
{
  const guint n_threads = srv_test_count_threads ();
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);
  SrvTestRun *run;
  int fd;

  srv_forking_mix_in_set_fork_guard (forking_of (server),
                                     SRV_FORK_GUARD_REFUSE);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_test_wait_for_trace ("handle_error", 1);
  ck_assert_uint_eq (srv_test_get_error_domain (), SRV_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_THREADS);
  srv_test_stop (run);

  /* Alone, in this thread, there is nothing against it. One that was joined may
   * still be going. */
  srv_test_eventually (srv_test_count_threads () == n_threads);
  echo_alone (server, "hello\n");
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  drop_server (server);
}
END_TEST

/* By default the guard warns, once. */
START_TEST (guard_warns_once)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);
  SrvTestRun *run;

  srv_forking_mix_in_set_fork_guard (forking_of (server), SRV_FORK_GUARD_WARN);
  srv_test_begin_log ();
  echo_alone (server, "hello\n");
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, NULL), 0);
  run = srv_test_run (server);
  for (guint i = 0; i < 3; i++)
    srv_test_echo (server, "hello\n");
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, "thread"), 1);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, NULL), 1);
  srv_test_end_log ();
}
END_TEST

/* The limit does not bind root, so the test is somebody else for a while. */
static void
forbid_processes (gboolean forbid)
{
  static struct rlimit saved;
  struct rlimit limit;

  if (forbid)
    {
      ck_assert_int_eq (getrlimit (RLIMIT_NPROC, &saved), 0);
      limit = saved;
      limit.rlim_cur = 0;
      ck_assert_int_eq (setrlimit (RLIMIT_NPROC, &limit), 0);
      if (geteuid () == 0)
        ck_assert_int_eq (setresuid (NOBODY, NOBODY, 0), 0);
      return;
    }

  if (getuid () == NOBODY)
    setresuid ((uid_t) -1, 0, (uid_t) -1);
  if (geteuid () == 0)
    ck_assert_int_eq (setresuid (0, 0, 0), 0);
  ck_assert_int_eq (setrlimit (RLIMIT_NPROC, &saved), 0);
}

/* A process that cannot be had is one request's failure: its client sees the
 * end, the next one is served (SS-126). */
START_TEST (failed_fork_is_an_error_of_the_request)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);
  SrvHandleResult result;
  int fd = srv_test_connect (server);

  forbid_processes (TRUE);
  result = handle_one (server, SRV_TEST_PATIENCE);
  forbid_processes (FALSE);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_HANDLED);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  ck_assert_uint_eq (srv_test_get_error_domain (), SRV_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_LIMIT);
  ck_assert_uint_eq (srv_test_count_trace ("shutdown_request"), 1);
  ck_assert_uint_eq (srv_test_count_trace ("close_request"), 1);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  ck_assert_uint_eq (srv_base_server_get_n_active_requests (server), 0);

  echo_alone (server, "hello\n");
  drop_server (server);
}
END_TEST

#define MAX_HOARD 64

/* Descriptors that are taken in the parent as soon as it has forked. */
static int hoard[MAX_HOARD];
static guint n_hoarded;
static gboolean hoarding;

static void
hoard_descriptors (void)
{
  int fd;

  while (hoarding && n_hoarded < MAX_HOARD &&
         (fd = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    hoard[n_hoarded++] = fd;
}

static void
begin_hoarding (struct rlimit *saved)
{
  struct rlimit limit;
  int next = dup (STDIN_FILENO);

  close (next);
  ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, saved), 0);
  limit = *saved;
  limit.rlim_cur = (rlim_t) next + MAX_HOARD / 2;
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
  ck_assert_int_eq (pthread_atfork (NULL, hoard_descriptors, NULL), 0);
  hoarding = TRUE;
}

static void
end_hoarding (const struct rlimit *saved)
{
  hoarding = FALSE;
  ck_assert_uint_gt (n_hoarded, 0);
  for (guint i = 0; i < n_hoarded; i++)
    close (hoard[i]);
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, saved), 0);
}

/* A child that no descriptor watches, for want of one, is collected by single
 * requests and by close all the same. */
START_TEST (unwatched_child_is_collected)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);
  struct rlimit saved;
  int fd = srv_test_connect (server);

  srv_test_say (fd, "hello\n");
  begin_hoarding (&saved);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_expect (fd, "hello\n");
  end_hoarding (&saved);
  srv_test_close (fd);
  if (_i == 0)
    srv_test_eventually (handle_one (server, 0) ==
                           SRV_HANDLE_RESULT_TIMED_OUT &&
                         !srv_test_has_children ());
  drop_server (server);
  ck_assert_int_eq (srv_test_get_number (N_EXITED), 1);
}
END_TEST

/* The loop collects such a child too, though nothing else happens. */
START_TEST (loop_collects_unwatched_children)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, wait_at_gate);
  SrvTestRun *run = srv_test_run (server);
  struct rlimit saved;
  int fd;

  begin_hoarding (&saved);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_open_gate (0);
  srv_test_expect (fd, "done\n");
  srv_test_wait_for_number (N_EXITED, 1);
  ck_assert (!srv_test_has_children ());
  end_hoarding (&saved);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "limit", defaults_are_documented, 1 },
    { "limit", burst_keeps_to_the_limit, 1 },
    { "limit", limit_of_zero_is_no_limit, 1 },
    { "limit", stop_works_at_the_limit, 1 },
    { "limit", single_requests_keep_to_the_limit, 1 },
    { "collecting", single_requests_leave_no_zombies, 1 },
    { "collecting", foreign_child_is_not_stolen, 1 },
    { "collecting", exit_status_is_told, G_N_ELEMENTS (ends) },
    { "collecting", killed_child_hurts_nobody, 1 },
    { "collecting", sigchld_may_be_ignored, 1 },
    { "failures", guard_refuses_beside_threads, 1 },
    { "failures", guard_warns_once, 1 },
    { "failures", failed_fork_is_an_error_of_the_request, 1 },
    { "failures", unwatched_child_is_collected, 2 },
    { "failures", loop_collects_unwatched_children, 1 },
  };

  return srv_test_run_entries ("Forking", tests, G_N_ELEMENTS (tests));
}
