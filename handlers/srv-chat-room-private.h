/* srv-chat-room-private.h - a room: who is in it, and how all are told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-member.h"

G_BEGIN_DECLS

/* Everything but srv_chat_room_deliver () is under the lock of the hub. */
typedef struct _SrvChatRoom SrvChatRoom;

SrvChatRoom *srv_chat_room_new (const char *name);
SrvChatRoom *srv_chat_room_ref (SrvChatRoom *self);
void srv_chat_room_unref (SrvChatRoom *self);

const char *srv_chat_room_get_name (SrvChatRoom *self);
guint srv_chat_room_get_n_members (SrvChatRoom *self);
gboolean srv_chat_room_has (SrvChatRoom *self, SrvChatMember *member);
void srv_chat_room_add (SrvChatRoom *self, SrvChatMember *member);
void srv_chat_room_remove (SrvChatRoom *self, SrvChatMember *member);

/* Who is in the room now. The list is never changed; the caller owns a
 * reference. */
GPtrArray *srv_chat_room_get_members (SrvChatRoom *self);

/* Tells all but @except, in one order for all members. Takes @hub_lock only to
 * get the list, so that others can come and go meanwhile. */
void srv_chat_room_deliver (SrvChatRoom *self,
                            GMutex *hub_lock,
                            SrvChatEvent *event,
                            SrvChatMember *except);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvChatRoom, srv_chat_room_unref)

G_END_DECLS
