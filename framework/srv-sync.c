/* srv-sync.c - mutex, condition and queue for handlers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The GMutex in each is held for a few instructions and never while anybody
 * waits; what waits is a list of tasks.
 */

#include "config.h"

#include "srv-sync.h"

#include "srv-wait-list-private.h"

/**
 * SrvMutex:
 *
 * A lock for handlers that share something.
 *
 * It is like a [struct@GLib.Mutex], but a fiber that waits for it lets the
 * others of its worker run. A fiber may hold it while it waits for something
 * else, which with a [struct@GLib.Mutex] could stop its worker for ever.
 *
 * In Python: `threading.Lock`.
 */
struct _SrvMutex
{
  gatomicrefcount ref_count;
  GMutex guard; /* of the rest */
  gboolean locked;
  SrvWaitList unlocked;
};

/**
 * SrvCond:
 *
 * A condition that handlers wait for; see [struct@SocketServer.Mutex].
 *
 * In Python: `threading.Condition`.
 */
struct _SrvCond
{
  gatomicrefcount ref_count;
  GMutex guard; /* of the rest */
  SrvWaitList waiting;
};

/**
 * SrvQueue:
 *
 * A bounded queue between handlers, or between a handler and another thread.
 *
 * Whoever adds to a full one waits, and whoever takes from an empty one; a
 * fiber lets the others of its worker run meanwhile.
 *
 * In Python: `queue.Queue`.
 */
struct _SrvQueue
{
  gatomicrefcount ref_count;
  guint max_length;
  GDestroyNotify destroy; /* nullable */

  GMutex guard; /* of the rest */
  GQueue items;
  gboolean closed;
  SrvWaitList not_empty;
  SrvWaitList not_full;
};

G_DEFINE_BOXED_TYPE (SrvMutex, srv_mutex, srv_mutex_ref, srv_mutex_unref)
G_DEFINE_BOXED_TYPE (SrvCond, srv_cond, srv_cond_ref, srv_cond_unref)
G_DEFINE_BOXED_TYPE (SrvQueue, srv_queue, srv_queue_ref, srv_queue_unref)

/**
 * srv_mutex_new:
 *
 * Makes a lock.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new lock
 */
SrvMutex *
srv_mutex_new (void)
{
  SrvMutex *self = g_new0 (SrvMutex, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->guard);
  return self;
}

/**
 * srv_mutex_ref:
 * @self: a lock
 *
 * Takes a reference.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the same lock
 */
SrvMutex *
srv_mutex_ref (SrvMutex *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * srv_mutex_unref:
 * @self: (transfer full): a lock
 *
 * Gives a reference back. With the last one the lock goes; nobody may hold it.
 *
 * Threads: any.
 */
void
srv_mutex_unref (SrvMutex *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_mutex_clear (&self->guard);
  g_free (self);
}

/**
 * srv_mutex_lock:
 * @self: a lock
 *
 * Waits until nobody holds the lock, and takes it. It cannot be taken twice by
 * the same fiber or thread.
 *
 * Threads: any.
 */
void
srv_mutex_lock (SrvMutex *self)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->guard);
  while (self->locked)
    srv_wait_list_wait (&self->unlocked, &self->guard, SRV_DEADLINE_NEVER);
  self->locked = TRUE;
  g_mutex_unlock (&self->guard);
}

/**
 * srv_mutex_trylock:
 * @self: a lock
 *
 * Takes the lock if nobody holds it.
 *
 * Threads: any.
 *
 * Returns: %TRUE if the caller holds it now
 */
gboolean
srv_mutex_trylock (SrvMutex *self)
{
  gboolean taken;

  g_return_val_if_fail (self != NULL, FALSE);

  g_mutex_lock (&self->guard);
  taken = !self->locked;
  self->locked = TRUE;
  g_mutex_unlock (&self->guard);
  return taken;
}

/**
 * srv_mutex_unlock:
 * @self: a lock that the caller holds
 *
 * Gives the lock up.
 *
 * Threads: the one that holds it.
 */
void
srv_mutex_unlock (SrvMutex *self)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->guard);
  self->locked = FALSE;
  srv_wait_list_wake_one (&self->unlocked);
  g_mutex_unlock (&self->guard);
}

/**
 * srv_cond_new:
 *
 * Makes a condition.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new condition
 */
SrvCond *
srv_cond_new (void)
{
  SrvCond *self = g_new0 (SrvCond, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->guard);
  return self;
}

/**
 * srv_cond_ref:
 * @self: a condition
 *
 * Takes a reference.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the same condition
 */
SrvCond *
srv_cond_ref (SrvCond *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * srv_cond_unref:
 * @self: (transfer full): a condition
 *
 * Gives a reference back. With the last one the condition goes; nobody may
 * wait for it.
 *
 * Threads: any.
 */
void
srv_cond_unref (SrvCond *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_mutex_clear (&self->guard);
  g_free (self);
}

/**
 * srv_cond_wait:
 * @self: a condition
 * @mutex: the lock that guards what is waited for; the caller holds it
 * @deadline: when to give up, on the clock of [func@GLib.get_monotonic_time];
 *   -1 waits for ever
 *
 * Gives the lock up, waits for a signal, and takes the lock again. It may also
 * return without a signal, so look again at what is waited for.
 *
 * Threads: the one that holds @mutex. In Python: `Condition.wait()`.
 *
 * Returns: %FALSE when the deadline has passed
 */
gboolean
srv_cond_wait (SrvCond *self, SrvMutex *mutex, gint64 deadline)
{
  gboolean in_time;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (mutex != NULL, FALSE);

  g_mutex_lock (&self->guard);
  srv_mutex_unlock (mutex);
  in_time = srv_wait_list_wait (&self->waiting, &self->guard, deadline);
  g_mutex_unlock (&self->guard);
  srv_mutex_lock (mutex);
  return in_time;
}

/**
 * srv_cond_signal:
 * @self: a condition
 *
 * Wakes the one that has waited longest.
 *
 * Threads: any. In Python: `Condition.notify()`.
 */
void
srv_cond_signal (SrvCond *self)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->guard);
  srv_wait_list_wake_one (&self->waiting);
  g_mutex_unlock (&self->guard);
}

/**
 * srv_cond_broadcast:
 * @self: a condition
 *
 * Wakes all that wait.
 *
 * Threads: any. In Python: `Condition.notify_all()`.
 */
void
srv_cond_broadcast (SrvCond *self)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->guard);
  srv_wait_list_wake_all (&self->waiting);
  g_mutex_unlock (&self->guard);
}

/**
 * srv_queue_new: (skip)
 * @max_length: how many items it holds, at least 1
 * @destroy: (nullable): frees items that nobody takes
 *
 * Makes a queue.
 *
 * Threads: any. In Python: `queue.Queue(maxsize)`.
 *
 * Returns: (transfer full): a new queue
 */
SrvQueue *
srv_queue_new (guint max_length, GDestroyNotify destroy)
{
  SrvQueue *self;

  g_return_val_if_fail (max_length > 0, NULL);

  self = g_new0 (SrvQueue, 1);
  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->guard);
  self->max_length = max_length;
  self->destroy = destroy;
  return self;
}

/**
 * srv_queue_ref:
 * @self: a queue
 *
 * Takes a reference.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the same queue
 */
SrvQueue *
srv_queue_ref (SrvQueue *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * srv_queue_unref:
 * @self: (transfer full): a queue
 *
 * Gives a reference back. With the last one the queue goes, and what is left in
 * it is freed.
 *
 * Threads: any.
 */
void
srv_queue_unref (SrvQueue *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_queue_clear_full (&self->items, self->destroy);
  g_mutex_clear (&self->guard);
  g_free (self);
}

static gboolean
fail_to_push (SrvQueue *self, GError **error)
{
  if (self->closed)
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_CLOSED,
                         "could not add to the queue: it is closed");
  else
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_TIMED_OUT,
                         "could not add to the queue: it stayed full");
  return FALSE;
}

/**
 * srv_queue_push: (skip)
 * @self: a queue
 * @item: (transfer full): what to add; not %NULL; taken on success
 * @deadline: when to give up, on the clock of [func@GLib.get_monotonic_time];
 *   -1 waits for ever, 0 does not wait
 * @error: return location for a [struct@GLib.Error]
 *
 * Adds an item at the end, and waits for room if there is none.
 *
 * Fails with %SRV_ERROR_TIMED_OUT and %SRV_ERROR_CLOSED; the item is still the
 * caller's then.
 *
 * Threads: any. In Python: `Queue.put()`.
 *
 * Returns: %TRUE when the item is in the queue, %FALSE with @error set otherwise
 */
gboolean
srv_queue_push (SrvQueue *self, gpointer item, gint64 deadline, GError **error)
{
  gboolean in_time = TRUE;
  gboolean ok;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (item != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_mutex_lock (&self->guard);
  while (!self->closed && self->items.length >= self->max_length && in_time)
    in_time = srv_wait_list_wait (&self->not_full, &self->guard, deadline);
  ok = !self->closed && self->items.length < self->max_length;
  if (ok)
    {
      g_queue_push_tail (&self->items, item);
      srv_wait_list_wake_one (&self->not_empty);
    }
  else
    fail_to_push (self, error);
  g_mutex_unlock (&self->guard);
  return ok;
}

static gpointer
fail_to_pop (SrvQueue *self, GError **error)
{
  if (self->closed)
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_CLOSED,
                         "could not take from the queue: it is closed");
  else
    g_set_error_literal (error, SRV_ERROR, SRV_ERROR_TIMED_OUT,
                         "could not take from the queue: it stayed empty");
  return NULL;
}

/**
 * srv_queue_pop: (skip)
 * @self: a queue
 * @deadline: when to give up, on the clock of [func@GLib.get_monotonic_time];
 *   -1 waits for ever, 0 does not wait
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes the first item, and waits for one if there is none. What was in a queue
 * before it was closed can still be taken.
 *
 * Fails with %SRV_ERROR_TIMED_OUT, and with %SRV_ERROR_CLOSED when the queue is
 * closed and empty.
 *
 * Threads: any. In Python: `Queue.get()`.
 *
 * Returns: (transfer full): the item, or %NULL with @error set
 */
gpointer
srv_queue_pop (SrvQueue *self, gint64 deadline, GError **error)
{
  gboolean in_time = TRUE;
  gpointer item;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_mutex_lock (&self->guard);
  while (!self->closed && self->items.length == 0 && in_time)
    in_time = srv_wait_list_wait (&self->not_empty, &self->guard, deadline);
  item = g_queue_pop_head (&self->items);
  if (item != NULL)
    srv_wait_list_wake_one (&self->not_full);
  else
    fail_to_pop (self, error);
  g_mutex_unlock (&self->guard);
  return item;
}

/**
 * srv_queue_close:
 * @self: a queue
 *
 * Says that nothing more will come. Whoever waits is woken.
 *
 * Threads: any. In Python: `Queue.shutdown()`, since 3.13.
 */
void
srv_queue_close (SrvQueue *self)
{
  g_return_if_fail (self != NULL);

  g_mutex_lock (&self->guard);
  self->closed = TRUE;
  srv_wait_list_wake_all (&self->not_empty);
  srv_wait_list_wake_all (&self->not_full);
  g_mutex_unlock (&self->guard);
}

/**
 * srv_queue_get_length:
 * @self: a queue
 *
 * Gets how many items are in the queue.
 *
 * Threads: any.
 *
 * Returns: the number of items
 */
guint
srv_queue_get_length (SrvQueue *self)
{
  guint length;

  g_return_val_if_fail (self != NULL, 0);

  g_mutex_lock (&self->guard);
  length = self->items.length;
  g_mutex_unlock (&self->guard);
  return length;
}
