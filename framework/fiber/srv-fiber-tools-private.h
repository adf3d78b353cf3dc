/* srv-fiber-tools-private.h - what checkers want to know about stacks
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AddressSanitizer, ThreadSanitizer and valgrind follow the stack pointer. Each
 * has to be told before it jumps; without them this costs nothing.
 */

#pragma once

#include "srv-fiber-context-private.h"

#if defined(__SANITIZE_ADDRESS__)
#define SRV_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SRV_FIBER_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define SRV_FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SRV_FIBER_TSAN 1
#endif
#endif

#ifdef SRV_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef SRV_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef HAVE_VALGRIND_VALGRIND_H
#include <valgrind/valgrind.h>
#endif

/* Before the jump. @fake_stack is kept for the return; NULL if there is none. */
static inline void
srv_fiber_tools_before (G_GNUC_UNUSED void **fake_stack,
                        G_GNUC_UNUSED const SrvFiberContext *to)
{
#ifdef SRV_FIBER_ASAN
  __sanitizer_start_switch_fiber (fake_stack, to->stack_bottom, to->stack_size);
#endif
#ifdef SRV_FIBER_TSAN
  __tsan_switch_to_fiber (to->tool, 0);
#endif
}

/* After it, in the context that runs now. */
static inline void
srv_fiber_tools_after (G_GNUC_UNUSED void *fake_stack)
{
#ifdef SRV_FIBER_ASAN
  __sanitizer_finish_switch_fiber (fake_stack, NULL, NULL);
#endif
}

static inline void *
srv_fiber_tools_make (void)
{
#ifdef SRV_FIBER_TSAN
  return __tsan_create_fiber (0);
#else
  return NULL;
#endif
}

static inline void
srv_fiber_tools_unmake (G_GNUC_UNUSED void *tool)
{
#ifdef SRV_FIBER_TSAN
  __tsan_destroy_fiber (tool);
#endif
}

static inline void *
srv_fiber_tools_of_thread (void)
{
#ifdef SRV_FIBER_TSAN
  return __tsan_get_current_fiber ();
#else
  return NULL;
#endif
}

/* A stack that is used again: what the last one left on it is gone. */
static inline void
srv_fiber_tools_reuse (G_GNUC_UNUSED void *bottom, G_GNUC_UNUSED gsize size)
{
#ifdef SRV_FIBER_ASAN
  __asan_unpoison_memory_region (bottom, size);
#endif
}

/* What valgrind knows a stack by. */
static inline guint
srv_fiber_tools_register (G_GNUC_UNUSED const void *bottom,
                          G_GNUC_UNUSED gsize size)
{
#ifdef HAVE_VALGRIND_VALGRIND_H
  return VALGRIND_STACK_REGISTER (bottom, (const char *) bottom + size);
#else
  return 0;
#endif
}

static inline void
srv_fiber_tools_deregister (G_GNUC_UNUSED guint id)
{
#ifdef HAVE_VALGRIND_VALGRIND_H
  VALGRIND_STACK_DEREGISTER (id);
#endif
}
