/* sample-progress.c - how far something long is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On a terminal a bar that is drawn over itself, with rate and remaining time;
 * elsewhere a plain line for each tenth. Both go to standard error and never
 * more often than somebody can read.
 */

#include "sample-progress.h"

#include <socketserver.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_PAUSE_US  (G_USEC_PER_SEC / 10)
#define LINE_PAUSE_US  G_USEC_PER_SEC
#define DEFAULT_WIDTH  80
#define MAX_WIDTH      120
#define MIN_BAR        8
#define MAX_TITLE      30
#define N_LINES        10
#define MAX_SHOWN_TIME (100 * 3600)

struct _SampleProgress
{
  char *title; /* printable */
  guint64 total;
  guint64 offset; /* what was done before, and says nothing about the rate */
  guint64 done;
  gint64 since;
  gint64 shown_at;
  guint64 shown_tenth;
  gboolean is_terminal;
  gboolean quiet;
  gboolean has_drawn;
};

SampleProgress *
sample_progress_new (const char *title,
                     guint64 total,
                     guint64 done,
                     gboolean quiet)
{
  SampleProgress *self = g_new0 (SampleProgress, 1);

  self->title = srv_escape (title, -1);
  self->total = total;
  self->offset = self->done = done;
  self->since = self->shown_at = g_get_monotonic_time ();
  self->quiet = quiet;
  self->is_terminal = isatty (STDERR_FILENO) &&
                      g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  self->shown_tenth = total > 0 ? done * N_LINES / total : 0;
  return self;
}

void
sample_progress_free (SampleProgress *self)
{
  sample_progress_end (self);
  g_free (self->title);
  g_free (self);
}

/* Asked each time: the window may have been resized. */
static int
terminal_width (void)
{
  struct winsize size = { 0 };

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return DEFAULT_WIDTH;
  return MIN (size.ws_col, MAX_WIDTH);
}

static guint
percent (const SampleProgress *self)
{
  if (self->total == 0)
    return 100;
  return (guint) ((double) self->done * 100.0 / (double) self->total);
}

/* Bytes per second since the beginning: steadier than that of the last
 * moment. */
static double
rate (const SampleProgress *self)
{
  const gint64 elapsed = g_get_monotonic_time () - self->since;

  return elapsed > 0 ? (double) (self->done - self->offset) * G_USEC_PER_SEC /
                         (double) elapsed
                     : 0;
}

/* Plain ASCII: GLib puts a space there that not every terminal knows. */
static char *
format_rate (double per_second)
{
  g_autofree char *size = g_format_size ((guint64) per_second);
  GString *text = g_string_new (size);

  g_string_replace (text, "\302\240", " ", 0);
  g_string_append (text, "/s");
  return g_string_free (text, FALSE);
}

static char *
format_numbers (const SampleProgress *self)
{
  const double per_second = rate (self);
  g_autofree char *speed = format_rate (per_second);
  const double seconds = per_second > 0
                           ? (double) (self->total - self->done) / per_second
                           : MAX_SHOWN_TIME;
  const guint left = (guint) MIN (seconds, MAX_SHOWN_TIME);

  if (left == MAX_SHOWN_TIME)
    return g_strdup_printf ("%3u %%  %s  --:-- left", percent (self), speed);
  return g_strdup_printf ("%3u %%  %s  %02u:%02u:%02u left", percent (self),
                          speed, left / 3600, left / 60 % 60, left % 60);
}

/* The line ends before the last column, where some terminals would go on to the
 * next one. */
static void
draw (SampleProgress *self)
{
  g_autofree char *numbers = format_numbers (self);
  g_autofree char *title =
    g_utf8_substring (self->title, 0,
                      MIN (g_utf8_strlen (self->title, -1), MAX_TITLE));
  const int width = terminal_width () - 1 - (int) strlen ("  []  ") -
                    (int) g_utf8_strlen (title, -1) -
                    (int) g_utf8_strlen (numbers, -1);
  GString *line = g_string_new ("\r\033[K");

  if (width >= MIN_BAR)
    {
      const int full = width * (int) percent (self) / 100;

      g_string_append_printf (line, "%s  [", title);
      for (int i = 0; i < width; i++)
        g_string_append_c (line, i < full ? '#' : '-');
      g_string_append_printf (line, "]  %s", numbers);
    }
  else
    g_string_append_printf (line, "%.*s", terminal_width () - 1, numbers);
  fputs (line->str, stderr);
  fflush (stderr);
  g_string_free (line, TRUE);
  self->has_drawn = TRUE;
}

static void
print_line (SampleProgress *self)
{
  g_autofree char *numbers = format_numbers (self);

  fprintf (stderr, "%s: %s\n", self->title, g_strchug (numbers));
}

void
sample_progress_update (SampleProgress *self, guint64 done)
{
  const gint64 now = g_get_monotonic_time ();
  const guint64 tenth = done * N_LINES / MAX (self->total, 1);

  self->done = done;
  if (self->quiet)
    return;
  if (self->is_terminal &&
      (done == self->total || now - self->shown_at >= DRAW_PAUSE_US))
    draw (self);
  else if (!self->is_terminal && tenth > self->shown_tenth &&
           (done == self->total || now - self->shown_at >= LINE_PAUSE_US))
    print_line (self);
  else
    return;
  self->shown_at = now;
  self->shown_tenth = tenth;
}

/* What follows begins on a line of its own. */
void
sample_progress_end (SampleProgress *self)
{
  if (self->has_drawn)
    fputs ("\n", stderr);
  self->has_drawn = FALSE;
}
