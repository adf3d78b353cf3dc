/* srv-chat-member.c - somebody whom a hub can tell something
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-member.h"

/**
 * SrvChatMember:
 *
 * Somebody whom a [class@SocketServerHandlers.ChatHub] can tell something: the
 * connection of a person, of whatever protocol, or a program in the server.
 *
 * The hub knows nothing else about its members.
 */
G_DEFINE_INTERFACE (SrvChatMember, srv_chat_member, G_TYPE_OBJECT)

static void
srv_chat_member_default_init (G_GNUC_UNUSED SrvChatMemberInterface *iface)
{
}

/**
 * srv_chat_member_deliver: (virtual deliver)
 * @self: a member
 * @event: what it is told
 *
 * Tells a member something.
 *
 * An implementation must not wait, for a thousand others are told after it, and
 * must not call the hub. [method@SocketServer.Connection.post] is made for it.
 *
 * Threads: any; events of one room come one at a time, in one order for all.
 */
void
srv_chat_member_deliver (SrvChatMember *self, SrvChatEvent *event)
{
  g_return_if_fail (SRV_IS_CHAT_MEMBER (self));
  g_return_if_fail (event != NULL);

  SRV_CHAT_MEMBER_GET_IFACE (self)->deliver (self, event);
}

/**
 * srv_chat_member_fetch: (virtual fetch)
 * @self: a member
 * @now: whether it shall; otherwise it is only asked whether it would
 *
 * Has a member fetch what a [iface@SocketServerHandlers.ChatStore] keeps for
 * it. Who fetches loses nothing that the store has, whatever happens to the
 * process; who does not is only told.
 *
 * An implementation must not wait, and must not call the hub. Without one a
 * member does not fetch.
 *
 * Threads: any.
 *
 * Returns: %TRUE if it does
 */
gboolean
srv_chat_member_fetch (SrvChatMember *self, gboolean now)
{
  SrvChatMemberInterface *iface;

  g_return_val_if_fail (SRV_IS_CHAT_MEMBER (self), FALSE);

  iface = SRV_CHAT_MEMBER_GET_IFACE (self);
  return iface->fetch != NULL && iface->fetch (self, now);
}
