/* test-fiber-life.c - a server with fibers, from its first run to its end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fiber-server-test.h"

/* Numbers of the tests. */
enum
{
  N_RUNNING,
  N_SEEN,
  N_ENDED,
  N_FINALIZED,
  IN_CLOSE,
};

static gboolean
wait_at_gate (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);
  srv_test_add_number (N_ENDED, 1);

  return srv_test_reply (handler, "done\n", error);
}

/* How many connections there are at a time. */
#define N_LONG 64

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
  if (g_get_monotonic_time () - before < SRV_TEST_AT_ONCE * 1000)
    srv_test_add_number (N_SEEN, 1);

  return srv_test_reply (handler, "done\n", error);
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
  srv_test_expect_done (fd);
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
  if (!srv_test_reply (handler, "done\n", error))
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
  srv_test_expect_done (fd);
  srv_test_wait_for_number (N_FINALIZED, 1);
}
END_TEST

#define N_RUNS 15

/* The loop ends and begins again; a long connection lives on through all of it,
 * and those that come in between wait. */
START_TEST (connections_outlive_the_loop)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], srv_test_echo_lines);
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

/* ThreadSanitizer does not see the locks of a main context. */
#ifdef __SANITIZE_THREAD__
#define SEES_CONTEXTS FALSE
#else
#define SEES_CONTEXTS TRUE
#endif

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
    make_server (SRV_TEST_TCP, worker_counts[_i], srv_test_echo_lines);

  for (guint round = 0; round < 3; round++)
    {
      SrvTestRun *run = srv_test_run (server);

      srv_test_echo (server, "loop\n");
      srv_test_stop (run);
      if (SEES_CONTEXTS)
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
  srv_test_expect_done (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* service_actions that fails ends the run; a handler that asks for a stop ends
 * only itself, as in a thread. */
START_TEST (hooks_may_end_the_run)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, worker_counts[_i], NULL);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  int fds[2];

  srv_test_set_fault ("handle", SRV_TEST_STOP);
  run = srv_test_run (server);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "hello\n");
      srv_test_expect_gone (fds[i]);
      srv_test_close (fds[i]);
    }
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
  srv_test_stop (run);

  srv_test_set_fault ("handle", SRV_TEST_FINE);
  srv_test_set_fault ("service_actions", SRV_TEST_ERROR);
  run = srv_test_run (server);
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

  return srv_test_reply (handler, "done\n", error);
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
    srv_test_expect_done (fds[i]);
  join_well (run);
  g_object_unref (server);
}
END_TEST

/* Those that do not end in time are cut, in all workers, and counted. */
START_TEST (close_cuts_all_workers)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, worker_counts[_i], srv_test_echo_lines);
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
    { "life", handler_may_close, 2 * N_COUNTS },
    { "life", last_reference_may_go_in_a_handler, N_COUNTS },
    { "life", connections_outlive_the_loop, N_COUNTS },
    { "life", ways_of_serving_may_change, N_COUNTS },
    { "life", fatal_accept_error_ends_the_run, N_COUNTS },
    { "life", hooks_may_end_the_run, N_COUNTS },
    { "life", drain_reaches_all_workers, N_COUNTS },
    { "life", close_cuts_all_workers, N_COUNTS },
  };

  return srv_test_run_entries ("FiberLife", tests, G_N_ELEMENTS (tests));
}
