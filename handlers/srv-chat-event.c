/* srv-chat-event.c - something that members of a chat are told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-event.h"

#include "srv-chat-event-private.h"

#include <string.h>

/**
 * SrvChatEvent:
 *
 * Something that members of a chat are told: who says what to whom.
 *
 * It knows no protocol, but keeps what protocols have made of it: a message to
 * a room of a thousand is written out once for each dialect that somebody there
 * speaks, not a thousand times.
 */
struct _SrvChatEvent
{
  SrvChatEventKind kind;
  char *from; /* owned; NULL until the hub has set it */
  char *to;   /* owned */
  char *text; /* owned */
  gint64 time;
  GData *labels; /* of strings */

  GMutex lock;
  GArray *renderings; /* of Rendering; under lock */
};

typedef struct
{
  SrvChatRenderFunc render;
  guint dialect;
  GBytes *bytes; /* owned */
} Rendering;

G_DEFINE_BOXED_TYPE (SrvChatEvent,
                     srv_chat_event,
                     srv_chat_event_ref,
                     srv_chat_event_unref)

G_DEFINE_ENUM_TYPE (SrvChatEventKind,
                    srv_chat_event_kind,
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_EVENT_MESSAGE, "message"),
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_EVENT_JOINED, "joined"),
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_EVENT_LEFT, "left"))

static void
rendering_clear (gpointer data)
{
  g_bytes_unref (((Rendering *) data)->bytes);
}

static void
event_clear (gpointer data)
{
  SrvChatEvent *self = data;

  g_free (self->from);
  g_free (self->to);
  g_free (self->text);
  g_datalist_clear (&self->labels);
  g_mutex_clear (&self->lock);
  g_array_unref (self->renderings);
}

/**
 * srv_chat_event_new:
 * @to: a room, if it begins with `#`, or a member
 * @text: UTF-8
 *
 * Makes a message. Who it is from is set by the hub.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new event
 */
SrvChatEvent *
srv_chat_event_new (const char *to, const char *text)
{
  SrvChatEvent *self;

  g_return_val_if_fail (to != NULL, NULL);
  g_return_val_if_fail (text != NULL, NULL);

  self = g_atomic_rc_box_new0 (SrvChatEvent);
  self->kind = SRV_CHAT_EVENT_MESSAGE;
  self->to = g_strdup (to);
  self->text = g_strdup (text);
  self->time = g_get_real_time () / G_USEC_PER_SEC;
  g_datalist_init (&self->labels);
  g_mutex_init (&self->lock);
  self->renderings = g_array_new (FALSE, FALSE, sizeof (Rendering));
  g_array_set_clear_func (self->renderings, rendering_clear);
  return self;
}

SrvChatEvent *
srv_chat_event_new_notice (SrvChatEventKind kind,
                           const char *from,
                           const char *room)
{
  SrvChatEvent *self = srv_chat_event_new (room, "");

  self->kind = kind;
  self->from = g_strdup (from);
  return self;
}

void
srv_chat_event_address (SrvChatEvent *self, const char *from, const char *to)
{
  char *old_to = self->to;

  g_free (self->from);
  self->from = g_strdup (from);
  self->to = g_strdup (to);
  g_free (old_to);
}

static void
append_label (GQuark name, gpointer value, gpointer out)
{
  g_autofree char *escaped = g_strescape (value, NULL);

  g_string_append_printf (out, "%s=%s\n", g_quark_to_string (name), escaped);
}

SrvChatRecord *
srv_chat_event_to_record (SrvChatEvent *self)
{
  g_autoptr (GString) labels = g_string_new (NULL);

  g_datalist_foreach (&self->labels, append_label, labels);
  return srv_chat_record_new (self->time, self->from, self->to, self->text,
                              labels->len > 0 ? labels->str : NULL);
}

SrvChatEvent *
srv_chat_event_new_from_record (const SrvChatRecord *record)
{
  SrvChatEvent *self = srv_chat_event_new (record->to, record->text);
  g_auto (GStrv) lines =
    g_strsplit (record->extra != NULL ? record->extra : "", "\n", -1);

  self->from = g_strdup (record->from);
  self->time = record->time;
  for (char **line = lines; *line != NULL; line++)
    {
      char *value = strchr (*line, '=');
      g_autofree char *plain = NULL;

      if (value == NULL)
        continue;
      *value = '\0';
      plain = g_strcompress (value + 1);
      srv_chat_event_set_label (self, *line, plain);
    }
  return self;
}

/**
 * srv_chat_event_ref:
 * @self: an event
 *
 * Takes a reference.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the same event, with one more reference
 */
SrvChatEvent *
srv_chat_event_ref (SrvChatEvent *self)
{
  return g_atomic_rc_box_acquire (self);
}

/**
 * srv_chat_event_unref:
 * @self: (transfer full): an event
 *
 * Gives a reference back.
 *
 * Threads: any.
 */
void
srv_chat_event_unref (SrvChatEvent *self)
{
  g_atomic_rc_box_release_full (self, event_clear);
}

/**
 * srv_chat_event_get_kind:
 * @self: an event
 *
 * Gets what the event is about.
 *
 * Threads: any.
 *
 * Returns: what the event is about
 */
SrvChatEventKind
srv_chat_event_get_kind (SrvChatEvent *self)
{
  return self->kind;
}

/**
 * srv_chat_event_get_from:
 * @self: an event
 *
 * Gets the name of whom the event is from, or about. The hub has set it, so it
 * cannot be forged.
 *
 * Threads: any.
 *
 * Returns: (nullable): the name, %NULL before the event was sent
 */
const char *
srv_chat_event_get_from (SrvChatEvent *self)
{
  return self->from;
}

/**
 * srv_chat_event_get_to:
 * @self: an event
 *
 * Gets whom the event is for: a room or a member, by the name that it has given
 * itself.
 *
 * Threads: any.
 *
 * Returns: the name
 */
const char *
srv_chat_event_get_to (SrvChatEvent *self)
{
  return self->to;
}

/**
 * srv_chat_event_is_to_room:
 * @self: an event
 *
 * Asks whether the event is for a room.
 *
 * Threads: any.
 *
 * Returns: %TRUE when the event is for a room
 */
gboolean
srv_chat_event_is_to_room (SrvChatEvent *self)
{
  return self->to[0] == '#';
}

/**
 * srv_chat_event_get_text:
 * @self: an event
 *
 * Gets what is said.
 *
 * Threads: any.
 *
 * Returns: what is said, as the client has sent it; empty for a notice
 */
const char *
srv_chat_event_get_text (SrvChatEvent *self)
{
  return self->text;
}

/**
 * srv_chat_event_get_time:
 * @self: an event
 *
 * Gets when it happened.
 *
 * Threads: any.
 *
 * Returns: when the event was made, in seconds since 1970
 */
gint64
srv_chat_event_get_time (SrvChatEvent *self)
{
  return self->time;
}

/**
 * srv_chat_event_set_label:
 * @self: an event that nobody has seen yet
 * @name: which label
 * @value: (nullable): its text
 *
 * Keeps something beside a message that is only for those who know it, such as
 * a field that one protocol passes on.
 *
 * Threads: the one that has made the event.
 */
void
srv_chat_event_set_label (SrvChatEvent *self,
                          const char *name,
                          const char *value)
{
  if (value != NULL)
    g_datalist_set_data_full (&self->labels, name, g_strdup (value), g_free);
  else
    g_datalist_remove_data (&self->labels, name);
}

/**
 * srv_chat_event_get_label:
 * @self: an event
 * @name: which label
 *
 * Gets what was kept beside a message.
 *
 * Threads: any.
 *
 * Returns: (nullable): its text, %NULL if it was not set
 */
const char *
srv_chat_event_get_label (SrvChatEvent *self, const char *name)
{
  return g_datalist_get_data (&self->labels, name);
}

/**
 * srv_chat_event_render: (skip)
 * @self: an event
 * @dialect: a number that @render understands
 * @render: (scope call): writes the event out
 *
 * Gets the event as bytes; @render is called once for each @dialect.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the bytes
 */
GBytes *
srv_chat_event_render (SrvChatEvent *self,
                       guint dialect,
                       SrvChatRenderFunc render)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker =
    g_mutex_locker_new (&self->lock);
  Rendering rendering = { render, dialect, NULL };

  for (guint i = 0; i < self->renderings->len; i++)
    {
      const Rendering *known = &g_array_index (self->renderings, Rendering, i);

      if (known->render == render && known->dialect == dialect)
        return g_bytes_ref (known->bytes);
    }
  rendering.bytes = render (self, dialect);
  g_array_append_val (self->renderings, rendering);
  return g_bytes_ref (rendering.bytes);
}
