/* srv-chat-limits-private.h - how much a client may send
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Something that is used up and comes back with time: @rate in a second, never
 * more than @burst. Of one thread. */
typedef struct
{
  double rate; /* 0: no limit */
  double burst;
  double level;
  gint64 at; /* when level was right */
} SrvChatBudget;

void srv_chat_budget_init (SrvChatBudget *self, guint rate, guint burst);

/* FALSE when there is not so much; nothing is taken then. @now is a monotonic
 * time. */
gboolean srv_chat_budget_take (SrvChatBudget *self, gsize amount, gint64 now);

G_END_DECLS
