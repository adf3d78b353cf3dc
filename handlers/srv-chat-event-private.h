/* srv-chat-event-private.h - what the hub writes into an event
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-event.h"

G_BEGIN_DECLS

SrvChatEvent *srv_chat_event_new_notice (SrvChatEventKind kind,
                                         const char *from,
                                         const char *room);

/* Before the event is shown to anybody. */
void srv_chat_event_address (SrvChatEvent *self,
                             const char *from,
                             const char *to);

G_END_DECLS
