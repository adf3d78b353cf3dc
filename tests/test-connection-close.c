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
  N_LOOKED,   /* 1: the descriptor was closed; 2: it was not */
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

static void
look (SrvConnection *connection)
{
  srv_test_set_number (N_LOOKED,
                       srv_connection_get_fd (connection) < 0 ? 1 : 2);
}

static gboolean
closed_by_itself (SrvBaseRequestHandler *handler,
                  G_GNUC_UNUSED gpointer user_data,
                  G_GNUC_UNUSED GError **error)
{
  SrvConnection *connection = connection_of (handler);

  close_connection (connection);
  look (connection);
  srv_test_wait_at_gate (GATE_END);
  return TRUE;
}

/* The handler's own close takes place at once, however long it goes on. */
START_TEST (own_close_is_a_close)
{
  SrvTestRun *run = run_server ((SrvTestMixIn) _i, closed_by_itself);
  int fd = srv_test_connect (run->server);

  srv_test_expect_end (fd);
  srv_test_wait_for_number (N_LOOKED, 1);
  ck_assert_int_eq (srv_test_get_number (N_LOOKED), 1);
  srv_test_open_gate (GATE_END);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static void
do_nothing (G_GNUC_UNUSED gpointer user_data)
{
}

/* Tasks of before are none of the request's. */
static gboolean
closed_after_a_join (SrvBaseRequestHandler *handler,
                     G_GNUC_UNUSED gpointer user_data,
                     GError **error)
{
  SrvConnection *connection = connection_of (handler);

  if (!srv_spawn (do_nothing, NULL, NULL, error))
    return FALSE;
  srv_spawn_join ();
  close_connection (connection);
  look (connection);
  return TRUE;
}

/* Serves a request of the server that it is given, and has a task of its own
 * beside that. */
static gboolean
serve_another (SrvBaseRequestHandler *handler, gpointer server, GError **error)
{
  return srv_spawn (close_later, connection_of (handler), NULL, error) &&
         srv_base_server_handle_request (server, SRV_TEST_PATIENCE, NULL,
                                         error) == SRV_HANDLE_RESULT_HANDLED;
}

static void
serve_one (gpointer server)
{
  srv_base_server_handle_request (server, SRV_TEST_PATIENCE, NULL, NULL);
}

/* A handler serves another server, with a task of its own; or a server runs in
 * such a task; or the handler has joined its own. */
START_TEST (tasks_of_others_are_not_in_the_way)
{
  SrvBaseServer *inner = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  SrvTestRun *run = NULL;
  int fd = srv_test_connect (inner);
  int outer_fd = -1;

  srv_base_server_set_handler_func (inner,
                                    _i == 2 ? closed_after_a_join
                                            : closed_by_itself,
                                    NULL, NULL);
  srv_test_open_gate (GATE_END);
  if (_i == 0)
    {
      SrvBaseServer *outer =
        srv_test_server_new (SRV_TEST_TCP, SRV_TEST_THREADING);

      srv_base_server_set_handler_func (outer, serve_another, inner, NULL);
      run = srv_test_run (outer);
      outer_fd = srv_test_connect (outer);
    }
  else
    ck_assert (srv_spawn (serve_one, inner, NULL, NULL));
  srv_test_expect_end (fd);
  srv_test_wait_for_number (N_LOOKED, 1);
  ck_assert_int_eq (srv_test_get_number (N_LOOKED), 1);
  srv_test_close (fd);
  srv_spawn_join ();
  if (run != NULL)
    {
      srv_test_expect_end (outer_fd);
      srv_test_close (outer_fd);
      srv_test_finish (run);
    }
  srv_base_server_server_close (inner);
  g_object_unref (inner);
}
END_TEST

/* Serves requests as a class of one's own would, without complete_request (). */
typedef SrvTCPServer StraightServer;
typedef SrvTCPServerClass StraightServerClass;

static GType straight_server_get_type (void);
G_DEFINE_TYPE (StraightServer, straight_server, SRV_TYPE_TCP_SERVER)

static gboolean
straight_server_process_request (SrvBaseServer *server,
                                 SrvRequest *request,
                                 GError **error)
{
  gboolean ok = srv_base_server_finish_request (server, request, error);

  srv_base_server_shutdown_request (server, request);
  return ok;
}

static void
straight_server_class_init (StraightServerClass *klass)
{
  SRV_BASE_SERVER_CLASS (klass)->process_request =
    straight_server_process_request;
}

static void
straight_server_init (G_GNUC_UNUSED StraightServer *self)
{
}

/* Closing the server from the handler does not wait for the handler. */
static gboolean
close_both (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  srv_base_server_server_close (srv_base_request_handler_get_server (handler));
  return closed_by_itself (handler, user_data, error);
}

START_TEST (handler_is_known_without_complete_request)
{
  SrvBaseServer *server =
    srv_test_make (straight_server_get_type (), "tcp:127.0.0.1:0", NULL);
  int fd = srv_test_connect (server);

  srv_base_server_set_handler_func (server, close_both, NULL, NULL);
  srv_test_open_gate (GATE_END);
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);
  ck_assert_int_eq (srv_test_get_number (N_LOOKED), 1);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  g_object_unref (server);
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

/* A connection that no server has is closed by anybody. */
START_TEST (connection_of_nobody_is_closed_by_anybody)
{
  SrvConnection *connection;
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], NULL);
  g_thread_join (g_thread_new ("closer", close_in_thread, connection));
  ck_assert_int_eq (srv_connection_get_fd (connection), -1);
  srv_test_expect_end (fds[1]);
  srv_test_close (fds[1]);
  g_object_unref (connection);
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
    { "own", tasks_of_others_are_not_in_the_way, 3 },
    { "own", handler_is_known_without_complete_request, 1 },
    { "end", close_while_the_server_lingers, G_N_ELEMENTS (in_process) },
    { "end", connection_of_nobody_is_closed_by_anybody, 1 },
    { "client", close_in_a_fiber_ends_the_wait_of_another, 1 },
  };

  return srv_test_run_entries ("Connection close", tests, G_N_ELEMENTS (tests));
}
