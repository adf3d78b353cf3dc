/* test-life-cycle.c - states, stop, and every order of them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <string.h>

#define N_LISTENERS SRV_TEST_N_COMBINATIONS

/* How quick a stop is that nothing delays; Python's takes up to half a second.
 * The quickest of a few counts, for others may use the machine as well. Under
 * valgrind threads and processes take turns, and the figure says little. */
#define STOP_LIMIT_MS \
  srv_test_scale (g_getenv ("SRV_VALGRIND") != NULL ? 100 : 10)

static void
note_state (GObject *object,
            G_GNUC_UNUSED GParamSpec *property,
            gpointer user_data)
{
  static const char *const names[] = {
    "new", "bound", "active", "serving", "stopping", "closed",
  };
  SrvServerState state = srv_base_server_get_state (SRV_BASE_SERVER (object));

  g_string_append_printf (user_data, " %s", names[state]);
}

/* Each state is told once, in order, by the thread that brings it about (D-59).
 * The stop is asked for on the loop's thread: otherwise the state may have
 * changed once more before somebody looks. Python has two booleans. */
START_TEST (states_are_notified_in_order)
{
  g_autoptr (GString) states = g_string_new (NULL);
  SrvBaseServer *server = srv_test_server_of (_i);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  SrvServerState state;

  srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
  srv_test_on_hook ("service_actions", srv_base_server_stop);
  g_signal_connect (server, "notify::state", G_CALLBACK (note_state), states);
  run = srv_test_run (server);
  g_object_get (server, "state", &state, NULL);
  ck_assert_int_eq (state, SRV_SERVER_STATE_SERVING);
  srv_test_echo (server, "hello\n");
  ck_assert (srv_test_join (run, &error));
  srv_test_assert_no_error (error);
  srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
  srv_base_server_server_close (server);
  srv_test_assert_state (server, SRV_SERVER_STATE_CLOSED);
  ck_assert_str_eq (states->str, " serving stopping active closed");
  g_object_unref (server);
}
END_TEST

/* Without bind-and-activate a server is new, then bound, then active
 * (SS-088); datagram servers have the same steps (SS-106). */
START_TEST (bind_and_activate_can_be_called)
{
  g_autofree char *path = srv_test_path ("socket");
  g_autofree char *unix_name = g_strconcat ("unix:", path, NULL);
  g_autofree char *unixgram_name = g_strconcat ("unixgram:", path, NULL);
  const char *endpoints[] = { "tcp:127.0.0.1:0", unix_name, "udp:127.0.0.1:0",
                              unixgram_name };
  SrvTestTransport transport = (SrvTestTransport) _i;
  SrvBaseServer *server =
    srv_test_make (srv_test_server_type (transport), endpoints[_i],
                   "bind-and-activate", FALSE, "handler-type",
                   srv_test_handler_type (transport), NULL);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  srv_test_assert_state (server, SRV_SERVER_STATE_NEW);
  srv_test_assert_trace (SRV_TEST_EVERYBODY, "");
  ck_assert (srv_base_server_server_bind (server, &error));
  srv_test_assert_no_error (error);
  srv_test_assert_state (server, SRV_SERVER_STATE_BOUND);
  ck_assert_ptr_nonnull (srv_base_server_get_server_address (server));
  ck_assert (srv_base_server_server_activate (server, &error));
  srv_test_assert_no_error (error);
  srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
  run = srv_test_run (server);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}
END_TEST

/* A server that was never bound can be closed and let go. */
START_TEST (new_server_can_be_closed)
{
  SrvTestTransport transport = (SrvTestTransport) (_i / 2);
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  SrvBaseServer *server = srv_test_make (srv_test_plain_type (transport),
                                         string, "bind-and-activate", FALSE,
                                         NULL);

  if (_i % 2 == 0)
    {
      srv_base_server_server_close (server);
      srv_test_assert_state (server, SRV_SERVER_STATE_CLOSED);
    }
  g_object_unref (server);
}
END_TEST

/* Stop before the first run is remembered: that run returns at once, and the
 * one after it serves (SS-031, SS-041, D-02). Python hangs without a loop. */
START_TEST (stop_before_the_first_run_is_remembered)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  srv_base_server_stop (server);
  srv_test_clear_trace ();
  ck_assert (srv_base_server_serve_forever (server, &error));
  srv_test_assert_no_error (error);
  srv_test_assert_trace (SRV_TEST_EVERYBODY, "");

  run = srv_test_run (server);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}
END_TEST

/* shutdown() of a server that does not run returns at once (D-02). */
START_TEST (shutdown_without_a_loop_returns)
{
  SrvBaseServer *server = srv_test_server_of (_i);

  srv_base_server_shutdown (server);
  srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
  srv_base_server_server_close (server);
  srv_base_server_shutdown (server);
  srv_base_server_stop (server);
  srv_test_assert_state (server, SRV_SERVER_STATE_CLOSED);
  g_object_unref (server);
}
END_TEST

/* A stop after a run has ended does not end the next one (SS-042, D-03). In
 * Python the next serve_forever() returns at once. */
START_TEST (stop_after_a_run_is_forgotten)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run = srv_test_run (server);

  srv_test_stop (run);
  srv_base_server_shutdown (server);
  srv_base_server_stop (server);
  run = srv_test_run (server);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}
END_TEST

/* Several stops of one run are one stop. */
START_TEST (second_stop_is_harmless)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run = srv_test_run (server);

  srv_base_server_stop (server);
  srv_base_server_stop (server);
  srv_base_server_stop_from_signal (server);
  srv_base_server_shutdown (server);
  srv_base_server_shutdown (server);
  srv_test_stop (run);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* The loop thread is started and stopped at the same moment, twenty times
 * (SS-031, SS-041, test_shutdown). */
START_TEST (stop_at_start_ends_the_run)
{
  for (guint i = 0; i < 20; i++)
    {
      SrvBaseServer *server = srv_test_server_of (_i);
      g_autoptr (GError) error = NULL;
      SrvTestRun *run = srv_test_start (server);

      srv_base_server_shutdown (server);
      ck_assert (srv_test_join (run, &error));
      srv_base_server_server_close (server);
      g_object_unref (server);
    }
}
END_TEST

/* How long a stop takes, in microseconds. */
static gint64
time_stop (SrvTestRun *run)
{
  gint64 before = g_get_monotonic_time ();
  gint64 took;

  srv_base_server_shutdown (run->server);
  took = g_get_monotonic_time () - before;
  srv_test_assert_state (run->server, SRV_SERVER_STATE_ACTIVE);
  srv_test_stop (run);

  return took;
}

/* The loop leaves long before any polling interval would be over (SS-040,
 * D-04), and shutdown() returns after it has left, not before. */
START_TEST (stop_takes_no_time)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  gint64 best = G_MAXINT64;

  for (guint i = 0; i < SRV_TEST_TRIES && best >= STOP_LIMIT_MS * 1000; i++)
    best = MIN (best, time_stop (srv_test_run (server)));
  ck_assert_int_lt (best, STOP_LIMIT_MS * 1000);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* Idle clients of a threading server do not delay the stop, only the close,
 * and that no longer than its limits (SS-150, D-09). */
START_TEST (idle_clients_do_not_delay_the_stop)
{
  SrvBaseServer *server =
    srv_test_server_new (SRV_TEST_TCP, SRV_TEST_THREADING);
  SrvTestRun *run = srv_test_run (server);
  gint64 best;
  int fds[5];

  srv_base_server_set_drain_timeout (server, 0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = srv_test_connect (server);
  srv_test_wait_for_trace ("handle", G_N_ELEMENTS (fds));

  best = time_stop (run);
  for (guint i = 1; i < SRV_TEST_TRIES && best >= STOP_LIMIT_MS * 1000; i++)
    best = MIN (best, time_stop (srv_test_run (server)));
  ck_assert_int_lt (best, STOP_LIMIT_MS * 1000);
  srv_base_server_server_close (server);
  g_object_unref (server);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      srv_test_expect_gone (fds[i]);
      srv_test_close (fds[i]);
    }
}
END_TEST

static void
shut_down (SrvBaseServer *server)
{
  srv_test_trace ("asked");
  srv_base_server_shutdown (server);
  srv_test_add_number (0, 1);
}

/* Runs a server whose HOOK asks for its stop, up to its end. */
static void
run_to_its_stop (int combination, const char *hook)
{
  SrvBaseServer *server = srv_test_server_of (combination);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  int fd;

  srv_test_on_hook (hook, shut_down);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_expect (fd, "hello\n");
  ck_assert (srv_test_join (run, &error));
  srv_test_assert_no_error (error);
  ck_assert_int_ge (srv_test_get_number (0), 1);
  srv_base_server_server_close (server);
  srv_test_close (fd);
  g_object_unref (server);
}

/* shutdown() on the loop's own thread asks and returns (SS-043, D-01). Python
 * deadlocks. Under threading the handler is another thread and waits
 * (SS-044). */
START_TEST (handler_can_shut_down)
{
  if (srv_test_mix_in_is (srv_test_mix_in_of (_i), "stop-from-handler"))
    run_to_its_stop (_i, "handle");
}
END_TEST

/* The same from service_actions(). */
START_TEST (service_actions_can_shut_down)
{
  run_to_its_stop (_i, "service_actions");
}
END_TEST

/* In a forked child the stop is a no-op with a warning; the child ends and the
 * parent serves on (SS-045). In Python that child hangs for ever. */
START_TEST (stop_in_a_child_does_nothing)
{
  SrvTestTransport transport = (SrvTestTransport) _i;
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_FORKING);
  SrvTestRun *run;

  srv_test_begin_log ();
  srv_test_on_hook ("handle", shut_down);
  run = srv_test_run (server);
  srv_test_echo (server, "first\n");
  srv_test_echo (server, "second\n");
  srv_test_assert_state (server, SRV_SERVER_STATE_SERVING);
  srv_test_wait_for_number (0, 2);
  srv_test_finish (run);
  srv_test_end_log ();
}
END_TEST

static SrvBaseServer *signalled_server;

static void
stop_by_signal (G_GNUC_UNUSED int signal_number)
{
  srv_base_server_stop_from_signal (signalled_server);
}

static gpointer
signal_self (gpointer data)
{
  SrvBaseServer *server = data;

  srv_base_server_wait_until_serving (server, SRV_TEST_PATIENCE, NULL);
  kill (getpid (), SIGUSR1);

  return NULL;
}

/* A signal handler can stop the run, on the loop's own thread too (SS-043,
 * D-05). */
START_TEST (signal_handler_can_stop)
{
  struct sigaction action = { .sa_handler = stop_by_signal };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  signalled_server = srv_test_server_of (_i);
  sigaction (SIGUSR1, &action, NULL);
  thread = g_thread_new ("signal", signal_self, signalled_server);
  ck_assert (srv_base_server_serve_forever (signalled_server, &error));
  srv_test_assert_no_error (error);
  g_thread_join (thread);
  srv_base_server_server_close (signalled_server);
  g_object_unref (signalled_server);
}
END_TEST

/* A signal that came before the run ends the run. */
START_TEST (signal_before_the_run_is_remembered)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  g_autoptr (GError) error = NULL;

  srv_base_server_stop_from_signal (server);
  ck_assert (srv_base_server_serve_forever (server, &error));
  srv_test_assert_no_error (error);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* A second loop on one server is refused (SS-046). In Python one stop then
 * ends only one of the two. */
START_TEST (second_loop_is_refused)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;

  ck_assert (!srv_base_server_serve_forever (server, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BUSY);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}
END_TEST

/* A server runs as often as one likes (SS-047), and clients that come between
 * two runs wait for the second (SS-048). */
START_TEST (server_runs_again)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run;
  int fd;

  for (guint i = 0; i < 3; i++)
    {
      run = srv_test_run (server);
      srv_test_echo (server, "hello\n");
      srv_test_stop (run);
    }
  fd = srv_test_connect (server);
  srv_test_say (fd, "between\n");
  run = srv_test_run (server);
  srv_test_expect (fd, "between\n");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static void
stop_and_count (SrvBaseServer *server)
{
  srv_test_add_number (0, 1);
  srv_base_server_stop (server);
}

/* A client that waits when the stop is asked for is not taken any more, though
 * it may be in the same batch (SS-033, D-06). It would be lost on a restart. */
START_TEST (waiting_client_is_not_taken_after_stop)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  int first = srv_test_connect (server);
  int second = srv_test_connect (server);

  srv_test_say (first, "first\n");
  srv_test_say (second, "second\n");
  srv_test_on_hook ("handle", stop_and_count);
  ck_assert (srv_base_server_serve_forever (server, &error));
  srv_test_expect (first, "first\n");
  ck_assert_int_eq (srv_test_get_number (0), 1);
  ck_assert_uint_eq (srv_test_count_trace ("get_request"), 1);

  srv_test_on_hook ("handle", NULL);
  run = srv_test_run (server);
  srv_test_expect (second, "second\n");
  srv_test_close (first);
  srv_test_close (second);
  srv_test_finish (run);
}
END_TEST

/* A stop that comes before the loop looks for clients wins over the clients
 * (SS-033). */
START_TEST (stop_wins_over_a_waiting_client)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);
  g_autoptr (GError) error = NULL;
  int fd = srv_test_connect (server);

  srv_test_say (fd, "hello\n");
  srv_base_server_stop (server);
  ck_assert (srv_base_server_serve_forever (server, &error));
  ck_assert_uint_eq (srv_test_count_trace ("get_request"), 0);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "states", states_are_notified_in_order, N_LISTENERS },
    { "states", bind_and_activate_can_be_called, SRV_TEST_N_TRANSPORTS },
    { "states", new_server_can_be_closed, 2 * SRV_TEST_N_TRANSPORTS },
    { "stop", stop_before_the_first_run_is_remembered, N_LISTENERS },
    { "stop", shutdown_without_a_loop_returns, N_LISTENERS },
    { "stop", stop_after_a_run_is_forgotten, N_LISTENERS },
    { "stop", second_stop_is_harmless, N_LISTENERS },
    { "stop", stop_at_start_ends_the_run, N_LISTENERS },
    { "stop", stop_takes_no_time, N_LISTENERS },
    { "stop", idle_clients_do_not_delay_the_stop, 1 },
    { "stop", handler_can_shut_down, N_LISTENERS },
    { "stop", service_actions_can_shut_down, N_LISTENERS },
    { "stop", stop_in_a_child_does_nothing, SRV_TEST_N_TRANSPORTS },
    { "stop", signal_handler_can_stop, N_LISTENERS },
    { "stop", signal_before_the_run_is_remembered, N_LISTENERS },
    { "stop", waiting_client_is_not_taken_after_stop, SRV_TEST_N_TRANSPORTS },
    { "stop", stop_wins_over_a_waiting_client, SRV_TEST_N_TRANSPORTS },
    { "run", second_loop_is_refused, N_LISTENERS },
    { "run", server_runs_again, N_LISTENERS },
  };

  return srv_test_run_entries ("LifeCycle", tests, G_N_ELEMENTS (tests));
}
