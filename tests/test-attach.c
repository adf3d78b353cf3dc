/* test-attach.c - a server in a main context instead of a loop of its own
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* Python has no counterpart: there is only serve_forever(). */

/* A main context that a thread of its own runs. */
typedef struct
{
  GMainContext *context;
  GThread *thread;
  int done;
} Runner;

static gpointer
run_context (gpointer data)
{
  Runner *runner = data;

  g_main_context_push_thread_default (runner->context);
  while (!g_atomic_int_get (&runner->done))
    g_main_context_iteration (runner->context, TRUE);
  g_main_context_pop_thread_default (runner->context);

  return NULL;
}

static Runner *
start_runner (void)
{
  Runner *runner = g_new0 (Runner, 1);

  runner->context = g_main_context_new ();
  runner->thread = g_thread_new ("context", run_context, runner);

  return runner;
}

static void
end_runner (Runner *runner)
{
  g_atomic_int_set (&runner->done, TRUE);
  g_main_context_wakeup (runner->context);
  g_thread_join (runner->thread);
  g_main_context_unref (runner->context);
  g_free (runner);
}

/* What cannot be attached is refused; test-prefork.c sees to that. */
static gboolean
is_attachable (int combination)
{
  return srv_test_mix_in_is (srv_test_mix_in_of (combination), "attachable");
}

static void
attach (SrvBaseServer *server, GMainContext *context)
{
  g_autoptr (GError) error = NULL;

  ck_assert (srv_base_server_attach (server, context, &error));
  srv_test_assert_no_error (error);
  srv_test_assert_state (server, SRV_SERVER_STATE_SERVING);
}

static void
wait_for_stop (SrvBaseServer *server)
{
  g_autoptr (GError) error = NULL;

  srv_base_server_wait_until_stopped (server, SRV_TEST_PATIENCE, &error);
  srv_test_assert_no_error (error);
  srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
}

static void
end_server (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  srv_test_assert_state (server, SRV_SERVER_STATE_CLOSED);
  g_object_unref (server);
}

/* Clients cannot tell the context from the loop, under any mix-in; periodic
 * work follows each request as it does there. Applications with a main loop. */
START_TEST (attached_server_echoes)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();
  SrvBaseServer *server = srv_test_server_of (_i);

  attach (server, runner->context);
  for (guint i = 0; i < 3; i++)
    srv_test_echo (server, "hello\n");
  srv_test_wait_for_trace ("service_actions", 3);
  end_server (server);
  end_runner (runner);
}
END_TEST

/* The default context serves as well, on the thread that iterates it. */
START_TEST (default_context_serves)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  int fd;

  attach (server, NULL);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  while (srv_test_count_trace ("service_actions") == 0 &&
         g_get_monotonic_time () < deadline)
    g_main_context_iteration (NULL, FALSE);
  srv_test_expect (fd, "hello\n");
  srv_test_close (fd);
  end_server (server);
}
END_TEST

/* poll-interval becomes a timer of the context (SS-034). */
START_TEST (service_actions_run_every_poll_interval)
{
  Runner *runner = start_runner ();
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);

  srv_base_server_set_poll_interval (server, 5);
  attach (server, runner->context);
  srv_test_wait_for_trace ("service_actions", 5);
  end_server (server);
  end_runner (runner);
}
END_TEST

/* shutdown() by another thread returns when the context serves no more; the
 * server can be attached again, and serve by a loop of its own (SS-047). */
START_TEST (another_thread_can_stop)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();
  SrvBaseServer *server = srv_test_server_of (_i);
  SrvTestRun *run;

  for (guint i = 0; i < 3; i++)
    {
      attach (server, runner->context);
      srv_test_echo (server, "hello\n");
      srv_base_server_shutdown (server);
      srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
    }
  end_runner (runner);
  run = srv_test_run (server);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
}
END_TEST

/* The signal handler's way to stop works too. */
START_TEST (stop_from_signal_ends_the_attachment)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();
  SrvBaseServer *server = srv_test_server_of (_i);

  attach (server, runner->context);
  srv_base_server_stop_from_signal (server);
  wait_for_stop (server);
  end_server (server);
  end_runner (runner);
}
END_TEST

/* A handler may stop the server, on the context's thread or its own. */
START_TEST (handler_can_stop)
{
  if (!is_attachable (_i))
    return;
  SrvTestMixIn mix_in = srv_test_mix_in_of (_i);
  Runner *runner;
  SrvBaseServer *server;
  int fd;

  if (!srv_test_mix_in_is (mix_in, "stop-from-handler"))
    return;
  runner = start_runner ();
  server = srv_test_server_of (_i);
  srv_test_on_hook ("handle", srv_base_server_shutdown);
  attach (server, runner->context);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_expect (fd, "hello\n");
  wait_for_stop (server);
  end_server (server);
  srv_test_close (fd);
  end_runner (runner);
}
END_TEST

static void
close_inside (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
}

/* A handler may close it, and is not waited for by its own call. */
START_TEST (handler_can_close)
{
  if (!is_attachable (_i))
    return;
  SrvTestMixIn mix_in = srv_test_mix_in_of (_i);
  Runner *runner;
  SrvBaseServer *server;
  int fd;

  if (!srv_test_mix_in_is (mix_in, "stop-from-handler"))
    return;
  runner = start_runner ();
  server = srv_test_server_of (_i);
  srv_test_on_hook ("handle", close_inside);
  attach (server, runner->context);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_wait_for_trace ("close_request", 1);
  end_server (server);
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
  srv_test_close (fd);
  end_runner (runner);
}
END_TEST

static gboolean
stop_in_context (gpointer data)
{
  SrvBaseServer *server = data;

  srv_base_server_shutdown (server);
  srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
  srv_test_add_number (0, 1);

  return G_SOURCE_REMOVE;
}

/* Between two requests the context's thread stops the server at once: a button
 * or a timer of an application. */
START_TEST (context_thread_can_stop)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();
  SrvBaseServer *server = srv_test_server_of (_i);

  attach (server, runner->context);
  srv_test_echo (server, "hello\n");
  g_main_context_invoke (runner->context, stop_in_context, server);
  srv_test_wait_for_number (0, 1);
  end_server (server);
  end_runner (runner);
}
END_TEST

/* A stop before the first run ends the attachment as soon as the context runs;
 * nobody is served by it (SS-041). */
START_TEST (stop_before_is_remembered)
{
  if (!is_attachable (_i))
    return;
  Runner *runner;
  SrvBaseServer *server = srv_test_server_of (_i);
  int fd = srv_test_connect (server);

  srv_test_say (fd, "hello\n");
  srv_base_server_stop (server);
  runner = start_runner ();
  ck_assert (srv_base_server_attach (server, runner->context, NULL));
  wait_for_stop (server);
  ck_assert_uint_eq (srv_test_count_trace ("get_request"), 0);
  srv_test_close (fd);
  end_server (server);
  end_runner (runner);
}
END_TEST

/* Nobody runs the context: stop, close and the last reference do not need it,
 * and what is left of the source does nothing later. */
START_TEST (idle_context_is_not_needed)
{
  if (!is_attachable (_i / 3))
    return;
  GMainContext *context = g_main_context_new ();
  SrvBaseServer *server = srv_test_server_of (_i / 3);
  int fd;

  attach (server, context);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  switch (_i % 3)
    {
    case 0:
      srv_base_server_shutdown (server);
      srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
      end_server (server);
      break;
    case 1:
      end_server (server);
      break;
    default:
      g_object_unref (server);
    }
  srv_test_close (fd);
  while (g_main_context_iteration (context, FALSE))
    continue;
  ck_assert_uint_eq (srv_test_count_trace ("get_request"), 0);
  ck_assert_uint_eq (srv_test_count_trace ("server_close"), 1);
  g_main_context_unref (context);
}
END_TEST

/* The context goes first: its source with it, the server can still be closed. */
START_TEST (context_may_go_first)
{
  if (!is_attachable (_i))
    return;
  GMainContext *context = g_main_context_new ();
  SrvBaseServer *server = srv_test_server_of (_i);

  attach (server, context);
  g_main_context_unref (context);
  end_server (server);
}
END_TEST

static void
note_end (G_GNUC_UNUSED gpointer data, G_GNUC_UNUSED GObject *where)
{
  srv_test_add_number (0, 1);
}

/* The context runs in its thread while another one closes the server and lets
 * it go, with clients coming: whoever of the two is first, nobody touches a
 * server that is gone. The context may hold it for the time of a request. */
START_TEST (server_may_go_while_the_context_runs)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();

  for (int i = 0; i < 20; i++)
    {
      SrvBaseServer *server = srv_test_server_of (_i);
      int fd;

      g_object_weak_ref (G_OBJECT (server), note_end, NULL);
      attach (server, runner->context);
      fd = srv_test_connect (server);
      ck_assert_int_eq (send (fd, "hello\n", 6, MSG_NOSIGNAL), 6);
      if (i % 3 == 1)
        srv_test_wait_for_trace ("get_request", 1);
      if (i % 2 == 0)
        srv_base_server_server_close (server);
      g_object_unref (server);
      srv_test_wait_for_number (0, i + 1);
      srv_test_close (fd);
      srv_test_clear_trace ();
    }
  end_runner (runner);
}
END_TEST

/* One run at a time, whatever its kind (SS-046). */
START_TEST (second_attachment_is_refused)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();
  SrvBaseServer *server = srv_test_server_of (_i);
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;

  attach (server, runner->context);
  ck_assert (!srv_base_server_attach (server, runner->context, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BUSY);
  g_clear_error (&error);
  ck_assert (!srv_base_server_attach (server, NULL, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BUSY);
  g_clear_error (&error);
  ck_assert (!srv_base_server_serve_forever (server, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BUSY);
  g_clear_error (&error);
  ck_assert_int_eq (srv_base_server_handle_request (server, 0, NULL, &error),
                    SRV_HANDLE_RESULT_FAILED);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BUSY);
  g_clear_error (&error);
  srv_test_echo (server, "hello\n");
  srv_base_server_shutdown (server);

  run = srv_test_run (server);
  ck_assert (!srv_base_server_attach (server, runner->context, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BUSY);
  srv_test_finish (run);
  end_runner (runner);
}
END_TEST

/* What is not bound cannot be attached, and what is closed neither. */
START_TEST (unfit_server_is_refused)
{
  SrvTestTransport transport = (SrvTestTransport) _i;
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  SrvBaseServer *server = srv_test_make (srv_test_plain_type (transport),
                                         string, "bind-and-activate", FALSE,
                                         NULL);
  g_autoptr (GError) error = NULL;

  ck_assert (!srv_base_server_attach (server, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  srv_base_server_server_close (server);
  ck_assert (!srv_base_server_attach (server, NULL, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_CLOSED);
  g_object_unref (server);
}
END_TEST

/* There is no caller to give an error to: it is logged, and the attachment
 * ends (SS-035). */
START_TEST (failed_service_actions_end_the_attachment)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();
  SrvBaseServer *server = srv_test_server_of (_i);

  srv_test_begin_log ();
  srv_test_set_fault ("service_actions", SRV_TEST_ERROR);
  attach (server, runner->context);
  srv_test_echo (server, "hello\n");
  wait_for_stop (server);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING,
                                         "service_actions is at fault"),
                     1);
  srv_test_end_log ();
  end_server (server);
  end_runner (runner);
}
END_TEST

/* SRV_ERROR_STOP of a handler on the context's thread is a plain stop. */
START_TEST (stop_by_error_ends_the_attachment)
{
  Runner *runner = start_runner ();
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);
  int fd;

  srv_test_begin_log ();
  srv_test_set_fault ("handle", SRV_TEST_STOP);
  attach (server, runner->context);
  fd = srv_test_connect (server);
  /* The handler does not read: the other end may be closed already. */
  send (fd, "hello\n", 6, MSG_NOSIGNAL);
  wait_for_stop (server);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, NULL), 0);
  srv_test_end_log ();
  srv_test_close (fd);
  end_server (server);
  end_runner (runner);
}
END_TEST

static void
pause_at_gate (G_GNUC_UNUSED SrvBaseServer *server)
{
  srv_test_add_number (0, 1);
  srv_test_wait_at_gate (0);
}

static gpointer
close_server (gpointer data)
{
  guint n_cut = srv_base_server_server_close (data);

  srv_test_add_number (1, 1);

  return GUINT_TO_POINTER (n_cut);
}

/* Close lets the request that runs come to its end, on the context's thread,
 * in a worker or in a child (SS-136, SS-146). */
START_TEST (close_drains)
{
  if (!is_attachable (_i))
    return;
  Runner *runner = start_runner ();
  SrvBaseServer *server = srv_test_server_of (_i);
  GThread *closer;
  int fd;

  srv_test_on_hook ("handle", pause_at_gate);
  attach (server, runner->context);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_test_wait_for_number (0, 1);
  closer = g_thread_new ("close", close_server, server);
  srv_test_eventually (srv_base_server_is_draining (server));
  ck_assert_int_eq (srv_test_get_number (1), 0);
  srv_test_open_gate (0);
  srv_test_expect (fd, "hello\n");
  ck_assert_uint_eq (GPOINTER_TO_UINT (g_thread_join (closer)), 0);
  srv_test_assert_state (server, SRV_SERVER_STATE_CLOSED);
  srv_test_close (fd);
  g_object_unref (server);
  end_runner (runner);
}
END_TEST

/* Two servers in one context do not disturb each other. */
START_TEST (context_serves_several_servers)
{
  Runner *runner = start_runner ();
  SrvBaseServer *first = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  SrvBaseServer *second =
    srv_test_server_new (SRV_TEST_UDP, SRV_TEST_THREADING);

  attach (first, runner->context);
  attach (second, runner->context);
  srv_test_echo (first, "one\n");
  srv_test_echo (second, "two\n");
  end_server (first);
  srv_test_echo (second, "three\n");
  end_server (second);
  end_runner (runner);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "serve", attached_server_echoes, SRV_TEST_N_COMBINATIONS },
    { "serve", default_context_serves, 1 },
    { "serve", context_serves_several_servers, 1 },
    { "serve", service_actions_run_every_poll_interval, SRV_TEST_N_TRANSPORTS },
    { "stop", another_thread_can_stop, SRV_TEST_N_COMBINATIONS },
    { "stop", stop_from_signal_ends_the_attachment, SRV_TEST_N_COMBINATIONS },
    { "stop", handler_can_stop, SRV_TEST_N_COMBINATIONS },
    { "stop", context_thread_can_stop, SRV_TEST_N_COMBINATIONS },
    { "stop", stop_before_is_remembered, SRV_TEST_N_COMBINATIONS },
    { "stop", stop_by_error_ends_the_attachment, SRV_TEST_N_TRANSPORTS },
    { "stop", failed_service_actions_end_the_attachment,
      SRV_TEST_N_COMBINATIONS },
    { "close", handler_can_close, SRV_TEST_N_COMBINATIONS },
    { "close", idle_context_is_not_needed, 3 * SRV_TEST_N_COMBINATIONS },
    { "close", context_may_go_first, SRV_TEST_N_COMBINATIONS },
    { "close", server_may_go_while_the_context_runs, SRV_TEST_N_COMBINATIONS },
    { "close", close_drains, SRV_TEST_N_COMBINATIONS },
    { "refused", second_attachment_is_refused, SRV_TEST_N_COMBINATIONS },
    { "refused", unfit_server_is_refused, SRV_TEST_N_TRANSPORTS },
  };

  /* It stays for ever, so it must not come to be inside a test. */
  g_main_context_default ();

  return srv_test_run_entries ("Attach", tests, G_N_ELEMENTS (tests));
}
