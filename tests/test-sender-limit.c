/* test-sender-limit.c - how many datagrams one sender may send
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-sender-limit-private.h"
#include "udp-test.h"

#define MS     ((gint64) 1000)
#define SECOND (1000 * MS)
#define START  (1000 * SECOND)

static SrvSenderLimit limit;

static void
begin (guint rate, guint burst, guint max_senders)
{
  srv_sender_limit_init (&limit);
  srv_sender_limit_set_rate (&limit, rate);
  srv_sender_limit_set_burst (&limit, burst);
  srv_sender_limit_set_max_senders (&limit, max_senders);
}

static SrvSockaddr
sockaddr_of (const char *host)
{
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string (host, 5000);
  SrvSockaddr peer;

  ck_assert (address != NULL && srv_sockaddr_from_address (&peer, address));
  return peer;
}

/* How many of COUNT datagrams that HOST sends at NOW are served. */
static guint
send_many (const char *host, gint64 now, guint count)
{
  SrvSockaddr peer = sockaddr_of (host);
  guint64 n_dropped;
  guint n_served = 0;

  for (guint i = 0; i < count; i++)
    n_served += srv_sender_limit_allows (&limit, &peer, now, &n_dropped);
  return n_served;
}

/* A burst at once, then one for each interval; who is silent gets his burst
 * back, and never more. */
START_TEST (burst_then_rate)
{
  begin (10, 3, 100);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 10), 3);
  ck_assert_uint_eq (send_many ("192.0.2.1", START + 99 * MS, 10), 0);
  ck_assert_uint_eq (send_many ("192.0.2.1", START + 100 * MS, 10), 1);
  ck_assert_uint_eq (send_many ("192.0.2.1", START + 300 * MS, 10), 2);
  ck_assert_uint_eq (send_many ("192.0.2.1", START + 90 * SECOND, 10), 3);
  srv_sender_limit_clear (&limit);
}
END_TEST

/* What is dropped does not count: else who sends too much would never be heard
 * again. */
START_TEST (dropped_datagrams_cost_nothing)
{
  begin (10, 1, 100);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 1000), 1);
  ck_assert_uint_eq (send_many ("192.0.2.1", START + 100 * MS, 1), 1);
  srv_sender_limit_clear (&limit);
}
END_TEST

/* Without a burst of its own it is what a second gives; without a rate there is
 * no limit, and nobody is remembered. */
START_TEST (defaults_are_sensible)
{
  begin (25, 0, 100);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 100), 25);
  srv_sender_limit_set_rate (&limit, 0);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 100), 100);
  ck_assert_uint_eq (send_many ("192.0.2.2", START, 100), 100);
  ck_assert_uint_eq (g_hash_table_size (limit.senders), 1);
  srv_sender_limit_clear (&limit);
}
END_TEST

/* An IPv4 address is one sender, however it is written; an IPv6 network of 64
 * bits is another. */
START_TEST (senders_are_told_apart)
{
  begin (1, 1, 100);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 2), 1);
  ck_assert_uint_eq (send_many ("192.0.2.2", START, 2), 1);
  ck_assert_uint_eq (send_many ("::ffff:192.0.2.1", START, 2), 0);
  ck_assert_uint_eq (send_many ("2001:db8::1", START, 2), 1);
  ck_assert_uint_eq (send_many ("2001:db8::ffff:1", START, 2), 0);
  ck_assert_uint_eq (send_many ("2001:db8:0:1::1", START, 2), 1);
  ck_assert_uint_eq (send_many ("::1", START, 2), 1);
  ck_assert_uint_eq (send_many ("127.0.0.1", START, 2), 1);
  srv_sender_limit_clear (&limit);
}
END_TEST

/* The table does not grow; who came longest ago is forgotten, also when it is
 * made smaller. */
START_TEST (oldest_is_forgotten)
{
  begin (1, 1, 3);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 1), 1);
  ck_assert_uint_eq (send_many ("192.0.2.2", START, 1), 1);
  ck_assert_uint_eq (send_many ("192.0.2.3", START, 1), 1);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 1), 0);
  ck_assert_uint_eq (send_many ("192.0.2.4", START, 1), 1);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 1), 0);
  ck_assert_uint_eq (send_many ("192.0.2.2", START, 1), 1);
  ck_assert_uint_eq (g_hash_table_size (limit.senders), 3);
  ck_assert_uint_eq (limit.recent.length, 3);
  srv_sender_limit_set_max_senders (&limit, 1);
  ck_assert_uint_eq (g_hash_table_size (limit.senders), 1);
  ck_assert_uint_eq (send_many ("192.0.2.2", START, 1), 0);
  ck_assert_uint_eq (send_many ("192.0.2.1", START, 1), 1);
  srv_sender_limit_clear (&limit);
}
END_TEST

/* A rate that is no whole number of microseconds is kept all the same. */
START_TEST (rate_may_be_of_any_size)
{
  const guint n_sent = 10000; /* a microsecond after the other */
  guint n_served = 0;

  begin (750000, 1, 100);
  for (guint i = 0; i < n_sent; i++)
    n_served += send_many ("192.0.2.1", START + i, 1);
  ck_assert_uint_le (n_served, n_sent * 3 / 4 + 1);
  ck_assert_uint_ge (n_served, n_sent / 2);
  srv_sender_limit_clear (&limit);
}
END_TEST

/* The first drop is told at once, the others once a minute, all together. */
START_TEST (drops_are_told_by_episodes)
{
  SrvSockaddr peer = sockaddr_of ("192.0.2.1");
  guint64 n_dropped = 7;

  begin (1, 1, 100);
  ck_assert (srv_sender_limit_allows (&limit, &peer, START, &n_dropped));
  ck_assert_uint_eq (n_dropped, 0);
  ck_assert (!srv_sender_limit_allows (&limit, &peer, START, &n_dropped));
  ck_assert_uint_eq (n_dropped, 1);
  ck_assert (!srv_sender_limit_allows (&limit, &peer, START, &n_dropped));
  ck_assert_uint_eq (n_dropped, 0);
  ck_assert_uint_eq (send_many ("192.0.2.2", START, 100), 1);
  ck_assert (
    srv_sender_limit_allows (&limit, &peer, START + 60 * SECOND, &n_dropped));
  ck_assert (
    !srv_sender_limit_allows (&limit, &peer, START + 60 * SECOND, &n_dropped));
  ck_assert_uint_eq (n_dropped, 102);
  srv_sender_limit_clear (&limit);
}
END_TEST

static gboolean
trace_datagram (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                G_GNUC_UNUSED GError **error)
{
  srv_test_trace ("datagram");
  return TRUE;
}

/* Refused before there is a handler, counted, and told once, whatever the
 * mix-in. They all wait in the socket when the server begins: the time that
 * passes while it takes them does not matter, as long as it is no second for
 * each. */
START_TEST (server_refuses_what_is_too_much)
{
  const guint n_sent = 20;
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new ((SrvTestMixIn) _i);
  SrvBaseServer *server = srv_test_make (SRV_TYPE_UDP_SERVER, "udp:127.0.0.1:0",
                                         "mix-in", mix_in, "sender-rate", 1u,
                                         NULL);
  SrvTestRun *run;
  guint64 n_refused = 0;
  int fd = srv_test_connect (server);

  srv_base_server_set_handler_func (server, trace_datagram, NULL, NULL);
  srv_test_begin_log ();
  for (guint i = 0; i < n_sent; i++)
    srv_test_say (fd, "hello");
  run = srv_test_run (server);
  srv_test_eventually ((g_object_get (server, "n-refused", &n_refused, NULL),
                        n_refused + srv_test_count_trace ("datagram")) ==
                       n_sent);
  ck_assert_uint_ge (n_refused, 1);
  ck_assert_uint_ge (srv_test_count_trace ("datagram"), 1);
  ck_assert_uint_eq (srv_test_count_log_event ("sender-limit"), 1);
  srv_test_end_log ();
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "limit", burst_then_rate, 1 },
    { "limit", dropped_datagrams_cost_nothing, 1 },
    { "limit", defaults_are_sensible, 1 },
    { "limit", senders_are_told_apart, 1 },
    { "limit", oldest_is_forgotten, 1 },
    { "limit", rate_may_be_of_any_size, 1 },
    { "limit", drops_are_told_by_episodes, 1 },
    { "server", server_refuses_what_is_too_much, SRV_TEST_PREFORK },
  };

  return srv_test_run_entries ("SenderLimit", tests, G_N_ELEMENTS (tests));
}
