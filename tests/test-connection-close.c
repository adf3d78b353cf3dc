/* test-connection-close.c - closing a connection that somebody else uses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only the task that serves a connection, and has nobody beside it, closes the
 * descriptor at once. Anybody else ends the connection, and leaves the
 * descriptor to whoever may be waiting for it.
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

/* Numbers of the tests, shared with forked children. */
enum
{
  N_RECEIVED, /* what the last receive returned */
  N_SENT,     /* whether a send after the close succeeded */
  N_FD,       /* what was left of the descriptor */
  N_CLOSED,   /* how often somebody has closed */
};

#define GATE_END 0

static SrvConnection *
connection_of (SrvBaseRequestHandler *handler)
{
  return SRV_CONNECTION (srv_base_request_handler_get_request (handler));
}

static void
close_connection (gpointer connection)
{
  if (g_io_stream_close (connection, NULL, NULL))
    srv_test_add_number (N_CLOSED, 1);
}

/* After a while in which the other has surely begun to wait. */
static void
close_later (gpointer connection)
{
  srv_sleep (20, NULL, NULL);
  close_connection (connection);
}

static gpointer
close_in_thread (gpointer connection)
{
  g_usleep (20 * 1000);
  close_connection (connection);
  return NULL;
}

/* Until the end, whatever kind of end. */
static void
receive_to_the_end (gpointer connection)
{
  char byte;

  srv_test_set_number (N_RECEIVED, 1);
  while (srv_connection_receive (connection, &byte, 1, NULL, NULL) > 0)
    continue;
  srv_test_set_number (N_RECEIVED, 0);
  srv_test_set_number (N_SENT, srv_connection_send_all (connection, "x", 1,
                                                        NULL, NULL));
}

static gboolean
closed_by_a_thread (SrvBaseRequestHandler *handler,
                    G_GNUC_UNUSED gpointer user_data,
                    G_GNUC_UNUSED GError **error)
{
  SrvConnection *connection = connection_of (handler);
  GThread *thread = g_thread_new ("closer", close_in_thread, connection);

  receive_to_the_end (connection);
  g_thread_join (thread);
  return TRUE;
}

static gboolean
closed_by_a_spawned_task (SrvBaseRequestHandler *handler,
                          G_GNUC_UNUSED gpointer user_data,
                          GError **error)
{
  SrvConnection *connection = connection_of (handler);

  if (!srv_spawn (close_later, connection, NULL, error))
    return FALSE;
  receive_to_the_end (connection);
  return TRUE;
}

static gboolean
closed_under_a_spawned_task (SrvBaseRequestHandler *handler,
                             G_GNUC_UNUSED gpointer user_data,
                             GError **error)
{
  SrvConnection *connection = connection_of (handler);

  if (!srv_spawn (receive_to_the_end, connection, NULL, error))
    return FALSE;
  close_later (connection);
  return TRUE;
}

static gboolean
closed_by_what_is_offloaded (SrvBaseRequestHandler *handler,
                             G_GNUC_UNUSED gpointer user_data,
                             GError **error)
{
  return srv_offload (close_connection, connection_of (handler), error);
}

static const SrvHandlerFunc others[] = {
  closed_by_a_thread,
  closed_by_a_spawned_task,
  closed_under_a_spawned_task,
  closed_by_what_is_offloaded,
};

static SrvTestRun *
run_server (SrvTestMixIn mix_in, SrvHandlerFunc func)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, mix_in);

  srv_base_server_set_handler_func (server, func, NULL, NULL);
  return srv_test_run (server);
}

/* Whoever waits finds the end, nothing more is sent, and the client is told. The
 * server goes on. */
START_TEST (close_by_others_ends_the_waits)
{
  SrvTestMixIn mix_in = (SrvTestMixIn) (_i / (int) G_N_ELEMENTS (others));
  SrvTestRun *run;

  if (!srv_test_can_spawn (mix_in))
    return;
  run = run_server (mix_in, others[_i % (int) G_N_ELEMENTS (others)]);
  for (int i = 1; i <= 3; i++)
    {
      int fd = srv_test_connect (run->server);

      srv_test_expect_end (fd);
      srv_test_close (fd);
      srv_test_wait_for_number (N_CLOSED, i);
      srv_test_wait_for_trace ("shutdown_request", (guint) i);
      ck_assert_int_eq (srv_test_get_number (N_RECEIVED), 0);
      ck_assert_int_eq (srv_test_get_number (N_SENT), 0);
    }
  srv_test_finish (run);
}
END_TEST

static gboolean
closed_by_itself (SrvBaseRequestHandler *handler,
                  G_GNUC_UNUSED gpointer user_data,
                  G_GNUC_UNUSED GError **error)
{
  SrvConnection *connection = connection_of (handler);

  close_connection (connection);
  srv_test_set_number (N_FD, srv_connection_get_fd (connection));
  srv_test_wait_at_gate (GATE_END);
  return TRUE;
}

/* The handler's own close takes place at once, however long it goes on. */
START_TEST (own_close_is_a_close)
{
  SrvTestRun *run = run_server ((SrvTestMixIn) _i, closed_by_itself);
  int fd = srv_test_connect (run->server);

  srv_test_set_number (N_FD, 0);
  srv_test_expect_end (fd);
  srv_test_wait_for_number (N_FD, -1);
  srv_test_open_gate (GATE_END);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* The end of a request: */

static SrvConnection *kept; /* owned; atomic */

static SrvConnection *
get_kept (void)
{
  return g_atomic_pointer_get (&kept);
}

static void
let_go (void)
{
  g_object_unref (g_atomic_pointer_exchange (&kept, NULL));
}

/* Nothing of what the client says is read, so the server's end takes it in. */
static gboolean
keep_connection (SrvBaseRequestHandler *handler,
                 G_GNUC_UNUSED gpointer user_data,
                 GError **error)
{
  SrvConnection *connection = connection_of (handler);
  char byte;

  g_atomic_pointer_set (&kept, g_object_ref (connection));
  return srv_connection_receive (connection, &byte, 1, NULL, error) == 1;
}

static void
wait_until_idle (SrvBaseServer *server)
{
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
}

static gpointer
go_on_sending (gpointer data)
{
  const int fd = GPOINTER_TO_INT (data);

  while (send (fd, "more", 4, MSG_NOSIGNAL) == 4)
    g_usleep (1000);
  return NULL;
}

static const SrvTestMixIn in_process[] = {
  SRV_TEST_INLINE,
  SRV_TEST_THREADING,
  SRV_TEST_FIBERS,
  SRV_TEST_THREAD_POOL,
};

/* A client that goes on sending keeps the server from closing; a stream that
 * somebody lets go of then, in another thread, may close as well. */
START_TEST (close_while_the_server_lingers)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, in_process[_i]);
  SrvTestRun *run;

  g_object_set (server, "linger-timeout", SRV_TEST_PATIENCE, NULL);
  srv_base_server_set_handler_func (server, keep_connection, NULL, NULL);
  run = srv_test_run (server);
  for (guint i = 0; i < 5; i++)
    {
      int fd = srv_test_connect (server);
      GThread *thread;

      srv_test_say (fd, "first");
      thread = g_thread_new ("sender", go_on_sending, GINT_TO_POINTER (fd));
      srv_test_expect_end (fd);
      close_connection (get_kept ());
      wait_until_idle (server);
      g_thread_join (thread);
      srv_test_close (fd);
      let_go ();
    }
  srv_test_finish (run);
}
END_TEST

/* A connection that no server has any more is closed by anybody. */
START_TEST (close_after_the_end)
{
  SrvTestRun *run = run_server (in_process[_i], keep_connection);
  int fd = srv_test_connect (run->server);

  srv_test_say (fd, "x");
  srv_test_expect_end (fd);
  wait_until_idle (run->server);
  close_connection (get_kept ());
  ck_assert_int_eq (srv_test_get_number (N_CLOSED), 1);
  ck_assert_int_eq (srv_connection_get_fd (get_kept ()), -1);
  srv_test_close (fd);
  let_go ();
  srv_test_finish (run);
}
END_TEST

static void
close_under_another_fiber (gpointer connection)
{
  ck_assert (srv_spawn (receive_to_the_end, connection, NULL, NULL));
  close_later (connection);
  srv_spawn_join ();
}

/* A connection of no server, such as a client's. */
START_TEST (close_in_a_fiber_ends_the_wait_of_another)
{
  int fds[2];
  SrvConnection *connection;

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], NULL);
  run_in (1, close_under_another_fiber, connection);
  srv_test_expect_end (fds[1]);
  ck_assert_int_eq (srv_test_get_number (N_CLOSED), 1);
  ck_assert_int_eq (srv_test_get_number (N_RECEIVED), 0);
  ck_assert_int_eq (srv_test_get_number (N_SENT), 0);
  g_object_unref (connection);
  srv_test_close (fds[1]);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "others", close_by_others_ends_the_waits,
      SRV_TEST_N_MIX_INS * (int) G_N_ELEMENTS (others) },
    { "own", own_close_is_a_close, SRV_TEST_N_MIX_INS },
    { "end", close_while_the_server_lingers, G_N_ELEMENTS (in_process) },
    { "end", close_after_the_end, G_N_ELEMENTS (in_process) },
    { "client", close_in_a_fiber_ends_the_wait_of_another, 1 },
  };

  return srv_test_run_entries ("Connection close", tests, G_N_ELEMENTS (tests));
}
