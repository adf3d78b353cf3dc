/* srv-chat-hub-settings.c - properties, and how many connections there may be
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-hub.h"

#include "srv-chat-hub-private.h"

typedef enum
{
  PROP_MAX_CONNECTIONS = 1,
  PROP_MAX_CONNECTIONS_PER_ADDRESS,
  PROP_MAX_ROOMS,
  PROP_MAX_ROOM_MEMBERS,
  PROP_MAX_ROOMS_PER_MEMBER,
  PROP_MAX_REMEMBERED,
  PROP_ECHO,
  PROP_KEEP_ROOMS,
} SrvChatHubProperty;

static GParamSpec *properties[PROP_KEEP_ROOMS + 1];

static guint *
number_of (SrvChatHub *self, guint id)
{
  switch ((SrvChatHubProperty) id)
    {
    case PROP_MAX_CONNECTIONS:
      return &self->max_connections;
    case PROP_MAX_CONNECTIONS_PER_ADDRESS:
      return &self->max_connections_per_address;
    case PROP_MAX_ROOMS:
      return &self->max_rooms;
    case PROP_MAX_ROOM_MEMBERS:
      return &self->max_room_members;
    case PROP_MAX_ROOMS_PER_MEMBER:
      return &self->max_rooms_per_member;
    case PROP_MAX_REMEMBERED:
      return &self->max_remembered;
    case PROP_ECHO:
    case PROP_KEEP_ROOMS:
    default:
      return NULL;
    }
}

static void
srv_chat_hub_get_property (GObject *object,
                           guint id,
                           GValue *value,
                           GParamSpec *pspec)
{
  SrvChatHub *self = SRV_CHAT_HUB (object);

  if (id == PROP_ECHO)
    g_value_set_boolean (value, self->echo);
  else if (id == PROP_KEEP_ROOMS)
    g_value_set_boolean (value, self->keep_rooms);
  else if (number_of (self, id) != NULL)
    g_value_set_uint (value, *number_of (self, id));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
srv_chat_hub_set_property (GObject *object,
                           guint id,
                           const GValue *value,
                           GParamSpec *pspec)
{
  SrvChatHub *self = SRV_CHAT_HUB (object);

  if (id == PROP_ECHO)
    self->echo = g_value_get_boolean (value);
  else if (id == PROP_KEEP_ROOMS)
    self->keep_rooms = g_value_get_boolean (value);
  else if (number_of (self, id) != NULL)
    *number_of (self, id) = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static GParamSpec *
limit_spec (const char *name, guint minimum, guint standard)
{
  return g_param_spec_uint (name, NULL, NULL, minimum, G_MAXUINT, standard,
                            G_PARAM_READWRITE | G_PARAM_CONSTRUCT |
                              G_PARAM_STATIC_STRINGS);
}

void
srv_chat_hub_install_properties (SrvChatHubClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = srv_chat_hub_get_property;
  object_class->set_property = srv_chat_hub_set_property;

  /**
   * SrvChatHub:max-connections:
   *
   * How many connections there may be, with and without a name.
   */
  properties[PROP_MAX_CONNECTIONS] = limit_spec ("max-connections", 1, 20000);
  /**
   * SrvChatHub:max-connections-per-address:
   *
   * How many of them may come from one address; 0 for any number. An IPv6
   * address counts with its network of 64 bits. Clients of Unix sockets have no
   * address.
   */
  properties[PROP_MAX_CONNECTIONS_PER_ADDRESS] =
    limit_spec ("max-connections-per-address", 0, 0);
  /**
   * SrvChatHub:max-rooms:
   *
   * How many rooms there may be.
   */
  properties[PROP_MAX_ROOMS] = limit_spec ("max-rooms", 1, 10000);
  /**
   * SrvChatHub:max-room-members:
   *
   * How many members one room may have.
   */
  properties[PROP_MAX_ROOM_MEMBERS] = limit_spec ("max-room-members", 1, 1000);
  /**
   * SrvChatHub:max-rooms-per-member:
   *
   * In how many rooms one member may be.
   */
  properties[PROP_MAX_ROOMS_PER_MEMBER] =
    limit_spec ("max-rooms-per-member", 1, 32);
  /**
   * SrvChatHub:max-remembered:
   *
   * How many names of members that have left are known, so that a message to
   * one of them is told from one to nobody.
   */
  properties[PROP_MAX_REMEMBERED] = limit_spec ("max-remembered", 0, 10000);
  /**
   * SrvChatHub:echo:
   *
   * Whether a member hears its own messages to a room.
   */
  properties[PROP_ECHO] =
    g_param_spec_boolean ("echo", NULL, NULL, FALSE, flags);
  /**
   * SrvChatHub:keep-rooms:
   *
   * Whether rooms stay when the last member has left.
   */
  properties[PROP_KEEP_ROOMS] =
    g_param_spec_boolean ("keep-rooms", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

/**
 * srv_chat_hub_admit:
 * @self: a hub
 * @address: (nullable): where a connection comes from
 * @error: return location for a [struct@GLib.Error]
 *
 * Counts a connection; [method@SocketServerHandlers.ChatHub.dismiss] takes it
 * back.
 *
 * Fails with %SRV_CHAT_ERROR_FULL when there are too many, in all or from this
 * address.
 *
 * Returns: %TRUE if there may be one more, %FALSE with @error set otherwise
 */
gboolean
srv_chat_hub_admit (SrvChatHub *self, const char *address, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  guint n = 0;

  g_return_val_if_fail (SRV_IS_CHAT_HUB (self), FALSE);

  locker = g_mutex_locker_new (&self->lock);
  if (self->n_connections >= self->max_connections)
    return srv_chat_hub_refuse (SRV_CHAT_ERROR_FULL, "the server is full",
                                error);
  if (address != NULL)
    n = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, address));
  if (self->max_connections_per_address > 0 &&
      n >= self->max_connections_per_address)
    return srv_chat_hub_refuse (
      SRV_CHAT_ERROR_FULL, "there are too many connections from your address",
      error);
  if (address != NULL)
    g_hash_table_insert (self->addresses, g_strdup (address),
                         GUINT_TO_POINTER (n + 1));
  self->n_connections++;
  return TRUE;
}

/**
 * srv_chat_hub_dismiss:
 * @self: a hub
 * @address: (nullable): what was given to
 *   [method@SocketServerHandlers.ChatHub.admit]
 *
 * Counts a connection out.
 */
void
srv_chat_hub_dismiss (SrvChatHub *self, const char *address)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  guint n;

  g_return_if_fail (SRV_IS_CHAT_HUB (self));

  locker = g_mutex_locker_new (&self->lock);
  self->n_connections--;
  if (address == NULL)
    return;
  n = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, address));
  if (n <= 1)
    g_hash_table_remove (self->addresses, address);
  else
    g_hash_table_insert (self->addresses, g_strdup (address),
                         GUINT_TO_POINTER (n - 1));
}
