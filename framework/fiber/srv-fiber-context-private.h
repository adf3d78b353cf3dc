/* srv-fiber-context-private.h - a point of execution, on a stack of its own
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Two functions do it all: one makes a context that will call a function on a
 * given stack, one leaves a context and enters another. There is a switch in
 * assembly for x86-64 and aarch64, and one on ucontext for everything else and
 * for comparison (configure --enable-fiber-switch=ucontext).
 *
 * A context belongs to one thread for ever.
 */

#pragma once

#include <glib.h>

#ifdef SRV_FIBER_UCONTEXT
#include <ucontext.h>
#endif

G_BEGIN_DECLS

typedef void (*SrvFiberEntry) (gpointer data);

typedef struct
{
#ifdef SRV_FIBER_UCONTEXT
  ucontext_t machine;
#else
  void *stack_pointer; /* where the other registers are, while not running */
#endif
  const void *stack_bottom; /* for the tools: the lowest byte of the stack */
  gsize stack_size;
  void *tool; /* what a sanitizer knows the context by */
} SrvFiberContext;

/* The context that the calling thread is in from the beginning. */
void srv_fiber_context_init_thread (SrvFiberContext *self);

/* @entry must never return; it ends with srv_fiber_context_leave (). */
void srv_fiber_context_init (SrvFiberContext *self,
                             void *stack,
                             gsize stack_size,
                             SrvFiberEntry entry,
                             gpointer data);

/* After the context was left for the last time. */
void srv_fiber_context_clear (SrvFiberContext *self);

void srv_fiber_context_switch (SrvFiberContext *from, SrvFiberContext *to);

G_NORETURN void srv_fiber_context_leave (SrvFiberContext *from,
                                         SrvFiberContext *to);

G_END_DECLS
