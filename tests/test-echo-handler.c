/* test-echo-handler.c - how much the echo handler takes at once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <socketserver-handlers.h>

#define N_BYTES (40 * 1024)

/* Notes how long its chunks are. */

#define TEST_TYPE_CHUNK_HANDLER (test_chunk_handler_get_type ())
G_DECLARE_FINAL_TYPE (TestChunkHandler,
                      test_chunk_handler,
                      TEST,
                      CHUNK_HANDLER,
                      SrvEchoHandler)

struct _TestChunkHandler
{
  SrvEchoHandler parent_instance;
};

G_DEFINE_FINAL_TYPE (TestChunkHandler,
                     test_chunk_handler,
                     SRV_TYPE_ECHO_HANDLER)

/* Of the only connection; looked at when it has ended. */
static gsize n_bytes;
static gsize first_length;
static gsize greatest_length;

static void
note_chunk (G_GNUC_UNUSED SrvEchoHandler *self,
            G_GNUC_UNUSED guint8 *chunk,
            gsize length)
{
  if (n_bytes == 0)
    first_length = length;
  greatest_length = MAX (greatest_length, length);
  n_bytes += length;
}

static void
test_chunk_handler_class_init (TestChunkHandlerClass *klass)
{
  SRV_ECHO_HANDLER_CLASS (klass)->transform = note_chunk;
}

static void
test_chunk_handler_init (G_GNUC_UNUSED TestChunkHandler *self)
{
}

static SrvBaseRequestHandler *
make_handler (G_GNUC_UNUSED SrvBaseServer *server,
              G_GNUC_UNUSED SrvRequest *request,
              gpointer user_data)
{
  const guint chunk_size = GPOINTER_TO_UINT (user_data);

  if (chunk_size == 0)
    return g_object_new (TEST_TYPE_CHUNK_HANDLER, NULL);
  return g_object_new (TEST_TYPE_CHUNK_HANDLER, "chunk-size", chunk_size, NULL);
}

/* The property (0: the default), the first chunk, the bounds of the greatest. */
static const struct
{
  guint chunk_size;
  gsize first;
  gsize least;
  gsize most;
} sizes[] = {
  { 0, 256, 1025, 16 * 1024 }, { 1, 1, 1, 1 },
  { 16, 16, 16, 16 },          { 255, 255, 255, 255 },
  { 256, 256, 256, 256 },      { 257, 256, 257, 257 },
  { 5000, 256, 4097, 5000 },   { 16 * 1024 * 1024, 256, 1025, N_BYTES },
};

/* All that is sent is there before the server looks. */
START_TEST (chunks_grow)
{
  const SrvTestMixIn mix_in = _i % 2 == 0 ? SRV_TEST_THREADING
                                          : SRV_TEST_FIBERS;
  g_autoptr (SrvMixIn) object = srv_test_mix_in_new (mix_in);
  g_autofree char *sent = g_malloc (N_BYTES);
  g_autofree char *back = NULL;
  SrvBaseServer *server = srv_test_make (SRV_TYPE_TCP_SERVER, "tcp:127.0.0.1:0",
                                         "mix-in", object, NULL);
  SrvTestRun *run;
  gsize length;
  int fd;

  srv_base_server_set_handler_factory (server, make_handler,
                                       GUINT_TO_POINTER (
                                         sizes[_i / 2].chunk_size),
                                       NULL);
  for (guint i = 0; i < N_BYTES; i++)
    sent[i] = (char) (i * 31 + i / 251);
  fd = srv_test_connect (server);
  srv_test_send (fd, sent, N_BYTES);
  shutdown (fd, SHUT_WR);
  run = srv_test_run (server);
  back = srv_test_read_all (fd, &length);
  srv_test_close (fd);
  srv_test_finish (run);

  ck_assert_uint_eq (length, N_BYTES);
  ck_assert_mem_eq (back, sent, N_BYTES);
  ck_assert_uint_eq (n_bytes, N_BYTES);
  ck_assert_uint_eq (first_length, sizes[_i / 2].first);
  ck_assert_uint_ge (greatest_length, sizes[_i / 2].least);
  ck_assert_uint_le (greatest_length, sizes[_i / 2].most);
}
END_TEST

int
main (void)
{
  const SrvTestEntry entries[] = {
    { "chunks", chunks_grow, 2 * G_N_ELEMENTS (sizes) },
  };

  return srv_test_run_entries ("echo-handler", entries, G_N_ELEMENTS (entries));
}
