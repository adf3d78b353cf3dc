/* srv-fiber-stack-private.h - stacks with a guard, used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A new stack costs ten microseconds, one from the free list a nanosecond. Below
 * each lies a page that cannot be touched. Only one thread uses a list.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SrvFiberStack SrvFiberStack;

/* At the top of the stack's own memory: whoever runs on it touches that page
 * anyway. */
struct _SrvFiberStack
{
  SrvFiberStack *next; /* in the free list */
  guint8 *mapping;     /* the guard, and behind it the stack */
  gsize mapping_size;
  guint8 *bottom; /* the lowest byte that can be used */
  gsize size;     /* up to this struct */
  guint tool;     /* what valgrind knows it by */
};

typedef struct
{
  gsize size; /* of new stacks, in bytes; whole pages */
  SrvFiberStack *free;
  guint n_free;
  guint n_made; /* so far; gives each its colour */
  guint n_mapped;
} SrvFiberStacks;

void srv_fiber_stacks_init (SrvFiberStacks *self, gsize size);
void srv_fiber_stacks_clear (SrvFiberStacks *self);

/* NULL and errno when there is no memory. */
SrvFiberStack *srv_fiber_stacks_take (SrvFiberStacks *self);
void srv_fiber_stacks_give_back (SrvFiberStacks *self, SrvFiberStack *stack);

/* Is this the address of a guard? Async-signal-safe. */
gboolean srv_fiber_stack_guards (const SrvFiberStack *self,
                                 const void *address);

G_END_DECLS
