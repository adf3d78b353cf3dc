/* srv-frame-output-stream.c - messages written to any stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-frame-output-stream.h"

#include "srv-framing.h"

/* A buffer that was larger than this is not kept for the next message. */
#define KEPT_SIZE (64 * 1024)

/**
 * SrvFrameOutputStream:
 *
 * Writes messages to any [class@Gio.OutputStream], each in one piece with its
 * marks. Over a [class@SocketServer.Writer], such as a handler's `wfile`, they
 * are gathered as everything else is; over a stream of a
 * [class@SocketServer.Connection] each is sent at once.
 *
 * As a plain stream it writes bytes without marks.
 *
 * Like every filter stream it flushes and closes its base stream when it is
 * closed or goes, unless [property@Gio.FilterOutputStream:close-base-stream] is
 * %FALSE. To close the stream of a [class@SocketServer.Connection], or its
 * `wfile`, does not close the connection; so a message that ends with the
 * stream has come through only after
 * [method@SocketServer.Connection.shutdown_write], or when the handler has
 * returned.
 *
 * Threads: the one that the stream belongs to.
 */
struct _SrvFrameOutputStream
{
  GFilterOutputStream parent_instance;

  SrvFraming *framing; /* owned */
  GByteArray *buffer;  /* owned */
  gboolean wrote_last; /* only one message can end with the stream */
};

G_DEFINE_FINAL_TYPE (SrvFrameOutputStream,
                     srv_frame_output_stream,
                     G_TYPE_FILTER_OUTPUT_STREAM)

static void
srv_frame_output_stream_finalize (GObject *object)
{
  SrvFrameOutputStream *self = SRV_FRAME_OUTPUT_STREAM (object);

  g_clear_object (&self->framing);
  g_byte_array_unref (self->buffer);
  G_OBJECT_CLASS (srv_frame_output_stream_parent_class)->finalize (object);
}

static void
srv_frame_output_stream_class_init (SrvFrameOutputStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = srv_frame_output_stream_finalize;
}

static void
srv_frame_output_stream_init (SrvFrameOutputStream *self)
{
  self->buffer = g_byte_array_new ();
}

/**
 * srv_frame_output_stream_new:
 * @base_stream: where the bytes go
 * @framing: how the messages are marked
 *
 * Makes a stream of messages over a stream of bytes.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new stream
 */
SrvFrameOutputStream *
srv_frame_output_stream_new (GOutputStream *base_stream, SrvFraming *framing)
{
  SrvFrameOutputStream *self;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (base_stream), NULL);
  g_return_val_if_fail (SRV_IS_FRAMING (framing), NULL);

  self = g_object_new (SRV_TYPE_FRAME_OUTPUT_STREAM, "base-stream", base_stream,
                       NULL);
  self->framing = g_object_ref (framing);
  return self;
}

static gboolean
check_is_first (SrvFrameOutputStream *self, GError **error)
{
  if (!self->wrote_last)
    return TRUE;
  g_set_error_literal (error, SRV_ERROR, SRV_ERROR_BAD_FRAME,
                       "only one message can end with the stream");
  return FALSE;
}

static void
empty_buffer (SrvFrameOutputStream *self)
{
  if (self->buffer->len > KEPT_SIZE)
    {
      g_byte_array_unref (self->buffer);
      self->buffer = g_byte_array_new ();
    }
  g_byte_array_set_size (self->buffer, 0);
}

/**
 * srv_frame_output_stream_write_frame: (skip)
 * @self: a stream
 * @data: (array length=length) (element-type guint8): the payload
 * @length: how many bytes it has; 0 for an empty message
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Writes a message.
 *
 * Fails with %SRV_ERROR_TOO_LONG or %SRV_ERROR_BAD_FRAME when the framing
 * cannot carry the message, and nothing is written; with %G_IO_ERROR_CLOSED
 * when @self is closed; or as the base stream does, and nobody knows how much
 * was written.
 *
 * Threads: the one that the stream belongs to.
 *
 * Returns: %TRUE when everything is written, %FALSE with @error set otherwise
 */
gboolean
srv_frame_output_stream_write_frame (SrvFrameOutputStream *self,
                                     const void *data,
                                     gsize length,
                                     GCancellable *cancellable,
                                     GError **error)
{
  gboolean ok;

  g_return_val_if_fail (SRV_IS_FRAME_OUTPUT_STREAM (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_is_first (self, error) ||
      !srv_framing_encode (self->framing, data, length, self->buffer, error))
    return FALSE;
  ok = g_output_stream_write_all (G_OUTPUT_STREAM (self), self->buffer->data,
                                  self->buffer->len, NULL, cancellable, error);
  empty_buffer (self);
  self->wrote_last = ok && srv_framing_get_kind (self->framing) ==
                             SRV_FRAMING_KIND_END;
  return ok;
}

/**
 * srv_frame_output_stream_write_frame_bytes: (rename-to srv_frame_output_stream_write_frame)
 * @self: a stream
 * @bytes: the payload
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Writes a message, for language bindings; otherwise like
 * [method@SocketServer.FrameOutputStream.write_frame].
 *
 * Returns: %TRUE when everything is written, %FALSE with @error set otherwise
 */
gboolean
srv_frame_output_stream_write_frame_bytes (SrvFrameOutputStream *self,
                                           GBytes *bytes,
                                           GCancellable *cancellable,
                                           GError **error)
{
  gsize length;
  const void *data;

  g_return_val_if_fail (bytes != NULL, FALSE);

  data = g_bytes_get_data (bytes, &length);
  return srv_frame_output_stream_write_frame (self, data, length, cancellable,
                                              error);
}
