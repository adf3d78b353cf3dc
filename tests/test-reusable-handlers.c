/* test-reusable-handlers.c - handlers that serve one datagram after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "udp-test.h"

#define N_DATAGRAMS 200

static int n_made;
static int n_reset;
static SrvBaseRequestHandler *kept;

/* Counts, and does what the packet says. */
typedef struct
{
  SrvDatagramRequestHandler parent_instance;
} CountingHandler;
typedef struct
{
  SrvDatagramRequestHandlerClass parent_class;
} CountingHandlerClass;

static GType counting_handler_get_type (void);
G_DEFINE_TYPE (CountingHandler,
               counting_handler,
               SRV_TYPE_DATAGRAM_REQUEST_HANDLER)

static gboolean
counting_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  gsize length;
  const char *packet =
    g_bytes_get_data (srv_datagram_request_handler_get_packet (self), &length);
  g_autofree char *text = g_strndup (packet, length);

  if (g_str_equal (text, "silent"))
    return TRUE;
  if (g_str_equal (text, "keep"))
    g_set_object (&kept, handler);
  if (g_str_equal (text, "mark"))
    g_object_set_data (G_OBJECT (handler), "mark", self);
  if (!srv_datagram_request_handler_write (self, text, length, error))
    return FALSE;
  if (!g_str_equal (text, "fail"))
    return g_output_stream_write_all (srv_datagram_request_handler_get_wfile (
                                        self),
                                      "\n", 1, NULL, NULL, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no luck");
  return FALSE;
}

static void
counting_handler_reset (SrvBaseRequestHandler *handler)
{
  g_atomic_int_inc (&n_reset);
  SRV_BASE_REQUEST_HANDLER_CLASS (counting_handler_parent_class)
    ->reset (handler);
}

static void
counting_handler_class_init (CountingHandlerClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->handle = counting_handler_handle;
  handler_class->reset = counting_handler_reset;
  srv_base_request_handler_class_set_reusable (handler_class);
}

static void
counting_handler_init (G_GNUC_UNUSED CountingHandler *self)
{
  g_atomic_int_inc (&n_made);
}

/* A class derived from it, which may have anything in it. */
typedef CountingHandler DerivedHandler;
typedef CountingHandlerClass DerivedHandlerClass;

static GType derived_handler_get_type (void);
G_DEFINE_TYPE (DerivedHandler, derived_handler, counting_handler_get_type ())

static void
derived_handler_class_init (G_GNUC_UNUSED DerivedHandlerClass *klass)
{
}

static void
derived_handler_init (G_GNUC_UNUSED DerivedHandler *self)
{
}

/* The first two run handlers where datagrams are received, and the others give
 * each a copy. */
static SrvBaseServer *
make_server_of (int i)
{
  const SrvTestMixIn mix_ins[] = { SRV_TEST_INLINE, SRV_TEST_FIBERS,
                                   SRV_TEST_THREADING, SRV_TEST_THREAD_POOL };
  const SrvTestTransport transports[] = { SRV_TEST_UDP, SRV_TEST_UNIXGRAM };

  return srv_test_server_new (transports[i % 2], mix_ins[i / 2]);
}

#define N_SERVERS 8

static SrvBaseServer *
make_counting (int i, GType type)
{
  SrvBaseServer *server = make_server_of (i);

  srv_base_server_set_handler_type (server, type);

  return server;
}

static void
ask (int fd, const char *question, const char *answer)
{
  srv_test_say (fd, question);
  srv_test_expect (fd, answer);
}

START_TEST (handler_serves_one_after_the_other)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  for (guint i = 0; i < N_DATAGRAMS; i++)
    ask (fd, "hello", "hello\n");
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_int_lt (n_made, N_DATAGRAMS);
  ck_assert_int_eq (n_reset, N_DATAGRAMS);
}
END_TEST

/* What one client was to be told is not told to the next one. */
START_TEST (nothing_stays_of_a_request)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  ask (fd, "hello", "hello\n");
  srv_test_say (fd, "fail");
  srv_test_say (fd, "silent");
  ask (fd, "again", "again\n");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

START_TEST (derived_class_has_a_handler_for_each)
{
  SrvBaseServer *server = make_counting (_i, derived_handler_get_type ());
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  for (guint i = 0; i < N_DATAGRAMS; i++)
    ask (fd, "hello", "hello\n");
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_int_eq (n_made, N_DATAGRAMS);
  ck_assert_int_eq (n_reset, 0);
}
END_TEST

START_TEST (handler_that_is_held_keeps_its_request)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  SrvDatagram *datagram;
  gsize length;

  ask (fd, "keep", "keep\n");
  ask (fd, "hello", "hello\n");
  srv_test_close (fd);
  srv_test_finish (run);
  datagram = SRV_DATAGRAM (srv_base_request_handler_get_request (kept));
  ck_assert_ptr_nonnull (srv_datagram_get_data (datagram, &length));
  ck_assert_uint_eq (length, 4);
  g_clear_object (&kept);
}
END_TEST

START_TEST (handler_with_data_is_not_used_again)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  for (guint i = 0; i < N_DATAGRAMS; i++)
    ask (fd, "mark", "mark\n");
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_int_eq (n_made, N_DATAGRAMS);
  ck_assert_int_eq (n_reset, 0);
}
END_TEST

/* The class may change between two runs, and a function may come in its
 * place: nobody is served by the handler of before. */
START_TEST (handler_of_another_class_is_not_used)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  ask (fd, "hello", "hello\n");
  srv_test_stop (run);
  srv_base_server_set_handler_func (server, give_back, NULL, NULL);
  run = srv_test_run (server);
  ask (fd, "hello", "hello");
  ask (fd, "again", "again");
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* "once" asks for a reply that is empty, and everything else for none. */
static gboolean
reply_once (SrvBaseRequestHandler *handler,
            G_GNUC_UNUSED gpointer user_data,
            G_GNUC_UNUSED GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  GBytes *packet = srv_datagram_request_handler_get_packet (self);

  if (g_bytes_get_size (packet) == strlen ("once"))
    srv_datagram_request_handler_set_always_reply (self, TRUE);
  srv_test_trace ("handle");
  return TRUE;
}

/* What a function has set for one request does not hold for the next. */
START_TEST (setting_of_a_function_is_forgotten)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, reply_once, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  ask (fd, "once", "");
  srv_test_say (fd, "silent");
  srv_test_wait_for_trace ("shutdown_request", 2);
  ask (fd, "once", "");
  srv_test_stop (run);
  srv_base_server_server_close (server);
  ck_assert (srv_test_is_quiet (fd));
  srv_test_close (fd);
  g_object_unref (server);
}
END_TEST

static SrvBaseRequestHandler *
make_counted (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              G_GNUC_UNUSED gpointer data)
{
  return g_object_new (counting_handler_get_type (), NULL);
}

/* Nobody but the factory knows what it has given to a handler. */
START_TEST (handler_of_a_factory_is_not_kept)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_factory (server, make_counted, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  for (guint i = 0; i < N_DATAGRAMS; i++)
    ask (fd, "hello", "hello\n");
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_int_eq (n_made, N_DATAGRAMS);
  ck_assert_int_eq (n_reset, 0);
}
END_TEST

/* handle_request () serves whatever was asked before, as it says. */
START_TEST (handle_request_knows_no_stop)
{
  SrvBaseServer *server = make_counting (_i, counting_handler_get_type ());
  int fd = srv_test_connect (server);

  for (guint i = 0; i < 3; i++)
    {
      srv_test_say (fd, "hello");
      srv_base_server_stop (server);
      ck_assert_int_eq (srv_base_server_handle_request (server, -1, NULL, NULL),
                        SRV_HANDLE_RESULT_HANDLED);
      srv_test_expect (fd, "hello\n");
    }
  srv_test_close (fd);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

/* Datagrams that a handler keeps, of those that end with a mark. */
static GMutex lock;
static GQueue all_kept = G_QUEUE_INIT; /* of SrvDatagram, under lock */

static gboolean
keep_and_give_back (SrvBaseRequestHandler *handler,
                    gpointer user_data,
                    GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  gsize length;
  const guint8 *data = srv_datagram_get_data (SRV_DATAGRAM (request), &length);

  if (length > 0 && data[length - 1] == '!')
    {
      g_mutex_lock (&lock);
      g_queue_push_tail (&all_kept, g_object_ref (request));
      g_mutex_unlock (&lock);
    }
  return give_back (handler, user_data, error);
}

/* Bytes that tell the length and the round. */
static void
write_round (guint8 *data, gsize length, guint round)
{
  for (gsize i = 0; i < length; i++)
    data[i] = (guint8) ('a' + (i + length + round) % 26);
  if (length > 0 && round % 7 == 0)
    data[length - 1] = '!';
}

static void
assert_kept (guint i, gsize length, guint round)
{
  g_autofree guint8 *expected = g_malloc (length);
  SrvDatagram *datagram = g_queue_peek_nth (&all_kept, i);
  gsize kept_length;
  const guint8 *data = srv_datagram_get_data (datagram, &kept_length);

  write_round (expected, length, round);
  ck_assert_uint_eq (kept_length, length);
  ck_assert_mem_eq (data, expected, length);
}

/* The room of a long datagram is not kept for the next one, which is shown by
 * the handler, for it goes with it. */
START_TEST (long_datagrams_are_not_kept)
{
  SrvBaseServer *server =
    make_counting (N_SERVERS / 2 + _i, counting_handler_get_type ());
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  g_autofree char *question = g_strnfill (2000, 'x');
  g_autofree char *answer = g_strconcat (question, "\n", NULL);

  for (guint i = 0; i < N_DATAGRAMS; i++)
    ask (fd, question, answer);
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_int_eq (n_made, N_DATAGRAMS);
  ck_assert_int_eq (n_reset, N_DATAGRAMS);
}
END_TEST

/* A server that serves what another one gets. */
typedef struct
{
  SrvTCPServer parent_instance;
  SrvBaseServer *other; /* borrowed */
} BorrowingServer;
typedef struct
{
  SrvTCPServerClass parent_class;
} BorrowingServerClass;

static GType borrowing_server_get_type (void);
G_DEFINE_TYPE (BorrowingServer, borrowing_server, SRV_TYPE_TCP_SERVER)

static SrvRequest *
borrowing_server_get_request (SrvBaseServer *server, GError **error)
{
  return srv_base_server_get_request (((BorrowingServer *) server)->other,
                                      error);
}

static void
borrowing_server_class_init (BorrowingServerClass *klass)
{
  SRV_BASE_SERVER_CLASS (klass)->get_request = borrowing_server_get_request;
}

static void
borrowing_server_init (G_GNUC_UNUSED BorrowingServer *self)
{
}

static SrvBaseServer *
make_lender (const char *endpoint)
{
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new (SRV_TEST_THREADING);

  return srv_test_make (SRV_TYPE_UDP_SERVER, endpoint, "mix-in", mix_in, NULL);
}

/* Its datagrams keep a server's socket open; who has served them for it keeps
 * none of them. */
START_TEST (address_of_a_lender_is_free_after_its_close)
{
  SrvBaseServer *lender = make_lender ("udp:127.0.0.1:0");
  g_autofree char *endpoint = srv_base_server_dup_endpoint (lender);
  SrvBaseServer *server =
    srv_test_make (borrowing_server_get_type (), "tcp:127.0.0.1:0", NULL);
  int fd = srv_test_connect (lender);
  int client = srv_test_connect (server);

  ((BorrowingServer *) server)->other = lender;
  srv_base_server_set_handler_type (server, counting_handler_get_type ());
  srv_test_say (fd, "hello");
  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, NULL),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_expect (fd, "hello\n");
  srv_base_server_server_close (lender);
  g_object_unref (lender);
  lender = make_lender (endpoint);
  srv_base_server_server_close (lender);
  g_object_unref (lender);
  srv_base_server_server_close (server);
  g_object_unref (server);
  srv_test_close (client);
  srv_test_close (fd);
}
END_TEST

#define N_ROUNDS 100

static const gsize sizes[] = { 5, 3000, 0, 1500, 1501, 64, 1 };

/* Short ones after long ones, of two clients in turn: each is answered with what
 * he has sent, and who has kept a datagram has what was in it. */
START_TEST (datagrams_are_not_mixed_up)
{
  SrvBaseServer *server = make_server_of (_i);
  SrvTestRun *run;
  guint n_kept = 0;
  guint8 data[3000];
  guint8 reply[sizeof data];
  int fds[2];

  srv_base_server_set_handler_func (server, keep_and_give_back, NULL, NULL);
  run = srv_test_run (server);
  fds[0] = srv_test_connect (server);
  fds[1] = srv_test_connect (server);
  for (guint i = 0; i < N_ROUNDS; i++)
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
      {
        const int fd = fds[(i + j) % 2];

        write_round (data, sizes[j], i);
        srv_test_send (fd, data, sizes[j]);
        ck_assert_int_eq (srv_test_receive (fd, reply, sizeof reply),
                          (gssize) sizes[j]);
        ck_assert_mem_eq (reply, data, sizes[j]);
      }
  srv_test_stop (run);
  for (guint i = 0; i < N_ROUNDS; i += 7)
    for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
      if (sizes[j] > 0)
        assert_kept (n_kept++, sizes[j], i);
  ck_assert_uint_eq (all_kept.length, n_kept);
  g_queue_clear_full (&all_kept, g_object_unref);
  srv_test_close (fds[0]);
  srv_test_close (fds[1]);
  srv_base_server_server_close (server);
  g_object_unref (server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "reuse", handler_serves_one_after_the_other, N_SERVERS },
    { "reuse", nothing_stays_of_a_request, N_SERVERS },
    { "reuse", derived_class_has_a_handler_for_each, N_SERVERS },
    { "reuse", handler_that_is_held_keeps_its_request, N_SERVERS },
    { "reuse", handler_with_data_is_not_used_again, N_SERVERS },
    { "reuse", handler_of_another_class_is_not_used, N_SERVERS },
    { "reuse", setting_of_a_function_is_forgotten, N_SERVERS },
    { "reuse", handler_of_a_factory_is_not_kept, N_SERVERS },
    { "reuse", handle_request_knows_no_stop, 2 },
    { "reuse", datagrams_are_not_mixed_up, N_SERVERS },
    { "reuse", long_datagrams_are_not_kept, N_SERVERS / 2 },
    { "reuse", address_of_a_lender_is_free_after_its_close, 1 },
  };

  return srv_test_run_entries ("ReusableHandlers", tests, G_N_ELEMENTS (tests));
}
