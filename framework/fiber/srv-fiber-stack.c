/* srv-fiber-stack.c - stacks with a guard, used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-fiber-stack-private.h"

#include "srv-fiber-tools-private.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Since Linux 6.13; older headers do not know it. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* So many are kept for the next fibers; more go back to the system. */
#define MAX_FREE 1024

/* Stacks lie at like distances, so that their tops would fall into the same
 * few sets of the cache. Each begins some cache lines lower than the one
 * before; all of it stays within one page. */
#define N_COLOURS   31
#define COLOUR_STEP 64

static gsize
page_size (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

void
srv_fiber_stacks_init (SrvFiberStacks *self, gsize size)
{
  gsize page = page_size ();

#ifdef SRV_FIBER_ASAN
  size *= 4; /* its frames are that much larger */
#endif
  *self = (SrvFiberStacks){ .size = (size + page - 1) / page * page };
}

/* A guard by mprotect () cuts the mapping in two, and a process may have only
 * 65,530 of them; newer kernels can do without. */
static gboolean
install_guard (guint8 *mapping, gsize page)
{
  return madvise (mapping, page, MADV_GUARD_INSTALL) == 0 ||
         mprotect (mapping, page, PROT_NONE) == 0;
}

static SrvFiberStack *
make (SrvFiberStacks *self)
{
  gsize page = page_size ();
  gsize mapping_size = page + self->size;
  gsize colour = self->n_made % N_COLOURS * COLOUR_STEP;
  guint8 *mapping =
    mmap (NULL, mapping_size, PROT_READ | PROT_WRITE,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  SrvFiberStack *stack;

  if (mapping == MAP_FAILED)
    return NULL;
  /* Or two megabytes could be spent on one page of a stack. */
  madvise (mapping, mapping_size, MADV_NOHUGEPAGE);
  if (!install_guard (mapping, page))
    {
      int saved_errno = errno;

      munmap (mapping, mapping_size);
      errno = saved_errno;
      return NULL;
    }
  stack = (void *) (mapping + mapping_size - colour - sizeof *stack);
  stack->mapping = mapping;
  stack->mapping_size = mapping_size;
  stack->bottom = mapping + page;
  stack->size = (gsize) ((guint8 *) stack - stack->bottom);
  stack->tool = srv_fiber_tools_register (stack->bottom, stack->size);
  self->n_made++;
  self->n_mapped++;
  return stack;
}

static void
unmake (SrvFiberStacks *self, SrvFiberStack *stack)
{
  srv_fiber_tools_deregister (stack->tool);
  self->n_mapped--;
  munmap (stack->mapping, stack->mapping_size);
}

SrvFiberStack *
srv_fiber_stacks_take (SrvFiberStacks *self)
{
  SrvFiberStack *stack = self->free;

  if (stack == NULL)
    return make (self);
  self->free = stack->next;
  self->n_free--;
  srv_fiber_tools_reuse (stack->bottom, stack->size);
  return stack;
}

void
srv_fiber_stacks_give_back (SrvFiberStacks *self, SrvFiberStack *stack)
{
  if (self->n_free >= MAX_FREE)
    {
      unmake (self, stack);
      return;
    }
  stack->next = self->free;
  self->free = stack;
  self->n_free++;
}

void
srv_fiber_stacks_clear (SrvFiberStacks *self)
{
  while (self->free != NULL)
    {
      SrvFiberStack *stack = self->free;

      self->free = stack->next;
      unmake (self, stack);
    }
  self->n_free = 0;
}

gboolean
srv_fiber_stack_guards (const SrvFiberStack *self, const void *address)
{
  const guint8 *byte = address;

  return byte >= self->mapping && byte < self->bottom;
}
