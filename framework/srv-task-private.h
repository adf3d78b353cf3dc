/* srv-task-private.h - who runs: a thread, or a fiber in one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Code that waits does not want to know which of the two it is. Every task can
 * park, and be unparked by any other; everything that waits for another task is
 * made of these two. A task also has room for what belongs to the one that
 * runs, where a program of threads would use a thread-local variable.
 *
 * Both calls are like one token: an unpark that comes first makes the next park
 * return at once. A park may also return without one, so whoever parks does it
 * in a loop, and looks at what it waits for. Whoever unparks must know that the
 * task is still there: because it waits under a lock that the caller holds, or
 * because somebody joins it later.
 */

#pragma once

#include "srv-deadline-private.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  SRV_TASK_REQUEST,      /* which request is being served */
  SRV_TASK_LOOP,         /* which loop runs */
  SRV_TASK_ACCEPT_ERRNO, /* beside the GError of the last get_request */
  SRV_TASK_MIX_IN,       /* whose worker it is */
  SRV_TASK_POOL_THREAD,  /* which one of a pool */
  SRV_TASK_SPAWNED,      /* the tasks that this one has started */
  SRV_TASK_SPAWNER,      /* the tasks that it was started with */
  SRV_TASK_N_SLOTS,
} SrvTaskSlot;

typedef struct _SrvFiber SrvFiber;

typedef struct
{
  SrvFiber *fiber; /* NULL: a thread */
  gpointer slots[SRV_TASK_N_SLOTS];
  gboolean token; /* of a thread: under lock */
  GMutex lock;
  GCond unparked;
} SrvTask;

/* Set while a fiber runs. In the style of code that is loaded at start: one
 * instruction instead of a call. */
extern _Thread_local SrvTask *srv_task_of_fiber
  __attribute__ ((tls_model ("initial-exec")));
extern _Thread_local SrvTask srv_task_of_thread
  __attribute__ ((tls_model ("initial-exec")));

static inline SrvTask *
srv_task_self (void)
{
  SrvTask *task = srv_task_of_fiber;

  return G_UNLIKELY (task != NULL) ? task : &srv_task_of_thread;
}

/* The fiber that runs, NULL in a thread without fibers. */
static inline SrvFiber *
srv_task_fiber (void)
{
  SrvTask *task = srv_task_of_fiber;

  return task != NULL ? task->fiber : NULL;
}

static inline gpointer
srv_task_get (SrvTaskSlot slot)
{
  return srv_task_self ()->slots[slot];
}

static inline void
srv_task_set (SrvTaskSlot slot, gpointer value)
{
  srv_task_self ()->slots[slot] = value;
}

/* FALSE when the deadline has passed. */
gboolean srv_task_park (gint64 deadline);

/* From any thread. */
void srv_task_unpark (SrvTask *task);

G_END_DECLS
