/* srv-chat-error.c - why a chat says no
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-error.h"

/**
 * srv_chat_error_quark:
 *
 * Gets the domain of [error@SocketServerHandlers.ChatError].
 *
 * Threads: any.
 *
 * Returns: the quark of `srv-chat-error-quark`
 */
GQuark
srv_chat_error_quark (void)
{
  return g_quark_from_static_string ("srv-chat-error-quark");
}

G_DEFINE_ENUM_TYPE (
  SrvChatError,
  srv_chat_error,
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_BAD_NAME, "bad-name"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_NAME_TAKEN, "name-taken"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_NOT_ENTERED, "not-entered"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_NO_MEMBER, "no-member"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_GONE, "gone"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_NO_ROOM, "no-room"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_ROOM_EXISTS, "room-exists"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_NOT_IN_ROOM, "not-in-room"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_FULL, "full"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_TOO_FAST, "too-fast"),
  G_DEFINE_ENUM_VALUE (SRV_CHAT_ERROR_STORE, "store"))
