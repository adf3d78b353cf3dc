/* srv-chat-handler-private.h - what the parts of the chat handler share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-handler.h"
#include "srv-chat-limits-private.h"

G_BEGIN_DECLS

/* Whether the store knows the client. */
typedef enum
{
  SRV_CHAT_ACCOUNT_UNDECIDED,
  SRV_CHAT_ACCOUNT_FOUND,
  SRV_CHAT_ACCOUNT_NONE,
} SrvChatAccount;

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
  GCancellable *wake;        /* owned; atomic; NULL while it does not fetch */
  int account;               /* a SrvChatAccount; atomic */
  SrvChatBudget messages;
  SrvChatBudget bytes;
} SrvChatHandlerPrivate;

SrvChatHandlerPrivate *srv_chat_handler_get_private (SrvChatHandler *self);

/* srv-chat-mail.c */

/* Before the client gets its name: it will be handed over what is kept. Who
 * sends to it from then on stores it, and it comes after the answer. */
void srv_chat_handler_expect_mail (SrvChatHandler *self);
/* What an answer of many parts may put into the queue: half of what is free.
 * The rest is for what others say meanwhile, or the client would be cut. */
gsize srv_chat_handler_get_free_bytes (SrvChatHandler *self);
/* Of SrvChatMember. */
gboolean srv_chat_handler_fetch (SrvChatMember *member, gboolean now);

/* srv-chat-handler-settings.c */
void srv_chat_handler_install_properties (GObjectClass *object_class);

G_END_DECLS
