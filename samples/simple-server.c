/* simple-server.c - discard and chargen, the two that test a network
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a choice of handlers; limits on bytes and on time, without which
 *        neither of these services should be anywhere.
 * Run:   simple-server --service chargen --max-bytes 1000
 *        then, elsewhere: nc 127.0.0.1 9999
 * See:   lines of characters, or with `discard` nothing at all.
 *
 * In Python:
 *
 *   class Discard(socketserver.BaseRequestHandler):
 *       def handle(self):
 *           while self.request.recv(4096):
 *               pass
 *
 *   with socketserver.TCPServer(("127.0.0.1", 9999), Discard) as s:
 *       s.serve_forever()
 */

#include "sample-server.h"

#include <string.h>

static gboolean chargen;
static gint64 max_bytes = -1; /* below 0: the handler's own */
static int max_time_s = -1;

static gboolean
parse_service (G_GNUC_UNUSED const char *option,
               const char *value,
               G_GNUC_UNUSED gpointer data,
               GError **error)
{
  chargen = strcmp (value, "chargen") == 0;
  if (chargen || strcmp (value, "discard") == 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "unknown service \"%s\"; there are discard and chargen", value);
  return FALSE;
}

static const GOptionEntry entries[] = {
  { "service", 's', 0, G_OPTION_ARG_CALLBACK, parse_service,
    "discard (default) or chargen", "NAME" },
  { "max-bytes", 'b', 0, G_OPTION_ARG_INT64, &max_bytes,
    "The most bytes of a connection; 0: no limit", "BYTES" },
  { "max-time", 't', 0, G_OPTION_ARG_INT, &max_time_s,
    "How long a connection may last; 0: no limit", "SECONDS" },
  G_OPTION_ENTRY_NULL,
};

typedef SrvDiscardHandler DiscardHandler;
typedef SrvDiscardHandlerClass DiscardHandlerClass;
typedef SrvChargenHandler ChargenHandler;
typedef SrvChargenHandlerClass ChargenHandlerClass;

GType discard_handler_get_type (void);
GType chargen_handler_get_type (void);

G_DEFINE_TYPE (DiscardHandler, discard_handler, SRV_TYPE_DISCARD_HANDLER)
G_DEFINE_TYPE (ChargenHandler, chargen_handler, SRV_TYPE_CHARGEN_HANDLER)

/* Both have the same limits. */
static void
set_limits (gpointer handler)
{
  if (max_bytes >= 0)
    g_object_set (handler, "max-bytes", (guint64) max_bytes, NULL);
  if (max_time_s >= 0)
    g_object_set (handler, "max-time",
                  (guint) MIN (max_time_s, G_MAXINT / 1000) * 1000, NULL);
}

static void
discard_handler_class_init (G_GNUC_UNUSED DiscardHandlerClass *klass)
{
}

static void
discard_handler_init (DiscardHandler *self)
{
  set_limits (self);
}

static void
chargen_handler_class_init (G_GNUC_UNUSED ChargenHandlerClass *klass)
{
}

static void
chargen_handler_init (ChargenHandler *self)
{
  set_limits (self);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample = sample_server_new (
    "Throws away what comes, or sends characters without end.", entries);
  int exit_status;

  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  if (chargen)
    return sample_server_run (sample, chargen_handler_get_type (),
                              G_TYPE_INVALID);
  /* A plain handler takes a datagram and answers nothing. */
  return sample_server_run (sample, discard_handler_get_type (),
                            SRV_TYPE_DATAGRAM_REQUEST_HANDLER);
}
