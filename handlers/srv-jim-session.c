/* srv-jim-session.c - what a JIM client may do, and when
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A client is new until presence or authenticate has given it a name. Each
 * object is answered once, in order; only quit has no answer. Why a request
 * failed is told in a few words that hold nothing of the client's.
 */

#include "config.h"

#include "srv-jim-session-private.h"

#include "srv-account-error.h"
#include "srv-chat-handler-private.h"
#include "srv-chat-name-private.h"
#include "srv-jim-contacts-private.h"
#include "srv-peer-private.h"

#include <string.h>

/* What a request comes to. */
typedef struct
{
  int code; /* 0: no answer, or it was given */
  const char *text;
  gboolean ends; /* the connection */
} Outcome;

static Outcome
outcome (int code, const char *text)
{
  return (Outcome){ code, text, FALSE };
}

static Outcome
last_outcome (int code, const char *text)
{
  return (Outcome){ code, text, TRUE };
}

static SrvChatHub *
hub_of (SrvJimHandler *self)
{
  return srv_chat_handler_get_hub (SRV_CHAT_HANDLER (self));
}

void
srv_jim_session_answer (SrvJimHandler *self,
                        int code,
                        const char *text,
                        const char *id)
{
  g_autoptr (GBytes) bytes =
    srv_jim_render_response (code, text, id,
                             (guint) g_atomic_int_get (&self->keys));

  srv_chat_handler_post (SRV_CHAT_HANDLER (self), bytes);
}

/* The texts live as long as the outcome: they are the hub's, one for each
 * code. */
static Outcome
refused (const GError *reason)
{
  switch ((SrvChatError) reason->code)
    {
    case SRV_CHAT_ERROR_BAD_NAME:
      return outcome (400, "this cannot be a name");
    case SRV_CHAT_ERROR_NAME_TAKEN:
      return outcome (409, "somebody is connected under this name");
    case SRV_CHAT_ERROR_NOT_ENTERED:
      return outcome (401, "say first who you are");
    case SRV_CHAT_ERROR_NO_MEMBER:
      return outcome (404, "there is nobody with this name");
    case SRV_CHAT_ERROR_GONE:
      return outcome (410, "nobody with this name is there now");
    case SRV_CHAT_ERROR_NO_ROOM:
      return outcome (404, "there is no such room");
    case SRV_CHAT_ERROR_ROOM_EXISTS:
      return outcome (409, "the room exists");
    case SRV_CHAT_ERROR_NOT_IN_ROOM:
      return outcome (403, "you are not in the room");
    case SRV_CHAT_ERROR_FULL:
      return outcome (403, "a limit is reached");
    case SRV_CHAT_ERROR_TOO_FAST:
      return last_outcome (403, "too fast");
    case SRV_CHAT_ERROR_STORE:
    default:
      return outcome (500, "server error");
    }
}

/* Three wrong tries are enough. */
static Outcome
failed_login (SrvJimHandler *self, int code, const char *text)
{
  self->n_failed_logins++;
  return self->n_failed_logins >= self->max_failed_logins
           ? last_outcome (code, text)
           : outcome (code, text);
}

/* Why the store does not let somebody in. That it cannot tell is for the log;
 * the client learns that there is some trouble. */
static Outcome
no_account (SrvJimHandler *self, const GError *reason)
{
  if (reason->domain == SRV_ACCOUNT_ERROR)
    switch ((SrvAccountError) reason->code)
      {
      case SRV_ACCOUNT_ERROR_BANNED:
        return last_outcome (403, "you may not come in");
      case SRV_ACCOUNT_ERROR_TOO_SOON:
        return failed_login (self, 403, "too many attempts; try later");
      case SRV_ACCOUNT_ERROR_BUSY:
        return outcome (500, "too many log in at once; try later");
      default:
        return failed_login (self, 402, "wrong name or password");
      }
  g_warning ("the store of the chat failed: %s", reason->message);
  return outcome (500, "server error");
}

gboolean
srv_jim_session_may_have_mail (SrvJimHandler *self)
{
  return self->is_authenticated || self->auth == SRV_JIM_AUTH_OFF;
}

static Outcome
enter (SrvJimHandler *self, const char *name)
{
  g_autoptr (GError) reason = NULL;

  if (srv_jim_session_may_have_mail (self))
    srv_chat_handler_expect_mail (SRV_CHAT_HANDLER (self));
  if (srv_chat_handler_enter (SRV_CHAT_HANDLER (self), name, &reason))
    {
      self->is_named = TRUE;
      return outcome (200, NULL);
    }
  if (reason->domain != SRV_CHAT_ERROR)
    return outcome (500, "server error");
  if (reason->code == SRV_CHAT_ERROR_NAME_TAKEN)
    return failed_login (self, 409, "somebody is connected under this name");
  return refused (reason);
}

gboolean
srv_jim_session_is_own_name (SrvJimHandler *self, const char *name)
{
  g_autofree char *own =
    srv_chat_hub_dup_name (hub_of (self), SRV_CHAT_MEMBER (self));
  g_autofree char *own_key = srv_chat_name_to_key (own);
  g_autofree char *key = srv_chat_name_to_key (name);

  return strcmp (own_key, key) == 0;
}

/* A new client says who it is, without a password. */
static Outcome
claim_name (SrvJimHandler *self, const char *name)
{
  SrvChatStore *store = srv_chat_handler_get_store (SRV_CHAT_HANDLER (self));
  g_autofree char *account = NULL;
  g_autoptr (GError) error = NULL;

  if (self->auth == SRV_JIM_AUTH_REQUIRED)
    return outcome (401, "authenticate first");
  if (store != NULL)
    account = srv_chat_store_find_account (store, name, &error);
  if (error != NULL &&
      !g_error_matches (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND))
    return no_account (self, error);
  if (account != NULL && self->auth != SRV_JIM_AUTH_OFF)
    return outcome (401, "authenticate first");
  return enter (self, name);
}

static Outcome
do_presence (SrvJimHandler *self, const SrvJimMessage *message)
{
  Outcome result = outcome (200, NULL);

  if (!self->is_named && message->account == NULL)
    return outcome (400, "who are you?");
  if (!self->is_named)
    result = claim_name (self, message->account);
  else if (message->account != NULL &&
           !srv_jim_session_is_own_name (self, message->account))
    return outcome (400, "you have another name");
  if (result.code == 200 && message->status != NULL)
    srv_chat_hub_set_status (hub_of (self), SRV_CHAT_MEMBER (self),
                             message->status);
  return result;
}

static Outcome
do_authenticate (SrvJimHandler *self, const SrvJimMessage *message)
{
  SrvChatStore *store = srv_chat_handler_get_store (SRV_CHAT_HANDLER (self));
  g_autofree char *address = srv_peer_dup_key (SRV_BASE_REQUEST_HANDLER (self));
  g_autofree char *account = NULL;
  g_autoptr (GError) error = NULL;
  Outcome result = outcome (200, NULL);

  if (message->account == NULL || message->password == NULL)
    return outcome (400, "name and password are needed");
  /* Passwords go over the wire as they are. */
  if (!self->allows_insecure_auth &&
      !srv_peer_is_private (SRV_STREAM_REQUEST_HANDLER (self)))
    return outcome (403, "passwords are not taken over this connection");
  if (self->is_named && !srv_jim_session_is_own_name (self, message->account))
    return outcome (400, "you have another name");
  if (store == NULL)
    return failed_login (self, 402, "wrong name or password");
  account = srv_chat_store_check_password (store, message->account,
                                           message->password, address, &error);
  if (account == NULL)
    return no_account (self, error);
  self->is_authenticated = TRUE;
  /* As it is written here: clients look for their name in what they get. */
  if (!self->is_named)
    result = enter (self, message->account);
  if (result.code != 200)
    self->is_authenticated = FALSE;
  return result;
}

/* Whom an addressee stands for that is none: by default nobody. */
static const char *
addressee_of (SrvJimHandler *self, const SrvJimMessage *message)
{
  const char *to = message->to != NULL ? message->to : "";

  if (*to != '\0' && strcmp (to, "all") != 0 && strcmp (to, "client") != 0)
    return to;
  return self->broadcasts
           ? srv_chat_handler_get_default_room (SRV_CHAT_HANDLER (self))
           : NULL;
}

static Outcome
do_msg (SrvJimHandler *self, const SrvJimMessage *message)
{
  const char *to = addressee_of (self, message);
  g_autofree char *names = g_strdup_printf ("%u", message->keys);
  g_autoptr (SrvChatEvent) event = NULL;
  g_autoptr (GError) error = NULL;

  if (to == NULL)
    return outcome (400, "to whom?");
  if (self->is_strict && message->from != NULL &&
      !srv_jim_session_is_own_name (self, message->from))
    return outcome (400, "you have another name");
  event = srv_chat_event_new (to, message->text);
  srv_chat_event_set_label (event, "jim-time", message->time);
  srv_chat_event_set_label (event, "encoding", message->encoding);
  srv_chat_event_set_label (event, SRV_JIM_LABEL_NAMES, names);
  if (!srv_chat_handler_send (SRV_CHAT_HANDLER (self), event, &error))
    return refused (error);
  return outcome (202, NULL);
}

static Outcome
do_join (SrvJimHandler *self, const SrvJimMessage *message)
{
  g_autoptr (GError) error = NULL;
  gboolean created = FALSE;

  if (!srv_chat_hub_join (hub_of (self), SRV_CHAT_MEMBER (self), message->room,
                          &created, &error))
    return refused (error);
  return created ? outcome (201, "room created") : outcome (200, NULL);
}

static Outcome
do_leave (SrvJimHandler *self, const SrvJimMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (srv_chat_hub_leave (hub_of (self), SRV_CHAT_MEMBER (self), message->room,
                          &error))
    return outcome (200, NULL);
  return error->code == SRV_CHAT_ERROR_NOT_IN_ROOM
           ? outcome (404, "you are not in the room")
           : refused (error);
}

static Outcome
do_create (SrvJimHandler *self, const SrvJimMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (!srv_chat_hub_create_room (hub_of (self), SRV_CHAT_MEMBER (self),
                                 message->room, &error))
    return refused (error);
  return outcome (201, "room created");
}

static Outcome
act_on (SrvJimHandler *self, const SrvJimMessage *message)
{
  gboolean is_for_all = message->action == SRV_JIM_PRESENCE ||
                        message->action == SRV_JIM_AUTHENTICATE ||
                        message->action == SRV_JIM_QUIT;

  if (!self->is_named && !is_for_all)
    return outcome (401, "say first who you are");
  switch (message->action)
    {
    case SRV_JIM_PRESENCE:
      return do_presence (self, message);
    case SRV_JIM_AUTHENTICATE:
      return do_authenticate (self, message);
    case SRV_JIM_MSG:
      return do_msg (self, message);
    case SRV_JIM_JOIN:
      return do_join (self, message);
    case SRV_JIM_LEAVE:
      return do_leave (self, message);
    case SRV_JIM_CREATE:
      return do_create (self, message);
    case SRV_JIM_QUIT:
      return last_outcome (0, NULL);
    case SRV_JIM_GET_CONTACTS:
    case SRV_JIM_ADD_CONTACT:
    case SRV_JIM_DEL_CONTACT:
    case SRV_JIM_GET_USERS:
      srv_jim_contacts_serve (self, message);
      return outcome (0, NULL);
    case SRV_JIM_PROBE:
    default:
      return outcome (400, "only the server probes");
    }
}

/* From its first message on, a client is written to in its own words; the way
 * it comes may tell something before. */
static void
learn_keys (SrvJimHandler *self, const SrvJimMessage *message)
{
  guint keys = (guint) g_atomic_int_get (&self->keys);

  if (self->dialect == SRV_JIM_DIALECT_SPEC)
    return;
  if (message->action == SRV_JIM_MSG)
    keys &= ~(guint) (SRV_JIM_KEYS_NAMES | SRV_JIM_KEYS_ALL | SRV_JIM_KEYS_MSG);
  else if ((keys & SRV_JIM_KEYS_ALL) == 0)
    return;
  g_atomic_int_set (&self->keys, (int) (keys | message->keys));
}

/* After the answer, never before: clients take the first thing that comes for
 * it. FALSE when the client cannot be written to. */
static gboolean
follow_up (SrvJimHandler *self, const SrvJimMessage *message)
{
  SrvChatHandler *handler = SRV_CHAT_HANDLER (self);
  g_autoptr (GError) error = NULL;

  if (message->action == SRV_JIM_JOIN)
    srv_chat_handler_show_history (handler, message->room);
  if (message->action != SRV_JIM_PRESENCE &&
      message->action != SRV_JIM_AUTHENTICATE)
    return TRUE;
  if (srv_jim_session_fetch (self, &error))
    return TRUE;
  g_info ("could not hand over what was kept: %s", error->message);
  return FALSE;
}

gboolean
srv_jim_session_fetch (SrvJimHandler *self, GError **error)
{
  return !srv_jim_session_may_have_mail (self) ||
         srv_chat_handler_hand_over (SRV_CHAT_HANDLER (self), error);
}

gboolean
srv_jim_session_serve (SrvJimHandler *self, const char *text, gsize length)
{
  g_autoptr (GError) reason = NULL;
  SrvJimMessage message = { 0 };
  const char *problem;
  Outcome result;

  if (!srv_chat_handler_take (SRV_CHAT_HANDLER (self), 0, 1, &reason))
    {
      srv_jim_session_answer (self, 403, "too fast", NULL);
      return FALSE;
    }
  problem = srv_jim_message_parse (&message, text, length, self->dialect,
                                   self->is_strict);
  if (problem != NULL)
    result = outcome (400, problem);
  else
    {
      learn_keys (self, &message);
      result = act_on (self, &message);
    }
  if (result.code != 0)
    srv_jim_session_answer (self, result.code, result.text, message.id);
  if (result.code / 100 == 2 && !follow_up (self, &message))
    result.ends = TRUE;
  srv_jim_message_clear (&message);
  return !result.ends;
}
