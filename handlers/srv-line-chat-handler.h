/* srv-line-chat-handler.h - a chat for people with netcat
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-handler.h"

G_BEGIN_DECLS

#define SRV_TYPE_LINE_CHAT_HANDLER (srv_line_chat_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvLineChatHandler,
                      srv_line_chat_handler,
                      SRV,
                      LINE_CHAT_HANDLER,
                      SrvChatHandler)

G_END_DECLS
