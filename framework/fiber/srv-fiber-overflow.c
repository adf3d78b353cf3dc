/* srv-fiber-overflow.c - what to say when a stack was too small
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A fiber that outgrows its stack touches the guard and the process dies. Before
 * that, it is told why: nobody would guess it from a segmentation fault. Any
 * other fault goes to whoever cared for it before.
 */

#include "config.h"

#include "srv-fiber-private.h"
#include "srv-fiber-worker-private.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HANDLER_STACK_SIZE (64 * 1024)

/* Guards the next two. */
static GMutex lock;
static guint n_watching;
static struct sigaction previous;

static _Thread_local void *handler_stack;

static void
say (const char *text)
{
  if (write (STDERR_FILENO, text, strlen (text)) < 0)
    return;
}

static void
report (void)
{
  const char *label = srv_fiber_worker_get_label ();

  say ("socketserver: the stack of a fiber is full");
  if (label != NULL)
    {
      say (" (");
      say (label);
      say (")");
    }
  say (": set a larger stack-size, or keep large data on the heap\n");
}

/* Returning repeats the access, now with nobody to catch it. */
static void
on_fault (int signo, siginfo_t *info, void *context)
{
  const SrvFiberStack *stack = srv_fiber_worker_get_stack ();

  if (stack != NULL && srv_fiber_stack_guards (stack, info->si_addr))
    {
      report ();
      signal (signo, SIG_DFL);
    }
  else if ((previous.sa_flags & SA_SIGINFO) != 0)
    previous.sa_sigaction (signo, info, context);
  else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
    previous.sa_handler (signo);
  else
    signal (signo, SIG_DFL);
}

static void
install (void)
{
  struct sigaction action = {
    .sa_sigaction = on_fault,
    .sa_flags = SA_SIGINFO | SA_ONSTACK,
  };

  sigemptyset (&action.sa_mask);
  sigaction (SIGSEGV, &action, &previous);
}

static void
uninstall (void)
{
  struct sigaction now;

  if (sigaction (SIGSEGV, NULL, &now) == 0 &&
      (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_fault)
    sigaction (SIGSEGV, &previous, NULL);
}

/* The handler needs a stack that is not the one that is full. */
static void
take_handler_stack (void)
{
  stack_t stack = { .ss_size = HANDLER_STACK_SIZE };

  stack.ss_sp = mmap (NULL, HANDLER_STACK_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack.ss_sp == MAP_FAILED)
    return;
  handler_stack = stack.ss_sp;
  sigaltstack (&stack, NULL);
}

static void
drop_handler_stack (void)
{
  const stack_t none = { .ss_flags = SS_DISABLE };

  if (handler_stack == NULL)
    return;
  sigaltstack (&none, NULL);
  munmap (handler_stack, HANDLER_STACK_SIZE);
  handler_stack = NULL;
}

void
srv_fiber_overflow_watch (void)
{
  take_handler_stack ();
  g_mutex_lock (&lock);
  if (n_watching++ == 0)
    install ();
  g_mutex_unlock (&lock);
}

void
srv_fiber_overflow_unwatch (void)
{
  g_mutex_lock (&lock);
  if (--n_watching == 0)
    uninstall ();
  g_mutex_unlock (&lock);
  drop_handler_stack ();
}
