/* srv-chat-error.h - why a chat says no
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/**
 * SRV_CHAT_ERROR:
 *
 * The domain of what [class@SocketServerHandlers.ChatHub] refuses. The messages
 * are short, in English, hold nothing that a client has sent, and can be shown
 * to it.
 */
#define SRV_CHAT_ERROR (srv_chat_error_quark ())

/**
 * SrvChatError:
 * @SRV_CHAT_ERROR_BAD_NAME: no name for a person or a room
 * @SRV_CHAT_ERROR_NAME_TAKEN: somebody else has the name
 * @SRV_CHAT_ERROR_NOT_ENTERED: whoever asks has no name yet
 * @SRV_CHAT_ERROR_NO_MEMBER: nobody has this name
 * @SRV_CHAT_ERROR_GONE: somebody with this name was there and has left
 * @SRV_CHAT_ERROR_NO_ROOM: there is no such room
 * @SRV_CHAT_ERROR_ROOM_EXISTS: the room is there already
 * @SRV_CHAT_ERROR_NOT_IN_ROOM: whoever asks is not in the room
 * @SRV_CHAT_ERROR_FULL: a limit of members, rooms, connections or messages that
 *   wait is reached
 * @SRV_CHAT_ERROR_TOO_FAST: the client sends more than it may
 * @SRV_CHAT_ERROR_STORE: the store cannot be used now
 *
 * Codes of [error@SocketServerHandlers.ChatError].
 */
typedef enum
{
  SRV_CHAT_ERROR_BAD_NAME,
  SRV_CHAT_ERROR_NAME_TAKEN,
  SRV_CHAT_ERROR_NOT_ENTERED,
  SRV_CHAT_ERROR_NO_MEMBER,
  SRV_CHAT_ERROR_GONE,
  SRV_CHAT_ERROR_NO_ROOM,
  SRV_CHAT_ERROR_ROOM_EXISTS,
  SRV_CHAT_ERROR_NOT_IN_ROOM,
  SRV_CHAT_ERROR_FULL,
  SRV_CHAT_ERROR_TOO_FAST,
  SRV_CHAT_ERROR_STORE,
} SrvChatError;

SRV_AVAILABLE_IN_ALL
GQuark srv_chat_error_quark (void);

#define SRV_TYPE_CHAT_ERROR (srv_chat_error_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_chat_error_get_type (void);

G_END_DECLS
