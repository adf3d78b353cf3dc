/* srv-flusher-private.h - the one thread that finishes what others posted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The process has one flusher. It starts when somebody first has something to
 * wait for, and ends when nothing is left. It waits for sockets that can take
 * more and for points in time, then calls the job's function, on its thread.
 *
 * In a forked child there is none until it is needed again; the child's copies
 * of the parent's jobs are forgotten.
 */

#pragma once

#include "srv-deadline-private.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _SrvFlushJob SrvFlushJob;

typedef enum
{
  SRV_FLUSH_IDLE,
  SRV_FLUSH_WRITABLE, /* until the descriptor takes more */
  SRV_FLUSH_AT_TIME,  /* until a point in time */
} SrvFlushWait;

/* Part of what belongs to its owner, who has a lock of his own around the three
 * calls below. */
struct _SrvFlushJob
{
  /* On the flusher's thread; without any lock. */
  void (*run) (SrvFlushJob *self);
  /* The flusher holds a reference while it has the job. */
  void (*ref) (SrvFlushJob *self);
  void (*unref) (SrvFlushJob *self);

  /* The flusher's, under its lock. */
  int wait; /* a SrvFlushWait; atomic, for who posts looks at it as well */
  int fd;
  guint64 id;
  gint64 due;
  GSequenceIter *place;
};

/* How many forks this process is away from the first one that asked. */
guint srv_flusher_generation (void);

/* Wait for something, in place of what was waited for before. */
gboolean srv_flusher_wait_writable (SrvFlushJob *job, int fd, GError **error);
gboolean srv_flusher_wait_until (SrvFlushJob *job, gint64 due, GError **error);
void srv_flusher_forget (SrvFlushJob *job);

G_END_DECLS
