/* srv-chat-member.h - somebody whom a hub can tell something
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-event.h"

G_BEGIN_DECLS

#define SRV_TYPE_CHAT_MEMBER (srv_chat_member_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_INTERFACE (SrvChatMember, srv_chat_member, SRV, CHAT_MEMBER, GObject)

struct _SrvChatMemberInterface
{
  GTypeInterface parent_iface;

  void (*deliver) (SrvChatMember *self, SrvChatEvent *event);

  gboolean (*fetch) (SrvChatMember *self, gboolean now);

  /*< private >*/
  gpointer padding[4];
};

SRV_AVAILABLE_IN_ALL
void srv_chat_member_deliver (SrvChatMember *self, SrvChatEvent *event);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_member_fetch (SrvChatMember *self, gboolean now);

G_END_DECLS
