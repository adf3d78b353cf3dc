/* srv-frame-decoder.c - bytes in any pieces become messages
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every byte is looked at once, however the stream is split, and the buffer
 * grows by doubling with what really came: a length that is announced is only
 * compared with the maximum.
 */

#include "config.h"

#include "srv-frame-decoder.h"

#include "srv-framing-private.h"

#include <string.h>

/* A buffer that was larger than this is not kept for the next message. */
#define KEPT_SIZE (64 * 1024)

/**
 * SrvFrameDecoder:
 *
 * The reading half of a [class@SocketServer.Framing], for bytes that come from
 * anywhere and in any pieces.
 *
 * It takes the bytes of one message and no more, so that the caller keeps what
 * follows:
 *
 * ```c
 * while (length > 0)
 *   {
 *     gssize n = srv_frame_decoder_feed (decoder, data, length, error);
 *
 *     if (n < 0)
 *       return FALSE;
 *     data += n;
 *     length -= n;
 *     if (srv_frame_decoder_has_frame (decoder))
 *       handle_message (srv_frame_decoder_get_frame (decoder, &size), size);
 *   }
 * ```
 *
 * Most programs need it only where something else waits for the bytes, such as
 * a main loop; [class@SocketServer.FrameInputStream] reads from a stream.
 *
 * After a message that is malformed or too long nobody knows where the next
 * one begins, so every later call fails with the same error.
 *
 * Threads: one at a time.
 */
struct _SrvFrameDecoder
{
  GObject parent_instance;

  SrvFraming *framing; /* owned */

  enum
  {
    STEP_HEADER,
    STEP_BODY,
    STEP_TRAILER,
    STEP_FRAME, /* there is one to be had */
  } step;
  gboolean started; /* a byte of the message has come */
  gboolean ended;   /* the stream has ended */

  guint8 header[SRV_FRAMING_MAX_HEADER];
  guint header_length;
  guint64 size;        /* of the payload, as far as the header is read */
  GByteArray *payload; /* owned */
  GError *failure;     /* owned, nullable */
};

G_DEFINE_FINAL_TYPE (SrvFrameDecoder, srv_frame_decoder, G_TYPE_OBJECT)

static void
begin_frame (SrvFrameDecoder *self)
{
  if (self->payload->len > KEPT_SIZE)
    {
      g_byte_array_unref (self->payload);
      self->payload = g_byte_array_new ();
    }
  g_byte_array_set_size (self->payload, 0);
  self->header_length = 0;
  self->size = 0;
  self->started = FALSE;
  self->step = STEP_HEADER;
  switch (self->framing->kind)
    {
    case SRV_FRAMING_KIND_FIXED:
      self->size = self->framing->max_size;
      self->step = STEP_BODY;
      break;
    case SRV_FRAMING_KIND_LINE:
    case SRV_FRAMING_KIND_END:
      self->step = STEP_BODY;
      break;
    case SRV_FRAMING_KIND_BINARY:
    case SRV_FRAMING_KIND_DECIMAL:
    case SRV_FRAMING_KIND_VARINT:
    case SRV_FRAMING_KIND_NETSTRING:
    default:
      break;
    }
}

/* The NUL behind the payload is not part of it; it is for who wants a string.
 */
static void
end_frame (SrvFrameDecoder *self)
{
  const guint8 nul = 0;

  g_byte_array_append (self->payload, &nul, 1);
  g_byte_array_set_size (self->payload, self->payload->len - 1);
  self->step = STEP_FRAME;
}

static void
end_body (SrvFrameDecoder *self)
{
  if (self->framing->kind == SRV_FRAMING_KIND_NETSTRING)
    self->step = STEP_TRAILER;
  else
    end_frame (self);
}

static gssize
take_header (SrvFrameDecoder *self, guint8 byte, GError **error)
{
  gboolean complete = FALSE;

  g_assert (self->header_length < sizeof self->header);
  self->header[self->header_length++] = byte;
  if (!srv_framing_read_header (self->framing, self->header,
                                self->header_length, &self->size, &complete,
                                error))
    return -1;
  if (!complete)
    return 1;
  self->step = STEP_BODY;
  if (self->size == 0)
    end_body (self);
  return 1;
}

static gssize
take_body (SrvFrameDecoder *self, const guint8 *data, gsize length)
{
  gsize n = MIN (length, (gsize) self->size - self->payload->len);

  g_byte_array_append (self->payload, data, (guint) n);
  if (self->payload->len == self->size)
    end_body (self);
  return (gssize) n;
}

static gssize
take_rest_of_stream (SrvFrameDecoder *self,
                     const guint8 *data,
                     gsize length,
                     GError **error)
{
  gsize room = self->framing->max_size - self->payload->len;

  if (length > room)
    {
      srv_framing_check_size (self->framing, G_MAXUINT64, error);
      return -1;
    }
  g_byte_array_append (self->payload, data, (guint) length);
  return (gssize) length;
}

/* One byte more than the maximum may come if it is the \r before the \n. */
static gboolean
check_line (SrvFrameDecoder *self, GError **error)
{
  const GByteArray *line = self->payload;

  if (self->framing->strip_cr && line->len == self->framing->max_size + 1 &&
      line->data[line->len - 1] == '\r')
    return TRUE;
  return srv_framing_check_size (self->framing, line->len, error);
}

static gssize
take_line (SrvFrameDecoder *self,
           const guint8 *data,
           gsize length,
           GError **error)
{
  GByteArray *line = self->payload;
  gsize most = self->framing->max_size + (self->framing->strip_cr ? 1 : 0);
  gsize looked_at = MIN (length, most - line->len + 1);
  const guint8 *newline = memchr (data, '\n', looked_at);
  gsize n = newline != NULL ? (gsize) (newline - data) : looked_at;

  g_byte_array_append (line, data, (guint) n);
  if (!check_line (self, error))
    return -1;
  if (newline == NULL)
    return (gssize) n;
  if (self->framing->strip_cr && line->len > 0 &&
      line->data[line->len - 1] == '\r')
    g_byte_array_set_size (line, line->len - 1);
  end_frame (self);
  return (gssize) n + 1;
}

static gssize
take_trailer (SrvFrameDecoder *self, guint8 byte, GError **error)
{
  if (byte != ',')
    {
      srv_framing_fail_malformed ("there is no comma behind it", error);
      return -1;
    }
  end_frame (self);
  return 1;
}

static gssize
take_some (SrvFrameDecoder *self,
           const guint8 *data,
           gsize length,
           GError **error)
{
  if (self->step == STEP_HEADER)
    return take_header (self, *data, error);
  if (self->step == STEP_TRAILER)
    return take_trailer (self, *data, error);
  if (self->framing->kind == SRV_FRAMING_KIND_LINE)
    return take_line (self, data, length, error);
  if (self->framing->kind == SRV_FRAMING_KIND_END)
    return take_rest_of_stream (self, data, length, error);
  return take_body (self, data, length);
}

static void
srv_frame_decoder_dispose (GObject *object)
{
  g_clear_object (&SRV_FRAME_DECODER (object)->framing);
  G_OBJECT_CLASS (srv_frame_decoder_parent_class)->dispose (object);
}

static void
srv_frame_decoder_finalize (GObject *object)
{
  SrvFrameDecoder *self = SRV_FRAME_DECODER (object);

  g_byte_array_unref (self->payload);
  g_clear_error (&self->failure);
  G_OBJECT_CLASS (srv_frame_decoder_parent_class)->finalize (object);
}

static void
srv_frame_decoder_class_init (SrvFrameDecoderClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = srv_frame_decoder_dispose;
  G_OBJECT_CLASS (klass)->finalize = srv_frame_decoder_finalize;
}

static void
srv_frame_decoder_init (SrvFrameDecoder *self)
{
  self->payload = g_byte_array_new ();
}

/**
 * srv_frame_decoder_new:
 * @framing: how the messages are marked
 *
 * Makes a decoder for one stream, from its beginning on.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new decoder
 */
SrvFrameDecoder *
srv_frame_decoder_new (SrvFraming *framing)
{
  SrvFrameDecoder *self;

  g_return_val_if_fail (SRV_IS_FRAMING (framing), NULL);

  self = g_object_new (SRV_TYPE_FRAME_DECODER, NULL);
  self->framing = g_object_ref (framing);
  begin_frame (self);
  return self;
}

/* The first failure is also that of all later calls. */
static gboolean
fail (SrvFrameDecoder *self, GError **error)
{
  if (error != NULL)
    *error = g_error_copy (self->failure);
  return FALSE;
}

/**
 * srv_frame_decoder_feed:
 * @self: a decoder
 * @data: (array length=length) (element-type guint8): the next bytes of the
 *   stream
 * @length: how many
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes bytes up to the end of the message that they belong to.
 *
 * When the message is complete, bytes behind it are not taken, and
 * [method@SocketServer.FrameDecoder.has_frame] is %TRUE until the next call,
 * which begins the next message. Otherwise all bytes are taken.
 *
 * Fails with %SRV_ERROR_TOO_LONG when the message is, or says that it will be,
 * longer than the framing's maximum, and with %SRV_ERROR_BAD_FRAME when its
 * marks are malformed; and so does every call after that.
 *
 * Threads: one at a time.
 *
 * Returns: how many bytes were taken, at least 1 if there was one; -1 with
 *   @error set
 */
gssize
srv_frame_decoder_feed (SrvFrameDecoder *self,
                        const void *data,
                        gsize length,
                        GError **error)
{
  const guint8 *next = data;
  gsize done = 0;
  gssize n;

  g_return_val_if_fail (SRV_IS_FRAME_DECODER (self), -1);
  g_return_val_if_fail (data != NULL || length == 0, -1);
  g_return_val_if_fail (!self->ended, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (self->step == STEP_FRAME)
    begin_frame (self);
  while (self->failure == NULL && done < length && self->step != STEP_FRAME)
    {
      self->started = TRUE;
      n = take_some (self, next + done, length - done, &self->failure);
      done += (gsize) MAX (n, 0);
    }
  if (self->failure == NULL)
    return (gssize) done;
  fail (self, error);
  return -1;
}

/**
 * srv_frame_decoder_end:
 * @self: a decoder
 * @error: return location for a [struct@GLib.Error]
 *
 * Tells the decoder that the stream has ended. With a framing of
 * %SRV_FRAMING_KIND_END that completes the one message.
 *
 * Fails with %SRV_ERROR_TRUNCATED in the middle of a message, and with the
 * error of an earlier failure.
 *
 * Threads: one at a time.
 *
 * Returns: %TRUE if the stream has ended between two messages, %FALSE with
 *   @error set otherwise
 */
gboolean
srv_frame_decoder_end (SrvFrameDecoder *self, GError **error)
{
  g_return_val_if_fail (SRV_IS_FRAME_DECODER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->failure != NULL)
    return fail (self, error);
  if (self->step == STEP_FRAME)
    begin_frame (self);
  if (self->framing->kind == SRV_FRAMING_KIND_END && !self->ended)
    end_frame (self);
  else if (self->started)
    {
      self->failure =
        g_error_new_literal (SRV_ERROR, SRV_ERROR_TRUNCATED,
                             "the stream ended in the middle of a message");
      return fail (self, error);
    }
  self->ended = TRUE;
  return TRUE;
}

/**
 * srv_frame_decoder_has_frame:
 * @self: a decoder
 *
 * Gets whether the last call has completed a message.
 *
 * Threads: one at a time.
 *
 * Returns: %TRUE if there is a message to be had
 */
gboolean
srv_frame_decoder_has_frame (SrvFrameDecoder *self)
{
  g_return_val_if_fail (SRV_IS_FRAME_DECODER (self), FALSE);
  return self->step == STEP_FRAME;
}

/**
 * srv_frame_decoder_get_frame:
 * @self: a decoder
 * @length: (out): set to the length in bytes; the NUL behind it, which is
 *   there for who wants a string, is not counted
 *
 * Gets the payload of the message that is complete, in place: it is valid
 * until the next call on @self.
 *
 * Threads: one at a time.
 *
 * Returns: (transfer none) (nullable) (array length=length): the payload, %NULL
 *   if no message is complete
 */
const guint8 *
srv_frame_decoder_get_frame (SrvFrameDecoder *self, gsize *length)
{
  g_return_val_if_fail (SRV_IS_FRAME_DECODER (self), NULL);
  g_return_val_if_fail (length != NULL, NULL);

  *length = 0;
  if (self->step != STEP_FRAME)
    return NULL;
  *length = self->payload->len;
  return self->payload->data;
}

/**
 * srv_frame_decoder_take_frame:
 * @self: a decoder
 *
 * Takes the payload of the message that is complete.
 *
 * Threads: one at a time.
 *
 * Returns: (transfer full) (nullable): the payload, %NULL if no message is
 *   complete
 */
GBytes *
srv_frame_decoder_take_frame (SrvFrameDecoder *self)
{
  GBytes *frame;

  g_return_val_if_fail (SRV_IS_FRAME_DECODER (self), NULL);

  if (self->step != STEP_FRAME)
    return NULL;
  if (self->payload->len <= KEPT_SIZE)
    frame = g_bytes_new (self->payload->data, self->payload->len);
  else
    {
      frame = g_byte_array_free_to_bytes (self->payload);
      self->payload = g_byte_array_new ();
    }
  begin_frame (self);
  return frame;
}

/**
 * srv_frame_decoder_is_between:
 * @self: a decoder
 *
 * Gets whether no byte of an unfinished message has come: a client that is
 * silent now is idle, not in the middle of something.
 *
 * Threads: one at a time.
 *
 * Returns: %TRUE between two messages
 */
gboolean
srv_frame_decoder_is_between (SrvFrameDecoder *self)
{
  g_return_val_if_fail (SRV_IS_FRAME_DECODER (self), FALSE);
  return self->step == STEP_FRAME || !self->started;
}

/**
 * srv_frame_decoder_dup_unfinished:
 * @self: a decoder
 *
 * Gets what has come of the payload of a message that is not complete: for who
 * wants the last line of a stream although it has no newline.
 *
 * Threads: one at a time.
 *
 * Returns: (transfer full): the bytes, none between two messages
 */
GBytes *
srv_frame_decoder_dup_unfinished (SrvFrameDecoder *self)
{
  g_return_val_if_fail (SRV_IS_FRAME_DECODER (self), NULL);

  if (self->step == STEP_FRAME)
    return g_bytes_new (NULL, 0);
  return g_bytes_new (self->payload->data, self->payload->len);
}
