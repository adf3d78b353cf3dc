/* srv-fiber-context.c - leaving one stack and entering another
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The switch is a function call, so the caller has already put aside what the
 * calling convention lets a callee overwrite. Only the callee's registers are
 * left to keep: they are pushed, the stack pointer changes, they are popped. It
 * leaves by a jump and not by a return, for which the processor would have
 * predicted the wrong place (4 ns against 11 to 15). The control words of the
 * floating-point units are not kept: all fibers of a thread share them, as all
 * code of a thread does.
 */

#include "config.h"

#include "srv-fiber-context-private.h"

#include "srv-fiber-tools-private.h"

#include <pthread.h>

#if !defined(SRV_FIBER_UCONTEXT) && defined(__x86_64__)

/* void swap (void **from, void *to) */
__asm__(
  ".text\n"
  ".type srv_fiber_swap, @function\n"
  ".hidden srv_fiber_swap\n"
  ".globl srv_fiber_swap\n"
  "srv_fiber_swap:\n"
  "  .cfi_startproc\n"
  "  pushq %rbp\n"
  "  pushq %rbx\n"
  "  pushq %r12\n"
  "  pushq %r13\n"
  "  pushq %r14\n"
  "  pushq %r15\n"
  "  movq %rsp, (%rdi)\n"
  "  movq %rsi, %rsp\n"
  "  popq %r15\n"
  "  popq %r14\n"
  "  popq %r13\n"
  "  popq %r12\n"
  "  popq %rbx\n"
  "  popq %rbp\n"
  "  popq %rcx\n"
  "  jmpq *%rcx\n"
  "  .cfi_endproc\n"
  ".size srv_fiber_swap, . - srv_fiber_swap\n"
  /* Where a new context begins. Nobody called it: a backtrace ends here. */
  ".type srv_fiber_begin, @function\n"
  ".hidden srv_fiber_begin\n"
  ".globl srv_fiber_begin\n"
  "srv_fiber_begin:\n"
  "  .cfi_startproc\n"
  "  .cfi_undefined rip\n"
  "  movq %r12, %rdi\n"
  "  callq *%r13\n"
  "  ud2\n"
  "  .cfi_endproc\n"
  ".size srv_fiber_begin, . - srv_fiber_begin\n");

enum
{
  SLOT_R15,
  SLOT_R14,
  SLOT_ENTRY, /* r13 */
  SLOT_DATA,  /* r12 */
  SLOT_RBX,
  SLOT_RBP,
  SLOT_BEGIN,
  N_SLOTS, /* all are popped: the stack is aligned again */
};

#elif !defined(SRV_FIBER_UCONTEXT) && defined(__aarch64__)

__asm__(".text\n"
        ".type srv_fiber_swap, %function\n"
        ".hidden srv_fiber_swap\n"
        ".globl srv_fiber_swap\n"
        "srv_fiber_swap:\n"
        "  .cfi_startproc\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x2, sp\n"
        "  str x2, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  br x30\n"
        "  .cfi_endproc\n"
        ".size srv_fiber_swap, . - srv_fiber_swap\n"
        ".type srv_fiber_begin, %function\n"
        ".hidden srv_fiber_begin\n"
        ".globl srv_fiber_begin\n"
        "srv_fiber_begin:\n"
        "  .cfi_startproc\n"
        "  .cfi_undefined x30\n"
        "  mov x0, x19\n"
        "  blr x20\n"
        "  brk #1\n"
        "  .cfi_endproc\n"
        ".size srv_fiber_begin, . - srv_fiber_begin\n");

enum
{
  SLOT_DATA = 0,   /* x19 */
  SLOT_ENTRY = 1,  /* x20 */
  SLOT_BEGIN = 11, /* x30 */
  N_SLOTS = 20,
};

#elif !defined(SRV_FIBER_UCONTEXT)
#error "no switch for this processor: configure --enable-fiber-switch=ucontext"
#endif

#ifndef SRV_FIBER_UCONTEXT

void srv_fiber_swap (void **from, void *to);
void srv_fiber_begin (void);

static void
prepare (SrvFiberContext *self, SrvFiberEntry entry, gpointer data)
{
  guintptr top = (guintptr) self->stack_bottom + self->stack_size;
  guintptr *slots = (guintptr *) (top & ~(guintptr) 15) - N_SLOTS;

  for (int i = 0; i < N_SLOTS; i++)
    slots[i] = 0;
  slots[SLOT_DATA] = (guintptr) data;
  slots[SLOT_ENTRY] = (guintptr) entry;
  slots[SLOT_BEGIN] = (guintptr) srv_fiber_begin;
  self->stack_pointer = slots;
}

static void
swap (SrvFiberContext *from, SrvFiberContext *to)
{
  srv_fiber_swap (&from->stack_pointer, to->stack_pointer);
}

#else

/* makecontext () passes numbers; a pointer is two of them. */
static void
begin (guint entry_high, guint entry_low, guint data_high, guint data_low)
{
  guint64 entry = (guint64) entry_high << 32 | entry_low;
  guint64 data = (guint64) data_high << 32 | data_low;

  ((SrvFiberEntry) (guintptr) entry) ((gpointer) (guintptr) data);
}

static void
prepare (SrvFiberContext *self, SrvFiberEntry entry, gpointer data)
{
  guint64 entry_number = (guintptr) entry;
  guint64 data_number = (guintptr) data;

  getcontext (&self->machine);
  self->machine.uc_stack.ss_sp = (void *) self->stack_bottom;
  self->machine.uc_stack.ss_size = self->stack_size;
  self->machine.uc_link = NULL;
  makecontext (&self->machine, (void (*) (void)) begin, 4,
               (guint) (entry_number >> 32), (guint) entry_number,
               (guint) (data_number >> 32), (guint) data_number);
}

static void
swap (SrvFiberContext *from, SrvFiberContext *to)
{
  swapcontext (&from->machine, &to->machine);
}

#endif

void
srv_fiber_context_init_thread (SrvFiberContext *self)
{
  pthread_attr_t attributes;
  void *bottom;

  *self = (SrvFiberContext){ .tool = srv_fiber_tools_of_thread () };
  if (pthread_getattr_np (pthread_self (), &attributes) != 0)
    return;
  pthread_attr_getstack (&attributes, &bottom, &self->stack_size);
  self->stack_bottom = bottom;
  pthread_attr_destroy (&attributes);
}

/* The first thing that happens on a new stack. */
typedef struct
{
  SrvFiberEntry entry;
  gpointer data;
} Beginning;

G_NORETURN static void
enter (gpointer data)
{
  Beginning beginning = *(Beginning *) data;

  srv_fiber_tools_after (NULL);
  beginning.entry (beginning.data);
  g_assert_not_reached ();
}

void
srv_fiber_context_init (SrvFiberContext *self,
                        void *stack,
                        gsize stack_size,
                        SrvFiberEntry entry,
                        gpointer data)
{
  Beginning *beginning;

  stack_size -= sizeof *beginning;
  stack_size &= ~(gsize) 15;
  beginning = (void *) ((guint8 *) stack + stack_size);
  *beginning = (Beginning){ entry, data };
  *self = (SrvFiberContext){
    .stack_bottom = stack,
    .stack_size = stack_size,
    .tool = srv_fiber_tools_make (),
  };
  prepare (self, enter, beginning);
}

void
srv_fiber_context_clear (SrvFiberContext *self)
{
  srv_fiber_tools_unmake (self->tool);
}

void
srv_fiber_context_switch (SrvFiberContext *from, SrvFiberContext *to)
{
  void *fake_stack = NULL;

  srv_fiber_tools_before (&fake_stack, to);
  swap (from, to);
  srv_fiber_tools_after (fake_stack);
}

void
srv_fiber_context_leave (SrvFiberContext *from, SrvFiberContext *to)
{
  srv_fiber_tools_before (NULL, to);
  swap (from, to);
  g_assert_not_reached ();
}
