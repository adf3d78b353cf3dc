/* line-server.c - sends lines back, one by one, through rfile and wfile
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Run: line-server --mix-in threading --listen tcp:127.0.0.1:0 [--work KIB]
 *
 * The loop is that of any handler of a line protocol. With --work a line costs
 * as much computing as it takes to hash so many KiB: a service whose processor
 * time is its own, and not the kernel's.
 */

#include "../../samples/sample-server.h"

#define MAX_LINE 65536

static int work;

static const GOptionEntry entries[] = {
  { "work", 'w', 0, G_OPTION_ARG_INT, &work, "Hash so many KiB for each line",
    "KIB" },
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
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = line_handler_handle;
}

static void
line_handler_init (G_GNUC_UNUSED LineHandler *self)
{
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Sends lines back.", entries);
  int exit_status;

  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  return sample_server_run (sample, LINE_TYPE_HANDLER,
                            SRV_TYPE_DATAGRAM_ECHO_HANDLER);
}
