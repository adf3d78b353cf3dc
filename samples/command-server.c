/* command-server.c - runs allowed commands for clients
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a handler with a policy that all requests share: an allow-list from a
 *        key file, limits, and a process for each request that leaves nothing
 *        behind.
 * Run:   command-server --commands samples/commands.conf --mix-in threading
 *        then, elsewhere: command-client
 * See:   a line `listening on ENDPOINT` on standard output, and the events of
 *        the service on standard error.
 *
 * In Python:
 *
 *   class Handler(socketserver.StreamRequestHandler):
 *       def handle(self):
 *           while name := self.rfile.readline().decode().strip():
 *               self.wfile.write(subprocess.run(ALLOWED[name],
 *                                               capture_output=True).stdout)
 */

#include "sample-server.h"

#include <sysexits.h>

typedef struct
{
  char *commands_path;
  char **uids;
  double time_limit_s;
  gboolean allow_shell;
  gboolean compatible;
} Options;

/* What all requests share. */
static SrvCommandPolicy *policy;
static gboolean compatible;

typedef SrvCommandHandler SampleCommandHandler;
typedef SrvCommandHandlerClass SampleCommandHandlerClass;

static GType sample_command_handler_get_type (void);

G_DEFINE_TYPE (SampleCommandHandler,
               sample_command_handler,
               SRV_TYPE_COMMAND_HANDLER)

static void
sample_command_handler_class_init (
  G_GNUC_UNUSED SampleCommandHandlerClass *klass)
{
}

static void
sample_command_handler_init (SampleCommandHandler *self)
{
  srv_command_handler_set_policy (self, policy);
  srv_command_handler_set_compatible (self, compatible);
}

static gboolean
allow_uids (char **uids, GError **error)
{
  guint64 uid;

  for (char **text = uids; text != NULL && *text != NULL; text++)
    {
      if (!g_ascii_string_to_unsigned (*text, 10, 0, G_MAXUINT - 1, &uid,
                                       error))
        return FALSE;
      srv_command_policy_allow_uid (policy, (guint) uid);
    }
  return TRUE;
}

/* A server that allows nothing is a mistake. */
static gboolean
apply (const Options *options, GError **error)
{
  compatible = options->compatible;
  g_object_set (policy, "allow-shell", options->allow_shell, NULL);
  if (options->commands_path != NULL &&
      !srv_command_policy_load_file (policy, options->commands_path, error))
    return FALSE;
  if (options->time_limit_s > 0 && options->time_limit_s <= 86400)
    g_object_set (policy, "timeout", (guint) (options->time_limit_s * 1000),
                  NULL);
  if (srv_command_policy_get_n_commands (policy) > 0 || options->allow_shell)
    return allow_uids (options->uids, error);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                       "no command is allowed; try --commands FILE");
  return FALSE;
}

static void
options_clear (Options *options)
{
  g_free (options->commands_path);
  g_strfreev (options->uids);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

int
main (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  const GOptionEntry entries[] = {
    { "commands", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME,
      &options.commands_path, "Allow the commands of a key file", "FILE" },
    { "time-limit", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_DOUBLE,
      &options.time_limit_s, "How long a command may run (default: 60)",
      "SECONDS" },
    { "allow-shell", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE,
      &options.allow_shell,
      "Let clients on loopback or of this user run anything", NULL },
    { "allow-uid", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING_ARRAY,
      &options.uids, "Let this user use the shell over a Unix socket as well",
      "UID" },
    { "tutorial", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options.compatible,
      "Speak the dialogue of the tutorial instead of frames", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (SampleServer) sample =
    sample_server_new ("Runs allowed commands for clients.", entries);
  g_autoptr (SrvCommandPolicy) own_policy = srv_command_policy_new ();
  g_autoptr (GError) error = NULL;
  int exit_status;

  policy = own_policy;
  if (!sample_server_parse (sample, &argc, &argv, &exit_status))
    return exit_status;
  if (!apply (&options, &error))
    {
      g_printerr ("%s: %s\n", g_get_prgname (), error->message);
      return EX_USAGE;
    }
  return sample_server_run (sample, sample_command_handler_get_type (),
                            G_TYPE_INVALID);
}
