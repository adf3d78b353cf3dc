/* test-charset.c - text of other character sets at the edge of a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

/* A handler's whole life with another character set at its edge. */
#define TEST_TYPE_HANDLER (test_handler_get_type ())
G_DECLARE_FINAL_TYPE (TestHandler,
                      test_handler,
                      TEST,
                      HANDLER,
                      SrvStreamRequestHandler)

struct _TestHandler
{
  SrvStreamRequestHandler parent_instance;
};

G_DEFINE_FINAL_TYPE (TestHandler, test_handler, SRV_TYPE_STREAM_REQUEST_HANDLER)

static gboolean
test_handler_setup (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  g_autoptr (GIOStream) stream = NULL;

  if (!SRV_BASE_REQUEST_HANDLER_CLASS (test_handler_parent_class)
         ->setup (handler, error))
    return FALSE;
  stream = srv_charset_stream_new (srv_stream_request_handler_get_stream (self),
                                   "KOI8-R", SRV_CHARSET_POLICY_REPLACE, error);
  if (stream == NULL)
    return FALSE;
  srv_stream_request_handler_set_stream (self, stream);
  return TRUE;
}

/* Says each line back in capitals: it must know characters for that. */
static gboolean
test_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
  const char *line;
  gssize length;

  while ((length = srv_reader_read_line (rfile, &line, 100, error)) > 0)
    {
      g_autofree char *reply = g_utf8_strup (line, length);

      if (!srv_writer_write_string (wfile, reply, error))
        return FALSE;
    }
  return length == 0;
}

static void
test_handler_class_init (TestHandlerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->setup = test_handler_setup;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = test_handler_handle;
}

static void
test_handler_init (G_GNUC_UNUSED TestHandler *self)
{
}

/* "Привет, мир" and "ПРИВЕТ, МИР" with a newline. */
#define HELLO_KOI8    "\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2\n"
#define CAPITALS_KOI8 "\xf0\xf2\xe9\xf7\xe5\xf4, \xed\xe9\xf2\n"
#define HELLO         "Привет, мир\n"

/* The handler knows nothing of the character set, whatever its mix-in; each line
 * is answered when it has come, and not at the end. */
START_TEST (handler_speaks_utf_8)
{
  const SrvTestMixIn mix_in = (SrvTestMixIn) _i;
  g_autoptr (SrvMixIn) concurrency = srv_test_mix_in_new (mix_in);
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server = srv_create_server ("tcp:127.0.0.1:0",
                                             TEST_TYPE_HANDLER, concurrency,
                                             &error);
  SrvTestRun *run;
  int fd;

  srv_test_assert_no_error (error);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  for (int i = 0; i < 3; i++)
    {
      srv_test_say (fd, HELLO_KOI8);
      srv_test_expect (fd, CAPITALS_KOI8);
    }
  ck_assert_int_eq (shutdown (fd, SHUT_WR), 0);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* Converters. */

typedef struct
{
  const char *charset;
  gboolean encodes;
  SrvCharsetPolicy policy;
  const char *from;
  const char *to; /* NULL: fails */
} Case;

#define REJECT  SRV_CHARSET_POLICY_REJECT
#define REPLACE SRV_CHARSET_POLICY_REPLACE
#define ESCAPE  SRV_CHARSET_POLICY_ESCAPE

static const Case cases[] = {
  { "KOI8-R", FALSE, REJECT, HELLO_KOI8, HELLO },
  { "KOI8-R", TRUE, REJECT, HELLO, HELLO_KOI8 },
  { "CP1251", TRUE, REJECT, "мир", "\xec\xe8\xf0" },
  { "UTF-8", FALSE, REJECT, HELLO, HELLO },
  { "SHIFT_JIS", FALSE, REJECT, "\x93\xfa\x96\x7b", "日本" },
  /* This one has states: what ends the text leads back to the first. */
  { "ISO-2022-JP", TRUE, REJECT, "日", "\x1b$BF|\x1b(B" },
  { "ISO-2022-JP", FALSE, REJECT, "\x1b$BF|\x1b(B", "日" },
  /* A byte that is no character. */
  { "UTF-8", FALSE, REJECT,
    "a\xff"
    "b",
    NULL },
  { "UTF-8", FALSE, REPLACE,
    "a\xff"
    "b",
    "a\xef\xbf\xbd"
    "b" },
  { "UTF-8", FALSE, ESCAPE,
    "a\xff"
    "b",
    "a\\xffb" },
  /* The end in the middle of a character. */
  { "UTF-8", FALSE, REJECT, "a\xd0", NULL },
  { "UTF-8", FALSE, REPLACE, "a\xd0", "a\xef\xbf\xbd" },
  { "UTF-8", FALSE, ESCAPE, "a\xd0", "a\\xd0" },
  { "SHIFT_JIS", FALSE, REPLACE, "\x93", "\xef\xbf\xbd" },
  /* A character that the set does not have. */
  { "KOI8-R", TRUE, REJECT, "1€", NULL },
  { "KOI8-R", TRUE, REPLACE, "1€2", "1?2" },
  { "KOI8-R", TRUE, ESCAPE, "1€2", "1\\u20ac2" },
  { "KOI8-R", TRUE, ESCAPE, "1\xf0\x9f\x98\x80", "1\\U0001f600" },
  { "ISO-2022-JP", TRUE, REPLACE, "日é", "\x1b$BF|\x1b(B?" },
  /* What the program has to say is no UTF-8. */
  { "KOI8-R", TRUE, REPLACE,
    "a\xff"
    "b",
    "a?b" },
  { "KOI8-R", TRUE, ESCAPE,
    "a\xff"
    "b",
    "a\\xffb" },
  { "KOI8-R", TRUE, REJECT, "", "" },
};

static GConverter *
converter_of (const Case *entry)
{
  g_autoptr (GError) error = NULL;
  SrvCharsetConverter *converter =
    entry->encodes ? srv_charset_converter_new_encoder (entry->charset,
                                                        entry->policy, &error)
                   : srv_charset_converter_new_decoder (entry->charset,
                                                        entry->policy, &error);

  srv_test_assert_no_error (error);
  return G_CONVERTER (converter);
}

/* A stream that gives @step bytes at a time. */
#define TEST_TYPE_DRIP (test_drip_get_type ())
G_DECLARE_FINAL_TYPE (TestDrip, test_drip, TEST, DRIP, GInputStream)

struct _TestDrip
{
  GInputStream parent_instance;

  const char *next;
  gsize step;
};

G_DEFINE_FINAL_TYPE (TestDrip, test_drip, G_TYPE_INPUT_STREAM)

static gssize
test_drip_read (GInputStream *stream,
                void *buffer,
                gsize count,
                G_GNUC_UNUSED GCancellable *cancellable,
                G_GNUC_UNUSED GError **error)
{
  TestDrip *self = TEST_DRIP (stream);
  gsize n = MIN (MIN (count, self->step), strlen (self->next));

  memcpy (buffer, self->next, n);
  self->next += n;
  return (gssize) n;
}

static void
test_drip_class_init (TestDripClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = test_drip_read;
}

static void
test_drip_init (G_GNUC_UNUSED TestDrip *self)
{
}

/* Reads everything, so many bytes at a time. */
static char *
read_through (const Case *entry, gsize step, gsize room, GError **error)
{
  g_autoptr (GConverter) converter = converter_of (entry);
  g_autoptr (GInputStream) base = g_object_new (TEST_TYPE_DRIP, NULL);
  g_autoptr (GInputStream) input = NULL;
  GString *text = g_string_new (NULL);
  char buffer[100];
  gssize n;

  TEST_DRIP (base)->next = entry->from;
  TEST_DRIP (base)->step = step;
  input = g_converter_input_stream_new (base, converter);
  while ((n = g_input_stream_read (input, buffer, room, NULL, error)) > 0)
    g_string_append_len (text, buffer, n);
  if (n == 0)
    return g_string_free (text, FALSE);
  g_string_free (text, TRUE);
  return NULL;
}

/* Wherever the bytes are split, and however little is asked for at a time. */
START_TEST (text_may_be_split_anywhere)
{
  const Case *entry = &cases[_i];

  for (gsize step = 1; step < 20; step++)
    for (gsize room = 1; room < 20; room += 3)
      {
        g_autoptr (GError) error = NULL;
        g_autofree char *text = read_through (entry, step, room, &error);

        if (entry->to != NULL)
          srv_test_assert_no_error (error);
        else
          srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
        ck_assert_pstr_eq (text, entry->to);
      }
}
END_TEST

static char *
write_through (const Case *entry, gsize step, GError **error)
{
  g_autoptr (GConverter) converter = converter_of (entry);
  g_autoptr (GOutputStream) base = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) output =
    g_converter_output_stream_new (base, converter);
  gsize left = strlen (entry->from);

  g_filter_output_stream_set_close_base_stream (G_FILTER_OUTPUT_STREAM (output),
                                                FALSE);
  for (const char *next = entry->from; left > 0;)
    {
      gsize n = MIN (step, left);

      if (!g_output_stream_write_all (output, next, n, NULL, NULL, error))
        return NULL;
      next += n;
      left -= n;
    }
  if (!g_output_stream_close (output, NULL, error))
    return NULL;
  if (!g_output_stream_write_all (base, "", 1, NULL, NULL, error) ||
      !g_output_stream_close (base, NULL, error))
    return NULL;
  return g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (base));
}

/* The same for what is written. */
START_TEST (writes_may_be_split_anywhere)
{
  const Case *entry = &cases[_i];

  for (gsize step = 1; step < 20; step++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = write_through (entry, step, &error);

      if (entry->to != NULL)
        srv_test_assert_no_error (error);
      else
        srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      ck_assert_pstr_eq (text, entry->to);
    }
}
END_TEST

/* Every byte of a set with one byte for a character goes there and back. */
START_TEST (every_byte_returns)
{
  char all[256];
  Case there = { "KOI8-R", FALSE, REJECT, all, NULL };
  Case back = { "KOI8-R", TRUE, REJECT, NULL, NULL };
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 255; i++)
    all[i] = (char) (i + 1);
  all[255] = '\0';
  text = read_through (&there, 7, 100, &error);
  srv_test_assert_no_error (error);
  back.from = text;
  again = read_through (&back, 7, 100, &error);
  srv_test_assert_no_error (error);
  ck_assert_str_eq (again, all);
}
END_TEST

/* A converter begins anew after a reset. */
START_TEST (converter_begins_anew)
{
  const Case entry = { "ISO-2022-JP", FALSE, REJECT, NULL, NULL };
  g_autoptr (GConverter) converter = converter_of (&entry);
  char out[100];
  gsize n_read;
  gsize n_written;

  ck_assert_int_eq (g_converter_convert (converter, "\x1b$BF|", 5, out,
                                         sizeof out, G_CONVERTER_NO_FLAGS,
                                         &n_read, &n_written, NULL),
                    G_CONVERTER_CONVERTED);
  g_converter_reset (converter);
  ck_assert_int_eq (g_converter_convert (converter, "F|", 2, out, sizeof out,
                                         G_CONVERTER_INPUT_AT_END, &n_read,
                                         &n_written, NULL),
                    G_CONVERTER_FINISHED);
  ck_assert_uint_eq (n_written, 2);
  ck_assert_int_eq (memcmp (out, "F|", 2), 0);
}
END_TEST

/* A flush writes what is whole. The half of a character waits for its rest. */
START_TEST (flush_leaves_half_a_character)
{
  const Case entry = { "KOI8-R", TRUE, (SrvCharsetPolicy) _i, NULL, NULL };
  g_autoptr (GConverter) converter = converter_of (&entry);
  g_autoptr (GOutputStream) base = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) output =
    g_converter_output_stream_new (base, converter);
  GMemoryOutputStream *memory = G_MEMORY_OUTPUT_STREAM (base);
  g_autoptr (GError) error = NULL;

  /* The first half of "р" behind "ми". */
  ck_assert (
    g_output_stream_write_all (output, "ми\xd1", 5, NULL, NULL, &error));
  ck_assert (g_output_stream_flush (output, NULL, &error));
  srv_test_assert_no_error (error);
  ck_assert_uint_eq (g_memory_output_stream_get_data_size (memory), 2);
  ck_assert (g_output_stream_flush (output, NULL, &error));
  ck_assert (
    g_output_stream_write_all (output, "\x80\n", 2, NULL, NULL, &error));
  ck_assert (g_output_stream_flush (output, NULL, &error));
  srv_test_assert_no_error (error);
  ck_assert_uint_eq (g_memory_output_stream_get_data_size (memory), 4);
  ck_assert_mem_eq (g_memory_output_stream_get_data (memory), "\xcd\xc9\xd2\n",
                    4);
}
END_TEST

/* The same for every place where a flush may come, and every bad character. */
START_TEST (flush_may_come_anywhere)
{
  const Case *entry = &cases[_i];
  const gsize length = strlen (entry->from);

  for (gsize split = 0; split <= length; split++)
    {
      g_autoptr (GConverter) converter = converter_of (entry);
      g_autoptr (GOutputStream) base = g_memory_output_stream_new_resizable ();
      g_autoptr (GOutputStream) output =
        g_converter_output_stream_new (base, converter);
      g_autoptr (GBytes) written = NULL;
      g_autoptr (GError) error = NULL;
      gboolean ok;

      ok = g_output_stream_write_all (output, entry->from, split, NULL, NULL,
                                      &error) &&
           g_output_stream_flush (output, NULL, &error) &&
           g_output_stream_write_all (output, entry->from + split,
                                      length - split, NULL, NULL, &error) &&
           g_output_stream_close (output, NULL, &error);
      ck_assert_int_eq (ok, entry->to != NULL);
      if (!ok)
        {
          srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
          continue;
        }
      written =
        g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (base));
      ck_assert_uint_eq (g_bytes_get_size (written), strlen (entry->to));
      if (g_bytes_get_size (written) > 0)
        ck_assert_mem_eq (g_bytes_get_data (written, NULL), entry->to,
                          strlen (entry->to));
    }
}
END_TEST

/* What a character is made of. */
static const struct
{
  const char *charset;
  SrvCharsetPolicy policy;
  const char *bytes;
  gsize length;
  const char *to;
} units[] = {
  /* Half of a pair, alone: what follows is not its other half, cut in two. */
  { "UTF-16LE", REPLACE, "\x3d\xd8\x41\0", 4, "\357\277\275A" },
  { "UTF-16BE", REPLACE, "\xd8\x3d\0\x41", 4, "\357\277\275A" },
  { "UTF-16LE", ESCAPE, "\x3d\xd8\x41\0", 4, "\\x3d\\xd8A" },
  { "UTF-16", REPLACE, "\xfe\xff\xd8\x3d\0\x41", 6, "\357\277\275A" },
  { "UTF-32LE", REPLACE, "\0\0\x11\0\x41\0\0\0", 8, "\357\277\275A" },
  { "UTF-32BE", REPLACE, "\0\x11\0\0\0\0\0\x41", 8, "\357\277\275A" },
  /* The end in the middle of one. */
  { "UTF-16LE", REPLACE, "\x41\0\x42", 3, "A\xef\xbf\xbd" },
  { "UTF-32LE", ESCAPE, "\x41\0\0\0\x42\0\0", 7, "A\\x42\\x00\\x00" },
};

/* What cannot be converted is skipped by whole units: by single bytes, all that
 * follows in UTF-16 would be read askew. */
START_TEST (bad_unit_is_skipped_whole)
{
  g_autoptr (GConverter) converter =
    G_CONVERTER (srv_charset_converter_new_decoder (units[_i].charset,
                                                    units[_i].policy, NULL));
  g_autoptr (GInputStream) base =
    g_memory_input_stream_new_from_data (units[_i].bytes,
                                         (gssize) units[_i].length, NULL);
  g_autoptr (GInputStream) input =
    g_converter_input_stream_new (base, converter);
  g_autoptr (GError) error = NULL;
  char text[100] = "";
  gsize length;

  ck_assert (g_input_stream_read_all (input, text, sizeof text - 1, &length,
                                      NULL, &error));
  srv_test_assert_no_error (error);
  ck_assert_str_eq (text, units[_i].to);
}
END_TEST

START_TEST (unknown_set_is_an_error)
{
  g_autoptr (GIOStream) base =
    g_simple_io_stream_new (g_memory_input_stream_new (),
                            g_memory_output_stream_new_resizable ());
  g_autoptr (GError) error = NULL;

  g_object_unref (g_io_stream_get_input_stream (base));
  g_object_unref (g_io_stream_get_output_stream (base));
  ck_assert_ptr_null (
    srv_charset_stream_new (base, "NO-SUCH-SET", REJECT, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  ck_assert_ptr_nonnull (strstr (error->message, "NO-SUCH-SET"));
  g_clear_error (&error);
  ck_assert_ptr_null (
    srv_charset_converter_new_encoder ("NO-SUCH-SET", REJECT, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}
END_TEST

int
main (void)
{
  const int n_cases = (int) G_N_ELEMENTS (cases);
  const SrvTestEntry tests[] = {
    { "stream", handler_speaks_utf_8, SRV_TEST_N_MIX_INS },
    { "stream", unknown_set_is_an_error, 1 },
    { "converter", text_may_be_split_anywhere, n_cases },
    { "converter", writes_may_be_split_anywhere, n_cases },
    { "converter", every_byte_returns, 1 },
    { "converter", converter_begins_anew, 1 },
    { "converter", flush_leaves_half_a_character, 3 },
    { "converter", flush_may_come_anywhere, n_cases },
    { "converter", bad_unit_is_skipped_whole, G_N_ELEMENTS (units) },
  };

  return srv_test_run_entries ("Character sets", tests, G_N_ELEMENTS (tests));
}
