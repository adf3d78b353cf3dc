/* time-server.c - tells the time, without being asked
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a server that speaks first; handlers with settings; over UDP, answers
 *        that cannot be turned against others.
 * Run:   time-server --listen tcp:127.0.0.1:10000 --listen udp:127.0.0.1:10000
 *        then, elsewhere: time-client tcp:127.0.0.1:10000
 * See:   the time at the client; who asked, on the server's standard error.
 *
 * In Python:
 *
 *   class Handler(socketserver.StreamRequestHandler):
 *       def handle(self):
 *           self.wfile.write((time.ctime() + "\n").encode())
 *
 *   with socketserver.TCPServer(("127.0.0.1", 10000), Handler) as s:
 *       s.serve_forever()
 */

#include "sample-server.h"
#include "sample-time.h"

static SrvTimeFormat format = SRV_TIME_FORMAT_CTIME;
static GTimeZone *time_zone; /* NULL: of this machine */
static gboolean answer_all;

static gboolean
parse_format (G_GNUC_UNUSED const char *option,
              const char *value,
              G_GNUC_UNUSED gpointer data,
              GError **error)
{
  return sample_time_parse_format (value, &format, error);
}

static gboolean
parse_time_zone (G_GNUC_UNUSED const char *option,
                 const char *value,
                 G_GNUC_UNUSED gpointer data,
                 GError **error)
{
  g_clear_pointer (&time_zone, g_time_zone_unref);
  time_zone = g_time_zone_new_identifier (value);
  if (time_zone != NULL)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "there is no time zone \"%s\"; try Europe/Berlin or UTC", value);
  return FALSE;
}

static const GOptionEntry entries[] = {
  { "format", 'f', 0, G_OPTION_ARG_CALLBACK, parse_format,
    "ctime (default), iso-8601, rfc-868 or daytime", "NAME" },
  { "time-zone", 'z', 0, G_OPTION_ARG_CALLBACK, parse_time_zone,
    "In which zone (default: that of this machine)", "ZONE" },
  { "answer-all", 0, 0, G_OPTION_ARG_NONE, &answer_all,
    "Over UDP, answer short questions too; not for open networks", NULL },
  G_OPTION_ENTRY_NULL,
};

/* The handlers as the options want them: a class of one's own, to set them. */

typedef SrvTimeHandler StreamHandler;
typedef SrvTimeHandlerClass StreamHandlerClass;
typedef SrvDatagramTimeHandler DatagramHandler;
typedef SrvDatagramTimeHandlerClass DatagramHandlerClass;

GType stream_handler_get_type (void);
GType datagram_handler_get_type (void);

G_DEFINE_TYPE (StreamHandler, stream_handler, SRV_TYPE_TIME_HANDLER)
G_DEFINE_TYPE (DatagramHandler,
               datagram_handler,
               SRV_TYPE_DATAGRAM_TIME_HANDLER)

static void
stream_handler_class_init (G_GNUC_UNUSED StreamHandlerClass *klass)
{
}

static void
stream_handler_init (StreamHandler *self)
{
  g_object_set (self, "format", format, "time-zone", time_zone, NULL);
}

static void
datagram_handler_class_init (G_GNUC_UNUSED DatagramHandlerClass *klass)
{
}

static void
datagram_handler_init (DatagramHandler *self)
{
  g_object_set (self, "format", format, "time-zone", time_zone, "answer-all",
                answer_all, NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Tells the time to whoever connects.", entries);
  int exit_status;

  sample_server_add_sender_limit (sample);
  if (sample_server_parse (sample, &argc, &argv, &exit_status))
    exit_status = sample_server_run (sample, stream_handler_get_type (),
                                     datagram_handler_get_type ());
  g_clear_pointer (&time_zone, g_time_zone_unref);
  return exit_status;
}
