/* srv-reader.c - rfile: buffered reading with bounded lines
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-reader.h"

#include "srv-connection-private.h"
#include "srv-connection-streams-private.h"
#include "srv-deadline-private.h"
#include "srv-reader-private.h"
#include "srv-writer.h"

#include <string.h>

/* Measured: 4 KiB messages are equally fast with 4 to 64 KiB. */
#define DEFAULT_BUFFER_SIZE (16 * 1024)

/**
 * SrvReader:
 *
 * The reading side of a stream handler, `rfile`: a buffered
 * [class@Gio.InputStream] whose lines are always bounded.
 *
 * ```c
 * const char *line;
 * gssize length;
 *
 * while ((length = srv_reader_read_line (rfile, &line, 1024, error)) > 0)
 *   if (!srv_writer_write (wfile, line, length, error))
 *     return FALSE;
 * return length == 0;
 * ```
 *
 * The buffer is allocated at the first read, and large reads go straight into
 * the caller's memory. A read that timed out can be repeated: nothing that was
 * received is lost. (In Python every read after the first time-out fails.)
 *
 * In Python: `StreamRequestHandler.rfile`, whose `readline()` has no limit
 * unless the caller remembers to give one.
 */
struct _SrvReader
{
  GFilterInputStream parent_instance;

  SrvWriter *writer; /* owned, nullable; flushed before a wait */
  guint8 *buffer;    /* owned; has room for size + 1 bytes */
  gsize size;
  gsize buffer_size; /* what size shall be at first; 0: unbuffered */
  gsize start;       /* what is there: from start to end */
  gsize end;
  gint64 deadline; /* of all reads */

  /* A line is handed out in place, ended by a NUL. What stood where the NUL is
   * now is kept here until the next call. */
  gsize held_at;
  guint8 held;
  gboolean holds;
};

G_DEFINE_FINAL_TYPE (SrvReader, srv_reader, G_TYPE_FILTER_INPUT_STREAM)

static void
put_back_held (SrvReader *self)
{
  if (self->holds)
    self->buffer[self->held_at] = self->held;
  self->holds = FALSE;
}

/* Only a connection keeps the deadline while it waits; on any other stream it is
 * looked at between two reads. The reader's own is looked at in any case, or who
 * has always sent something would never be late. */
static gssize
read_base (SrvReader *self,
           void *buffer,
           gsize count,
           gint64 deadline,
           GCancellable *cancellable,
           GError **error)
{
  GInputStream *base =
    g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (self));
  SrvConnection *connection;

  if (self->writer != NULL && !srv_writer_flush (self->writer, error))
    return -1;
  if (srv_deadline_has_passed (self->deadline))
    return srv_connection_fail_timed_out ("receive", error);
  deadline = srv_deadline_min (deadline, self->deadline);
  connection = srv_connection_input_stream_get_connection (base);
  if (connection != NULL)
    return srv_connection_receive_until (connection, buffer, count, deadline,
                                         cancellable, error);
  if (srv_deadline_has_passed (deadline))
    return srv_connection_fail_timed_out ("read", error);
  return g_input_stream_read (base, buffer, count, cancellable, error);
}

/* Moves what is there to the front and sees that @wanted bytes fit behind the
 * start; grows by doubling, so memory follows what really came. */
static void
make_room (SrvReader *self, gsize wanted)
{
  if (self->start > 0)
    {
      memmove (self->buffer, self->buffer + self->start,
               self->end - self->start);
      self->end -= self->start;
      self->start = 0;
    }
  if (self->end < self->size)
    return;
  self->size = MAX (self->size * 2, MAX (self->buffer_size, 64));
  self->size = MIN (self->size, MAX (wanted, self->buffer_size));
  self->buffer = g_realloc (self->buffer, self->size + 1);
}

/* Reads more behind what is there; unbuffered, a byte and no more, because a
 * handler may want the rest from the connection itself. */
static gssize
fill (SrvReader *self,
      gsize wanted,
      gint64 deadline,
      GCancellable *cancellable,
      GError **error)
{
  gsize room;
  gssize n;

  make_room (self, wanted);
  room = self->buffer_size == 0 ? 1 : self->size - self->end;
  n = read_base (self, self->buffer + self->end, room, deadline, cancellable,
                 error);
  if (n > 0)
    self->end += (gsize) n;
  return n;
}

static gssize
take (SrvReader *self, void *buffer, gsize count)
{
  gsize n = MIN (count, self->end - self->start);

  memcpy (buffer, self->buffer + self->start, n);
  self->start += n;
  if (self->start == self->end)
    self->start = self->end = 0;
  return (gssize) n;
}

static gssize
srv_reader_read_fn (GInputStream *stream,
                    void *buffer,
                    gsize count,
                    GCancellable *cancellable,
                    GError **error)
{
  SrvReader *self = SRV_READER (stream);
  gssize n;

  put_back_held (self);
  if (count == 0)
    return 0;
  if (self->start == self->end)
    {
      if (count >= self->buffer_size)
        return read_base (self, buffer, count, SRV_DEADLINE_NEVER, cancellable,
                          error);
      n =
        fill (self, self->buffer_size, SRV_DEADLINE_NEVER, cancellable, error);
      if (n <= 0)
        return n;
    }
  return take (self, buffer, count);
}

/* Without this, skipping would go past the buffer to the base stream. */
static gssize
srv_reader_skip (GInputStream *stream,
                 gsize count,
                 GCancellable *cancellable,
                 GError **error)
{
  SrvReader *self = SRV_READER (stream);
  gssize n;

  put_back_held (self);
  if (count == 0)
    return 0;
  if (self->start == self->end)
    {
      n =
        fill (self, self->buffer_size, SRV_DEADLINE_NEVER, cancellable, error);
      if (n <= 0)
        return n;
    }
  count = MIN (count, self->end - self->start);
  self->start += count;
  return (gssize) count;
}

static void
srv_reader_dispose (GObject *object)
{
  g_clear_object (&SRV_READER (object)->writer);
  G_OBJECT_CLASS (srv_reader_parent_class)->dispose (object);
}

static void
srv_reader_finalize (GObject *object)
{
  g_free (SRV_READER (object)->buffer);
  G_OBJECT_CLASS (srv_reader_parent_class)->finalize (object);
}

static void
srv_reader_class_init (SrvReaderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = srv_reader_dispose;
  object_class->finalize = srv_reader_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = srv_reader_read_fn;
  G_INPUT_STREAM_CLASS (klass)->skip = srv_reader_skip;
}

static void
srv_reader_init (SrvReader *self)
{
  self->deadline = SRV_DEADLINE_NEVER;
}

void
srv_reader_set_writer (SrvReader *self, SrvWriter *writer)
{
  g_set_object (&self->writer, writer);
}

gssize
srv_reader_peek (SrvReader *self,
                 const guint8 **data,
                 gint64 deadline,
                 GCancellable *cancellable,
                 GError **error)
{
  gssize n;

  put_back_held (self);
  if (self->start == self->end)
    {
      n = fill (self, MAX (self->buffer_size, 1), deadline, cancellable, error);
      if (n <= 0)
        return n;
    }
  *data = self->buffer + self->start;
  return (gssize) (self->end - self->start);
}

void
srv_reader_consume (SrvReader *self, gsize count)
{
  g_assert (count <= self->end - self->start);
  self->start += count;
  if (self->start == self->end)
    self->start = self->end = 0;
}

/**
 * srv_reader_new:
 * @base_stream: where the bytes come from
 * @buffer_size: bytes to read ahead; -1 for the default of 16 KiB, 0 for none
 *
 * Makes a reader over any stream. Handlers get theirs from
 * [method@SocketServer.StreamRequestHandler.get_rfile].
 *
 * Unbuffered, lines are read byte by byte, so that the rest of the stream can
 * be read from @base_stream.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new reader
 */
SrvReader *
srv_reader_new (GInputStream *base_stream, gssize buffer_size)
{
  SrvReader *self;

  g_return_val_if_fail (G_IS_INPUT_STREAM (base_stream), NULL);
  g_return_val_if_fail (buffer_size >= -1, NULL);

  self = g_object_new (SRV_TYPE_READER, "base-stream", base_stream, NULL);
  self->buffer_size = buffer_size < 0 ? DEFAULT_BUFFER_SIZE
                                      : (gsize) buffer_size;
  return self;
}

/* How long the line at the start is, as far as is known: with its newline, or
 * 0 when more is needed. @scanned bytes are known to hold none. */
static gsize
find_line (SrvReader *self, gsize scanned)
{
  gsize available = self->end - self->start;
  const guint8 *from;
  const guint8 *newline;

  /* Before the first read there is no buffer to add to. */
  if (available == scanned)
    return 0;
  from = self->buffer + self->start + scanned;
  newline = memchr (from, '\n', available - scanned);
  if (newline == NULL)
    return 0;
  return (gsize) (newline - (self->buffer + self->start)) + 1;
}

static gssize
hand_out (SrvReader *self, const char **line, gsize length)
{
  *line = (const char *) self->buffer + self->start;
  self->start += length;
  self->held_at = self->start;
  self->held = self->buffer[self->held_at];
  self->holds = TRUE;
  self->buffer[self->held_at] = '\0';
  return (gssize) length;
}

static gssize
fail_too_long (gsize max_length, GError **error)
{
  g_set_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
               "line is longer than %" G_GSIZE_FORMAT " bytes", max_length);
  return -1;
}

/**
 * srv_reader_read_line: (skip)
 * @self: a reader
 * @line: (out) (transfer none): set to the line, ended by a NUL; valid until
 *   the next call on @self
 * @max_length: longest line to accept, in bytes, its newline included; at
 *   least 1
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads a line in place, without copying it.
 *
 * The line keeps its newline. A last line without one is returned as it is, so
 * an unfinished line can be told from a finished one. A line may hold NULs;
 * the length tells.
 *
 * Fails with %SRV_ERROR_TOO_LONG, and nothing is consumed; otherwise as
 * [method@SocketServer.Connection.receive] does.
 *
 * Threads: the one that the request belongs to. In Python: `rfile.readline()`,
 * which has no limit of its own.
 *
 * Returns: the length of the line in bytes, 0 at the end of the stream, -1
 *   with @error set
 */
gssize
srv_reader_read_line (SrvReader *self,
                      const char **line,
                      gsize max_length,
                      GError **error)
{
  gsize scanned = 0;
  gsize length;
  gssize n;

  g_return_val_if_fail (SRV_IS_READER (self), -1);
  g_return_val_if_fail (line != NULL, -1);
  g_return_val_if_fail (max_length > 0 && max_length < G_MAXSSIZE, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  put_back_held (self);
  while ((length = find_line (self, scanned)) == 0)
    {
      scanned = self->end - self->start;
      if (scanned > max_length)
        return fail_too_long (max_length, error);
      /* One byte more than allowed tells a long line from the last one. */
      n = fill (self, max_length + 1, SRV_DEADLINE_NEVER, NULL, error);
      if (n < 0)
        return -1;
      if (n == 0 && scanned == 0)
        return 0;
      if (n == 0)
        return hand_out (self, line, scanned);
    }
  if (length > max_length)
    return fail_too_long (max_length, error);
  return hand_out (self, line, length);
}

/**
 * srv_reader_read_line_bytes: (rename-to srv_reader_read_line)
 * @self: a reader
 * @max_length: longest line to accept, in bytes, its newline included; at
 *   least 1
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads a line into memory of its own, for language bindings; otherwise like
 * [method@SocketServer.Reader.read_line].
 *
 * Returns: (transfer full) (nullable): the line with its newline, %NULL
 *   without @error at the end of the stream, or %NULL with @error set
 */
GBytes *
srv_reader_read_line_bytes (SrvReader *self, gsize max_length, GError **error)
{
  const char *line = NULL;
  gssize length = srv_reader_read_line (self, &line, max_length, error);

  return length > 0 ? g_bytes_new (line, (gsize) length) : NULL;
}

/**
 * srv_reader_read: (skip)
 * @self: a reader
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8):
 *   where to put the bytes
 * @count: room in @buffer, in bytes
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads what is there, waiting for the first byte. It is
 * [method@Gio.InputStream.read] without its bookkeeping.
 *
 * Fails as [method@SocketServer.Connection.receive] does.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: the number of bytes, 0 at the end of the stream, -1 with @error set
 */
gssize
srv_reader_read (SrvReader *self, void *buffer, gsize count, GError **error)
{
  g_return_val_if_fail (SRV_IS_READER (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);
  return srv_reader_read_fn (G_INPUT_STREAM (self), buffer, count, NULL, error);
}

/* What was read in vain goes back before the rest, which is empty: otherwise
 * nobody would have waited for more. */
static void
put_back (SrvReader *self, const void *data, gsize length)
{
  g_assert (self->start == self->end);
  if (self->size < length)
    {
      self->size = length;
      self->buffer = g_realloc (self->buffer, self->size + 1);
    }
  if (length > 0)
    memcpy (self->buffer, data, length);
  self->start = 0;
  self->end = length;
}

/**
 * srv_reader_read_exactly: (skip)
 * @self: a reader
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8):
 *   where to put the bytes
 * @count: how many to read
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads as many bytes as asked for, or none: after a failure, what had arrived
 * can be read again.
 *
 * Fails with %SRV_ERROR_TRUNCATED when the stream ends before, and as
 * [method@SocketServer.Connection.receive] does.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: %TRUE when @buffer is full, %FALSE with @error set otherwise
 */
gboolean
srv_reader_read_exactly (SrvReader *self,
                         void *buffer,
                         gsize count,
                         GError **error)
{
  gsize done = 0;
  gssize n = 0;

  g_return_val_if_fail (SRV_IS_READER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  while (done < count)
    {
      n = srv_reader_read (self, (char *) buffer + done, count - done, error);
      if (n <= 0)
        break;
      done += (gsize) n;
    }
  if (done == count)
    return TRUE;
  put_back (self, buffer, done);
  if (n == 0)
    g_set_error (error, SRV_ERROR, SRV_ERROR_TRUNCATED,
                 "the stream ended after %" G_GSIZE_FORMAT
                 " of %" G_GSIZE_FORMAT " bytes",
                 done, count);
  return FALSE;
}

/**
 * srv_reader_get_available:
 * @self: a reader
 *
 * Gets how much can be read without asking the client for more.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: the number of bytes in the buffer
 */
gsize
srv_reader_get_available (SrvReader *self)
{
  g_return_val_if_fail (SRV_IS_READER (self), 0);
  return self->end - self->start;
}

/**
 * srv_reader_set_deadline:
 * @self: a reader
 * @deadline: a time of `g_get_monotonic_time()`, in microseconds; -1 for none
 *
 * Bounds all that is read from now on together, beside the time limit that the
 * connection has for each receive: who sends a byte now and then gets no more
 * time than others. What is in the buffer can be read all the same; a wait for
 * more fails with %G_IO_ERROR_TIMED_OUT.
 *
 * Over a stream that is no connection it is looked at between two reads.
 *
 * Threads: the one that the request belongs to. In Python: there is no
 * counterpart; `settimeout()` is for each call.
 */
void
srv_reader_set_deadline (SrvReader *self, gint64 deadline)
{
  g_return_if_fail (SRV_IS_READER (self));
  g_return_if_fail (deadline >= -1);

  self->deadline = deadline;
}
