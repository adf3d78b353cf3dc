/* test-frame-streams.c - messages over any stream, and over connections
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* A sink that counts how often it is written to. */
#define TEST_TYPE_SINK (test_sink_get_type ())
G_DECLARE_FINAL_TYPE (TestSink, test_sink, TEST, SINK, GOutputStream)

struct _TestSink
{
  GOutputStream parent_instance;

  GByteArray *bytes;
  int n_writes;
};

G_DEFINE_FINAL_TYPE (TestSink, test_sink, G_TYPE_OUTPUT_STREAM)

static gssize
test_sink_write (GOutputStream *stream,
                 const void *buffer,
                 gsize count,
                 G_GNUC_UNUSED GCancellable *cancellable,
                 G_GNUC_UNUSED GError **error)
{
  TestSink *self = TEST_SINK (stream);

  g_byte_array_append (self->bytes, buffer, (guint) count);
  self->n_writes++;
  return (gssize) count;
}

static void
test_sink_finalize (GObject *object)
{
  g_byte_array_unref (TEST_SINK (object)->bytes);
  G_OBJECT_CLASS (test_sink_parent_class)->finalize (object);
}

static void
test_sink_class_init (TestSinkClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_sink_finalize;
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = test_sink_write;
}

static void
test_sink_init (TestSink *self)
{
  self->bytes = g_byte_array_new ();
}

/* Each can carry "one", "" and "three". */
static const char *const notations[] = {
  "line",  "lf",    "u8",   "u16be", "u16le",  "u32be",     "u32le",
  "u64be", "u64le", "dec5", "dec19", "varint", "netstring",
};

#define N_NOTATIONS ((int) G_N_ELEMENTS (notations))

static SrvFraming *
framing_of (const char *notation)
{
  SrvFraming *framing = srv_framing_parse (notation, 100, NULL);

  ck_assert_ptr_nonnull (framing);
  return framing;
}

static SrvFrameInputStream *
frames_of (GInputStream *base, const char *notation)
{
  g_autoptr (SrvFraming) framing = framing_of (notation);

  return srv_frame_input_stream_new (base, framing);
}

static SrvFrameOutputStream *
frames_to (GOutputStream *base, const char *notation)
{
  g_autoptr (SrvFraming) framing = framing_of (notation);

  return srv_frame_output_stream_new (base, framing);
}

static GInputStream *
memory_of (const char *text)
{
  return g_memory_input_stream_new_from_data (g_strdup (text),
                                              (gssize) strlen (text), g_free);
}

static void
expect_frame (SrvFrameInputStream *stream, const char *expected)
{
  g_autoptr (GError) error = NULL;
  const guint8 *frame = NULL;
  gsize length = 0;
  gboolean ok =
    srv_frame_input_stream_read_frame (stream, &frame, &length, NULL, &error);

  srv_test_assert_no_error (error);
  ck_assert (ok);
  ck_assert_ptr_nonnull (frame);
  ck_assert_uint_eq (length, strlen (expected));
  ck_assert_str_eq ((const char *) frame, expected);
}

static void
expect_end (SrvFrameInputStream *stream)
{
  g_autoptr (GError) error = NULL;
  const guint8 *frame = (const guint8 *) "";
  gsize length = 1;

  ck_assert (
    srv_frame_input_stream_read_frame (stream, &frame, &length, NULL, &error));
  srv_test_assert_no_error (error);
  ck_assert_ptr_null (frame);
  ck_assert_uint_eq (length, 0);
}

#define expect_failure(stream, domain, code)                               \
  do                                                                       \
    {                                                                      \
      g_autoptr (GError) failure = NULL;                                   \
                                                                           \
      ck_assert_ptr_null (                                                 \
        srv_frame_input_stream_read_frame_bytes (stream, NULL, &failure)); \
      srv_test_assert_error (failure, domain, code);                       \
    }                                                                      \
  while (0)

static void
write_frame (SrvFrameOutputStream *stream, const char *text)
{
  g_autoptr (GError) error = NULL;

  ck_assert (srv_frame_output_stream_write_frame (stream, text, strlen (text),
                                                  NULL, &error));
  srv_test_assert_no_error (error);
}

/* What the one stream writes, the other reads. */
START_TEST (frames_come_back_through_memory)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (SrvFrameOutputStream) output = frames_to (memory, notations[_i]);
  g_autoptr (SrvFrameInputStream) input = NULL;
  g_autoptr (GInputStream) back = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) frame = NULL;

  write_frame (output, "one");
  write_frame (output, "");
  write_frame (output, "three");
  ck_assert (g_output_stream_close (G_OUTPUT_STREAM (output), NULL, NULL));
  ck_assert (g_output_stream_is_closed (memory));

  bytes =
    g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
  back = g_memory_input_stream_new_from_bytes (bytes);
  input = frames_of (back, notations[_i]);
  expect_frame (input, "one");
  expect_frame (input, "");
  frame = srv_frame_input_stream_read_frame_bytes (input, NULL, NULL);
  ck_assert_uint_eq (g_bytes_get_size (frame), 5);
  expect_end (input);
  expect_end (input);
}
END_TEST

/* Header and payload leave together: otherwise a small header would be a
 * packet of its own. */
START_TEST (frame_is_one_write)
{
  g_autoptr (TestSink) sink = g_object_new (TEST_TYPE_SINK, NULL);
  g_autoptr (SrvFrameOutputStream) output =
    frames_to (G_OUTPUT_STREAM (sink), notations[_i]);
  g_autoptr (GError) error = NULL;
  char large[101] = "";

  write_frame (output, "one");
  ck_assert_int_eq (sink->n_writes, 1);
  write_frame (output, "");
  ck_assert_int_eq (sink->n_writes, 2);

  /* And one that is too long is none. */
  memset (large, 'x', sizeof large);
  ck_assert (!srv_frame_output_stream_write_frame (output, large, sizeof large,
                                                   NULL, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG);
  ck_assert_int_eq (sink->n_writes, 2);
}
END_TEST

/* A handler's wfile gathers messages as it gathers everything. */
START_TEST (writer_gathers_frames)
{
  g_autoptr (TestSink) sink = g_object_new (TEST_TYPE_SINK, NULL);
  g_autoptr (SrvWriter) wfile = srv_writer_new (G_OUTPUT_STREAM (sink), -1);
  g_autoptr (SrvFrameOutputStream) output =
    frames_to (G_OUTPUT_STREAM (wfile), "netstring");

  write_frame (output, "one");
  write_frame (output, "three");
  ck_assert_uint_eq (srv_writer_get_pending (wfile), 14);
  ck_assert_int_eq (sink->n_writes, 0);
  ck_assert (g_output_stream_close (G_OUTPUT_STREAM (output), NULL, NULL));
  ck_assert_int_eq (sink->n_writes, 1);
  ck_assert_uint_eq (sink->bytes->len, 14);
  ck_assert_int_eq (memcmp (sink->bytes->data, "3:one,5:three,", 14), 0);
}
END_TEST

/* Over a reader, the reader has what follows: a handler can read a message,
 * then bytes, then a message, even from a reader without a buffer. */
START_TEST (nothing_is_read_beyond_the_frame)
{
  static const gssize sizes[] = { -1, 0, 1, 3, 16 };
  g_autoptr (GInputStream) memory = memory_of ("3:one,raw\n0:,tail");
  g_autoptr (SrvReader) rfile = srv_reader_new (memory, sizes[_i]);
  g_autoptr (SrvFrameInputStream) input =
    frames_of (G_INPUT_STREAM (rfile), "netstring");
  const char *line;
  char tail[4];

  expect_frame (input, "one");
  ck_assert_int_eq (srv_reader_read_line (rfile, &line, 10, NULL), 4);
  ck_assert_str_eq (line, "raw\n");
  expect_frame (input, "");
  ck_assert (srv_reader_read_exactly (rfile, tail, 4, NULL));
  ck_assert_int_eq (memcmp (tail, "tail", 4), 0);
  expect_end (input);
}
END_TEST

/* Over any other stream, the filter itself gives what follows. */
START_TEST (bytes_follow_frames_in_the_filter)
{
  g_autoptr (GInputStream) memory = memory_of ("3:one,12345two0:,");
  g_autoptr (SrvFrameInputStream) input = frames_of (memory, "netstring");
  char bytes[3];

  expect_frame (input, "one");
  ck_assert_int_eq (g_input_stream_skip (G_INPUT_STREAM (input), 5, NULL, NULL),
                    5);
  ck_assert (g_input_stream_read_all (G_INPUT_STREAM (input), bytes, 3, NULL,
                                      NULL, NULL));
  ck_assert_int_eq (memcmp (bytes, "two", 3), 0);
  expect_frame (input, "");
  expect_end (input);
}
END_TEST

START_TEST (cut_stream_is_told)
{
  g_autoptr (GInputStream) memory = memory_of ("one\ntw");
  g_autoptr (SrvFrameInputStream) input = frames_of (memory, "line");
  g_autoptr (GBytes) rest = NULL;

  expect_frame (input, "one");
  expect_failure (input, SRV_ERROR, SRV_ERROR_TRUNCATED);
  expect_failure (input, SRV_ERROR, SRV_ERROR_TRUNCATED);
  rest = srv_frame_input_stream_dup_unfinished (input);
  ck_assert_uint_eq (g_bytes_get_size (rest), 2);
}
END_TEST

START_TEST (malformed_stream_is_told)
{
  g_autoptr (GInputStream) memory = memory_of ("3:one,3:two;3:six,");
  g_autoptr (SrvFrameInputStream) input = frames_of (memory, "netstring");

  expect_frame (input, "one");
  expect_failure (input, SRV_ERROR, SRV_ERROR_BAD_FRAME);
  expect_failure (input, SRV_ERROR, SRV_ERROR_BAD_FRAME);
}
END_TEST

/* The end of the stream is the mark: one message, even an empty one. */
START_TEST (stream_is_one_message)
{
  g_autoptr (GInputStream) memory = memory_of (_i == 0 ? "" : "one\n");
  g_autoptr (SrvFrameInputStream) input = frames_of (memory, "end");
  g_autoptr (TestSink) sink = g_object_new (TEST_TYPE_SINK, NULL);
  g_autoptr (SrvFrameOutputStream) output =
    frames_to (G_OUTPUT_STREAM (sink), "end");
  g_autoptr (GError) error = NULL;

  expect_frame (input, _i == 0 ? "" : "one\n");
  expect_end (input);

  write_frame (output, "one");
  ck_assert (
    !srv_frame_output_stream_write_frame (output, "two", 3, NULL, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BAD_FRAME);
}
END_TEST

/* Like every filter: closed with its base, or without it. */
START_TEST (close_is_clean)
{
  const gboolean with_base = _i == 0;
  g_autoptr (GInputStream) memory = memory_of ("3:one,");
  g_autoptr (SrvFrameInputStream) input = frames_of (memory, "netstring");
  g_autoptr (TestSink) sink = g_object_new (TEST_TYPE_SINK, NULL);
  g_autoptr (SrvFrameOutputStream) output =
    frames_to (G_OUTPUT_STREAM (sink), "netstring");
  g_autoptr (GError) error = NULL;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (input),
                                               with_base);
  g_filter_output_stream_set_close_base_stream (G_FILTER_OUTPUT_STREAM (output),
                                                with_base);
  ck_assert (g_input_stream_close (G_INPUT_STREAM (input), NULL, NULL));
  ck_assert (g_input_stream_close (G_INPUT_STREAM (input), NULL, NULL));
  ck_assert (g_output_stream_close (G_OUTPUT_STREAM (output), NULL, NULL));
  ck_assert_int_eq (g_input_stream_is_closed (memory), with_base);
  ck_assert_int_eq (g_output_stream_is_closed (G_OUTPUT_STREAM (sink)),
                    with_base);
  expect_failure (input, G_IO_ERROR, G_IO_ERROR_CLOSED);
  ck_assert (
    !srv_frame_output_stream_write_frame (output, "two", 3, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}
END_TEST

/* A connection, and the other end of it. */
static SrvConnection *
connection_with (int *peer)
{
  g_autoptr (GError) error = NULL;
  SrvConnection *connection;
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], &error);
  srv_test_assert_no_error (error);
  *peer = fds[1];
  return connection;
}

/* Messages over a connection, in single bytes and in a burst. */
START_TEST (frames_pass_through_a_connection)
{
  int peer;
  g_autoptr (SrvConnection) connection = connection_with (&peer);
  GIOStream *stream = G_IO_STREAM (connection);
  g_autoptr (SrvFrameInputStream) input =
    frames_of (g_io_stream_get_input_stream (stream), "u16be");
  g_autoptr (SrvFrameOutputStream) output =
    frames_to (g_io_stream_get_output_stream (stream), "u16be");
  static const char wire[] = "\0\3one\0\0\0\5three";

  srv_test_send (peer, wire, sizeof wire - 1);
  expect_frame (input, "one");
  expect_frame (input, "");
  expect_frame (input, "three");
  for (gsize i = 0; i < 5; i++)
    srv_test_send (peer, wire + i, 1);
  expect_frame (input, "one");
  write_frame (output, "\1\2\3");
  {
    char back[5];

    ck_assert_int_eq (srv_test_receive (peer, back, sizeof back), 5);
    ck_assert_int_eq (memcmp (back, "\0\3\1\2\3", 5), 0);
  }
  srv_test_send (peer, wire, 4);
  srv_test_close (peer);
  expect_failure (input, SRV_ERROR, SRV_ERROR_TRUNCATED);
}
END_TEST

/* The deadline bounds the whole message, and a message that was late is not
 * lost: it can be read on. */
START_TEST (deadline_bounds_a_frame)
{
  int peer;
  g_autoptr (SrvConnection) connection = connection_with (&peer);
  g_autoptr (SrvFrameInputStream) input =
    frames_of (g_io_stream_get_input_stream (G_IO_STREAM (connection)),
               "netstring");
  gint64 before = g_get_monotonic_time ();

  srv_frame_input_stream_set_deadline (input, srv_test_deadline_in (50));
  expect_failure (input, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_say (peer, "5:hel");
  srv_frame_input_stream_set_deadline (input, srv_test_deadline_in (50));
  expect_failure (input, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_assert_took (before, 100);
  srv_test_say (peer, "lo,0:,");
  srv_frame_input_stream_set_deadline (input, srv_test_deadline_in (
                                                SRV_TEST_PATIENCE));
  expect_frame (input, "hello");
  /* What is there already is had whatever the time. */
  srv_frame_input_stream_set_deadline (input, 0);
  expect_frame (input, "");
  srv_test_close (peer);
}
END_TEST

/* A stream that cannot be waited for is not read after the deadline. */
START_TEST (deadline_holds_between_reads)
{
  g_autoptr (GInputStream) memory = memory_of ("0:,");
  g_autoptr (SrvFrameInputStream) input = frames_of (memory, "netstring");

  srv_frame_input_stream_set_deadline (input, 0);
  expect_failure (input, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_frame_input_stream_set_deadline (input, -1);
  expect_frame (input, "");
}
END_TEST

START_TEST (read_can_be_cancelled)
{
  int peer;
  g_autoptr (SrvConnection) connection = connection_with (&peer);
  g_autoptr (SrvFrameInputStream) input =
    frames_of (g_io_stream_get_input_stream (G_IO_STREAM (connection)),
               "netstring");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  ck_assert_ptr_null (
    srv_frame_input_stream_read_frame_bytes (input, cancellable, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  srv_test_say (peer, "3:one,");
  expect_frame (input, "one");
  srv_test_close (peer);
}
END_TEST

/* A handler that sends each message back, over its rfile and wfile; its streams
 * go when it returns, and close neither. */
static gboolean
echo_frames (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
  g_autoptr (SrvFrameInputStream) input =
    frames_of (G_INPUT_STREAM (rfile), "dec5");
  g_autoptr (SrvFrameOutputStream) output =
    frames_to (G_OUTPUT_STREAM (wfile), "dec5");
  const guint8 *frame;
  gsize length;

  while (
    srv_frame_input_stream_read_frame (input, &frame, &length, NULL, error))
    {
      if (frame == NULL)
        return TRUE;
      if (!srv_frame_output_stream_write_frame (output, frame, length, NULL,
                                                error))
        return FALSE;
    }
  return FALSE;
}

/* Makes the classes here: a child that is forked beside threads does not get
 * through that under ThreadSanitizer. */
static void
make_classes (void)
{
  const GType types[] = {
    SRV_TYPE_FRAMING,
    SRV_TYPE_FRAME_DECODER,
    SRV_TYPE_FRAME_INPUT_STREAM,
    SRV_TYPE_FRAME_OUTPUT_STREAM,
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    g_type_class_unref (g_type_class_ref (types[i]));
}

START_TEST (handlers_speak_in_frames)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, _i);
  SrvTestRun *run;
  int fd;

  make_classes ();
  srv_base_server_set_handler_func (server, echo_frames, NULL, NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_say (fd, "00003one");
  srv_test_expect (fd, "00003one");
  srv_test_say (fd, "000000");
  srv_test_expect (fd, "00000");
  srv_test_say (fd, "0005three");
  shutdown (fd, SHUT_WR);
  srv_test_expect (fd, "00005three");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* A handler that waits for one message, with a deadline, and notes what came
 * instead. */
typedef SrvStreamRequestHandler WaitingHandler;
typedef SrvStreamRequestHandlerClass WaitingHandlerClass;

static GType waiting_handler_get_type (void);

G_DEFINE_TYPE (WaitingHandler, waiting_handler, SRV_TYPE_STREAM_REQUEST_HANDLER)

enum
{
  TIMEOUT_MS,
  N_WAITING,
  N_TRUNCATED,
  N_TIMED_OUT,
};

static gboolean
waiting_handler_handle (SrvBaseRequestHandler *handler,
                        G_GNUC_UNUSED GError **error)
{
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (handler));
  g_autoptr (SrvFrameInputStream) input =
    frames_of (G_INPUT_STREAM (rfile), "dec5");
  g_autoptr (GError) local = NULL;
  const guint8 *frame;
  gsize length;

  srv_frame_input_stream_set_deadline (input, srv_test_deadline_in (
                                                (int) srv_test_get_number (
                                                  TIMEOUT_MS)));
  srv_test_add_number (N_WAITING, 1);
  srv_frame_input_stream_read_frame (input, &frame, &length, NULL, &local);
  if (g_error_matches (local, SRV_ERROR, SRV_ERROR_TRUNCATED))
    srv_test_add_number (N_TRUNCATED, 1);
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    srv_test_add_number (N_TIMED_OUT, 1);
  return TRUE;
}

static void
waiting_handler_class_init (WaitingHandlerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = waiting_handler_handle;
}

static void
waiting_handler_init (WaitingHandler *self)
{
  srv_stream_request_handler_set_end_on_drain (self, TRUE);
}

static SrvTestRun *
run_waiting (SrvTestMixIn mix_in, int timeout_ms, int *fd)
{
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (SRV_TEST_TCP);
  g_autofree char *string = srv_endpoint_to_string (endpoint);
  g_autoptr (SrvMixIn) object = srv_test_mix_in_new (mix_in);
  SrvBaseServer *server =
    srv_test_make (SRV_TYPE_TCP_SERVER, string, "handler-type",
                   waiting_handler_get_type (), "mix-in", object, NULL);
  SrvTestRun *run;

  make_classes ();
  g_type_class_unref (g_type_class_ref (waiting_handler_get_type ()));
  srv_test_set_number (TIMEOUT_MS, timeout_ms);
  run = srv_test_run (server);
  *fd = srv_test_connect (server);
  srv_test_say (*fd, "00005thr");
  srv_test_wait_for_number (N_WAITING, 1);
  return run;
}

/* A server that closes does not wait for the deadline of a message. */
START_TEST (drain_ends_the_wait_for_a_frame)
{
  int fd;
  SrvTestRun *run = run_waiting (_i, 3 * SRV_TEST_PATIENCE, &fd);
  SrvBaseServer *server = run->server;

  srv_base_server_server_close (server);
  srv_test_wait_for_number (N_TRUNCATED, 1);
  ck_assert_uint_eq (srv_base_server_get_n_cut_requests (server), 0);
  srv_test_close (fd);
  srv_test_join (run, NULL);
  g_object_unref (server);
}
END_TEST

/* The deadline holds all the same where a drain would end the wait. */
START_TEST (deadline_ends_the_wait_for_a_frame)
{
  gint64 before = g_get_monotonic_time ();
  int fd;
  SrvTestRun *run = run_waiting (_i, 50, &fd);

  srv_test_wait_for_number (N_TIMED_OUT, 1);
  ck_assert_int_ge (g_get_monotonic_time () - before, 50000);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "memory", frames_come_back_through_memory, N_NOTATIONS },
    { "memory", frame_is_one_write, N_NOTATIONS },
    { "memory", writer_gathers_frames, 1 },
    { "memory", nothing_is_read_beyond_the_frame, 5 },
    { "memory", bytes_follow_frames_in_the_filter, 1 },
    { "memory", cut_stream_is_told, 1 },
    { "memory", malformed_stream_is_told, 1 },
    { "memory", stream_is_one_message, 2 },
    { "memory", close_is_clean, 2 },
    { "memory", deadline_holds_between_reads, 1 },
    { "connection", frames_pass_through_a_connection, 1 },
    { "connection", deadline_bounds_a_frame, 1 },
    { "connection", read_can_be_cancelled, 1 },
    { "connection", handlers_speak_in_frames, SRV_TEST_N_MIX_INS },
    { "connection", drain_ends_the_wait_for_a_frame, SRV_TEST_N_MIX_INS },
    { "connection", deadline_ends_the_wait_for_a_frame, SRV_TEST_N_MIX_INS },
  };

  return srv_test_run_entries ("Frame streams", tests, G_N_ELEMENTS (tests));
}
