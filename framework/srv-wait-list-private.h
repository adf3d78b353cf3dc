/* srv-wait-list-private.h - tasks that wait for a change
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a condition variable is to threads, for threads and fibers alike. The
 * lock is the caller's, and guards the list together with what is waited for.
 */

#pragma once

#include "srv-task-private.h"

G_BEGIN_DECLS

typedef struct _SrvWaiter SrvWaiter;

typedef struct
{
  SrvWaiter *first;
  SrvWaiter **end; /* NULL while the list has never been used */
} SrvWaitList;

/* Gives the lock up, waits, and takes it again. FALSE when the deadline has
 * passed. May return without a reason: call it in a loop. */
gboolean srv_wait_list_wait (SrvWaitList *self, GMutex *lock, gint64 deadline);

/* Both under the lock. */
void srv_wait_list_wake_one (SrvWaitList *self);
void srv_wait_list_wake_all (SrvWaitList *self);

G_END_DECLS
