/* operator-desk.c - one operator, many conversations
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Handlers, each in its thread, bring what clients say; one thread brings what
 * the operator types. An answer goes to the conversation that the prompt names,
 * and that never changes while something is being typed.
 *
 * An answer is sent without waiting: a client that does not read must not keep
 * the operator from the others. What the system holds back for a client, some
 * hundred kilobytes, is limit enough; who has let it fill up is cut off.
 */

#include "operator-desk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

typedef struct
{
  guint id;
  SrvRequest *request; /* borrowed from the handler, which leaves before */
  char *client;        /* owned */
  guint n_unanswered;
} Conversation;

/* What a handler has to tell. */
typedef struct
{
  OperatorDesk *desk;
  guint id;
  const char *text;
  Conversation *conversation; /* a new one */
} Event;

struct _OperatorDesk
{
  SampleConsole *console; /* borrowed */

  GMutex lock;              /* guards the rest */
  GPtrArray *conversations; /* of Conversation, the oldest first */
  guint last_id;
  guint chosen; /* whom the prompt names; 0: nobody */
};

static void
conversation_free (gpointer data)
{
  Conversation *conversation = data;

  g_free (conversation->client);
  g_free (conversation);
}

static Conversation *
find (OperatorDesk *self, guint id)
{
  for (guint i = 0; i < self->conversations->len; i++)
    {
      Conversation *conversation = self->conversations->pdata[i];

      if (conversation->id == id)
        return conversation;
    }
  return NULL;
}

static char *
make_prompt (guint id)
{
  return id != 0 ? g_strdup_printf ("[%u] >>> ", id) : g_strdup (">>> ");
}

static void
choose (OperatorDesk *self, guint id)
{
  g_autofree char *prompt = make_prompt (id);

  self->chosen = id;
  sample_console_set_prompt (self->console, prompt, id);
}

/* Whoever speaks while nobody is chosen is, but not behind the operator's
 * back. */
static void
offer (OperatorDesk *self, guint id)
{
  g_autofree char *prompt = make_prompt (id);

  if (self->chosen == 0 &&
      sample_console_offer_prompt (self->console, prompt, id))
    self->chosen = id;
}

static void
answer (OperatorDesk *self, Conversation *conversation, const char *text)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  const gsize length = strlen (line);
  const gssize n = send (srv_request_fileno (conversation->request), line,
                         length, MSG_DONTWAIT | MSG_NOSIGNAL);

  conversation->n_unanswered = 0;
  if (n >= 0 && (gsize) n == length)
    return;
  if (n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK)
    sample_console_show (self->console, "[%u] does not read; it is cut off",
                         conversation->id);
  srv_request_cut (conversation->request);
}

static void
list (OperatorDesk *self)
{
  if (self->conversations->len == 0)
    sample_console_show (self->console, "nobody is here");
  for (guint i = 0; i < self->conversations->len; i++)
    {
      const Conversation *conversation = self->conversations->pdata[i];

      sample_console_show (self->console, "[%u] %s, %u unanswered",
                           conversation->id, conversation->client,
                           conversation->n_unanswered);
    }
}

static void
answer_all (OperatorDesk *self, const char *text)
{
  for (guint i = 0; i < self->conversations->len; i++)
    answer (self, self->conversations->pdata[i], text);
}

/* "3 text": the number and what follows the spaces behind it. */
static Conversation *
parse_address (OperatorDesk *self, const char *words, const char **rest)
{
  char *end;
  const guint64 id = g_ascii_strtoull (words, &end, 10);
  Conversation *conversation =
    id > 0 && id <= G_MAXUINT ? find (self, (guint) id) : NULL;

  if (end == words || conversation == NULL)
    {
      sample_console_show (self->console, "there is no conversation %.*s",
                           (int) strcspn (words, " "), words);
      return NULL;
    }
  *rest = end + strspn (end, " ");
  return conversation;
}

static void
help (OperatorDesk *self)
{
  sample_console_show (self->console, "TEXT answers whom the prompt names; "
                                      "@3 TEXT answers conversation 3;");
  sample_console_show (self->console, "/to 3, /all TEXT, /bye 3, /list, /help, "
                                      "/quit");
}

/* FALSE when the operator has had enough. */
static gboolean
obey_command (OperatorDesk *self, const char *line)
{
  Conversation *conversation;
  const char *rest;

  if (strcmp (line, "/quit") == 0)
    return FALSE;
  if (strcmp (line, "/list") == 0)
    list (self);
  else if (g_str_has_prefix (line, "/all "))
    answer_all (self, line + strlen ("/all "));
  else if (g_str_has_prefix (line, "/to "))
    {
      conversation = parse_address (self, line + strlen ("/to "), &rest);
      if (conversation != NULL)
        choose (self, conversation->id);
    }
  else if (g_str_has_prefix (line, "/bye "))
    {
      conversation = parse_address (self, line + strlen ("/bye "), &rest);
      if (conversation != NULL)
        srv_request_cut (conversation->request);
    }
  else
    help (self);
  return TRUE;
}

static void
obey_text (OperatorDesk *self, guint chosen, const char *line)
{
  Conversation *conversation = find (self, chosen);
  const char *text = line;

  if (*line == '@')
    conversation = parse_address (self, line + 1, &text);
  else if (conversation == NULL)
    sample_console_show (self->console,
                         "nobody is chosen: @NUMBER TEXT, or /help");
  if (conversation != NULL)
    answer (self, conversation, text);
}

/* @console is borrowed. */
OperatorDesk *
operator_desk_new (SampleConsole *console)
{
  OperatorDesk *self = g_new0 (OperatorDesk, 1);

  self->console = console;
  self->conversations = g_ptr_array_new_with_free_func (conversation_free);
  g_mutex_init (&self->lock);
  choose (self, 0);
  return self;
}

/* When all have left. */
void
operator_desk_free (OperatorDesk *self)
{
  g_ptr_array_unref (self->conversations);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* The lock is held while the terminal is written to, which may stand still. A
 * fiber must not keep its worker from others meanwhile. */
static void
tell (SrvTaskFunc what, Event *event)
{
  if (!srv_offload (what, event, NULL))
    what (event);
}

static void
note_joined (gpointer data)
{
  Event *event = data;
  OperatorDesk *self = event->desk;

  g_mutex_lock (&self->lock);
  event->id = event->conversation->id = ++self->last_id;
  g_ptr_array_add (self->conversations, event->conversation);
  sample_console_show (self->console, "[%u] %s is here", event->id,
                       event->conversation->client);
  g_mutex_unlock (&self->lock);
}

static void
note_said (gpointer data)
{
  const Event *event = data;
  OperatorDesk *self = event->desk;
  Conversation *conversation;

  g_mutex_lock (&self->lock);
  conversation = find (self, event->id);
  g_assert (conversation != NULL);
  conversation->n_unanswered++;
  sample_console_show (self->console, "[%u] %s", event->id, event->text);
  offer (self, event->id);
  g_mutex_unlock (&self->lock);
}

static void
note_left (gpointer data)
{
  const Event *event = data;
  OperatorDesk *self = event->desk;

  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->conversations, find (self, event->id));
  sample_console_show (self->console, "[%u] has left: %s", event->id,
                       event->text);
  if (self->chosen == event->id)
    choose (self, 0);
  g_mutex_unlock (&self->lock);
}

/* A client is here; gives the number of its conversation. */
guint
operator_desk_join (OperatorDesk *self, SrvRequest *request)
{
  g_autofree char *client = srv_request_describe_client (request);
  Event event = { .desk = self, .conversation = g_new0 (Conversation, 1) };

  event.conversation->request = request;
  event.conversation->client = srv_escape (client, -1);
  tell (note_joined, &event);
  return event.id;
}

/* A client has said something. */
void
operator_desk_say (OperatorDesk *self, guint id, const char *text, gsize length)
{
  g_autofree char *shown = srv_escape (text, (gssize) length);
  Event event = { .desk = self, .id = id, .text = shown };

  tell (note_said, &event);
}

/* Its end, and why. What the operator is typing for it goes to nobody else. */
void
operator_desk_leave (OperatorDesk *self, guint id, const char *reason)
{
  Event event = { .desk = self, .id = id, .text = reason };

  tell (note_left, &event);
}

/* What the operator has typed, and whom the prompt named then. FALSE when it was
 * to quit. */
gboolean
operator_desk_obey (OperatorDesk *self, guint chosen, const char *line)
{
  gboolean go_on = TRUE;

  g_mutex_lock (&self->lock);
  if (*line == '/')
    go_on = obey_command (self, line);
  else if (*line != '\0')
    obey_text (self, chosen, line);
  g_mutex_unlock (&self->lock);
  return go_on;
}
