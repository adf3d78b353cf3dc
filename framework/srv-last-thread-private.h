/* srv-last-thread-private.h - the thread that ended last, to be joined
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Of threads that come and go each joins the one that ended before it, and
 * whoever waits for all of them joins the last. So no thread is ever left over,
 * none is waited for that still works, and there is no list to search.
 */

#pragma once

#include <glib.h>
#include <pthread.h>

G_BEGIN_DECLS

typedef struct
{
  pthread_t thread;
  gboolean is_there;
} SrvLastThread;

/* Takes it out, to be joined. Under the owner's lock. */
static inline SrvLastThread
srv_last_thread_take (SrvLastThread *self)
{
  SrvLastThread taken = *self;

  self->is_there = FALSE;
  return taken;
}

/* Puts the calling thread, which is done, in the place of the one before, which
 * is then to be joined. Under the owner's lock. */
static inline SrvLastThread
srv_last_thread_replace (SrvLastThread *self)
{
  SrvLastThread before = *self;

  *self = (SrvLastThread){ pthread_self (), TRUE };
  return before;
}

/* Without the lock. Nobody can join himself, but let go of it. */
static inline void
srv_last_thread_join (SrvLastThread taken)
{
  if (!taken.is_there)
    return;
  if (pthread_equal (taken.thread, pthread_self ()))
    pthread_detach (taken.thread);
  else
    pthread_join (taken.thread, NULL);
}

G_END_DECLS
