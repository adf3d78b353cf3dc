/* srv-gate.c - at most so many tasks at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-gate-private.h"

gboolean
srv_gate_enter (SrvGate *self, gint64 deadline)
{
  gboolean has_place;

  g_mutex_lock (&self->lock);
  while (self->n_inside >= self->most &&
         srv_wait_list_wait (&self->outside, &self->lock, deadline))
    continue;
  /* Looked at again: who comes late may have been woken all the same, and
   * nobody else is then. */
  has_place = self->n_inside < self->most;
  if (has_place)
    self->n_inside++;
  g_mutex_unlock (&self->lock);
  return has_place;
}

void
srv_gate_leave (SrvGate *self)
{
  g_mutex_lock (&self->lock);
  self->n_inside--;
  srv_wait_list_wake_one (&self->outside);
  g_mutex_unlock (&self->lock);
}
