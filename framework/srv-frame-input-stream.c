/* srv-frame-input-stream.c - messages read from any stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-frame-input-stream.h"

#include "srv-deadline-private.h"
#include "srv-frame-decoder.h"
#include "srv-framing.h"
#include "srv-reader-private.h"

/**
 * SrvFrameInputStream:
 *
 * Reads messages from any [class@Gio.InputStream].
 *
 * ```c
 * g_autoptr (SrvFrameInputStream) input =
 *   srv_frame_input_stream_new (G_INPUT_STREAM (rfile), framing);
 * const guint8 *message;
 * gsize length;
 *
 * while (srv_frame_input_stream_read_frame (input, &message, &length, NULL,
 *                                           error))
 *   {
 *     if (message == NULL)
 *       return TRUE;
 *     handle_message (message, length);
 *   }
 * return FALSE;
 * ```
 *
 * Over a [class@SocketServer.Reader], such as a handler's `rfile`, nothing is
 * read ahead but into the buffer of that reader: after a message, whoever reads
 * from the reader gets the byte behind it. Over any other stream this object
 * reads ahead itself, and what follows a message is to be read from here; as a
 * plain stream it gives the bytes behind the last message.
 *
 * Like every filter stream it closes its base stream when it is closed or goes,
 * unless [property@Gio.FilterInputStream:close-base-stream] is %FALSE. To close
 * the stream of a [class@SocketServer.Connection], or its `rfile`, does not
 * close the connection.
 *
 * Threads: the one that the stream belongs to.
 */
struct _SrvFrameInputStream
{
  GFilterInputStream parent_instance;

  SrvReader *reader;        /* owned; the base stream, or around it */
  SrvFrameDecoder *decoder; /* owned */
  gboolean at_end;
  gint64 deadline;
};

G_DEFINE_FINAL_TYPE (SrvFrameInputStream,
                     srv_frame_input_stream,
                     G_TYPE_FILTER_INPUT_STREAM)

static gssize
srv_frame_input_stream_read (GInputStream *stream,
                             void *buffer,
                             gsize count,
                             GCancellable *cancellable,
                             GError **error)
{
  return g_input_stream_read (G_INPUT_STREAM (
                                SRV_FRAME_INPUT_STREAM (stream)->reader),
                              buffer, count, cancellable, error);
}

static gssize
srv_frame_input_stream_skip (GInputStream *stream,
                             gsize count,
                             GCancellable *cancellable,
                             GError **error)
{
  return g_input_stream_skip (G_INPUT_STREAM (
                                SRV_FRAME_INPUT_STREAM (stream)->reader),
                              count, cancellable, error);
}

static void
srv_frame_input_stream_dispose (GObject *object)
{
  SrvFrameInputStream *self = SRV_FRAME_INPUT_STREAM (object);

  G_OBJECT_CLASS (srv_frame_input_stream_parent_class)->dispose (object);
  g_clear_object (&self->reader);
  g_clear_object (&self->decoder);
}

static void
srv_frame_input_stream_class_init (SrvFrameInputStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = srv_frame_input_stream_dispose;
  G_INPUT_STREAM_CLASS (klass)->read_fn = srv_frame_input_stream_read;
  G_INPUT_STREAM_CLASS (klass)->skip = srv_frame_input_stream_skip;
}

static void
srv_frame_input_stream_init (SrvFrameInputStream *self)
{
  self->deadline = SRV_DEADLINE_NEVER;
}

/**
 * srv_frame_input_stream_new:
 * @base_stream: where the bytes come from
 * @framing: how the messages are marked
 *
 * Makes a stream of messages over a stream of bytes.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new stream
 */
SrvFrameInputStream *
srv_frame_input_stream_new (GInputStream *base_stream, SrvFraming *framing)
{
  SrvFrameInputStream *self;

  g_return_val_if_fail (G_IS_INPUT_STREAM (base_stream), NULL);
  g_return_val_if_fail (SRV_IS_FRAMING (framing), NULL);

  self = g_object_new (SRV_TYPE_FRAME_INPUT_STREAM, "base-stream", base_stream,
                       NULL);
  self->decoder = srv_frame_decoder_new (framing);
  if (SRV_IS_READER (base_stream))
    self->reader = SRV_READER (g_object_ref (base_stream));
  else
    {
      self->reader = srv_reader_new (base_stream, -1);
      g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (
                                                     self->reader),
                                                   FALSE);
    }
  return self;
}

/* Reads once, and gives the decoder what has come. */
static gboolean
decode_some (SrvFrameInputStream *self,
             GCancellable *cancellable,
             GError **error)
{
  const guint8 *data;
  gssize n =
    srv_reader_peek (self->reader, &data, self->deadline, cancellable, error);

  if (n < 0)
    return FALSE;
  if (n == 0)
    {
      self->at_end = TRUE;
      return srv_frame_decoder_end (self->decoder, error);
    }
  n = srv_frame_decoder_feed (self->decoder, data, (gsize) n, error);
  srv_reader_consume (self->reader, (gsize) MAX (n, 0));
  return n >= 0;
}

static gboolean
read_until_frame (SrvFrameInputStream *self,
                  GCancellable *cancellable,
                  GError **error)
{
  if (self->at_end)
    return srv_frame_decoder_end (self->decoder, error);
  do
    {
      if (!decode_some (self, cancellable, error))
        return FALSE;
    }
  while (!self->at_end && !srv_frame_decoder_has_frame (self->decoder));
  return TRUE;
}

/**
 * srv_frame_input_stream_read_frame: (skip)
 * @self: a stream
 * @frame: (out) (transfer none) (nullable) (array length=length)
 *   (element-type guint8): set to the payload, ended by a NUL that is not
 *   counted, and valid until the next call on @self; or to %NULL at the end of
 *   the stream
 * @length: (out): set to the length of the payload in bytes
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads a message.
 *
 * Fails with %SRV_ERROR_TRUNCATED when the stream ends in the middle of a
 * message, %SRV_ERROR_TOO_LONG when a message is longer than the framing's
 * maximum, %SRV_ERROR_BAD_FRAME when its marks are malformed,
 * %G_IO_ERROR_TIMED_OUT when the deadline or a time limit of the stream passed,
 * %G_IO_ERROR_CLOSED when @self is closed, or as the base stream does. After a
 * time-out or a cancelled wait one can go on reading; after the first three
 * every later call fails with the same error.
 *
 * Threads: the one that the stream belongs to.
 *
 * Returns: %TRUE with the next message or at the end of the stream, %FALSE
 *   with @error set otherwise
 */
gboolean
srv_frame_input_stream_read_frame (SrvFrameInputStream *self,
                                   const guint8 **frame,
                                   gsize *length,
                                   GCancellable *cancellable,
                                   GError **error)
{
  gboolean ok;

  g_return_val_if_fail (SRV_IS_FRAME_INPUT_STREAM (self), FALSE);
  g_return_val_if_fail (frame != NULL && length != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!g_input_stream_set_pending (G_INPUT_STREAM (self), error))
    return FALSE;
  ok = read_until_frame (self, cancellable, error);
  g_input_stream_clear_pending (G_INPUT_STREAM (self));
  if (ok)
    *frame = srv_frame_decoder_get_frame (self->decoder, length);
  return ok;
}

/**
 * srv_frame_input_stream_read_frame_bytes: (rename-to srv_frame_input_stream_read_frame)
 * @self: a stream
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads a message into memory of its own; otherwise like
 * [method@SocketServer.FrameInputStream.read_frame].
 *
 * Returns: (transfer full) (nullable): the payload, %NULL without @error at the
 *   end of the stream, or %NULL with @error set
 */
GBytes *
srv_frame_input_stream_read_frame_bytes (SrvFrameInputStream *self,
                                         GCancellable *cancellable,
                                         GError **error)
{
  const guint8 *frame;
  gsize length;

  if (!srv_frame_input_stream_read_frame (self, &frame, &length, cancellable,
                                          error))
    return NULL;
  return srv_frame_decoder_take_frame (self->decoder);
}

/**
 * srv_frame_input_stream_dup_unfinished:
 * @self: a stream
 *
 * Gets what has come of the payload of a message that is not complete: after
 * %SRV_ERROR_TRUNCATED, for who wants the last line of a stream although it has
 * no newline.
 *
 * Threads: the one that the stream belongs to.
 *
 * Returns: (transfer full): the bytes, none between two messages
 */
GBytes *
srv_frame_input_stream_dup_unfinished (SrvFrameInputStream *self)
{
  g_return_val_if_fail (SRV_IS_FRAME_INPUT_STREAM (self), NULL);
  return srv_frame_decoder_dup_unfinished (self->decoder);
}

/**
 * srv_frame_input_stream_set_deadline:
 * @self: a stream
 * @deadline: when reads of messages give up, on the clock of
 *   [func@GLib.get_monotonic_time]; -1 for never
 *
 * Sets when a message must be there, however slowly its bytes come. It holds
 * for every read of a message from now on, until it is set anew.
 *
 * A wait for a [class@SocketServer.Connection] ends at the deadline, and
 * whenever a read of it would end: at its own time limit, or with a server that
 * closes, if the handler wants that. Of any
 * other stream a read that has begun is not interrupted; the deadline is looked
 * at between two reads.
 *
 * Threads: the one that the stream belongs to.
 */
void
srv_frame_input_stream_set_deadline (SrvFrameInputStream *self, gint64 deadline)
{
  g_return_if_fail (SRV_IS_FRAME_INPUT_STREAM (self));
  g_return_if_fail (deadline >= -1);
  self->deadline = deadline;
}
