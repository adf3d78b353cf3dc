/* srv-fiber-mix-in-private.h - what the files of the mix-in share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file has the class and its settings, one the threads that run the fibers,
 * and one the ways of requests and of the server's loop to their fibers.
 */

#pragma once

#include "fiber/srv-fiber-private.h"
#include "srv-fiber-mix-in.h"
#include "srv-wait-list-private.h"

#include <pthread.h>

G_BEGIN_DECLS

#define SRV_FIBER_MAX_THREADS 256

struct _SrvFiberMixIn
{
  SrvMixIn parent_instance;

  guint n_workers_wanted; /* 0: one for each processor */
  gsize stack_size;
  guint max_fibers;
  int block_limit_ms;
  SrvListenerSharing listener_sharing;

  /* Of SrvFiberThread; NULL while none runs. Goes under the lock. */
  GPtrArray *workers;
  int watch_fd;     /* a timer: see whether a worker is stuck; or -1 */
  int watch_sleeps; /* atomic: the timer does not run */
  GHashTable *told; /* classes that have been reported */

  int n_fibers;      /* atomic: requests that have a fiber */
  gboolean at_limit; /* atomic: a loop waits for one to end */

  /* Guards everything below. */
  GMutex lock;
  SrvWaitList loop_left;
  guint n_loops;    /* of workers that accept */
  gboolean serving; /* workers accept, and nobody else does */
  GError *failure;  /* owned: what ended a loop first */
};

/* A thread that runs fibers: a worker. */
typedef struct
{
  SrvFiberMixIn *mix_in; /* borrowed */
  SrvFiberWorker *fibers;
  pthread_t thread;
  int room_fd;       /* an eventfd: its loop may accept again */
  int has_room;      /* atomic: that was told */
  int n_requests;    /* atomic: that it has been given */
  gboolean orphaned; /* atomic: nobody joins it; it frees itself */
} SrvFiberThread;

/* srv-fiber-threads.c */
gboolean srv_fiber_threads_start (SrvFiberMixIn *self, GError **error);
void srv_fiber_threads_stop (SrvFiberMixIn *self);
SrvFiberThread *srv_fiber_threads_choose (SrvFiberMixIn *self);
SrvFiberThread *srv_fiber_threads_find_loop (SrvFiberMixIn *self);
gboolean srv_fiber_thread_is_own (const SrvFiberThread *self);
void srv_fiber_thread_start_watch (SrvFiberThread *worker);
void srv_fiber_threads_watch (SrvFiberMixIn *self, SrvBaseServer *server);

/* srv-fiber-requests.c */
gboolean srv_fiber_mix_in_process_request (SrvMixIn *mix_in,
                                           SrvBaseServer *server,
                                           SrvRequest *request,
                                           GError **error);
gboolean srv_fiber_mix_in_serve (SrvMixIn *mix_in,
                                 SrvBaseServer *server,
                                 GError **error);

G_END_DECLS
