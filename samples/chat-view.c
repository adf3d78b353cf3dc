/* chat-view.c - how the chat looks: text for people, JSON for programs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All text of others is escaped here. On a terminal everything goes above the
 * line that is typed; elsewhere messages go to standard output, and what else
 * there is to say to standard error. For programs, everything is an object on a
 * line of standard output, in ASCII: what came as it came, answers with the
 * action that they answer, and what happened as an "event".
 */

#include "chat-view.h"

#include <socketserver.h>
#include <string.h>

#define MAX_HISTORY 200
#define OLD_S       600 /* after this it is told when something was said */

typedef enum
{
  STYLE_ROOM,
  STYLE_PRIVATE,
  STYLE_EVENT,
  STYLE_ERROR,
} Style;

static const char *const colours[] = { "\033[36m", "\033[1;35m", "\033[2m",
                                       "\033[31m" };

struct _ChatView
{
  ChatScreen *screen; /* not ours */
  gboolean is_json;
  gboolean is_quiet;
  gboolean has_colours;
  GQueue history; /* of strings */
};

static gboolean
wants_colours (ChatScreen *screen)
{
  const char *no_color = g_getenv ("NO_COLOR");

  return chat_screen_is_terminal (screen) &&
         (no_color == NULL || *no_color == '\0') &&
         g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
}

ChatView *
chat_view_new (ChatScreen *screen, gboolean is_json, gboolean is_quiet)
{
  ChatView *self = g_new0 (ChatView, 1);

  self->screen = screen;
  self->is_json = is_json;
  self->is_quiet = is_quiet;
  self->has_colours = !is_json && wants_colours (screen);
  g_queue_init (&self->history);
  return self;
}

void
chat_view_free (ChatView *self)
{
  g_queue_clear_full (&self->history, g_free);
  g_free (self);
}

/* The head of the line has a colour. */
static void
show (ChatView *self, Style style, const char *head, const char *rest)
{
  g_autofree char *line =
    self->has_colours
      ? g_strconcat (colours[style], head, "\033[0m", rest, NULL)
      : g_strconcat (head, rest, NULL);
  const gboolean is_message = style == STYLE_ROOM || style == STYLE_PRIVATE;

  if (is_message || chat_screen_is_terminal (self->screen))
    chat_screen_show (self->screen, line);
  else if (style == STYLE_ERROR || !self->is_quiet)
    g_printerr ("%s\n", line);
}

static void
show_json (ChatView *self, const json_t *object)
{
  char *line = json_dumps (object, JSON_COMPACT | JSON_ENSURE_ASCII);

  chat_screen_show (self->screen, line);
  free (line);
}

/* Of what was said long ago, which came late; otherwise nothing. */
static char *
time_of (const json_t *object)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const gint64 time = chat_object_get_number (object, "time");
  g_autoptr (GDateTime) date = NULL;

  if (time > 0 && time < now - OLD_S)
    date = g_date_time_new_from_unix_local (time);
  return date != NULL ? g_date_time_format (date, "%Y-%m-%d %H:%M ")
                      : g_strdup ("");
}

static char *
escape (const char *text)
{
  return srv_escape (text != NULL ? text : "?", -1);
}

/* The line of a message is its head and its text. */
static void
take_apart (const json_t *object, char **head, char **text)
{
  const char *to = chat_object_get (object, "to");
  const gboolean is_private = to == NULL || *to != '#';
  g_autofree char *time = time_of (object);
  g_autofree char *where = escape (is_private ? "private" : to);
  g_autofree char *from = escape (chat_object_get (object, "from"));
  g_autofree char *safe = escape (chat_object_get (object, "message"));

  *head = g_strdup_printf ("%s[%s] %s:", time, where, from);
  *text = g_strconcat (" ", safe, NULL);
}

static void
remember (ChatView *self, const char *head, const char *text)
{
  g_queue_push_tail (&self->history, g_strconcat (head, text, NULL));
  if (self->history.length > MAX_HISTORY)
    g_free (g_queue_pop_head (&self->history));
}

static void
show_message (ChatView *self, const json_t *object)
{
  const char *to = chat_object_get (object, "to");
  const gboolean is_private = to == NULL || *to != '#';
  g_autofree char *head = NULL;
  g_autofree char *text = NULL;

  take_apart (object, &head, &text);
  show (self, is_private ? STYLE_PRIVATE : STYLE_ROOM, head, text);
  remember (self, head, text);
}

/* Our own, which the terminal shows as it was typed. */
static void
remember_sent (ChatView *self, const json_t *object)
{
  g_autofree char *head = NULL;
  g_autofree char *text = NULL;

  take_apart (object, &head, &text);
  remember (self, head, text);
}

/* What has come and answers nothing. */
void
chat_view_object (ChatView *self, const json_t *object)
{
  const char *text = chat_object_get (object, "alert");

  if (self->is_json)
    show_json (self, object);
  else if (chat_object_get (object, "message") != NULL)
    show_message (self, object);
  else if (text != NULL)
    chat_view_event (self, NULL, "the server says: %s", text);
  else if ((text = chat_object_get (object, "error")) != NULL)
    chat_view_error (self, "the server says: %s", text);
}

static void
show_names (ChatView *self, const json_t *answer)
{
  const json_t *names = json_object_get (answer, "data_list");
  g_autoptr (GString) text = g_string_new (NULL);
  json_t *name;
  gsize i;

  if (!json_is_array (names))
    names = json_object_get (answer, "alert");
  json_array_foreach (names, i, name)
  {
    g_string_append (text, i == 0 ? "" : ", ");
    if (json_is_string (name))
      g_string_append (text, json_string_value (name));
  }
  chat_view_event (self, NULL, "%s", text->len > 0 ? text->str : "nobody");
}

static void
show_success (ChatView *self, const json_t *request, const json_t *answer)
{
  const char *action = chat_object_get (request, "action");
  const char *room = chat_object_get (request, "room");
  const gboolean is_new = chat_object_get_number (answer, "response") == 201;

  if (g_strcmp0 (action, "join") == 0 || g_strcmp0 (action, "create") == 0)
    chat_view_event (self, NULL, "%s %s",
                     is_new ? "you have made" : "you are in", room);
  else if (g_strcmp0 (action, "leave") == 0)
    chat_view_event (self, NULL, "you have left %s", room);
  else if (g_strcmp0 (action, "get_users") == 0)
    show_names (self, answer);
  else if (g_strcmp0 (action, "msg") == 0)
    remember_sent (self, request);
}

/* Something about a request; @why comes from wherever. */
static void
show_failure (ChatView *self, const json_t *request, const char *why)
{
  const char *what = chat_object_get (request, "room");

  if (what == NULL)
    what = chat_object_get (request, "to");
  chat_view_error (self, "%s%s%s: %s", chat_object_get (request, "action"),
                   what != NULL ? " " : "", what != NULL ? what : "", why);
}

static void
show_refusal (ChatView *self, const json_t *request, const json_t *answer)
{
  const char *why = chat_object_get (answer, "error");
  g_autofree char *text =
    g_strdup_printf ("%s (%" G_GINT64_FORMAT ")", why != NULL ? why : "refused",
                     chat_object_get_number (answer, "response"));

  show_failure (self, request, text);
}

/* @object with what it is about; takes it. */
static void
show_json_about (ChatView *self,
                 json_t *object,
                 const json_t *request,
                 json_t *id)
{
  chat_object_set (object, "request", chat_object_get (request, "action"));
  if (id != NULL)
    json_object_set (object, "id", id);
  show_json (self, object);
  json_decref (object);
}

/* @id is what a program has put into its request. */
void
chat_view_answer (ChatView *self,
                  const json_t *request,
                  json_t *id,
                  const json_t *answer)
{
  if (self->is_json)
    show_json_about (self, json_copy ((json_t *) answer), request, id);
  else if (chat_object_get_number (answer, "response") < 400)
    show_success (self, request, answer);
  else
    show_refusal (self, request, answer);
}

/* It may have arrived, or not. */
void
chat_view_unconfirmed (ChatView *self, const json_t *request, json_t *id)
{
  if (self->is_json)
    show_json_about (self, json_pack ("{s:s}", "event", "unconfirmed"), request,
                     id);
  else
    show_failure (self, request, "cut off before it was confirmed");
}

static void
tell (ChatView *self, const char *event, Style style, const char *text)
{
  if (self->is_json)
    {
      g_autoptr (json_t) object =
        json_pack ("{s:s, s:s}", "event", event, "text", text);

      show_json (self, object);
    }
  else
    {
      g_autofree char *safe = escape (text);
      g_autofree char *line =
        g_strconcat (style == STYLE_ERROR ? "! " : "* ", safe, NULL);

      show (self, style, line, "");
    }
}

/* What has happened; programs know it by the name of the event. */
void
chat_view_event (ChatView *self, const char *event, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  tell (self, event, STYLE_EVENT, text);
}

void
chat_view_error (ChatView *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  tell (self, "error", STYLE_ERROR, text);
}

/* What was said before. */
void
chat_view_history (ChatView *self)
{
  for (GList *link = self->history.head; link != NULL; link = link->next)
    chat_screen_show (self->screen, link->data);
}
