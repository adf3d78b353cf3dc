/* srv-base-server-private.h - what the files of the base server share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ten files make up the base server, each with one job:
 *
 *   srv-base-server.c           the class: hooks, properties
 *   srv-base-server-settings.c  what can be asked and set
 *   srv-base-server-request.c   the way of one request, and its error paths
 *   srv-base-server-handler.c   who serves it: the handler
 *   srv-base-server-loop.c      waiting: the loop, handle_request
 *   srv-base-server-source.c    the same for a main context
 *   srv-base-server-twins.c     more sockets at the same port
 *   srv-base-server-run.c       states: run and stop
 *   srv-base-server-close.c     the end: drain, cut, let go
 *   srv-base-server-child.c     the copy that a forked child has
 */

#pragma once

#include "srv-accept-private.h"
#include "srv-base-server.h"
#include "srv-check-private.h"
#include "srv-endpoint.h"
#include "srv-listener-private.h"
#include "srv-request-set-private.h"
#include "srv-scoreboard-private.h"
#include "srv-spares-private.h"
#include "srv-task-private.h"
#include "srv-wait-list-private.h"
#include "srv-wait-set-private.h"
#include "srv-worker-process-private.h"

#include <pthread.h>

G_BEGIN_DECLS

/* One loop. A server has one, and a mix-in may run more beside it. */
typedef struct
{
  SrvBaseServer *server; /* borrowed */
  SrvListener *listener; /* borrowed, nullable: its own, not the server's */
  SrvShortage shortage;
  gint64 next_service;
  SrvWaitSet *set; /* owned; NULL: who waits is somebody else */
  gboolean is_worker;
  gboolean one_by_one;     /* nobody comes back for what is taken ahead */
  gboolean more;           /* nothing has said yet that there is no more */
  int position;            /* how many it has tried to take in its round */
  gpointer stock;          /* owned: what take_request has taken ahead */
  GDestroyNotify put_back; /* does something with the rest of it */
  int run;                 /* of a worker: which run it began in */
  int idle_ms;    /* of a worker: how long it waits after a request, or -1 */
  gint64 idle_at; /* when it has waited for so long */
} SrvLoop;

typedef struct
{
  /* What was asked for. */
  SrvEndpoint *endpoint; /* owned, nullable */
  gboolean bind_and_activate;
  int timeout_ms;
  int poll_interval_ms;
  int drain_timeout_ms;
  int cut_timeout_ms;
  SrvMixIn *mix_in; /* owned, nullable */

  /* What makes the handlers: a type, or a factory, or a function. */
  GType handler_type;
  gpointer handler_class; /* owned, nullable: held for children */
  SrvHandlerFactory factory;
  SrvHandlerFunc function;
  gpointer handler_data;
  GDestroyNotify handler_destroy;

  /* Guards everything from here to the next comment. Never held while a hook
   * or a signal handler runs. */
  GMutex lock;
  SrvWaitList changed; /* the state, or the end of a run */
  SrvServerState state;
  guint n_runs;
  gboolean running;      /* somebody serves, or the server is attached */
  SrvTask *loop_task;    /* who runs the loop just now; NULL: nobody */
  SrvTask *closer;       /* who closes the server; NULL: nobody yet */
  GSource *source;       /* owned, nullable: attached to a main context */
  SrvListener *listener; /* owned, nullable; the loop reads it without lock */
  SrvRequestSet active;  /* between get_request and shutdown_request */
  SrvSpares spares;      /* requests that have ended; under lock */
  guint n_holds;         /* workers that still borrow the server */
  gboolean afterlife;    /* disposed of, kept by the last of them */
  GCancellable *drain_cancellable; /* owned, made on demand */
  gboolean drain_watched;          /* in a child: a thread watches drain_fd */
  guint n_cut;
  SrvTally own_tally;
  SrvTally *tally; /* the same; in a worker process: its part of the board */
  SrvScoreboard *scoreboard; /* owned, nullable: where workers count */

  /* For any thread, and the first four for signal handlers as well: read and
   * written with atomic operations. */
  int stop_requested;
  int n_signals; /* that asked for a stop of this run */
  int hurry;     /* a second signal: wait for nobody */
  int inline_fd; /* what the loop's own thread may be blocked in, or -1 */
  SrvConnection
    *inline_connection;    /* borrowed: the same, if it ends on drain */
  pthread_t inline_thread; /* which thread that is; while in_request */
  int in_request;          /* the loop's own thread runs a handler */
  int closing;
  int draining;
  int patient; /* the drain may still be shortened by a hurry */
  int in_shortage;
  int n_ended_runs; /* a worker that comes late finds out by this */

  /* Set once. */
  GSocketAddress *server_address; /* owned, nullable: what was bound */
  char *bound_endpoint;           /* owned, nullable: the same as a string */
  int wake_fd;                    /* an eventfd: ends the wait of the loop */
  int event_fd; /* another: ends the wait of whoever closes the server; both
                 * may wait at a time, and reading one takes the event away */
  int drain_fd; /* in a child: ends when the parent begins to drain; or -1 */
  gboolean in_child;
  SrvListener *parents_listener; /* there: abandoned, and not freed */
  gboolean in_worker;            /* this is a worker process */
  int stop_fd;                   /* there: asks the parent to stop; or -1 */
  SrvWorkerProcess *process;     /* there: who is told of requests; nullable */

  /* Used by the loop's thread alone. */
  SrvLoop loop;
  GPtrArray *twins; /* of SrvListener; NULL before the first one */
} SrvBaseServerPrivate;

SrvBaseServerPrivate *srv_base_server_get_private (SrvBaseServer *self);

/* srv-base-server.c */
SrvListener *srv_base_server_get_listener (SrvBaseServer *self);
gboolean srv_base_server_configure (gpointer self, int fd, GError **error);
const SrvEndpoint *srv_base_server_get_wanted_endpoint (SrvBaseServer *self);
gboolean srv_base_server_open_listener (SrvBaseServer *self,
                                        SrvEndpointKind kind,
                                        const SrvListenOptions *options,
                                        GError **error);

/* srv-base-server-request.c */
gboolean srv_base_server_is_active (SrvBaseServer *self, SrvRequest *request);
void srv_base_server_set_accept_errno (int code);
typedef enum
{
  SRV_STEP_GO_ON,  /* there may be more */
  SRV_STEP_WAIT,   /* nothing more for now */
  SRV_STEP_PAUSE,  /* a shortage: not before shortage.resume_at */
  SRV_STEP_FAILED, /* the loop must end */
} SrvStep;

SrvStep srv_base_server_take_one (SrvBaseServer *self,
                                  SrvLoop *loop,
                                  SrvHandleResult *result,
                                  GError **error);
SrvRequest *srv_base_server_real_get_request (SrvBaseServer *self,
                                              GError **error);
void srv_base_server_real_handle_error (SrvBaseServer *self,
                                        SrvRequest *request,
                                        const GError *error);
void srv_base_server_real_accept_failed (SrvBaseServer *self,
                                         SrvAcceptVerdict verdict,
                                         const GError *error);
void srv_base_server_cut_active (SrvBaseServer *self);
void srv_base_server_drain_active (SrvBaseServer *self);
gboolean srv_base_server_is_own_request (SrvBaseServer *self);
gboolean srv_base_server_keeps_loop (SrvBaseServer *self);
guint srv_base_server_count_others (SrvBaseServer *self);

/* srv-base-server-handler.c */
SrvBaseRequestHandler *srv_base_server_take_handler (SrvRequest *request,
                                                     GType type);
gboolean srv_base_server_real_finish_request (SrvBaseServer *self,
                                              SrvRequest *request,
                                              GError **error);

/* srv-base-request-handler.c */
gboolean srv_base_request_handler_class_is_reusable (
  SrvBaseRequestHandlerClass *klass);
gboolean srv_base_request_handler_recycle (SrvBaseRequestHandler *self);

/* srv-base-server-loop.c */
gboolean srv_base_server_is_in_loop (SrvBaseServer *self);
SrvLoop *srv_base_server_get_loop (SrvBaseServer *self);

gboolean srv_base_server_run_worker_on (SrvBaseServer *self,
                                        SrvListener *listener,
                                        GError **error);

/* srv-base-server-twins.c */
SrvListener *srv_base_server_get_twin (SrvBaseServer *self,
                                       guint number,
                                       GError **error);
void srv_base_server_drop_twins (SrvBaseServer *self);

/* srv-base-server-child.c */
void srv_base_server_prepare_fork (SrvBaseServer *self, SrvRequest *request);
guint64 srv_base_server_get_n_failed (SrvBaseServer *self);
void srv_base_server_set_process (SrvBaseServer *self,
                                  SrvWorkerProcess *process,
                                  SrvTally *tally);
void srv_base_server_set_scoreboard (SrvBaseServer *self,
                                     SrvScoreboard *scoreboard);
void srv_base_server_take_over_slot (SrvBaseServer *self,
                                     SrvScoreboardSlot *slot);

/* srv-base-server-settings.c */
void srv_base_server_forget_handler (SrvBaseServer *self);

/* srv-base-server-run.c */
void srv_base_server_hurry (SrvBaseServer *self);
gboolean srv_base_server_begin_run (SrvBaseServer *self, GError **error);
void srv_base_server_end_run (SrvBaseServer *self);
gboolean srv_base_server_enter_loop (SrvBaseServer *self, GError **error);
void srv_base_server_leave_loop (SrvBaseServer *self);
void srv_base_server_drop_stock (SrvBaseServer *self);
gboolean srv_base_server_must_stop (SrvBaseServer *self);
void srv_base_server_set_state (SrvBaseServer *self, SrvServerState state);
gboolean srv_base_server_is_misplaced (SrvBaseServer *self, const char *what);
void srv_base_server_detach (SrvBaseServer *self);
gboolean srv_base_server_note_signal (SrvBaseServer *self, pthread_t *blocked);

/* srv-base-server-close.c */
void srv_base_server_close_listener (SrvBaseServer *self);
gboolean srv_base_server_is_loop_elsewhere (SrvBaseServer *self);
void srv_base_server_begin_drain (SrvBaseServer *self);
void srv_base_server_end_process (SrvBaseServer *self);
void srv_base_server_end_on_drain (SrvBaseServer *self,
                                   SrvConnection *connection);
void srv_base_server_real_server_close (SrvBaseServer *self);
void srv_base_server_dispose_life (SrvBaseServer *self);

G_END_DECLS
