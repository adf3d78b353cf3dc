/* test-mix-in.c - a mix-in that a user wrote
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* Serves requests at once, and notes what it was asked. */
#define TEST_TYPE_MIX_IN (test_mix_in_get_type ())
G_DECLARE_FINAL_TYPE (TestMixIn, test_mix_in, TEST, MIX_IN, SrvMixIn)

struct _TestMixIn
{
  SrvMixIn parent_instance;

  int n_processed;
  int n_served;
  int n_drained;
  gboolean closed; /* admits nobody */
};

G_DEFINE_FINAL_TYPE (TestMixIn, test_mix_in, SRV_TYPE_MIX_IN)

static gboolean
test_mix_in_process_request (SrvMixIn *mix_in,
                             SrvBaseServer *server,
                             SrvRequest *request,
                             GError **error)
{
  g_atomic_int_inc (&TEST_MIX_IN (mix_in)->n_processed);
  return srv_base_server_complete_request (server, request, error);
}

static gboolean
test_mix_in_serve (SrvMixIn *mix_in, SrvBaseServer *server, GError **error)
{
  TEST_MIX_IN (mix_in)->n_served++;
  return SRV_MIX_IN_CLASS (test_mix_in_parent_class)
    ->serve (mix_in, server, error);
}

static gboolean
test_mix_in_admits (SrvMixIn *mix_in, G_GNUC_UNUSED SrvBaseServer *server)
{
  return !g_atomic_int_get (&TEST_MIX_IN (mix_in)->closed);
}

static gboolean
test_mix_in_drain (SrvMixIn *mix_in,
                   SrvBaseServer *server,
                   SrvDrainStep step,
                   gint64 deadline,
                   guint *n_cut)
{
  TEST_MIX_IN (mix_in)->n_drained++;
  return SRV_MIX_IN_CLASS (test_mix_in_parent_class)
    ->drain (mix_in, server, step, deadline, n_cut);
}

static void
test_mix_in_class_init (TestMixInClass *klass)
{
  SrvMixInClass *mix_in_class = SRV_MIX_IN_CLASS (klass);

  mix_in_class->process_request = test_mix_in_process_request;
  mix_in_class->serve = test_mix_in_serve;
  mix_in_class->admits = test_mix_in_admits;
  mix_in_class->drain = test_mix_in_drain;
}

static void
test_mix_in_init (G_GNUC_UNUSED TestMixIn *self)
{
}

/* One that does not say what it does with a request. */
#define TEST_TYPE_EMPTY_MIX_IN (test_empty_mix_in_get_type ())
G_DECLARE_FINAL_TYPE (TestEmptyMixIn,
                      test_empty_mix_in,
                      TEST,
                      EMPTY_MIX_IN,
                      SrvMixIn)

struct _TestEmptyMixIn
{
  SrvMixIn parent_instance;
};

G_DEFINE_FINAL_TYPE (TestEmptyMixIn, test_empty_mix_in, SRV_TYPE_MIX_IN)

static void
test_empty_mix_in_class_init (G_GNUC_UNUSED TestEmptyMixInClass *klass)
{
}

static void
test_empty_mix_in_init (G_GNUC_UNUSED TestEmptyMixIn *self)
{
}

static SrvBaseServer *
make_server (SrvTestTransport transport, GType mix_in_type)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_INLINE);
  g_autoptr (SrvMixIn) mix_in = g_object_new (mix_in_type, NULL);

  srv_base_server_set_mix_in (server, mix_in);
  srv_test_clear_trace ();
  return server;
}

/* What a mix-in can override is enough to take over a server, with public
 * functions alone (D-12). */
START_TEST (own_mix_in_serves_every_transport)
{
  SrvBaseServer *server = make_server ((SrvTestTransport) _i, TEST_TYPE_MIX_IN);
  TestMixIn *mix_in = TEST_MIX_IN (srv_base_server_get_mix_in (server));
  SrvTestRun *run = srv_test_run (server);

  g_object_ref (mix_in);
  srv_test_echo (server, "hello\n");
  srv_test_echo (server, "again\n");
  srv_test_finish (run);
  ck_assert_int_eq (g_atomic_int_get (&mix_in->n_processed), 2);
  ck_assert_int_eq (mix_in->n_served, 1);
  ck_assert_int_eq (mix_in->n_drained, 1);
  g_object_unref (mix_in);
}
END_TEST

static gboolean
is_reply_there (int fd)
{
  char byte;

  return recv (fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* While a mix-in admits nobody, clients wait, and the server can be woken and
 * stopped; a wake lets them in. */
START_TEST (wake_lets_waiting_clients_in)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, TEST_TYPE_MIX_IN);
  TestMixIn *mix_in = TEST_MIX_IN (srv_base_server_get_mix_in (server));
  SrvTestRun *run;
  int fd;

  g_atomic_int_set (&mix_in->closed, TRUE);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "hello\n");
  srv_base_server_wake (server);
  ck_assert (!is_reply_there (fd));
  ck_assert_int_eq (g_atomic_int_get (&mix_in->n_processed), 0);

  g_atomic_int_set (&mix_in->closed, FALSE);
  srv_base_server_wake (server);
  srv_test_expect (fd, "hello\n");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A mix-in that forgot the one function it must have fails each request
 * clearly; the server goes on. */
START_TEST (mix_in_without_a_worker_fails_the_request)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, TEST_TYPE_EMPTY_MIX_IN);
  SrvTestRun *run = srv_test_run (server);

  for (guint i = 1; i <= 2; i++)
    {
      int fd = srv_test_connect (server);

      srv_test_expect_end (fd);
      srv_test_close (fd);
      srv_test_wait_for_trace ("handle_error", i);
    }
  srv_test_finish (run);
}
END_TEST

static gboolean
close_it (SrvBaseRequestHandler *handler,
          G_GNUC_UNUSED gpointer user_data,
          GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  GIOStream *stream = srv_stream_request_handler_get_stream (self);

  return srv_writer_write_string (srv_stream_request_handler_get_wfile (self),
                                  "bye\n", error) &&
         srv_writer_flush (srv_stream_request_handler_get_wfile (self),
                           error) &&
         g_io_stream_close (stream, NULL, error);
}

/* A handler may close its connection itself; the steps that follow do no harm
 * (SS-099). */
START_TEST (handler_may_close_its_connection)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, (SrvTestMixIn) _i);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, close_it, NULL, NULL);
  srv_test_clear_trace ();
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_expect (fd, "bye\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_wait_for_trace ("close_request", 1);
  srv_test_finish (run);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 0);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "own", own_mix_in_serves_every_transport, SRV_TEST_N_TRANSPORTS },
    { "own", wake_lets_waiting_clients_in, 1 },
    { "own", mix_in_without_a_worker_fails_the_request, 1 },
    { "closing", handler_may_close_its_connection, SRV_TEST_N_MIX_INS },
  };

  return srv_test_run_entries ("MixIn", tests, G_N_ELEMENTS (tests));
}
