/* chat-command.c - what lines that are typed mean
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What begins with a slash is a command, and two slashes are a text that begins
 * with one; the rest is said in the room. Programs give objects of JIM instead,
 * without what the client knows by itself.
 */

#include "chat-command.h"

#include <string.h>

typedef struct
{
  ChatSession *session;
  ChatView *view;
} Chat;

typedef void (*Command) (const Chat *chat, char **words);

static void
say (const Chat *chat, const char *to, const char *text)
{
  json_t *object = chat_object_new ("msg");

  chat_object_set (object, "to", to);
  chat_object_set (object, "message", text);
  chat_session_ask (chat->session, object, NULL);
}

static void
say_in_room (const Chat *chat, const char *text)
{
  const char *room = chat_session_get_room (chat->session);

  if (room == NULL)
    chat_view_error (chat->view, "you are in no room: /join #ROOM, or /help");
  else
    say (chat, room, text);
}

static void
ask_for_room (const Chat *chat, const char *action, const char *room)
{
  json_t *object = chat_object_new (action);

  chat_object_set (object, "room", room);
  chat_session_ask (chat->session, object, NULL);
}

/* A room may be written without its mark, and we may be in it. */
static void
enter (const Chat *chat, const char *action, const char *name)
{
  g_autofree char *room = g_strconcat (*name == '#' ? "" : "#", name, NULL);

  if (!chat_session_choose_room (chat->session, room))
    ask_for_room (chat, action, room);
}

static void
do_join (const Chat *chat, char **words)
{
  enter (chat, "join", words[1]);
}

static void
do_create (const Chat *chat, char **words)
{
  enter (chat, "create", words[1]);
}

static void
do_leave (const Chat *chat, char **words)
{
  const char *room = words[1] != NULL ? words[1]
                                      : chat_session_get_room (chat->session);

  if (room == NULL)
    chat_view_error (chat->view, "you are in no room");
  else
    ask_for_room (chat, "leave", room);
}

static void
do_msg (const Chat *chat, char **words)
{
  say (chat, words[1], words[2]);
}

static void
do_rooms (const Chat *chat, G_GNUC_UNUSED char **words)
{
  chat_session_tell_rooms (chat->session);
}

static void
do_who (const Chat *chat, G_GNUC_UNUSED char **words)
{
  chat_session_ask (chat->session, chat_object_new ("get_users"), NULL);
}

static void
do_history (const Chat *chat, G_GNUC_UNUSED char **words)
{
  chat_view_history (chat->view);
}

static void
do_quit (const Chat *chat, G_GNUC_UNUSED char **words)
{
  chat_session_quit (chat->session);
}

static void do_help (const Chat *chat, char **words);

static const struct
{
  const char *name;
  const char *arguments;
  int n_needed;
  int n_most;
  Command run;
  const char *help;
} commands[] = {
  { "/join", "#ROOM", 1, 1, do_join, "go into a room, or back to it" },
  { "/create", "#ROOM", 1, 1, do_create, "make a room" },
  { "/leave", "[#ROOM]", 0, 1, do_leave, "leave a room" },
  { "/rooms", "", 0, 0, do_rooms, "the rooms where you are, this one last" },
  { "/msg", "NAME TEXT", 2, 2, do_msg, "say something to one person" },
  { "/who", "", 0, 0, do_who, "who is there" },
  { "/history", "", 0, 0, do_history, "what was said" },
  { "/help", "", 0, 0, do_help, "this" },
  { "/quit", "", 0, 0, do_quit, "leave; so does Ctrl-D" },
};

static void
do_help (const Chat *chat, G_GNUC_UNUSED char **words)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    chat_view_event (chat->view, "help", "%-9s%-10s %s", commands[i].name,
                     commands[i].arguments, commands[i].help);
}

static void
run_command (const Chat *chat, const char *line)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      const int most = commands[i].n_most;
      g_auto (GStrv) words = g_strsplit (line, " ", MAX (most, 1) + 1);
      const int n = (int) g_strv_length (words) - 1;

      if (strcmp (words[0], commands[i].name) != 0)
        continue;
      if (n < commands[i].n_needed || n > most || (n > 0 && *words[n] == '\0'))
        chat_view_error (chat->view, "usage: %s %s", words[0],
                         commands[i].arguments);
      else
        commands[i].run (chat, words);
      return;
    }
  chat_view_error (chat->view, "there is no such command: /help");
}

/* Says or does what a person has typed. */
void
chat_command_run (ChatSession *session, ChatView *view, const char *line)
{
  const Chat chat = { session, view };
  g_autofree char *text = g_strchomp (g_strdup (line));

  if (!g_utf8_validate (text, -1, NULL))
    chat_view_error (view, "nothing sent: this is not UTF-8");
  else if (g_str_has_prefix (text, "//"))
    say_in_room (&chat, text + 1);
  else if (*text == '/')
    run_command (&chat, text);
  else if (*text != '\0')
    say_in_room (&chat, text);
}

static gboolean
may_ask_for (const char *action)
{
  static const char *const actions[] = { "msg",    "join",      "leave",
                                         "create", "get_users", NULL };

  return action != NULL && g_strv_contains (actions, action);
}

/* Does what a program wants. */
void
chat_command_run_json (ChatSession *session, ChatView *view, const char *line)
{
  json_error_t problem;
  g_autoptr (json_t) object =
    json_loads (line, JSON_REJECT_DUPLICATES, &problem);
  g_autoptr (json_t) id = json_incref (json_object_get (object, "id"));
  const char *action = chat_object_get (object, "action");

  if (object == NULL)
    chat_view_error (view, "this is no JSON: %s", problem.text);
  else if (g_strcmp0 (action, "quit") == 0)
    chat_session_quit (session);
  else if (!may_ask_for (action))
    chat_view_error (view, "the action can be msg, join, leave, create, "
                           "get_users or quit");
  else
    {
      json_t *request = chat_object_new (action);

      json_object_update_missing (request, object);
      json_object_del (request, "id");
      chat_session_ask (session, request, id);
    }
}
