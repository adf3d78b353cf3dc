/* srv-chat-handler.h - one client of a chat, of whatever protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-hub.h"
#include "srv-chat-store.h"

G_BEGIN_DECLS

#define SRV_TYPE_CHAT_HANDLER (srv_chat_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvChatHandler,
                          srv_chat_handler,
                          SRV,
                          CHAT_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvChatHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  gboolean (*converse) (SrvChatHandler *self, GError **error);
  void (*refuse) (SrvChatHandler *self, const GError *reason);
  GBytes *(*render) (SrvChatHandler *self, SrvChatEvent *event);

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvChatHub *srv_chat_handler_get_hub (SrvChatHandler *self);

SRV_AVAILABLE_IN_ALL
SrvChatStore *srv_chat_handler_get_store (SrvChatHandler *self);

SRV_AVAILABLE_IN_ALL
const char *srv_chat_handler_get_default_room (SrvChatHandler *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_handler_enter (SrvChatHandler *self,
                                 const char *name,
                                 GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_handler_send (SrvChatHandler *self,
                                SrvChatEvent *event,
                                GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_handler_hand_over (SrvChatHandler *self, GError **error);

SRV_AVAILABLE_IN_ALL
GCancellable *srv_chat_handler_get_wake (SrvChatHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_chat_handler_show_history (SrvChatHandler *self, const char *room);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_handler_take (SrvChatHandler *self,
                                gsize n_bytes,
                                guint n_messages,
                                GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_handler_set_deadline (SrvChatHandler *self,
                                        gint64 deadline,
                                        GError **error);

SRV_AVAILABLE_IN_ALL
void srv_chat_handler_post (SrvChatHandler *self, GBytes *bytes);

SRV_AVAILABLE_IN_ALL
void srv_chat_handler_say (SrvChatHandler *self, const char *format, ...)
  G_GNUC_PRINTF (2, 3);

G_END_DECLS
