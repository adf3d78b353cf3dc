/* test-drain.c - close waits for handlers, then cuts them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* Longer than any test may take. */
#define FOR_EVER_MS srv_test_scale (60000)

/* Numbers of the tests. */
enum
{
  N_RUNNING,
  N_ENDED,
  N_DRAINING, /* handlers that saw the drain */
  CHILD,
  LAST_STATUS,
  N_CUT,
};

static SrvBaseServer *
make_server (SrvTestTransport transport,
             SrvTestMixIn mix_in,
             SrvHandlerFunc function)
{
  SrvBaseServer *server = srv_test_server_new (transport, mix_in);

  srv_base_server_set_handler_func (server, function, NULL, NULL);
  srv_test_clear_trace ();

  return server;
}

/* Returns how many requests were cut. */
static guint
close_in_time (SrvBaseServer *server, int at_least_ms)
{
  gint64 before = g_get_monotonic_time ();
  guint n_cut = srv_base_server_server_close (server);

  srv_test_assert_took (before, at_least_ms);
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_CLOSED);
  ck_assert_uint_eq (srv_base_server_get_n_cut_requests (server), n_cut);

  return n_cut;
}

/* After close: the run has ended well. */
static void
drop_server (SrvTestRun *run)
{
  SrvBaseServer *server = run->server;
  g_autoptr (GError) error = NULL;

  ck_assert (srv_test_join (run, &error));
  srv_test_assert_no_error (error);
  /* A handler that closed the server may still be on its way out. */
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
  g_object_unref (server);
}

/* Waiting. */

/* Says goodbye as soon as a drain begins. */
static gboolean
say_goodbye (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  GCancellable *cancellable =
    srv_base_request_handler_get_drain_cancellable (handler);
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  g_autoptr (GError) reason = NULL;

  srv_test_add_number (N_RUNNING, 1);
  srv_wait_fd (srv_request_fileno (request), G_IO_IN,
               srv_test_deadline_in (SRV_TEST_PATIENCE), cancellable, &reason);
  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
      srv_base_request_handler_is_draining (handler))
    srv_test_add_number (N_DRAINING, 1);
  if (!srv_test_reply (handler, "goodbye\n", error))
    return FALSE;
  srv_test_add_number (N_ENDED, 1);

  return TRUE;
}

/* Handlers learn of the drain by question and by cancellable; close waits for
 * their end and cuts nobody (SS-136, SS-146). */
START_TEST (close_waits_for_handlers)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, (SrvTestMixIn) _i, say_goodbye);
  guint n_clients = _i == SRV_TEST_INLINE ? 1 : 3;
  SrvTestRun *run = srv_test_run (server);
  int fds[3];

  for (guint i = 0; i < n_clients; i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, n_clients);
  ck_assert (!srv_base_server_is_draining (server));
  ck_assert_uint_eq (close_in_time (server, 0), 0);
  ck_assert_int_eq (srv_test_get_number (N_DRAINING), n_clients);
  ck_assert_int_eq (srv_test_get_number (N_ENDED), n_clients);
  for (guint i = 0; i < n_clients; i++)
    {
      srv_test_expect (fds[i], "goodbye\n");
      srv_test_expect_end (fds[i]);
      srv_test_close (fds[i]);
    }
  drop_server (run);
}
END_TEST

/* The last reference waits as close does. (Inline, the stop has waited.) */
START_TEST (last_reference_waits_for_handlers)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, (SrvTestMixIn) (_i + 1), say_goodbye);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_stop (run);
  g_object_unref (server);
  srv_test_wait_for_number (N_ENDED, 1);
  srv_test_expect (fd, "goodbye\n");
  srv_test_close (fd);
}
END_TEST

static gpointer
close_in_thread (gpointer data)
{
  srv_test_set_number (N_CUT, srv_base_server_server_close (data));

  return NULL;
}

static gboolean
reply_while_draining (SrvBaseRequestHandler *handler,
                      G_GNUC_UNUSED gpointer user_data,
                      GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_for_drain (handler);

  return srv_datagram_request_handler_write (SRV_DATAGRAM_REQUEST_HANDLER (
                                               handler),
                                             "late", 4, error);
}

/* A datagram that was taken is answered though the server is on its way out:
 * its socket is there until the last handler has ended. */
START_TEST (datagram_is_answered_during_the_drain)
{
  SrvTestTransport transport = _i < SRV_TEST_N_MIX_INS ? SRV_TEST_UDP
                                                       : SRV_TEST_UNIXGRAM;
  SrvBaseServer *server = make_server (transport,
                                       (SrvTestMixIn) (_i % SRV_TEST_N_MIX_INS),
                                       reply_while_draining);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_say (fd, "question");
  srv_test_wait_for_number (N_RUNNING, 1);
  ck_assert_uint_eq (close_in_time (server, 0), 0);
  srv_test_expect (fd, "late");
  srv_test_close (fd);
  drop_server (run);
}
END_TEST

static gboolean
close_server (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_CUT, srv_base_server_server_close (
                                srv_base_request_handler_get_server (handler)));
  srv_test_add_number (N_ENDED, 1);

  return srv_test_reply (handler, "closed\n", error);
}

/* A handler that closes the server is not waited for by itself, and its
 * client gets the reply. */
START_TEST (closing_handler_does_not_wait_for_itself)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, (SrvTestMixIn) _i, close_server);
  SrvTestRun *run;
  gint64 before;
  int fd;

  srv_base_server_set_drain_timeout (server, FOR_EVER_MS);
  run = srv_test_run (server);
  before = g_get_monotonic_time ();
  fd = srv_test_connect (server);
  srv_test_expect (fd, "closed\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  drop_server (run);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_CUT), 0);
}
END_TEST

/* Cutting. */

/* Reads from a client that says nothing. */
static gboolean
read_for_ever (SrvBaseRequestHandler *handler,
               G_GNUC_UNUSED gpointer user_data,
               GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  const char *line;

  srv_test_set_number (CHILD, getpid ());
  srv_test_add_number (N_RUNNING, 1);

  return srv_reader_read_line (rfile, &line, 100, error) >= 0;
}

static const int drain_timeouts[] = { 0, 100 };

/* A handler that waits for a silent client is cut when drain-timeout is over;
 * close counts it. Python waits for ever (SS-136, SS-146). */
START_TEST (silent_client_is_cut)
{
  SrvTestMixIn mix_in = (SrvTestMixIn) (_i % SRV_TEST_N_MIX_INS);
  int drain_timeout = drain_timeouts[_i / SRV_TEST_N_MIX_INS];
  SrvBaseServer *server = make_server (SRV_TEST_TCP, mix_in, read_for_ever);
  SrvTestRun *run;
  guint n_cut_property;
  int fd;

  srv_base_server_set_drain_timeout (server, drain_timeout);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  ck_assert_uint_eq (close_in_time (server, drain_timeout), 1);
  g_object_get (server, "n-cut-requests", &n_cut_property, NULL);
  ck_assert_uint_eq (n_cut_property, 1);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  drop_server (run);
}
END_TEST

/* The closing handler waits for the others, and counts those that it cut. */
static gboolean
close_or_read (SrvBaseRequestHandler *handler,
               gpointer user_data,
               GError **error)
{
  SrvBaseServer *server = srv_base_request_handler_get_server (handler);

  if (srv_base_server_get_n_active_requests (server) == 1)
    return read_for_ever (handler, user_data, error);

  return close_server (handler, user_data, error);
}

START_TEST (closing_handler_cuts_the_others)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, SRV_TEST_THREADING, close_or_read);
  SrvTestRun *run;
  int fds[2];

  srv_base_server_set_drain_timeout (server, 50);
  run = srv_test_run (server);
  fds[0] = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  fds[1] = srv_test_connect (server);
  srv_test_expect (fds[1], "closed\n");
  srv_test_expect_gone (fds[0]);
  ck_assert_int_eq (srv_test_get_number (N_CUT), 1);
  srv_test_close (fds[0]);
  srv_test_close (fds[1]);
  drop_server (run);
}
END_TEST

static void
note_exit (G_GNUC_UNUSED SrvForkingMixIn *mix_in,
           G_GNUC_UNUSED int pid,
           int wait_status,
           G_GNUC_UNUSED gpointer user_data)
{
  srv_test_set_number (LAST_STATUS, wait_status);
}

static gboolean
ignore_sigterm (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                G_GNUC_UNUSED GError **error)
{
  signal (SIGTERM, SIG_IGN);
  srv_test_add_number (N_RUNNING, 1);
  for (;;)
    pause ();

  return TRUE;
}

/* A child that heeds neither its connection's end nor SIGTERM is killed, after
 * cut-timeout. */
START_TEST (stubborn_child_is_killed)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, SRV_TEST_FORKING, ignore_sigterm);
  SrvTestRun *run;
  int status;
  int fd;

  g_signal_connect (srv_base_server_get_mix_in (server), "child-exited",
                    G_CALLBACK (note_exit), NULL);
  srv_base_server_set_drain_timeout (server, 50);
  srv_base_server_set_cut_timeout (server, 500);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  ck_assert_uint_eq (close_in_time (server, 550), 1);
  ck_assert (!srv_test_has_children ());
  status = (int) srv_test_get_number (LAST_STATUS);
  ck_assert (WIFSIGNALED (status));
  ck_assert_int_eq (WTERMSIG (status), SIGKILL);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  drop_server (run);
}
END_TEST

/* A child that somebody kills during the drain ends it; that was no cut. */
START_TEST (killed_child_ends_the_drain)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, SRV_TEST_FORKING, read_for_ever);
  SrvTestRun *run;
  GThread *closer;
  gint64 before;
  int fd;

  srv_base_server_set_drain_timeout (server, FOR_EVER_MS);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  srv_test_set_number (N_CUT, -1);
  closer = g_thread_new ("closer", close_in_thread, server);
  srv_test_eventually (srv_base_server_is_draining (server));
  before = g_get_monotonic_time ();
  kill ((pid_t) srv_test_get_number (CHILD), SIGKILL);
  g_thread_join (closer);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_CUT), 0);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  drop_server (run);
}
END_TEST

/* A second close during the drain comes back when the server is closed, and
 * changes nothing. */
START_TEST (second_close_joins_the_first)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, (SrvTestMixIn) _i, read_for_ever);
  SrvTestRun *run;
  GThread *closer;
  int fd;

  srv_base_server_set_drain_timeout (server, 100);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  closer = g_thread_new ("closer", close_in_thread, server);
  srv_test_eventually (srv_base_server_is_draining (server));
  srv_base_server_server_close (server);
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_CLOSED);
  ck_assert_uint_eq (srv_base_server_get_n_active_requests (server), 0);
  g_thread_join (closer);
  ck_assert_int_eq (srv_test_get_number (N_CUT), 1);
  ck_assert_uint_eq (srv_base_server_get_n_cut_requests (server), 1);
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
  srv_test_close (fd);
  drop_server (run);
}
END_TEST

/* Signals. */

static SrvTestRun *
run_with_signals (SrvTestMixIn mix_in, int drain_timeout, int *fd)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, mix_in, read_for_ever);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  srv_base_server_set_drain_timeout (server, drain_timeout);
  ck_assert (srv_signals_bind (server, &error));
  srv_test_assert_no_error (error);
  run = srv_test_run (server);
  *fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);

  return run;
}

static const int stop_signals[] = { SIGTERM, SIGINT };

/* The first signal stops the loop and leaves the handlers their time; the
 * second cuts them at once. */
START_TEST (second_signal_hurries_the_drain)
{
  SrvTestMixIn mix_in = _i % 2 == 0 ? SRV_TEST_THREADING : SRV_TEST_FORKING;
  int signal_number = stop_signals[_i / 2];
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;
  SrvTestRun *run;
  GThread *closer;
  gint64 before;
  int fd;

  run = run_with_signals (mix_in, FOR_EVER_MS, &fd);
  server = run->server;
  raise (signal_number);
  ck_assert (srv_test_join (run, &error));
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_ACTIVE);

  closer = g_thread_new ("closer", close_in_thread, server);
  srv_test_eventually (srv_base_server_is_draining (server));
  ck_assert (srv_test_is_quiet (fd));
  before = g_get_monotonic_time ();
  raise (signal_number);
  g_thread_join (closer);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_CUT), 1);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_signals_unbind (server);
  g_object_unref (server);
}
END_TEST

/* A second signal that comes before close counts as well. */
START_TEST (early_second_signal_hurries_the_drain)
{
  SrvTestMixIn mix_in = _i == 0 ? SRV_TEST_THREADING : SRV_TEST_FORKING;
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;
  SrvTestRun *run;
  int fd;

  run = run_with_signals (mix_in, FOR_EVER_MS, &fd);
  server = run->server;
  raise (SIGTERM);
  raise (SIGTERM);
  ck_assert (srv_test_join (run, &error));
  ck_assert_uint_eq (close_in_time (server, 0), 1);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_signals_unbind (server);
  g_object_unref (server);
}
END_TEST

/* An inline handler that is blocked in a read ends when drain-timeout is over
 * after the first signal, whatever thread the signal came to. */
START_TEST (signal_ends_a_blocked_inline_handler)
{
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;
  SrvTestRun *run;
  gint64 before;
  int fd;

  run = run_with_signals (SRV_TEST_INLINE, 150, &fd);
  server = run->server;
  before = g_get_monotonic_time ();
  if (_i == 0)
    tgkill (getpid (), run->tid, SIGTERM);
  else
    raise (SIGTERM);
  ck_assert (srv_test_join (run, &error));
  srv_test_assert_took (before, 150);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_signals_unbind (server);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* And at once after the second. */
START_TEST (second_signal_ends_a_blocked_inline_handler)
{
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;
  SrvTestRun *run;
  gint64 before;
  int fd;

  run = run_with_signals (SRV_TEST_INLINE, FOR_EVER_MS, &fd);
  server = run->server;
  raise (SIGTERM);
  ck_assert (srv_test_is_quiet (fd));
  before = g_get_monotonic_time ();
  raise (SIGTERM);
  ck_assert (srv_test_join (run, &error));
  srv_test_assert_took (before, 0);
  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_signals_unbind (server);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* What was bound is given back: the process has its old signal handlers. */
START_TEST (unbound_signals_have_their_old_action)
{
  SrvBaseServer *server =
    make_server (SRV_TEST_TCP, SRV_TEST_INLINE, read_for_ever);
  struct sigaction action;

  for (guint i = 0; i < G_N_ELEMENTS (stop_signals); i++)
    signal (stop_signals[i], SIG_DFL);
  ck_assert (srv_signals_bind (server, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (stop_signals); i++)
    {
      sigaction (stop_signals[i], NULL, &action);
      ck_assert (action.sa_handler != SIG_DFL);
    }
  srv_signals_unbind (server);
  for (guint i = 0; i < G_N_ELEMENTS (stop_signals); i++)
    {
      sigaction (stop_signals[i], NULL, &action);
      ck_assert (action.sa_handler == SIG_DFL);
    }
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "waiting", close_waits_for_handlers, SRV_TEST_N_MIX_INS },
    { "waiting", last_reference_waits_for_handlers, SRV_TEST_N_MIX_INS - 1 },
    { "waiting", datagram_is_answered_during_the_drain,
      2 * SRV_TEST_N_MIX_INS },
    { "waiting", closing_handler_does_not_wait_for_itself,
      SRV_TEST_THREADING + 1 },
    { "cutting", silent_client_is_cut,
      (int) G_N_ELEMENTS (drain_timeouts) * SRV_TEST_N_MIX_INS },
    { "cutting", closing_handler_cuts_the_others, 1 },
    { "cutting", stubborn_child_is_killed, 1 },
    { "cutting", killed_child_ends_the_drain, 1 },
    { "cutting", second_close_joins_the_first, SRV_TEST_N_MIX_INS },
    { "signals", second_signal_hurries_the_drain,
      2 * (int) G_N_ELEMENTS (stop_signals) },
    { "signals", early_second_signal_hurries_the_drain, 2 },
    { "signals", signal_ends_a_blocked_inline_handler, 2 },
    { "signals", second_signal_ends_a_blocked_inline_handler, 1 },
    { "signals", unbound_signals_have_their_old_action, 1 },
  };

  return srv_test_run_entries ("Drain", tests, G_N_ELEMENTS (tests));
}
