/* srv-gate-private.h - at most so many tasks at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A counting semaphore for threads and fibers. Static storage set to
 * { .most = N } is a gate.
 */

#pragma once

#include "srv-wait-list-private.h"

G_BEGIN_DECLS

typedef struct
{
  guint most;

  GMutex lock; /* guards what follows */
  guint n_inside;
  SrvWaitList outside;
} SrvGate;

/* Waits for a place; FALSE when the deadline has passed and there is none. */
gboolean srv_gate_enter (SrvGate *self, gint64 deadline);
void srv_gate_leave (SrvGate *self);

G_END_DECLS
