/* test-life-cycle-close.c - close, the last reference, and what is left
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#define N_LISTENERS SRV_TEST_N_COMBINATIONS

/* close implies stop: the loop leaves by itself and says TRUE (SS-093, D-28).
 * In Python it spins at a full core. */
START_TEST (close_ends_the_run)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;

  srv_base_server_server_close (server);
  ck_assert_int_eq (srv_base_server_fileno (server), -1);
  ck_assert (srv_test_join (run, &error));
  srv_test_assert_no_error (error);
  srv_test_assert_state (server, SRV_SERVER_STATE_CLOSED);

  /* Stop after close, close after close (SS-092). */
  srv_base_server_stop (server);
  srv_base_server_shutdown (server);
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
  g_object_unref (server);
}
END_TEST

static gpointer
close_server (gpointer data)
{
  srv_base_server_server_close (data);
  srv_test_assert_state (data, SRV_SERVER_STATE_CLOSED);

  return NULL;
}

/* Any number of threads may close at the same time; each returns after the
 * server is closed. */
START_TEST (everybody_may_close)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run = srv_test_run (server);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("close", close_server, server);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  ck_assert (srv_test_join (run, NULL));
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
  g_object_unref (server);
}
END_TEST

static void
close_inside (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  srv_test_add_number (0, 1);
}

/* A handler may close the server: the call does not wait for the handler
 * itself (section 5.4). */
START_TEST (handler_can_close)
{
  SrvTestMixIn mix_in = srv_test_mix_in_of (_i);
  SrvBaseServer *server;
  SrvTestRun *run;
  int fd;

  /* Elsewhere the handler has a copy of the server. */
  if (!srv_test_mix_in_is (mix_in, "shares-memory"))
    return;
  server = srv_test_server_new (srv_test_transport_of (_i), mix_in);
  srv_test_on_hook ("handle", close_inside);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_wait_for_number (0, 1);
  ck_assert (srv_test_join (run, NULL));
  srv_base_server_server_close (server);
  srv_test_wait_for_trace ("close_request", 1);
  srv_test_assert_state (server, SRV_SERVER_STATE_CLOSED);
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
  srv_test_close (fd);
  g_object_unref (server);
}
END_TEST

/* Letting go of the last reference closes, like server_close(). */
START_TEST (last_reference_closes)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run = srv_test_run (server);

  srv_test_echo (server, "hello\n");
  srv_test_stop (run);
  g_object_unref (server);
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
}
END_TEST

/* wait_until_serving() and wait_until_stopped() know the state and their limit
 * (D-59). Python's users poll. */
START_TEST (waits_have_a_limit)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  ck_assert (!srv_base_server_wait_until_serving (server, 20, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TIMED_OUT);
  g_clear_error (&error);
  ck_assert (srv_base_server_wait_until_stopped (server, 0, &error));
  srv_test_assert_no_error (error);

  run = srv_test_run (server);
  ck_assert (srv_base_server_wait_until_serving (server, 0, &error));
  ck_assert (!srv_base_server_wait_until_stopped (server, 20, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TIMED_OUT);
  g_clear_error (&error);

  srv_base_server_stop (server);
  ck_assert (
    srv_base_server_wait_until_stopped (server, SRV_TEST_PATIENCE, &error));
  srv_test_assert_no_error (error);
  srv_test_stop (run);

  srv_base_server_server_close (server);
  ck_assert (!srv_base_server_wait_until_serving (server, -1, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_CLOSED);
  g_object_unref (server);
}
END_TEST

/* Nobody comes, nothing happens: the loop sleeps in one call (D-04). Python
 * wakes twice a second. */
START_TEST (idle_loop_does_not_wake)
{
  const char *preload = g_getenv ("LD_PRELOAD");
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run = srv_test_run (server);
  pid_t tid = (pid_t) g_atomic_int_get (&run->tid);

  /* Valgrind runs one thread at a time and wakes the others to change. */
  if (preload != NULL && strstr (preload, "vgpreload") != NULL)
    {
      g_printerr ("idle_loop_does_not_wake: not measured under valgrind\n");
      srv_test_finish (run);
      return;
    }
  srv_test_echo (server, "hello\n");
  srv_test_wait_for_trace ("service_actions", 1);
  /* The loop may still be on its way to its sleep, and fibers are looked after
   * once more when all work is done. Then longer than Python's half second. */
  ck_assert (srv_test_stays_asleep (tid, 20, 0));
  ck_assert (srv_test_stays_asleep (tid, 600, 0));
  srv_test_finish (run);
}
END_TEST

/* The address of a closed server can be had by its successor at once (D-29),
 * whether the loop was stopped before, and whoever still has a reference. */
START_TEST (successor_gets_the_address)
{
  int combination = _i % N_LISTENERS;
  SrvBaseServer *server = srv_test_server_of (combination);
  g_autofree char *endpoint = srv_base_server_dup_endpoint (server);
  SrvTestTransport transport = srv_test_transport_of (combination);
  SrvTestRun *run = srv_test_run (server);
  SrvBaseServer *successor;

  srv_test_echo (server, "hello\n");
  if (_i >= N_LISTENERS)
    srv_test_stop (run);
  srv_base_server_server_close (server);
  if (_i < N_LISTENERS)
    ck_assert (srv_test_join (run, NULL));

  successor = srv_test_make (srv_test_plain_type (transport), endpoint, NULL);
  g_object_unref (successor);
  g_object_unref (server);
}
END_TEST

/* A server and its mix-in are gone after the last reference, whatever ran. */
START_TEST (nothing_keeps_the_server_alive)
{
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvMixIn *mix_in = srv_base_server_get_mix_in (server);
  SrvTestRun *run = srv_test_run (server);

  g_object_add_weak_pointer (G_OBJECT (server), (gpointer *) &server);
  if (mix_in != NULL)
    g_object_add_weak_pointer (G_OBJECT (mix_in), (gpointer *) &mix_in);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
  ck_assert_ptr_null (server);
  ck_assert_ptr_null (mix_in);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "states", waits_have_a_limit, N_LISTENERS },
    { "run", idle_loop_does_not_wake, N_LISTENERS },
    { "close", close_ends_the_run, N_LISTENERS },
    { "close", everybody_may_close, N_LISTENERS },
    { "close", handler_can_close, N_LISTENERS },
    { "close", last_reference_closes, N_LISTENERS },
    { "close", successor_gets_the_address, 2 * N_LISTENERS },
    { "close", nothing_keeps_the_server_alive, N_LISTENERS },
  };

  return srv_test_run_entries ("LifeCycleClose", tests, G_N_ELEMENTS (tests));
}
