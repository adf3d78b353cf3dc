/* srv-connection-private.h - what servers and streams do with a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "fiber/srv-fiber-private.h"
#include "srv-connection.h"
#include "srv-deadline-private.h"
#include "srv-request-set-private.h"
#include "srv-sockaddr-private.h"

G_BEGIN_DECLS

typedef struct _SrvPostQueue SrvPostQueue;

struct _SrvConnection
{
  GIOStream parent_instance;

  int fd;            /* owned; -1 when closed; changed under fd_lock */
  int fd_lock;       /* bit 0: guards fd against a cut from another thread */
  gboolean cut;      /* atomic; set under fd_lock */
  int timeout_ms;    /* 0: none */
  gboolean blocking; /* whether the kernel waits for us */
  gboolean no_delay;
  gboolean at_end;           /* the client has ended its half */
  gboolean closed_as_stream; /* atomic: by g_io_stream_close () */
  gboolean overlaid; /* by a stream that changes what is sent, such as TLS */

  /* A drain of the server may end the input, if the handler wants that. */
  gboolean ends_on_drain;
  int drain_fd;   /* borrowed; in a forked child, tells of the drain; or -1 */
  int drained;    /* atomic */
  int in_receive; /* atomic */

  /* How long the handler has been waiting for the client, for who wants to
   * know. */
  gboolean notes_idle;
  int idle_since_ms; /* atomic; 0: it does not wait */

  SrvFiberWatch watch; /* in the worker of the fiber that serves it */
  guint n_turns; /* in a fiber: calls in a row that found no reason to wait */
  SrvPostQueue *posts; /* owned; atomic; NULL while nobody may post */

  /* Up to here is what a message may touch. */
  SrvRequestLink link; /* the server's */
  SrvSockaddr peer;

  GSocketAddress *client_address; /* owned, made on demand */
  GSocketAddress *local_address;  /* owned, made on demand */
  GSocket *socket;                /* owned, made on demand; has its own dup */
  GInputStream *input;            /* owned, made on demand */
  GOutputStream *output;          /* owned, made on demand */
};

void srv_connection_adopt (SrvConnection *self,
                           int fd,
                           const SrvSockaddr *peer,
                           int timeout_ms,
                           gboolean no_delay);
gboolean srv_connection_renew (SrvConnection *self);
void srv_connection_close_now (SrvConnection *self, SrvSpares *spares);
void srv_connection_drain_from_signal (SrvConnection *self);
void srv_connection_end_on_drain (SrvConnection *self, int drain_fd);
gboolean srv_connection_is_cut (SrvConnection *self);
void srv_connection_note_idle (SrvConnection *self);
int srv_connection_get_idle_time (SrvConnection *self);
gssize srv_connection_fail_timed_out (const char *what, GError **error)
  __attribute__ ((cold));
gssize srv_connection_fail_closed (const char *what, GError **error)
  __attribute__ ((cold));
gssize srv_connection_fail (const char *what, int saved_errno, GError **error)
  __attribute__ ((cold));
gboolean srv_connection_send_directly (SrvConnection *self,
                                       const void *buffer,
                                       gsize count,
                                       GCancellable *cancellable,
                                       GError **error);
gssize srv_connection_receive_until (SrvConnection *self,
                                     void *buffer,
                                     gsize count,
                                     gint64 deadline,
                                     GCancellable *cancellable,
                                     GError **error);
gssize srv_connection_receive_nonblocking (SrvConnection *self,
                                           void *buffer,
                                           gsize count,
                                           GError **error);
gssize srv_connection_send_nonblocking (SrvConnection *self,
                                        const void *buffer,
                                        gsize count,
                                        GError **error);

/* srv-connection-close.c */
void srv_connection_close_fd (SrvConnection *self);
void srv_connection_close_or_end (SrvConnection *self);
void srv_connection_hang_up (SrvConnection *self, int linger_timeout_ms);
void srv_connection_abandon (SrvConnection *self);

/* srv-connection-fiber.c */
gssize srv_connection_receive_in_fiber (SrvConnection *self,
                                        void *buffer,
                                        gsize count,
                                        gint64 deadline,
                                        GCancellable *cancellable,
                                        GError **error);
gboolean srv_connection_send_in_fiber (SrvConnection *self,
                                       const char *next,
                                       gsize count,
                                       GCancellable *cancellable,
                                       GError **error);
void srv_connection_leave_worker (SrvConnection *self);
gboolean srv_connection_wait_in_fiber (SrvConnection *self,
                                       guint32 events,
                                       gint64 deadline,
                                       GCancellable *cancellable,
                                       const char *what,
                                       GError **error);

/* srv-connection-post.c: only for connections that have posts. */
gboolean srv_connection_send_in_turn (SrvConnection *self,
                                      const void *buffer,
                                      gsize count,
                                      GCancellable *cancellable,
                                      GError **error);
gssize srv_connection_send_some_in_turn (SrvConnection *self,
                                         const void *buffer,
                                         gsize count,
                                         GError **error);
gssize srv_connection_explain_end (SrvConnection *self,
                                   gssize n,
                                   GError **error);
void srv_connection_set_overlaid (SrvConnection *self, gboolean overlaid);
void srv_connection_finish_posts (SrvConnection *self, int linger_timeout_ms);
void srv_connection_end_posts (SrvConnection *self);
void srv_connection_free_posts (SrvConnection *self);

static inline gboolean
srv_connection_check_open (SrvConnection *self,
                           const char *what,
                           GError **error)
{
  return self->fd >= 0 || srv_connection_fail_closed (what, error) >= 0;
}

/* The end of the connection's own time limit, counted from now. */
static inline gint64
srv_connection_own_deadline (SrvConnection *self)
{
  return self->timeout_ms > 0 ? srv_deadline_from_ms (self->timeout_ms)
                              : SRV_DEADLINE_NEVER;
}

/* One load: what connections pay to which nobody posts. */
static inline gboolean
srv_connection_has_posts (SrvConnection *self)
{
  return G_UNLIKELY (g_atomic_pointer_get (&self->posts) != NULL);
}

G_END_DECLS
