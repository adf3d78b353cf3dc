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

#include <string.h>

/* What a request comes to. */
typedef struct
{
  int code; /* 0: no answer */
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
    default:
      return outcome (500, "server error");
    }
}

/* The store's trouble is for the log; the client learns that there is some. */
static Outcome
store_failed (const GError *error)
{
  g_warning ("the store of the chat failed: %s", error->message);
  return outcome (500, "server error");
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

static Outcome
enter (SrvJimHandler *self, const char *name)
{
  g_autoptr (GError) reason = NULL;

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

/* Whether a name is the client's own, however it is written. */
static gboolean
is_own_name (SrvJimHandler *self, const char *name)
{
  g_autofree char *own =
    srv_chat_hub_dup_name (hub_of (self), SRV_CHAT_MEMBER (self));
  g_autofree char *normal = g_utf8_normalize (name, -1, G_NORMALIZE_NFC);

  return g_strcmp0 (own, normal) == 0;
}

static SrvChatAccount
look_up (SrvJimHandler *self,
         const char *name,
         const char *password,
         GError **error)
{
  if (self->store == NULL)
    return SRV_CHAT_ACCOUNT_UNKNOWN;
  return srv_chat_store_check_password (self->store, name, password, error);
}

/* A new client says who it is, without a password. */
static Outcome
claim_name (SrvJimHandler *self, const char *name)
{
  g_autoptr (GError) error = NULL;

  if (self->auth == SRV_JIM_AUTH_REQUIRED)
    return outcome (401, "authenticate first");
  switch (look_up (self, name, NULL, &error))
    {
    case SRV_CHAT_ACCOUNT_FAILED:
      return store_failed (error);
    case SRV_CHAT_ACCOUNT_BANNED:
      return last_outcome (403, "you may not come in");
    case SRV_CHAT_ACCOUNT_WRONG:
    case SRV_CHAT_ACCOUNT_RIGHT:
      if (self->auth != SRV_JIM_AUTH_OFF)
        return outcome (401, "authenticate first");
      break;
    case SRV_CHAT_ACCOUNT_UNKNOWN:
    default:
      break;
    }
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
  else if (message->account != NULL && !is_own_name (self, message->account))
    return outcome (400, "you have another name");
  if (result.code == 200 && message->status != NULL)
    srv_chat_hub_set_status (hub_of (self), SRV_CHAT_MEMBER (self),
                             message->status);
  return result;
}

/* Passwords go over the wire as they are: only within the machine, unless told
 * otherwise. */
static gboolean
is_private (SrvJimHandler *self)
{
  SrvConnection *connection = srv_stream_request_handler_get_connection (
    SRV_STREAM_REQUEST_HANDLER (self));
  GSocketAddress *address =
    srv_request_get_client_address (SRV_REQUEST (connection));

  if (self->allows_insecure_auth || !G_IS_INET_SOCKET_ADDRESS (address))
    return TRUE;
  return g_inet_address_get_is_loopback (
    g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

static Outcome
do_authenticate (SrvJimHandler *self, const SrvJimMessage *message)
{
  g_autoptr (GError) error = NULL;
  Outcome result = outcome (200, NULL);

  if (message->account == NULL || message->password == NULL)
    return outcome (400, "name and password are needed");
  if (!is_private (self))
    return outcome (403, "passwords are not taken over this connection");
  if (self->is_named && !is_own_name (self, message->account))
    return outcome (400, "you have another name");
  switch (look_up (self, message->account, message->password, &error))
    {
    case SRV_CHAT_ACCOUNT_RIGHT:
      break;
    case SRV_CHAT_ACCOUNT_BANNED:
      return last_outcome (403, "you may not come in");
    case SRV_CHAT_ACCOUNT_FAILED:
      return store_failed (error);
    case SRV_CHAT_ACCOUNT_UNKNOWN:
    case SRV_CHAT_ACCOUNT_WRONG:
    default:
      return failed_login (self, 402, "wrong name or password");
    }
  if (!self->is_named)
    result = enter (self, message->account);
  if (result.code == 200)
    self->is_authenticated = TRUE;
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

/* For somebody who is registered and not there. */
static Outcome
keep_for_later (SrvJimHandler *self, SrvChatEvent *event, const GError *reason)
{
  g_autoptr (GError) error = NULL;

  switch (look_up (self, srv_chat_event_get_to (event), NULL, &error))
    {
    case SRV_CHAT_ACCOUNT_FAILED:
      return store_failed (error);
    case SRV_CHAT_ACCOUNT_WRONG:
    case SRV_CHAT_ACCOUNT_RIGHT:
      return srv_chat_store_save_offline (self->store, event, &error)
               ? outcome (202, NULL)
               : store_failed (error);
    case SRV_CHAT_ACCOUNT_UNKNOWN:
    case SRV_CHAT_ACCOUNT_BANNED:
    default:
      return self->store != NULL
               ? outcome (404, "there is nobody with this name")
               : refused (reason);
    }
}

static Outcome
do_msg (SrvJimHandler *self, const SrvJimMessage *message)
{
  const char *to = addressee_of (self, message);
  g_autoptr (SrvChatEvent) event = NULL;
  g_autoptr (GError) error = NULL;

  if (to == NULL)
    return outcome (400, "to whom?");
  if (self->is_strict && message->from != NULL &&
      !is_own_name (self, message->from))
    return outcome (400, "you have another name");
  event = srv_chat_event_new (to, message->text);
  srv_chat_event_set_label (event, "jim-time", message->time);
  srv_chat_event_set_label (event, "encoding", message->encoding);
  if (!srv_chat_hub_send (hub_of (self), SRV_CHAT_MEMBER (self), event, &error))
    return error->code == SRV_CHAT_ERROR_GONE ||
               error->code == SRV_CHAT_ERROR_NO_MEMBER
             ? keep_for_later (self, event, error)
             : refused (error);
  if (self->store != NULL && srv_chat_event_is_to_room (event) &&
      !srv_chat_store_save_history (self->store, event, &error))
    return store_failed (error);
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
    case SRV_JIM_PROBE:
    default:
      return outcome (400, "only the server probes");
    }
}

/* From its first message on, a client is written to in its own words. */
static void
learn_keys (SrvJimHandler *self, const SrvJimMessage *message)
{
  guint keys = (guint) g_atomic_int_get (&self->keys);

  if (message->action != SRV_JIM_MSG || self->dialect == SRV_JIM_DIALECT_SPEC)
    return;
  keys &= ~(guint) (SRV_JIM_KEYS_NAMES | SRV_JIM_KEYS_ALL);
  g_atomic_int_set (&self->keys, (int) (keys | message->keys));
}

/* After the answer, never before: clients take the first thing that comes for
 * it. */
static void
deliver_offline (SrvJimHandler *self)
{
  g_autofree char *name =
    srv_chat_hub_dup_name (hub_of (self), SRV_CHAT_MEMBER (self));
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (GError) error = NULL;

  if (self->store == NULL || !self->is_authenticated)
    return;
  events = srv_chat_store_take_offline (self->store, name, &error);
  if (events == NULL)
    store_failed (error);
  for (guint i = 0; events != NULL && i < events->len; i++)
    srv_chat_member_deliver (SRV_CHAT_MEMBER (self), events->pdata[i]);
}

gboolean
srv_jim_session_serve (SrvJimHandler *self, const char *text, gsize length)
{
  gboolean was_authenticated = self->is_authenticated;
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
  if (self->is_authenticated && !was_authenticated)
    deliver_offline (self);
  srv_jim_message_clear (&message);
  return !result.ends;
}
