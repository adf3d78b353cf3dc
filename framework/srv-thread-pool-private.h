/* srv-thread-pool-private.h - the threads of a pool, and what waits for one
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thread of the pool does one of three things: it serves a request that
 * somebody has handed over; it runs a loop of the server, and serves what it
 * accepts itself; or it is idle, on top of a stack, so that the one that has
 * been idle for the shortest time goes first and those that are too many stay
 * idle until they end.
 */

#pragma once

#include "srv-enums.h"
#include "srv-last-thread-private.h"
#include "srv-types.h"
#include "srv-wait-list-private.h"

G_BEGIN_DECLS

typedef struct _SrvThreadPool SrvThreadPool;

/* A request that has been handed over. */
typedef struct
{
  SrvBaseServer *server; /* borrowed, held */
  SrvRequest *request;   /* owned */
} SrvPoolJob;

typedef struct
{
  SrvThreadPool *pool; /* borrowed */
  gboolean orphaned;   /* its own: the pool has ended under it */

  /* Under the lock of the pool. */
  GList link;         /* in the list of threads */
  GList idle_link;    /* in the stack of idle ones */
  gboolean is_coming; /* counted in n_coming */
  gboolean is_idle;
  SrvWaitList wake;
  SrvPoolJob *job;     /* owned: to be served next */
  SrvRequest *request; /* borrowed: being served */
  gboolean is_cut;     /* its connection, for room */
  guint run;           /* the last one that it took part in */
  gboolean must_quit;
} SrvPoolThread;

struct _SrvThreadPool
{
  gpointer mix_in; /* borrowed: the owner */

  /* Set before anything runs. */
  guint min_threads;
  guint max_threads;
  int idle_time_ms;
  guint queue_size;
  SrvFullPolicy full_policy;
  gsize stack_size;

  /* Guards everything below. */
  GMutex lock;
  GQueue threads;      /* all that have not decided to end */
  GQueue idle;         /* those of them that wait for work; a stack */
  GQueue jobs;         /* owned: requests that wait for a thread */
  guint n_alive;       /* threads, with those that are about to end */
  guint n_coming;      /* threads that are about to look for work */
  guint n_accepting;   /* threads in a loop, beside requests */
  guint n_busy;        /* threads that have a request */
  guint n_dying;       /* of these, those whose connection was cut for room */
  gint64 retry_at;     /* after the system had no thread for us */
  gboolean at_limit;   /* a loop waits for room */
  SrvWaitList changed; /* n_accepting or n_alive */

  /* While threads run the loops of a server: */
  SrvBaseServer *server; /* borrowed; NULL: none does */
  guint run;             /* counts these times */
  GError *failure;       /* owned: what ended a loop first */

  SrvLastThread last; /* joined by the next one that ends, or by who stops */
};

/* srv-thread-pool.c */

void srv_thread_pool_init (SrvThreadPool *self, gpointer mix_in);
void srv_thread_pool_clear (SrvThreadPool *self);

/* Starts the threads that shall always be there. FALSE if there is none. */
gboolean srv_thread_pool_start (SrvThreadPool *self,
                                SrvBaseServer *server,
                                GError **error);

/* Each thread runs a loop of the server, until a stop; the caller runs one that
 * takes no requests. */
gboolean srv_thread_pool_run_loops (SrvThreadPool *self,
                                    SrvBaseServer *server,
                                    GError **error);

/* Whether the caller is a thread of the pool. */
gboolean srv_thread_pool_is_own (SrvThreadPool *self);

/* Serves a request in the thread of the pool that calls. */
void srv_thread_pool_serve (SrvThreadPool *self,
                            SrvBaseServer *server,
                            SrvRequest *request);

/* How many requests and loops there are, beside the caller's own. */
guint srv_thread_pool_count_others (SrvThreadPool *self);

/* Ends the threads, which have nothing to do any more, and waits for them; but
 * for the one that calls, if any, which ends when it has come so far. */
void srv_thread_pool_stop (SrvThreadPool *self);

/* For the queue, and under the lock: a place for a new thread, NULL if there is
 * none; ... */
SrvPoolThread *srv_thread_pool_reserve (SrvThreadPool *self);
void srv_thread_pool_begin_service (SrvThreadPool *self,
                                    SrvPoolThread *thread,
                                    SrvRequest *request);
void srv_thread_pool_wake (SrvThreadPool *self, SrvPoolThread *thread);

/* ... and not under it: starts the thread in its place. */
gboolean srv_thread_pool_launch (SrvThreadPool *self,
                                 SrvPoolThread *thread,
                                 SrvBaseServer *server,
                                 SrvPoolJob **job,
                                 GError **error);

/* srv-thread-pool-queue.c */

/* Hands a request over. FALSE with @error when there is no room. */
gboolean srv_thread_pool_push (SrvThreadPool *self,
                               SrvBaseServer *server,
                               SrvRequest *request,
                               GError **error);

/* Whether a loop outside of the pool may take a request. If not, the server is
 * woken when that changes. */
gboolean srv_thread_pool_admits (SrvThreadPool *self);

/* Gives up the requests that no thread has begun. */
void srv_thread_pool_drop_jobs (SrvThreadPool *self);

/* Whether there may be one thread more. Under the lock. */
gboolean srv_thread_pool_may_start (SrvThreadPool *self);

void srv_pool_job_free (SrvPoolJob *self);

G_END_DECLS
