/* chat-screen.c - where lines come from, and where the chat is shown
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whoever waits for a key runs the main context meanwhile, so that the network
 * goes on. With libedit the line is edited by it; without, and when this is no
 * terminal, by the console that the samples share.
 */

#include "chat-screen.h"

#include "sample-console.h"

#ifdef CHAT_HAVE_EDITOR
#include "chat-editor.h"
#endif

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

struct _ChatScreen
{
  SampleConsole *console; /* NULL: there is an editor */
#ifdef CHAT_HAVE_EDITOR
  ChatEditor *editor;
#endif
  gboolean is_paused;
  gboolean is_readable;
  gboolean is_stopped;
};

static gboolean
on_readable (G_GNUC_UNUSED int fd,
             G_GNUC_UNUSED GIOCondition condition,
             gpointer data)
{
  ChatScreen *self = data;

  self->is_readable = TRUE;
  return G_SOURCE_REMOVE;
}

ChatScreen *
chat_screen_new (void)
{
  ChatScreen *self = g_new0 (ChatScreen, 1);

#ifdef CHAT_HAVE_EDITOR
  self->editor = chat_editor_new (self);
  if (self->editor != NULL)
    return self;
#endif
  self->console = sample_console_new ();
  return self;
}

void
chat_screen_free (ChatScreen *self)
{
#ifdef CHAT_HAVE_EDITOR
  g_clear_pointer (&self->editor, chat_editor_free);
#endif
  g_clear_pointer (&self->console, sample_console_free);
  g_free (self);
}

gboolean
chat_screen_is_terminal (ChatScreen *self)
{
  return self->console == NULL || sample_console_is_terminal (self->console);
}

void
chat_screen_set_prompt (ChatScreen *self, const char *prompt)
{
#ifdef CHAT_HAVE_EDITOR
  if (self->editor != NULL)
    {
      chat_editor_set_prompt (self->editor, prompt);
      return;
    }
#endif
  sample_console_set_prompt (self->console, prompt, 0);
}

/* One line, above what is being typed. What comes from the network must have
 * been through srv_escape (). */
void
chat_screen_show (ChatScreen *self, const char *text)
{
#ifdef CHAT_HAVE_EDITOR
  if (self->editor != NULL)
    {
      chat_editor_show (self->editor, text);
      return;
    }
#endif
  sample_console_show (self->console, "%s", text);
}

/* Lets the chat go on until there is something to read. FALSE: nothing will be
 * read any more. */
gboolean
chat_screen_wait (ChatScreen *self)
{
  guint id = 0;

  self->is_readable = FALSE;
  while (!self->is_stopped && !self->is_readable)
    {
      if (self->is_paused)
        g_clear_handle_id (&id, g_source_remove);
      else if (id == 0)
        id = g_unix_fd_add (STDIN_FILENO, G_IO_IN, on_readable, self);
      g_main_context_iteration (NULL, TRUE);
    }
  if (id != 0 && !self->is_readable)
    g_source_remove (id);
  return !self->is_stopped;
}

static char *
read_line (ChatScreen *self)
{
  gboolean has_ended = FALSE;
  guint tag;
  char *line;

#ifdef CHAT_HAVE_EDITOR
  if (self->editor != NULL)
    return chat_editor_read_line (self->editor);
#endif
  while ((line = sample_console_take_line (self->console, &tag, &has_ended)) ==
           NULL &&
         !has_ended)
    {
      if (!chat_screen_wait (self) ||
          !sample_console_read_input (self->console))
        return NULL;
    }
  return line;
}

/* Lines that were read at once are still taken one by one. */
static void
wait_until_wanted (ChatScreen *self)
{
  while (self->is_paused && !self->is_stopped)
    g_main_context_iteration (NULL, TRUE);
}

/* Gives lines to @func until the input ends, and runs until it is stopped. */
void
chat_screen_run (ChatScreen *self, ChatLineFunc func, gpointer data)
{
  char *line;

  while (!self->is_stopped && (line = read_line (self)) != NULL)
    {
      func (line, data);
      g_free (line);
      wait_until_wanted (self);
    }
  if (!self->is_stopped)
    func (NULL, data);
  while (!self->is_stopped)
    g_main_context_iteration (NULL, TRUE);
}

/* No lines are taken meanwhile. */
void
chat_screen_set_paused (ChatScreen *self, gboolean is_paused)
{
  self->is_paused = is_paused;
}

void
chat_screen_stop (ChatScreen *self)
{
  self->is_stopped = TRUE;
}
