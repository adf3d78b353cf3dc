/* test-stream-handler.c - what a stream handler does around handle
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <netinet/tcp.h>

static SrvBaseServer *
make_server (SrvTestTransport transport, SrvHandlerFunc function)
{
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  SrvBaseServer *server =
    srv_test_make (srv_test_plain_type (transport), string, NULL);

  srv_base_server_set_handler_func (server, function, NULL, NULL);

  return server;
}

static void
drop (SrvBaseServer *server)
{
  srv_base_server_server_close (server);
  g_object_unref (server);
}

static void
handle_one (SrvBaseServer *server)
{
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (srv_base_server_handle_request (server, SRV_TEST_PATIENCE,
                                                    NULL, &error),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_assert_no_error (error);
}

/* A handler that is given its properties before it runs. */
static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer user_data)
{
  SrvStreamRequestHandler *handler =
    g_object_new (SRV_TYPE_STREAM_REQUEST_HANDLER, NULL);
  int timeout = (int) srv_test_get_number (8);

  srv_stream_request_handler_set_timeout (handler, timeout);
  srv_stream_request_handler_set_disable_nagle_algorithm (handler,
                                                          srv_test_get_number (
                                                            9) == 0);
  srv_base_request_handler_set_function (SRV_BASE_REQUEST_HANDLER (handler),
                                         (SrvHandlerFunc) user_data, NULL,
                                         NULL);

  return SRV_BASE_REQUEST_HANDLER (handler);
}

static gboolean
note_options (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              G_GNUC_UNUSED GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvConnection *connection = srv_stream_request_handler_get_connection (self);
  socklen_t length = sizeof (int);
  int no_delay = 0;

  srv_test_set_number (0, srv_connection_get_timeout (connection));
  getsockopt (srv_connection_get_fd (connection), IPPROTO_TCP, TCP_NODELAY,
              &no_delay, &length);
  srv_test_set_number (1, no_delay != 0);
  srv_test_set_number (2, 1);

  return TRUE;
}

static const struct
{
  int own;
  int idle;
  int expected;
} limits[] = {
  { -1, 600000, 600000 }, { -1, 250, 250 }, { -1, -1, 0 }, { 0, 600000, 0 },
  { 70, 600000, 70 },     { 70, -1, 70 },   { 0, -1, 0 },
};

/* A handler's own limit goes before the server's; 0 is none (SS-155,
 * SS-156). */
START_TEST (own_limit_goes_before_the_servers)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, note_options);
  int fd;

  srv_test_set_number (8, limits[_i].own);
  srv_stream_server_set_idle_timeout (SRV_STREAM_SERVER (server),
                                      limits[_i].idle);
  srv_base_server_set_handler_factory (server, make_handler, note_options,
                                       NULL);
  fd = srv_test_connect (server);
  handle_one (server);
  ck_assert_int_eq (srv_test_get_number (0), limits[_i].expected);
  srv_test_close (fd);
  drop (server);
}
END_TEST

/* TCP_NODELAY: on by default, off on request, and nothing on Unix sockets,
 * where asking fails in Python (SS-155, SS-157). */
START_TEST (nagle_is_what_was_asked_for)
{
  SrvTestTransport transport = _i / 2 == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX;
  SrvBaseServer *server = make_server (transport, note_options);
  int fd;

  srv_test_set_number (9, _i % 2);
  srv_base_server_set_handler_factory (server, make_handler, note_options,
                                       NULL);
  fd = srv_test_connect (server);
  handle_one (server);
  ck_assert_int_eq (srv_test_get_number (2), 1);
  if (transport == SRV_TEST_TCP)
    ck_assert_int_eq (srv_test_get_number (1), _i % 2 == 0);
  srv_test_close (fd);
  drop (server);
}
END_TEST

/* The defaults, and the range that a property takes (SS-155). */
START_TEST (properties_have_defaults_and_ranges)
{
  static const struct
  {
    const char *name;
    int initial;
  } numbers[] = { { "rbufsize", -1 }, { "wbufsize", -1 }, { "timeout", -1 } };
  g_autoptr (GObject) handler =
    g_object_new (SRV_TYPE_STREAM_REQUEST_HANDLER, NULL);
  gboolean disable;

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      GParamSpec *property =
        g_object_class_find_property (G_OBJECT_GET_CLASS (handler),
                                      numbers[i].name);
      int value;

      ck_assert_int_eq (G_PARAM_SPEC_INT (property)->minimum, -1);
      g_object_get (handler, numbers[i].name, &value, NULL);
      ck_assert_int_eq (value, numbers[i].initial);
      for (int n = -1; n < 100; n += 50)
        {
          g_object_set (handler, numbers[i].name, n, NULL);
          g_object_get (handler, numbers[i].name, &value, NULL);
          ck_assert_int_eq (value, n);
        }
    }
  g_object_get (handler, "disable-nagle-algorithm", &disable, NULL);
  ck_assert (disable);
}
END_TEST

static gboolean
write_and_fail (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);

  srv_writer_write_string (srv_stream_request_handler_get_wfile (self),
                           "partial", NULL);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "on purpose");

  return FALSE;
}

/* What a handler had written before it failed is sent (SS-164). */
START_TEST (output_of_a_failed_handler_is_sent)
{
  SrvBaseServer *server =
    make_server (_i == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX, write_and_fail);
  int fd = srv_test_connect (server);

  srv_test_begin_log ();
  handle_one (server);
  srv_test_end_log ();
  srv_test_expect (fd, "partial");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  drop (server);
}
END_TEST

static gboolean
reply_without_reading (SrvBaseRequestHandler *handler,
                       G_GNUC_UNUSED gpointer user_data,
                       GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  g_autofree char *reply = g_strnfill (200000, 'r');

  /* Something has arrived that nobody is going to read. */
  return srv_wait_fd (srv_connection_get_fd (
                        srv_stream_request_handler_get_connection (self)),
                      G_IO_IN, -1, NULL, error) &&
         srv_writer_write_string (srv_stream_request_handler_get_wfile (self),
                                  reply, error);
}

static gpointer
send_much (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  g_autofree char *noise = g_malloc0 (1024 * 1024);
  gsize sent = 0;

  while (sent < 1024 * 1024)
    {
      ssize_t n = send (fd, noise + sent, 1024 * 1024 - sent, MSG_NOSIGNAL);

      if (n < 0)
        break;
      sent += (gsize) n;
    }
  shutdown (fd, SHUT_WR);

  return NULL;
}

/* Input that nobody has read costs the client neither the reply nor an orderly
 * end (SS-098: in Python a reset may take both). */
START_TEST (reply_survives_unread_input)
{
  SrvBaseServer *server =
    make_server (_i == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX, reply_without_reading);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);
  GThread *thread = g_thread_new ("noise", send_much, GINT_TO_POINTER (fd));
  g_autofree char *reply = NULL;
  gsize length;

  reply = srv_test_read_all (fd, &length);
  ck_assert_uint_eq (length, 200000);
  g_thread_join (thread);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* The lingering has an end: a client that never closes holds nobody up. */
START_TEST (lingering_is_bounded)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, reply_without_reading);
  int fd = srv_test_connect (server);
  gint64 before;

  srv_stream_server_set_linger_timeout (SRV_STREAM_SERVER (server), 50 * _i);
  srv_test_say (fd, "unread");
  before = g_get_monotonic_time ();
  handle_one (server);
  srv_test_assert_took (before, 50 * _i);
  srv_test_close (fd);
  drop (server);
}
END_TEST

/* A stream over the connection: what TLS does, with compression. */
static gboolean
echo_packed (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  GIOStream *connection =
    G_IO_STREAM (srv_stream_request_handler_get_connection (self));
  g_autoptr (GConverter) packer =
    G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, -1));
  g_autoptr (GConverter) unpacker =
    G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB));
  g_autoptr (GInputStream) input =
    g_converter_input_stream_new (g_io_stream_get_input_stream (connection),
                                  unpacker);
  g_autoptr (GOutputStream) output =
    g_converter_output_stream_new (g_io_stream_get_output_stream (connection),
                                   packer);
  g_autoptr (GIOStream) stream = g_simple_io_stream_new (input, output);
  const char *line;
  gssize length;

  srv_stream_request_handler_set_stream (self, stream);
  srv_test_set_number (0,
                       srv_stream_request_handler_get_stream (self) == stream);
  length = srv_reader_read_line (srv_stream_request_handler_get_rfile (self),
                                 &line, 1000, error);

  return length > 0 &&
         srv_writer_write (srv_stream_request_handler_get_wfile (self), line,
                           (gsize) length, error);
}

/* rfile and wfile use the stream that was laid over the connection, and finish
 * closes it, which sends its last bytes. */
START_TEST (stream_is_laid_over_the_connection)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, echo_packed);
  SrvTestRun *run = srv_test_run (server);
  g_autoptr (GConverter) packer =
    G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, -1));
  g_autoptr (GConverter) unpacker =
    G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB));
  g_autofree char *reply = NULL;
  char packed[200];
  char text[200] = { 0 };
  gsize in;
  gsize out;
  gsize length;
  int fd = srv_test_connect (server);

  ck_assert_int_eq (g_converter_convert (packer, "hello\n", 6, packed,
                                         sizeof packed,
                                         G_CONVERTER_INPUT_AT_END, &in, &out,
                                         NULL),
                    G_CONVERTER_FINISHED);
  srv_test_send (fd, packed, out);
  reply = srv_test_read_all (fd, &length);
  ck_assert_int_eq (g_converter_convert (unpacker, reply, length, text,
                                         sizeof text, G_CONVERTER_INPUT_AT_END,
                                         &in, &out, NULL),
                    G_CONVERTER_FINISHED);
  ck_assert_str_eq (text, "hello\n");
  ck_assert_int_eq (srv_test_get_number (0), 1);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

static gboolean
use_socket (SrvBaseRequestHandler *handler,
            G_GNUC_UNUSED gpointer user_data,
            GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  GSocket *gsocket =
    srv_connection_get_socket (srv_stream_request_handler_get_connection (self),
                               error);
  const char *line;
  gssize length;

  if (gsocket == NULL || g_socket_send (gsocket, "go ", 3, NULL, error) != 3)
    return FALSE;
  length = srv_reader_read_line (srv_stream_request_handler_get_rfile (self),
                                 &line, 1000, error);

  return length > 0 &&
         srv_writer_write (srv_stream_request_handler_get_wfile (self), line,
                           (gsize) length, error);
}

/* A GSocket makes the descriptor non-blocking; reads still wait. */
START_TEST (socket_works_beside_reads)
{
  SrvBaseServer *server =
    make_server (_i == 0 ? SRV_TEST_TCP : SRV_TEST_UNIX, use_socket);
  SrvTestRun *run = srv_test_run (server);
  int fd = srv_test_connect (server);

  srv_test_expect (fd, "go ");
  srv_test_say (fd, "line\n");
  srv_test_expect (fd, "line\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A handler of the wrong kind fails the request and says so. */
START_TEST (handler_of_the_wrong_kind_fails_clearly)
{
  SrvTestTransport transport = _i == 0 ? SRV_TEST_TCP : SRV_TEST_UDP;
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_INLINE);
  g_autofree char *message = NULL;
  int fd = srv_test_connect (server);

  srv_base_server_set_handler_type (server,
                                    srv_test_handler_type (
                                      _i == 0 ? SRV_TEST_UDP : SRV_TEST_TCP));
  srv_test_say (fd, "x\n");
  handle_one (server);
  ck_assert_uint_eq (srv_test_count_trace ("handle_error"), 1);
  ck_assert_uint_eq (srv_test_count_trace ("handle"), 0);
  message = srv_test_get_error_message ();
  ck_assert_msg (strstr (message, "Handler") != NULL ||
                   strstr (message, "handler") != NULL,
                 "%s", message);
  srv_test_close (fd);
  drop (server);
}
END_TEST

/* A handler runs on a connection alone: for tests, and for programs that have
 * a loop of their own. */
START_TEST (handler_runs_without_a_server)
{
  g_autoptr (SrvStreamRequestHandler) handler =
    g_object_new (SRV_TYPE_STREAM_REQUEST_HANDLER, NULL);
  g_autoptr (SrvConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], &error);
  srv_test_assert_no_error (error);
  srv_base_request_handler_set_function (SRV_BASE_REQUEST_HANDLER (handler),
                                         write_and_fail, NULL, NULL);
  ck_assert (!srv_base_request_handler_run (SRV_BASE_REQUEST_HANDLER (handler),
                                            SRV_REQUEST (connection), NULL,
                                            &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  ck_assert_ptr_null (
    srv_base_request_handler_get_server (SRV_BASE_REQUEST_HANDLER (handler)));
  srv_test_expect (fds[1], "partial");
  close (fds[1]);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "options", own_limit_goes_before_the_servers,
      (int) G_N_ELEMENTS (limits) },
    { "options", nagle_is_what_was_asked_for, 4 },
    { "options", properties_have_defaults_and_ranges, 1 },
    { "end", output_of_a_failed_handler_is_sent, 2 },
    { "end", reply_survives_unread_input, 2 },
    { "end", lingering_is_bounded, 2 },
    { "streams", stream_is_laid_over_the_connection, 1 },
    { "streams", socket_works_beside_reads, 2 },
    { "kinds", handler_of_the_wrong_kind_fails_clearly, 2 },
    { "kinds", handler_runs_without_a_server, 1 },
  };

  return srv_test_run_entries ("StreamRequestHandler", tests,
                               G_N_ELEMENTS (tests));
}
