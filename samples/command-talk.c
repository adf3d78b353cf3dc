/* command-talk.c - asks a command server, shows its answers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Output is shown as it comes and never kept, whatever length the server
 * announces.
 */

#include "command-talk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define CHUNK_SIZE 16384

/* Of an exit frame, and of a length in digits. */
#define MAX_EXIT_SIZE 512
#define MAX_DIGITS    10

/* On a terminal, what has come of the current line. */
typedef struct
{
  FILE *file;
  GString *line;
  gboolean escape;
} Screen;

struct _CommandTalk
{
  SampleClient *client;
  const CommandOptions *options;
  Screen output;
  Screen errors;
  int status;
};

static void
screen_init (Screen *screen, FILE *file, gboolean raw)
{
  screen->file = file;
  screen->line = g_string_new (NULL);
  screen->escape = !raw && isatty (fileno (file));
}

/* What a command prints must not be able to steer the terminal. */
static void
show_line (Screen *screen, gsize length)
{
  g_autofree char *text = srv_escape (screen->line->str, (gssize) length);

  fprintf (screen->file, "%s\n", text);
}

static void
show_rest (Screen *screen)
{
  if (screen->line->len > 0)
    show_line (screen, screen->line->len);
  g_string_truncate (screen->line, 0);
}

/* Whole lines, since a piece may end in the middle of a character. */
static void
show_lines (Screen *screen)
{
  const char *newline;

  while ((newline = memchr (screen->line->str, '\n', screen->line->len)) !=
         NULL)
    {
      const gsize length = (gsize) (newline - screen->line->str);

      show_line (screen, length);
      g_string_erase (screen->line, 0, (gssize) length + 1);
    }
  if (screen->line->len >= COMMAND_MAX_LINE)
    show_rest (screen);
}

static gboolean
show (Screen *screen, const char *data, gsize length, GError **error)
{
  if (screen->escape)
    {
      g_string_append_len (screen->line, data, (gssize) length);
      show_lines (screen);
    }
  else
    fwrite (data, 1, length, screen->file);
  if (fflush (screen->file) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               "could not write the output: %s", g_strerror (errno));
  return FALSE;
}

CommandTalk *
command_talk_new (SampleClient *client, const CommandOptions *options)
{
  CommandTalk *self = g_new0 (CommandTalk, 1);

  self->client = client;
  self->options = options;
  screen_init (&self->output, stdout, options->raw);
  screen_init (&self->errors, stderr, options->raw);
  return self;
}

void
command_talk_free (CommandTalk *self)
{
  g_string_free (self->output.line, TRUE);
  g_string_free (self->errors.line, TRUE);
  g_free (self);
}

int
command_talk_get_status (CommandTalk *self)
{
  return self->status;
}

static gint64
get_deadline (CommandTalk *self)
{
  const double wait_s = CLAMP (self->options->wait_s, 0, 7 * 24 * 3600);

  return g_get_monotonic_time () + (gint64) (wait_s * G_USEC_PER_SEC);
}

static gboolean
send_all (CommandTalk *self, const void *data, gsize length, GError **error)
{
  const int fd = sample_client_get_fd (self->client);
  const gint64 deadline = sample_client_get_deadline (self->client);
  const char *next = data;

  while (length > 0)
    {
      gssize n;

      if (!srv_wait_fd (fd, G_IO_OUT, deadline, NULL, error))
        return FALSE;
      n = sample_client_send (self->client, next, length, error);
      if (n < 0)
        return FALSE;
      next += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* Something, up to SIZE bytes. */
static gssize
receive (CommandTalk *self, char *buffer, gsize size, GError **error)
{
  const int fd = sample_client_get_fd (self->client);
  gssize n;

  if (!srv_wait_fd (fd, G_IO_IN, get_deadline (self), NULL, error))
    return -1;
  n = sample_client_receive (self->client, buffer, size, error);
  if (n != 0)
    return n;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                       "the server hung up before the command had ended");
  return -1;
}

static gboolean
receive_exactly (CommandTalk *self, void *buffer, gsize length, GError **error)
{
  char *next = buffer;

  while (length > 0)
    {
      const gssize n = receive (self, next, length, error);

      if (n < 0)
        return FALSE;
      next += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
receive_output (CommandTalk *self, Screen *screen, gsize length, GError **error)
{
  char chunk[CHUNK_SIZE];

  while (length > 0)
    {
      const gssize n = receive (self, chunk, MIN (length, sizeof chunk), error);

      if (n < 0 || !show (screen, chunk, (gsize) n, error))
        return FALSE;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
fail_not_understood (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "the server sent what is no answer");
  return FALSE;
}

static gboolean
receive_exit (CommandTalk *self, gsize length, GError **error)
{
  guint8 payload[MAX_EXIT_SIZE];
  g_autofree char *reason = NULL;
  SrvCommandEnd end;
  guint8 code;

  if (length > sizeof payload)
    return fail_not_understood (error);
  if (!receive_exactly (self, payload, length, error) ||
      !srv_command_frame_unpack_exit (payload, length, &end, &code, &reason,
                                      error))
    return FALSE;
  show_rest (&self->output);
  show_rest (&self->errors);
  if (*reason != '\0')
    g_printerr ("%s: %s\n", g_get_prgname (), reason);
  if (end == SRV_COMMAND_END_REFUSED)
    self->status = EX_NOPERM;
  else
    self->status = end == SRV_COMMAND_END_SIGNALED ? 128 + code : code;
  return TRUE;
}

static gboolean
send_request (CommandTalk *self, const char *line, GError **error)
{
  g_auto (GStrv) argv = NULL;
  g_autoptr (GBytes) payload = NULL;
  guint8 header[SRV_COMMAND_FRAME_HEADER_SIZE];

  if (self->options->shell)
    payload = g_bytes_new (line, strlen (line));
  else if (g_shell_parse_argv (line, NULL, &argv, error))
    payload = srv_command_frame_pack_request ((const char *const *) argv);
  if (payload == NULL)
    return FALSE;
  srv_command_frame_pack_header (header,
                                 self->options->shell ? SRV_COMMAND_FRAME_SHELL
                                                      : SRV_COMMAND_FRAME_RUN,
                                 (guint32) g_bytes_get_size (payload));
  return send_all (self, header, sizeof header, error) &&
         send_all (self, g_bytes_get_data (payload, NULL),
                   g_bytes_get_size (payload), error);
}

static gboolean
receive_answer (CommandTalk *self, GError **error)
{
  for (;;)
    {
      guint8 header[SRV_COMMAND_FRAME_HEADER_SIZE];
      SrvCommandFrame type;
      guint32 length;
      gboolean ok;

      if (!receive_exactly (self, header, sizeof header, error) ||
          !srv_command_frame_unpack_header (header, G_MAXUINT32, &type, &length,
                                            error))
        return FALSE;
      if (type == SRV_COMMAND_FRAME_EXIT)
        return receive_exit (self, length, error);
      if (type == SRV_COMMAND_FRAME_OUTPUT)
        ok = receive_output (self, &self->output, length, error);
      else if (type == SRV_COMMAND_FRAME_ERROR_OUTPUT)
        ok = receive_output (self, &self->errors, length, error);
      else
        ok = fail_not_understood (error);
      if (!ok)
        return FALSE;
    }
}

/* The length comes alone: the server waits for a word before it goes on. */
static gboolean
run_as_tutorial (CommandTalk *self, const char *line, GError **error)
{
  char digits[MAX_DIGITS + 1];
  guint64 length;
  gssize n;

  if (!send_all (self, line, strlen (line), error))
    return FALSE;
  n = receive (self, digits, MAX_DIGITS, error);
  if (n < 0)
    return FALSE;
  digits[n] = '\0';
  if (!g_ascii_string_to_unsigned (digits, 10, 0, G_MAXINT32, &length, NULL))
    return fail_not_understood (error);
  if (!send_all (self, "ok", 2, error) ||
      !receive_output (self, &self->output, (gsize) length, error))
    return FALSE;
  show_rest (&self->output);
  return TRUE;
}

/* Runs one command; what its line means is for the options to say. A line with
 * an open quote is the user's mistake and not the end. */
gboolean
command_talk_run (CommandTalk *self, const char *line, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (self->options->tutorial)
    return run_as_tutorial (self, line, error);
  if (!send_request (self, line, &local))
    {
      if (local->domain != G_SHELL_ERROR)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      g_printerr ("%s: %s\n", g_get_prgname (), local->message);
      self->status = EX_DATAERR;
      return TRUE;
    }
  return receive_answer (self, error);
}
