/* srv-chat-event.h - something that members of a chat are told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/**
 * SrvChatEventKind:
 * @SRV_CHAT_EVENT_MESSAGE: somebody says something
 * @SRV_CHAT_EVENT_JOINED: somebody has come into a room
 * @SRV_CHAT_EVENT_LEFT: somebody has left a room
 *
 * What an event is about.
 */
typedef enum
{
  SRV_CHAT_EVENT_MESSAGE,
  SRV_CHAT_EVENT_JOINED,
  SRV_CHAT_EVENT_LEFT,
} SrvChatEventKind;

#define SRV_TYPE_CHAT_EVENT_KIND (srv_chat_event_kind_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_chat_event_kind_get_type (void);

#define SRV_TYPE_CHAT_EVENT (srv_chat_event_get_type ())

typedef struct _SrvChatEvent SrvChatEvent;

/**
 * SrvChatRenderFunc:
 * @event: the event
 * @dialect: what was given to [method@SocketServerHandlers.ChatEvent.render]
 *
 * Writes an event as a protocol has it.
 *
 * Threads: any, under the lock of the event.
 *
 * Returns: (transfer full): the bytes
 */
typedef GBytes *(*SrvChatRenderFunc) (SrvChatEvent *event, guint dialect);

SRV_AVAILABLE_IN_ALL
GType srv_chat_event_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvChatEvent *srv_chat_event_new (const char *to, const char *text);

SRV_AVAILABLE_IN_ALL
SrvChatEvent *srv_chat_event_ref (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
void srv_chat_event_unref (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
SrvChatEventKind srv_chat_event_get_kind (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
const char *srv_chat_event_get_from (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
const char *srv_chat_event_get_to (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_event_is_to_room (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
const char *srv_chat_event_get_text (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
gint64 srv_chat_event_get_time (SrvChatEvent *self);

SRV_AVAILABLE_IN_ALL
void srv_chat_event_set_label (SrvChatEvent *self,
                               const char *name,
                               const char *value);

SRV_AVAILABLE_IN_ALL
const char *srv_chat_event_get_label (SrvChatEvent *self, const char *name);

SRV_AVAILABLE_IN_ALL
GBytes *srv_chat_event_render (SrvChatEvent *self,
                               guint dialect,
                               SrvChatRenderFunc render);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvChatEvent, srv_chat_event_unref)

G_END_DECLS
