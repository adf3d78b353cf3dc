/* test-request-order.c - the way of a request, step by step
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#define ON_LOOP "get_request verify_request process_request"
#define GOOD    "finish_request setup handle finish shutdown_request close_request"
#define FAILED                                                        \
  "finish_request setup handle finish handle_error shutdown_request " \
  "close_request"

/* A hook or two that misbehave, and the steps that follow. With in_worker the
 * steps are those of whoever runs the handler; otherwise all happens on the
 * loop, whatever the mix-in. */
typedef struct
{
  const char *hook;
  const char *second_hook;
  const char *steps;
  gboolean in_worker;
} Case;

static const Case errors[] = {
  { "handle", NULL, FAILED, TRUE },
  { "finish", NULL, FAILED, TRUE },
  { "handle", "finish", FAILED, TRUE },
  { "setup", NULL,
    "finish_request setup handle_error shutdown_request close_request", TRUE },
  { "finish_request", NULL,
    "finish_request handle_error shutdown_request close_request", TRUE },
  { "process_request", NULL,
    ON_LOOP " handle_error shutdown_request close_request", FALSE },
  { "verify_request", NULL,
    "get_request verify_request handle_error shutdown_request close_request",
    FALSE },
};

static const Case stops[] = {
  { "handle", NULL, GOOD, TRUE },
  { "finish", NULL, GOOD, TRUE },
  { "setup", NULL, "finish_request setup shutdown_request close_request",
    TRUE },
};

/* The steps of WHO. The close of the server is none of a request, and comes
 * whenever the thread that closes likes. */
static void
assert_steps (SrvTestWho who, const char *expected)
{
  g_autofree char *trace = srv_test_get_trace (who);
  g_auto (GStrv) names = g_strsplit (trace, " ", -1);
  g_autoptr (GString) steps = g_string_new (NULL);

  for (guint i = 0; names[i] != NULL; i++)
    if (!g_str_equal (names[i], "server_close"))
      g_string_append_printf (steps, "%s%s", steps->len > 0 ? " " : "",
                              names[i]);
  ck_assert_str_eq (steps->str, expected);
}

/* A thread of a pool that runs a loop serves what it takes; what another loop
 * takes is handed over. */
static void
assert_pool (const char *parent, const char *steps, const char *all)
{
  g_autofree char *on_loop = srv_test_get_trace (SRV_TEST_LOOP);

  if (strstr (on_loop, "close_request") != NULL)
    {
      assert_steps (SRV_TEST_LOOP, all);
      return;
    }
  assert_steps (SRV_TEST_LOOP, parent);
  assert_steps (SRV_TEST_WORKERS, steps);
}

/* Checks loop and worker against the STEPS of the worker. */
static void
assert_split (SrvTestMixIn mix_in, const char *steps, const char *loop_end)
{
  g_autofree char *all = g_strconcat (ON_LOOP " ", steps, loop_end, NULL);
  g_autofree char *parent = g_strconcat (ON_LOOP, loop_end, NULL);
  g_autofree char *worker = g_strconcat (parent, " ", steps, NULL);
  g_autofree char *forker =
    g_strconcat (ON_LOOP " close_request", loop_end, NULL);

  switch (mix_in)
    {
    case SRV_TEST_INLINE:
    case SRV_TEST_PREFORK: /* the loop is a worker's */
      assert_steps (SRV_TEST_LOOP, all);
      break;
    case SRV_TEST_THREADING:
      assert_steps (SRV_TEST_LOOP, parent);
      assert_steps (SRV_TEST_WORKERS, steps);
      break;
    case SRV_TEST_FORKING:
      assert_steps (SRV_TEST_LOOP, forker);
      assert_steps (SRV_TEST_CHILDREN, steps);
      break;
    case SRV_TEST_FIBERS:
      /* In serve_forever () each worker runs a loop, and then serves. */
      assert_steps (SRV_TEST_LOOP, *loop_end != '\0' ? worker : parent);
      assert_steps (SRV_TEST_WORKERS, *loop_end != '\0' ? "" : steps);
      break;
    case SRV_TEST_THREAD_POOL:
      assert_pool (parent, steps, all);
      break;
    case SRV_TEST_N_MIX_INS:
    default:
      ck_abort ();
    }
}

/* A server that fails or refuses may close before it has read anything. */
static void
say_if_possible (int fd, const char *text)
{
  if (send (fd, text, strlen (text), MSG_NOSIGNAL) < 0)
    ck_assert_msg (errno == EPIPE || errno == ECONNRESET, "send: %s",
                   g_strerror (errno));
}

/* Serves one request with serve_forever() to its end and closes the server. */
static void
serve_one (int combination, const char *answer)
{
  SrvTestTransport transport = srv_test_transport_of (combination);
  SrvBaseServer *server =
    srv_test_server_new (transport, srv_test_mix_in_of (combination));
  SrvTestRun *run;
  int fd;

  srv_test_clear_trace ();
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  say_if_possible (fd, "hello\n");
  if (answer != NULL)
    srv_test_expect (fd, answer);
  srv_test_wait_for_trace ("service_actions", 1);
  srv_test_stop (run);
  srv_base_server_server_close (server);
  if (srv_test_is_stream (transport) && answer != NULL)
    srv_test_expect_end (fd);
  srv_test_close (fd);
  g_object_unref (server);
}

/* Every hook runs once and in Python's order; under forking the parent only
 * closes, and the half-close is the child's (SS-070, SS-121, SS-122, SS-141,
 * SS-142, SS-151, traces of 1.1). Everybody who overrides a hook. */
START_TEST (good_request_takes_every_step_once)
{
  serve_one (_i, "hello\n");

  assert_split (srv_test_mix_in_of (_i), GOOD, " service_actions");
}
END_TEST

/* handle_request() takes the same way, without service_actions (SS-066,
 * SS-070). */
START_TEST (handle_request_takes_the_same_steps)
{
  SrvTestMixIn mix_in = srv_test_mix_in_of (_i);
  SrvBaseServer *server;
  g_autoptr (GError) error = NULL;
  int fd;

  if (!srv_test_mix_in_is (mix_in, "attachable"))
    return;
  server = srv_test_server_new (srv_test_transport_of (_i), mix_in);
  srv_test_clear_trace ();
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, &error),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_assert_no_error (error);
  srv_test_expect (fd, "hello\n");
  srv_test_close (fd);
  srv_base_server_server_close (server);
  assert_split (mix_in, GOOD, "");
  g_object_unref (server);
}
END_TEST

/* A step that fails is told to handle_error() once, and the request is shut
 * down and closed once, whatever failed (SS-075, SS-122, SS-142, SS-151,
 * SS-152, SS-153). Python leaks the connection when verify_request() raises
 * (SS-074), and shuts down twice when shutdown_request() did (SS-078). */
START_TEST (failed_step_is_told_and_the_request_closed)
{
  const Case *c = &errors[_i / SRV_TEST_N_COMBINATIONS];
  int combination = _i % SRV_TEST_N_COMBINATIONS;
  g_autofree char *message = NULL;
  g_autofree char *expected = NULL;

  srv_test_set_fault (c->hook, SRV_TEST_ERROR);
  if (c->second_hook != NULL)
    srv_test_set_fault (c->second_hook, SRV_TEST_ERROR);

  serve_one (combination, NULL);

  if (c->in_worker)
    assert_split (srv_test_mix_in_of (combination), c->steps,
                  " service_actions");
  else
    {
      g_autofree char *all = g_strconcat (c->steps, " service_actions", NULL);

      assert_steps (SRV_TEST_LOOP, all);
    }

  expected = g_strdup_printf ("%s is at fault", c->hook);
  message = srv_test_get_error_message ();
  ck_assert_msg (strstr (message, expected) != NULL, "%s", message);
  ck_assert_int_eq (srv_test_get_error_code (), G_IO_ERROR_INVALID_DATA);
}
END_TEST

/* When handle and finish both fail, the first failure leads and the second is
 * added to its message. Python shows the second with the first as context
 * (SS-153). */
START_TEST (first_of_two_failures_leads)
{
  g_autofree char *message = NULL;
  const char *first;
  const char *second;

  srv_test_set_fault ("handle", SRV_TEST_ERROR);
  srv_test_set_fault ("finish", SRV_TEST_ERROR);
  serve_one (_i, NULL);

  message = srv_test_get_error_message ();
  first = strstr (message, "handle is at fault");
  second = strstr (message, "finish is at fault");
  ck_assert_msg (first != NULL && second != NULL, "%s", message);
  ck_assert (first < second);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
}
END_TEST

/* A request that is refused is shut down and closed without a handler and
 * without handle_error() (SS-073, D-45). Allow-lists live on it. */
START_TEST (refused_request_is_closed)
{
  srv_test_set_fault ("verify_request", SRV_TEST_REFUSE);
  serve_one (_i, NULL);

  assert_steps (SRV_TEST_LOOP,
                "get_request verify_request shutdown_request close_request "
                "service_actions");
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
}
END_TEST

/* The client of a refused request sees the end of the stream at once. */
START_TEST (refused_client_sees_the_end)
{
  SrvBaseServer *server =
    srv_test_server_new (_i == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX,
                         SRV_TEST_INLINE);
  SrvTestRun *run;
  int fd;

  srv_test_set_fault ("verify_request", SRV_TEST_REFUSE);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A hook that says FALSE and gives no reason is the programmer's mistake: it
 * is told as a critical, and the request fails like any other (section 5.1). */
START_TEST (failure_without_a_reason_is_caught)
{
  const Case *c = &errors[_i / SRV_TEST_N_COMBINATIONS];
  int combination = _i % SRV_TEST_N_COMBINATIONS;

  /* Saying no is what verify_request() is for. */
  if (g_str_equal (c->hook, "verify_request"))
    return;

  srv_test_begin_log ();
  srv_test_set_fault (c->hook, SRV_TEST_REFUSE);
  serve_one (combination, NULL);
  srv_test_wait_for_trace ("handle_error", 1);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  ck_assert_uint_eq (srv_test_get_error_domain (), SRV_ERROR);
  ck_assert_int_eq (srv_test_get_error_code (), SRV_ERROR_FAILED);
  /* A record of another process is not among ours. */
  if (srv_test_mix_in_is (srv_test_mix_in_of (combination), "shares-memory"))
    ck_assert_uint_ge (srv_test_count_log (G_LOG_LEVEL_CRITICAL, NULL), 1);
  srv_test_end_log ();
}
END_TEST

/* SRV_ERROR_STOP on the loop's own thread ends the run and comes out of
 * serve_forever(); the request is shut down and handle_error() not asked
 * (SS-076, test_sync_not_handled). */
START_TEST (stop_by_inline_handler_ends_the_run)
{
  const Case *c = &stops[_i / SRV_TEST_N_TRANSPORTS];
  SrvTestTransport transport = (SrvTestTransport) (_i % SRV_TEST_N_TRANSPORTS);
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_INLINE);
  g_autofree char *expected = g_strconcat (ON_LOOP " ", c->steps, NULL);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  int fd;

  srv_test_set_fault (c->hook, SRV_TEST_STOP);
  srv_test_clear_trace ();
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  say_if_possible (fd, "hello\n");
  ck_assert (!srv_test_join (run, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_STOP);
  assert_steps (SRV_TEST_LOOP, expected);
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_ACTIVE);
  srv_base_server_server_close (server);
  srv_test_close (fd);
  g_object_unref (server);
}
END_TEST

/* The same out of handle_request(). */
START_TEST (stop_comes_out_of_handle_request)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);
  g_autoptr (GError) error = NULL;
  int fd;

  srv_test_set_fault ("handle", SRV_TEST_STOP);
  fd = srv_test_connect (server);
  say_if_possible (fd, "hello\n");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, &error),
                    SRV_HANDLE_RESULT_FAILED);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_STOP);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
  ck_assert_uint_eq (srv_test_count_trace ("close_request"), 1);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* In a worker SRV_ERROR_STOP ends that worker alone: no handle_error(), and
 * the next client is served (SS-142, SS-123, test_threading_not_handled,
 * test_forking_not_handled). */
START_TEST (stop_by_worker_ends_that_worker_alone)
{
  const Case *c = &stops[_i / SRV_TEST_N_COMBINATIONS];
  int combination = _i % SRV_TEST_N_COMBINATIONS;
  SrvTestTransport transport = srv_test_transport_of (combination);
  SrvTestMixIn mix_in = srv_test_mix_in_of (combination);
  SrvBaseServer *server;
  SrvTestRun *run;

  if (mix_in == SRV_TEST_INLINE)
    return;

  server = srv_test_server_new (transport, mix_in);
  run = srv_test_run (server);
  srv_test_clear_trace ();
  srv_test_set_fault (c->hook, SRV_TEST_STOP);
  for (guint i = 1; i <= 2; i++)
    {
      int fd = srv_test_connect (server);

      say_if_possible (fd, "hello\n");
      srv_test_wait_for_trace ("close_request",
                               mix_in == SRV_TEST_FORKING ? 2 * i : i);
      srv_test_close (fd);
    }
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
  ck_assert_uint_eq (srv_test_count_trace ("shutdown_request"), 2);
  srv_test_finish (run);
}
END_TEST

/* A server that cannot be made is closed by the hook that subclasses override,
 * and the reason reaches the caller (SS-086, D-46). */
START_TEST (failed_construction_closes)
{
  static const char *const hooks[] = { "server_bind", "server_activate" };
  static const char *const traces[] = {
    "server_bind server_close",
    "server_bind server_activate server_close",
  };
  SrvTestTransport transport = (SrvTestTransport) (_i / 2);
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (GError) error = NULL;

  srv_test_set_fault (hooks[_i % 2], SRV_TEST_ERROR);
  ck_assert_ptr_null (srv_test_try (srv_test_server_type (transport), string,
                                    &error, "handler-type",
                                    srv_test_handler_type (transport), NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  srv_test_assert_trace (SRV_TEST_EVERYBODY, traces[_i % 2]);
}
END_TEST

/* Construction binds and activates, datagram servers too (SS-085, SS-106). */
START_TEST (construction_binds_and_activates)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);

  srv_test_assert_trace (SRV_TEST_EVERYBODY, "server_bind server_activate");
  g_object_unref (server);
  srv_test_assert_trace (SRV_TEST_EVERYBODY,
                         "server_bind server_activate server_close");
}
END_TEST

/* What service_actions() fails with comes out of serve_forever() (SS-035). */
START_TEST (failed_service_actions_end_the_run)
{
  SrvBaseServer *server =
    srv_test_server_new (srv_test_transport_of (_i), srv_test_mix_in_of (_i));
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  int fd;

  srv_test_set_fault ("service_actions", SRV_TEST_ERROR);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_expect (fd, "hello\n");
  ck_assert (!srv_test_join (run, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* With poll-interval, service_actions() runs on an idle server too (SS-034).
 * Applications use it as a timer. */
START_TEST (service_actions_run_every_poll_interval)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);
  SrvTestRun *run;
  gint64 before;

  srv_base_server_set_poll_interval (server, 20);
  ck_assert_int_eq (srv_base_server_get_poll_interval (server), 20);
  before = g_get_monotonic_time ();
  run = srv_test_run (server);
  srv_test_wait_for_trace ("service_actions", 5);
  ck_assert_int_ge (g_get_monotonic_time () - before, 4 * 20 * 1000);
  srv_test_finish (run);
}
END_TEST

static SrvTestRun *second_run;

/* A second client that connects while the first is being served. */
static void
connect_once (SrvBaseServer *server)
{
  if (srv_test_get_number (0) != 0)
    return;
  srv_test_set_number (0, 1);
  srv_test_set_number (1, srv_test_connect (server));
}

/* Every request of a burst is followed by service_actions(), also when several
 * clients are accepted in one go (SS-034). */
START_TEST (service_actions_follow_each_request)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  int first;
  int second;

  srv_test_on_hook ("handle", connect_once);
  srv_test_clear_trace ();
  first = srv_test_connect (server);
  srv_test_say (first, "one\n");
  second_run = srv_test_run (server);
  srv_test_expect (first, "one\n");
  second = (int) srv_test_get_number (1);
  srv_test_say (second, "two\n");
  srv_test_expect (second, "two\n");
  srv_test_wait_for_trace ("service_actions", 2);
  srv_test_assert_trace (SRV_TEST_LOOP,
                         ON_LOOP " " GOOD " service_actions " ON_LOOP " " GOOD
                                 " service_actions");
  srv_test_close (first);
  srv_test_close (second);
  srv_test_finish (second_run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "good", good_request_takes_every_step_once, SRV_TEST_N_COMBINATIONS },
    { "good", handle_request_takes_the_same_steps, SRV_TEST_N_COMBINATIONS },
    { "good", service_actions_follow_each_request, 1 },
    { "good", service_actions_run_every_poll_interval, SRV_TEST_N_TRANSPORTS },
    { "failed", failed_step_is_told_and_the_request_closed,
      (int) G_N_ELEMENTS (errors) * SRV_TEST_N_COMBINATIONS },
    { "failed", first_of_two_failures_leads, SRV_TEST_N_COMBINATIONS },
    { "failed", failure_without_a_reason_is_caught,
      (int) G_N_ELEMENTS (errors) * SRV_TEST_N_COMBINATIONS },
    { "failed", failed_service_actions_end_the_run, SRV_TEST_N_COMBINATIONS },
    { "refused", refused_request_is_closed, SRV_TEST_N_COMBINATIONS },
    { "refused", refused_client_sees_the_end, 2 },
    { "stop", stop_by_inline_handler_ends_the_run,
      (int) G_N_ELEMENTS (stops) * SRV_TEST_N_TRANSPORTS },
    { "stop", stop_comes_out_of_handle_request, SRV_TEST_N_TRANSPORTS },
    { "stop", stop_by_worker_ends_that_worker_alone,
      (int) G_N_ELEMENTS (stops) * SRV_TEST_N_COMBINATIONS },
    { "construction", failed_construction_closes, 2 * SRV_TEST_N_TRANSPORTS },
    { "construction", construction_binds_and_activates, SRV_TEST_N_TRANSPORTS },
  };

  return srv_test_run_entries ("RequestOrder", tests, G_N_ELEMENTS (tests));
}
