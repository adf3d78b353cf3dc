/* chat-session.c - the client's side of JIM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An answer does not say what it answers: so one request is under way at a
 * time, and the others wait in a queue. First comes who we are, by presence
 * and, if we are asked for it or have one, a password; then the rooms in which
 * we were; then what was typed. After a cut it begins again, with what had not
 * been sent. What had been sent and not answered may or may not have arrived:
 * it is not sent twice, and whoever typed it is told.
 */

#include "chat-session.h"

#include <string.h>

#define MAX_QUEUED 64  /* requests; no more lines are taken then */
#define MAX_HEARD  200 /* names */
#define MAX_ROOMS  100

typedef struct
{
  json_t *object;
  json_t *id;        /* of who asked; NULL: none */
  gboolean is_typed; /* otherwise it is ours */
} Request;

typedef enum
{
  STATE_DOWN,
  STATE_PRESENCE,
  STATE_AUTHENTICATE,
  STATE_IN,
} State;

struct _ChatSession
{
  SampleClient *client; /* none of these is ours */
  ChatScreen *screen;
  ChatView *view;
  ChatEndFunc end;
  gpointer data; /* of the end */

  ChatSessionOptions options;
  ChatLink *link;
  ChatObjects *objects; /* that come */
  State state;
  gboolean was_in;
  gboolean is_authenticated; /* on this connection */
  gboolean is_quitting;
  gboolean has_ended;
  Request *current; /* under way */
  GQueue requests;
  gint64 next_time; /* before which nothing is sent, by the rate */
  guint pace_id;
  guint timeout_id;
  GPtrArray *rooms;  /* of strings; the last one is where text goes */
  GHashTable *heard; /* names of who has said something */
};

static void pump (ChatSession *self);

static Request *
request_new (json_t *object, json_t *id, gboolean is_typed)
{
  Request *request = g_new0 (Request, 1);

  request->object = object;
  request->id = json_incref (id);
  request->is_typed = is_typed;
  return request;
}

static void
request_free (Request *request)
{
  json_decref (request->object);
  json_decref (request->id);
  g_free (request);
}

static gboolean
is_action (const json_t *object, const char *action)
{
  return g_strcmp0 (chat_object_get (object, "action"), action) == 0;
}

static gboolean
is_entry (const json_t *request)
{
  return is_action (request, "join") || is_action (request, "create");
}

static void
end_session (ChatSession *self, const GError *error)
{
  if (self->has_ended)
    return;
  self->has_ended = TRUE;
  chat_link_close (self->link);
  self->end (error, self->data);
}

static void
update_prompt (ChatSession *self)
{
  g_autofree char *text = srv_escape (self->rooms->len > 0
                                        ? chat_session_get_room (self)
                                        : self->options.name,
                                      -1);
  g_autofree char *prompt =
    g_strconcat (text, self->state == STATE_IN ? "> " : "? ", NULL);

  chat_screen_set_prompt (self->screen, prompt);
}

static void
update_pause (ChatSession *self)
{
  chat_screen_set_paused (self->screen, self->requests.length >= MAX_QUEUED);
}

static void
finish_current (ChatSession *self)
{
  g_clear_pointer (&self->current, request_free);
  g_clear_handle_id (&self->timeout_id, g_source_remove);
}

static gboolean
on_timeout (gpointer data)
{
  ChatSession *self = data;
  g_autoptr (GError) error = NULL;

  self->timeout_id = 0;
  g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                       "the server did not answer in time");
  if (self->is_quitting && is_action (self->current->object, "quit"))
    end_session (self, error);
  else
    chat_link_fail (self->link, error);
  return G_SOURCE_REMOVE;
}

static void
submit (ChatSession *self, Request *request)
{
  char *text = json_dumps (request->object, JSON_COMPACT);

  self->current = request;
  self->timeout_id =
    g_timeout_add ((guint) (self->options.timeout_s * 1000), on_timeout, self);
  chat_link_send (self->link, text, strlen (text));
  explicit_bzero (text, strlen (text)); /* there may be a password in it */
  free (text);
}

static gboolean
on_pace (gpointer data)
{
  ChatSession *self = data;

  self->pace_id = 0;
  pump (self);
  return G_SOURCE_REMOVE;
}

/* Servers throw out who is too fast. A burst of one second's worth is let pass.
 * FALSE: it is too early. */
static gboolean
is_time (ChatSession *self)
{
  const gint64 now = g_get_monotonic_time ();

  if (self->options.rate == 0)
    return TRUE;
  if (self->next_time > now)
    {
      if (self->pace_id == 0)
        self->pace_id =
          g_timeout_add ((guint) ((self->next_time - now) / 1000 + 1), on_pace,
                         self);
      return FALSE;
    }
  self->next_time = MAX (self->next_time, now - G_USEC_PER_SEC) +
                    G_USEC_PER_SEC / self->options.rate;
  return TRUE;
}

/* Sends what is next, if nothing is under way. */
static void
pump (ChatSession *self)
{
  if (self->state != STATE_IN || self->current != NULL ||
      self->requests.length == 0 || !is_time (self))
    return;
  submit (self, g_queue_pop_head (&self->requests));
  update_pause (self);
}

static void
add_first (ChatSession *self, json_t *object)
{
  g_queue_push_head (&self->requests, request_new (object, NULL, FALSE));
}

static json_t *
presence (ChatSession *self)
{
  json_t *object = chat_object_new ("presence");
  json_t *user = json_pack ("{s:s}", "account_name", self->options.name);

  if (self->options.status != NULL)
    chat_object_set (user, "status", self->options.status);
  chat_object_set (object, "type", "status");
  json_object_set_new (object, "user", user);
  return object;
}

static json_t *
room_request (const char *action, const char *room)
{
  json_t *object = chat_object_new (action);

  chat_object_set (object, "room", room);
  return object;
}

static void G_GNUC_PRINTF (2, 3)
  refuse (ChatSession *self, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  error =
    g_error_new_valist (G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, format, args);
  va_end (args);
  end_session (self, error);
}

static void
introduce (ChatSession *self)
{
  self->state = STATE_PRESENCE;
  submit (self, request_new (presence (self), NULL, FALSE));
}

static void
authenticate (ChatSession *self)
{
  json_t *object;

  if (!self->options.is_insecure && !sample_client_is_private (self->client))
    {
      refuse (self, "the password would go over the network as it is; "
                    "--insecure allows it");
      return;
    }
  object = chat_object_new ("authenticate");
  json_object_set_new (object, "user",
                       json_pack ("{s:s, s:s}", "account_name",
                                  self->options.name, "password",
                                  self->options.password));
  self->state = STATE_AUTHENTICATE;
  submit (self, request_new (object, NULL, FALSE));
}

/* Somebody has typed that already, and it has not been sent. */
static gboolean
is_asked_for (ChatSession *self, const char *room)
{
  for (GList *link = self->requests.head; link != NULL; link = link->next)
    {
      const Request *request = link->data;

      if (is_entry (request->object) &&
          g_strcmp0 (chat_object_get (request->object, "room"), room) == 0)
        return TRUE;
    }
  return FALSE;
}

static void
come_in (ChatSession *self)
{
  self->state = STATE_IN;
  self->was_in = TRUE;
  chat_view_event (self->view, "entered", "you are %s", self->options.name);
  for (guint i = self->rooms->len; i > 0; i--)
    if (!is_asked_for (self, self->rooms->pdata[i - 1]))
      add_first (self, room_request ("join", self->rooms->pdata[i - 1]));
  update_prompt (self);
  pump (self);
}

/* After a cut the server may believe for a while that we are still there. */
static void
be_turned_away (ChatSession *self, gint64 code, const json_t *answer)
{
  const char *why = chat_object_get (answer, "error");
  g_autofree char *safe =
    srv_escape (why != NULL ? why : "no reason given", -1);
  g_autoptr (GError) error = NULL;

  if (code == 401 && self->options.password == NULL)
    refuse (self, "the server wants a password: --ask-password, or "
                  "--password-file");
  else if (code == 409 && self->was_in)
    {
      g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                           "the name is still taken");
      chat_link_fail (self->link, error);
    }
  else
    refuse (self, "the server does not let %s in: %s (%" G_GINT64_FORMAT ")",
            self->options.name, safe, code);
}

static void
on_login_answer (ChatSession *self, gint64 code, const json_t *answer)
{
  const gboolean can_authenticate = self->options.password != NULL &&
                                    !self->is_authenticated;
  const gboolean is_welcome = code < 400;

  finish_current (self);
  if (self->state == STATE_AUTHENTICATE && is_welcome)
    {
      self->is_authenticated = TRUE;
      introduce (self);
    }
  else if (self->state == STATE_PRESENCE && can_authenticate &&
           (is_welcome || code == 401))
    authenticate (self);
  else if (is_welcome)
    come_in (self);
  else
    be_turned_away (self, code, answer);
}

static guint
find_room (ChatSession *self, const char *room)
{
  guint i;

  for (i = 0; i < self->rooms->len; i++)
    if (strcmp (self->rooms->pdata[i], room) == 0)
      break;
  return i;
}

/* What is typed next, before there is an answer, is meant for the new room. */
static void
remember_room (ChatSession *self, const json_t *request, gboolean is_inside)
{
  const char *room = chat_object_get (request, "room");
  guint i;

  if (room == NULL)
    return;
  i = find_room (self, room);
  if (i < self->rooms->len)
    g_ptr_array_remove_index (self->rooms, i);
  if (is_inside && self->rooms->len < MAX_ROOMS)
    g_ptr_array_add (self->rooms, g_strdup (room));
  update_prompt (self);
}

/* Those whom we know of are better than nothing. */
static void
tell_heard (ChatSession *self)
{
  g_autofree char **names =
    (char **) g_hash_table_get_keys_as_array (self->heard, NULL);
  g_autofree char *text = g_strjoinv (", ", names);

  chat_view_event (self->view, "heard",
                   "the server does not tell; heard so far: %s",
                   *text != '\0' ? text : "nobody");
}

static void
on_answer (ChatSession *self, gint64 code, const json_t *answer)
{
  const json_t *request = self->current->object;

  if (is_action (request, "get_users") && code == 400)
    tell_heard (self);
  else if (self->current->is_typed || is_entry (request) || code >= 400)
    chat_view_answer (self->view, request, self->current->id, answer);
  if (is_entry (request) && code >= 400)
    remember_room (self, request, FALSE);
  finish_current (self);
  pump (self);
}

/* 1xx and 205 come by themselves. */
static void
on_response (ChatSession *self, gint64 code, const json_t *object)
{
  if (code < 200 || code == 205 || self->current == NULL ||
      is_action (self->current->object, "quit"))
    chat_view_object (self->view, object);
  else if (self->state == STATE_IN)
    on_answer (self, code, object);
  else
    on_login_answer (self, code, object);
}

static gboolean
is_presence_next (ChatSession *self)
{
  const Request *next = g_queue_peek_head (&self->requests);

  return next != NULL && is_action (next->object, "presence");
}

static void
on_object (ChatSession *self, const json_t *object)
{
  const char *from = chat_object_get (object, "from");

  if (json_object_get (object, "response") != NULL)
    on_response (self, chat_object_get_number (object, "response"), object);
  else if (!is_action (object, "probe"))
    {
      if (from != NULL && g_hash_table_size (self->heard) < MAX_HEARD)
        g_hash_table_add (self->heard, g_strdup (from));
      chat_view_object (self->view, object);
    }
  else if (self->state == STATE_IN && !is_presence_next (self))
    {
      add_first (self, presence (self));
      pump (self);
    }
}

static void
on_received (const char *bytes, gsize length, gpointer data)
{
  ChatSession *self = data;
  g_autoptr (GError) error = NULL;
  json_t *object;

  chat_objects_feed (self->objects, bytes, length);
  while (!self->has_ended && self->state != STATE_DOWN &&
         (object = chat_objects_take (self->objects, &error)) != NULL)
    {
      on_object (self, object);
      json_decref (object);
    }
  if (error != NULL)
    end_session (self, error);
}

static void
on_up (gpointer data)
{
  ChatSession *self = data;

  chat_objects_clear (self->objects);
  self->is_authenticated = FALSE;
  chat_view_event (self->view, "connected", "connected to %s",
                   sample_client_get_endpoint (self->client));
  introduce (self);
}

/* What was under way, and what we would send again in any case. */
static void
drop_requests (ChatSession *self)
{
  if (self->current != NULL && self->current->is_typed)
    chat_view_unconfirmed (self->view, self->current->object,
                           self->current->id);
  finish_current (self);
  while (self->requests.length > 0 &&
         !((Request *) self->requests.head->data)->is_typed)
    request_free (g_queue_pop_head (&self->requests));
}

static void
on_down (const GError *error, double delay_s, gpointer data)
{
  ChatSession *self = data;
  const gboolean was_asked = self->current != NULL &&
                             is_action (self->current->object, "quit");

  self->state = STATE_DOWN;
  if (was_asked || self->has_ended)
    {
      end_session (self, NULL);
      return;
    }
  drop_requests (self);
  update_prompt (self);
  if (delay_s < 0)
    end_session (self, error);
  else
    chat_view_event (self->view, "lost", "%s; trying again in %.1f s",
                     error->message, delay_s);
}

static const ChatLinkEvents link_events = { on_up, on_received, on_down };

ChatSession *
chat_session_new (SampleClient *client,
                  ChatScreen *screen,
                  ChatView *view,
                  const ChatSessionOptions *options,
                  ChatEndFunc end,
                  gpointer data)
{
  ChatSession *self = g_new0 (ChatSession, 1);

  self->client = client;
  self->screen = screen;
  self->view = view;
  self->options = *options;
  self->end = end;
  self->data = data;
  self->link = chat_link_new (client, &options->link, &link_events, self);
  self->objects = chat_objects_new ();
  g_queue_init (&self->requests);
  self->rooms = g_ptr_array_new_with_free_func (g_free);
  self->heard = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (char **room = options->rooms; room != NULL && *room != NULL; room++)
    if (find_room (self, *room) == self->rooms->len)
      g_ptr_array_add (self->rooms, g_strdup (*room));
  return self;
}

void
chat_session_free (ChatSession *self)
{
  self->has_ended = TRUE;
  chat_link_free (self->link);
  chat_objects_free (self->objects);
  finish_current (self);
  g_clear_handle_id (&self->pace_id, g_source_remove);
  g_queue_clear_full (&self->requests, (GDestroyNotify) request_free);
  g_ptr_array_unref (self->rooms);
  g_hash_table_unref (self->heard);
  g_free (self);
}

void
chat_session_start (ChatSession *self)
{
  update_prompt (self);
  chat_link_open (self->link);
}

static glong
length_of (const json_t *object)
{
  char *text = json_dumps (object, JSON_COMPACT);
  const glong length = g_utf8_strlen (text, -1);

  free (text);
  return length;
}

/* Sends @object, which it takes, when it is its turn; @id is given back with
 * the answer. */
void
chat_session_ask (ChatSession *self, json_t *object, json_t *id)
{
  const char *text = chat_object_get (object, "message");

  if (is_action (object, "msg"))
    {
      chat_object_set (object, "from", self->options.name);
      chat_object_set (object, "encoding", "utf-8");
    }
  if (text != NULL && g_utf8_strlen (text, -1) > CHAT_MAX_TEXT)
    chat_view_error (self->view,
                     "nothing sent: %ld characters are more than %d",
                     g_utf8_strlen (text, -1), CHAT_MAX_TEXT);
  else if (length_of (object) > CHAT_MAX_SENT)
    chat_view_error (self->view, "nothing sent: it is too long");
  else if (!self->is_quitting)
    {
      if (is_entry (object) || is_action (object, "leave"))
        remember_room (self, object, is_entry (object));
      g_queue_push_tail (&self->requests,
                         request_new (json_incref (object), id, TRUE));
      update_pause (self);
      pump (self);
    }
  json_decref (object);
}

/* Takes leave after what is still to be sent; a person does not wait for a
 * server that is not there. */
void
chat_session_quit (ChatSession *self)
{
  if (self->is_quitting)
    return;
  self->is_quitting = TRUE;
  if (self->state == STATE_DOWN && chat_screen_is_terminal (self->screen))
    {
      end_session (self, NULL);
      return;
    }
  g_queue_push_tail (&self->requests,
                     request_new (chat_object_new ("quit"), NULL, TRUE));
  pump (self);
}

/* Ends at once. */
void
chat_session_give_up (ChatSession *self)
{
  end_session (self, NULL);
}

/* The one to which text goes; NULL: there is none. */
const char *
chat_session_get_room (ChatSession *self)
{
  return self->rooms->len > 0 ? self->rooms->pdata[self->rooms->len - 1] : NULL;
}

/* FALSE: we are not in it. */
gboolean
chat_session_choose_room (ChatSession *self, const char *room)
{
  const guint i = find_room (self, room);

  if (i == self->rooms->len)
    return FALSE;
  g_ptr_array_add (self->rooms, g_ptr_array_steal_index (self->rooms, i));
  update_prompt (self);
  return TRUE;
}

void
chat_session_tell_rooms (ChatSession *self)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < self->rooms->len; i++)
    g_string_append_printf (text, "%s%s", i == 0 ? "" : ", ",
                            (char *) self->rooms->pdata[i]);
  chat_view_event (self->view, "rooms", "%s",
                   text->len > 0 ? text->str : "you are in no room");
}
