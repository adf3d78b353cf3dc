/* test-handle-request.c - one request at a time, with a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* Longer than any test may take. */
#define FOR_EVER_MS (3600 * 1000)

/* How long handle_request() took, in milliseconds, and what it said. */
static int
timed_handle (SrvBaseServer *server, int timeout_ms, SrvHandleResult *result)
{
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();

  *result = srv_base_server_handle_request (server, timeout_ms, NULL, &error);
  srv_test_assert_no_error (error);

  return (int) ((g_get_monotonic_time () - before) / 1000);
}

static SrvBaseServer *
make_server (int transport)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) transport, SRV_TEST_INLINE);

  srv_test_clear_trace ();

  return server;
}

static void
drop_server (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  g_object_unref (server);
}

/* The argument, the property, and the wait that comes of them. */
static const struct
{
  int argument;
  int property;
  int wait;
} rules[] = {
  { 40, -1, 40 },
  { -1, 40, 40 },
  { 40, FOR_EVER_MS, 40 },
  { FOR_EVER_MS, 40, 40 },
  { 0, -1, 0 },
  { 0, FOR_EVER_MS, 0 },
  { -1, 0, 0 },
  { FOR_EVER_MS, 0, 0 },
  { 0, 0, 0 },
};

/* The wait is the smaller of the two limits, one alone counts by itself, zero
 * polls once; it never ends early (SS-060, SS-061, SS-062). Single-shot
 * servers rely on it. */
START_TEST (smaller_limit_wins)
{
  int rule = _i % (int) G_N_ELEMENTS (rules);
  SrvBaseServer *server = make_server (_i / (int) G_N_ELEMENTS (rules));
  SrvHandleResult result;
  int took;

  srv_base_server_set_timeout (server, rules[rule].property);
  took = timed_handle (server, rules[rule].argument, &result);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_TIMED_OUT);
  ck_assert_int_ge (took, rules[rule].wait);
  ck_assert_int_lt (took, rules[rule].wait + SRV_TEST_AT_ONCE);
  srv_test_assert_trace (SRV_TEST_EVERYBODY, "handle_timeout");
  drop_server (server);
}
END_TEST

/* No limit at all is the default (SS-011). */
START_TEST (there_is_no_limit_by_default)
{
  SrvBaseServer *server = make_server (_i);

  ck_assert_int_eq (srv_base_server_get_timeout (server), -1);
  drop_server (server);
}
END_TEST

static gpointer
handle_without_limit (gpointer data)
{
  SrvHandleResult result;

  timed_handle (data, -1, &result);

  return GINT_TO_POINTER (result);
}

/* Without a limit the call waits until somebody comes (SS-060). */
START_TEST (call_without_limit_waits_for_the_client)
{
  SrvBaseServer *server = make_server (_i);
  GThread *thread = g_thread_new ("handle", handle_without_limit, server);

  srv_test_echo (server, "late\n");
  ck_assert_int_eq (GPOINTER_TO_INT (g_thread_join (thread)),
                    SRV_HANDLE_RESULT_HANDLED);
  drop_server (server);
}
END_TEST

/* A client that is there already is served by a poll (SS-062). */
START_TEST (waiting_client_is_served_by_a_poll)
{
  SrvBaseServer *server = make_server (_i);
  SrvHandleResult result;
  int fd = srv_test_connect (server);

  srv_test_say (fd, "here\n");
  timed_handle (server, 0, &result);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_HANDLED);
  srv_test_expect (fd, "here\n");
  srv_test_close (fd);
  drop_server (server);
}
END_TEST

/* One call takes one request, though more are waiting (SS-064). */
START_TEST (one_call_takes_one_request)
{
  SrvBaseServer *server = make_server (_i);
  SrvHandleResult result;
  int fds[3];

  for (guint i = 0; i < 3; i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "here\n");
    }
  for (guint i = 1; i <= 3; i++)
    {
      timed_handle (server, SRV_TEST_PATIENCE, &result);
      ck_assert_int_eq (result, SRV_HANDLE_RESULT_HANDLED);
      ck_assert_uint_eq (srv_test_count_trace ("handle"), i);
      ck_assert_uint_eq (srv_test_count_trace ("get_request"), i);
    }
  for (guint i = 0; i < 3; i++)
    {
      srv_test_expect (fds[i], "here\n");
      srv_test_close (fds[i]);
    }
  timed_handle (server, 0, &result);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_TIMED_OUT);
  drop_server (server);
}
END_TEST

/* The caller can tell a refused request from a served one. */
START_TEST (refusal_is_reported)
{
  SrvBaseServer *server = make_server (_i);
  SrvHandleResult result;
  int fd;

  srv_test_set_fault ("verify_request", SRV_TEST_REFUSE);
  fd = srv_test_connect (server);
  srv_test_say (fd, "no\n");
  timed_handle (server, SRV_TEST_PATIENCE, &result);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_REFUSED);
  srv_test_close (fd);
  drop_server (server);
}
END_TEST

/* A request that failed was handled: the failure is handle_error()'s matter
 * (SS-075). */
START_TEST (failed_request_counts_as_handled)
{
  SrvBaseServer *server = make_server (_i);
  SrvHandleResult result;
  int fd;

  srv_test_set_fault ("handle", SRV_TEST_ERROR);
  fd = srv_test_connect (server);
  srv_test_say (fd, "no\n");
  timed_handle (server, SRV_TEST_PATIENCE, &result);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_HANDLED);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  srv_test_close (fd);
  drop_server (server);
}
END_TEST

/* A stop that was asked for has no effect on handle_request() and stays what
 * it is: the next serve_forever() returns at once (SS-065). */
START_TEST (stop_is_not_looked_at)
{
  SrvBaseServer *server = make_server (_i);
  g_autoptr (GError) error = NULL;
  SrvHandleResult result;
  int fd;

  srv_base_server_stop (server);
  ck_assert_int_ge (timed_handle (server, 40, &result), 40);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_TIMED_OUT);

  fd = srv_test_connect (server);
  srv_test_say (fd, "here\n");
  timed_handle (server, SRV_TEST_PATIENCE, &result);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_HANDLED);
  srv_test_expect (fd, "here\n");
  srv_test_close (fd);

  ck_assert (srv_base_server_serve_forever (server, &error));
  srv_test_assert_no_error (error);
  drop_server (server);
}
END_TEST

/* A closed server says so. Python: ValueError about descriptor -1 (SS-067). */
START_TEST (closed_server_is_an_error)
{
  SrvBaseServer *server = make_server (_i);
  g_autoptr (GError) error = NULL;

  srv_base_server_server_close (server);
  ck_assert_int_eq (srv_base_server_handle_request (server, 0, NULL, &error),
                    SRV_HANDLE_RESULT_FAILED);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_CLOSED);
  g_clear_error (&error);
  ck_assert (!srv_base_server_serve_forever (server, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_CLOSED);
  g_object_unref (server);
}
END_TEST

static gpointer
cancel (gpointer data)
{
  g_cancellable_cancel (data);

  return NULL;
}

/* A cancellable ends the wait; handle_timeout() is not asked. */
START_TEST (cancellable_ends_the_wait)
{
  SrvBaseServer *server = make_server (_i);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel, cancellable);

  ck_assert_int_eq (srv_base_server_handle_request (server, -1, cancellable,
                                                    &error),
                    SRV_HANDLE_RESULT_FAILED);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  srv_test_assert_trace (SRV_TEST_EVERYBODY, "");
  drop_server (server);
}
END_TEST

typedef struct
{
  SrvTCPServer parent_instance;
} OwnServer;
typedef struct
{
  SrvTCPServerClass parent_class;
} OwnServerClass;

static GType own_server_get_type (void);
G_DEFINE_TYPE (OwnServer, own_server, SRV_TYPE_TCP_SERVER)

static SrvHandleResult
own_server_handle_timeout (G_GNUC_UNUSED SrvBaseServer *server)
{
  srv_test_add_number (0, 1);

  return SRV_HANDLE_RESULT_NOTHING;
}

static void
own_server_class_init (OwnServerClass *klass)
{
  SRV_BASE_SERVER_CLASS (klass)->handle_timeout = own_server_handle_timeout;
}

static void
own_server_init (G_GNUC_UNUSED OwnServer *self)
{
}

/* What handle_timeout() returns, the caller gets (SS-063). */
START_TEST (result_of_handle_timeout_is_returned)
{
  SrvBaseServer *server =
    srv_test_make (own_server_get_type (), "tcp:127.0.0.1:0", NULL);
  SrvHandleResult result;

  timed_handle (server, 0, &result);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_NOTHING);
  ck_assert_int_eq (srv_test_get_number (0), 1);
  drop_server (server);
}
END_TEST

/* serve_forever() looks at no time limit (SS-037). */
START_TEST (run_ignores_the_timeout)
{
  SrvBaseServer *server = make_server (_i);
  SrvTestRun *run;

  srv_base_server_set_timeout (server, 1);
  run = srv_test_run (server);
  srv_test_echo (server, "first\n");
  g_usleep (20 * 1000);
  srv_test_echo (server, "second\n");
  ck_assert_uint_eq (srv_test_count_trace ("handle_timeout"), 0);
  srv_test_finish (run);
}
END_TEST

static void
interrupt (G_GNUC_UNUSED int signal_number)
{
}

static gpointer
send_signals (gpointer data)
{
  pthread_t target = *(pthread_t *) data;

  while (srv_test_get_number (1) == 0)
    {
      pthread_kill (target, SIGUSR1);
      g_usleep (5000);
    }

  return NULL;
}

/* Signals neither shorten the wait nor end it (SS-050, SS-061, D-52). GSocket's
 * own waits of GLib 2.74 end after half the time. */
START_TEST (signals_do_not_shorten_the_wait)
{
  struct sigaction action = { .sa_handler = interrupt };
  SrvBaseServer *server = make_server (_i);
  pthread_t self = pthread_self ();
  SrvHandleResult result;
  GThread *thread;
  int took;

  sigaction (SIGUSR1, &action, NULL);
  thread = g_thread_new ("signals", send_signals, &self);
  took = timed_handle (server, 150, &result);
  srv_test_set_number (1, 1);
  g_thread_join (thread);
  ck_assert_int_eq (result, SRV_HANDLE_RESULT_TIMED_OUT);
  ck_assert_int_ge (took, 150);
  ck_assert_int_lt (took, 150 + SRV_TEST_AT_ONCE);
  drop_server (server);
}
END_TEST

/* A second caller at the same time is told so instead of stealing requests. */
START_TEST (second_caller_is_told_busy)
{
  SrvBaseServer *server = make_server (_i);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (srv_base_server_handle_request (server, 0, NULL, &error),
                    SRV_HANDLE_RESULT_FAILED);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BUSY);
  srv_test_finish (run);
}
END_TEST

/* Threads and children of single requests are waited for at close, and the
 * children collected without any loop (SS-128, D-14). */
START_TEST (workers_of_single_requests_are_collected)
{
  SrvTestMixIn mix_in = srv_test_mix_in_of (_i);
  SrvBaseServer *server;
  SrvHandleResult result;

  if (!srv_test_mix_in_is (mix_in, "attachable"))
    return;
  server = srv_test_server_new (srv_test_transport_of (_i), mix_in);
  for (guint i = 0; i < 5; i++)
    {
      int fd = srv_test_connect (server);

      srv_test_say (fd, "here\n");
      timed_handle (server, SRV_TEST_PATIENCE, &result);
      ck_assert_int_eq (result, SRV_HANDLE_RESULT_HANDLED);
      srv_test_expect (fd, "here\n");
      srv_test_close (fd);
    }
  srv_base_server_server_close (server);
  ck_assert (!srv_test_has_children ());
  ck_assert_uint_eq (srv_base_server_get_n_active_requests (server), 0);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "limits", smaller_limit_wins,
      (int) G_N_ELEMENTS (rules) * SRV_TEST_N_TRANSPORTS },
    { "limits", there_is_no_limit_by_default, SRV_TEST_N_TRANSPORTS },
    { "limits", call_without_limit_waits_for_the_client,
      SRV_TEST_N_TRANSPORTS },
    { "limits", waiting_client_is_served_by_a_poll, SRV_TEST_N_TRANSPORTS },
    { "limits", result_of_handle_timeout_is_returned, 1 },
    { "limits", cancellable_ends_the_wait, SRV_TEST_N_TRANSPORTS },
    { "limits", signals_do_not_shorten_the_wait, SRV_TEST_N_TRANSPORTS },
    { "limits", run_ignores_the_timeout, SRV_TEST_N_TRANSPORTS },
    { "results", one_call_takes_one_request, SRV_TEST_N_TRANSPORTS },
    { "results", refusal_is_reported, SRV_TEST_N_TRANSPORTS },
    { "results", failed_request_counts_as_handled, SRV_TEST_N_TRANSPORTS },
    { "results", stop_is_not_looked_at, SRV_TEST_N_TRANSPORTS },
    { "results", closed_server_is_an_error, SRV_TEST_N_TRANSPORTS },
    { "results", second_caller_is_told_busy, SRV_TEST_N_TRANSPORTS },
    { "results", workers_of_single_requests_are_collected,
      SRV_TEST_N_COMBINATIONS },
  };

  return srv_test_run_entries ("HandleRequest", tests, G_N_ELEMENTS (tests));
}
