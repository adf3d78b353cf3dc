/* srv-writer.c - wfile: writes everything, gathers replies
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-writer.h"

#include "srv-connection-streams-private.h"
#include "srv-connection.h"

#include <string.h>

#define DEFAULT_BUFFER_SIZE (16 * 1024)

/**
 * SrvWriter:
 *
 * The writing side of a stream handler, `wfile`: a
 * [class@Gio.OutputStream] that writes everything or fails.
 *
 * Small writes are gathered. They leave when the buffer is full, when
 * [class@SocketServer.Reader] would have to wait for the client, when somebody
 * flushes, and when the handler finishes. A client that sends many requests at
 * once gets their replies in one piece, which is ten times as fast; a client
 * that waits for each reply sees no difference. A handler that writes and then
 * waits for something else than its client flushes first, or sets `wbufsize`
 * to 0.
 *
 * A time limit bounds a whole write.
 *
 * In Python: `StreamRequestHandler.wfile`, which sends each write at once
 * unless `wbufsize` is set.
 */
struct _SrvWriter
{
  GFilterOutputStream parent_instance;

  guint8 *buffer; /* owned; allocated at the first write */
  gsize size;     /* 0: unbuffered */
  gsize pending;
};

G_DEFINE_FINAL_TYPE (SrvWriter, srv_writer, G_TYPE_FILTER_OUTPUT_STREAM)

static gboolean
write_base (SrvWriter *self,
            const void *data,
            gsize length,
            GCancellable *cancellable,
            GError **error)
{
  GOutputStream *base =
    g_filter_output_stream_get_base_stream (G_FILTER_OUTPUT_STREAM (self));
  SrvConnection *connection =
    srv_connection_output_stream_get_connection (base);

  if (connection != NULL)
    return srv_connection_send_all (connection, data, length, cancellable,
                                    error);
  return g_output_stream_write_all (base, data, length, NULL, cancellable,
                                    error);
}

/* What could not be sent is dropped: part of it may have left, so sending it
 * again would garble the stream, and closing must not fail a second time. */
static gboolean
flush_buffer (SrvWriter *self, GCancellable *cancellable, GError **error)
{
  gsize length = self->pending;

  self->pending = 0;
  return length == 0 ||
         write_base (self, self->buffer, length, cancellable, error);
}

static gboolean
write_all (SrvWriter *self,
           const void *data,
           gsize length,
           GCancellable *cancellable,
           GError **error)
{
  if (length == 0)
    return TRUE;
  if (length > self->size - self->pending &&
      !flush_buffer (self, cancellable, error))
    return FALSE;
  if (length >= self->size)
    return write_base (self, data, length, cancellable, error);
  if (self->buffer == NULL)
    self->buffer = g_malloc (self->size);
  memcpy (self->buffer + self->pending, data, length);
  self->pending += length;
  return TRUE;
}

static gssize
srv_writer_write_fn (GOutputStream *stream,
                     const void *buffer,
                     gsize count,
                     GCancellable *cancellable,
                     GError **error)
{
  if (!write_all (SRV_WRITER (stream), buffer, count, cancellable, error))
    return -1;
  return (gssize) count;
}

static gboolean
srv_writer_flush_fn (GOutputStream *stream,
                     GCancellable *cancellable,
                     GError **error)
{
  SrvWriter *self = SRV_WRITER (stream);

  return flush_buffer (self, cancellable, error) &&
         g_output_stream_flush (g_filter_output_stream_get_base_stream (
                                  G_FILTER_OUTPUT_STREAM (self)),
                                cancellable, error);
}

static void
srv_writer_finalize (GObject *object)
{
  g_free (SRV_WRITER (object)->buffer);
  G_OBJECT_CLASS (srv_writer_parent_class)->finalize (object);
}

static void
srv_writer_class_init (SrvWriterClass *klass)
{
  GOutputStreamClass *stream_class = G_OUTPUT_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = srv_writer_finalize;
  stream_class->write_fn = srv_writer_write_fn;
  stream_class->flush = srv_writer_flush_fn;
}

static void
srv_writer_init (G_GNUC_UNUSED SrvWriter *self)
{
}

/**
 * srv_writer_new:
 * @base_stream: where the bytes go
 * @buffer_size: bytes to gather; -1 for the default of 16 KiB, 0 for none
 *
 * Makes a writer over any stream. Handlers get theirs from
 * [method@SocketServer.StreamRequestHandler.get_wfile].
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new writer
 */
SrvWriter *
srv_writer_new (GOutputStream *base_stream, gssize buffer_size)
{
  SrvWriter *self;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (base_stream), NULL);
  g_return_val_if_fail (buffer_size >= -1, NULL);

  self = g_object_new (SRV_TYPE_WRITER, "base-stream", base_stream, NULL);
  self->size = buffer_size < 0 ? DEFAULT_BUFFER_SIZE : (gsize) buffer_size;
  return self;
}

/**
 * srv_writer_write: (skip)
 * @self: a writer
 * @data: (array length=length) (element-type guint8): the bytes
 * @length: how many
 * @error: return location for a [struct@GLib.Error]
 *
 * Writes all of the bytes. It is [method@Gio.OutputStream.write_all] without
 * its bookkeeping.
 *
 * Fails as [method@SocketServer.Connection.send_all] does; the failure may
 * concern bytes that were written before and gathered.
 *
 * Threads: the one that the request belongs to. In Python: `wfile.write()`.
 *
 * Returns: %TRUE when everything is written or gathered, %FALSE with @error
 *   set otherwise
 */
gboolean
srv_writer_write (SrvWriter *self,
                  const void *data,
                  gsize length,
                  GError **error)
{
  g_return_val_if_fail (SRV_IS_WRITER (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  return write_all (self, data, length, NULL, error);
}

/**
 * srv_writer_write_bytes:
 * @self: a writer
 * @bytes: what to write
 * @error: return location for a [struct@GLib.Error]
 *
 * Writes all of the bytes, for language bindings; otherwise like
 * [method@SocketServer.Writer.write].
 *
 * Returns: %TRUE when everything is written or gathered, %FALSE with @error
 *   set otherwise
 */
gboolean
srv_writer_write_bytes (SrvWriter *self, GBytes *bytes, GError **error)
{
  gsize length;
  const void *data;

  g_return_val_if_fail (bytes != NULL, FALSE);

  data = g_bytes_get_data (bytes, &length);
  return srv_writer_write (self, data, length, error);
}

/**
 * srv_writer_write_string:
 * @self: a writer
 * @string: a NUL-terminated string
 * @error: return location for a [struct@GLib.Error]
 *
 * Writes a string, without its NUL; otherwise like
 * [method@SocketServer.Writer.write].
 *
 * Returns: %TRUE when everything is written or gathered, %FALSE with @error
 *   set otherwise
 */
gboolean
srv_writer_write_string (SrvWriter *self, const char *string, GError **error)
{
  g_return_val_if_fail (string != NULL, FALSE);
  return srv_writer_write (self, string, strlen (string), error);
}

/**
 * srv_writer_printf: (skip)
 * @self: a writer
 * @error: return location for a [struct@GLib.Error]
 * @format: a format as for `printf()`
 * @...: what the format asks for
 *
 * Writes formatted text; otherwise like [method@SocketServer.Writer.write].
 *
 * Returns: %TRUE when everything is written or gathered, %FALSE with @error
 *   set otherwise
 */
gboolean
srv_writer_printf (SrvWriter *self, GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  g_return_val_if_fail (format != NULL, FALSE);

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  return srv_writer_write_string (self, text, error);
}

/**
 * srv_writer_flush: (skip)
 * @self: a writer
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends what has been gathered. It is [method@Gio.OutputStream.flush] without
 * its bookkeeping.
 *
 * Fails as [method@SocketServer.Connection.send_all] does. What could not be
 * sent is dropped.
 *
 * Threads: the one that the request belongs to. In Python: `wfile.flush()`.
 *
 * Returns: %TRUE when everything has been sent, %FALSE with @error set
 *   otherwise
 */
gboolean
srv_writer_flush (SrvWriter *self, GError **error)
{
  g_return_val_if_fail (SRV_IS_WRITER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->pending == 0)
    return TRUE;
  return srv_writer_flush_fn (G_OUTPUT_STREAM (self), NULL, error);
}

/**
 * srv_writer_get_pending:
 * @self: a writer
 *
 * Gets how much has been gathered and not been sent.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: the number of bytes
 */
gsize
srv_writer_get_pending (SrvWriter *self)
{
  g_return_val_if_fail (SRV_IS_WRITER (self), 0);
  return self->pending;
}
