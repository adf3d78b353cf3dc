/* srv-framing-header.c - the length in front of a message, written and read
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-framing-private.h"

static void
append_binary (SrvFraming *self, gsize length, GByteArray *output)
{
  guint8 header[8];

  for (guint i = 0; i < self->width; i++)
    {
      guint shift = 8 * (self->big ? self->width - 1 - i : i);

      header[i] = (guint8) ((guint64) length >> shift);
    }
  g_byte_array_append (output, header, self->width);
}

static void
append_varint (gsize length, GByteArray *output)
{
  guint8 byte;

  do
    {
      byte = length & 0x7f;
      length >>= 7;
      if (length != 0)
        byte |= 0x80;
      g_byte_array_append (output, &byte, 1);
    }
  while (length != 0);
}

/* In decimal digits, with zeros up to @width, and @colon or nothing. */
static void
append_decimal (gsize length,
                guint width,
                const char *colon,
                GByteArray *output)
{
  char header[SRV_FRAMING_MAX_HEADER + 2];
  int n = g_snprintf (header, sizeof header, "%0*" G_GSIZE_FORMAT "%s",
                      (int) width, length, colon);

  g_byte_array_append (output, (const guint8 *) header, (guint) n);
}

/* Adds what stands before a payload of so many bytes. */
void
srv_framing_append_header (SrvFraming *self, gsize length, GByteArray *output)
{
  switch (self->kind)
    {
    case SRV_FRAMING_KIND_BINARY:
      append_binary (self, length, output);
      break;
    case SRV_FRAMING_KIND_DECIMAL:
      append_decimal (length, self->width, "", output);
      break;
    case SRV_FRAMING_KIND_VARINT:
      append_varint (length, output);
      break;
    case SRV_FRAMING_KIND_NETSTRING:
      append_decimal (length, 1, ":", output);
      break;
    case SRV_FRAMING_KIND_LINE:
    case SRV_FRAMING_KIND_FIXED:
    case SRV_FRAMING_KIND_END:
    default:
      break;
    }
}

gboolean
srv_framing_fail_malformed (const char *why, GError **error)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_BAD_FRAME, "malformed message: %s",
               why);
  return FALSE;
}

static guint64
read_binary (SrvFraming *self, const guint8 *header)
{
  guint64 size = 0;

  for (guint i = 0; i < self->width; i++)
    size = size << 8 | header[self->big ? i : self->width - 1 - i];
  return size;
}

/* Digits, with spaces before or behind them. */
static gboolean
read_decimal (SrvFraming *self,
              const guint8 *header,
              guint64 *size,
              GError **error)
{
  guint i = 0;
  guint first;

  while (i < self->width && header[i] == ' ')
    i++;
  first = i;
  for (; i < self->width && g_ascii_isdigit (header[i]); i++)
    *size = *size * 10 + (guint64) (header[i] - '0');
  if (i == first)
    return srv_framing_fail_malformed ("the length is no number", error);
  while (i < self->width && header[i] == ' ')
    i++;
  return i == self->width ||
         srv_framing_fail_malformed ("the length is no number", error);
}

/* The byte at @at, in which seven bits count. */
static gboolean
read_varint (const guint8 *header,
             guint at,
             guint64 *size,
             gboolean *complete,
             GError **error)
{
  const guint8 byte = header[at];

  if (at == 9 && byte > 1)
    return srv_framing_fail_malformed ("the length has more than 64 bits",
                                       error);
  if (at > 0 && byte == 0)
    return srv_framing_fail_malformed ("the length is longer than it must be",
                                       error);
  *size |= (guint64) (byte & 0x7f) << (7 * at);
  *complete = (byte & 0x80) == 0;
  return TRUE;
}

/* The byte at @at: a digit or the colon. The maximum ends a long number, so it
 * cannot overflow. */
static gboolean
read_netstring (SrvFraming *self,
                const guint8 *header,
                guint at,
                guint64 *size,
                gboolean *complete,
                GError **error)
{
  const guint8 byte = header[at];

  *complete = byte == ':';
  if (*complete)
    return at > 0 || srv_framing_fail_malformed ("there is no length", error);
  if (!g_ascii_isdigit (byte))
    return srv_framing_fail_malformed ("the length is no number", error);
  if (at > 0 && header[0] == '0')
    return srv_framing_fail_malformed ("the length has a leading zero", error);
  *size = *size * 10 + (guint64) (byte - '0');
  return srv_framing_check_size (self, *size, error);
}

/* Looks at a header to which a byte was added; @length counts it, and is at
 * least 1. What is known of the size is kept in @size between the calls. */
gboolean
srv_framing_read_header (SrvFraming *self,
                         const guint8 *header,
                         guint length,
                         guint64 *size,
                         gboolean *complete,
                         GError **error)
{
  switch (self->kind)
    {
    case SRV_FRAMING_KIND_BINARY:
      *complete = length == self->width;
      if (*complete)
        *size = read_binary (self, header);
      break;
    case SRV_FRAMING_KIND_DECIMAL:
      *complete = length == self->width;
      if (*complete && !read_decimal (self, header, size, error))
        return FALSE;
      break;
    case SRV_FRAMING_KIND_VARINT:
      if (!read_varint (header, length - 1, size, complete, error))
        return FALSE;
      break;
    case SRV_FRAMING_KIND_NETSTRING:
      if (!read_netstring (self, header, length - 1, size, complete, error))
        return FALSE;
      break;
    case SRV_FRAMING_KIND_LINE:
    case SRV_FRAMING_KIND_FIXED:
    case SRV_FRAMING_KIND_END:
    default:
      g_assert_not_reached ();
    }
  return !*complete || srv_framing_check_size (self, *size, error);
}
