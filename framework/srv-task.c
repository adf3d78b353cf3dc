/* srv-task.c - who runs: a thread, or a fiber in one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-task-private.h"

#include "fiber/srv-fiber-private.h"

_Thread_local SrvTask *srv_task_of_fiber;
_Thread_local SrvTask srv_task_of_thread;

static gboolean
park_thread (SrvTask *self, gint64 deadline)
{
  gboolean in_time = TRUE;

  g_mutex_lock (&self->lock);
  while (!self->token && in_time)
    if (deadline == SRV_DEADLINE_NEVER)
      g_cond_wait (&self->unparked, &self->lock);
    else
      in_time = g_cond_wait_until (&self->unparked, &self->lock, deadline);
  self->token = FALSE;
  g_mutex_unlock (&self->lock);
  return in_time;
}

static void
unpark_thread (SrvTask *self)
{
  g_mutex_lock (&self->lock);
  self->token = TRUE;
  g_cond_signal (&self->unparked);
  g_mutex_unlock (&self->lock);
}

gboolean
srv_task_park (gint64 deadline)
{
  SrvTask *self = srv_task_self ();

  return self->fiber != NULL ? srv_fiber_park (deadline)
                             : park_thread (self, deadline);
}

void
srv_task_unpark (SrvTask *task)
{
  if (task->fiber != NULL)
    srv_fiber_unpark (task->fiber);
  else
    unpark_thread (task);
}
