/* test-jim-framer.c - where one JSON object ends and the next begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include "srv-jim-framer-private.h"
#include "srv-jim-json-private.h"

#include <time.h>

/* Reads @data in pieces: each object in brackets, "!" for one too long, "X" for
 * the end. @cut: how long the pieces are; 0 for random. */
static char *
frames_of (SrvJimFraming framing,
           gsize max_bytes,
           const void *data,
           gsize length,
           gsize cut)
{
  const guint8 *next = data;
  g_autoptr (GString) out = g_string_new (NULL);
  SrvJimFrame frame = SRV_JIM_FRAME_MORE;
  SrvJimFramer framer;

  srv_jim_framer_init (&framer, framing, max_bytes);
  while (length > 0 && frame != SRV_JIM_FRAME_BAD)
    {
      gsize piece_length = cut > 0 ? cut : (gsize) g_random_int_range (1, 20);
      gsize n = MIN (length, piece_length);
      gsize left = n;

      /* A copy of its own size shows reads past the end. */
      g_autofree guint8 *piece = g_memdup2 (next, n);
      const guint8 *data_left = piece;

      do
        {
          frame = srv_jim_framer_next (&framer, &data_left, &left);
          if (frame == SRV_JIM_FRAME_OBJECT)
            g_string_append_printf (out, "[%.*s]", (int) framer.object->len,
                                    (char *) framer.object->data);
          else if (frame == SRV_JIM_FRAME_TOO_LONG)
            g_string_append_c (out, '!');
          else if (frame == SRV_JIM_FRAME_BAD)
            g_string_append_c (out, 'X');
        }
      while (frame == SRV_JIM_FRAME_OBJECT || frame == SRV_JIM_FRAME_TOO_LONG);
      next += n;
      length -= n;
    }
  if (srv_jim_framer_is_inside (&framer) && frame != SRV_JIM_FRAME_BAD)
    g_string_append_c (out, '~');
  srv_jim_framer_clear (&framer);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

#define BYTES(literal) literal, sizeof literal - 1

static const struct
{
  SrvJimFraming framing;
  gsize max_bytes;
  const char *data;
  gsize length;
  const char *frames;
} streams[] = {
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("{}"), "[{}]" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES (" {\"a\":1}\r\n\t{\"b\":[{}]}{}{"),
    "[{\"a\":1}][{\"b\":[{}]}][{}]~" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("{\"}{\":\"\\\"}\\\\\"}{\"]\":\"[\"}"),
    "[{\"}{\":\"\\\"}\\\\\"}][{\"]\":\"[\"}]" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("\xef\xbb\xbf{}{}"), "[{}][{}]" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("\xef\xbb{}"), "X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("{}\xef\xbb\xbf{}"), "[{}]X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("{}x{}"), "[{}]X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("[]"), "X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("\x80\x04}"), "X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("\x16\x03\x01"), "X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("GET / HTTP/1.1\r\n"), "X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("\0\0\0\2{}"), "X" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("{[[[[[[[]]]]]]]}"),
    "[{[[[[[[[]]]]]]]}]" },
  { SRV_JIM_FRAMING_BARE, 100, BYTES ("{[[[[[[[[]]]]]]]]}"), "X" },
  { SRV_JIM_FRAMING_BARE, 9, BYTES ("{\"a\":123}{\"a\":1234}{}"),
    "[{\"a\":123}]![{}]" },
  { SRV_JIM_FRAMING_LINES, 100, BYTES ("{}\n{}\n"), "[{}][{}]" },
  { SRV_JIM_FRAMING_LEN32, 100, BYTES ("\0\0\0\2{}\0\0\0\3{ }"), "[{}][{ }]" },
  { SRV_JIM_FRAMING_LEN32, 4, BYTES ("\0\0\0\5{   }\0\0\0\2{}\0"), "![{}]~" },
  { SRV_JIM_FRAMING_LEN32, 100, BYTES ("\0\0\0\0"), "X" },
  { SRV_JIM_FRAMING_LEN32, 100, BYTES ("\0\1\0\1{"), "X" },
  { SRV_JIM_FRAMING_LEN32, 100, BYTES ("{}{}{}"), "X" },
  { SRV_JIM_FRAMING_AUTO, 100, BYTES ("{}{}"), "[{}][{}]" },
  { SRV_JIM_FRAMING_AUTO, 100, BYTES ("\0\0\0\2{}"), "[{}]" },
};

/* However the stream is cut, the objects are the same. */
START_TEST (any_split_gives_the_same_objects)
{
  for (gsize cut = 0; cut <= streams[_i].length; cut++)
    for (int again = 0; again < (cut == 0 ? 50 : 1); again++)
      {
        g_autofree char *frames =
          frames_of (streams[_i].framing, streams[_i].max_bytes,
                     streams[_i].data, streams[_i].length, cut);

        ck_assert_str_eq (frames, streams[_i].frames);
      }
}
END_TEST

/* An object that does not end costs no more memory than an object may have, and
 * the framer gives up. */
START_TEST (endless_object_ends)
{
  g_autoptr (GString) stream = g_string_new ("{\"");
  g_autofree char *frames = NULL;

  g_string_set_size (stream, SRV_JIM_MAX_SKIP);
  memset (stream->str + 2, 'x', stream->len - 2);
  g_string_append (stream, _i == 0 ? "x" : "");
  if (_i == 1)
    memcpy (stream->str + stream->len - 2, "\"}", 2);
  frames =
    frames_of (SRV_JIM_FRAMING_BARE, 100, stream->str, stream->len, 1000);
  ck_assert_str_eq (frames, _i == 0 ? "X" : "!");
}
END_TEST

/* What is not JSON by the letter is none. */
static const char *const bad_json[] = {
  "{",
  "{} {}",
  "[]",
  "1",
  "{'a':1}",
  "{\"a\":01}",
  "{\"a\":0x1}",
  "{\"a\":1e999}",
  "{\"a\":NaN}",
  "{\"a\":1,}",
  "{\"a\":\"\\q\"}",
  "{\"a\":\"\n\"}",
  "{\"a\":\"\\u0000\"}",
  "{\"a\":\"\\ud800\"}",
  "{\"a\":\"\xff\"}",
  "{\"a\":\"\xed\xa0\x80\"}",
  "{\"a\":1,\"a\":2}",
  "{\"user\":{\"a\":1,\"a\":2}}",
  "{\"user.account_name\":\"x\"}",
  "{\"a\":[[[[[[[[1]]]]]]]]}",
  "{\"a\":99999999999999999999999}",
};

START_TEST (bad_json_is_refused)
{
  const char *text = bad_json[_i];

  ck_assert_ptr_null (srv_jim_json_parse (text, strlen (text)));
}
END_TEST

/* Numbers keep their text; so do those beside a string that looks like them. */
START_TEST (numbers_keep_their_text)
{
  static const char text[] =
    "{\"x\":\"time\",\"user\":{\"time\":5},\"y\":\"\\\"time\\\":7\","
    "\"time\" : 1795224873.997142 , \"id\":1e3}";
  g_autoptr (GHashTable) members = srv_jim_json_parse (text, strlen (text));
  const SrvJimValue *value;

  ck_assert_ptr_nonnull (members);
  value = g_hash_table_lookup (members, "time");
  ck_assert_int_eq (value->kind, SRV_JIM_NUMBER);
  ck_assert_str_eq (value->text, "1795224873.997142");
  value = g_hash_table_lookup (members, "id");
  ck_assert_str_eq (value->text, "1e3");
}
END_TEST

static const struct
{
  const char *text;
  gsize length;
} lengths[] = {
  { "{}", 2 },
  { " { \"a\" :\n1 } ", 7 },
  { "{\"a b\":\"c d\"}", 13 },
  { "{\"a\":\"я\"}", 9 },
  { "{\"a\":\"\\u044f\"}", 9 },
  { "{\"a\":\"\\ud83d\\ude00\"}", 9 },
  { "{\"a\":\"😀\"}", 9 },
  { "{\"a\":\"e\xcc\x81\"}", 10 },
  { "{\"a\":\"\\n\\u000a\\\"\\u0022\"}", 16 },
  { "{\"a\":\"\\/\\u0001\"}", 15 },
};

/* Characters are counted as if the object had been written compactly. */
START_TEST (length_is_of_the_compact_form)
{
  const char *text = lengths[_i].text;

  ck_assert_uint_eq (srv_jim_json_compact_length (text, strlen (text)),
                     lengths[_i].length);
}
END_TEST

/* What is written can be read, and has no brace in a string. */
START_TEST (strings_are_written_safely)
{
  g_autoptr (GString) out = g_string_new (NULL);

  srv_jim_json_append_string (out, "a\"\\{}\n\x01я");
  ck_assert_str_eq (out->str, "\"a\\\"\\\\\\u007b\\u007d\\u000a\\u0001я\"");
}
END_TEST

/* Processor time of this thread for an object with so many numbers, in
 * nanoseconds: the least of some tries. */
static gint64
measure (guint n_numbers)
{
  g_autoptr (GString) text = g_string_new ("{\"n\":1");
  gint64 least = G_MAXINT64;

  for (guint i = 0; i < n_numbers; i++)
    g_string_append_printf (text, ",\"%04x\":1", i);
  g_string_append_c (text, '}');
  for (int i = 0; i < 5; i++)
    {
      struct timespec before;
      struct timespec after;
      GHashTable *members;

      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &before);
      members = srv_jim_json_parse (text->str, text->len);
      clock_gettime (CLOCK_THREAD_CPUTIME_ID, &after);
      ck_assert_uint_eq (g_hash_table_size (members), n_numbers + 1);
      g_hash_table_unref (members);
      least = MIN (least, (after.tv_sec - before.tv_sec) *
                              G_GINT64_CONSTANT (1000000000) +
                            after.tv_nsec - before.tv_nsec);
    }
  return least;
}

/* Who sends an object full of numbers takes no more time than who sends as many
 * bytes of something else: sixteen times as many take sixteen times as long, not
 * sixteen squared. */
START_TEST (numbers_cost_no_more_than_texts)
{
  ck_assert_int_lt (measure (16 * 400), 64 * measure (400));
}
END_TEST

int
main (void)
{
  const int n_json = srv_jim_json_is_supported () ? 1 : 0;
  const SrvTestEntry tests[] = {
    { "framer", any_split_gives_the_same_objects, G_N_ELEMENTS (streams) },
    { "framer", endless_object_ends, 2 },
    { "json", length_is_of_the_compact_form, G_N_ELEMENTS (lengths) },
    { "json", strings_are_written_safely, 1 },
    { "json", bad_json_is_refused, G_N_ELEMENTS (bad_json) },
    { "json", numbers_keep_their_text, n_json },
    { "json", numbers_cost_no_more_than_texts, n_json },
  };

  return srv_test_run_entries ("JimFramer", tests, G_N_ELEMENTS (tests));
}
