/* upper-server.c - upper case, 16 bytes at a time, and says what it does
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a handler that adds to a ready one: every step of the tutorial's
 *        server is a line of standard output.
 * Run:   upper-server --listen tcp:127.0.0.1:10000
 *        then, elsewhere: upper-client tcp:127.0.0.1:10000
 * See:   waiting for connection
 *        connected to (127.0.0.1, 40822)
 *        received: Hello World!
 *        processing data
 *        sending back
 *        received: (nothing more, when the client has ended)
 *        no data from (127.0.0.1, 40822)
 *
 * In Python:
 *
 *   class Handler(socketserver.BaseRequestHandler):
 *       def handle(self):
 *           print("connected to", self.client_address)
 *           while data := self.request.recv(16):
 *               print("received:", data.decode())
 *               self.request.sendall(data.upper())
 */

#include "sample-server.h"

#include <stdio.h>
#include <string.h>

#define CHUNK_SIZE 16

/* Three lines for 16 bytes would fill a disk: who sends more than this many
 * chunks is served, and no longer described. */
#define MAX_CHUNKS_SHOWN 100

typedef struct
{
  SrvUpperHandler parent_instance;

  char *client;  /* owned */
  GString *text; /* received and not shown: the start of a character */
  guint n_chunks;
} Handler;
typedef SrvUpperHandlerClass HandlerClass;

GType handler_get_type (void);

G_DEFINE_TYPE (Handler, handler, SRV_TYPE_UPPER_HANDLER)

/* How much of the text ends with a whole character, or can never become one. */
static gsize
whole_length (const GString *text)
{
  const char *end;
  gsize left;

  if (g_utf8_validate_len (text->str, text->len, &end))
    return text->len;
  left = text->len - (gsize) (end - text->str);
  if (*end != '\0' &&
      g_utf8_get_char_validated (end, (gssize) left) == (gunichar) -2)
    return text->len - left;
  return text->len;
}

static void
show_received (Handler *self, const guint8 *chunk, gsize length)
{
  g_autofree char *shown = NULL;
  gsize whole;

  g_string_append_len (self->text, (const char *) chunk, (gssize) length);
  whole = length > 0 ? whole_length (self->text) : self->text->len;
  shown = srv_escape (self->text->str, (gssize) whole);
  g_string_erase (self->text, 0, (gssize) whole);
  printf ("received: %s\n", shown);
}

static void
handler_transform (SrvEchoHandler *handler, guint8 *chunk, gsize length)
{
  Handler *self = (Handler *) handler;
  const gboolean shown = ++self->n_chunks <= MAX_CHUNKS_SHOWN;

  if (shown)
    {
      show_received (self, chunk, length);
      puts ("processing data");
    }
  else if (self->n_chunks == MAX_CHUNKS_SHOWN + 1)
    puts ("received: more, which is no longer shown");
  SRV_ECHO_HANDLER_CLASS (handler_parent_class)
    ->transform (handler, chunk, length);
  if (shown)
    puts ("sending back");
}

/* "(127.0.0.1, 40822)", as tutorials print it. */
static char *
describe_client (SrvBaseRequestHandler *handler)
{
  GSocketAddress *address =
    srv_base_request_handler_get_client_address (handler);

  if (G_IS_INET_SOCKET_ADDRESS (address))
    {
      GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);
      g_autofree char *host =
        g_inet_address_to_string (g_inet_socket_address_get_address (inet));

      return g_strdup_printf ("(%s, %u)", host,
                              g_inet_socket_address_get_port (inet));
    }
  return srv_request_describe_client (
    srv_base_request_handler_get_request (handler));
}

static gboolean
handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  Handler *self = (Handler *) handler;
  gboolean ok;

  self->client = describe_client (handler);
  printf ("connected to %s\n", self->client);
  ok = SRV_BASE_REQUEST_HANDLER_CLASS (handler_parent_class)
         ->handle (handler, error);
  show_received (self, (const guint8 *) "", 0);
  printf ("no data from %s\n", self->client);
  puts ("waiting for connection");
  return ok;
}

static void
handler_finalize (GObject *object)
{
  Handler *self = (Handler *) object;

  g_free (self->client);
  g_string_free (self->text, TRUE);
  G_OBJECT_CLASS (handler_parent_class)->finalize (object);
}

static void
handler_class_init (HandlerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = handler_finalize;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = handler_handle;
  SRV_ECHO_HANDLER_CLASS (klass)->transform = handler_transform;
}

static void
handler_init (Handler *self)
{
  self->text = g_string_new (NULL);
  srv_echo_handler_set_chunk_size (SRV_ECHO_HANDLER (self), CHUNK_SIZE);
}

static void
on_ready (G_GNUC_UNUSED SrvBaseServer *server, G_GNUC_UNUSED gpointer data)
{
  puts ("waiting for connection");
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample = sample_server_new (
    "Sends back what comes in upper case, and says what it does.", NULL);
  int exit_status;

  /* A line is written when it is whole, in forked children too. */
  setvbuf (stdout, NULL, _IOLBF, 0);
  sample_server_set_on_ready (sample, on_ready, NULL);
  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  return sample_server_run (sample, handler_get_type (), G_TYPE_INVALID);
}
