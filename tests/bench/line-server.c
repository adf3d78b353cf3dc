/* line-server.c - sends lines back, one by one, through rfile and wfile
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Run: line-server --mix-in threading --listen tcp:127.0.0.1:0 [--work KIB]
 *                  [--tls FILE]
 *
 * The loop is that of any handler of a line protocol. With --work a line costs
 * as much computing as it takes to hash so many KiB: a service whose processor
 * time is its own, and not the kernel's. With --tls clients may shake hands.
 */

#include "../../samples/sample-server.h"
#include "../tls-over.h"

#define MAX_LINE 65536

static int work;
static char *tls_file;
static GTlsCertificate *certificate;

static const GOptionEntry entries[] = {
  { "work", 'w', 0, G_OPTION_ARG_INT, &work, "Hash so many KiB for each line",
    "KIB" },
  { "tls", 0, 0, G_OPTION_ARG_FILENAME, &tls_file,
    "Speak TLS with clients that begin with it, as FILE says who we are",
    "FILE" },
  G_OPTION_ENTRY_NULL,
};

#define LINE_TYPE_HANDLER (line_handler_get_type ())
G_DECLARE_FINAL_TYPE (LineHandler,
                      line_handler,
                      LINE,
                      HANDLER,
                      SrvStreamRequestHandler)

struct _LineHandler
{
  SrvStreamRequestHandler parent_instance;
};

G_DEFINE_TYPE (LineHandler, line_handler, SRV_TYPE_STREAM_REQUEST_HANDLER)

static void
compute (void)
{
  static const guchar block[1024] = { 1 };
  g_autoptr (GChecksum) checksum = NULL;

  if (work == 0)
    return;
  checksum = g_checksum_new (G_CHECKSUM_SHA256);
  for (int i = 0; i < work; i++)
    g_checksum_update (checksum, block, sizeof block);
  g_checksum_get_string (checksum);
}

static gboolean
line_handler_setup (SrvBaseRequestHandler *handler, GError **error)
{
  return SRV_BASE_REQUEST_HANDLER_CLASS (line_handler_parent_class)
           ->setup (handler, error) &&
         (certificate == NULL ||
          tls_over_set_up (SRV_STREAM_REQUEST_HANDLER (handler), certificate,
                           10000, error));
}

static gboolean
line_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvStreamRequestHandler *self = SRV_STREAM_REQUEST_HANDLER (handler);
  SrvReader *rfile = srv_stream_request_handler_get_rfile (self);
  SrvWriter *wfile = srv_stream_request_handler_get_wfile (self);
  const char *line;
  gssize length;

  while ((length = srv_reader_read_line (rfile, &line, MAX_LINE, error)) > 0)
    {
      compute ();
      if (!srv_writer_write (wfile, line, (gsize) length, error))
        return FALSE;
    }
  return length == 0;
}

static void
line_handler_class_init (LineHandlerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->setup = line_handler_setup;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = line_handler_handle;
}

static void
line_handler_init (G_GNUC_UNUSED LineHandler *self)
{
}

static gboolean
read_certificate (void)
{
  g_autoptr (GError) error = NULL;

  if (tls_file == NULL)
    return TRUE;
  certificate = g_tls_certificate_new_from_file (tls_file, &error);
  if (certificate == NULL)
    g_printerr ("line-server: %s: %s\n", tls_file, error->message);
  return certificate != NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Sends lines back.", entries);
  int exit_status;

  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  if (!read_certificate ())
    return EXIT_FAILURE;
  return sample_server_run (sample, LINE_TYPE_HANDLER,
                            SRV_TYPE_DATAGRAM_ECHO_HANDLER);
}
