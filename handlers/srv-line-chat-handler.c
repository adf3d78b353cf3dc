/* srv-line-chat-handler.c - a chat for people with netcat
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-line-chat-handler.h"

#include "srv-chat-name-private.h"

#include <string.h>

#define MAX_LINE 2048
#define MAX_TEXT 500
/* Of a room of thousands, more names would fill the queue of who asks. */
#define MAX_NAMES 100

/**
 * SrvLineChatHandler:
 *
 * A chat of lines, for people with netcat: a line that begins with `/` is a
 * command, any other is said in the room that was joined last. `/help` lists
 * the commands. Lines are UTF-8, up to 2048 bytes; what is said has up to 500
 * characters, and is shown with everything escaped that could steer a terminal.
 * `/who` names a hundred people, and counts the rest.
 * Of a store it uses the history of rooms.
 *
 * It is also the example of how a chat protocol is written:
 * `converse` reads and acts, `render` writes what others do.
 */
struct _SrvLineChatHandler
{
  SrvChatHandler parent_instance;

  char *room; /* owned; where lines without a command go */
};

G_DEFINE_FINAL_TYPE (SrvLineChatHandler,
                     srv_line_chat_handler,
                     SRV_TYPE_CHAT_HANDLER)

/* A command: FALSE with an error that the client is told. @argument is its
 * line without the command. */
typedef struct
{
  const char *name;
  gboolean (*run) (SrvLineChatHandler *self, char *argument, GError **error);
  const char *help;
} Command;

#define say(self, ...) \
  srv_chat_handler_say (SRV_CHAT_HANDLER (self), __VA_ARGS__)
#define hub_of(self) srv_chat_handler_get_hub (SRV_CHAT_HANDLER (self))

static GBytes *
render_line (SrvChatEvent *event, G_GNUC_UNUSED guint dialect)
{
  const char *from = srv_chat_event_get_from (event);
  const char *to = srv_chat_event_get_to (event);
  g_autofree char *text = srv_escape (srv_chat_event_get_text (event), -1);
  char *line = NULL;

  if (srv_chat_event_get_kind (event) == SRV_CHAT_EVENT_JOINED)
    line = g_strdup_printf ("* %s has come into %s\n", from, to);
  else if (srv_chat_event_get_kind (event) == SRV_CHAT_EVENT_LEFT)
    line = g_strdup_printf ("* %s has left %s\n", from, to);
  else if (srv_chat_event_is_to_room (event))
    line = g_strdup_printf ("[%s] %s: %s\n", to, from, text);
  else
    line = g_strdup_printf ("[private] %s: %s\n", from, text);
  return g_bytes_new_take (line, strlen (line));
}

static GBytes *
srv_line_chat_handler_render (G_GNUC_UNUSED SrvChatHandler *handler,
                              SrvChatEvent *event)
{
  return srv_chat_event_render (event, 0, render_line);
}

static gboolean
send_text (SrvLineChatHandler *self,
           const char *to,
           const char *text,
           GError **error)
{
  g_autoptr (SrvChatEvent) event = srv_chat_event_new (to, text);

  /* Only rooms have what a store keeps: without passwords nobody can be given
   * what was kept for somebody else. */
  if (g_utf8_strlen (text, -1) <= MAX_TEXT)
    return srv_chat_event_is_to_room (event)
             ? srv_chat_handler_send (SRV_CHAT_HANDLER (self), event, error)
             : srv_chat_hub_send (hub_of (self), SRV_CHAT_MEMBER (self), event,
                                  error);
  g_set_error_literal (error, SRV_ERROR, SRV_ERROR_TOO_LONG,
                       "this is too long");
  return FALSE;
}

static gboolean
run_nick (SrvLineChatHandler *self, char *argument, GError **error)
{
  const char *room =
    srv_chat_handler_get_default_room (SRV_CHAT_HANDLER (self));

  if (!srv_chat_handler_enter (SRV_CHAT_HANDLER (self), argument, error))
    return FALSE;
  if (self->room == NULL)
    self->room = g_strdup (room);
  say (self, "you are %s\n", argument);
  return TRUE;
}

static gboolean
run_join (SrvLineChatHandler *self, char *argument, GError **error)
{
  if (!srv_chat_hub_join (hub_of (self), SRV_CHAT_MEMBER (self), argument, NULL,
                          error))
    return FALSE;
  g_free (self->room);
  self->room = g_strdup (argument);
  say (self, "you are in %s\n", argument);
  srv_chat_handler_show_history (SRV_CHAT_HANDLER (self), argument);
  return TRUE;
}

static gboolean
is_same_room (const char *a, const char *b)
{
  g_autofree char *key_a = srv_chat_name_to_key (a);
  g_autofree char *key_b = srv_chat_name_to_key (b);

  return strcmp (key_a, key_b) == 0;
}

static gboolean
run_leave (SrvLineChatHandler *self, char *argument, GError **error)
{
  if (*argument == '\0' && self->room != NULL)
    argument = self->room;
  if (!srv_chat_hub_leave (hub_of (self), SRV_CHAT_MEMBER (self), argument,
                           error))
    return FALSE;
  say (self, "you have left %s\n", argument);
  if (self->room != NULL && is_same_room (argument, self->room))
    g_clear_pointer (&self->room, g_free);
  return TRUE;
}

/* A name with spaces stands in quotes. */
static gboolean
run_msg (SrvLineChatHandler *self, char *argument, GError **error)
{
  gboolean is_quoted = *argument == '"';
  char *name = is_quoted ? argument + 1 : argument;
  char *text = name + strcspn (name, is_quoted ? "\"" : " ");

  if (*text != '\0')
    *text++ = '\0';
  text = g_strchug (text);
  if (*text != '\0')
    return send_text (self, name, text, error);
  say (self, "! /msg NAME TEXT\n");
  return TRUE;
}

/* Only for who has a name: others could have it made at no cost. */
static gboolean
run_who (SrvLineChatHandler *self, char *argument, GError **error)
{
  const char *room = *argument != '\0' ? argument : NULL;
  g_autofree char *own =
    srv_chat_hub_dup_name (hub_of (self), SRV_CHAT_MEMBER (self));
  g_auto (GStrv) names = NULL;
  g_autoptr (GString) list = NULL;
  guint n;

  if (own == NULL)
    g_set_error_literal (error, SRV_CHAT_ERROR, SRV_CHAT_ERROR_NOT_ENTERED,
                         "say first who you are");
  else
    names = srv_chat_hub_list_members (hub_of (self), room, error);
  if (names == NULL)
    return FALSE;
  n = g_strv_length (names);
  list = g_string_new (NULL);
  for (guint i = 0; i < MIN (n, MAX_NAMES); i++)
    g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", names[i]);
  if (n > MAX_NAMES)
    g_string_append_printf (list, " and %u more", n - MAX_NAMES);
  say (self, "%u here: %s\n", n, list->str);
  return TRUE;
}

static gboolean run_help (SrvLineChatHandler *self,
                          char *argument,
                          GError **error);

static const Command commands[] = {
  { "/nick", run_nick, "/nick NAME          say who you are" },
  { "/join", run_join, "/join #ROOM         go into a room" },
  { "/leave", run_leave, "/leave [#ROOM]      leave a room" },
  { "/msg", run_msg, "/msg NAME TEXT      say something to one person" },
  { "/who", run_who, "/who [#ROOM]        who is there" },
  { "/help", run_help, "/help               this" },
  { "/quit", NULL, "/quit               go" },
};

static gboolean
run_help (SrvLineChatHandler *self,
          G_GNUC_UNUSED char *argument,
          G_GNUC_UNUSED GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    say (self, "%s\n", commands[i].help);
  return TRUE;
}

static gboolean
run_command (SrvLineChatHandler *self, char *line, GError **error)
{
  char *argument = line + strcspn (line, " ");

  if (*argument != '\0')
    *argument++ = '\0';
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (line, commands[i].name) == 0 && commands[i].run != NULL)
      return commands[i].run (self, g_strstrip (argument), error);
  say (self, "! no such command; try /help\n");
  return TRUE;
}

/* One line: FALSE when the client shall be told why not. */
static gboolean
act_on (SrvLineChatHandler *self, char *line, GError **error)
{
  if (line[0] == '/')
    return run_command (self, line, error);
  if (self->room != NULL)
    return send_text (self, self->room, line, error);
  say (self, "! join a room first; try /help\n");
  return TRUE;
}

/* Trouble that the client has made: it is told, and can go on unless it is a
 * flood. */
static gboolean
serve_line (SrvLineChatHandler *self, const char *line, gsize length)
{
  g_autofree char *text = g_strndup (line, length);
  g_autoptr (GError) reason = NULL;
  gboolean may_go_on;

  may_go_on =
    srv_chat_handler_take (SRV_CHAT_HANDLER (self), length, 1, &reason);
  if (may_go_on && !g_utf8_validate_len (line, length, NULL))
    say (self, "! this is not UTF-8\n");
  else if (may_go_on && *g_strchomp (text) != '\0')
    act_on (self, text, &reason);
  if (reason != NULL)
    say (self, "! %s\n", reason->message);
  return may_go_on;
}

static gboolean
srv_line_chat_handler_converse (SrvChatHandler *handler, GError **error)
{
  SrvLineChatHandler *self = SRV_LINE_CHAT_HANDLER (handler);
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (self));
  GError *failure = NULL;
  const char *line;
  gssize length;

  say (self, "Welcome. Say /nick NAME, then /join #ROOM; /help for more.\n");
  while ((length = srv_reader_read_line (rfile, &line, MAX_LINE, &failure)) > 0)
    if (strcmp (line, "/quit\n") == 0 || strcmp (line, "/quit\r\n") == 0 ||
        !serve_line (self, line, (gsize) length))
      return TRUE;
  if (g_error_matches (failure, SRV_ERROR, SRV_ERROR_TOO_LONG))
    say (self, "! %s\n", failure->message);
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    say (self, "! time limit reached\n");
  if (failure != NULL)
    g_propagate_error (error, failure);
  return length == 0;
}

static void
srv_line_chat_handler_finalize (GObject *object)
{
  g_free (SRV_LINE_CHAT_HANDLER (object)->room);
  G_OBJECT_CLASS (srv_line_chat_handler_parent_class)->finalize (object);
}

static void
srv_line_chat_handler_class_init (SrvLineChatHandlerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = srv_line_chat_handler_finalize;
  SRV_CHAT_HANDLER_CLASS (klass)->converse = srv_line_chat_handler_converse;
  SRV_CHAT_HANDLER_CLASS (klass)->render = srv_line_chat_handler_render;
}

static void
srv_line_chat_handler_init (G_GNUC_UNUSED SrvLineChatHandler *self)
{
}
