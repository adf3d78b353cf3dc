/* srv-chat-limits.c - how much a client may send
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-limits-private.h"

void
srv_chat_budget_init (SrvChatBudget *self, guint rate, guint burst)
{
  *self = (SrvChatBudget){ .rate = rate, .burst = burst, .level = burst };
}

gboolean
srv_chat_budget_take (SrvChatBudget *self, gsize amount, gint64 now)
{
  if (self->rate == 0)
    return TRUE;
  if (self->at != 0)
    self->level += (double) (now - self->at) * self->rate / G_USEC_PER_SEC;
  self->level = MIN (self->level, self->burst);
  self->at = now;
  if (self->level < (double) amount)
    return FALSE;
  self->level -= (double) amount;
  return TRUE;
}
