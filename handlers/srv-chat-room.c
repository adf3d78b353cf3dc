/* srv-chat-room.c - a room: who is in it, and how all are told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-room-private.h"

struct _SrvChatRoom
{
  char *name;           /* owned */
  GHashTable *members;  /* a set; holds references */
  GPtrArray *list;      /* of members; NULL when they have changed */
  GMutex delivery_lock; /* taken before the hub's; who has it tells the room */
};

static void
room_clear (gpointer data)
{
  SrvChatRoom *self = data;

  g_free (self->name);
  g_hash_table_unref (self->members);
  g_clear_pointer (&self->list, g_ptr_array_unref);
  g_mutex_clear (&self->delivery_lock);
}

SrvChatRoom *
srv_chat_room_new (const char *name)
{
  SrvChatRoom *self = g_atomic_rc_box_new0 (SrvChatRoom);

  self->name = g_strdup (name);
  self->members = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);
  g_mutex_init (&self->delivery_lock);
  return self;
}

SrvChatRoom *
srv_chat_room_ref (SrvChatRoom *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
srv_chat_room_unref (SrvChatRoom *self)
{
  g_atomic_rc_box_release_full (self, room_clear);
}

const char *
srv_chat_room_get_name (SrvChatRoom *self)
{
  return self->name;
}

guint
srv_chat_room_get_n_members (SrvChatRoom *self)
{
  return g_hash_table_size (self->members);
}

gboolean
srv_chat_room_has (SrvChatRoom *self, SrvChatMember *member)
{
  return g_hash_table_contains (self->members, member);
}

void
srv_chat_room_add (SrvChatRoom *self, SrvChatMember *member)
{
  g_hash_table_add (self->members, g_object_ref (member));
  g_clear_pointer (&self->list, g_ptr_array_unref);
}

void
srv_chat_room_remove (SrvChatRoom *self, SrvChatMember *member)
{
  g_hash_table_remove (self->members, member);
  g_clear_pointer (&self->list, g_ptr_array_unref);
}

GPtrArray *
srv_chat_room_get_members (SrvChatRoom *self)
{
  GHashTableIter iter;
  gpointer member;

  if (self->list == NULL)
    {
      self->list = g_ptr_array_new_full (g_hash_table_size (self->members),
                                         g_object_unref);
      g_hash_table_iter_init (&iter, self->members);
      while (g_hash_table_iter_next (&iter, &member, NULL))
        g_ptr_array_add (self->list, g_object_ref (member));
    }
  return g_ptr_array_ref (self->list);
}

void
srv_chat_room_deliver (SrvChatRoom *self,
                       GMutex *hub_lock,
                       SrvChatEvent *event,
                       SrvChatMember *except)
{
  GPtrArray *members;

  g_mutex_lock (&self->delivery_lock);
  g_mutex_lock (hub_lock);
  members = srv_chat_room_get_members (self);
  g_mutex_unlock (hub_lock);
  for (guint i = 0; i < members->len; i++)
    if (members->pdata[i] != (gpointer) except)
      srv_chat_member_deliver (members->pdata[i], event);
  g_mutex_unlock (&self->delivery_lock);
  g_ptr_array_unref (members);
}
