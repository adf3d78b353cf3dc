/* srv-charset-converter.c - text of another character set, to UTF-8 and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GIO's own converter can only reject or escape, and counts what it escapes as
 * if it were converted; otherwise the two are alike.
 */

#include "config.h"

#include "srv-charset-converter.h"

#include <errno.h>
#include <string.h>

/* Room for what stands for one character, in any character set. */
#define MAX_SUBSTITUTE 64
/* Room for a character that is not whole, in any character set. */
#define MAX_HELD 16

/**
 * SrvCharsetConverter:
 *
 * Converts text of a character set to UTF-8, or back.
 *
 * It is a stage for [class@Gio.ConverterInputStream] and
 * [class@Gio.ConverterOutputStream]; [func@SocketServer.charset_stream_new]
 * lays both over a connection. A character may come in parts: a flush writes
 * those that are whole, and the converter keeps the rest until more comes.
 *
 * Beside the codes of every [iface@Gio.Converter], a conversion fails with
 * %G_IO_ERROR_INVALID_DATA under %SRV_CHARSET_POLICY_REJECT.
 *
 * In Python: a codec, with its `errors`.
 */
struct _SrvCharsetConverter
{
  GObject parent_instance;

  char *charset; /* owned */
  SrvCharsetPolicy policy;
  gboolean encodes; /* from UTF-8 */
  gsize unit;       /* of what is decoded, in bytes: 2 for UTF-16 */
  GIConv iconv;
  char held[MAX_HELD]; /* the start of a character, from before a flush */
  gsize n_held;
};

static void srv_charset_converter_iface_init (GConverterIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
  SrvCharsetConverter,
  srv_charset_converter,
  G_TYPE_OBJECT,
  G_IMPLEMENT_INTERFACE (G_TYPE_CONVERTER, srv_charset_converter_iface_init))

G_DEFINE_ENUM_TYPE (SrvCharsetPolicy,
                    srv_charset_policy,
                    G_DEFINE_ENUM_VALUE (SRV_CHARSET_POLICY_REJECT, "reject"),
                    G_DEFINE_ENUM_VALUE (SRV_CHARSET_POLICY_REPLACE, "replace"),
                    G_DEFINE_ENUM_VALUE (SRV_CHARSET_POLICY_ESCAPE, "escape"))

/* One call's buffers, as iconv moves along them. */
typedef struct
{
  char *in;
  gsize in_left;
  char *out;
  gsize out_left;
} Span;

static void
srv_charset_converter_reset (GConverter *converter)
{
  SrvCharsetConverter *self = SRV_CHARSET_CONVERTER (converter);

  g_iconv (self->iconv, NULL, NULL, NULL, NULL);
  self->n_held = 0;
}

static GConverterResult
fail (GError **error, int code, const char *why)
{
  g_set_error_literal (error, G_IO_ERROR, code, why);
  return G_CONVERTER_ERROR;
}

/* How many bytes at the start of the input are the one bad character. */
static gsize
bad_length (SrvCharsetConverter *self, const Span *span)
{
  gunichar character;

  if (!self->encodes)
    return MIN (self->unit, span->in_left);
  character = g_utf8_get_char_validated (span->in, (gssize) span->in_left);
  if (character == (gunichar) -1 || character == (gunichar) -2)
    return 1;
  return (gsize) g_unichar_to_utf8 (character, NULL);
}

static char *
escape_bytes (const char *bytes, gsize length)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (text, "\\x%02x", (guint8) bytes[i]);
  return g_string_free (text, FALSE);
}

/* In UTF-8; the input begins with the bad character. */
static char *
make_substitute (SrvCharsetConverter *self, const Span *span, gsize length)
{
  gunichar character;

  if (self->policy == SRV_CHARSET_POLICY_REPLACE)
    return g_strdup (self->encodes ? "?" : "\357\277\275");
  if (!self->encodes || length == 1)
    return escape_bytes (span->in, length);
  character = g_utf8_get_char (span->in);
  return g_strdup_printf (character > 0xffff ? "\\U%08x" : "\\u%04x",
                          character);
}

static gboolean
put_substitute (SrvCharsetConverter *self, Span *span, char *text)
{
  gsize left = strlen (text);

  if (self->encodes)
    return g_iconv (self->iconv, &text, &left, &span->out, &span->out_left) !=
           (gsize) -1;
  memcpy (span->out, text, left);
  span->out += left;
  span->out_left -= left;
  return TRUE;
}

/* The input begins with what cannot be converted. */
static GConverterResult
substitute (SrvCharsetConverter *self, Span *span, GError **error)
{
  gsize length = bad_length (self, span);
  g_autofree char *text = NULL;

  if (self->policy == SRV_CHARSET_POLICY_REJECT)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "could not convert %s %s: invalid or unknown character",
                   self->encodes ? "to" : "from", self->charset);
      return G_CONVERTER_ERROR;
    }
  if (span->out_left < MAX_SUBSTITUTE)
    return fail (error, G_IO_ERROR_NO_SPACE, "not enough room for a character");
  text = make_substitute (self, span, length);
  if (!put_substitute (self, span, text))
    return fail (error, G_IO_ERROR_INVALID_DATA,
                 "the character set has nothing to stand for a character");
  span->in += length;
  span->in_left -= length;
  return G_CONVERTER_CONVERTED;
}

/* Everything that was there is converted: now what ends a text, in sets that
 * have such a thing. */
static GConverterResult
finish (SrvCharsetConverter *self,
        Span *span,
        GConverterFlags flags,
        gboolean has_moved,
        GError **error)
{
  if ((flags & G_CONVERTER_INPUT_AT_END) == 0)
    {
      if ((flags & G_CONVERTER_FLUSH) != 0)
        return G_CONVERTER_FLUSHED;
      /* Who is told of success without any comes again at once. */
      return has_moved ? G_CONVERTER_CONVERTED
                       : fail (error, G_IO_ERROR_PARTIAL_INPUT,
                               "there is nothing to convert");
    }
  if (g_iconv (self->iconv, NULL, NULL, &span->out, &span->out_left) !=
      (gsize) -1)
    return G_CONVERTER_FINISHED;
  if (has_moved)
    return G_CONVERTER_CONVERTED;
  return fail (error, G_IO_ERROR_NO_SPACE, "not enough room for the end");
}

/* Who flushes wants everything to be taken, also half a character. */
static GConverterResult
hold (SrvCharsetConverter *self, Span *span)
{
  memcpy (self->held, span->in, span->in_left);
  self->n_held = span->in_left;
  span->in += span->in_left;
  span->in_left = 0;
  return G_CONVERTER_FLUSHED;
}

static GConverterResult
convert (SrvCharsetConverter *self,
         Span *span,
         GConverterFlags flags,
         GError **error)
{
  const gsize in_before = span->in_left;
  const gsize out_before = span->out_left;
  gsize result = 0;
  gboolean has_moved;

  if (span->in_left > 0)
    result = g_iconv (self->iconv, &span->in, &span->in_left, &span->out,
                      &span->out_left);
  has_moved = span->in_left < in_before || span->out_left < out_before;
  if (result != (gsize) -1)
    return finish (self, span, flags, has_moved, error);
  /* What stopped it comes first next time. */
  if (has_moved)
    return G_CONVERTER_CONVERTED;
  if (errno == E2BIG)
    return fail (error, G_IO_ERROR_NO_SPACE, "not enough room for a character");
  if (errno == EINVAL && (flags & G_CONVERTER_FLUSH) != 0 &&
      span->in_left <= MAX_HELD)
    return hold (self, span);
  if (errno == EINVAL && (flags & G_CONVERTER_INPUT_AT_END) == 0)
    return fail (error, G_IO_ERROR_PARTIAL_INPUT,
                 "the rest of a character is missing");
  return substitute (self, span, error);
}

/* The start of a character, and what has come since: enough to make it whole. */
static GConverterResult
convert_held (SrvCharsetConverter *self,
              Span *span,
              GConverterFlags flags,
              GError **error)
{
  const gsize n_held = self->n_held;
  const gsize n_new = MIN (span->in_left, MAX_HELD);
  char joined[2 * MAX_HELD];
  Span both = { joined, n_held + n_new, span->out, span->out_left };
  GConverterResult result;
  gsize n_done;

  memcpy (joined, self->held, n_held);
  if (n_new > 0)
    memcpy (joined + n_held, span->in, n_new);
  if (n_new < span->in_left)
    flags &= (GConverterFlags) ~(G_CONVERTER_INPUT_AT_END | G_CONVERTER_FLUSH);
  self->n_held = 0;
  result = convert (self, &both, flags, error);
  n_done = (gsize) (both.in - joined);
  /* Of what was held, some is still to be done. */
  if (n_done < n_held)
    {
      self->n_held = n_held - n_done;
      memmove (self->held, self->held + n_done, self->n_held);
      n_done = n_held;
    }
  span->in += n_done - n_held;
  span->in_left -= n_done - n_held;
  span->out = both.out;
  span->out_left = both.out_left;
  return result;
}

static GConverterResult
srv_charset_converter_convert (GConverter *converter,
                               const void *inbuf,
                               gsize inbuf_size,
                               void *outbuf,
                               gsize outbuf_size,
                               GConverterFlags flags,
                               gsize *bytes_read,
                               gsize *bytes_written,
                               GError **error)
{
  SrvCharsetConverter *self = SRV_CHARSET_CONVERTER (converter);
  Span span = { (char *) inbuf, inbuf_size, outbuf, outbuf_size };
  GConverterResult result = self->n_held > 0
                              ? convert_held (self, &span, flags, error)
                              : convert (self, &span, flags, error);

  if (result != G_CONVERTER_ERROR)
    {
      *bytes_read = inbuf_size - span.in_left;
      *bytes_written = outbuf_size - span.out_left;
    }
  return result;
}

static void
srv_charset_converter_iface_init (GConverterIface *iface)
{
  iface->convert = srv_charset_converter_convert;
  iface->reset = srv_charset_converter_reset;
}

static void
srv_charset_converter_finalize (GObject *object)
{
  SrvCharsetConverter *self = SRV_CHARSET_CONVERTER (object);

  if (self->iconv != (GIConv) -1)
    g_iconv_close (self->iconv);
  g_free (self->charset);
  G_OBJECT_CLASS (srv_charset_converter_parent_class)->finalize (object);
}

static void
srv_charset_converter_class_init (SrvCharsetConverterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = srv_charset_converter_finalize;
}

static void
srv_charset_converter_init (SrvCharsetConverter *self)
{
  self->iconv = (GIConv) -1;
}

/* The fewest bytes that are a character: so many zeros are one in all sets. */
static gsize
find_unit (SrvCharsetConverter *self)
{
  char zeros[4] = { 0 };
  gsize unit = 0;
  gsize result = (gsize) -1;

  while (result == (gsize) -1 && unit < sizeof zeros)
    {
      char out[8];
      Span span = { zeros, ++unit, out, sizeof out };

      result = g_iconv (self->iconv, &span.in, &span.in_left, &span.out,
                        &span.out_left);
      srv_charset_converter_reset (G_CONVERTER (self));
    }
  return result != (gsize) -1 ? unit : 1;
}

static SrvCharsetConverter *
make (const char *charset,
      gboolean encodes,
      SrvCharsetPolicy policy,
      GError **error)
{
  g_autoptr (SrvCharsetConverter) self =
    g_object_new (SRV_TYPE_CHARSET_CONVERTER, NULL);

  self->charset = g_strdup (charset);
  self->encodes = encodes;
  self->policy = policy;
  self->iconv = encodes ? g_iconv_open (charset, "UTF-8")
                        : g_iconv_open ("UTF-8", charset);
  if (self->iconv != (GIConv) -1)
    {
      self->unit = encodes ? 1 : find_unit (self);
      return g_steal_pointer (&self);
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "could not convert %s %s: unknown character set",
               encodes ? "to" : "from", charset);
  return NULL;
}

/**
 * srv_charset_converter_new_decoder:
 * @charset: the name of a character set, such as `KOI8-R`, as iconv knows it
 * @policy: what becomes of bytes that are no characters
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a converter to UTF-8.
 *
 * Fails with %G_IO_ERROR_NOT_SUPPORTED for an unknown character set.
 *
 * Threads: any. In Python: `codecs.getincrementaldecoder()`.
 *
 * Returns: (transfer full): a new converter, or %NULL with @error set
 */
SrvCharsetConverter *
srv_charset_converter_new_decoder (const char *charset,
                                   SrvCharsetPolicy policy,
                                   GError **error)
{
  g_return_val_if_fail (charset != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return make (charset, FALSE, policy, error);
}

/**
 * srv_charset_converter_new_encoder:
 * @charset: the name of a character set, such as `KOI8-R`, as iconv knows it
 * @policy: what becomes of characters that the set does not have
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes a converter from UTF-8.
 *
 * Fails with %G_IO_ERROR_NOT_SUPPORTED for an unknown character set.
 *
 * Threads: any. In Python: `codecs.getincrementalencoder()`.
 *
 * Returns: (transfer full): a new converter, or %NULL with @error set
 */
SrvCharsetConverter *
srv_charset_converter_new_encoder (const char *charset,
                                   SrvCharsetPolicy policy,
                                   GError **error)
{
  g_return_val_if_fail (charset != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return make (charset, TRUE, policy, error);
}
