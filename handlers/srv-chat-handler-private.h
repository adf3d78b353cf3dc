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
  SrvChatHub *hub; /* owned; NULL: the server's */
  char *default_room;
  guint max_queued_bytes;
  guint post_gap_ms;
  guint messages_per_second;
  guint message_burst;
  guint bytes_per_second;
  guint byte_burst;
  guint unidentified_timeout_ms;

  SrvConnection *connection; /* owned, from setup on: for other threads */
  int timeout_ms;            /* the connection's own */
  SrvChatBudget messages;
  SrvChatBudget bytes;
} SrvChatHandlerPrivate;

SrvChatHandlerPrivate *srv_chat_handler_get_private (SrvChatHandler *self);

/* srv-chat-handler-settings.c */
void srv_chat_handler_install_properties (GObjectClass *object_class);

G_END_DECLS
