/* srv-chat-hub.h - members, rooms, presence, delivery
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-error.h"
#include "srv-chat-member.h"

G_BEGIN_DECLS

#define SRV_TYPE_CHAT_HUB (srv_chat_hub_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvChatHub, srv_chat_hub, SRV, CHAT_HUB, GObject)

SRV_AVAILABLE_IN_ALL
SrvChatHub *srv_chat_hub_new (void);

SRV_AVAILABLE_IN_ALL
SrvChatHub *srv_chat_hub_for_server (SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_hub_admit (SrvChatHub *self,
                             const char *address,
                             GError **error);

SRV_AVAILABLE_IN_ALL
void srv_chat_hub_dismiss (SrvChatHub *self, const char *address);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_hub_enter (SrvChatHub *self,
                             SrvChatMember *member,
                             const char *name,
                             GError **error);

SRV_AVAILABLE_IN_ALL
void srv_chat_hub_exit (SrvChatHub *self, SrvChatMember *member);

SRV_AVAILABLE_IN_ALL
char *srv_chat_hub_dup_name (SrvChatHub *self, SrvChatMember *member);

SRV_AVAILABLE_IN_ALL
void srv_chat_hub_set_status (SrvChatHub *self,
                              SrvChatMember *member,
                              const char *status);

SRV_AVAILABLE_IN_ALL
char *srv_chat_hub_dup_status (SrvChatHub *self, const char *name);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_hub_create_room (SrvChatHub *self,
                                   SrvChatMember *member,
                                   const char *room,
                                   GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_hub_join (SrvChatHub *self,
                            SrvChatMember *member,
                            const char *room,
                            gboolean *created,
                            GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_hub_leave (SrvChatHub *self,
                             SrvChatMember *member,
                             const char *room,
                             GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_hub_send (SrvChatHub *self,
                            SrvChatMember *sender,
                            SrvChatEvent *event,
                            GError **error);

SRV_AVAILABLE_IN_ALL
char **srv_chat_hub_list_members (SrvChatHub *self,
                                  const char *room,
                                  GError **error);

SRV_AVAILABLE_IN_ALL
char **srv_chat_hub_list_rooms (SrvChatHub *self);

G_END_DECLS
