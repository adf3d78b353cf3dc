/* chat-editor.c - a line that is edited by libedit while others come in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libedit waits for keys in a function of ours, which lets the chat go on. Its
 * interface of callbacks is no help: in the middle of a key that sends several
 * bytes, and in a search, it waits as well, and the chat would stand still.
 *
 * A line that comes in takes the place of what is being typed, which libedit
 * then draws again below. A typed line may fill several rows; libedit does not
 * tell how many, so they are counted here by its own rules.
 */

#define _GNU_SOURCE /* for wcwidth () */

#include "chat-editor.h"

#define HAVE_WCSDUP 1 /* else the header declares it once more */
#include <glib-unix.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_HISTORY 200

G_STATIC_ASSERT (sizeof (wchar_t) == sizeof (gunichar));

struct _ChatEditor
{
  ChatScreen *screen; /* not ours */
  EditLine *editor;
  HistoryW *history;
  gunichar *prompt;
  gboolean is_waiting; /* for a key: the line is on the screen */
  guint resize_id;
};

static ChatEditor *
chat_editor_of (EditLine *editor)
{
  void *self = NULL;

  el_wget (editor, EL_CLIENTDATA, &self);
  return self;
}

static wchar_t *
get_prompt (EditLine *editor)
{
  return (wchar_t *) chat_editor_of (editor)->prompt;
}

static guint
terminal_width (void)
{
  struct winsize size;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

/* As libedit shows it: control characters are ^X, others that cannot be shown
 * \U+XXXX. */
static guint
width_of (wchar_t c)
{
  const int width = wcwidth (c);

  if (c < 0x20 || c == 0x7f)
    return 2;
  if (width >= 0)
    return (guint) width;
  return c > 0xffff ? 8 : 7;
}

/* Where the text ends that begins at @column; columns are counted on over the
 * rows. What is wide is not parted at the end of a row. */
static guint
column_after (guint column, const wchar_t *text, gsize length, guint columns)
{
  for (gsize i = 0; i < length; i++)
    {
      const guint width = text[i] != L'\n' ? width_of (text[i]) : 0;

      if (column % columns + width > columns || text[i] == L'\n')
        column += columns - column % columns;
      column += width;
    }
  return column;
}

/* The cursor goes to where the prompt begins, and what follows is empty. */
static void
erase (ChatEditor *self)
{
  const wchar_t *prompt = (const wchar_t *) self->prompt;
  const LineInfoW *line = el_wline (self->editor);
  const guint columns = terminal_width ();
  guint column = column_after (0, prompt, wcslen (prompt), columns);

  column = column_after (column, line->buffer,
                         (gsize) (line->cursor - line->buffer), columns);
  if (column >= columns)
    printf ("\033[%uA", column / columns);
  fputs ("\r\033[J", stdout);
}

static void
draw (ChatEditor *self)
{
  el_wset (self->editor, EL_REFRESH);
  fflush (stdout);
}

static int
read_character (EditLine *editor, wchar_t *c)
{
  ChatEditor *self = chat_editor_of (editor);
  char bytes[6];
  gssize length = 0;
  gunichar character;
  gboolean is_there;

  do
    {
      fflush (stdout);
      self->is_waiting = TRUE;
      is_there = chat_screen_wait (self->screen);
      self->is_waiting = FALSE;
      if (!is_there || read (STDIN_FILENO, bytes + length, 1) != 1)
        return 0;
      character = g_utf8_get_char_validated (bytes, ++length);
    }
  while (character == (gunichar) -2 && length < (gssize) sizeof bytes);
  *c = (gint32) character < 0 ? 0xfffd : (wchar_t) character;
  return 1;
}

static gboolean
on_resize (gpointer data)
{
  ChatEditor *self = data;

  el_resize (self->editor);
  return G_SOURCE_CONTINUE;
}

static gboolean
can_edit (void)
{
  const char *terminal = g_getenv ("TERM");

  return isatty (STDIN_FILENO) && isatty (STDOUT_FILENO) && terminal != NULL &&
         strcmp (terminal, "dumb") != 0;
}

/* NULL: this is not a terminal on which to edit. */
ChatEditor *
chat_editor_new (ChatScreen *screen)
{
  ChatEditor *self;
  HistEventW event;

  if (!can_edit ())
    return NULL;
  self = g_new0 (ChatEditor, 1);
  self->screen = screen;
  self->prompt = g_new0 (gunichar, 1);
  self->history = history_winit ();
  history_w (self->history, &event, H_SETSIZE, MAX_HISTORY);
  self->editor = el_init (g_get_prgname (), stdin, stdout, stderr);
  el_wset (self->editor, EL_CLIENTDATA, self);
  el_wset (self->editor, EL_PROMPT, get_prompt);
  el_wset (self->editor, EL_EDITOR, L"emacs");
  el_wset (self->editor, EL_HIST, history_w, self->history);
  el_wset (self->editor, EL_GETCFN, read_character);
  el_source (self->editor, NULL);
  self->resize_id = g_unix_signal_add (SIGWINCH, on_resize, self);
  /* Stopped by Ctrl-Z, it would leave the terminal as it is now. */
  signal (SIGTSTP, SIG_IGN);
  return self;
}

void
chat_editor_free (ChatEditor *self)
{
  g_source_remove (self->resize_id);
  el_end (self->editor);
  history_wend (self->history);
  g_free (self->prompt);
  g_free (self);
}

void
chat_editor_set_prompt (ChatEditor *self, const char *prompt)
{
  if (self->is_waiting)
    erase (self);
  g_free (self->prompt);
  self->prompt = g_utf8_to_ucs4_fast (prompt, -1, NULL);
  if (self->is_waiting)
    draw (self);
}

void
chat_editor_show (ChatEditor *self, const char *text)
{
  if (self->is_waiting)
    erase (self);
  printf ("%s\n", text);
  if (self->is_waiting)
    draw (self);
  fflush (stdout);
}

/* Whether a line was ended by its key; otherwise the input was. */
static gboolean
is_whole (const wchar_t *line, int length)
{
  return line != NULL && length > 0 &&
         (line[length - 1] == L'\n' || line[length - 1] == L'\r');
}

/* Without its end; NULL: there will be no more. */
char *
chat_editor_read_line (ChatEditor *self)
{
  int length = 0;
  const wchar_t *line = el_wgets (self->editor, &length);
  HistEventW event;
  char *text;

  if (!is_whole (line, length))
    {
      fputs ("\r\033[J", stdout);
      fflush (stdout);
      return NULL;
    }
  if (length > 1)
    history_w (self->history, &event, H_ENTER, line);
  text = g_ucs4_to_utf8 ((const gunichar *) line, length - 1, NULL, NULL, NULL);
  return text != NULL ? text : g_strdup ("");
}
