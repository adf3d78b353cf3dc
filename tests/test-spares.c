/* test-spares.c - connections and their handlers, used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One client after the other does something that could stay on the connection
 * or its handler, and the next one must find both as good as new.
 */

#include "srv-test.h"

#include <netinet/tcp.h>

#define N_CLIENTS 100
#define N_KEPT    64
#define N_AT_ONCE 96 /* more than a server keeps */
#define LINE_SIZE 256

enum
{
  MADE,
  RESET,
  FREED,
  NOTIFIED,
};

static SrvConnection *kept;
static GInputStream *kept_stream;

typedef struct
{
  SrvStreamRequestHandler parent_instance;
} Visitor;
typedef struct
{
  SrvStreamRequestHandlerClass parent_class;
} VisitorClass;

static GType visitor_get_type (void);
G_DEFINE_TYPE (Visitor, visitor, SRV_TYPE_STREAM_REQUEST_HANDLER)

static void
note (G_GNUC_UNUSED gpointer data)
{
  srv_test_add_number (NOTIFIED, 1);
}

static void
note_weak (gpointer data, G_GNUC_UNUSED GObject *where)
{
  note (data);
}

static void
note_closure (gpointer data, G_GNUC_UNUSED GClosure *closure)
{
  note (data);
}

static gboolean
do_settings (SrvStreamRequestHandler *self, SrvConnection *connection)
{
  srv_stream_request_handler_set_rbufsize (self, 1);
  srv_stream_request_handler_set_wbufsize (self, 2);
  srv_stream_request_handler_set_timeout (self, 3000);
  srv_stream_request_handler_set_disable_nagle_algorithm (self, FALSE);
  srv_stream_request_handler_set_end_on_drain (self, FALSE);
  return srv_connection_set_no_delay (connection, FALSE, NULL) &&
         srv_connection_set_timeout (connection, 4000, NULL);
}

static gboolean
do_gather (SrvStreamRequestHandler *self,
           G_GNUC_UNUSED SrvConnection *connection)
{
  return srv_writer_write_string (srv_stream_request_handler_get_wfile (self),
                                  "gathered", NULL);
}

static gboolean
do_lay_over (SrvStreamRequestHandler *self, SrvConnection *connection)
{
  g_autoptr (GIOStream) stream =
    g_simple_io_stream_new (g_io_stream_get_input_stream (
                              G_IO_STREAM (connection)),
                            g_io_stream_get_output_stream (
                              G_IO_STREAM (connection)));

  srv_stream_request_handler_set_stream (self, stream);
  return TRUE;
}

static gboolean
do_close (G_GNUC_UNUSED SrvStreamRequestHandler *self,
          SrvConnection *connection)
{
  return g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
}

static gboolean
do_begin_something (G_GNUC_UNUSED SrvStreamRequestHandler *self,
                    SrvConnection *connection)
{
  return g_io_stream_set_pending (G_IO_STREAM (connection), NULL);
}

static guint16
port_of (GSocketAddress *address)
{
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

/* Of the client that is there, and not of one before. */
static gboolean
is_of_client (SrvConnection *connection, GSocketAddress *address)
{
  struct sockaddr_in6 native;
  socklen_t size = sizeof native;

  return getpeername (srv_connection_get_fd (connection),
                      (struct sockaddr *) &native, &size) == 0 &&
         ntohs (native.sin6_port) == port_of (address);
}

static gboolean
do_socket (G_GNUC_UNUSED SrvStreamRequestHandler *self,
           SrvConnection *connection)
{
  GSocket *socket = srv_connection_get_socket (connection, NULL);
  g_autoptr (GSocketAddress) address =
    g_socket_get_remote_address (socket, NULL);

  return is_of_client (connection, address);
}

static gboolean
do_address (G_GNUC_UNUSED SrvStreamRequestHandler *self,
            SrvConnection *connection)
{
  SrvRequest *request = SRV_REQUEST (connection);

  return is_of_client (connection, srv_request_get_client_address (request));
}

static gboolean
do_keep (G_GNUC_UNUSED SrvStreamRequestHandler *self, SrvConnection *connection)
{
  kept = g_object_ref (connection);
  return TRUE;
}

static gboolean
do_refer (G_GNUC_UNUSED SrvStreamRequestHandler *self,
          SrvConnection *connection)
{
  g_object_weak_ref (G_OBJECT (connection), note_weak, NULL);
  return TRUE;
}

static gboolean
do_keep_stream (SrvStreamRequestHandler *self, SrvConnection *connection)
{
  kept_stream =
    g_object_ref (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  return do_refer (self, connection);
}

static gboolean
do_attach (G_GNUC_UNUSED SrvStreamRequestHandler *self,
           SrvConnection *connection)
{
  g_object_set_data_full (G_OBJECT (connection), "visit", connection, note);
  return TRUE;
}

static gboolean
do_refer_to_stream (G_GNUC_UNUSED SrvStreamRequestHandler *self,
                    SrvConnection *connection)
{
  g_object_weak_ref (G_OBJECT (g_io_stream_get_output_stream (
                       G_IO_STREAM (connection))),
                     note_weak, NULL);
  return TRUE;
}

static gboolean
do_listen (G_GNUC_UNUSED SrvStreamRequestHandler *self,
           SrvConnection *connection)
{
  return g_signal_connect_data (connection, "notify::closed", G_CALLBACK (note),
                                NULL, note_closure, 0) != 0;
}

static gboolean
do_listen_later (SrvStreamRequestHandler *self, SrvConnection *connection)
{
  gboolean ok = do_listen (self, connection);

  g_signal_handlers_block_matched (connection, G_SIGNAL_MATCH_FUNC, 0, 0, NULL,
                                   note, NULL);
  return ok;
}

static gboolean
do_tell (G_GNUC_UNUSED SrvStreamRequestHandler *self, SrvConnection *connection)
{
  g_object_notify (G_OBJECT (connection), "closed");
  return TRUE;
}

static gboolean
do_end (SrvStreamRequestHandler *self, SrvConnection *connection)
{
  srv_base_server_close_request (srv_base_request_handler_get_server (
                                   SRV_BASE_REQUEST_HANDLER (self)),
                                 SRV_REQUEST (connection));
  return TRUE;
}

static gboolean
do_fail (G_GNUC_UNUSED SrvStreamRequestHandler *self,
         G_GNUC_UNUSED SrvConnection *connection)
{
  return FALSE;
}

typedef struct
{
  const char *name;
  gboolean (*function) (SrvStreamRequestHandler *self,
                        SrvConnection *connection);
  const char *reply;
} Visit;

static const Visit visits[] = {
  { "settings", do_settings, "" },
  { "gather", do_gather, "gathered" },
  { "lay over", do_lay_over, "" },
  { "close", do_close, "" },
  { "begin", do_begin_something, "" },
  { "socket", do_socket, "" },
  { "address", do_address, "" },
  { "keep", do_keep, "" },
  { "stream", do_keep_stream, "" },
  { "attach", do_attach, "" },
  { "refer", do_refer, "" },
  { "listen", do_listen, "" },
  { "later", do_listen_later, "" },
  { "output", do_refer_to_stream, "" },
  { "tell", do_tell, "" },
  { "end", do_end, "" },
  { "fail", do_fail, "no luck" },
};

/* All that could be left of the one before. */
static char *
describe (SrvStreamRequestHandler *self, SrvConnection *connection)
{
  int no_delay = -1;
  socklen_t size = sizeof no_delay;

  getsockopt (srv_connection_get_fd (connection), IPPROTO_TCP, TCP_NODELAY,
              &no_delay, &size);
  return g_strdup_printf (
    "%d %d %d %d %d, %d %d, %d %d %d\n",
    srv_stream_request_handler_get_rbufsize (self),
    srv_stream_request_handler_get_wbufsize (self),
    srv_stream_request_handler_get_timeout (self),
    srv_stream_request_handler_get_disable_nagle_algorithm (self),
    srv_stream_request_handler_get_end_on_drain (self),
    srv_connection_get_timeout (connection), no_delay,
    g_io_stream_is_closed (G_IO_STREAM (connection)),
    g_io_stream_has_pending (G_IO_STREAM (connection)),
    g_input_stream_is_closed (
      g_io_stream_get_input_stream (G_IO_STREAM (connection))));
}

static gboolean
visitor_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvConnection *connection = srv_stream_request_handler_get_connection (self);
  const char *line;
  gssize n;
  g_autofree char *state = NULL;

  n = srv_reader_read_line (srv_stream_request_handler_get_rfile (self), &line,
                            LINE_SIZE, error);
  if (n <= 0)
    return n == 0;
  for (guint i = 0; i < G_N_ELEMENTS (visits); i++)
    if (g_str_has_prefix (line, visits[i].name))
      {
        if (visits[i].function (self, connection))
          return TRUE;
        return srv_connection_send_all (connection, "no luck", 7, NULL, error);
      }
  ck_assert (srv_stream_request_handler_get_stream (self) ==
             G_IO_STREAM (connection));
  state = describe (self, connection);
  return srv_connection_send_all (connection, state, strlen (state), NULL,
                                  error);
}

static void
visitor_reset (SrvBaseRequestHandler *handler)
{
  srv_test_add_number (RESET, 1);
  SRV_BASE_REQUEST_HANDLER_CLASS (visitor_parent_class)->reset (handler);
}

static void
visitor_finalize (GObject *object)
{
  srv_test_add_number (FREED, 1);
  G_OBJECT_CLASS (visitor_parent_class)->finalize (object);
}

static void
visitor_class_init (VisitorClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = visitor_finalize;
  handler_class->handle = visitor_handle;
  handler_class->reset = visitor_reset;
  srv_base_request_handler_class_set_reusable (handler_class);
}

static void
visitor_init (Visitor *self)
{
  srv_test_add_number (MADE, 1);
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}

/* A class of its own that says nothing: its handlers serve once. */
typedef Visitor Guest;
typedef VisitorClass GuestClass;

static GType guest_get_type (void);
G_DEFINE_TYPE (Guest, guest, visitor_get_type ())

static void
guest_class_init (G_GNUC_UNUSED GuestClass *klass)
{
}

static void
guest_init (G_GNUC_UNUSED Guest *self)
{
}

/* Says why in `setup`, and fails there. */
typedef Visitor Refuser;
typedef VisitorClass RefuserClass;

static GType refuser_get_type (void);
G_DEFINE_TYPE (Refuser, refuser, visitor_get_type ())

static gboolean
refuser_setup (SrvBaseRequestHandler *handler, GError **error)
{
  if (!SRV_BASE_REQUEST_HANDLER_CLASS (refuser_parent_class)
         ->setup (handler, error))
    return FALSE;
  srv_writer_write_string (srv_stream_request_handler_get_wfile (
                             SRV_STREAM_REQUEST_HANDLER (handler)),
                           "go away", NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                       "not you");
  return FALSE;
}

static void
refuser_class_init (RefuserClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->setup = refuser_setup;
  srv_base_request_handler_class_set_reusable (handler_class);
}

static void
refuser_init (G_GNUC_UNUSED Refuser *self)
{
}

/* Where the next client is served by the process of the one before. */
static const SrvTestMixIn mix_ins[] = {
  SRV_TEST_INLINE,
  SRV_TEST_THREADING,
  SRV_TEST_FIBERS,
  SRV_TEST_THREAD_POOL,
};

#define N_MIX_INS ((int) G_N_ELEMENTS (mix_ins))
#define N_VISITS  ((int) G_N_ELEMENTS (visits))

static SrvBaseServer *
make_server (SrvTestMixIn mix_in)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, mix_in);

  srv_base_server_set_handler_type (server, visitor_get_type ());
  return server;
}

/* One client, until the server has ended. The caller frees the reply. */
static char *
visit (SrvBaseServer *server, const char *words)
{
  int fd = srv_test_connect (server);
  char *reply;
  gsize length;

  srv_test_say (fd, words);
  srv_test_say (fd, "\n");
  reply = srv_test_read_all (fd, &length);
  srv_test_close (fd);
  return reply;
}

/* One that only listens: who does not read may have gone before all is said. */
static char *
listen_to (SrvBaseServer *server)
{
  int fd = srv_test_connect (server);
  char *reply = srv_test_read_all (fd, &(gsize){ 0 });

  srv_test_close (fd);
  return reply;
}

static void
visit_silently (SrvBaseServer *server, const char *words)
{
  g_free (visit (server, words));
}

static void
finish (SrvTestRun *run, SrvBaseServer *server)
{
  srv_test_stop (run);
  srv_base_server_server_close (server);
  ck_assert_int_eq (srv_test_get_number (FREED), srv_test_get_number (MADE));
  g_object_unref (server);
}

START_TEST (next_client_finds_nothing)
{
  const Visit *before = &visits[_i / N_MIX_INS];
  SrvBaseServer *server = make_server (mix_ins[_i % N_MIX_INS]);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *new = visit (server, "state");

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *reply = visit (server, before->name);
      g_autofree char *state = visit (server, "state");

      ck_assert_str_eq (reply, before->reply);
      ck_assert_str_eq (state, new);
      g_clear_object (&kept);
      g_clear_object (&kept_stream);
    }
  finish (run, server);
}
END_TEST

/* A client that has sent more than was read, or has ended its half. */
START_TEST (input_of_one_is_not_for_the_next)
{
  SrvBaseServer *server = make_server (mix_ins[_i]);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *new = visit (server, "state");

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *state = visit (server, "state\nfail");
      g_autofree char *again = NULL;
      int fd = srv_test_connect (server);

      srv_test_say (fd, "state\n");
      shutdown (fd, SHUT_WR);
      srv_test_expect (fd, new);
      srv_test_expect_end (fd);
      srv_test_close (fd);
      again = visit (server, "state");
      ck_assert_str_eq (state, new);
      ck_assert_str_eq (again, new);
    }
  finish (run, server);
}
END_TEST

/* More than a reader takes: a close over it would be a reset. */
START_TEST (end_of_one_is_not_that_of_the_next)
{
  SrvBaseServer *server = make_server (mix_ins[_i]);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *new = visit (server, "state");
  g_autofree char *much = g_strnfill (100 * 1024, '.');

  memcpy (much, "state\n", strlen ("state\n"));
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *state = NULL;
      int fd = srv_test_connect (server);

      srv_test_say (fd, "state");
      shutdown (fd, SHUT_WR);
      srv_test_expect (fd, new);
      srv_test_expect_end (fd);
      srv_test_close (fd);
      state = visit (server, much);
      ck_assert_str_eq (state, new);
    }
  finish (run, server);
}
END_TEST

/* The one who listens hears nothing of other clients. */
START_TEST (listener_is_not_told_of_the_next)
{
  SrvBaseServer *server = make_server (mix_ins[_i]);
  SrvTestRun *run = srv_test_run (server);

  for (int i = 1; i <= 3; i++)
    {
      g_autofree char *first = visit (server, "listen");
      g_autofree char *second = visit (server, "tell");

      ck_assert_str_eq (first, "");
      ck_assert_str_eq (second, "");
    }
  srv_test_stop (run);
  srv_base_server_server_close (server);
  /* That the three closures have ended. */
  ck_assert_int_eq (srv_test_get_number (NOTIFIED), 3);
  g_object_unref (server);
}
END_TEST

/* Who is told of the end of a connection does not wait for another client. */
START_TEST (end_is_told_at_once)
{
  const char *const names[] = { "attach", "refer", "output", "listen",
                                "later" };
  SrvBaseServer *server = make_server (mix_ins[_i]);
  SrvTestRun *run = srv_test_run (server);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      visit_silently (server, names[i]);
      srv_test_wait_for_number (NOTIFIED, i + 1);
    }
  finish (run, server);
}
END_TEST

static guint64
count_accepted (SrvBaseServer *server)
{
  guint64 n_accepted;

  g_object_get (server, "n-accepted", &n_accepted, NULL);
  return n_accepted;
}

/* What somebody keeps does not become that of another client. */
START_TEST (kept_things_stay_closed)
{
  SrvBaseServer *server = make_server (mix_ins[_i]);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GError) error = NULL;
  char byte;
  int fd;

  visit_silently (server, "stream");
  srv_test_wait_for_number (NOTIFIED, 1);
  visit_silently (server, "keep");
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
  fd = srv_test_connect (server);
  srv_test_say (fd, "half a li");
  srv_test_eventually (count_accepted (server) == 3);
  ck_assert_int_eq (g_input_stream_read (kept_stream, &byte, 1, NULL, &error),
                    -1);
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED));
  ck_assert_int_eq (srv_connection_get_fd (kept), -1);
  srv_test_close (fd);
  g_clear_object (&kept_stream);
  g_clear_object (&kept);
  finish (run, server);
}
END_TEST

START_TEST (handler_serves_one_after_the_other)
{
  SrvBaseServer *server = make_server (mix_ins[_i]);
  SrvTestRun *run = srv_test_run (server);

  for (guint i = 0; i < N_CLIENTS; i++)
    visit_silently (server, "state");
  srv_test_stop (run);
  ck_assert_int_lt (srv_test_get_number (MADE), N_CLIENTS);
  srv_base_server_server_close (server);
  ck_assert_int_eq (srv_test_get_number (RESET), N_CLIENTS);
  ck_assert_int_eq (srv_test_get_number (FREED), srv_test_get_number (MADE));
  g_object_unref (server);
}
END_TEST

/* A server that gives the connection of who says so to somebody else. */
typedef SrvTCPServer Giver;
typedef SrvTCPServerClass GiverClass;

static GType giver_get_type (void);
G_DEFINE_TYPE (Giver, giver, SRV_TYPE_TCP_SERVER)

static void
giver_shutdown_request (SrvBaseServer *server, SrvRequest *request)
{
  if (kept != SRV_CONNECTION (request))
    SRV_BASE_SERVER_CLASS (giver_parent_class)
      ->shutdown_request (server, request);
}

static void
giver_class_init (GiverClass *klass)
{
  SRV_BASE_SERVER_CLASS (klass)->shutdown_request = giver_shutdown_request;
}

static void
giver_init (G_GNUC_UNUSED Giver *self)
{
}

/* The server has nothing more to do with it. */
START_TEST (connection_that_was_handed_over_is_not_kept)
{
  SrvBaseServer *server =
    srv_test_make (giver_get_type (), "tcp:127.0.0.1:0", NULL);
  int fd = srv_test_connect (server);
  SrvTestRun *run;

  srv_base_server_set_handler_type (server, visitor_get_type ());
  run = srv_test_run (server);
  srv_test_say (fd, "keep\n");
  srv_test_wait_for_number (RESET, 1);
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
  srv_test_wait_for_number (FREED, 1);
  ck_assert (srv_connection_send_all (kept, "still here", 10, NULL, NULL));
  srv_test_expect (fd, "still here");
  g_clear_object (&kept);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish (run, server);
}
END_TEST

/* What ends later than its server. */
START_TEST (nothing_is_kept_after_the_close)
{
  SrvBaseServer *server = make_server (SRV_TEST_THREADING);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_mix_in_set_block_on_close (srv_base_server_get_mix_in (server), FALSE);
  srv_test_wait_for_number (MADE, 1);
  srv_test_stop (run);
  srv_base_server_server_close (server);
  srv_test_close (fd);
  srv_test_wait_for_number (FREED, 1);
  g_object_unref (server);
}
END_TEST

/* A handler that may be used again is laid out once, for all children, and none
 * of them has to end it. */
START_TEST (children_share_a_handler)
{
  SrvBaseServer *server = make_server (SRV_TEST_FORKING);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *first = visit (server, "state");

  for (int i = 0; i < 3; i++)
    {
      g_autofree char *state = NULL;

      visit_silently (server, "settings");
      state = visit (server, "state");
      ck_assert_str_eq (state, first);
    }
  ck_assert_int_eq (srv_test_get_number (MADE), 1);
  ck_assert_int_eq (srv_test_get_number (FREED), 0);
  finish (run, server);
  ck_assert_int_eq (srv_test_get_number (FREED), 1);
}
END_TEST

/* Any other one is made by its child, and ended there. */
START_TEST (other_handler_ends_in_its_child)
{
  SrvBaseServer *server = make_server (SRV_TEST_FORKING);
  SrvTestRun *run;

  srv_base_server_set_handler_type (server, guest_get_type ());
  run = srv_test_run (server);
  for (int i = 1; i <= 3; i++)
    {
      visit_silently (server, "state");
      srv_test_wait_for_number (FREED, i);
    }
  ck_assert_int_eq (srv_test_get_number (MADE), 3);
  finish (run, server);
}
END_TEST

static gboolean
handle_as_function (SrvBaseRequestHandler *handler,
                    gpointer user_data,
                    GError **error)
{
  return srv_test_reply (handler, user_data, error);
}

/* What is laid out for children is what the server is set to just now. */
START_TEST (children_follow_a_change_of_handlers)
{
  SrvBaseServer *server = make_server (SRV_TEST_FORKING);
  SrvTestRun *run = srv_test_run (server);
  g_autofree char *by_visitor = visit (server, "gather");
  g_autofree char *by_function = NULL;
  g_autofree char *by_guest = NULL;

  ck_assert_str_eq (by_visitor, "gathered");
  srv_test_stop (run);
  srv_base_server_set_handler_func (server, handle_as_function,
                                    (gpointer) "a function", NULL);
  run = srv_test_run (server);
  by_function = listen_to (server);
  ck_assert_str_eq (by_function, "a function");
  srv_test_stop (run);
  srv_base_server_set_handler_type (server, guest_get_type ());
  run = srv_test_run (server);
  by_guest = visit (server, "gather");
  ck_assert_str_eq (by_guest, "gathered");
  srv_test_wait_for_number (FREED, 2);
  finish (run, server);
}
END_TEST

/* Also where the handler is left to the end of its process. */
START_TEST (refusal_in_setup_arrives)
{
  SrvBaseServer *server =
    make_server (_i < N_MIX_INS ? mix_ins[_i] : SRV_TEST_FORKING);
  SrvTestRun *run;

  srv_base_server_set_handler_type (server, refuser_get_type ());
  run = srv_test_run (server);
  srv_test_begin_log ();
  for (int i = 0; i < 3; i++)
    {
      g_autofree char *reply = listen_to (server);

      ck_assert_str_eq (reply, "go away");
    }
  srv_test_end_log ();
  finish (run, server);
}
END_TEST

/* Its connection ended before it did. */
START_TEST (handler_that_ended_its_request_is_not_kept)
{
  SrvBaseServer *server = make_server (mix_ins[_i]);
  SrvTestRun *run = srv_test_run (server);

  visit_silently (server, "end");
  srv_test_wait_for_number (FREED, 1);
  finish (run, server);
}
END_TEST

START_TEST (data_without_a_function_is_freed)
{
  SrvBaseRequestHandler *handler = g_object_new (visitor_get_type (), NULL);

  srv_base_request_handler_set_function (handler, NULL, &kept, note);
  g_object_unref (handler);
  ck_assert_int_eq (srv_test_get_number (NOTIFIED), 1);
}
END_TEST

/* A crowd that has gone leaves no crowd behind. */
START_TEST (few_are_kept)
{
  const SrvTestMixIn many[] = { SRV_TEST_THREADING, SRV_TEST_FIBERS };
  SrvBaseServer *server = make_server (many[_i]);
  SrvTestRun *run = srv_test_run (server);
  int fds[N_AT_ONCE];

  for (int i = 0; i < N_AT_ONCE; i++)
    fds[i] = srv_test_connect (server);
  srv_test_eventually (srv_test_get_number (MADE) == N_AT_ONCE);
  for (int i = 0; i < N_AT_ONCE; i++)
    {
      srv_test_say (fds[i], "state\n");
      g_free (srv_test_read_all (fds[i], &(gsize){ 0 }));
      srv_test_close (fds[i]);
    }
  srv_test_eventually (srv_test_get_number (FREED) >= N_AT_ONCE - N_KEPT);
  srv_test_eventually (srv_base_server_get_n_active_requests (server) == 0);
  ck_assert_int_eq (srv_test_get_number (FREED), N_AT_ONCE - N_KEPT);
  finish (run, server);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "spares", next_client_finds_nothing, N_VISITS * N_MIX_INS },
    { "spares", input_of_one_is_not_for_the_next, N_MIX_INS },
    { "spares", end_of_one_is_not_that_of_the_next, N_MIX_INS },
    { "spares", listener_is_not_told_of_the_next, N_MIX_INS },
    { "spares", end_is_told_at_once, N_MIX_INS },
    { "spares", kept_things_stay_closed, N_MIX_INS },
    { "spares", handler_serves_one_after_the_other, N_MIX_INS },
    { "spares", connection_that_was_handed_over_is_not_kept, 1 },
    { "spares", nothing_is_kept_after_the_close, 1 },
    { "spares", children_share_a_handler, 1 },
    { "spares", other_handler_ends_in_its_child, 1 },
    { "spares", children_follow_a_change_of_handlers, 1 },
    { "spares", refusal_in_setup_arrives, N_MIX_INS + 1 },
    { "spares", handler_that_ended_its_request_is_not_kept, N_MIX_INS },
    { "spares", data_without_a_function_is_freed, 1 },
    { "spares", few_are_kept, 2 },
  };

  return srv_test_run_entries ("Spares", tests, G_N_ELEMENTS (tests));
}
