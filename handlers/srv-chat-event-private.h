/* srv-chat-event-private.h - what the hub writes into an event
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-event.h"
#include "srv-chat-store.h"

G_BEGIN_DECLS

SrvChatEvent *srv_chat_event_new_notice (SrvChatEventKind kind,
                                         const char *from,
                                         const char *room);

/* Before the event is shown to anybody. */
void srv_chat_event_address (SrvChatEvent *self,
                             const char *from,
                             const char *to);

/* A message, with its labels, as a store keeps it, and back. */
SrvChatRecord *srv_chat_event_to_record (SrvChatEvent *self);
SrvChatEvent *srv_chat_event_new_from_record (const SrvChatRecord *record);

G_END_DECLS
