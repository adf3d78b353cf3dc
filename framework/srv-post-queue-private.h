/* srv-post-queue-private.h - what was posted to a connection and is not sent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whoever posts holds the lock, sends what the kernel takes at once, and leaves
 * the rest to the flusher. The owner, who may wait in a write, does not hold the
 * lock for that long: he marks that he writes, takes what is queued with him and
 * sends it before his own; what is posted meanwhile is queued, and goes on when
 * he is through.
 */

#pragma once

#include "srv-flusher-private.h"
#include "srv-types.h"

G_BEGIN_DECLS

typedef struct _SrvPostQueue SrvPostQueue;

struct _SrvPostQueue
{
  SrvFlushJob job;

  int lock; /* bit 0: guards all of the following */
  int fd;   /* borrowed from the connection; -1 when that is closed */
  guint generation;
  gsize max_bytes;
  gint64 gap_us;
  gint64 next_at;    /* with a gap: not before */
  GQueue waiting;    /* of GBytes */
  gsize head_done;   /* how much of the first one is sent */
  gsize n_bytes;     /* still to be sent, the owner's share too */
  gboolean writing;  /* the owner is in a write */
  gboolean overlaid; /* a stream changes what is sent: nobody else may send */
  GError *reason;    /* why nothing goes any more; NULL while it does */
};

/* What the owner takes over from a queue when it is his turn. */
typedef struct
{
  GQueue waiting;
  gsize head_done;
  gsize n_bytes;
  gint64 gap_us;
  gint64 next_at;
} SrvPostShare;

SrvPostQueue *srv_post_queue_new (int fd);
void srv_post_queue_unref (SrvPostQueue *self);
void srv_post_queue_lock (SrvPostQueue *self);
void srv_post_queue_unlock (SrvPostQueue *self);

/* Under the lock. */
gboolean srv_post_queue_add (SrvPostQueue *self, GBytes *bytes);
gboolean srv_post_queue_check (SrvPostQueue *self, GError **error);
void srv_post_queue_end (SrvPostQueue *self, GError *reason);
SrvPostShare srv_post_queue_take (SrvPostQueue *self);

/* Without it. */
void srv_post_queue_give_back (SrvPostQueue *self,
                               const SrvPostShare *share,
                               const GError *failure);

GError *srv_post_queue_closed_error (void);
void srv_post_queue_drop (GQueue *waiting);

G_END_DECLS
