/* srv-chat-handler-private.h - what the parts of the chat handler share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-handler.h"
#include "srv-chat-limits-private.h"

G_BEGIN_DECLS

typedef struct
{
  SrvChatHub *hub;     /* owned; NULL: the server's */
  SrvChatStore *store; /* owned, nullable */
  char *default_room;
  guint n_history; /* messages of a room that who joins it is shown */
  guint max_queued_bytes;
  guint post_gap_ms;
  guint messages_per_second;
  guint message_burst;
  guint bytes_per_second;
  guint byte_burst;
  guint unidentified_timeout_ms;
  guint delivery_timeout_ms;

  SrvConnection *connection; /* owned, from setup on: for other threads */
  int timeout_ms;            /* the connection's own */
  GCancellable *wake;        /* owned, from the first fetch on; atomic */
  SrvChatBudget messages;
  SrvChatBudget bytes;
} SrvChatHandlerPrivate;

SrvChatHandlerPrivate *srv_chat_handler_get_private (SrvChatHandler *self);

/* srv-chat-mail.c: of SrvChatMember */
gboolean srv_chat_handler_fetch (SrvChatMember *member, gboolean now);

/* srv-chat-handler-settings.c */
void srv_chat_handler_install_properties (GObjectClass *object_class);

G_END_DECLS
