/* srv-fiber-private.h - many tasks in one thread
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A worker is a thread with an epoll descriptor. It runs fibers: functions with
 * stacks of their own, written as if each had a thread. One that has to wait
 * parks, and the worker switches straight to the next that is ready. A fiber
 * never leaves its worker, so between two of them no lock is needed.
 *
 *   srv-fiber-context   one stack to another: registers, and nothing else
 *   srv-fiber-stack     stacks with a guard, used again
 *   srv-fiber-timer     deadlines, in a heap, moved lazily
 *   srv-fiber-watch     descriptors, registered once
 *   srv-fiber-wait      descriptors that are not ours
 *   srv-fiber-worker    who runs next; messages from other threads
 *   srv-fiber-overflow  what to say when a stack was too small
 *
 * Nothing here knows a server, a connection or a handler.
 */

#pragma once

#include "../srv-task-private.h"
#include "srv-fiber-context-private.h"
#include "srv-fiber-stack-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _SrvFiberWorker SrvFiberWorker;
typedef void (*SrvFiberFunc) (gpointer data);

/* Something that another thread wants done on the worker's. */
typedef struct _SrvFiberMessage SrvFiberMessage;
struct _SrvFiberMessage
{
  SrvFiberMessage *next;
  void (*deliver) (SrvFiberMessage *self, SrvFiberWorker *worker);
};

struct _SrvFiber
{
  /* What every switch touches, in two lines of the cache: with a thousand
   * fibers they come from far away. */
  SrvFiber *next; /* in the ready queue */
  gboolean parked;
  gboolean token; /* an unpark came before the park */
  gboolean timed_out;
  gint64 deadline;   /* of the present park */
  const char *label; /* what it does, for reports; a static string */
  SrvFiberWorker *worker;
  SrvFiberContext context;
  SrvTask task;

  SrvFiberStack *stack; /* NULL: the thread's own */
  SrvFiberFunc func;
  gpointer data;

  gint64 heap_time; /* what the heap has it under; may be earlier */
  guint heap_index; /* 0: not in the heap */

  SrvFiberMessage unpark; /* from other threads */
  int unpark_is_sent;     /* atomic */
};

/* Fibers. Unless it says otherwise: on the worker's thread. */

/* FALSE and errno when there is no memory for a stack. */
gboolean srv_fiber_spawn (SrvFiberWorker *worker,
                          SrvFiberFunc func,
                          gpointer data);

/* FALSE when the deadline has passed. */
gboolean srv_fiber_park (gint64 deadline);

/* From any thread. */
void srv_fiber_unpark (SrvFiber *fiber);

/* Lets all others run that are ready. */
void srv_fiber_yield (void);

/* What the running fiber does, for reports about workers that are blocked. */
void srv_fiber_set_label (const char *label);

/* Workers. */

/* @woke is called on the worker's thread whenever it has waited for the system;
 * nullable. */
SrvFiberWorker *srv_fiber_worker_new (gsize stack_size,
                                      SrvFiberFunc woke,
                                      gpointer data,
                                      GError **error);
void srv_fiber_worker_free (SrvFiberWorker *self);

/* Runs fibers on the calling thread until quit was asked for and none is
 * left. */
void srv_fiber_worker_run (SrvFiberWorker *self);

/* From any thread. */
void srv_fiber_worker_quit (SrvFiberWorker *self);

/* Has @message delivered on the worker's thread. From any thread. */
void srv_fiber_worker_post (SrvFiberWorker *self, SrvFiberMessage *message);

/* How many fibers live; from any thread, and a little old. */
guint srv_fiber_worker_get_n_fibers (SrvFiberWorker *self);

/* Whether the worker has been in one fiber since the last call; then what that
 * one does. From one other thread. */
gboolean srv_fiber_worker_is_stuck (SrvFiberWorker *self, const char **label);

/* Whether it waits for the system just now. From any thread. */
gboolean srv_fiber_worker_is_idle (SrvFiberWorker *self);

/* The worker of the calling thread, NULL if it has none. */
SrvFiberWorker *srv_fiber_worker_self (void);

/* Descriptors. */

typedef struct _SrvFiberWatch SrvFiberWatch;
typedef struct _SrvFiberWait SrvFiberWait;

/* One fiber that waits for one descriptor; lives on its stack. */
struct _SrvFiberWait
{
  SrvFiberWait *next;
  SrvFiber *fiber;
  guint32 awaited;
};

/* A descriptor in the worker's epoll set, edge-triggered. What the system has
 * told stays in @ready until somebody finds that it is no longer true. */
struct _SrvFiberWatch
{
  SrvFiberWorker *worker;
  int fd;
  guint32 ready; /* EPOLLIN, EPOLLOUT, and, never taken back, the end */
  SrvFiberWait *waits;
};

typedef enum
{
  SRV_FIBER_READY,
  SRV_FIBER_TIMED_OUT,
  SRV_FIBER_CANCELLED,
} SrvFiberResult;

/* @events are those of the interest, without EPOLLET. FALSE and errno when the
 * descriptor cannot be waited for. */
gboolean srv_fiber_watch_init (SrvFiberWatch *self, int fd, guint32 events);

/* Changes the interest. What is true already is told again. */
void srv_fiber_watch_change (SrvFiberWatch *self, guint32 events);

/* Before the descriptor is closed; nobody may wait for it. */
void srv_fiber_watch_clear (SrvFiberWatch *self);

/* Whoever reads or writes says so when nothing more goes for now. With an end in
 * sight it has no effect: what comes before it must still be read. */
void srv_fiber_watch_drained (SrvFiberWatch *self, guint32 events);

SrvFiberResult srv_fiber_watch_wait (SrvFiberWatch *self,
                                     guint32 events,
                                     gint64 deadline,
                                     GCancellable *cancellable);

/* Waits until one of several is ready for reading; those without a worker are
 * left out. */
SrvFiberResult srv_fiber_watch_wait_any (SrvFiberWatch **watches,
                                         guint n_watches,
                                         gint64 deadline);

/* Waits for a descriptor that is not ours, registered for this wait alone. FALSE
 * and errno when it cannot be waited for. */
gboolean srv_fiber_wait_fd (int fd,
                            guint32 events,
                            gint64 deadline,
                            GCancellable *cancellable,
                            SrvFiberResult *result);

/* From the worker, when the system has told something. */
void srv_fiber_watch_note (SrvFiberWatch *self, guint32 events);

/* Deadlines: for the worker. */

typedef struct
{
  GPtrArray *fibers; /* a binary heap by heap_time; entry 0 is not used */
} SrvFiberTimers;

void srv_fiber_timers_init (SrvFiberTimers *self);
void srv_fiber_timers_clear (SrvFiberTimers *self);
void srv_fiber_timers_add (SrvFiberTimers *self, SrvFiber *fiber);
void srv_fiber_timers_remove (SrvFiberTimers *self, SrvFiber *fiber);

/* When the first may be due, SRV_DEADLINE_NEVER if there is none. */
gint64 srv_fiber_timers_next (const SrvFiberTimers *self);

/* Takes out one whose deadline has passed, NULL if there is none. */
SrvFiber *srv_fiber_timers_pop (SrvFiberTimers *self, gint64 now);

/* Reports a touched guard before the process dies; once for each worker. */
void srv_fiber_overflow_watch (void);
void srv_fiber_overflow_unwatch (void);

G_END_DECLS
