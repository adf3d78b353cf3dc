/* multiplex-server.c - echo, with a bounded queue for each client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: the select() server of the tutorials in two ways: as a handler in
 *        blocking style, of which each client has one reading and one writing
 *        fiber; and with --context as a mix-in that multiplexes by hand, in a
 *        server that is attached to a GMainContext.
 * Run:   multiplex-server --listen tcp:127.0.0.1:10000
 *        multiplex-server --listen tcp:127.0.0.1:10000 --context
 *        then, elsewhere: echo-client tcp:127.0.0.1:10000
 * See:   every client gets back what it sends, at its own pace. One that does
 *        not read is not read from any more once its queue is full, and the
 *        others do not notice.
 *
 * In Python: docs/multiplexed-echo.md has the whole server beside this one.
 */

#include "multiplex-mix-in.h"
#include "sample-server.h"

#define CHUNK_SIZE      4096
#define MAX_QUEUE       1024
#define CHECK_IDLE_MS   1000
#define DEFAULT_TIMEOUT 600

/* Options. */
static int queue_chunks = 16;
static int timeout_s = DEFAULT_TIMEOUT;
static gboolean in_context = FALSE;

typedef struct
{
  SrvStreamRequestHandler parent_instance;

  SrvQueue *queue; /* of GBytes: received and not sent */
  GError *error;   /* of the writer; NULL if it had none */
} Handler;
typedef SrvStreamRequestHandlerClass HandlerClass;

GType handler_get_type (void);

G_DEFINE_TYPE (Handler, handler, SRV_TYPE_STREAM_REQUEST_HANDLER)

static SrvConnection *
connection_of (Handler *self)
{
  return srv_stream_request_handler_get_connection (
    (SrvStreamRequestHandler *) self);
}

/* Until the queue is closed and empty. A client that takes no more is none. */
static void
write_from_queue (gpointer data)
{
  Handler *self = data;
  GBytes *chunk;
  gboolean ok = TRUE;

  while (ok && (chunk = srv_queue_pop (self->queue, -1, NULL)) != NULL)
    {
      ok = srv_connection_send_all (connection_of (self),
                                    g_bytes_get_data (chunk, NULL),
                                    g_bytes_get_size (chunk), NULL,
                                    &self->error);
      g_bytes_unref (chunk);
    }
  if (ok)
    return;
  srv_queue_close (self->queue);
  srv_request_cut (SRV_REQUEST (connection_of (self)));
}

/* A full queue holds the reader up, and so, in the end, the client. */
static gboolean
read_into_queue (Handler *self, GError **error)
{
  char buffer[CHUNK_SIZE];
  gssize n;

  while ((n = srv_connection_receive (connection_of (self), buffer,
                                      sizeof buffer, NULL, error)) > 0)
    {
      GBytes *chunk = g_bytes_new (buffer, (gsize) n);

      if (!srv_queue_push (self->queue, chunk, -1, NULL))
        {
          g_bytes_unref (chunk);
          return TRUE; /* The writer knows why. */
        }
    }
  return n == 0;
}

static gboolean
handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  Handler *self = (Handler *) handler;
  gboolean ok;

  if (!srv_spawn (write_from_queue, self, NULL, error))
    return FALSE;
  ok = read_into_queue (self, error);
  srv_queue_close (self->queue);
  srv_spawn_join ();
  if (!ok || self->error == NULL)
    return ok;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

static void
handler_finalize (GObject *object)
{
  Handler *self = (Handler *) object;

  srv_queue_unref (self->queue);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (handler_parent_class)->finalize (object);
}

static void
handler_class_init (HandlerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = handler_finalize;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = handler_handle;
}

static void
handler_init (Handler *self)
{
  SrvStreamRequestHandler *handler = (SrvStreamRequestHandler *) self;

  self->queue =
    srv_queue_new ((guint) queue_chunks, (GDestroyNotify) g_bytes_unref);
  srv_stream_request_handler_set_timeout (handler,
                                          timeout_s > 0 ? timeout_s * 1000 : 0);
  srv_stream_request_handler_set_end_on_drain (handler, TRUE);
}

/* All clients are on one thread, which must not wait for one of them. */
static void
prepare_context (SrvBaseServer *server, G_GNUC_UNUSED gpointer data)
{
  srv_stream_server_set_linger_timeout (SRV_STREAM_SERVER (server), 0);
  srv_base_server_set_poll_interval (server, CHECK_IDLE_MS);
}

static SrvMixIn *
make_multiplexer (void)
{
  return multiplex_mix_in_new ((gsize) queue_chunks * CHUNK_SIZE,
                               timeout_s > 0 ? timeout_s * 1000 : -1);
}

static gboolean
check_options (void)
{
  if (queue_chunks >= 1 && queue_chunks <= MAX_QUEUE && timeout_s >= 0 &&
      timeout_s <= G_MAXINT / 1000)
    return TRUE;
  g_printerr ("%s: --queue is from 1 to %d, --timeout from 0 to %d\n",
              g_get_prgname (), MAX_QUEUE, G_MAXINT / 1000);
  return FALSE;
}

int
main (int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "queue", 0, 0, G_OPTION_ARG_INT, &queue_chunks,
      "Chunks of 4096 bytes that may wait for a client (default: 16)", "N" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &timeout_s,
      "Cut off who does nothing for so long; 0 for never (default: 600)",
      "SECONDS" },
    { "context", 0, 0, G_OPTION_ARG_NONE, &in_context,
      "Serve all clients from one GMainContext, whatever --mix-in says", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (SampleServer) sample = sample_server_new (
    "Sends back what comes, through a bounded queue for each client.", entries);
  int exit_status;

  sample_server_set_default_mix_in (sample, srv_fiber_mix_in_new);
  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  if (!check_options ())
    return 64;
  if (in_context)
    {
      sample_server_set_default_mix_in (sample, make_multiplexer);
      sample_server_set_prepare (sample, prepare_context, NULL);
      sample_server_set_attached (sample);
    }
  return sample_server_run (sample, handler_get_type (), G_TYPE_INVALID);
}
