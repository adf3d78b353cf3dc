/* srv-command-plain.c - a command server's dialogue as the tutorial has it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A command is what one read gives. The answer is the length of the standard
 * output in decimal digits; then the client sends something (`ok`), so that the
 * length and the output cannot arrive in one piece; then comes the output.
 * Nobody learns of the exit status, and the error output is lost.
 */

#include "config.h"

#include "srv-command-session-private.h"

#include <string.h>

#define MAX_COMMAND       1024
#define MAX_PRESET_OUTPUT (1024 * 1024)

static gboolean
keep_output (gpointer user_data,
             SrvCommandFrame kind,
             const guint8 *data,
             gsize length,
             G_GNUC_UNUSED GError **error)
{
  if (kind == SRV_COMMAND_FRAME_OUTPUT)
    g_byte_array_append (user_data, data, (guint) length);
  return TRUE;
}

static void
set_text (GByteArray *output, const char *text)
{
  g_byte_array_set_size (output, 0);
  g_byte_array_append (output, (const guint8 *) text, (guint) strlen (text));
  g_byte_array_append (output, (const guint8 *) "\n", 1);
}

/* With an allow-list the line is split at its spaces, with quotes, which is all
 * that is left of a shell. What is not allowed there may be for the shell. */
static SrvCommandPlan *
plan (SrvCommandSession *self, const char *line, GError **error)
{
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) refusal = NULL;
  SrvCommandPlan *allowed = NULL;

  if (g_shell_parse_argv (line, NULL, &argv, &refusal))
    allowed = srv_command_policy_plan (self->policy, (const char *const *) argv,
                                       &refusal);
  if (allowed == NULL)
    allowed = srv_command_policy_plan_shell (self->policy, line,
                                             SRV_REQUEST (self->connection),
                                             NULL);
  if (allowed == NULL)
    g_propagate_error (error, g_steal_pointer (&refusal));
  return allowed;
}

/* It is kept until the client has heard of its length, so there must be a
 * limit. */
static gboolean
run (SrvCommandSession *self,
     const char *line,
     GByteArray *output,
     GError **error)
{
  g_auto (SrvCommandResult) result = { SRV_COMMAND_END_REFUSED, 0, NULL };
  g_autoptr (GError) refusal = NULL;
  g_autoptr (SrvCommandPlan) allowed = plan (self, line, &refusal);

  if (allowed == NULL)
    {
      set_text (output, refusal->message);
      return TRUE;
    }
  if (allowed->limits.max_output_bytes == 0 ||
      allowed->limits.max_output_bytes > G_MAXINT32)
    allowed->limits.max_output_bytes = MAX_PRESET_OUTPUT;
  if (!srv_command_session_run (self, allowed, keep_output, output, &result,
                                error))
    return FALSE;
  if (result.end == SRV_COMMAND_END_REFUSED)
    set_text (output, result.reason);
  return TRUE;
}

/* Whatever the client sends will do. But when there is no output, the next
 * command may already stand behind the `ok`. */
static gboolean
wait_for_ok (SrvCommandSession *self, GError **error)
{
  guint8 ok[2];
  guint8 more[MAX_COMMAND];
  gssize n = srv_reader_read (self->rfile, ok, sizeof ok, error);
  gsize left = srv_reader_get_available (self->rfile);

  if (n == 0)
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_TRUNCATED,
                         "the client went away before its output was sent");
  if (n <= 0)
    return FALSE;
  srv_command_session_note_received (self, ok, (gsize) n);
  if (n == 2 && memcmp (ok, "ok", 2) == 0)
    return TRUE;
  if (left > 0)
    n = srv_reader_read (self->rfile, more, MIN (left, sizeof more), error);
  return n >= 0;
}

static gboolean
answer (SrvCommandSession *self, const char *line, GError **error)
{
  g_autoptr (GByteArray) output = g_byte_array_new ();
  g_autofree char *length = NULL;

  if (!run (self, line, output, error))
    return FALSE;
  length = g_strdup_printf ("%u", output->len);
  return srv_command_session_send (self, length, strlen (length), error) &&
         wait_for_ok (self, error) &&
         (output->len == 0 ||
          srv_command_session_send (self, output->data, output->len, error));
}

/* One line, with or without its end. Several lines are refused: they are what a
 * browser sends that a hostile page has talked into it. */
static gboolean
check_command (char *command, gsize length, GError **error)
{
  command[length] = '\0';
  if (length > 0 && command[length - 1] == '\n')
    command[--length] = '\0';
  if (length > 0 && command[length - 1] == '\r')
    command[--length] = '\0';
  if (strlen (command) == length && strpbrk (command, "\r\n") == NULL)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "a command is a single line");
  return FALSE;
}

gboolean
srv_command_session_serve_plain (SrvCommandSession *self, GError **error)
{
  for (;;)
    {
      char command[MAX_COMMAND + 1];
      gssize n;

      if (!srv_connection_set_timeout (self->connection, self->idle_timeout_ms,
                                       error))
        return FALSE;
      n = srv_reader_read (self->rfile, command, MAX_COMMAND, error);
      if (n <= 0)
        return n == 0;
      srv_command_session_note_received (self, (const guint8 *) command,
                                         (gsize) n);
      if (!check_command (command, (gsize) n, error) ||
          !answer (self, command, error))
        return FALSE;
    }
}
