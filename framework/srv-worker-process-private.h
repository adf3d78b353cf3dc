/* srv-worker-process-private.h - a process that serves for its parent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parent gives orders through a socket, the worker's leash. The end of it is
 * an order too: the parent is gone. A thread of the worker waits for them,
 * because the one that serves may be busy with a handler.
 */

#pragma once

#include "srv-base-server.h"
#include "srv-scoreboard-private.h"

G_BEGIN_DECLS

/* A byte each. */
typedef enum
{
  SRV_ORDER_LEAVE = 'l', /* accept nobody, and end after what runs */
  SRV_ORDER_DRAIN = 'd', /* tell what runs to hurry */
  SRV_ORDER_CUT = 'c',   /* wait for nobody */
} SrvOrder;

typedef struct
{
  SrvBaseServer *server;
  SrvMixIn *inner; /* nullable: how the worker serves */
  SrvScoreboard *scoreboard;
  SrvScoreboardSlot *slot;
  int leash_fd;
  int news_fd; /* an eventfd: the parent shall look at the scoreboard */
  int stop_fd; /* another: the parent shall stop the server */

  /* When to end and make room for a fresh one; 0: never. */
  guint64 max_requests;
  guint64 max_memory; /* in bytes */

  /* When to tell the parent that there are too few or too many of us. */
  gboolean is_elastic;
  guint min_spare;
  guint max_spare;

  /* The worker's own. */
  guint64 n_taken;  /* requests; under the server's lock */
  gint64 next_look; /* at the memory */
} SrvWorkerProcess;

/* The whole life of a worker; does not return. */
G_NORETURN void srv_worker_process_run (SrvWorkerProcess *self);

/* By the server. */
void srv_worker_process_note_begin (SrvWorkerProcess *self);
void srv_worker_process_note_end (SrvWorkerProcess *self);
void srv_worker_process_note_left (SrvWorkerProcess *self);

G_END_DECLS
