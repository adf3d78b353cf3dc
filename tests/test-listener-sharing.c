/* test-listener-sharing.c - one socket for all workers, or one for each
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#define N_WORKERS 3
#define N_CLIENTS 60

static SrvFiberMixIn *
fibers_of (SrvBaseServer *server)
{
  return SRV_FIBER_MIX_IN (srv_base_server_get_mix_in (server));
}

static gboolean
give_back (SrvBaseRequestHandler *handler, gpointer user_data, GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  const guint8 *data;
  gsize length;

  if (SRV_IS_CONNECTION (request))
    return srv_test_echo_lines (handler, user_data, error);
  data = srv_datagram_get_data (SRV_DATAGRAM (request), &length);
  return srv_datagram_reply (SRV_DATAGRAM (request), data, length, error);
}

/* TRANSPORT is TCP or UDP. */
static SrvBaseServer *
make_server (SrvTestTransport transport, gboolean reuse_port)
{
  SrvBaseServer *server = srv_test_make (srv_test_plain_type (transport),
                                         transport == SRV_TEST_TCP
                                           ? "tcp:127.0.0.1:0"
                                           : "udp:127.0.0.1:0",
                                         "allow-reuse-port", reuse_port, NULL);
  g_autoptr (SrvMixIn) mix_in = srv_fiber_mix_in_new ();

  srv_base_server_set_mix_in (server, mix_in);
  srv_base_server_set_handler_func (server, give_back, NULL, NULL);
  srv_fiber_mix_in_set_workers (fibers_of (server), N_WORKERS);
  srv_fiber_mix_in_set_listener_sharing (fibers_of (server),
                                         SRV_LISTENER_SHARING_REUSE_PORT);
  return server;
}

/* One whose client has gone has no peer any more. */
static gboolean
is_connection (int fd)
{
  int type = 0;
  int listens = 0;
  socklen_t size = sizeof type;

  getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size);
  getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
  return type == SOCK_STREAM && !listens;
}

/* How many sockets of this process are bound to the server's port and are no
 * connections. */
static guint
count_listeners (SrvBaseServer *server)
{
  guint16 port = srv_test_port (server);
  guint n = 0;

  for (int fd = 3; fd < 1024; fd++)
    {
      struct sockaddr_in name = { .sin_family = 0 };
      socklen_t size = sizeof name;

      n += getsockname (fd, (struct sockaddr *) &name, &size) == 0 &&
           name.sin_family == AF_INET && g_ntohs (name.sin_port) == port &&
           !is_connection (fd);
    }
  return n;
}

/* Enough clients that each socket gets some: all are answered. */
static void
ask_often (SrvBaseServer *server)
{
  int fds[N_CLIENTS];

  for (guint i = 0; i < N_CLIENTS; i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "hello\n");
    }
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      srv_test_expect (fds[i], "hello\n");
      srv_test_close (fds[i]);
    }
}

START_TEST (default_is_one_socket)
{
  g_autoptr (SrvMixIn) mix_in = srv_fiber_mix_in_new ();

  ck_assert_int_eq (srv_fiber_mix_in_get_listener_sharing (
                      SRV_FIBER_MIX_IN (mix_in)),
                    SRV_LISTENER_SHARING_SHARED);
}
END_TEST

static const SrvTestTransport transports[] = { SRV_TEST_TCP, SRV_TEST_UDP };

/* Every client is served, whichever socket it came to, also by a second run;
 * and the sockets go with the server. */
START_TEST (each_worker_has_its_own)
{
  SrvBaseServer *server = make_server (transports[_i], TRUE);
  SrvTestRun *run;

  ck_assert_uint_eq (count_listeners (server), 1);
  run = srv_test_run (server);
  ask_often (server);
  ck_assert_uint_eq (count_listeners (server), N_WORKERS);
  srv_test_stop (run);
  ck_assert_uint_eq (count_listeners (server), N_WORKERS);
  run = srv_test_run (server);
  ask_often (server);
  ck_assert_uint_eq (count_listeners (server), N_WORKERS);
  srv_test_finish (run);
}
END_TEST

/* Clients who came while nobody served are served by the next run. */
START_TEST (nobody_is_lost_between_runs)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, TRUE);
  SrvTestRun *run = srv_test_run (server);
  int fds[N_CLIENTS];

  srv_test_stop (run);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      fds[i] = srv_test_connect (server);
      srv_test_say (fds[i], "hello\n");
    }
  run = srv_test_run (server);
  for (guint i = 0; i < N_CLIENTS; i++)
    {
      srv_test_expect (fds[i], "hello\n");
      srv_test_close (fds[i]);
    }
  srv_test_finish (run);
}
END_TEST

/* Bound without the option, or to a path: the port cannot be shared later. */
START_TEST (socket_that_cannot_be_shared_is_an_error)
{
  SrvBaseServer *server;
  g_autoptr (GError) error = NULL;

  if (_i == 0)
    server = make_server (SRV_TEST_TCP, FALSE);
  else
    {
      server = srv_test_server_new (SRV_TEST_UNIX, SRV_TEST_FIBERS);
      srv_fiber_mix_in_set_workers (fibers_of (server), N_WORKERS);
      srv_fiber_mix_in_set_listener_sharing (fibers_of (server),
                                             SRV_LISTENER_SHARING_REUSE_PORT);
    }
  ck_assert (!srv_base_server_serve_forever (server, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  ck_assert_ptr_nonnull (strstr (error->message, "allow-reuse-port"));
  srv_test_assert_state (server, SRV_SERVER_STATE_ACTIVE);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "sharing", default_is_one_socket, 1 },
    { "sharing", each_worker_has_its_own, G_N_ELEMENTS (transports) },
    { "sharing", nobody_is_lost_between_runs, 1 },
    { "sharing", socket_that_cannot_be_shared_is_an_error, 2 },
  };

  return srv_test_run_entries ("ListenerSharing", tests, G_N_ELEMENTS (tests));
}
