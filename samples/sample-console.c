/* sample-console.c - a terminal on which to type while lines come in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is being typed stays on one row at the bottom, and moves sideways when
 * it is longer. A line that comes in takes its place, and it is drawn again
 * below, all in one write. That is why no library for line editing is used:
 * they let long lines wrap, and do not tell how much there is to take away.
 *
 * Without a terminal, lines are read and shown as they are, for scripts.
 *
 * One thread reads; any thread shows.
 */

#include "sample-console.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define MAX_LINE    8192 /* bytes */
#define MAX_KEY     16   /* bytes of the longest sequence that a key may send */
#define MAX_HISTORY 100

/* Keys that are no characters. */
enum
{
  KEY_NONE = 0,
  KEY_LEFT = 0x110000, /* above all of Unicode */
  KEY_RIGHT,
  KEY_UP,
  KEY_DOWN,
  KEY_HOME,
  KEY_END,
  KEY_DELETE,
};

#define CONTROL(letter) ((letter) &0x1f)

struct _SampleConsole
{
  gboolean is_terminal;
  struct termios original; /* to be put back at the end */
  int stop_fd;             /* readable: do not read any more */

  GMutex lock; /* guards the rest, and what is written */
  char *prompt;
  guint tag;          /* of the prompt */
  GString *line;      /* what has been typed */
  gsize cursor;       /* where in it, in bytes */
  GString *input;     /* read, not yet looked at */
  GPtrArray *history; /* of strings */
  guint history_at;
};

static void
write_all (const char *text, gsize length)
{
  while (length > 0)
    {
      gssize n = write (STDOUT_FILENO, text, length);

      if (n < 0 && errno != EINTR)
        return;
      text += MAX (n, 0);
      length -= (gsize) MAX (n, 0);
    }
}

/* Columns of the terminal that a piece of the line takes. */
static guint
width_of (const char *text, const char *end)
{
  guint width = 0;

  for (; text < end; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (!g_unichar_iszerowidth (c))
        width += g_unichar_iswide (c) ? 2 : 1;
    }
  return width;
}

static guint
terminal_width (void)
{
  struct winsize size;

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

/* The row of the line, with as much of it as there is room for. */
static void
append_row (SampleConsole *self, GString *out)
{
  const guint columns = terminal_width ();
  const guint indent = width_of (self->prompt, strchr (self->prompt, '\0'));
  const guint room = columns > indent + 2 ? columns - indent - 1 : 1;
  const char *cursor = self->line->str + self->cursor;
  const char *start = self->line->str;
  const char *end;
  guint column;

  while (start < cursor && width_of (start, cursor) >= room)
    start = g_utf8_next_char (start);
  for (end = start; *end != '\0'; end = g_utf8_next_char (end))
    {
      if (width_of (start, g_utf8_next_char (end)) > room)
        break;
    }
  g_string_append_printf (out, "\r%s%.*s\033[K\r", self->prompt,
                          (int) (end - start), start);
  column = indent + width_of (start, cursor);
  if (column > 0)
    g_string_append_printf (out, "\033[%uC", column);
}

static void
draw (SampleConsole *self)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (!self->is_terminal)
    return;
  append_row (self, out);
  write_all (out->str, out->len);
}

static void
set_line (SampleConsole *self, const char *text)
{
  g_string_assign (self->line, text);
  self->cursor = self->line->len;
}

static void
move_in_history (SampleConsole *self, int step)
{
  const gint64 to = (gint64) self->history_at + step;

  if (to < 0 || to > self->history->len)
    return;
  self->history_at = (guint) to;
  set_line (self, to < self->history->len ? self->history->pdata[to] : "");
}

static void
erase (SampleConsole *self, gsize from, gsize to)
{
  g_string_erase (self->line, (gssize) from, (gssize) (to - from));
  self->cursor = from;
}

static gsize
before (SampleConsole *self, gsize position)
{
  const char *text = self->line->str;

  return position == 0 ? 0
                       : (gsize) (g_utf8_prev_char (text + position) - text);
}

static gsize
after (SampleConsole *self, gsize position)
{
  const char *text = self->line->str;

  return position == self->line->len
           ? position
           : (gsize) (g_utf8_next_char (text + position) - text);
}

static gsize
word_before (SampleConsole *self)
{
  gsize position = self->cursor;

  while (position > 0 && self->line->str[position - 1] == ' ')
    position--;
  while (position > 0 && self->line->str[position - 1] != ' ')
    position--;
  return position;
}

static void
insert (SampleConsole *self, gunichar c)
{
  char bytes[6];
  const int length = g_unichar_to_utf8 (c, bytes);

  if (!g_unichar_isprint (c) || self->line->len + (gsize) length > MAX_LINE)
    return;
  g_string_insert_len (self->line, (gssize) self->cursor, bytes, length);
  self->cursor += (gsize) length;
}

static void
edit (SampleConsole *self, gunichar key)
{
  switch (key)
    {
    case KEY_LEFT:
      self->cursor = before (self, self->cursor);
      break;
    case KEY_RIGHT:
      self->cursor = after (self, self->cursor);
      break;
    case KEY_UP:
      move_in_history (self, -1);
      break;
    case KEY_DOWN:
      move_in_history (self, 1);
      break;
    case KEY_HOME:
    case CONTROL ('A'):
      self->cursor = 0;
      break;
    case KEY_END:
    case CONTROL ('E'):
      self->cursor = self->line->len;
      break;
    case KEY_DELETE:
    case CONTROL ('D'):
      erase (self, self->cursor, after (self, self->cursor));
      break;
    case CONTROL ('H'):
    case 0x7f:
      erase (self, before (self, self->cursor), self->cursor);
      break;
    case CONTROL ('U'):
      erase (self, 0, self->cursor);
      break;
    case CONTROL ('W'):
      erase (self, word_before (self), self->cursor);
      break;
    default:
      insert (self, key);
    }
}

/* The key of a sequence like ESC [ 3 ~ or ESC O H. */
static gunichar
key_of_sequence (const char *sequence, gsize length)
{
  switch (sequence[length - 1])
    {
    case 'A':
      return KEY_UP;
    case 'B':
      return KEY_DOWN;
    case 'C':
      return KEY_RIGHT;
    case 'D':
      return KEY_LEFT;
    case 'H':
      return KEY_HOME;
    case 'F':
      return KEY_END;
    case '~':
      return sequence[2] == '3' ? KEY_DELETE : KEY_NONE;
    default:
      return KEY_NONE;
    }
}

/* How long the sequence at the beginning of the input is; 0: not all of it has
 * come. */
static gsize
sequence_length (const GString *input)
{
  if (input->len < 2)
    return 0;
  if (input->str[1] != '[' && input->str[1] != 'O')
    return 1;
  for (gsize i = 2; i < input->len && i < MAX_KEY; i++)
    {
      if (input->str[i] >= '@' && input->str[i] <= '~')
        return i + 1;
    }
  return input->len < MAX_KEY ? 0 : MAX_KEY;
}

/* Takes one key from the input. FALSE: there is no whole one. */
static gboolean
take_key (SampleConsole *self, gunichar *key)
{
  GString *input = self->input;
  gsize length = 1;

  if (input->len == 0)
    return FALSE;
  *key = (guchar) input->str[0];
  if (*key == '\033')
    {
      length = sequence_length (input);
      *key = length > 2 ? key_of_sequence (input->str, length) : KEY_NONE;
    }
  else if (*key >= 0x80)
    {
      *key = g_utf8_get_char_validated (input->str, (gssize) input->len);
      if (*key == (gunichar) -2)
        length = 0;
      else if (*key == (gunichar) -1)
        *key = KEY_NONE;
      else
        length = (gsize) g_unichar_to_utf8 (*key, NULL);
    }
  g_string_erase (input, 0, (gssize) length);
  return length > 0;
}

/* The line has been ended: it stays on the screen, a new one begins. */
static char *
end_line (SampleConsole *self)
{
  char *line = g_strdup (self->line->str);

  self->cursor = self->line->len;
  draw (self);
  write_all ("\n", 1);
  if (*line != '\0')
    g_ptr_array_add (self->history, g_strdup (line));
  if (self->history->len > MAX_HISTORY)
    g_ptr_array_remove_index (self->history, 0);
  self->history_at = self->history->len;
  set_line (self, "");
  return line;
}

/* A whole line, if the keys so far make one. */
static char *
take_typed_line (SampleConsole *self, gboolean *ended)
{
  gunichar key;

  while (take_key (self, &key))
    {
      if (key == '\r' || key == '\n')
        return end_line (self);
      if (key == CONTROL ('D') && self->line->len == 0)
        {
          *ended = TRUE;
          return NULL;
        }
      if (key != KEY_NONE)
        edit (self, key);
    }
  draw (self);
  return NULL;
}

/* The same without a terminal. A line that is too long comes in pieces. */
static char *
take_plain_line (SampleConsole *self)
{
  const char *newline = memchr (self->input->str, '\n', self->input->len);
  gsize length;
  char *line;

  if (newline == NULL && self->input->len < MAX_LINE)
    return NULL;
  length = newline != NULL ? (gsize) (newline - self->input->str)
                           : self->input->len;
  line = g_strndup (self->input->str, length);
  g_string_erase (self->input, 0,
                  (gssize) (length + (newline != NULL ? 1 : 0)));
  return line;
}

/* A line of what has been read, without its end; NULL if there is none. It sets
 * @ended when somebody has said that there will be no more. */
char *
sample_console_take_line (SampleConsole *self, guint *tag, gboolean *ended)
{
  char *line;

  g_mutex_lock (&self->lock);
  *tag = self->tag;
  line = self->is_terminal ? take_typed_line (self, ended)
                           : take_plain_line (self);
  g_mutex_unlock (&self->lock);
  return line;
}

/* Without a terminal, the last line need not have an end. FALSE: there is no
 * such line. */
static gboolean
end_last_line (SampleConsole *self)
{
  gboolean is_open;

  g_mutex_lock (&self->lock);
  is_open = !self->is_terminal && self->input->len > 0;
  if (is_open)
    g_string_append_c (self->input, '\n');
  g_mutex_unlock (&self->lock);
  return is_open;
}

/* Waits until there is something to read, and reads it. FALSE at the end of the
 * input, or when the console shall stop. */
gboolean
sample_console_read_input (SampleConsole *self)
{
  struct pollfd fds[] = { { self->stop_fd, POLLIN, 0 },
                          { STDIN_FILENO, POLLIN, 0 } };
  char chunk[256];
  gssize n;

  if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
    return errno == EINTR;
  if (fds[0].revents != 0)
    return FALSE;
  n = read (STDIN_FILENO, chunk, sizeof chunk);
  if (n < 0)
    return errno == EINTR || errno == EAGAIN;
  if (n == 0)
    return end_last_line (self);
  g_mutex_lock (&self->lock);
  g_string_append_len (self->input, chunk, n);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
take_terminal (SampleConsole *self)
{
  struct termios raw;

  if (!isatty (STDIN_FILENO) || !isatty (STDOUT_FILENO) ||
      tcgetattr (STDIN_FILENO, &self->original) != 0)
    return;
  raw = self->original;
  /* Ctrl-C still ends the program; whoever stops it by Ctrl-Z would find the
   * terminal as it is now. */
  raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
  raw.c_cc[VSUSP] = _POSIX_VDISABLE;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  self->is_terminal = tcsetattr (STDIN_FILENO, TCSANOW, &raw) == 0;
}

SampleConsole *
sample_console_new (void)
{
  SampleConsole *self = g_new0 (SampleConsole, 1);

  self->stop_fd = eventfd (0, EFD_CLOEXEC);
  self->prompt = g_strdup ("");
  self->line = g_string_new (NULL);
  self->input = g_string_new (NULL);
  self->history = g_ptr_array_new_with_free_func (g_free);
  g_mutex_init (&self->lock);
  take_terminal (self);
  return self;
}

/* Nobody may read or show any more. */
void
sample_console_free (SampleConsole *self)
{
  if (self->is_terminal)
    {
      write_all ("\r\033[K", 4);
      tcsetattr (STDIN_FILENO, TCSANOW, &self->original);
    }
  close (self->stop_fd);
  g_free (self->prompt);
  g_string_free (self->line, TRUE);
  g_string_free (self->input, TRUE);
  g_ptr_array_unref (self->history);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
sample_console_is_terminal (SampleConsole *self)
{
  return self->is_terminal;
}

static void
change_prompt (SampleConsole *self, const char *prompt, guint tag)
{
  g_free (self->prompt);
  self->prompt = g_strdup (prompt);
  self->tag = tag;
  draw (self);
}

/* The tag comes back with each line that is ended beside this prompt. */
void
sample_console_set_prompt (SampleConsole *self, const char *prompt, guint tag)
{
  g_mutex_lock (&self->lock);
  change_prompt (self, prompt, tag);
  g_mutex_unlock (&self->lock);
}

/* The same, but not while something is being typed. FALSE if so. */
gboolean
sample_console_offer_prompt (SampleConsole *self, const char *prompt, guint tag)
{
  gboolean is_idle;

  g_mutex_lock (&self->lock);
  is_idle = self->line->len == 0;
  if (is_idle)
    change_prompt (self, prompt, tag);
  g_mutex_unlock (&self->lock);
  return is_idle;
}

/* One line, above what is being typed. What comes from the network must have
 * been through srv_escape (). */
void
sample_console_show (SampleConsole *self, const char *format, ...)
{
  g_autoptr (GString) out = g_string_new (NULL);
  va_list args;

  g_mutex_lock (&self->lock);
  if (self->is_terminal)
    g_string_append (out, "\r\033[K");
  va_start (args, format);
  g_string_append_vprintf (out, format, args);
  va_end (args);
  g_string_append (out, "\n");
  if (self->is_terminal)
    append_row (self, out);
  write_all (out->str, out->len);
  g_mutex_unlock (&self->lock);
}

/* Waits for a line; @tag is that of the prompt beside which it was ended. NULL: there will be no more. */
char *
sample_console_read_line (SampleConsole *self, guint *tag)
{
  gboolean ended = FALSE;
  char *line;

  while ((line = sample_console_take_line (self, tag, &ended)) == NULL &&
         !ended)
    {
      if (!sample_console_read_input (self))
        return NULL;
    }
  return line;
}

/* Ends the waiting of the thread that reads, from any other one. */
void
sample_console_stop (SampleConsole *self)
{
  eventfd_write (self->stop_fd, 1);
}
