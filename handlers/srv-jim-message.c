/* srv-jim-message.c - the objects of JIM, read
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-jim-message-private.h"

#include "srv-chat-name-private.h"
#include "srv-jim-json-private.h"
#include "srv-secret-private.h"

#include <string.h>

#define MAX_TIME 24

/* Names that stand for one thing, the protocol's own first. */
static const char *const to_names[] = { "to", "destination", "receiver",
                                        "recipient", NULL };
static const char *const from_names[] = { "from", "sender", NULL };
static const char *const text_names[] = { "message", "message_text",
                                          "mess_text", NULL };
static const char *const account_names[] = { "user.account_name", "user",
                                             "account_name", NULL };
/* Of somebody who asks for contacts. The account is somebody else's where there
 * is no user_id. */
static const char *const owner_names[] = { "user.account_name", "user",
                                           "user_login", "account_name", NULL };
static const char *const user_names[] = { "user.account_name", "user",
                                          "user_login", NULL };

static const struct
{
  const char *name;
  SrvJimAction action;
  guint keys;
  gboolean is_alias;
} actions[] = {
  { "presence", SRV_JIM_PRESENCE, 0, FALSE },
  { "probe", SRV_JIM_PROBE, 0, FALSE },
  { "authenticate", SRV_JIM_AUTHENTICATE, 0, FALSE },
  { "msg", SRV_JIM_MSG, 0, FALSE },
  { "message", SRV_JIM_MSG, SRV_JIM_KEYS_MESSAGE, TRUE },
  { "join", SRV_JIM_JOIN, 0, FALSE },
  { "leave", SRV_JIM_LEAVE, 0, FALSE },
  { "create", SRV_JIM_CREATE, 0, FALSE },
  { "quit", SRV_JIM_QUIT, 0, FALSE },
  { "exit", SRV_JIM_QUIT, 0, TRUE },
  { "get_contacts", SRV_JIM_GET_CONTACTS, 0, TRUE },
  { "add_contact", SRV_JIM_ADD_CONTACT, 0, TRUE },
  { "add", SRV_JIM_ADD_CONTACT, 0, TRUE },
  { "del_contact", SRV_JIM_DEL_CONTACT, 0, TRUE },
  { "remove", SRV_JIM_DEL_CONTACT, 0, TRUE },
  { "get_users", SRV_JIM_GET_USERS, 0, TRUE },
};

typedef struct
{
  GHashTable *members;
  gboolean takes_aliases;
  gboolean is_strict;
} Reading;

static gboolean
has (const Reading *reading, const char *name)
{
  return g_hash_table_contains (reading->members, name);
}

/* A string of at most @max characters; left alone when it is not there. FALSE
 * when it is something else or too long. */
static gboolean
read_string (const Reading *reading, const char *name, glong max, char **out)
{
  const SrvJimValue *value = g_hash_table_lookup (reading->members, name);

  if (value == NULL)
    return TRUE;
  if (value->kind != SRV_JIM_STRING || g_utf8_strlen (value->text, -1) > max)
    return FALSE;
  g_free (*out);
  *out = g_strdup (value->text);
  return TRUE;
}

/* The same for something that has several names: they must agree. @which is the
 * place of the first that was there. */
static gboolean
read_alias (const Reading *reading,
            const char *const *names,
            glong max,
            char **out,
            guint *which)
{
  for (guint i = 0; names[i] != NULL && (i == 0 || reading->takes_aliases); i++)
    {
      const SrvJimValue *value =
        g_hash_table_lookup (reading->members, names[i]);
      g_autofree char *text = NULL;

      /* "user" is one of the names, but usually an object. */
      if (value == NULL || value->kind == SRV_JIM_OBJECT)
        continue;
      if (!read_string (reading, names[i], max, &text))
        return FALSE;
      if (*out != NULL && strcmp (*out, text) != 0)
        return FALSE;
      if (*out == NULL)
        {
          *out = g_steal_pointer (&text);
          *which = i;
        }
    }
  return TRUE;
}

/* A scalar that is copied into the answer. */
static gboolean
read_id (const Reading *reading, SrvJimMessage *message)
{
  const SrvJimValue *value = g_hash_table_lookup (reading->members, "id");
  g_autoptr (GString) json = NULL;

  if (value == NULL || value->text == NULL)
    return TRUE;
  if (g_utf8_strlen (value->text, -1) > SRV_JIM_MAX_ID)
    return FALSE;
  json = g_string_new (NULL);
  if (value->kind == SRV_JIM_STRING)
    srv_jim_json_append_string (json, value->text);
  else
    g_string_append (json, value->text);
  message->id = g_strdup (json->str);
  return TRUE;
}

static gboolean
is_number (const char *text)
{
  char *end = NULL;

  g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && strpbrk (text, "xXnNiI \t") == NULL;
}

/* Only a number is passed on; what else people send for a time is let pass. */
static gboolean
read_time (const Reading *reading, SrvJimMessage *message)
{
  const SrvJimValue *value = g_hash_table_lookup (reading->members, "time");
  gboolean is_time;

  is_time = value != NULL && value->text != NULL &&
            strlen (value->text) <= MAX_TIME && is_number (value->text);
  if (is_time && value->kind == SRV_JIM_NUMBER)
    message->time = g_strdup (value->text);
  if (reading->is_strict && message->action != SRV_JIM_QUIT)
    return is_time;
  return value == NULL || value->kind == SRV_JIM_NUMBER ||
         value->kind == SRV_JIM_STRING;
}

static gboolean
read_action (const Reading *reading, SrvJimMessage *message)
{
  g_autofree char *name = NULL;

  if (!read_string (reading, "action", SRV_JIM_MAX_ACTION, &name) ||
      name == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    if (strcmp (actions[i].name, name) == 0 &&
        (reading->takes_aliases || !actions[i].is_alias))
      {
        message->action = actions[i].action;
        message->keys |= actions[i].keys;
        return TRUE;
      }
  return FALSE;
}

/* A name counts in its normal form. */
static gboolean
is_short_name (const char *name)
{
  g_autofree char *normal = NULL;

  if (name == NULL)
    return TRUE;
  normal = g_utf8_normalize (name, -1, G_NORMALIZE_NFC);
  return normal != NULL && g_utf8_strlen (normal, -1) <= SRV_CHAT_NAME_MAX;
}

static gboolean
read_message (const Reading *reading, SrvJimMessage *message)
{
  guint to = 0;
  guint from = 0;
  guint text = 0;

  if (!read_alias (reading, to_names, G_MAXLONG, &message->to, &to) ||
      !read_alias (reading, from_names, G_MAXLONG, &message->from, &from) ||
      !read_alias (reading, text_names, SRV_JIM_MAX_TEXT, &message->text,
                   &text) ||
      !read_string (reading, "encoding", SRV_JIM_MAX_LABEL,
                    &message->encoding) ||
      !is_short_name (message->to) || !is_short_name (message->from))
    return FALSE;
  message->keys |= to << SRV_JIM_KEYS_TO_SHIFT;
  message->keys |= from != 0 ? SRV_JIM_KEYS_SENDER : 0;
  message->keys |= text << SRV_JIM_KEYS_TEXT_SHIFT;
  if (message->text == NULL)
    return FALSE;
  return !reading->is_strict || message->encoding != NULL ||
         g_str_is_ascii (message->text);
}

/* Who authenticates, or comes with what the protocol's own samples have beside
 * the name, has its action for messages from there, too. */
static gboolean
keeps_to_the_samples (const Reading *reading, const SrvJimMessage *message)
{
  return message->action == SRV_JIM_AUTHENTICATE || has (reading, "type") ||
         has (reading, "status") || has (reading, "user.status");
}

static gboolean
read_user (const Reading *reading, SrvJimMessage *message)
{
  guint which = 0;

  if (keeps_to_the_samples (reading, message))
    message->keys |= SRV_JIM_KEYS_MSG;
  return read_alias (reading, account_names, G_MAXLONG, &message->account,
                     &which) &&
         is_short_name (message->account) &&
         read_string (reading, "status", SRV_JIM_MAX_TEXT, &message->status) &&
         read_string (reading, "user.status", SRV_JIM_MAX_TEXT,
                      &message->status) &&
         read_string (reading, "user.password", SRV_JIM_MAX_TEXT,
                      &message->password);
}

static gboolean
read_room (const Reading *reading, SrvJimMessage *message)
{
  if (!read_string (reading, "room", G_MAXLONG, &message->room) ||
      message->room == NULL)
    return FALSE;
  if (message->room[0] != '#' && !reading->is_strict)
    {
      g_autofree char *bare = g_steal_pointer (&message->room);

      message->room = g_strconcat ("#", bare, NULL);
    }
  return is_short_name (message->room);
}

static SrvJimList
list_of (const Reading *reading, const SrvJimMessage *message)
{
  if (message->action == SRV_JIM_GET_USERS || has (reading, "user"))
    return SRV_JIM_LIST_TEMPLATE;
  return has (reading, "user_login") ? SRV_JIM_LIST_MIDDLE : SRV_JIM_LIST_EARLY;
}

/* Who asks, if it says so, and about whom. */
static gboolean
read_contact (const Reading *reading, SrvJimMessage *message)
{
  gboolean is_list = message->action == SRV_JIM_GET_CONTACTS ||
                     message->action == SRV_JIM_GET_USERS;
  gboolean has_id = has (reading, "user_id");
  guint which = 0;

  message->list = list_of (reading, message);
  if (!read_alias (reading, is_list || has_id ? owner_names : user_names,
                   G_MAXLONG, &message->account, &which) ||
      !is_short_name (message->account))
    return FALSE;
  return is_list || (read_string (reading, has_id ? "user_id" : "account_name",
                                  G_MAXLONG, &message->contact) &&
                     message->contact != NULL && *message->contact != '\0' &&
                     is_short_name (message->contact));
}

static const char *
read_fields (const Reading *reading, SrvJimMessage *message)
{
  gboolean ok = TRUE;

  if (!read_id (reading, message))
    return "the id is too long";
  if (!read_action (reading, message))
    return "unknown action";
  if (!read_time (reading, message))
    return "bad time";
  switch (message->action)
    {
    case SRV_JIM_MSG:
      ok = read_message (reading, message);
      break;
    case SRV_JIM_PRESENCE:
    case SRV_JIM_AUTHENTICATE:
      ok = read_user (reading, message);
      break;
    case SRV_JIM_JOIN:
    case SRV_JIM_LEAVE:
    case SRV_JIM_CREATE:
      ok = read_room (reading, message);
      break;
    case SRV_JIM_GET_CONTACTS:
    case SRV_JIM_ADD_CONTACT:
    case SRV_JIM_DEL_CONTACT:
    case SRV_JIM_GET_USERS:
      ok = read_contact (reading, message);
      break;
    case SRV_JIM_PROBE:
      return "only the server probes";
    case SRV_JIM_QUIT:
    default:
      break;
    }
  return ok ? NULL : "a field is missing, wrong or too long";
}

const char *
srv_jim_message_parse (SrvJimMessage *message,
                       const char *text,
                       gsize length,
                       SrvJimDialect dialect,
                       gboolean is_strict)
{
  g_autoptr (GHashTable) members = srv_jim_json_parse (text, length);
  Reading reading = { members, dialect != SRV_JIM_DIALECT_SPEC, is_strict };
  gsize n_characters;

  *message = (SrvJimMessage){ 0 };
  if (members == NULL)
    return "bad JSON";
  n_characters = is_strict ? (gsize) g_utf8_strlen (text, (gssize) length)
                           : srv_jim_json_compact_length (text, length);
  if (n_characters > SRV_JIM_MAX_OBJECT)
    return "the object is too long";
  return read_fields (&reading, message);
}

void
srv_jim_message_clear (SrvJimMessage *message)
{
  char **strings[] = { &message->time,   &message->id,       &message->account,
                       &message->status, &message->to,       &message->from,
                       &message->text,   &message->encoding, &message->room,
                       &message->contact };

  g_clear_pointer (&message->password, srv_secret_free);
  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++)
    g_clear_pointer (strings[i], g_free);
}
