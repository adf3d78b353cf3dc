/* srv-framing.c - where one message ends and the next one begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-framing.h"

#include "srv-escape.h"
#include "srv-framing-private.h"

#include <string.h>

/**
 * SrvFraming:
 *
 * How messages are marked in a stream of bytes.
 *
 * A stream knows no messages: what one side sends in three pieces can arrive in
 * one, or in thirty. A framing says where each message ends. There are four
 * ways: it has a fixed length, an end mark, its length in front, or it ends
 * with the stream.
 *
 * Every framing has a maximum. It is the number of bytes of the payload alone,
 * without length, newline or other marks, and it holds in both directions. It
 * is checked before memory is taken.
 *
 * A framing has no state and never changes; one object serves any number of
 * streams. It is used through [class@SocketServer.FrameInputStream] and
 * [class@SocketServer.FrameOutputStream], by
 * [class@SocketServer.Client], or with bytes from anywhere through
 * [class@SocketServer.FrameDecoder] and [method@SocketServer.Framing.encode].
 *
 * ```c
 * g_autoptr (SrvFraming) framing =
 *   srv_framing_new_binary (4, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN, 65536);
 * ```
 *
 * Threads: any.
 *
 * In Python: what everybody writes by hand with `struct.unpack("!I", …)` and
 * `recv()` in a loop.
 */
G_DEFINE_FINAL_TYPE (SrvFraming, srv_framing, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (SrvFramingKind,
                    srv_framing_kind,
                    G_DEFINE_ENUM_VALUE (SRV_FRAMING_KIND_LINE, "line"),
                    G_DEFINE_ENUM_VALUE (SRV_FRAMING_KIND_FIXED, "fixed"),
                    G_DEFINE_ENUM_VALUE (SRV_FRAMING_KIND_BINARY, "binary"),
                    G_DEFINE_ENUM_VALUE (SRV_FRAMING_KIND_DECIMAL, "decimal"),
                    G_DEFINE_ENUM_VALUE (SRV_FRAMING_KIND_VARINT, "varint"),
                    G_DEFINE_ENUM_VALUE (SRV_FRAMING_KIND_NETSTRING,
                                         "netstring"),
                    G_DEFINE_ENUM_VALUE (SRV_FRAMING_KIND_END, "end"))

/* What the short notation can say. */
static const struct
{
  const char *name;
  guint width;
  GDataStreamByteOrder byte_order;
} binary_notations[] = {
  { "u8", 1, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN },
  { "u16be", 2, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN },
  { "u16le", 2, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN },
  { "u32be", 4, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN },
  { "u32le", 4, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN },
  { "u64be", 8, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN },
  { "u64le", 8, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN },
};

static void
srv_framing_class_init (G_GNUC_UNUSED SrvFramingClass *klass)
{
}

static void
srv_framing_init (G_GNUC_UNUSED SrvFraming *self)
{
}

static SrvFraming *
framing_new (SrvFramingKind kind, gsize max_size)
{
  SrvFraming *self = g_object_new (SRV_TYPE_FRAMING, NULL);

  self->kind = kind;
  self->max_size = max_size;
  return self;
}

static gboolean
is_possible_size (gsize size)
{
  return size > 0 && size <= SRV_FRAMING_MAX_SIZE;
}

gboolean
srv_framing_check_size (SrvFraming *self, guint64 size, GError **error)
{
  if (size <= self->max_size)
    return TRUE;
  g_set_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
               "message is longer than %" G_GSIZE_FORMAT " bytes",
               self->max_size);
  return FALSE;
}

/**
 * srv_framing_new_line:
 * @max_size: longest line, in bytes, its end not counted; 1 to
 *   %SRV_FRAMING_MAX_SIZE
 * @strip_cr: whether a line may end in `\r\n` as well; otherwise the `\r`
 *   belongs to the line
 *
 * Makes a framing for lines. A frame is a line without its end.
 *
 * Written lines end in `\n`. A payload that would not come back as it is, since
 * it holds a newline or ends in a `\r` that would be stripped, is refused. A
 * last line without newline is a cut message.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new framing
 */
SrvFraming *
srv_framing_new_line (gsize max_size, gboolean strip_cr)
{
  SrvFraming *self;

  g_return_val_if_fail (is_possible_size (max_size), NULL);

  self = framing_new (SRV_FRAMING_KIND_LINE, max_size);
  self->strip_cr = strip_cr;
  return self;
}

/**
 * srv_framing_new_fixed:
 * @size: length of every message, in bytes; 1 to %SRV_FRAMING_MAX_SIZE
 *
 * Makes a framing for messages that are all of one length.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new framing
 */
SrvFraming *
srv_framing_new_fixed (gsize size)
{
  g_return_val_if_fail (is_possible_size (size), NULL);
  return framing_new (SRV_FRAMING_KIND_FIXED, size);
}

/**
 * srv_framing_new_binary:
 * @width: bytes of the length: 1, 2, 4 or 8
 * @byte_order: their order
 * @max_size: longest payload, in bytes; 1 to %SRV_FRAMING_MAX_SIZE; lowered to
 *   what @width bytes can tell
 *
 * Makes a framing for messages that have their length in front, as an unsigned
 * number. It counts the payload, not itself.
 *
 * Threads: any. In Python: `struct.pack("!I", len(data)) + data`.
 *
 * Returns: (transfer full): a new framing
 */
SrvFraming *
srv_framing_new_binary (guint width,
                        GDataStreamByteOrder byte_order,
                        gsize max_size)
{
  SrvFraming *self;

  g_return_val_if_fail (width == 1 || width == 2 || width == 4 || width == 8,
                        NULL);
  g_return_val_if_fail (is_possible_size (max_size), NULL);

  if (width < 4)
    max_size = MIN (max_size, ((gsize) 1 << (8 * width)) - 1);
  self = framing_new (SRV_FRAMING_KIND_BINARY, max_size);
  self->width = width;
  self->big = byte_order == G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN ||
              (byte_order == G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN &&
               G_BYTE_ORDER == G_BIG_ENDIAN);
  return self;
}

/**
 * srv_framing_new_decimal:
 * @width: digits of the length: 1 to 19
 * @max_size: longest payload, in bytes; 1 to %SRV_FRAMING_MAX_SIZE; lowered to
 *   what @width digits can tell
 *
 * Makes a framing for messages that have their length in front, in decimal
 * digits of a fixed number.
 *
 * Written lengths are padded with zeros. In lengths that are read, spaces
 * before or after the digits are accepted, because many programs in Python pad
 * with them; a sign, an empty field or anything else is not.
 *
 * Threads: any. In Python: `f"{len(data):05d}".encode() + data`.
 *
 * Returns: (transfer full): a new framing
 */
SrvFraming *
srv_framing_new_decimal (guint width, gsize max_size)
{
  SrvFraming *self;
  guint64 limit = 1;

  g_return_val_if_fail (width > 0 && width <= SRV_FRAMING_MAX_HEADER, NULL);
  g_return_val_if_fail (is_possible_size (max_size), NULL);

  for (guint i = 0; i < width && limit <= max_size; i++)
    limit *= 10;
  self =
    framing_new (SRV_FRAMING_KIND_DECIMAL, (gsize) MIN (max_size, limit - 1));
  self->width = width;
  return self;
}

/**
 * srv_framing_new_varint:
 * @max_size: longest payload, in bytes; 1 to %SRV_FRAMING_MAX_SIZE
 *
 * Makes a framing for messages that have their length in front, as unsigned
 * LEB128: seven bits in a byte, the low ones first, the eighth bit set in all
 * bytes but the last. It is what Protocol Buffers uses for streams.
 *
 * A length that is longer than it must be, or that needs more than 64 bits, is
 * malformed.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new framing
 */
SrvFraming *
srv_framing_new_varint (gsize max_size)
{
  g_return_val_if_fail (is_possible_size (max_size), NULL);
  return framing_new (SRV_FRAMING_KIND_VARINT, max_size);
}

/**
 * srv_framing_new_netstring:
 * @max_size: longest payload, in bytes; 1 to %SRV_FRAMING_MAX_SIZE
 *
 * Makes a framing for netstrings: the length in decimal digits, a colon, the
 * payload, a comma. A length with leading zeros, or none, is malformed.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new framing
 */
SrvFraming *
srv_framing_new_netstring (gsize max_size)
{
  g_return_val_if_fail (is_possible_size (max_size), NULL);
  return framing_new (SRV_FRAMING_KIND_NETSTRING, max_size);
}

/**
 * srv_framing_new_end:
 * @max_size: longest payload, in bytes; 1 to %SRV_FRAMING_MAX_SIZE
 *
 * Makes a framing for one message that ends with the stream, as in HTTP/1.0.
 * A stream holds exactly one; it can be empty. Whether it was cut cannot be
 * known.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new framing
 */
SrvFraming *
srv_framing_new_end (gsize max_size)
{
  g_return_val_if_fail (is_possible_size (max_size), NULL);
  return framing_new (SRV_FRAMING_KIND_END, max_size);
}

static gboolean
fail_bad_frame (const char *why, GError **error)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_BAD_FRAME,
               "message does not fit the framing: %s", why);
  return FALSE;
}

/* Whether the other side would get what is sent. */
static gboolean
check_payload (SrvFraming *self, const char *data, gsize length, GError **error)
{
  if (!srv_framing_check_size (self, length, error))
    return FALSE;
  if (self->kind == SRV_FRAMING_KIND_FIXED && length != self->max_size)
    return fail_bad_frame ("it is too short", error);
  if (self->kind != SRV_FRAMING_KIND_LINE || length == 0)
    return TRUE;
  if (memchr (data, '\n', length) != NULL)
    return fail_bad_frame ("it holds a newline", error);
  if (self->strip_cr && data[length - 1] == '\r')
    return fail_bad_frame ("it ends in a carriage return", error);
  return TRUE;
}

static void
append_trailer (SrvFraming *self, GByteArray *output)
{
  if (self->kind == SRV_FRAMING_KIND_LINE)
    g_byte_array_append (output, (const guint8 *) "\n", 1);
  else if (self->kind == SRV_FRAMING_KIND_NETSTRING)
    g_byte_array_append (output, (const guint8 *) ",", 1);
}

/* The number behind @prefix, if that is all there is. */
static gboolean
parse_number (const char *notation,
              const char *prefix,
              guint64 max,
              guint64 *number)
{
  return g_str_has_prefix (notation, prefix) &&
         g_ascii_string_to_unsigned (notation + strlen (prefix), 10, 1, max,
                                     number, NULL);
}

/**
 * srv_framing_parse:
 * @notation: the framing in short
 * @max_size: longest payload, in bytes; 1 to %SRV_FRAMING_MAX_SIZE
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a framing from a short notation, for the options of programs: `line`
 * (`\r\n` is accepted, too), `lf` (it is not), `u8`, `u16be`, `u16le`, `u32be`,
 * `u32le`, `u64be`, `u64le`, `dec5` (any number of digits up to 19), `varint`,
 * `netstring`, `fixed16` (any size up to @max_size), `end`.
 *
 * Fails with %G_IO_ERROR_INVALID_ARGUMENT.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new framing, or %NULL with @error set
 */
SrvFraming *
srv_framing_parse (const char *notation, gsize max_size, GError **error)
{
  g_autofree char *shown = NULL;
  guint64 number;

  g_return_val_if_fail (notation != NULL, NULL);
  g_return_val_if_fail (is_possible_size (max_size), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (binary_notations); i++)
    {
      if (strcmp (notation, binary_notations[i].name) == 0)
        return srv_framing_new_binary (binary_notations[i].width,
                                       binary_notations[i].byte_order,
                                       max_size);
    }
  if (strcmp (notation, "line") == 0)
    return srv_framing_new_line (max_size, TRUE);
  if (strcmp (notation, "lf") == 0)
    return srv_framing_new_line (max_size, FALSE);
  if (strcmp (notation, "varint") == 0)
    return srv_framing_new_varint (max_size);
  if (strcmp (notation, "netstring") == 0)
    return srv_framing_new_netstring (max_size);
  if (strcmp (notation, "end") == 0)
    return srv_framing_new_end (max_size);
  if (parse_number (notation, "dec", SRV_FRAMING_MAX_HEADER, &number))
    return srv_framing_new_decimal ((guint) number, max_size);
  if (parse_number (notation, "fixed", max_size, &number))
    return srv_framing_new_fixed ((gsize) number);

  shown = srv_escape (notation, -1);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "there is no framing \"%s\"", shown);
  return NULL;
}

/**
 * srv_framing_get_kind:
 * @self: a framing
 *
 * Gets how messages are marked.
 *
 * Threads: any.
 *
 * Returns: the kind
 */
SrvFramingKind
srv_framing_get_kind (SrvFraming *self)
{
  g_return_val_if_fail (SRV_IS_FRAMING (self), SRV_FRAMING_KIND_LINE);
  return self->kind;
}

/**
 * srv_framing_get_max_size:
 * @self: a framing
 *
 * Gets the length of the longest payload.
 *
 * Threads: any.
 *
 * Returns: the length in bytes
 */
gsize
srv_framing_get_max_size (SrvFraming *self)
{
  g_return_val_if_fail (SRV_IS_FRAMING (self), 0);
  return self->max_size;
}

/**
 * srv_framing_encode: (skip)
 * @self: a framing
 * @data: (array length=length) (element-type guint8): the payload
 * @length: how many bytes it has; 0 for an empty message
 * @output: where to add the frame
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a frame of a payload and adds it to what is there.
 *
 * Fails with %SRV_ERROR_TOO_LONG when the payload is longer than the maximum,
 * and with %SRV_ERROR_BAD_FRAME when the framing cannot carry it: a wrong
 * length for a fixed one, a newline in a line. Nothing is added then.
 *
 * Threads: any.
 *
 * Returns: %TRUE on success, %FALSE with @error set otherwise
 */
gboolean
srv_framing_encode (SrvFraming *self,
                    const void *data,
                    gsize length,
                    GByteArray *output,
                    GError **error)
{
  g_return_val_if_fail (SRV_IS_FRAMING (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);
  g_return_val_if_fail (output != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_payload (self, data, length, error))
    return FALSE;
  srv_framing_append_header (self, length, output);
  if (length > 0)
    g_byte_array_append (output, data, (guint) length);
  append_trailer (self, output);
  return TRUE;
}

/**
 * srv_framing_encode_bytes: (rename-to srv_framing_encode)
 * @self: a framing
 * @bytes: the payload
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a frame of a payload, in memory of its own; otherwise like
 * [method@SocketServer.Framing.encode].
 *
 * Returns: (transfer full): the frame, or %NULL with @error set
 */
GBytes *
srv_framing_encode_bytes (SrvFraming *self, GBytes *bytes, GError **error)
{
  g_autoptr (GByteArray) output = g_byte_array_new ();
  gsize length;
  const void *data;

  g_return_val_if_fail (bytes != NULL, NULL);

  data = g_bytes_get_data (bytes, &length);
  if (!srv_framing_encode (self, data, length, output, error))
    return NULL;
  return g_byte_array_free_to_bytes (g_steal_pointer (&output));
}
