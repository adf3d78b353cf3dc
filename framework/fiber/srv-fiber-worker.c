/* srv-fiber-worker.c - who runs next
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * There is one queue of fibers that are ready, and the thread's own context
 * stands in it like a fiber: when its turn comes, it asks the system for news,
 * and goes to the end again. It waits only if nobody else is ready. So everybody
 * who was ready runs once between two looks, and a fiber that parks switches
 * straight to the next one.
 */

#include "config.h"

#include "srv-fiber-private.h"
#include "srv-fiber-worker-private.h"

#include "../srv-errno-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256

struct _SrvFiberWorker
{
  gatomicrefcount ref_count; /* the owner's, and one for each watch */
  int epoll_fd;
  SrvFiberWatch bell;     /* an eventfd: messages have come */
  SrvFiberMessage *inbox; /* atomic; the last message first */
  int n_posting;          /* atomic: threads that are about to ring the bell */

  SrvFiber poller; /* the thread's own context */
  SrvFiber *running;
  SrvFiber *first; /* the ready queue */
  SrvFiber *last;
  SrvFiber *ended; /* to be cleared by whoever runs after it */
  SrvFiberStacks stacks;
  SrvFiberTimers timers;
  gboolean quitting;
  SrvFiberFunc woke; /* nullable */
  gpointer data;

  guint n_fibers; /* atomic for other threads */

  /* For who looks whether the worker is stuck. */
  guint n_switches;           /* atomic */
  const char *label;          /* atomic: of the fiber that runs */
  gboolean idle;              /* atomic: waits for the system */
  guint n_switches_last_seen; /* by the one that looks */
};

static _Thread_local SrvFiberWorker *own_worker
  __attribute__ ((tls_model ("initial-exec")));

SrvFiberWorker *
srv_fiber_worker_self (void)
{
  return own_worker;
}

int
srv_fiber_worker_get_epoll_fd (SrvFiberWorker *self)
{
  return self->epoll_fd;
}

static void
push_ready (SrvFiberWorker *self, SrvFiber *fiber)
{
  fiber->next = NULL;
  if (self->first == NULL)
    self->first = fiber;
  else
    self->last->next = fiber;
  self->last = fiber;
}

/* Somebody is always there: the poller, if nobody else. */
static SrvFiber *
pop_ready (SrvFiberWorker *self)
{
  SrvFiber *fiber = self->first;

  self->first = fiber->next;
  return fiber;
}

/* A fiber cannot give its stack back while it stands on it. */
static void
clear_ended (SrvFiberWorker *self)
{
  SrvFiber *fiber = g_steal_pointer (&self->ended);

  if (fiber == NULL)
    return;
  srv_fiber_context_clear (&fiber->context);
  srv_fiber_stacks_give_back (&self->stacks, fiber->stack);
}

static void
enter (SrvFiberWorker *self, SrvFiber *fiber)
{
  self->running = fiber;
  srv_task_of_fiber = fiber != &self->poller ? &fiber->task : NULL;
  __atomic_store_n (&self->label, fiber->label, __ATOMIC_RELAXED);
  __atomic_store_n (&self->n_switches, self->n_switches + 1, __ATOMIC_RELAXED);
}

static void
switch_to_next (SrvFiberWorker *self)
{
  SrvFiber *from = self->running;
  SrvFiber *to = pop_ready (self);

  if (from == to)
    return;
  enter (self, to);
  srv_fiber_context_switch (&from->context, &to->context);
  clear_ended (self);
}

void
srv_fiber_yield (void)
{
  SrvFiberWorker *self = own_worker;

  push_ready (self, self->running);
  switch_to_next (self);
}

gboolean
srv_fiber_park (gint64 deadline)
{
  SrvFiberWorker *self = own_worker;
  SrvFiber *fiber = self->running;

  if (fiber->token)
    {
      fiber->token = FALSE;
      return TRUE;
    }
  fiber->deadline = deadline;
  if (deadline != SRV_DEADLINE_NEVER)
    srv_fiber_timers_add (&self->timers, fiber);
  fiber->timed_out = FALSE;
  fiber->parked = TRUE;
  switch_to_next (self);
  fiber->deadline = SRV_DEADLINE_NEVER;
  return !fiber->timed_out;
}

static void
unpark_here (SrvFiber *fiber)
{
  if (!fiber->parked)
    {
      fiber->token = TRUE;
      return;
    }
  fiber->parked = FALSE;
  push_ready (fiber->worker, fiber);
}

static void
deliver_unpark (SrvFiberMessage *message, G_GNUC_UNUSED SrvFiberWorker *worker)
{
  SrvFiber *fiber =
    (void *) ((guint8 *) message - G_STRUCT_OFFSET (SrvFiber, unpark));

  g_atomic_int_set (&fiber->unpark_is_sent, FALSE);
  unpark_here (fiber);
}

void
srv_fiber_unpark (SrvFiber *fiber)
{
  if (fiber->worker == own_worker)
    unpark_here (fiber);
  else if (g_atomic_int_compare_and_exchange (&fiber->unpark_is_sent, FALSE,
                                              TRUE))
    srv_fiber_worker_post (fiber->worker, &fiber->unpark);
}

void
srv_fiber_set_label (const char *label)
{
  SrvFiberWorker *self = own_worker;

  if (self == NULL)
    return;
  self->running->label = label;
  __atomic_store_n (&self->label, label, __ATOMIC_RELAXED);
}

/* An unpark may still be on its way from another thread: it has to arrive
 * before the fiber can go. */
static void
await_unpark (SrvFiber *fiber)
{
  while (g_atomic_int_get (&fiber->unpark_is_sent))
    srv_fiber_yield ();
}

/* What a fiber does from beginning to end, on its own stack. */
G_NORETURN static void
run_fiber (gpointer data)
{
  SrvFiber *self = data;
  SrvFiberWorker *worker = self->worker;

  clear_ended (worker);
  self->func (self->data);
  await_unpark (self);
  srv_fiber_timers_remove (&worker->timers, self);
  __atomic_store_n (&worker->n_fibers, worker->n_fibers - 1, __ATOMIC_RELAXED);
  worker->ended = self;
  enter (worker, pop_ready (worker));
  srv_fiber_context_leave (&self->context, &worker->running->context);
}

/* The fiber itself lies at the top of its stack. */
gboolean
srv_fiber_spawn (SrvFiberWorker *worker, SrvFiberFunc func, gpointer data)
{
  SrvFiberStack *stack = srv_fiber_stacks_take (&worker->stacks);
  SrvFiber *fiber;
  gsize size;

  if (stack == NULL)
    return FALSE;
  size = (stack->size - sizeof *fiber) & ~(gsize) 63;
  fiber = (void *) (stack->bottom + size);
  *fiber = (SrvFiber){
    .worker = worker,
    .stack = stack,
    .func = func,
    .data = data,
    .deadline = SRV_DEADLINE_NEVER,
    .unpark.deliver = deliver_unpark,
  };
  fiber->task.fiber = fiber;
  srv_fiber_context_init (&fiber->context, stack->bottom, size, run_fiber,
                          fiber);
  __atomic_store_n (&worker->n_fibers, worker->n_fibers + 1, __ATOMIC_RELAXED);
  push_ready (worker, fiber);
  return TRUE;
}

/* Whoever finds the inbox empty rings the bell. The message may be what the
 * worker ends by, so the worker is told that somebody still has the bell in
 * hand. */
void
srv_fiber_worker_post (SrvFiberWorker *self, SrvFiberMessage *message)
{
  const guint64 one = 1;
  SrvFiberMessage *first;

  g_atomic_int_inc (&self->n_posting);
  do
    {
      first = g_atomic_pointer_get (&self->inbox);
      message->next = first;
    }
  while (!g_atomic_pointer_compare_and_exchange (&self->inbox, first, message));
  if (first == NULL && write (self->bell.fd, &one, sizeof one) < 0)
    g_assert (errno == EAGAIN);
  g_atomic_int_add (&self->n_posting, -1);
}

static SrvFiberMessage *
reverse (SrvFiberMessage *list)
{
  SrvFiberMessage *reversed = NULL;

  while (list != NULL)
    {
      SrvFiberMessage *next = list->next;

      list->next = reversed;
      reversed = list;
      list = next;
    }
  return reversed;
}

static void
read_inbox (SrvFiberWorker *self)
{
  SrvFiberMessage *message;
  guint64 count;

  if (self->bell.ready == 0)
    return;
  self->bell.ready = 0;
  if (read (self->bell.fd, &count, sizeof count) < 0)
    g_assert (errno == EAGAIN || errno == EINTR);
  message = reverse (g_atomic_pointer_exchange (&self->inbox, NULL));
  while (message != NULL)
    {
      SrvFiberMessage *next = message->next;

      message->deliver (message, self);
      message = next;
    }
}

static void
expire (SrvFiberWorker *self)
{
  SrvFiber *fiber;
  gint64 now;

  if (srv_fiber_timers_next (&self->timers) == SRV_DEADLINE_NEVER)
    return;
  now = g_get_monotonic_time ();
  while ((fiber = srv_fiber_timers_pop (&self->timers, now)) != NULL)
    if (fiber->parked)
      {
        fiber->timed_out = TRUE;
        unpark_here (fiber);
      }
}

/* Asks the system for news; waits for them if nobody is ready. The news are all
 * told before a fiber runs, so a watch may go at any time. */
static void
poll_events (SrvFiberWorker *self)
{
  struct epoll_event events[EVENTS_AT_ONCE];
  gboolean waits = self->first == NULL;
  int timeout_ms = 0;
  int n;

  if (waits)
    {
      timeout_ms =
        srv_deadline_poll_timeout (srv_fiber_timers_next (&self->timers));
      __atomic_store_n (&self->idle, TRUE, __ATOMIC_RELAXED);
    }
  n = epoll_wait (self->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
  if (waits)
    {
      /* Before whatever is looked at in there. */
      __atomic_store_n (&self->idle, FALSE, __ATOMIC_SEQ_CST);
      if (self->woke != NULL)
        self->woke (self->data);
    }
  for (int i = 0; i < n; i++)
    srv_fiber_watch_note (events[i].data.ptr, events[i].events);
  read_inbox (self);
  expire (self);
}

SrvFiberWorker *
srv_fiber_worker_new (gsize stack_size,
                      SrvFiberFunc woke,
                      gpointer data,
                      GError **error)
{
  SrvFiberWorker *self = g_new0 (SrvFiberWorker, 1);
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = &self->bell };

  g_atomic_ref_count_init (&self->ref_count);
  srv_fiber_stacks_init (&self->stacks, stack_size);
  srv_fiber_timers_init (&self->timers);
  self->poller.worker = self;
  self->woke = woke;
  self->data = data;
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->bell.fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->epoll_fd >= 0 && self->bell.fd >= 0 &&
      epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, self->bell.fd, &event) == 0)
    return self;
  srv_set_errno_error (error, errno, "could not start a worker for fibers");
  srv_fiber_worker_free (self);
  return NULL;
}

void
srv_fiber_worker_ref (SrvFiberWorker *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
}

void
srv_fiber_worker_unref (SrvFiberWorker *self)
{
  if (g_atomic_ref_count_dec (&self->ref_count))
    g_free (self);
}

/* The worker runs no more. A watch may outlive it, and then watches nothing. */
void
srv_fiber_worker_free (SrvFiberWorker *self)
{
  while (g_atomic_int_get (&self->n_posting) > 0)
    g_thread_yield ();
  if (self->epoll_fd >= 0)
    close (self->epoll_fd);
  self->epoll_fd = -1;
  if (self->bell.fd >= 0)
    close (self->bell.fd);
  srv_fiber_timers_clear (&self->timers);
  srv_fiber_stacks_clear (&self->stacks);
  srv_fiber_worker_unref (self);
}

void
srv_fiber_worker_run (SrvFiberWorker *self)
{
  own_worker = self;
  srv_fiber_context_init_thread (&self->poller.context);
  self->running = &self->poller;
  srv_fiber_overflow_watch ();
  while (!self->quitting || self->n_fibers > 0)
    {
      poll_events (self);
      push_ready (self, &self->poller);
      switch_to_next (self);
    }
  srv_fiber_overflow_unwatch ();
  own_worker = NULL;
}

const SrvFiberStack *
srv_fiber_worker_get_stack (void)
{
  return own_worker != NULL ? own_worker->running->stack : NULL;
}

const char *
srv_fiber_worker_get_label (void)
{
  return own_worker != NULL ? own_worker->running->label : NULL;
}

static void
deliver_quit (SrvFiberMessage *message, SrvFiberWorker *worker)
{
  worker->quitting = TRUE;
  g_free (message);
}

void
srv_fiber_worker_quit (SrvFiberWorker *self)
{
  SrvFiberMessage *message = g_new0 (SrvFiberMessage, 1);

  message->deliver = deliver_quit;
  srv_fiber_worker_post (self, message);
}

guint
srv_fiber_worker_get_n_fibers (SrvFiberWorker *self)
{
  return __atomic_load_n (&self->n_fibers, __ATOMIC_RELAXED);
}

gboolean
srv_fiber_worker_is_stuck (SrvFiberWorker *self, const char **label)
{
  guint n_switches = __atomic_load_n (&self->n_switches, __ATOMIC_RELAXED);
  gboolean stuck = n_switches == self->n_switches_last_seen &&
                   !__atomic_load_n (&self->idle, __ATOMIC_RELAXED);

  self->n_switches_last_seen = n_switches;
  *label = __atomic_load_n (&self->label, __ATOMIC_RELAXED);
  return stuck;
}

gboolean
srv_fiber_worker_is_idle (SrvFiberWorker *self)
{
  return __atomic_load_n (&self->idle, __ATOMIC_SEQ_CST);
}
