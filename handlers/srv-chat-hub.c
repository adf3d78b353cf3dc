/* srv-chat-hub.c - members, rooms, presence, delivery
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-hub.h"

#include "srv-chat-hub-private.h"
#include "srv-chat-name-private.h"

/**
 * SrvChatHub:
 *
 * What the connections of a chat have in common: who is there, under which
 * name, in which rooms; and the way of a message to those that it is for.
 *
 * It knows no protocol and keeps nothing on disk. Members are
 * [iface@SocketServerHandlers.ChatMember]s; people who speak different
 * protocols, on different servers, meet when their handlers have the same hub.
 *
 * Names are unique whatever their letters' case. They have 1 to 25 characters
 * (Unicode code points in normal form): letters, digits, `_`, `-`, `.`, `@`,
 * and spaces inside. A room's name begins with `#`, which counts.
 *
 * A room is there from the first member that joins it until the last one leaves
 * it. All members of a room hear its messages in one order.
 *
 * The limits are properties, to be set before the first member comes.
 *
 * Threads: any, for all methods.
 */
G_DEFINE_FINAL_TYPE (SrvChatHub, srv_chat_hub, G_TYPE_OBJECT)

static void
person_free (gpointer data)
{
  SrvChatPerson *person = data;

  g_object_unref (person->member);
  g_free (person->name);
  g_free (person->key);
  g_free (person->status);
  g_ptr_array_unref (person->rooms);
  g_free (person);
}

gboolean
srv_chat_hub_refuse (SrvChatError code, const char *message, GError **error)
{
  g_set_error_literal (error, SRV_CHAT_ERROR, code, message);
  return FALSE;
}

/* NULL with an error when the member has no name. */
SrvChatPerson *
srv_chat_hub_find_person (SrvChatHub *self,
                          SrvChatMember *member,
                          GError **error)
{
  SrvChatPerson *person = g_hash_table_lookup (self->by_member, member);

  if (person == NULL)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_NOT_ENTERED, "say first who you are",
                         error);
  return person;
}

/* Names that have left are known for a while, the last of them. */
static void
remember (SrvChatHub *self, const char *key)
{
  char *copy;

  if (self->max_remembered == 0 || g_hash_table_contains (self->gone, key))
    return;
  copy = g_strdup (key);
  g_hash_table_add (self->gone, copy);
  g_queue_push_tail (&self->gone_order, copy);
  if (self->gone_order.length > self->max_remembered)
    g_hash_table_remove (self->gone, g_queue_pop_head (&self->gone_order));
}

SrvChatPerson *
srv_chat_hub_find_name (SrvChatHub *self, const char *name, GError **error)
{
  g_autofree char *key = srv_chat_name_to_key (name);
  SrvChatPerson *person = g_hash_table_lookup (self->by_key, key);

  if (person == NULL && g_hash_table_contains (self->gone, key))
    srv_chat_hub_refuse (SRV_CHAT_ERROR_GONE,
                         "nobody with this name is there now", error);
  else if (person == NULL)
    srv_chat_hub_refuse (SRV_CHAT_ERROR_NO_MEMBER,
                         "there is nobody with this name", error);
  return person;
}

static void
srv_chat_hub_finalize (GObject *object)
{
  SrvChatHub *self = SRV_CHAT_HUB (object);

  g_hash_table_unref (self->by_key);
  g_hash_table_unref (self->by_member);
  g_hash_table_unref (self->rooms);
  g_hash_table_unref (self->addresses);
  g_queue_clear (&self->gone_order);
  g_hash_table_unref (self->gone);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (srv_chat_hub_parent_class)->finalize (object);
}

static void
srv_chat_hub_class_init (SrvChatHubClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = srv_chat_hub_finalize;
  srv_chat_hub_install_properties (klass);
}

static void
srv_chat_hub_init (SrvChatHub *self)
{
  g_mutex_init (&self->lock);
  self->addresses =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->by_member = g_hash_table_new (NULL, NULL);
  self->by_key =
    g_hash_table_new_full (g_str_hash, g_str_equal, NULL, person_free);
  self->rooms = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) srv_chat_room_unref);
  self->gone = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&self->gone_order);
}

/**
 * srv_chat_hub_new:
 *
 * Makes a hub with nobody in it.
 *
 * Returns: (transfer full): a new hub
 */
SrvChatHub *
srv_chat_hub_new (void)
{
  return g_object_new (SRV_TYPE_CHAT_HUB, NULL);
}

/**
 * srv_chat_hub_for_server:
 * @server: a server
 *
 * Gets the hub of a server whose handlers were not given one; it is made at the
 * first call, and goes with the server.
 *
 * Returns: (transfer none): the hub
 */
SrvChatHub *
srv_chat_hub_for_server (SrvBaseServer *server)
{
  static GMutex lock;
  SrvChatHub *self;

  g_return_val_if_fail (SRV_IS_BASE_SERVER (server), NULL);

  g_mutex_lock (&lock);
  self = g_object_get_data (G_OBJECT (server), "srv-chat-hub");
  if (self == NULL)
    {
      self = srv_chat_hub_new ();
      g_object_set_data_full (G_OBJECT (server), "srv-chat-hub", self,
                              g_object_unref);
    }
  g_mutex_unlock (&lock);
  return self;
}

/**
 * srv_chat_hub_enter:
 * @self: a hub
 * @member: somebody who has no name yet, or changes it
 * @name: UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Gives a member a name. The hub holds a reference on it until
 * [method@SocketServerHandlers.ChatHub.exit].
 *
 * Fails with %SRV_CHAT_ERROR_BAD_NAME or %SRV_CHAT_ERROR_NAME_TAKEN; the member
 * keeps the name that it had.
 *
 * Returns: %TRUE if it has the name now, %FALSE with @error set otherwise
 */
gboolean
srv_chat_hub_enter (SrvChatHub *self,
                    SrvChatMember *member,
                    const char *name,
                    GError **error)
{
  g_autofree char *normal = NULL;
  g_autofree char *key = NULL;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  SrvChatPerson *person;
  SrvChatPerson *other;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), FALSE);
  g_return_val_if_fail (SRV_IS_CHAT_MEMBER (member), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  normal = srv_chat_name_of_member (name, error);
  if (normal == NULL)
    return FALSE;
  key = srv_chat_name_to_key (normal);
  locker = g_mutex_locker_new (&self->lock);
  person = g_hash_table_lookup (self->by_member, member);
  other = g_hash_table_lookup (self->by_key, key);
  if (other != NULL && other != person)
    return srv_chat_hub_refuse (SRV_CHAT_ERROR_NAME_TAKEN, "the name is taken",
                                error);
  if (person == NULL)
    {
      person = g_new0 (SrvChatPerson, 1);
      person->member = g_object_ref (member);
      person->rooms =
        g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_room_unref);
      g_hash_table_insert (self->by_member, member, person);
    }
  else
    g_hash_table_steal (self->by_key, person->key);
  g_free (person->name);
  g_free (person->key);
  person->name = g_steal_pointer (&normal);
  person->key = g_steal_pointer (&key);
  g_hash_table_insert (self->by_key, person->key, person);
  return TRUE;
}

/**
 * srv_chat_hub_exit:
 * @self: a hub
 * @member: a member, with or without a name
 *
 * Takes a member out of all rooms and gives its name free. Those in the rooms
 * are told. A message may still reach it that was on the way.
 */
void
srv_chat_hub_exit (SrvChatHub *self, SrvChatMember *member)
{
  g_autoptr (GPtrArray) rooms = NULL;
  g_autofree char *name = NULL;
  SrvChatPerson *person;

  g_return_if_fail (SRV_IS_CHAT_HUB (self));
  g_return_if_fail (SRV_IS_CHAT_MEMBER (member));

  g_mutex_lock (&self->lock);
  person = g_hash_table_lookup (self->by_member, member);
  if (person != NULL)
    {
      rooms = g_steal_pointer (&person->rooms);
      name = g_strdup (person->name);
      person->rooms =
        g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_room_unref);
      for (guint i = 0; i < rooms->len; i++)
        srv_chat_hub_leave_room (self, person, rooms->pdata[i]);
      remember (self, person->key);
      g_hash_table_remove (self->by_member, member);
      g_hash_table_steal (self->by_key, person->key);
    }
  g_mutex_unlock (&self->lock);
  for (guint i = 0; rooms != NULL && i < rooms->len; i++)
    srv_chat_hub_tell_room (self, rooms->pdata[i], SRV_CHAT_EVENT_LEFT, name,
                            member);
  g_clear_pointer (&person, person_free);
}

/**
 * srv_chat_hub_dup_name:
 * @self: a hub
 * @member: somebody
 *
 * Gets the name of a member, as it has written it.
 *
 * Returns: (transfer full) (nullable): its name, %NULL if it has none
 */
char *
srv_chat_hub_dup_name (SrvChatHub *self, SrvChatMember *member)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  SrvChatPerson *person;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), NULL);

  locker = g_mutex_locker_new (&self->lock);
  person = g_hash_table_lookup (self->by_member, member);
  return person != NULL ? g_strdup (person->name) : NULL;
}

/**
 * srv_chat_hub_set_status:
 * @self: a hub
 * @member: a member with a name
 * @status: (nullable): what it says of itself
 *
 * Sets what others can see of a member.
 */
void
srv_chat_hub_set_status (SrvChatHub *self,
                         SrvChatMember *member,
                         const char *status)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  SrvChatPerson *person;

  g_return_if_fail (SRV_IS_CHAT_HUB (self));

  locker = g_mutex_locker_new (&self->lock);
  person = g_hash_table_lookup (self->by_member, member);
  if (person != NULL)
    {
      g_free (person->status);
      person->status = g_strdup (status);
    }
}

/**
 * srv_chat_hub_dup_status:
 * @self: a hub
 * @name: a member's name
 *
 * Gets what a member says of itself.
 *
 * Returns: (transfer full) (nullable): what it says of itself, %NULL if nothing
 *   or if it is not there
 */
char *
srv_chat_hub_dup_status (SrvChatHub *self, const char *name)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  SrvChatPerson *person;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  locker = g_mutex_locker_new (&self->lock);
  person = srv_chat_hub_find_name (self, name, NULL);
  return person != NULL ? g_strdup (person->status) : NULL;
}
