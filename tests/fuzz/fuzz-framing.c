/* fuzz-framing.c - any bytes to any framing, whole and in pieces
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first byte chooses the framing, the second the maximum, the third the
 * pieces; the rest is the stream. Whatever it is: the pieces do not matter, no
 * frame is longer than the maximum, and what came out goes in again.
 */

#include "fuzz.h"

static const char *const notations[] = {
  "line",  "lf",   "u8",   "u16be", "u16le",  "u32be",     "u32le", "u64be",
  "u64le", "dec1", "dec5", "dec19", "varint", "netstring", "end",   "fixed1",
};

/* What a decoder did: every frame with its length, and how it ended. */
typedef struct
{
  SrvFraming *framing;
  GByteArray *frames;
  int end; /* a code, or -1 for a clean end */
} Outcome;

static int
code_of (const GError *error)
{
  g_assert_nonnull (error);
  g_assert_true (error->domain == SRV_ERROR);
  g_assert_true (error->code == SRV_ERROR_TOO_LONG ||
                 error->code == SRV_ERROR_TRUNCATED ||
                 error->code == SRV_ERROR_BAD_FRAME);
  return error->code;
}

static void
note_frame (Outcome *outcome, SrvFrameDecoder *decoder)
{
  gsize length;
  const guint8 *frame = srv_frame_decoder_get_frame (decoder, &length);
  guint32 noted = (guint32) length;

  g_assert_nonnull (frame);
  g_assert_cmpuint (length, <=, srv_framing_get_max_size (outcome->framing));
  g_assert_cmpuint (frame[length], ==, 0);
  g_byte_array_append (outcome->frames, (const guint8 *) &noted, sizeof noted);
  g_byte_array_append (outcome->frames, frame, noted);
}

/* Decodes in pieces of @step bytes; 0: of changing length. */
static void
decode (Outcome *outcome, const guint8 *data, gsize length, gsize step)
{
  g_autoptr (SrvFrameDecoder) decoder =
    srv_frame_decoder_new (outcome->framing);
  g_autoptr (GError) error = NULL;
  gsize changing = 1;

  while (length > 0)
    {
      gsize piece = step != 0 ? step : changing++ % 7 + 1;
      gssize n =
        srv_frame_decoder_feed (decoder, data, MIN (piece, length), &error);

      if (n < 0)
        {
          outcome->end = code_of (error);
          return;
        }
      g_assert_true (n > 0 && (gsize) n <= MIN (piece, length));
      data += n;
      length -= (gsize) n;
      if (srv_frame_decoder_has_frame (decoder))
        note_frame (outcome, decoder);
    }
  outcome->end = srv_frame_decoder_end (decoder, &error) ? -1 : code_of (error);
  if (srv_frame_decoder_has_frame (decoder))
    note_frame (outcome, decoder);
}

static Outcome
outcome_of (SrvFraming *framing, const guint8 *data, gsize length, gsize step)
{
  Outcome outcome = { framing, g_byte_array_new (), -1 };

  decode (&outcome, data, length, step);
  return outcome;
}

static void
assert_same (const Outcome *a, const Outcome *b)
{
  g_assert_cmpint (a->end, ==, b->end);
  g_assert_cmpmem (a->frames->data, a->frames->len, b->frames->data,
                   b->frames->len);
}

/* A payload that can be written is read as it was. */
static void
assert_comes_back (SrvFraming *framing, const guint8 *payload, gsize length)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  Outcome outcome;

  if (!srv_framing_encode (framing, payload, length, wire, &error))
    {
      code_of (error);
      return;
    }
  outcome = outcome_of (framing, wire->data, wire->len, 0);
  g_assert_cmpint (outcome.end, ==, -1);
  g_assert_cmpmem (outcome.frames->data + 4, outcome.frames->len - 4, payload,
                   length);
  g_byte_array_unref (outcome.frames);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (SrvFraming) framing = NULL;
  Outcome whole;
  Outcome single;
  Outcome pieces;

  if (size < 3)
    return 0;
  framing = srv_framing_parse (notations[data[0] % G_N_ELEMENTS (notations)],
                               (gsize) data[1] + 1, NULL);
  whole = outcome_of (framing, data + 3, size - 3, G_MAXSIZE);
  single = outcome_of (framing, data + 3, size - 3, 1);
  pieces = outcome_of (framing, data + 3, size - 3, data[2]);
  assert_same (&whole, &single);
  assert_same (&whole, &pieces);
  for (gsize i = 0; i < whole.frames->len;)
    {
      guint32 length;

      memcpy (&length, whole.frames->data + i, sizeof length);
      assert_comes_back (framing, whole.frames->data + i + sizeof length,
                         length);
      i += sizeof length + length;
    }
  assert_comes_back (framing, data + 3, size - 3);
  g_byte_array_unref (whole.frames);
  g_byte_array_unref (single.frames);
  g_byte_array_unref (pieces.frames);
  return 0;
}
