/* srv-jim-render.c - the objects of JIM, written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Objects are compact and flat, UTF-8 that is not escaped, and their time is a
 * whole number: a client with a small buffer must get them in one read.
 */

#include "config.h"

#include "srv-jim-json-private.h"
#include "srv-jim-message-private.h"

#include <string.h>

/* By the numbers in SrvJimKeys, of two bits each. */
static const char *const to_names[] = { "to", "destination", "receiver",
                                        "recipient" };
static const char *const text_names[] = { "message", "message_text",
                                          "mess_text", "message" };

#define N_TEXT_NAMES       3
#define N_USUAL_TEXT_NAMES 2

static GString *
begin (const char *name, const char *value)
{
  GString *out = g_string_new ("{");

  g_string_append_printf (out, "\"%s\":%s", name, value);
  return out;
}

static void
append_number (GString *out, const char *name, gint64 number)
{
  g_string_append_printf (out, ",\"%s\":%" G_GINT64_FORMAT, name, number);
}

static void
append_text (GString *out, const char *name, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf (out, ",\"%s\":", name);
  srv_jim_json_append_string (out, text);
}

/* Puts the framing around it. */
static GBytes *
end (GString *out, guint keys)
{
  g_string_append_c (out, '}');
  if ((keys & SRV_JIM_KEYS_LEN32) != 0)
    {
      guint32 length = GUINT32_TO_BE ((guint32) out->len);

      g_string_insert_len (out, 0, (const char *) &length, sizeof length);
    }
  if ((keys & SRV_JIM_KEYS_LINES) != 0)
    g_string_append_c (out, '\n');
  return g_string_free_to_bytes (out);
}

static GString *
begin_response (int code)
{
  g_autofree char *number = g_strdup_printf ("%d", code);
  GString *out = begin ("response", number);

  append_number (out, "time", g_get_real_time () / G_USEC_PER_SEC);
  return out;
}

static GBytes *
end_response (GString *out, const char *text, const char *id, guint keys)
{
  /* The clients that send lengths look for this one, and must find it. */
  if ((keys & SRV_JIM_KEYS_LEN32) != 0)
    append_text (out, "message", text != NULL ? text : "");
  if (id != NULL)
    g_string_append_printf (out, ",\"id\":%s", id);
  return end (out, keys);
}

GBytes *
srv_jim_render_response (int code, const char *text, const char *id, guint keys)
{
  GString *out = begin_response (code);

  append_text (out, code < 400 ? "alert" : "error", text);
  return end_response (out, text, id, keys);
}

GBytes *
srv_jim_render_list (char **names, SrvJimList list, const char *id, guint keys)
{
  GString *out = begin_response (202);

  if (list == SRV_JIM_LIST_EARLY)
    append_number (out, "quantity", g_strv_length (names));
  else
    {
      g_string_append_printf (out, ",\"%s\":[",
                              list == SRV_JIM_LIST_MIDDLE ? "alert"
                                                          : "data_list");
      for (guint i = 0; names[i] != NULL; i++)
        {
          if (i > 0)
            g_string_append_c (out, ',');
          srv_jim_json_append_string (out, names[i]);
        }
      g_string_append_c (out, ']');
    }
  return end_response (out, NULL, id, keys);
}

GBytes *
srv_jim_render_contact (const char *name, guint keys)
{
  GString *out = begin ("action", "\"contact_list\"");

  append_text (out, "user_id", name);
  return end (out, keys);
}

GBytes *
srv_jim_render_probe (guint keys)
{
  GString *out = begin ("action", "\"probe\"");

  append_number (out, "time", g_get_real_time () / G_USEC_PER_SEC);
  return end (out, keys);
}

static void
append_time (GString *out, SrvChatEvent *event, guint keys)
{
  const char *time = srv_chat_event_get_label (event, "jim-time");

  if (time != NULL && (keys & SRV_JIM_KEYS_STAMP) == 0)
    g_string_append_printf (out, ",\"time\":%s", time);
  else
    append_number (out, "time", srv_chat_event_get_time (event));
}

/* What the sender calls things; nothing special when it is of another
 * protocol. */
static guint
names_of_sender (SrvChatEvent *event)
{
  const char *names = srv_chat_event_get_label (event, SRV_JIM_LABEL_NAMES);

  return names != NULL ? (guint) g_ascii_strtoull (names, NULL, 10) : 0;
}

/* The text under several names: @first in any case, the usual ones and the
 * sender's while there is room. */
static void
append_texts (GString *out, const char *text, guint first, guint own)
{
  append_text (out, text_names[first], text);
  for (guint i = 0; i < N_TEXT_NAMES; i++)
    {
      const gsize length = out->len;

      if (i != first && (i < N_USUAL_TEXT_NAMES || i == own))
        append_text (out, text_names[i], text);
      if (g_utf8_strlen (out->str, -1) >= SRV_JIM_MAX_OBJECT)
        g_string_truncate (out, length);
    }
}

/* For who has not shown what names it uses: the two that most use for each, and
 * the sender's. An object has but one action; people who talk to each other
 * mostly have the same client, so it is the sender's too. */
static GBytes *
render_for_all (SrvChatEvent *event,
                const char *from,
                const char *text,
                guint keys)
{
  guint names = names_of_sender (event);
  gboolean is_message = (names & SRV_JIM_KEYS_MESSAGE) != 0 &&
                        (keys & SRV_JIM_KEYS_MSG) == 0;
  const char *to_name = to_names[names >> SRV_JIM_KEYS_TO_SHIFT & 3];
  guint text_name = names >> SRV_JIM_KEYS_TEXT_SHIFT & 3;
  GString *out = begin ("action", is_message ? "\"message\"" : "\"msg\"");

  append_time (out, event, keys);
  append_text (out, "to", srv_chat_event_get_to (event));
  append_text (out, "receiver", srv_chat_event_get_to (event));
  if (strcmp (to_name, "to") != 0 && strcmp (to_name, "receiver") != 0)
    append_text (out, to_name, srv_chat_event_get_to (event));
  append_text (out, "from", from);
  append_text (out, "sender", from);
  append_text (out, "encoding", srv_chat_event_get_label (event, "encoding"));
  append_texts (out, text, is_message ? text_name : 0, text_name);
  return end (out, keys);
}

GBytes *
srv_jim_render_event (SrvChatEvent *event, guint keys)
{
  SrvChatEventKind kind = srv_chat_event_get_kind (event);
  const char *from = srv_chat_event_get_from (event);
  g_autofree char *notice =
    g_strdup_printf ("%s has %s", from,
                     kind == SRV_CHAT_EVENT_JOINED ? "joined" : "left");
  const char *text = srv_chat_event_get_text (event);
  gboolean is_message = (keys & SRV_JIM_KEYS_MESSAGE) != 0;
  GString *out;

  if (kind != SRV_CHAT_EVENT_MESSAGE)
    {
      from = "server";
      text = notice;
    }
  if ((keys & SRV_JIM_KEYS_ALL) != 0)
    return render_for_all (event, from, text, keys);
  out = begin ("action", is_message ? "\"message\"" : "\"msg\"");
  append_time (out, event, keys);
  append_text (out, to_names[keys >> SRV_JIM_KEYS_TO_SHIFT & 3],
               srv_chat_event_get_to (event));
  append_text (out, (keys & SRV_JIM_KEYS_SENDER) != 0 ? "sender" : "from",
               from);
  append_text (out, "encoding", srv_chat_event_get_label (event, "encoding"));
  append_text (out, text_names[keys >> SRV_JIM_KEYS_TEXT_SHIFT & 3], text);
  return end (out, keys);
}
