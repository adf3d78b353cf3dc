/* test-reader.c - rfile: bounded lines, and everything around them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* The sizes of buffers that lines are read with; -1: the default. */
static const gssize sizes[] = { -1, 0, 1, 2, 7, 16, 65536 };

#define N_SIZES ((int) G_N_ELEMENTS (sizes))

static SrvReader *
reader_of_bytes (const char *bytes, gsize length, gssize size)
{
  g_autoptr (GInputStream) base =
    g_memory_input_stream_new_from_data (g_memdup2 (bytes, length),
                                         (gssize) length, g_free);

  return srv_reader_new (base, size);
}

static SrvReader *
reader_of (const char *text, gssize size)
{
  return reader_of_bytes (text, strlen (text), size);
}

/* A reader over a connection, and the other end of it. */
static SrvReader *
reader_of_socket (int *peer, int timeout_ms, gssize size)
{
  g_autoptr (SrvConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  SrvReader *reader;
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], &error);
  srv_test_assert_no_error (error);
  ck_assert (srv_connection_set_timeout (connection, timeout_ms, NULL));
  *peer = fds[1];

  reader =
    srv_reader_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                    size);
  /* A stream does not keep its connection, as everywhere in GIO. */
  g_object_set_data_full (G_OBJECT (reader), "connection",
                          g_steal_pointer (&connection), g_object_unref);

  return reader;
}

static void
expect_line (SrvReader *reader, gsize max, const char *expected)
{
  g_autoptr (GError) error = NULL;
  const char *line = NULL;
  gssize length = srv_reader_read_line (reader, &line, max, &error);

  srv_test_assert_no_error (error);
  ck_assert_int_eq (length, (gssize) strlen (expected));
  ck_assert_str_eq (line, expected);
}

static void
expect_too_long (SrvReader *reader, gsize max)
{
  g_autoptr (GError) error = NULL;
  const char *line = NULL;

  ck_assert_int_eq (srv_reader_read_line (reader, &line, max, &error), -1);
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG);
}

static void
expect_end (SrvReader *reader)
{
  g_autoptr (GError) error = NULL;
  const char *line = NULL;

  ck_assert_int_eq (srv_reader_read_line (reader, &line, 100, &error), 0);
  srv_test_assert_no_error (error);
}

static void
expect_bytes (SrvReader *reader, const char *expected)
{
  g_autofree char *buffer = g_malloc0 (strlen (expected) + 1);
  g_autoptr (GError) error = NULL;

  ck_assert (
    srv_reader_read_exactly (reader, buffer, strlen (expected), &error));
  srv_test_assert_no_error (error);
  ck_assert_str_eq (buffer, expected);
}

/* The limit counts the newline: a line of exactly so many bytes is taken, one
 * of a byte more is not (SS-158: Python has no limit unless asked). */
START_TEST (limit_is_exact)
{
  SrvReader *longer = reader_of ("12345678\nnext\n", sizes[_i]);
  SrvReader *fits = reader_of ("1234567\nnext\n", sizes[_i]);
  SrvReader *shorter = reader_of ("123456\nnext\n", sizes[_i]);

  expect_too_long (longer, 8);
  expect_line (longer, 9, "12345678\n");
  expect_line (fits, 8, "1234567\n");
  expect_line (fits, 8, "next\n");
  expect_line (shorter, 8, "123456\n");
  expect_line (shorter, 8, "next\n");
  expect_end (shorter);
  g_object_unref (longer);
  g_object_unref (fits);
  g_object_unref (shorter);
}
END_TEST

/* The same for a last line without newline, of limit - 1, limit and limit + 1
 * bytes. */
START_TEST (limit_holds_for_an_unfinished_line)
{
  SrvReader *longer = reader_of ("123456789", sizes[_i]);
  SrvReader *fits = reader_of ("12345678", sizes[_i]);
  SrvReader *shorter = reader_of ("1234567", sizes[_i]);

  expect_too_long (longer, 8);
  expect_line (fits, 8, "12345678");
  expect_end (fits);
  expect_line (shorter, 8, "1234567");
  expect_end (shorter);
  g_object_unref (longer);
  g_object_unref (fits);
  g_object_unref (shorter);
}
END_TEST

/* Nothing is consumed by a line that is too long: it can be asked for again
 * with a larger limit, or read as bytes. */
START_TEST (too_long_line_consumes_nothing)
{
  SrvReader *reader = reader_of ("0123456789abcdef\nnext\n", sizes[_i]);

  expect_too_long (reader, 4);
  expect_too_long (reader, 4);
  expect_too_long (reader, 10);
  expect_bytes (reader, "012");
  expect_too_long (reader, 4);
  expect_line (reader, 100, "3456789abcdef\n");
  expect_line (reader, 100, "next\n");
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* Empty lines are lines, and the last one may lack its newline (SS-158). */
START_TEST (empty_and_unfinished_lines_are_told_apart)
{
  SrvReader *reader = reader_of ("\n\nx\n\nlast", sizes[_i]);

  expect_line (reader, 10, "\n");
  expect_line (reader, 10, "\n");
  expect_line (reader, 10, "x\n");
  expect_line (reader, 10, "\n");
  expect_line (reader, 10, "last");
  expect_end (reader);
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* The end of an empty stream is 0, not an error. */
START_TEST (empty_stream_is_at_its_end)
{
  SrvReader *reader = reader_of ("", sizes[_i]);

  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* A line may hold NULs; the length tells. */
START_TEST (line_may_hold_nuls)
{
  SrvReader *reader = reader_of_bytes ("a\0b\0\n\0", 6, sizes[_i]);
  g_autoptr (GError) error = NULL;
  const char *line;

  ck_assert_int_eq (srv_reader_read_line (reader, &line, 10, &error), 5);
  ck_assert_mem_eq (line, "a\0b\0\n", 6);
  ck_assert_int_eq (srv_reader_read_line (reader, &line, 10, &error), 1);
  ck_assert_mem_eq (line, "\0", 2);
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* The NUL that ends a line in place is not left in what follows. */
START_TEST (byte_after_the_line_is_put_back)
{
  SrvReader *reader = reader_of ("a\nbc\ndefgh", sizes[_i]);
  char byte;

  expect_line (reader, 10, "a\n");
  ck_assert_int_eq (srv_reader_read (reader, &byte, 1, NULL), 1);
  ck_assert_int_eq (byte, 'b');
  expect_line (reader, 10, "c\n");
  expect_bytes (reader, "de");
  expect_line (reader, 10, "fgh");
  g_object_unref (reader);
}
END_TEST

/* The same through the stream's own functions, which know nothing of lines. */
START_TEST (byte_after_the_line_is_put_back_for_gio)
{
  SrvReader *reader = reader_of ("a\nbc\nde\nfgh", sizes[_i]);
  GInputStream *stream = G_INPUT_STREAM (reader);
  char buffer[8] = { 0 };

  expect_line (reader, 10, "a\n");
  ck_assert_int_eq (g_input_stream_read (stream, buffer, 1, NULL, NULL), 1);
  ck_assert_int_eq (buffer[0], 'b');
  expect_line (reader, 10, "c\n");
  ck_assert_int_eq (g_input_stream_skip (stream, 1, NULL, NULL), 1);
  expect_line (reader, 10, "e\n");
  ck_assert (g_input_stream_read_all (stream, buffer, 3, NULL, NULL, NULL));
  ck_assert_mem_eq (buffer, "fgh", 3);
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* Waits for the reader to block in the kernel, then sends the rest. */
typedef struct
{
  int fd;
  const char *text;
  gsize split;
} Split;

static gpointer
send_in_two (gpointer data)
{
  Split *split = data;

  srv_test_send (split->fd, split->text, split->split);
  while (!srv_test_is_quiet (split->fd))
    continue;
  srv_test_send (split->fd, split->text + split->split,
                 strlen (split->text) - split->split);

  return NULL;
}

/* How the network cuts the stream changes nothing. */
START_TEST (line_may_be_split_anywhere)
{
  static const char text[] = "hello\nworld, \nand the end\n";

  for (gsize split = 1; split < sizeof text - 1; split++)
    {
      Split order = { .text = text, .split = split };
      SrvReader *reader =
        reader_of_socket (&order.fd, SRV_TEST_PATIENCE, sizes[_i]);
      GThread *thread = g_thread_new ("peer", send_in_two, &order);

      expect_line (reader, 16, "hello\n");
      expect_line (reader, 16, "world, \n");
      expect_line (reader, 16, "and the end\n");
      g_thread_join (thread);
      close (order.fd);
      expect_end (reader);
      g_object_unref (reader);
    }
}
END_TEST

/* Unbuffered, what follows a line stays on the stream below: a handler can
 * read the head with rfile and give the rest to somebody else (SS-158). */
START_TEST (unbuffered_reader_leaves_the_rest)
{
  g_autoptr (GInputStream) base =
    g_memory_input_stream_new_from_data ("line\nrest", 9, NULL);
  SrvReader *reader = srv_reader_new (base, 0);
  char buffer[5] = { 0 };

  expect_line (reader, 100, "line\n");
  ck_assert_uint_eq (srv_reader_get_available (reader), 0);
  ck_assert_int_eq (g_input_stream_read (base, buffer, 4, NULL, NULL), 4);
  ck_assert_str_eq (buffer, "rest");
  g_object_unref (reader);
}
END_TEST

/* Lines, bytes and GIO's calls can be mixed: there is one position. */
START_TEST (calls_can_be_mixed)
{
  SrvReader *reader = reader_of ("one\ntwo\n1234567890three\nfour", sizes[_i]);
  g_autoptr (GBytes) bytes = NULL;
  char buffer[16] = { 0 };
  gsize got = 0;

  expect_line (reader, 100, "one\n");
  expect_bytes (reader, "tw");
  expect_line (reader, 100, "o\n");
  while (got < 5)
    {
      gssize n = srv_reader_read (reader, buffer + got, 5 - got, NULL);

      ck_assert_int_gt (n, 0);
      got += (gsize) n;
    }
  ck_assert_str_eq (buffer, "12345");
  ck_assert (g_input_stream_read_all (G_INPUT_STREAM (reader), buffer, 5, NULL,
                                      NULL, NULL));
  ck_assert_str_eq (buffer, "67890");
  bytes = srv_reader_read_line_bytes (reader, 100, NULL);
  ck_assert_uint_eq (g_bytes_get_size (bytes), 6);
  ck_assert_mem_eq (g_bytes_get_data (bytes, NULL), "three\n", 6);
  expect_line (reader, 100, "four");
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* A deadline is for all reads together: it ends the wait for who is silent, and
 * who has sent more comes too late as well. Nothing is lost by it. */
START_TEST (deadline_bounds_all_reads_together)
{
  int peer;
  SrvReader *reader = reader_of_socket (&peer, SRV_TEST_PATIENCE, sizes[_i]);
  g_autoptr (GError) error = NULL;
  const char *line;

  srv_test_say (peer, "a\nb");
  expect_line (reader, 10, "a\n");
  srv_reader_set_deadline (reader, g_get_monotonic_time () + 10000);
  ck_assert_int_eq (srv_reader_read_line (reader, &line, 10, &error), -1);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  srv_test_say (peer, "c\n");
  ck_assert_int_eq (srv_reader_read_line (reader, &line, 10, &error), -1);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_reader_set_deadline (reader, -1);
  expect_line (reader, 10, "bc\n");
  close (peer);
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* For bindings: the end is NULL without an error, a long line one with it. */
START_TEST (line_bytes_tell_end_from_error)
{
  SrvReader *reader = reader_of ("long line\n", sizes[_i]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) line = NULL;

  ck_assert_ptr_null (srv_reader_read_line_bytes (reader, 4, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG);
  g_clear_error (&error);
  line = srv_reader_read_line_bytes (reader, 100, &error);
  ck_assert_uint_eq (g_bytes_get_size (line), 10);
  ck_assert_ptr_null (srv_reader_read_line_bytes (reader, 4, &error));
  srv_test_assert_no_error (error);
  g_object_unref (reader);
}
END_TEST

/* A time-out does not poison the reader: what was received before it is still
 * there, and what comes later is read (SS-160, where every later read fails).
 */
START_TEST (reader_goes_on_after_a_time_out)
{
  g_autoptr (GError) error = NULL;
  const char *line;
  int peer;
  SrvReader *reader = reader_of_socket (&peer, 20, sizes[_i]);

  for (guint i = 0; i < 2; i++)
    {
      if (i == 0)
        srv_test_say (peer, "half ");
      ck_assert_int_eq (srv_reader_read_line (reader, &line, 100, &error), -1);
      srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_clear_error (&error);
    }
  srv_test_say (peer, "line\n");
  expect_line (reader, 100, "half line\n");
  g_object_unref (reader);
  close (peer);
}
END_TEST

/* The same for a read of bytes: a whole message can be asked for again. */
START_TEST (read_exactly_can_be_repeated_after_a_time_out)
{
  g_autoptr (GError) error = NULL;
  char buffer[8] = { 0 };
  int peer;
  SrvReader *reader = reader_of_socket (&peer, 20, -1);

  ck_assert (!srv_reader_read_exactly (reader, buffer, 6, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_say (peer, "abcdef");
  expect_bytes (reader, "abcdef");
  g_object_unref (reader);
  close (peer);
}
END_TEST

/* Nothing that was received is lost when a read of bytes timed out. */
START_TEST (half_message_is_kept_after_a_time_out)
{
  g_autoptr (GError) error = NULL;
  char buffer[8] = { 0 };
  int peer;
  SrvReader *reader = reader_of_socket (&peer, 20, sizes[_i]);

  srv_test_say (peer, "abc");
  ck_assert (!srv_reader_read_exactly (reader, buffer, 6, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_say (peer, "def");
  expect_bytes (reader, "abcdef");
  g_object_unref (reader);
  close (peer);
}
END_TEST

/* A stream that ends in the middle of a message is an error of its own. */
START_TEST (end_inside_a_message_is_truncation)
{
  SrvReader *reader = reader_of ("abc", sizes[_i]);
  g_autoptr (GError) error = NULL;
  char buffer[8];

  ck_assert (!srv_reader_read_exactly (reader, buffer, 4, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TRUNCATED);
  g_object_unref (reader);
}
END_TEST

/* Zero bytes are always there. */
START_TEST (nothing_is_read_exactly)
{
  SrvReader *reader = reader_of ("", sizes[_i]);
  g_autoptr (GError) error = NULL;
  char buffer[1];

  ck_assert (srv_reader_read_exactly (reader, buffer, 0, &error));
  srv_test_assert_no_error (error);
  g_object_unref (reader);
}
END_TEST

/* Large reads and lines longer than the buffer are whole. */
START_TEST (sizes_do_not_matter)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_autofree char *rest = g_malloc (200000);
  SrvReader *reader;
  const char *line;

  for (guint i = 0; i < 100000; i++)
    g_string_append_c (all, (char) ('a' + i % 26));
  g_string_append_c (all, '\n');
  for (guint i = 0; i < 200000; i++)
    g_string_append_c (all, (char) ('A' + i % 26));
  reader = reader_of (all->str, sizes[_i]);

  ck_assert_int_eq (srv_reader_read_line (reader, &line, 200000, NULL), 100001);
  ck_assert_mem_eq (line, all->str, 100001);
  ck_assert (srv_reader_read_exactly (reader, rest, 200000, NULL));
  ck_assert_mem_eq (rest, all->str + 100001, 200000);
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* The largest limit is no overflow. */
START_TEST (limit_may_be_the_largest_number)
{
  SrvReader *reader = reader_of ("a\nb", sizes[_i]);

  expect_line (reader, G_MAXSSIZE - 1, "a\n");
  expect_line (reader, G_MAXSSIZE - 1, "b");
  expect_end (reader);
  g_object_unref (reader);
}
END_TEST

/* What can be had without waiting is told. */
START_TEST (available_is_what_was_read_ahead)
{
  SrvReader *reader = reader_of ("one\ntwo\nthree", -1);
  char byte;

  ck_assert_uint_eq (srv_reader_get_available (reader), 0);
  expect_line (reader, 100, "one\n");
  ck_assert_uint_eq (srv_reader_get_available (reader), 9);
  ck_assert_int_eq (srv_reader_read (reader, &byte, 1, NULL), 1);
  ck_assert_uint_eq (srv_reader_get_available (reader), 8);
  expect_line (reader, 100, "wo\n");
  expect_line (reader, 100, "three");
  ck_assert_uint_eq (srv_reader_get_available (reader), 0);
  g_object_unref (reader);
}
END_TEST

/* A GDataInputStream can be laid over a reader: nothing gets lost. */
START_TEST (data_input_stream_stacks)
{
  SrvReader *reader = reader_of ("line\n\x12\x34\x56\x78tail\n", sizes[_i]);
  g_autoptr (GDataInputStream) data = NULL;
  g_autofree char *tail = NULL;

  expect_line (reader, 100, "line\n");
  data = g_data_input_stream_new (G_INPUT_STREAM (reader));
  ck_assert_uint_eq (g_data_input_stream_read_uint32 (data, NULL, NULL),
                     0x12345678);
  tail = g_data_input_stream_read_line (data, NULL, NULL, NULL);
  ck_assert_str_eq (tail, "tail");
  g_object_unref (reader);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "lines", limit_is_exact, N_SIZES },
    { "lines", limit_holds_for_an_unfinished_line, N_SIZES },
    { "lines", too_long_line_consumes_nothing, N_SIZES },
    { "lines", empty_and_unfinished_lines_are_told_apart, N_SIZES },
    { "lines", empty_stream_is_at_its_end, N_SIZES },
    { "lines", line_may_hold_nuls, N_SIZES },
    { "lines", byte_after_the_line_is_put_back, N_SIZES },
    { "lines", byte_after_the_line_is_put_back_for_gio, N_SIZES },
    { "lines", line_may_be_split_anywhere, N_SIZES },
    { "lines", unbuffered_reader_leaves_the_rest, 1 },
    { "lines", line_bytes_tell_end_from_error, N_SIZES },
    { "lines", limit_may_be_the_largest_number, N_SIZES },
    { "bytes", calls_can_be_mixed, N_SIZES },
    { "bytes", end_inside_a_message_is_truncation, N_SIZES },
    { "bytes", nothing_is_read_exactly, N_SIZES },
    { "bytes", sizes_do_not_matter, N_SIZES },
    { "bytes", available_is_what_was_read_ahead, 1 },
    { "bytes", data_input_stream_stacks, N_SIZES },
    { "time", deadline_bounds_all_reads_together, N_SIZES },
    { "time", reader_goes_on_after_a_time_out, N_SIZES },
    { "time", read_exactly_can_be_repeated_after_a_time_out, 1 },
    { "time", half_message_is_kept_after_a_time_out, N_SIZES },
  };

  return srv_test_run_entries ("Reader", tests, G_N_ELEMENTS (tests));
}
