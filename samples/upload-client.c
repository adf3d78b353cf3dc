/* upload-client.c - sends files, waits for the verdict
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a client of a dialogue: it announces, waits for leave, sends with a
 *        progress bar while it listens, and believes nothing but the verdict.
 * Run:   upload-client tcp:127.0.0.1:9999 FILE
 *        again after it was cut off: it goes on where it stopped.
 * See:   on standard output a line `stored SIZE NAME SHA256` for each file.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 9999), 10) as s:
 *       s.sendall(b"upload 1 %d %s -\n" % (len(data), name))
 *       s.sendall(data)         # after the line "go 0"
 *       print(s.recv(1024))     # "stored ..."
 */

#include "sample-client.h"
#include "sample-progress.h"
#include "sample-upload.h"

#include <gio/gunixinputstream.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MAX_LINE 8192

static SampleUploadOptions options;

static const GOptionEntry entries[] = {
  { "name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
    "Store the file under this name", "NAME" },
  { "no-checksum", 0, 0, G_OPTION_ARG_NONE, &options.no_checksum,
    "Declare no checksum; the upload cannot be resumed then", NULL },
  { "post", 'p', 0, G_OPTION_ARG_NONE, &options.post,
    "Send post|NAME|SIZE and expect no verdict", NULL },
  G_OPTION_ENTRY_NULL,
};

static const char description[] =
  "Endpoints: tcp:HOST:PORT, unix:PATH, unix:@NAME. Without one, asks for\n"
  "host and port if the input is a terminal, and takes tcp:127.0.0.1:9999\n"
  "otherwise. Without a file, reads the paths from standard input, a line\n"
  "each, with or without `post|' before it; the line `exit' ends.\n\n"
  "Exit status: 0 all stored, 64 wrong usage, 65 another checksum or a too\n"
  "long line, 66 cannot read a file, 69 cannot connect, 73 refused, 74 other\n"
  "trouble, 75 try again: timeout or busy, 76 cut off or not understood.\n";

/* The worst comes last; the first one that went wrong counts. */
static void
send_file (SampleClient *client,
           SampleUpload *upload,
           const char *path,
           int *exit_status,
           GError **error)
{
  int status = sample_upload_send (upload, client, path, &options, error);

  if (*exit_status == EX_OK)
    *exit_status = status;
}

static void
send_listed (SampleClient *client,
             SampleUpload *upload,
             int *exit_status,
             GError **error)
{
  g_autoptr (GInputStream) input =
    g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (SrvReader) reader = srv_reader_new (input, -1);
  const gboolean prompts = isatty (STDIN_FILENO);

  while (*error == NULL)
    {
      g_autofree char *path = NULL;
      const char *line;
      gssize length;

      if (prompts)
        g_printerr (">>> ");
      length = srv_reader_read_line (reader, &line, MAX_LINE, error);
      if (length <= 0 || sample_client_is_exit (line, (gsize) length))
        return;
      if (g_str_has_prefix (line, "post|"))
        line += strlen ("post|");
      path = g_strchomp (g_strdup (line));
      if (*path != '\0')
        send_file (client, upload, path, exit_status, error);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleClient) client =
    sample_client_new_with_arguments ("[ENDPOINT [FILE...]]", "Sends files.");
  g_autoptr (SampleUpload) upload = sample_upload_new ();
  g_autoptr (GError) error = NULL;
  int exit_status = EX_OK;
  int end_status;

  sample_client_describe (client, entries, description);
  if (!sample_client_parse (client, &argc, &argv, &exit_status))
    return exit_status;
  if (options.name != NULL && argc != 3)
    {
      g_printerr ("%s: --name needs exactly one file\n", g_get_prgname ());
      return EX_USAGE;
    }
  sample_client_hide_traffic (client);
  if (sample_client_connect (client, &error))
    {
      for (int i = 2; i < argc && error == NULL; i++)
        send_file (client, upload, argv[i], &exit_status, &error);
      if (argc <= 2)
        send_listed (client, upload, &exit_status, &error);
    }
  end_status = sample_client_end (client, error);
  return exit_status != EX_OK ? exit_status : end_status;
}
