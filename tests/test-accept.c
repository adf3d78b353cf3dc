/* test-accept.c - when no request can be had
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <fcntl.h>
#include <srv-accept-private.h>
#include <srv-base-server-private.h>
#include <srv-listener-private.h>
#include <sys/resource.h>

#define N_CLIENTS 60

/* Room for connections when descriptors are short. */
#define ROOM 4

/* Records that operators see. */
#define VISIBLE                                                   \
  ((GLogLevelFlags) (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | \
                     G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO))

/* The table. */

static const struct
{
  int code;
  SrvAcceptVerdict verdict;
} table[] = {
  { EAGAIN, SRV_ACCEPT_VERDICT_WAIT },
  { EWOULDBLOCK, SRV_ACCEPT_VERDICT_WAIT },
  { EINTR, SRV_ACCEPT_VERDICT_RETRY },
  { ECONNABORTED, SRV_ACCEPT_VERDICT_RETRY },
  { EPROTO, SRV_ACCEPT_VERDICT_RETRY },
  { ENETDOWN, SRV_ACCEPT_VERDICT_RETRY },
  { ENOPROTOOPT, SRV_ACCEPT_VERDICT_RETRY },
  { EHOSTDOWN, SRV_ACCEPT_VERDICT_RETRY },
  { ENONET, SRV_ACCEPT_VERDICT_RETRY },
  { EHOSTUNREACH, SRV_ACCEPT_VERDICT_RETRY },
  { EOPNOTSUPP, SRV_ACCEPT_VERDICT_RETRY },
  { ENETUNREACH, SRV_ACCEPT_VERDICT_RETRY },
  { ETIMEDOUT, SRV_ACCEPT_VERDICT_RETRY },
  { EPERM, SRV_ACCEPT_VERDICT_REFUSED },
  { EACCES, SRV_ACCEPT_VERDICT_REFUSED },
  { EMFILE, SRV_ACCEPT_VERDICT_SHORTAGE },
  { ENFILE, SRV_ACCEPT_VERDICT_SHORTAGE },
  { ENOBUFS, SRV_ACCEPT_VERDICT_SHORTAGE },
  { ENOMEM, SRV_ACCEPT_VERDICT_SHORTAGE },
  { ENOSR, SRV_ACCEPT_VERDICT_SHORTAGE },
  { EBADF, SRV_ACCEPT_VERDICT_FATAL },
  { ENOTSOCK, SRV_ACCEPT_VERDICT_FATAL },
  { EINVAL, SRV_ACCEPT_VERDICT_FATAL },
  { EFAULT, SRV_ACCEPT_VERDICT_FATAL },
  { EDOM, SRV_ACCEPT_VERDICT_SHORTAGE },
  { EXDEV, SRV_ACCEPT_VERDICT_SHORTAGE },
};

/* Each error of accept4 () has its class; what nobody knows gets a pause, so
 * that it cannot spin. Python treats all alike and spins (SS-071, D-25). */
START_TEST (errors_are_classified)
{
  ck_assert_int_eq (srv_accept_classify (table[_i].code), table[_i].verdict);
}
END_TEST

/* Shortage. */

/* A threading server of TYPE with CLIENTS waiting in its queue; the process
 * has ROOM descriptors more than that. */
typedef struct
{
  SrvBaseServer *server;
  SrvTestRun *run;
  struct rlimit saved;
  int fds[N_CLIENTS];
  gboolean served[N_CLIENTS];
} Crowd;

static void
limit_descriptors (struct rlimit *saved, guint room)
{
  struct rlimit limit;
  int next = dup (STDIN_FILENO);

  close (next);
  ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, saved), 0);
  limit = *saved;
  limit.rlim_cur = (rlim_t) next + room;
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
}

static void
crowd_begin (Crowd *crowd, gboolean shed)
{
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new (SRV_TEST_THREADING);

  memset (crowd, 0, sizeof *crowd);
  crowd->server = srv_test_make (srv_test_server_type (SRV_TEST_TCP),
                                 "tcp:127.0.0.1:0", "mix-in", mix_in,
                                 "shed-on-shortage", shed, NULL);
  srv_base_server_set_handler_func (crowd->server, srv_test_echo_lines, NULL,
                                    NULL);
  srv_test_clear_trace ();
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      crowd->fds[i] = srv_test_connect (crowd->server);
      srv_test_say (crowd->fds[i], "first\n");
    }
  limit_descriptors (&crowd->saved, ROOM);
  crowd->run = srv_test_run (crowd->server);
  srv_test_wait_for_trace ("accept_failed", 1);
}

static void
crowd_end (Crowd *crowd)
{
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &crowd->saved), 0);
  for (guint i = 0; i < N_CLIENTS; i++)
    if (crowd->fds[i] >= 0)
      srv_test_close (crowd->fds[i]);
  srv_test_finish (crowd->run);
}

/* Out of descriptors, the clients that came first are served on, the others
 * see the end at once, and the process is quiet (D-25). Later clients are
 * served when there is room. Python spins at full speed (SS-071). */
START_TEST (surplus_clients_are_shed)
{
  Crowd crowd;
  guint n_served = 0;
  int fd;

  srv_test_begin_log ();
  crowd_begin (&crowd, TRUE);
  ck_assert_int_eq (srv_test_get_verdict (), SRV_ACCEPT_VERDICT_SHORTAGE);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      char answer[16];
      gssize n = srv_test_receive (crowd.fds[i], answer, sizeof answer);

      crowd.served[i] = n > 0;
      ck_assert (n > 0 || n == 0 || errno == ECONNRESET);
      n_served += n > 0;
    }
  ck_assert_uint_ge (n_served, 1);
  ck_assert_uint_le (n_served, ROOM + 1);
  srv_test_assert_idle ();
  ck_assert_uint_eq (srv_test_count_log (VISIBLE, NULL), 1);

  /* Old ones are served still. */
  for (guint i = 0; i < N_CLIENTS; i++)
    if (crowd.served[i])
      {
        srv_test_say (crowd.fds[i], "second\n");
        srv_test_expect (crowd.fds[i], "second\n");
      }

  /* All who were shed leave; now there is room. */
  for (guint i = 0; i < N_CLIENTS; i++)
    if (!crowd.served[i])
      {
        srv_test_close (crowd.fds[i]);
        crowd.fds[i] = -1;
      }
  fd = srv_test_connect (crowd.server);
  srv_test_say (fd, "new\n");
  srv_test_expect (fd, "new\n");
  srv_test_close (fd);
  crowd_end (&crowd);
  ck_assert_uint_eq (srv_test_count_log (VISIBLE, NULL), 2);
  srv_test_end_log ();
}
END_TEST

/* The reserve may be lost: while it makes room, somebody else may need a
 * descriptor. It comes back before anybody is served, so that the next ones are
 * shed and not kept waiting. */
START_TEST (lost_reserve_comes_back)
{
  Crowd crowd;
  int late[2];
  int thief;
  struct sockaddr_in address = { .sin_family = AF_INET };

  for (guint i = 0; i < G_N_ELEMENTS (late); i++)
    late[i] = srv_test_socket (AF_INET, SOCK_STREAM);
  srv_test_begin_log ();
  crowd_begin (&crowd, TRUE);
  for (guint i = 0; i < N_CLIENTS; i++)
    srv_test_receive (crowd.fds[i], (char[16]){ 0 }, 16);
  srv_test_assert_idle ();

  ck_assert (
    srv_listener_give_reserve (srv_base_server_get_listener (crowd.server)));
  thief = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  ck_assert_int_ge (thief, 0);
  address.sin_port = g_htons (srv_test_port (crowd.server));
  address.sin_addr.s_addr = g_htonl (INADDR_LOOPBACK);
  srv_test_clear_trace ();
  for (guint i = 0; i < G_N_ELEMENTS (late); i++)
    ck_assert_int_eq (connect (late[i], (struct sockaddr *) &address,
                               sizeof address),
                      0);
  srv_test_wait_for_trace ("accept_failed", 1);
  close (thief);
  for (guint i = 0; i < G_N_ELEMENTS (late); i++)
    {
      srv_test_expect_gone (late[i]);
      srv_test_close (late[i]);
    }
  crowd_end (&crowd);
  srv_test_end_log ();
}
END_TEST

/* Without shedding they wait in the queue; the loop pauses meanwhile, and
 * serves them as the others leave. */
START_TEST (surplus_clients_can_wait)
{
  Crowd crowd;
  guint n_begun;
  guint n_over;

  srv_test_begin_log ();
  crowd_begin (&crowd, FALSE);
  ck_assert_int_eq (srv_test_get_verdict (), SRV_ACCEPT_VERDICT_SHORTAGE);
  srv_test_assert_idle ();
  ck_assert_uint_eq (srv_test_count_log (VISIBLE, NULL), 1);

  for (guint i = 0; i < N_CLIENTS; i++)
    {
      srv_test_expect (crowd.fds[i], "first\n");
      srv_test_close (crowd.fds[i]);
      crowd.fds[i] = -1;
    }
  srv_test_wait_for_trace ("close_request", N_CLIENTS);
  crowd_end (&crowd);
  /* One at the beginning and one at the end of each episode. The last may have
   * begun when nobody was left: without descriptors the system does not say
   * that nobody waits. */
  n_begun = srv_test_count_log_event ("shortage");
  n_over = srv_test_count_log_event ("shortage-over");
  ck_assert_uint_ge (n_over, 1);
  ck_assert (n_begun == n_over || n_begun == n_over + 1);
  ck_assert_uint_eq (srv_test_count_log (VISIBLE, NULL), n_begun + n_over);
  srv_test_end_log ();
}
END_TEST

/* A stop is not delayed by the pause, however long that has become. */
START_TEST (stop_does_not_wait_for_the_pause)
{
  const gint64 limit = 100 * 1000;
  gint64 took = limit;
  Crowd crowd;

  srv_test_begin_log ();
  crowd_begin (&crowd, FALSE);
  /* The sixth pause lasts 320 ms. */
  for (guint i = 0; i < SRV_TEST_TRIES && took >= limit; i++)
    {
      gint64 before;

      if (i > 0)
        crowd.run = srv_test_run (crowd.server);
      srv_test_wait_for_trace ("accept_failed", 6);
      before = g_get_monotonic_time ();
      srv_test_stop (crowd.run);
      took = g_get_monotonic_time () - before;
      srv_test_clear_trace ();
    }
  ck_assert_int_lt (took, limit);
  crowd.run = srv_test_run (crowd.server);
  crowd_end (&crowd);
  srv_test_end_log ();
}
END_TEST

/* A single request that cannot be had for want of descriptors is no failure
 * of the call. */
START_TEST (single_request_reports_nothing)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_INLINE);
  g_autoptr (GError) error = NULL;
  struct rlimit saved;
  int fd = srv_test_connect (server);

  srv_test_begin_log ();
  limit_descriptors (&saved, 0);
  ck_assert_int_eq (srv_base_server_handle_request (server, 1000, NULL, &error),
                    SRV_HANDLE_RESULT_NOTHING);
  srv_test_assert_no_error (error);
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &saved), 0);
  ck_assert_uint_eq (srv_test_count_trace ("accept_failed"), 1);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
  srv_test_end_log ();
}
END_TEST

/* Errors of a subclass. */

typedef struct
{
  SrvTCPServer parent_instance;
} OddServer;
typedef struct
{
  SrvTCPServerClass parent_class;
} OddServerClass;

static GType odd_server_get_type (void);
G_DEFINE_TYPE (OddServer, odd_server, SRV_TYPE_TCP_SERVER)

#define N_ODD 3

/* Numbers of the tests. */
enum
{
  N_TRIES,
  N_FAILED,
  VERDICT,
};

static const struct
{
  int code;
  int verdict; /* -1: accept_failed() is not asked */
  gboolean goes_on;
} odd[] = {
  { G_IO_ERROR_FAILED, SRV_ACCEPT_VERDICT_SHORTAGE, TRUE },
  { G_IO_ERROR_WOULD_BLOCK, -1, TRUE },
  { SRV_ERROR_FAILED, SRV_ACCEPT_VERDICT_FATAL, FALSE },
  { SRV_ERROR_LIMIT, SRV_ACCEPT_VERDICT_FATAL, FALSE },
};

static int odd_case;

static SrvRequest *
odd_server_get_request (SrvBaseServer *server, GError **error)
{
  srv_test_add_number (N_TRIES, 1);
  if (srv_test_get_number (N_TRIES) > N_ODD)
    return SRV_BASE_SERVER_CLASS (odd_server_parent_class)
      ->get_request (server, error);

  g_set_error (error, odd[odd_case].goes_on ? G_IO_ERROR : SRV_ERROR,
               odd[odd_case].code, "an odd thing");

  return NULL;
}

static void
odd_server_accept_failed (G_GNUC_UNUSED SrvBaseServer *server,
                          SrvAcceptVerdict verdict,
                          G_GNUC_UNUSED const GError *error)
{
  srv_test_set_number (VERDICT, verdict);
  srv_test_add_number (N_FAILED, 1);
}

static void
odd_server_class_init (OddServerClass *klass)
{
  SRV_BASE_SERVER_CLASS (klass)->get_request = odd_server_get_request;
  SRV_BASE_SERVER_CLASS (klass)->accept_failed = odd_server_accept_failed;
}

static void
odd_server_init (G_GNUC_UNUSED OddServer *self)
{
}

/* What a get_request () of one's own says: nothing there is waited out,
 * trouble of the system gets a pause, the library's own errors end the run and
 * come out of it (SS-071, D-26). */
START_TEST (subclass_decides_with_its_error)
{
  SrvBaseServer *server;
  g_autoptr (GError) error = NULL;
  SrvTestRun *run;
  int fd;

  odd_case = _i;
  srv_test_begin_log ();
  server = srv_test_make (odd_server_get_type (), "tcp:127.0.0.1:0",
                          "handler-type", srv_test_handler_type (SRV_TEST_TCP),
                          NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  if (odd[_i].goes_on)
    {
      srv_test_expect (fd, "hello\n");
      srv_test_stop (run);
      ck_assert_int_eq (srv_test_get_number (N_FAILED),
                        odd[_i].verdict < 0 ? 0 : N_ODD);
    }
  else
    {
      ck_assert (!srv_test_join (run, &error));
      srv_test_assert_error (error, SRV_ERROR, odd[_i].code);
      ck_assert_int_eq (srv_test_get_number (N_TRIES), 1);
    }
  if (odd[_i].verdict >= 0 && srv_test_get_number (N_FAILED) > 0)
    ck_assert_int_eq (srv_test_get_number (VERDICT), odd[_i].verdict);
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
  srv_test_end_log ();
}
END_TEST

/* Clients and listeners that go. */

/* A client that reset its connection before it was accepted makes no noise and
 * costs nobody anything. */
START_TEST (client_that_reset_is_no_news)
{
  struct linger reset = { .l_onoff = 1 };
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new ((SrvTestMixIn) _i);
  SrvBaseServer *server;
  SrvTestRun *run;

  srv_test_begin_log ();
  server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0", "mix-in",
                          mix_in, "handler-type",
                          srv_test_handler_type (SRV_TEST_TCP), NULL);
  for (guint i = 0; i < 3; i++)
    {
      int fd = srv_test_connect (server);

      if (i == 1)
        srv_test_say (fd, "hello\n");
      setsockopt (fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      srv_test_close (fd);
    }
  run = srv_test_run (server);
  srv_test_echo (server, "hello\n");
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_log (VISIBLE, NULL), 0);
  srv_test_end_log ();
}
END_TEST

static gboolean
is_ended (SrvBaseServer *server)
{
  return srv_base_server_get_state (server) != SRV_SERVER_STATE_SERVING;
}

/* A listener that somebody shut down under the loop ends the run with an
 * error; Python spins. */
START_TEST (dead_listener_ends_the_run)
{
  SrvBaseServer *server =
    srv_test_server_new ((SrvTestTransport) _i, SRV_TEST_INLINE);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;

  srv_test_begin_log ();
  ck_assert_int_eq (shutdown (srv_base_server_fileno (server), SHUT_RDWR), 0);
  srv_test_eventually (is_ended (server));
  ck_assert (!srv_test_join (run, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_int_eq (srv_test_get_verdict (), SRV_ACCEPT_VERDICT_FATAL);
  ck_assert_uint_eq (srv_test_count_trace ("accept_failed"), 1);
  srv_base_server_server_close (server);
  g_object_unref (server);
  srv_test_end_log ();
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "table", errors_are_classified, G_N_ELEMENTS (table) },
    { "shortage", surplus_clients_are_shed, 1 },
    { "shortage", lost_reserve_comes_back, 1 },
    { "shortage", surplus_clients_can_wait, 1 },
    { "shortage", stop_does_not_wait_for_the_pause, 1 },
    { "shortage", single_request_reports_nothing, 1 },
    { "subclass", subclass_decides_with_its_error, G_N_ELEMENTS (odd) },
    { "gone", client_that_reset_is_no_news, SRV_TEST_N_MIX_INS },
    { "gone", dead_listener_ends_the_run, SRV_TEST_UNIX + 1 },
  };

  return srv_test_run_entries ("Accept", tests, G_N_ELEMENTS (tests));
}
