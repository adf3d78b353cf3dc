/* srv-chat-hub-private.h - what the parts of the hub share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *   srv-chat-hub.c           members and their names
 *   srv-chat-hub-rooms.c     rooms, and the way of a message
 *   srv-chat-hub-settings.c  properties, and how many connections there may be
 *   srv-chat-room.c          one room
 */

#pragma once

#include "srv-chat-hub.h"
#include "srv-chat-room-private.h"

G_BEGIN_DECLS

struct _SrvChatHub
{
  GObject parent_instance;

  guint max_connections;
  guint max_connections_per_address;
  guint max_rooms;
  guint max_room_members;
  guint max_rooms_per_member;
  guint max_remembered;
  gboolean echo;
  gboolean keep_rooms;

  GMutex lock; /* guards the rest; nothing of others is called under it */
  guint n_connections;
  GHashTable *addresses; /* address → number of connections */
  GHashTable *by_member; /* member → Person */
  GHashTable *by_key;    /* key of the name → Person */
  GHashTable *rooms;     /* key of the name → room */
  GHashTable *gone;      /* keys of names that have left */
  GQueue gone_order;     /* the same keys, the oldest first */
};

/* A member that has a name. */
typedef struct
{
  SrvChatMember *member; /* owned */
  char *name;            /* owned */
  char *key;             /* owned */
  char *status;          /* owned */
  GPtrArray *rooms;      /* of references */
} SrvChatPerson;

gboolean srv_chat_hub_refuse (SrvChatError code,
                              const char *message,
                              GError **error);

/* Under the lock; NULL with an error when there is none. */
SrvChatPerson *srv_chat_hub_find_person (SrvChatHub *self,
                                         SrvChatMember *member,
                                         GError **error);
SrvChatPerson *srv_chat_hub_find_name (SrvChatHub *self,
                                       const char *name,
                                       GError **error);

/* Whom an event would reach: FALSE when nobody, with an error. @member is a
 * reference, NULL for a room. The event is addressed in any case, unless its
 * sender has no name. */
gboolean srv_chat_hub_resolve (SrvChatHub *self,
                               SrvChatMember *sender,
                               SrvChatEvent *event,
                               SrvChatMember **member,
                               GError **error);

/* Under the lock: takes somebody out of a room. */
void srv_chat_hub_leave_room (SrvChatHub *self,
                              SrvChatPerson *person,
                              SrvChatRoom *room);

/* Without the lock. */
void srv_chat_hub_tell_room (SrvChatHub *self,
                             SrvChatRoom *room,
                             SrvChatEventKind kind,
                             const char *name,
                             SrvChatMember *except);

void srv_chat_hub_install_properties (SrvChatHubClass *klass);

G_END_DECLS
