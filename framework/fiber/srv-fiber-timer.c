/* srv-fiber-timer.c - deadlines, in a heap, moved lazily
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A connection with a time limit sets a deadline for every read and hardly ever
 * meets one. So a fiber stays where it is in the heap when its deadline is
 * taken back or moves later, which is nearly always: only when its old time
 * comes is it looked at again. A read costs a comparison.
 */

#include "config.h"

#include "srv-fiber-private.h"

void
srv_fiber_timers_init (SrvFiberTimers *self)
{
  self->fibers = g_ptr_array_new ();
  g_ptr_array_add (self->fibers, NULL);
}

void
srv_fiber_timers_clear (SrvFiberTimers *self)
{
  g_clear_pointer (&self->fibers, g_ptr_array_unref);
}

static SrvFiber *
fiber_at (const SrvFiberTimers *self, guint index)
{
  return self->fibers->pdata[index];
}

static void
put (SrvFiberTimers *self, guint index, SrvFiber *fiber)
{
  self->fibers->pdata[index] = fiber;
  fiber->heap_index = index;
}

static void
sift_up (SrvFiberTimers *self, SrvFiber *fiber)
{
  guint index = fiber->heap_index;

  while (index > 1 && fiber_at (self, index / 2)->heap_time > fiber->heap_time)
    {
      put (self, index, fiber_at (self, index / 2));
      index /= 2;
    }
  put (self, index, fiber);
}

static void
sift_down (SrvFiberTimers *self, SrvFiber *fiber)
{
  guint index = fiber->heap_index;
  guint child;

  while ((child = index * 2) < self->fibers->len)
    {
      if (child + 1 < self->fibers->len &&
          fiber_at (self, child + 1)->heap_time <
            fiber_at (self, child)->heap_time)
        child++;
      if (fiber_at (self, child)->heap_time >= fiber->heap_time)
        break;
      put (self, index, fiber_at (self, child));
      index = child;
    }
  put (self, index, fiber);
}

/* @fiber has a deadline. */
void
srv_fiber_timers_add (SrvFiberTimers *self, SrvFiber *fiber)
{
  if (fiber->heap_index != 0 && fiber->heap_time <= fiber->deadline)
    return;
  fiber->heap_time = fiber->deadline;
  if (fiber->heap_index == 0)
    {
      g_ptr_array_add (self->fibers, fiber);
      fiber->heap_index = self->fibers->len - 1;
    }
  sift_up (self, fiber);
}

void
srv_fiber_timers_remove (SrvFiberTimers *self, SrvFiber *fiber)
{
  SrvFiber *last;

  if (fiber->heap_index == 0)
    return;
  last = g_ptr_array_steal_index (self->fibers, self->fibers->len - 1);
  if (last != fiber)
    {
      put (self, fiber->heap_index, last);
      sift_up (self, last);
      sift_down (self, last);
    }
  fiber->heap_index = 0;
}

gint64
srv_fiber_timers_next (const SrvFiberTimers *self)
{
  return self->fibers->len > 1 ? fiber_at (self, 1)->heap_time
                               : SRV_DEADLINE_NEVER;
}

/* An entry whose time has come, but not its deadline, goes to its new place. */
SrvFiber *
srv_fiber_timers_pop (SrvFiberTimers *self, gint64 now)
{
  while (self->fibers->len > 1)
    {
      SrvFiber *first = fiber_at (self, 1);

      if (first->heap_time > now)
        return NULL;
      if (first->deadline != SRV_DEADLINE_NEVER && first->deadline > now)
        {
          first->heap_time = first->deadline;
          sift_down (self, first);
          continue;
        }
      srv_fiber_timers_remove (self, first);
      if (first->deadline != SRV_DEADLINE_NEVER)
        return first;
    }
  return NULL;
}
