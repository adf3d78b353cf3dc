/* command-client.c - runs commands on a command server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Shows: a client of a protocol in frames: requests, output as it comes, and
 *        how it ended; prompts only on a terminal.
 * Run:   command-client tcp:127.0.0.1:9999
 *        then type commands such as `uptime`; `exit` or Ctrl-D ends.
 * See:   the output of the command on standard output, its error output and
 *        the events on standard error; its exit status is that of the client.
 *
 * In Python:
 *
 *   with socket.create_connection(("127.0.0.1", 9999), 10) as s:
 *       s.sendall(struct.pack("!IB", len(request), ord("R")) + request)
 *       while (kind := read_header(s)) != "x":
 *           sys.stdout.buffer.write(read_payload(s))
 */

#include "command-talk.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char description[] =
  "Endpoints: tcp:HOST:PORT, unix:PATH, unix:@NAME. Without one, asks for host\n"
  "and port if the input is a terminal, and takes tcp:127.0.0.1:9999\n"
  "otherwise.\n\n"
  "Each line of the input is a command with its arguments, which may be\n"
  "quoted; the line `exit' ends. Output goes to standard output, error output\n"
  "and events to standard error.\n\n"
  "Exit status: that of the last command, or 128 and the number of the signal\n"
  "that ended it; 77 the server refused it, 64 wrong usage, 65 a line with an\n"
  "open quote or a too long one, 69 refused or cannot connect, 74 other trouble,\n"
  "75 timeout, 76 cut off or not understood.\n";

/* One line, without its end; NULL at the end of the input, or with an error: half
 * a line is another command. The line is read as it comes: what is typed ahead
 * stays in the input. */
static char *
read_command (FILE *input, GError **error)
{
  char line[COMMAND_MAX_LINE];
  gsize length;

  if (isatty (STDIN_FILENO))
    g_printerr (">>> ");
  if (fgets (line, sizeof line, input) == NULL)
    return NULL;
  length = strlen (line);
  if (length == sizeof line - 1 && line[length - 1] != '\n')
    {
      g_set_error (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
                   "a command is longer than %d bytes", COMMAND_MAX_LINE - 2);
      return NULL;
    }
  if (sample_client_is_exit (line, length))
    return NULL;
  return g_strdup (g_strchomp (line));
}

/* An empty line is no command: both sides would wait for each other. */
static gboolean
run_commands (SampleClient *client, CommandTalk *talk, GError **error)
{
  if (sample_client_is_datagram (client))
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           "commands need a stream: tcp: or unix:");
      return FALSE;
    }
  for (;;)
    {
      g_autofree char *line = read_command (stdin, error);

      if (line == NULL)
        return *error == NULL;
      if (*line != '\0' && !command_talk_run (talk, line, error))
        return FALSE;
    }
}

int
main (int argc, char **argv)
{
  CommandOptions options = { .wait_s = 90 };
  const GOptionEntry entries[] = {
    { "wait", 'w', G_OPTION_FLAG_NONE, G_OPTION_ARG_DOUBLE, &options.wait_s,
      "Longest silence of a command that runs (default: 90)", "SECONDS" },
    { "shell", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options.shell,
      "Each line is one for the shell of the server", NULL },
    { "raw", 'r', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options.raw,
      "Do not escape control characters on a terminal", NULL },
    { "tutorial", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options.tutorial,
      "Speak the dialogue of the tutorial instead of frames", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (SampleClient) client =
    sample_client_new ("Runs commands on a command server.");
  g_autoptr (CommandTalk) talk = NULL;
  g_autoptr (GError) error = NULL;
  int exit_status;

  sample_client_describe (client, entries, description);
  if (!sample_client_parse (client, &argc, &argv, &exit_status))
    return exit_status;
  talk = command_talk_new (client, &options);
  if (sample_client_connect (client, &error))
    run_commands (client, talk, &error);
  exit_status = sample_client_end (client, error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    return EX_PROTOCOL;
  return exit_status != EX_OK ? exit_status : command_talk_get_status (talk);
}
