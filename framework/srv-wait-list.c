/* srv-wait-list.c - tasks that wait for a change
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-wait-list-private.h"

/* Lives on the stack of the task that waits. */
struct _SrvWaiter
{
  SrvWaiter *next;
  SrvTask *task;
  gboolean woken; /* and taken out of the list */
};

static void
append (SrvWaitList *self, SrvWaiter *waiter)
{
  if (self->end == NULL)
    self->end = &self->first;
  *self->end = waiter;
  self->end = &waiter->next;
}

static void
take_out (SrvWaitList *self, SrvWaiter *waiter)
{
  SrvWaiter **link = &self->first;

  while (*link != waiter)
    link = &(*link)->next;
  *link = waiter->next;
  if (self->end == &waiter->next)
    self->end = link;
}

gboolean
srv_wait_list_wait (SrvWaitList *self, GMutex *lock, gint64 deadline)
{
  SrvWaiter waiter = { .task = srv_task_self () };
  gboolean in_time;

  append (self, &waiter);
  g_mutex_unlock (lock);
  in_time = srv_task_park (deadline);
  g_mutex_lock (lock);
  if (waiter.woken)
    return TRUE;
  take_out (self, &waiter);
  return in_time;
}

void
srv_wait_list_wake_one (SrvWaitList *self)
{
  SrvWaiter *waiter = self->first;

  if (waiter == NULL)
    return;
  take_out (self, waiter);
  waiter->woken = TRUE;
  srv_task_unpark (waiter->task);
}

void
srv_wait_list_wake_all (SrvWaitList *self)
{
  while (self->first != NULL)
    srv_wait_list_wake_one (self);
}
