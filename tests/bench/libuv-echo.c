/* libuv-echo.c - libuv's streams
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tries to write at once, which libuv has a function for, and queues only what
 * was not taken.
 */

#include "peer.h"

#include <uv.h>

typedef struct
{
  uv_write_t request;
  char data[];
} Rest;

static int is_unix;

static void
on_close (uv_handle_t *handle)
{
  free (handle);
}

static void
on_alloc (uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
  static char chunk[PEER_CHUNK];

  (void) handle, (void) suggested;
  *buffer = uv_buf_init (chunk, sizeof chunk);
}

static void
on_written (uv_write_t *request, int status)
{
  (void) status;
  free (request);
}

static void
write_rest (uv_stream_t *stream, const char *data, size_t length)
{
  Rest *rest = malloc (sizeof *rest + length);
  uv_buf_t buffer = uv_buf_init (rest->data, (unsigned) length);

  memcpy (rest->data, data, length);
  uv_write (&rest->request, stream, &buffer, 1, on_written);
}

static void
on_read (uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
  uv_buf_t reply = uv_buf_init (buffer->base, (unsigned) n);
  int written;

  if (n == 0)
    return;
  if (n < 0)
    {
      uv_close ((uv_handle_t *) stream, on_close);
      return;
    }
  written = uv_try_write (stream, &reply, 1);
  if (written < 0)
    written = 0;
  if (written < n)
    write_rest (stream, buffer->base + written, (size_t) (n - written));
}

static void
on_connection (uv_stream_t *server, int status)
{
  union uv_any_handle *client = malloc (sizeof *client);

  if (status < 0)
    exit (1);
  if (is_unix)
    uv_pipe_init (server->loop, &client->pipe, 0);
  else
    uv_tcp_init (server->loop, &client->tcp);
  if (uv_accept (server, &client->stream) != 0)
    exit (1);
  if (!is_unix)
    uv_tcp_nodelay (&client->tcp, 1);
  uv_read_start (&client->stream, on_alloc, on_read);
}

int
main (int argc, char **argv)
{
  int fd = peer_listen (argc, argv, SOCK_STREAM);
  union uv_any_handle server;

  is_unix = argc > 1;
  if (is_unix)
    {
      uv_pipe_init (uv_default_loop (), &server.pipe, 0);
      uv_pipe_open (&server.pipe, fd);
    }
  else
    {
      uv_tcp_init (uv_default_loop (), &server.tcp);
      uv_tcp_open (&server.tcp, fd);
    }
  if (uv_listen (&server.stream, 4096, on_connection) != 0)
    return 1;
  return uv_run (uv_default_loop (), UV_RUN_DEFAULT);
}
