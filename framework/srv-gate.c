/* srv-gate.c - at most so many tasks at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-gate-private.h"

#include "srv-deadline-private.h"

void
srv_gate_enter (SrvGate *self)
{
  g_mutex_lock (&self->lock);
  while (self->n_inside >= self->most)
    srv_wait_list_wait (&self->outside, &self->lock, SRV_DEADLINE_NEVER);
  self->n_inside++;
  g_mutex_unlock (&self->lock);
}

void
srv_gate_leave (SrvGate *self)
{
  g_mutex_lock (&self->lock);
  self->n_inside--;
  srv_wait_list_wake_one (&self->outside);
  g_mutex_unlock (&self->lock);
}
