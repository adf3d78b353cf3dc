/* srv-connection-streams.c - the two halves of a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-connection-streams-private.h"

#include "srv-connection-private.h"

#include <glib-unix.h>
#include <poll.h>

struct _SrvConnectionInputStream
{
  GInputStream parent_instance;

  SrvConnection *connection; /* borrowed; NULL when it has gone */
};

struct _SrvConnectionOutputStream
{
  GOutputStream parent_instance;

  SrvConnection *connection; /* borrowed; NULL when it has gone */
};

static void input_pollable_init (GPollableInputStreamInterface *iface);
static void output_pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
  SrvConnectionInputStream,
  srv_connection_input_stream,
  G_TYPE_INPUT_STREAM,
  G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, input_pollable_init))

G_DEFINE_FINAL_TYPE_WITH_CODE (
  SrvConnectionOutputStream,
  srv_connection_output_stream,
  G_TYPE_OUTPUT_STREAM,
  G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM, output_pollable_init))

/* The descriptor of a connection that may be closed or gone. */
static int
fd_of (SrvConnection *connection)
{
  return connection != NULL ? srv_connection_get_fd (connection) : -1;
}

static gboolean
check_connection (SrvConnection *connection, GError **error)
{
  if (connection != NULL)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                       "the connection is gone");
  return FALSE;
}

/* A closed connection is "ready": the call that follows reports the error. */
static gboolean
is_ready (SrvConnection *connection, short events)
{
  struct pollfd pollfd = { fd_of (connection), events, 0 };

  return pollfd.fd < 0 || poll (&pollfd, 1, 0) > 0;
}

static GSource *
create_source (gpointer stream,
               SrvConnection *connection,
               GIOCondition condition,
               GCancellable *cancellable)
{
  int fd = fd_of (connection);
  g_autoptr (GSource) child = fd >= 0 ? g_unix_fd_source_new (fd, condition)
                                      : g_timeout_source_new (0);

  return g_pollable_source_new_full (stream, child, cancellable);
}

static gssize
srv_connection_input_stream_read (GInputStream *stream,
                                  void *buffer,
                                  gsize count,
                                  GCancellable *cancellable,
                                  GError **error)
{
  SrvConnectionInputStream *self = SRV_CONNECTION_INPUT_STREAM (stream);

  if (!check_connection (self->connection, error))
    return -1;
  return srv_connection_receive (self->connection, buffer, count, cancellable,
                                 error);
}

static gboolean
srv_connection_input_stream_is_readable (GPollableInputStream *stream)
{
  return is_ready (SRV_CONNECTION_INPUT_STREAM (stream)->connection, POLLIN);
}

static GSource *
srv_connection_input_stream_create_source (GPollableInputStream *stream,
                                           GCancellable *cancellable)
{
  SrvConnectionInputStream *self = SRV_CONNECTION_INPUT_STREAM (stream);

  return create_source (self, self->connection, G_IO_IN, cancellable);
}

static gssize
srv_connection_input_stream_read_nonblocking (GPollableInputStream *stream,
                                              void *buffer,
                                              gsize count,
                                              GError **error)
{
  SrvConnectionInputStream *self = SRV_CONNECTION_INPUT_STREAM (stream);

  if (!check_connection (self->connection, error))
    return -1;
  return srv_connection_receive_nonblocking (self->connection, buffer, count,
                                             error);
}

static void
input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = srv_connection_input_stream_is_readable;
  iface->create_source = srv_connection_input_stream_create_source;
  iface->read_nonblocking = srv_connection_input_stream_read_nonblocking;
}

/* One half cannot be closed alone; the connection closes the socket. */
static gboolean
srv_connection_input_stream_close (G_GNUC_UNUSED GInputStream *stream,
                                   G_GNUC_UNUSED GCancellable *cancellable,
                                   G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
srv_connection_input_stream_class_init (SrvConnectionInputStreamClass *klass)
{
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  stream_class->read_fn = srv_connection_input_stream_read;
  stream_class->close_fn = srv_connection_input_stream_close;
}

static void
srv_connection_input_stream_init (G_GNUC_UNUSED SrvConnectionInputStream *self)
{
}

GInputStream *
srv_connection_input_stream_new (SrvConnection *connection)
{
  SrvConnectionInputStream *self =
    g_object_new (SRV_TYPE_CONNECTION_INPUT_STREAM, NULL);

  self->connection = connection;
  return G_INPUT_STREAM (self);
}

void
srv_connection_input_stream_forget (GInputStream *stream)
{
  SRV_CONNECTION_INPUT_STREAM (stream)->connection = NULL;
}

/* The connection behind a stream of any class, NULL if it is not ours. */
SrvConnection *
srv_connection_input_stream_get_connection (GInputStream *stream)
{
  if (!SRV_IS_CONNECTION_INPUT_STREAM (stream))
    return NULL;
  return SRV_CONNECTION_INPUT_STREAM (stream)->connection;
}

static gssize
srv_connection_output_stream_write (GOutputStream *stream,
                                    const void *buffer,
                                    gsize count,
                                    GCancellable *cancellable,
                                    GError **error)
{
  SrvConnectionOutputStream *self = SRV_CONNECTION_OUTPUT_STREAM (stream);

  if (!check_connection (self->connection, error) ||
      !srv_connection_send_all (self->connection, buffer, count, cancellable,
                                error))
    return -1;
  return (gssize) count;
}

static gboolean
srv_connection_output_stream_is_writable (GPollableOutputStream *stream)
{
  return is_ready (SRV_CONNECTION_OUTPUT_STREAM (stream)->connection, POLLOUT);
}

static GSource *
srv_connection_output_stream_create_source (GPollableOutputStream *stream,
                                            GCancellable *cancellable)
{
  SrvConnectionOutputStream *self = SRV_CONNECTION_OUTPUT_STREAM (stream);

  return create_source (self, self->connection, G_IO_OUT, cancellable);
}

static gssize
srv_connection_output_stream_write_nonblocking (GPollableOutputStream *stream,
                                                const void *buffer,
                                                gsize count,
                                                GError **error)
{
  SrvConnectionOutputStream *self = SRV_CONNECTION_OUTPUT_STREAM (stream);

  if (!check_connection (self->connection, error))
    return -1;
  return srv_connection_send_nonblocking (self->connection, buffer, count,
                                          error);
}

static void
output_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = srv_connection_output_stream_is_writable;
  iface->create_source = srv_connection_output_stream_create_source;
  iface->write_nonblocking = srv_connection_output_stream_write_nonblocking;
}

static gboolean
srv_connection_output_stream_close (G_GNUC_UNUSED GOutputStream *stream,
                                    G_GNUC_UNUSED GCancellable *cancellable,
                                    G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

static void
srv_connection_output_stream_class_init (SrvConnectionOutputStreamClass *klass)
{
  GOutputStreamClass *stream_class = G_OUTPUT_STREAM_CLASS (klass);

  stream_class->write_fn = srv_connection_output_stream_write;
  stream_class->close_fn = srv_connection_output_stream_close;
}

static void
srv_connection_output_stream_init (
  G_GNUC_UNUSED SrvConnectionOutputStream *self)
{
}

GOutputStream *
srv_connection_output_stream_new (SrvConnection *connection)
{
  SrvConnectionOutputStream *self =
    g_object_new (SRV_TYPE_CONNECTION_OUTPUT_STREAM, NULL);

  self->connection = connection;
  return G_OUTPUT_STREAM (self);
}

void
srv_connection_output_stream_forget (GOutputStream *stream)
{
  SRV_CONNECTION_OUTPUT_STREAM (stream)->connection = NULL;
}

SrvConnection *
srv_connection_output_stream_get_connection (GOutputStream *stream)
{
  if (!SRV_IS_CONNECTION_OUTPUT_STREAM (stream))
    return NULL;
  return SRV_CONNECTION_OUTPUT_STREAM (stream)->connection;
}
