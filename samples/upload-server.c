/* upload-server.c - takes files into a directory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a handler that shares an object with all others of its service: the
 *        directory, and what it takes.
 * Run:   upload-server --directory /tmp/in --mix-in threading
 *        then, elsewhere: upload-client tcp:127.0.0.1:9999 FILE
 * See:   the files appear in the directory, each whole or not at all.
 *
 * In Python:
 *
 *   class Handler(socketserver.StreamRequestHandler):
 *       def handle(self):
 *           word, name, size = self.rfile.readline().decode().split("|")
 *           with open(os.path.basename(name), "xb") as file:
 *               file.write(self.rfile.read(int(size)))
 *
 *   with socketserver.ThreadingTCPServer(("127.0.0.1", 9999), Handler) as s:
 *       s.serve_forever()
 */

#include "sample-server.h"

#include <sysexits.h>

static const char *directory = ".";
static const char *existing = "refuse";
static gint64 max_file_size = 1 << 30;
static gint64 quota = (gint64) 10 << 30;
static gint64 keep_free = 64 << 20;
static int max_files = 10000;
static int partial_lifetime = 86400;
static double stall_timeout = 30;
static int min_rate = 1024;
static gboolean allow_post;

static const GOptionEntry entries[] = {
  { "directory", 'd', 0, G_OPTION_ARG_FILENAME, &directory,
    "Where the files go (default: the current directory)", "PATH" },
  { "existing", 'e', 0, G_OPTION_ARG_STRING, &existing,
    "If the name is taken: refuse (default), replace or keep-both", "WHAT" },
  { "max-file-size", 0, 0, G_OPTION_ARG_INT64, &max_file_size,
    "The largest file (default: 1 GiB)", "BYTES" },
  { "quota", 0, 0, G_OPTION_ARG_INT64, &quota,
    "The most that all files may have (default: 10 GiB)", "BYTES" },
  { "keep-free", 0, 0, G_OPTION_ARG_INT64, &keep_free,
    "What is left free on the disk (default: 64 MiB)", "BYTES" },
  { "max-files", 0, 0, G_OPTION_ARG_INT, &max_files,
    "The most files in the directory (default: 10000)", "N" },
  { "partial-lifetime", 0, 0, G_OPTION_ARG_INT, &partial_lifetime,
    "How long a broken upload can be resumed (default: a day)", "SECONDS" },
  { "stall-timeout", 0, 0, G_OPTION_ARG_DOUBLE, &stall_timeout,
    "How long a client may be silent in a file (default: 30)", "SECONDS" },
  { "min-rate", 0, 0, G_OPTION_ARG_INT, &min_rate,
    "How slow an upload may be (default: 1024)", "BYTES/S" },
  { "allow-post", 0, 0, G_OPTION_ARG_NONE, &allow_post,
    "Understand the header post|NAME|SIZE too", NULL },
  G_OPTION_ENTRY_NULL,
};

static gboolean
check_options (int *policy, GError **error)
{
  g_autoptr (GEnumClass) policies = g_type_class_ref (SRV_TYPE_UPLOAD_EXISTING);
  const GEnumValue *value = g_enum_get_value_by_nick (policies, existing);

  if (value == NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "unknown --existing \"%s\"; there are refuse, replace and "
                 "keep-both",
                 existing);
  else if (max_file_size < 0 || quota < 0 || keep_free < 0 || max_files < 0 ||
           partial_lifetime < 0 || min_rate < 0 ||
           !(stall_timeout >= 0.001 && stall_timeout <= 86400))
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                         "a limit is negative, or the time is none");
  else
    *policy = value->value;
  return value != NULL && *error == NULL;
}

static SrvUploadStore *
open_store (int policy, GError **error)
{
  g_autoptr (SrvUploadStore) store = srv_upload_store_new (directory, error);

  if (store == NULL)
    return NULL;
  g_object_set (store, "existing", policy, "max-file-size",
                (guint64) max_file_size, "quota", (guint64) quota, "keep-free",
                (guint64) keep_free, "max-files", (guint) max_files,
                "partial-lifetime", (guint) partial_lifetime, "stall-timeout",
                (int) (stall_timeout * 1000), "min-rate", (guint) min_rate,
                "allow-post", allow_post, NULL);
  /* What an earlier run has left is not needed, and may be too old. */
  if (!srv_upload_store_clean_up (store, error))
    return NULL;
  return g_steal_pointer (&store);
}

static void
install (SrvBaseServer *server, gpointer store)
{
  srv_upload_handler_install (server, store);
}

int
main (int argc, char **argv)
{
  g_autoptr (SampleServer) sample =
    sample_server_new ("Takes files into a directory.", entries);
  g_autoptr (SrvUploadStore) store = NULL;
  g_autoptr (GError) error = NULL;
  int policy = 0;
  int exit_status;

  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  if (!check_options (&policy, &error))
    exit_status = EX_USAGE;
  else if ((store = open_store (policy, &error)) == NULL)
    exit_status = EX_CANTCREAT;
  if (error != NULL)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      return exit_status;
    }
  sample_server_set_prepare (sample, install, store);
  return sample_server_run (sample, SRV_TYPE_UPLOAD_HANDLER, G_TYPE_INVALID);
}
