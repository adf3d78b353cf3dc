/* test-framing.c - every framing, whole, split, cut, too long and malformed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#define MAX_FRAMES 3

/* Bytes that may hold NULs. */
typedef struct
{
  const char *data;
  gsize length;
} Piece;

#define B(literal)              \
  {                             \
    literal, sizeof literal - 1 \
  }

/* A stream, frame by frame, as it is on the wire and what it says. */
typedef struct
{
  const char *notation;
  int n_frames;
  Piece wire[MAX_FRAMES];
  Piece payload[MAX_FRAMES];
  gboolean tolerated; /* is read like that, but not written */
} Sample;

static const Sample samples[] = {
  { "line",
    3,
    { B ("one\n"), B ("\n"), B ("a\0b\n") },
    { B ("one"), B (""), B ("a\0b") },
    FALSE },
  { "line",
    3,
    { B ("one\r\n"), B ("\r\n"), B ("\rx\r\r\n") },
    { B ("one"), B (""), B ("\rx\r") },
    TRUE },
  { "lf",
    3,
    { B ("one\r\n"), B ("\n"), B ("\r\n") },
    { B ("one\r"), B (""), B ("\r") },
    FALSE },
  { "fixed3",
    3,
    { B ("one"), B ("\n\r\0"), B ("two") },
    { B ("one"), B ("\n\r\0"), B ("two") },
    FALSE },
  { "u8",
    3,
    { B ("\3one"), B ("\0"), B ("\5three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "u16be",
    3,
    { B ("\0\3one"), B ("\0\0"), B ("\0\5three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "u16le",
    3,
    { B ("\3\0one"), B ("\0\0"), B ("\5\0three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "u32be",
    3,
    { B ("\0\0\0\3one"), B ("\0\0\0\0"), B ("\0\0\0\5three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "u32le",
    3,
    { B ("\3\0\0\0one"), B ("\0\0\0\0"), B ("\5\0\0\0three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "u64be",
    2,
    { B ("\0\0\0\0\0\0\0\3one"), B ("\0\0\0\0\0\0\0\0") },
    { B ("one"), B ("") },
    FALSE },
  { "u64le",
    2,
    { B ("\3\0\0\0\0\0\0\0one"), B ("\0\0\0\0\0\0\0\0") },
    { B ("one"), B ("") },
    FALSE },
  { "dec5",
    3,
    { B ("00003one"), B ("00000"), B ("00005three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "dec3",
    3,
    { B ("  3one"), B ("0  "), B (" 5 three") },
    { B ("one"), B (""), B ("three") },
    TRUE },
  { "dec1",
    3,
    { B ("3one"), B ("0"), B ("5three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "dec19", 1, { B ("0000000000000000003one") }, { B ("one") }, FALSE },
  { "varint",
    3,
    { B ("\3one"), B ("\0"), B ("\5three") },
    { B ("one"), B (""), B ("three") },
    FALSE },
  { "netstring",
    3,
    { B ("3:one,"), B ("0:,"), B ("5:3:x,,,") },
    { B ("one"), B (""), B ("3:x,,") },
    FALSE },
  { "end", 1, { B ("one\ntwo\0") }, { B ("one\ntwo\0") }, FALSE },
  { "end", 1, { B ("") }, { B ("") }, FALSE },
};

#define N_SAMPLES ((int) G_N_ELEMENTS (samples))

/* One of each kind, for what holds for all. */
static const char *const kinds[] = {
  "line",  "lf",    "u8",   "u16be", "u16le",  "u32be",     "u32le",
  "u64be", "u64le", "dec4", "dec19", "varint", "netstring", "end",
};

#define N_KINDS ((int) G_N_ELEMENTS (kinds))

static SrvFraming *
framing_of (const char *notation, gsize max_size)
{
  g_autoptr (GError) error = NULL;
  SrvFraming *framing = srv_framing_parse (notation, max_size, &error);

  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (framing);
  return framing;
}

static SrvFrameDecoder *
decoder_of (const char *notation, gsize max_size)
{
  g_autoptr (SrvFraming) framing = framing_of (notation, max_size);

  return srv_frame_decoder_new (framing);
}

static GByteArray *
wire_of (const Sample *sample)
{
  GByteArray *wire = g_byte_array_new ();

  for (int i = 0; i < sample->n_frames; i++)
    g_byte_array_append (wire, (const guint8 *) sample->wire[i].data,
                         (guint) sample->wire[i].length);
  return wire;
}

static void
assert_frame (SrvFrameDecoder *decoder, const Piece *expected)
{
  gsize length;
  const guint8 *frame = srv_frame_decoder_get_frame (decoder, &length);

  ck_assert_ptr_nonnull (frame);
  ck_assert_uint_eq (length, expected->length);
  ck_assert_int_eq (memcmp (frame, expected->data, length), 0);
  ck_assert_int_eq (frame[length], 0);
}

/* Feeds a piece; checks each frame and counts it in @n_frames. */
static void
feed (SrvFrameDecoder *decoder,
      const Sample *sample,
      const guint8 *data,
      gsize length,
      int *n_frames)
{
  g_autoptr (GError) error = NULL;

  while (length > 0)
    {
      gssize n = srv_frame_decoder_feed (decoder, data, length, &error);

      srv_test_assert_no_error (error);
      ck_assert_int_ge (n, 1);
      ck_assert_int_le (n, (gssize) length);
      data += n;
      length -= (gsize) n;
      if (srv_frame_decoder_has_frame (decoder))
        {
          ck_assert_int_lt (*n_frames, sample->n_frames);
          assert_frame (decoder, &sample->payload[(*n_frames)++]);
        }
      else
        ck_assert_uint_eq (length, 0);
    }
}

/* The end of the stream, which may complete a frame; then a second end. */
static void
end_well (SrvFrameDecoder *decoder, const Sample *sample, int n_frames)
{
  g_autoptr (GError) error = NULL;
  int i;

  for (i = 0; i < 2; i++)
    {
      ck_assert (srv_frame_decoder_end (decoder, &error));
      srv_test_assert_no_error (error);
      if (srv_frame_decoder_has_frame (decoder))
        assert_frame (decoder, &sample->payload[n_frames++]);
    }
  ck_assert_int_eq (n_frames, sample->n_frames);
}

/* In three pieces, at every two positions, the same frames come out. */
START_TEST (split_does_not_matter)
{
  const Sample *sample = &samples[_i];
  g_autoptr (GByteArray) wire = wire_of (sample);

  for (gsize first = 0; first <= wire->len; first++)
    for (gsize second = first; second <= wire->len; second++)
      {
        g_autoptr (SrvFrameDecoder) decoder = decoder_of (sample->notation, 50);
        int n_frames = 0;

        feed (decoder, sample, wire->data, first, &n_frames);
        feed (decoder, sample, wire->data + first, second - first, &n_frames);
        feed (decoder, sample, wire->data + second, wire->len - second,
              &n_frames);
        end_well (decoder, sample, n_frames);
      }
}
END_TEST

START_TEST (single_bytes_do_not_matter)
{
  const Sample *sample = &samples[_i];
  g_autoptr (GByteArray) wire = wire_of (sample);
  g_autoptr (SrvFrameDecoder) decoder = decoder_of (sample->notation, 50);
  int n_frames = 0;

  for (guint i = 0; i < wire->len; i++)
    feed (decoder, sample, wire->data + i, 1, &n_frames);
  end_well (decoder, sample, n_frames);
}
END_TEST

/* What is written is what the specification of the framing says. */
START_TEST (frames_are_written_as_specified)
{
  const Sample *sample = &samples[_i];
  g_autoptr (SrvFraming) framing = framing_of (sample->notation, 50);
  g_autoptr (GByteArray) wire = wire_of (sample);
  g_autoptr (GByteArray) output = g_byte_array_new ();

  if (sample->tolerated)
    return;
  for (int i = 0; i < sample->n_frames; i++)
    ck_assert (srv_framing_encode (framing, sample->payload[i].data,
                                   sample->payload[i].length, output, NULL));
  ck_assert_uint_eq (output->len, wire->len);
  ck_assert (wire->len == 0 ||
             memcmp (output->data, wire->data, wire->len) == 0);
}
END_TEST

/* Cut at any position: an end between two frames is clean, any other is told,
 * but where the end of the stream is the mark.
 * Who needs it knows that a chat partner went in the middle of a message. */
START_TEST (cut_is_told_from_a_clean_end)
{
  const Sample *sample = &samples[_i];
  g_autoptr (GByteArray) wire = wire_of (sample);
  gsize boundary = 0;
  int n_whole = 0;

  if (strcmp (sample->notation, "end") == 0)
    return;
  for (gsize cut = 0; cut <= wire->len; cut++)
    {
      g_autoptr (SrvFrameDecoder) decoder = decoder_of (sample->notation, 50);
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) again = NULL;
      int n_frames = 0;
      gboolean clean;

      if (n_whole < sample->n_frames &&
          cut == boundary + sample->wire[n_whole].length)
        boundary += sample->wire[n_whole++].length;
      clean = cut == boundary;
      feed (decoder, sample, wire->data, cut, &n_frames);
      ck_assert_int_eq (n_frames, n_whole);
      ck_assert_int_eq (srv_frame_decoder_is_between (decoder), clean);
      ck_assert_int_eq (srv_frame_decoder_end (decoder, &error), clean);
      if (clean)
        continue;
      srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TRUNCATED);
      ck_assert (!srv_frame_decoder_end (decoder, &again));
      srv_test_assert_error (again, SRV_ERROR, SRV_ERROR_TRUNCATED);
    }
}
END_TEST

/* A payload of @length bytes, encoded by a framing with room for it. */
static GBytes *
encode_long (const char *notation, gsize length)
{
  g_autoptr (SrvFraming) framing = framing_of (notation, length + 1);
  g_autofree char *payload = g_strnfill (length, 'x');
  g_autoptr (GBytes) bytes = g_bytes_new (payload, length);
  g_autoptr (GError) error = NULL;
  GBytes *frame = srv_framing_encode_bytes (framing, bytes, &error);

  srv_test_assert_no_error (error);
  return frame;
}

/* The code of what happens when the frame is fed in pieces of @step bytes; -1
 * for success. */
static int
decode_in_steps (const char *notation, gsize max, GBytes *frame, gsize step)
{
  g_autoptr (SrvFrameDecoder) decoder = decoder_of (notation, max);
  g_autoptr (GError) error = NULL;
  gsize length;
  const guint8 *data = g_bytes_get_data (frame, &length);

  for (gsize i = 0; i < length; i += step)
    {
      if (srv_frame_decoder_feed (decoder, data + i, MIN (step, length - i),
                                  &error) < 0)
        {
          ck_assert_uint_eq (error->domain, SRV_ERROR);
          return error->code;
        }
    }
  ck_assert (srv_frame_decoder_has_frame (decoder) ||
             srv_frame_decoder_end (decoder, NULL));
  return -1;
}

/* A message of maximum - 1 and maximum bytes passes, one of a byte more does
 * not, in both directions. */
START_TEST (limit_is_exact)
{
  g_autoptr (SrvFraming) framing = framing_of (kinds[_i], 8);
  g_autoptr (GByteArray) output = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  for (gsize length = 7; length <= 9; length++)
    {
      g_autoptr (GBytes) frame = encode_long (kinds[_i], length);
      int expected = length <= 8 ? -1 : SRV_ERROR_TOO_LONG;

      for (gsize step = 1; step <= g_bytes_get_size (frame); step++)
        ck_assert_int_eq (decode_in_steps (kinds[_i], 8, frame, step),
                          expected);
      ck_assert_int_eq (srv_framing_encode (framing, "123456789", length,
                                            output, NULL),
                        length <= 8);
    }
  g_byte_array_set_size (output, 0);
  ck_assert (!srv_framing_encode (framing, "123456789", 9, output, &error));
  srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG);
  ck_assert_uint_eq (output->len, 0);
}
END_TEST

/* The \r that is stripped is not counted, and any other is. */
START_TEST (carriage_return_does_not_count)
{
  const struct
  {
    Piece wire;
    int expected;
  } cases[] = {
    { B ("abcd\r\n"), -1 },
    { B ("abc\r\n"), -1 },
    { B ("abc\r\r\n"), -1 },
    { B ("abcde\n"), SRV_ERROR_TOO_LONG },
    { B ("abcde\r\n"), SRV_ERROR_TOO_LONG },
    { B ("abcd\rx"), SRV_ERROR_TOO_LONG },
    { B ("abcd\r\r\n"), SRV_ERROR_TOO_LONG },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) wire =
        g_bytes_new_static (cases[i].wire.data, cases[i].wire.length);

      for (gsize step = 1; step <= cases[i].wire.length; step++)
        ck_assert_int_eq (decode_in_steps ("line", 4, wire, step),
                          cases[i].expected);
    }
}
END_TEST

static const struct
{
  const char *notation;
  Piece wire;
  int code;
} malformed[] = {
  { "dec3", B ("   "), SRV_ERROR_BAD_FRAME },
  { "dec3", B ("1 2"), SRV_ERROR_BAD_FRAME },
  { "dec3", B ("-01"), SRV_ERROR_BAD_FRAME },
  { "dec3", B ("+01"), SRV_ERROR_BAD_FRAME },
  { "dec3", B ("0x1"), SRV_ERROR_BAD_FRAME },
  { "dec3", B ("\t01"), SRV_ERROR_BAD_FRAME },
  { "dec3", B ("1\0\0"), SRV_ERROR_BAD_FRAME },
  { "dec3",
    B ("\xd9\xa1"
       "1"),
    SRV_ERROR_BAD_FRAME },
  { "dec3", B ("051"), SRV_ERROR_TOO_LONG },
  { "dec19", B ("9999999999999999999"), SRV_ERROR_TOO_LONG },
  { "varint", B ("\x80\x00"), SRV_ERROR_BAD_FRAME },
  { "varint", B ("\x83\x80\x00"), SRV_ERROR_BAD_FRAME },
  { "varint", B ("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
    SRV_ERROR_BAD_FRAME },
  { "varint", B ("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
    SRV_ERROR_BAD_FRAME },
  { "varint", B ("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    SRV_ERROR_TOO_LONG },
  { "varint", B ("\x33"), SRV_ERROR_TOO_LONG },
  { "netstring", B (":"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("00:,"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("01:a,"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("-1:a,"), SRV_ERROR_BAD_FRAME },
  { "netstring", B (" 1:a,"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("1 :a,"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("1;a,"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("1:ab,"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("1:a;"), SRV_ERROR_BAD_FRAME },
  { "netstring", B ("51:"), SRV_ERROR_TOO_LONG },
  { "netstring", B ("99999999999999999999999999"), SRV_ERROR_TOO_LONG },
  { "u8", B ("\x33"), SRV_ERROR_TOO_LONG },
  { "u16be", B ("\1\0"), SRV_ERROR_TOO_LONG },
  { "u16le", B ("\0\1"), SRV_ERROR_TOO_LONG },
  { "u32be", B ("\xff\xff\xff\xff"), SRV_ERROR_TOO_LONG },
  { "u32le", B ("\0\0\0\x80"), SRV_ERROR_TOO_LONG },
  { "u64be", B ("\1\0\0\0\0\0\0\1"), SRV_ERROR_TOO_LONG },
  { "u64le", B ("\1\0\0\0\1\0\0\0"), SRV_ERROR_TOO_LONG },
  { "u64be", B ("\xff\xff\xff\xff\xff\xff\xff\xff"), SRV_ERROR_TOO_LONG },
};

/* However it is split, and every later call says the same: nobody knows where
 * the next message would begin. */
START_TEST (malformed_marks_are_refused)
{
  const Piece *wire = &malformed[_i].wire;
  g_autoptr (GBytes) bytes = g_bytes_new_static (wire->data, wire->length);
  g_autoptr (SrvFrameDecoder) decoder = decoder_of (malformed[_i].notation, 50);

  for (gsize step = 1; step <= wire->length; step++)
    ck_assert_int_eq (decode_in_steps (malformed[_i].notation, 50, bytes, step),
                      malformed[_i].code);

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_int_eq (srv_frame_decoder_feed (decoder, wire->data,
                                                wire->length, &error),
                        -1);
      srv_test_assert_error (error, SRV_ERROR, malformed[_i].code);
      ck_assert (!srv_frame_decoder_has_frame (decoder));
      ck_assert (!srv_frame_decoder_end (decoder, NULL));
    }
}
END_TEST

/* Pages of address space. */
static guint64
virtual_size (void)
{
  g_autofree char *text = NULL;

  ck_assert (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  return g_ascii_strtoull (text, NULL, 10) * (guint64) sysconf (_SC_PAGESIZE);
}

/* Who announces a gigabyte and sends nothing gets no memory for it. */
START_TEST (announced_length_takes_no_memory)
{
  static const Piece headers[] = {
    B ("\x40\0\0\0"),
    B ("1073741824"),
    B ("\x80\x80\x80\x80\4"),
    B ("1073741824:"),
  };
  static const char *const notations[] = { "u32be", "dec10", "varint",
                                           "netstring" };
  SrvFrameDecoder *decoders[16];
  guint64 before;

  /* What the first one of anything takes. */
  g_object_unref (decoder_of ("u8", 1));
  before = virtual_size ();
  for (guint i = 0; i < G_N_ELEMENTS (decoders); i++)
    {
      const Piece *header = &headers[i % G_N_ELEMENTS (headers)];

      decoders[i] = decoder_of (notations[i % G_N_ELEMENTS (headers)],
                                SRV_FRAMING_MAX_SIZE);
      ck_assert_int_eq (srv_frame_decoder_feed (decoders[i], header->data,
                                                header->length, NULL),
                        (gssize) header->length);
      ck_assert_int_eq (srv_frame_decoder_feed (decoders[i], "x", 1, NULL), 1);
    }
  ck_assert_uint_lt (virtual_size () - before, 512 * 1024 * 1024);
  for (guint i = 0; i < G_N_ELEMENTS (decoders); i++)
    g_object_unref (decoders[i]);
}
END_TEST

/* All bytes, and more of them than one buffer keeps, go through unchanged. A
 * line cannot hold its own end. */
START_TEST (all_bytes_go_through)
{
  static const char *const carriers[] = { "lf",     "u32le",     "dec7",
                                          "varint", "netstring", "end" };
  g_autofree guint8 *payload = g_malloc (200000);
  gsize length = 0;

  while (length < 200000)
    {
      payload[length] = (guint8) (length % 256);
      if (_i == 0 && payload[length] == '\n')
        payload[length] = 'n';
      length++;
    }
  {
    g_autoptr (SrvFraming) framing = framing_of (carriers[_i], length);
    g_autoptr (SrvFrameDecoder) decoder = srv_frame_decoder_new (framing);
    g_autoptr (GBytes) bytes = g_bytes_new_static (payload, length);
    g_autoptr (GBytes) frame = srv_framing_encode_bytes (framing, bytes, NULL);
    g_autoptr (GBytes) back = NULL;
    gsize size;
    const void *wire = g_bytes_get_data (frame, &size);

    ck_assert_int_eq (srv_frame_decoder_feed (decoder, wire, size, NULL),
                      (gssize) size);
    ck_assert (srv_frame_decoder_has_frame (decoder) ||
               srv_frame_decoder_end (decoder, NULL));
    back = srv_frame_decoder_take_frame (decoder);
    ck_assert (g_bytes_equal (back, bytes));
    ck_assert (!srv_frame_decoder_has_frame (decoder));
    ck_assert_ptr_null (srv_frame_decoder_take_frame (decoder));
  }
}
END_TEST

/* A long line in single bytes takes a while, not for ever: nothing is scanned
 * twice. (A quadratic scan needs more than the time limit of a test.) */
START_TEST (long_line_is_scanned_once)
{
  g_autoptr (SrvFrameDecoder) decoder = decoder_of ("line", 1 << 20);
  const gsize wanted = srv_test_is_short () ? 1 << 17 : 1 << 20;
  gsize taken = 0;
  gsize length;

  for (gsize i = 0; i < wanted; i++)
    taken += srv_frame_decoder_feed (decoder, "x", 1, NULL) == 1;
  ck_assert_uint_eq (taken, wanted);
  ck_assert_int_eq (srv_frame_decoder_feed (decoder, "\n", 1, NULL), 1);
  ck_assert_ptr_nonnull (srv_frame_decoder_get_frame (decoder, &length));
  ck_assert_uint_eq (length, wanted);
}
END_TEST

/* A message that would not come back as it is is not sent. */
START_TEST (unfit_messages_are_not_written)
{
  const struct
  {
    const char *notation;
    Piece payload;
  } cases[] = {
    { "line", B ("a\nb") },  { "lf", B ("\n") },   { "line", B ("a\r") },
    { "fixed4", B ("abc") }, { "fixed4", B ("") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (SrvFraming) framing = framing_of (cases[i].notation, 50);
      g_autoptr (GByteArray) output = g_byte_array_new ();
      g_autoptr (GError) error = NULL;

      ck_assert (!srv_framing_encode (framing, cases[i].payload.data,
                                      cases[i].payload.length, output, &error));
      srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_BAD_FRAME);
      ck_assert_uint_eq (output->len, 0);
    }
}
END_TEST

/* A narrow length cannot tell of more than it has room for. */
START_TEST (maximum_follows_the_width)
{
  const struct
  {
    const char *notation;
    gsize expected;
  } cases[] = {
    { "u8", 255 },        { "u16le", 65535 },
    { "u32be", 1 << 20 }, { "dec1", 9 },
    { "dec3", 999 },      { "dec19", 1 << 20 },
    { "fixed7", 7 },      { "line", 1 << 20 },
    { "end", 1 << 20 },   { "netstring", 1 << 20 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (SrvFraming) framing = framing_of (cases[i].notation, 1 << 20);

      ck_assert_uint_eq (srv_framing_get_max_size (framing), cases[i].expected);
    }
}
END_TEST

START_TEST (wrong_notations_are_refused)
{
  static const char *const wrong[] = {
    "",       "lines",    "u7",    "u24be",   "u16",        "U8",
    "dec",    "dec0",     "dec20", "dec+1",   "dec 5",      "fixed",
    "fixed0", "fixed101", "line ", "fixed-1", "netstring5", "\x1b[2J",
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_ptr_null (srv_framing_parse (wrong[i], 100, &error));
      srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      ck_assert_ptr_null (strchr (error->message, '\x1b'));
    }
}
END_TEST

/* The last line of a file without a newline is a cut message, but not lost. */
START_TEST (unfinished_message_can_be_had)
{
  g_autoptr (SrvFrameDecoder) decoder = decoder_of ("line", 50);
  g_autoptr (GBytes) nothing = srv_frame_decoder_dup_unfinished (decoder);
  g_autoptr (GBytes) rest = NULL;
  g_autoptr (GBytes) still = NULL;

  ck_assert_uint_eq (g_bytes_get_size (nothing), 0);
  ck_assert_int_eq (srv_frame_decoder_feed (decoder, "one\n", 4, NULL), 4);
  still = srv_frame_decoder_dup_unfinished (decoder);
  ck_assert_uint_eq (g_bytes_get_size (still), 0);
  ck_assert_int_eq (srv_frame_decoder_feed (decoder, "two", 3, NULL), 3);
  ck_assert (!srv_frame_decoder_end (decoder, NULL));
  rest = srv_frame_decoder_dup_unfinished (decoder);
  ck_assert_uint_eq (g_bytes_get_size (rest), 3);
  ck_assert_int_eq (memcmp (g_bytes_get_data (rest, NULL), "two", 3), 0);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "frames", split_does_not_matter, N_SAMPLES },
    { "frames", single_bytes_do_not_matter, N_SAMPLES },
    { "frames", frames_are_written_as_specified, N_SAMPLES },
    { "frames", cut_is_told_from_a_clean_end, N_SAMPLES },
    { "frames", all_bytes_go_through, 6 },
    { "frames", unfinished_message_can_be_had, 1 },
    { "limits", limit_is_exact, N_KINDS },
    { "limits", carriage_return_does_not_count, 1 },
    { "limits", announced_length_takes_no_memory, 1 },
    { "limits", long_line_is_scanned_once, 1 },
    { "limits", maximum_follows_the_width, 1 },
    { "refusals", malformed_marks_are_refused, (int) G_N_ELEMENTS (malformed) },
    { "refusals", unfit_messages_are_not_written, 1 },
    { "refusals", wrong_notations_are_refused, 1 },
  };

  return srv_test_run_entries ("Framing", tests, G_N_ELEMENTS (tests));
}
