/* srv-chat-hub-rooms.c - rooms, and the way of a message
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-hub.h"

#include "srv-chat-event-private.h"
#include "srv-chat-hub-private.h"
#include "srv-chat-name-private.h"

#include <string.h>

static SrvChatRoom *
find_room (SrvChatHub *self, const char *name)
{
  g_autofree char *key = srv_chat_name_to_key (name);

  return g_hash_table_lookup (self->rooms, key);
}

void
srv_chat_hub_leave_room (SrvChatHub *self,
                         SrvChatPerson *person,
                         SrvChatRoom *room)
{
  srv_chat_room_remove (room, person->member);
  if (srv_chat_room_get_n_members (room) == 0 && !self->keep_rooms)
    {
      g_autofree char *key =
        srv_chat_name_to_key (srv_chat_room_get_name (room));

      g_hash_table_remove (self->rooms, key);
    }
  g_ptr_array_remove_fast (person->rooms, room);
}

void
srv_chat_hub_tell_room (SrvChatHub *self,
                        SrvChatRoom *room,
                        SrvChatEventKind kind,
                        const char *name,
                        SrvChatMember *except)
{
  g_autoptr (SrvChatEvent) event =
    srv_chat_event_new_notice (kind, name, srv_chat_room_get_name (room));

  srv_chat_room_deliver (room, &self->lock, event, except);
}

/* The room that somebody asks for; made if need be and if there may be more. */
static SrvChatRoom *
ensure_room (SrvChatHub *self,
             const char *name,
             gboolean *created,
             GError **error)
{
  SrvChatRoom *room = find_room (self, name);

  *created = room == NULL;
  if (room == NULL && g_hash_table_size (self->rooms) >= self->max_rooms)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_FULL, "there are too many rooms",
                         error);
  else if (room == NULL)
    {
      room = srv_chat_room_new (name);
      g_hash_table_insert (self->rooms, srv_chat_name_to_key (name), room);
    }
  return room;
}

/* Under the lock. @must_be_new: refuses a room that is there. */
static SrvChatRoom *
join_room (SrvChatHub *self,
           SrvChatPerson *person,
           const char *name,
           gboolean must_be_new,
           gboolean *created,
           GError **error)
{
  SrvChatRoom *room = find_room (self, name);

  *created = FALSE;
  if (room != NULL && must_be_new)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_ROOM_EXISTS, "the room exists", error);
  else if (room != NULL && srv_chat_room_has (room, person->member))
    return room;
  else if (person->rooms->len >= self->max_rooms_per_member)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_FULL, "you are in too many rooms",
                         error);
  else if (room != NULL &&
           srv_chat_room_get_n_members (room) >= self->max_room_members)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_FULL, "the room is full", error);
  else if ((room = ensure_room (self, name, created, error)) != NULL)
    {
      srv_chat_room_add (room, person->member);
      g_ptr_array_add (person->rooms, srv_chat_room_ref (room));
      return room;
    }
  return NULL;
}

static gboolean
join (SrvChatHub *self,
      SrvChatMember *member,
      const char *room,
      gboolean must_be_new,
      gboolean *created,
      GError **error)
{
  g_autofree char *normal = srv_chat_name_of_room (room, error);
  g_autoptr (SrvChatRoom) joined = NULL;
  g_autofree char *name = NULL;
  SrvChatPerson *person;
  gboolean was_in = FALSE;

  if (normal == NULL)
    return FALSE;
  g_mutex_lock (&self->lock);
  person = srv_chat_hub_find_person (self, member, error);
  if (person != NULL)
    {
      guint n_before = person->rooms->len;

      joined = join_room (self, person, normal, must_be_new, created, error);
      was_in = person->rooms->len == n_before;
      name = g_strdup (person->name);
    }
  if (joined != NULL)
    srv_chat_room_ref (joined);
  g_mutex_unlock (&self->lock);
  if (joined != NULL && !was_in)
    srv_chat_hub_tell_room (self, joined, SRV_CHAT_EVENT_JOINED, name, member);
  return joined != NULL;
}

/* Whoever sends is in the room; NULL with an error otherwise. */
static SrvChatRoom *
room_of_sender (SrvChatHub *self,
                SrvChatMember *sender,
                const char *name,
                GError **error)
{
  SrvChatRoom *room = find_room (self, name);

  if (room == NULL)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_NO_ROOM, "there is no such room",
                         error);
  else if (!srv_chat_room_has (room, sender))
    {
      srv_chat_hub_refuse (SRV_CHAT_ERROR_NOT_IN_ROOM,
                           "you are not in the room", error);
      room = NULL;
    }
  return room;
}

/* Where a message goes, and from whom and to whom it says it is. */
static gboolean
find_way (SrvChatHub *self,
          SrvChatMember *sender,
          SrvChatEvent *event,
          SrvChatRoom **room,
          SrvChatMember **member,
          GError **error)
{
  SrvChatPerson *from = srv_chat_hub_find_person (self, sender, error);
  SrvChatPerson *to;

  if (from == NULL)
    return FALSE;
  if (srv_chat_event_is_to_room (event))
    {
      *room =
        room_of_sender (self, sender, srv_chat_event_get_to (event), error);
      if (*room == NULL)
        return FALSE;
      srv_chat_room_ref (*room);
      srv_chat_event_address (event, from->name,
                              srv_chat_room_get_name (*room));
      return TRUE;
    }
  to = srv_chat_hub_find_name (self, srv_chat_event_get_to (event), error);
  if (to == NULL)
    {
      srv_chat_event_address (event, from->name, srv_chat_event_get_to (event));
      return FALSE;
    }
  *member = g_object_ref (to->member);
  srv_chat_event_address (event, from->name, to->name);
  return TRUE;
}

gboolean
srv_chat_hub_resolve (SrvChatHub *self,
                      SrvChatMember *sender,
                      SrvChatEvent *event,
                      SrvChatMember **member,
                      GError **error)
{
  g_autoptr (SrvChatRoom) room = NULL;
  gboolean found;

  *member = NULL;
  g_mutex_lock (&self->lock);
  found = find_way (self, sender, event, &room, member, error);
  g_mutex_unlock (&self->lock);
  return found;
}

/**
 * srv_chat_hub_create_room:
 * @self: a hub
 * @member: a member with a name
 * @room: UTF-8, with its `#`
 * @error: return location for a [struct@GLib.Error]
 *
 * Joins a room that is not there yet.
 *
 * Fails with %SRV_CHAT_ERROR_ROOM_EXISTS, and as
 * [method@SocketServerHandlers.ChatHub.join] does.
 *
 * Returns: %TRUE if the member is in the new room, %FALSE with @error set
 *   otherwise
 */
gboolean
srv_chat_hub_create_room (SrvChatHub *self,
                          SrvChatMember *member,
                          const char *room,
                          GError **error)
{
  gboolean created;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), FALSE);
  g_return_val_if_fail (room != NULL, FALSE);
  return join (self, member, room, TRUE, &created, error);
}

/**
 * srv_chat_hub_join:
 * @self: a hub
 * @member: a member with a name
 * @room: UTF-8, with its `#`
 * @created: (out) (optional): whether the room was not there before
 * @error: return location for a [struct@GLib.Error]
 *
 * Joins a room; those that are in it are told. Who is in it already stays.
 *
 * Fails with %SRV_CHAT_ERROR_NOT_ENTERED, %SRV_CHAT_ERROR_BAD_NAME or
 * %SRV_CHAT_ERROR_FULL.
 *
 * Returns: %TRUE if the member is in the room, %FALSE with @error set otherwise
 */
gboolean
srv_chat_hub_join (SrvChatHub *self,
                   SrvChatMember *member,
                   const char *room,
                   gboolean *created,
                   GError **error)
{
  gboolean is_new;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), FALSE);
  g_return_val_if_fail (room != NULL, FALSE);

  ok = join (self, member, room, FALSE, &is_new, error);
  if (ok && created != NULL)
    *created = is_new;
  return ok;
}

/**
 * srv_chat_hub_leave:
 * @self: a hub
 * @member: a member with a name
 * @room: UTF-8, with its `#`
 * @error: return location for a [struct@GLib.Error]
 *
 * Leaves a room; those that are still in it are told.
 *
 * Fails with %SRV_CHAT_ERROR_NOT_ENTERED, %SRV_CHAT_ERROR_NO_ROOM or
 * %SRV_CHAT_ERROR_NOT_IN_ROOM.
 *
 * Returns: %TRUE if the member was in the room, %FALSE with @error set otherwise
 */
gboolean
srv_chat_hub_leave (SrvChatHub *self,
                    SrvChatMember *member,
                    const char *room,
                    GError **error)
{
  g_autofree char *name = NULL;
  g_autoptr (SrvChatRoom) left = NULL;
  SrvChatPerson *person;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), FALSE);
  g_return_val_if_fail (room != NULL, FALSE);

  g_mutex_lock (&self->lock);
  person = srv_chat_hub_find_person (self, member, error);
  if (person != NULL)
    left = room_of_sender (self, member, room, error);
  if (left != NULL)
    {
      srv_chat_room_ref (left);
      srv_chat_hub_leave_room (self, person, left);
      name = g_strdup (person->name);
    }
  g_mutex_unlock (&self->lock);
  if (left != NULL)
    srv_chat_hub_tell_room (self, left, SRV_CHAT_EVENT_LEFT, name, member);
  return left != NULL;
}

/**
 * srv_chat_hub_send:
 * @self: a hub
 * @sender: a member with a name
 * @event: a message that nobody has seen yet
 * @error: return location for a [struct@GLib.Error]
 *
 * Brings a message on its way: to one member, or to all in a room but its
 * sender. The hub writes into the event whom it is from, and the addressee's
 * name as it has given it itself.
 *
 * Fails with %SRV_CHAT_ERROR_NOT_ENTERED, %SRV_CHAT_ERROR_NO_MEMBER,
 * %SRV_CHAT_ERROR_GONE, %SRV_CHAT_ERROR_NO_ROOM or %SRV_CHAT_ERROR_NOT_IN_ROOM.
 *
 * Returns: %TRUE if it was delivered, %FALSE with @error set otherwise
 */
gboolean
srv_chat_hub_send (SrvChatHub *self,
                   SrvChatMember *sender,
                   SrvChatEvent *event,
                   GError **error)
{
  g_autoptr (SrvChatRoom) room = NULL;
  g_autoptr (SrvChatMember) member = NULL;
  gboolean found;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), FALSE);
  g_return_val_if_fail (event != NULL, FALSE);

  g_mutex_lock (&self->lock);
  found = find_way (self, sender, event, &room, &member, error);
  g_mutex_unlock (&self->lock);
  if (room != NULL)
    srv_chat_room_deliver (room, &self->lock, event,
                           self->echo ? NULL : sender);
  else if (member != NULL)
    srv_chat_member_deliver (member, event);
  return found;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char **
sorted (GPtrArray *names)
{
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/**
 * srv_chat_hub_list_members:
 * @self: a hub
 * @room: (nullable): a room, or %NULL for everybody
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets who is in a room, or in all.
 *
 * Fails with %SRV_CHAT_ERROR_NO_ROOM.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, sorted; or
 *   %NULL with @error set
 */
char **
srv_chat_hub_list_members (SrvChatHub *self, const char *room, GError **error)
{
  GPtrArray *names = NULL;
  SrvChatRoom *found = NULL;
  GHashTableIter iter;
  gpointer value;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), NULL);

  g_mutex_lock (&self->lock);
  if (room != NULL && (found = find_room (self, room)) == NULL)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_NO_ROOM, "there is no such room",
                         error);
  else
    names = g_ptr_array_new ();
  g_hash_table_iter_init (&iter, self->by_key);
  while (names != NULL && g_hash_table_iter_next (&iter, NULL, &value))
    {
      const SrvChatPerson *person = value;

      if (found == NULL || srv_chat_room_has (found, person->member))
        g_ptr_array_add (names, g_strdup (person->name));
    }
  g_mutex_unlock (&self->lock);
  /* Nobody waits for the sorting. */
  return names != NULL ? sorted (names) : NULL;
}

/**
 * srv_chat_hub_list_rooms:
 * @self: a hub
 *
 * Gets which rooms there are.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names of all rooms,
 *   sorted
 */
char **
srv_chat_hub_list_rooms (SrvChatHub *self)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  GPtrArray *names;
  GHashTableIter iter;
  gpointer room;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), NULL);

  locker = g_mutex_locker_new (&self->lock);
  names = g_ptr_array_new ();
  g_hash_table_iter_init (&iter, self->rooms);
  while (g_hash_table_iter_next (&iter, NULL, &room))
    g_ptr_array_add (names, g_strdup (srv_chat_room_get_name (room)));
  return sorted (names);
}
