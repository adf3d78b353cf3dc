/* srv-connection-post.c - sending to somebody else's connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A connection that takes posts has a queue. The owner says beforehand that
 * others may post. If the first post did, it could meet an owner in the middle
 * of a write, and could only know by a mark that every write of every connection
 * would have to make and take back.
 */

#include "config.h"

#include "srv-connection-private.h"
#include "srv-deadline-private.h"
#include "srv-post-queue-private.h"
#include "srv-request.h"
#include "srv-wait.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* The connection's queue; NULL if it has none or is another process's. */
static SrvPostQueue *
find_queue (SrvConnection *self, GError **error)
{
  SrvPostQueue *queue = g_atomic_pointer_get (&self->posts);

  if (queue == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                         "could not post: the connection takes no posts");
  else if (queue->generation != srv_flusher_generation ())
    {
      queue = NULL;
      g_set_error_literal (
        error, SRV_ERROR, SRV_ERROR_IN_CHILD,
        "could not post: the connection belongs to another process");
    }
  return queue;
}

/* Under the lock. */
static gboolean
check_posts (SrvPostQueue *queue, GError **error)
{
  if (!srv_post_queue_check (queue, error))
    return FALSE;
  if (!queue->overlaid)
    return TRUE;
  g_set_error_literal (
    error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
    "could not post: a stream, such as TLS, lies over the connection");
  return FALSE;
}

/* The cut of a slow client is what its own reads and writes fail with. */
gssize
srv_connection_explain_end (SrvConnection *self, gssize n, GError **error)
{
  SrvPostQueue *queue = find_queue (self, NULL);

  if (queue == NULL)
    return n;
  srv_post_queue_lock (queue);
  if (g_error_matches (queue->reason, SRV_ERROR, SRV_ERROR_SLOW_CONSUMER))
    {
      if (n < 0)
        g_clear_error (error);
      srv_post_queue_check (queue, error);
      n = -1;
    }
  srv_post_queue_unlock (queue);
  return n;
}

/* Until the next post may go; as much as the caller's time allows. */
static void
keep_gap (gint64 next_at)
{
  while (g_get_monotonic_time () < next_at && srv_task_park (next_at))
    continue;
}

static gboolean
send_one (SrvConnection *self,
          SrvPostShare *share,
          const char *data,
          gsize length,
          GCancellable *cancellable,
          GError **error)
{
  if (share->gap_us > 0)
    keep_gap (share->next_at);
  if (!srv_connection_send_directly (self, data, length, cancellable, error))
    return FALSE;
  if (share->gap_us > 0)
    share->next_at = g_get_monotonic_time () + share->gap_us;
  return TRUE;
}

static gboolean
send_share (SrvConnection *self,
            SrvPostShare *share,
            GCancellable *cancellable,
            GError **error)
{
  gboolean ok = TRUE;

  while (ok && share->waiting.length > 0)
    {
      g_autoptr (GBytes) bytes = g_queue_pop_head (&share->waiting);
      gsize length;
      const char *data = g_bytes_get_data (bytes, &length);

      ok = send_one (self, share, data + share->head_done,
                     length - share->head_done, cancellable, error);
      share->head_done = 0;
    }
  srv_post_queue_drop (&share->waiting);
  return ok;
}

/* A write of the owner: after what was posted before it, and as a whole. */
gboolean
srv_connection_send_in_turn (SrvConnection *self,
                             const void *buffer,
                             gsize count,
                             GCancellable *cancellable,
                             GError **error)
{
  SrvPostQueue *queue = find_queue (self, NULL);
  GError *failure = NULL;
  SrvPostShare share;

  if (queue == NULL)
    return srv_connection_send_directly (self, buffer, count, cancellable,
                                         error);
  srv_post_queue_lock (queue);
  if (!srv_post_queue_check (queue, error))
    {
      srv_post_queue_unlock (queue);
      return FALSE;
    }
  share = srv_post_queue_take (queue);
  queue->writing = TRUE;
  srv_post_queue_unlock (queue);

  if (send_share (self, &share, cancellable, &failure))
    send_one (self, &share, buffer, count, cancellable, &failure);
  srv_post_queue_give_back (queue, &share, failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return srv_connection_explain_end (self, -1, error) >= 0;
}

/* A write that does not wait: while posts are in front of it, the socket counts
 * as full. */
gssize
srv_connection_send_some_in_turn (SrvConnection *self,
                                  const void *buffer,
                                  gsize count,
                                  GError **error)
{
  SrvPostQueue *queue = find_queue (self, NULL);
  gssize n = -1;

  if (queue != NULL)
    srv_post_queue_lock (queue);
  if (queue != NULL && !srv_post_queue_check (queue, error))
    {
      srv_post_queue_unlock (queue);
      return -1;
    }
  errno = EAGAIN;
  if (queue == NULL || (queue->waiting.length == 0 && !queue->writing))
    do
      n = send (self->fd, buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
  if (n < 0)
    srv_connection_fail ("send", errno, error);
  if (queue != NULL)
    srv_post_queue_unlock (queue);
  return n;
}

static gboolean
wait_for_room (SrvConnection *self, gint64 deadline)
{
  if (srv_task_fiber () != NULL)
    {
      srv_fiber_watch_drained (&self->watch, EPOLLOUT);
      return srv_connection_wait_in_fiber (self, EPOLLOUT, deadline, NULL,
                                           "post", NULL);
    }
  return srv_wait_fd (self->fd, G_IO_OUT, deadline, NULL, NULL);
}

static gboolean
send_until (SrvConnection *self, const char *next, gsize count, gint64 deadline)
{
  while (count > 0)
    {
      gssize n = send (self->fd, next, count, MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n < 0 && errno != EAGAIN && errno != EINTR)
        return FALSE;
      next += MAX (n, 0);
      count -= (gsize) MAX (n, 0);
      if (count > 0 && !wait_for_room (self, deadline))
        return FALSE;
    }
  return TRUE;
}

/* At the end of the request: no more posts are taken, and those that wait are
 * sent, for as long as the end of a connection may take. */
void
srv_connection_finish_posts (SrvConnection *self, int linger_timeout_ms)
{
  SrvPostQueue *queue = find_queue (self, NULL);
  gint64 deadline = srv_deadline_from_ms (linger_timeout_ms);
  gboolean ok = self->fd >= 0;
  SrvPostShare share;

  if (queue == NULL)
    return;
  srv_post_queue_lock (queue);
  share = srv_post_queue_take (queue);
  srv_post_queue_end (queue, srv_post_queue_closed_error ());
  srv_post_queue_unlock (queue);
  while (ok && share.waiting.length > 0)
    {
      g_autoptr (GBytes) bytes = g_queue_pop_head (&share.waiting);
      gsize length;
      const char *data = g_bytes_get_data (bytes, &length);

      keep_gap (MIN (share.next_at, deadline));
      ok = send_until (self, data + share.head_done, length - share.head_done,
                       deadline);
      share.head_done = 0;
      share.next_at = share.gap_us > 0 ? g_get_monotonic_time () + share.gap_us
                                       : 0;
    }
  srv_post_queue_drop (&share.waiting);
}

/* Before the descriptor is closed. */
void
srv_connection_end_posts (SrvConnection *self)
{
  SrvPostQueue *queue = find_queue (self, NULL);

  if (queue == NULL)
    return;
  srv_post_queue_lock (queue);
  srv_post_queue_end (queue, srv_post_queue_closed_error ());
  queue->fd = -1;
  srv_post_queue_unlock (queue);
}

void
srv_connection_free_posts (SrvConnection *self)
{
  srv_post_queue_unref (self->posts);
}

/* The owner's: makes one, also in a child that has taken the connection over;
 * the parent's is then nobody's, and may be locked for ever. */
static SrvPostQueue *
ensure_queue (SrvConnection *self)
{
  SrvPostQueue *queue = find_queue (self, NULL);

  if (queue == NULL)
    {
      queue = srv_post_queue_new (self->fd);
      queue->overlaid = self->overlaid;
      g_atomic_pointer_set (&self->posts, queue);
    }
  return queue;
}

/* The owner's: what is posted goes to the client as it is, past any stream. So
 * what was posted before the stream came goes first. If that fails, so does
 * whatever the owner writes next. */
void
srv_connection_set_overlaid (SrvConnection *self, gboolean overlaid)
{
  SrvPostQueue *queue = find_queue (self, NULL);
  gboolean waiting;

  self->overlaid = overlaid;
  if (queue == NULL)
    return;
  srv_post_queue_lock (queue);
  queue->overlaid = overlaid;
  waiting = queue->waiting.length > 0;
  srv_post_queue_unlock (queue);
  if (waiting && overlaid)
    srv_connection_send_in_turn (self, "", 0, NULL, NULL);
}

/**
 * srv_connection_post:
 * @self: a connection that takes posts
 * @bytes: what to send; the connection keeps a reference until it is sent
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends to a connection that somebody else serves, as a chat or a push service
 * does. It never waits: what the system takes is sent at once, the rest is
 * queued, and a thread that all connections share sends it when the client has
 * read.
 *
 * Posts are sent in the order of the calls. Each is sent as a whole, never in
 * the middle of another or of a write of the connection's owner; a write of the
 * owner goes after what was posted before it. Bytes that the owner has gathered
 * in [class@SocketServer.Writer] are written when he flushes, not before.
 *
 * A client that does not read, so that more than
 * [method@SocketServer.Connection.set_post_limit] allows would have to be kept,
 * is cut, with %SRV_ERROR_SLOW_CONSUMER: this call fails with it, and so does
 * what the owner is doing, through whom it comes to
 * [vfunc@SocketServer.BaseServer.handle_error].
 *
 * Fails with %G_IO_ERROR_NOT_INITIALIZED when the owner does not allow posts,
 * %G_IO_ERROR_NOT_SUPPORTED under a stream that was laid over the connection
 * ([method@SocketServer.StreamRequestHandler.set_stream]), such as TLS, for the
 * bytes would go to the client past it, %G_IO_ERROR_CLOSED when the connection is closed or its request is done,
 * %SRV_ERROR_IN_CHILD when it belongs to another process, and with what an
 * earlier write failed with, such as %G_IO_ERROR_BROKEN_PIPE.
 *
 * Threads: any; the caller must hold a reference. Python has no counterpart.
 *
 * Returns: %TRUE when the bytes are sent or will be, %FALSE with @error set
 */
gboolean
srv_connection_post (SrvConnection *self, GBytes *bytes, GError **error)
{
  SrvPostQueue *queue;
  gboolean cut = FALSE;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (bytes != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  queue = find_queue (self, error);
  if (queue == NULL)
    return FALSE;
  srv_post_queue_lock (queue);
  if (check_posts (queue, NULL) && !srv_post_queue_add (queue, bytes))
    {
      cut = TRUE;
      srv_post_queue_end (
        queue,
        g_error_new (SRV_ERROR, SRV_ERROR_SLOW_CONSUMER,
                     "the client does not read: more than %" G_GSIZE_FORMAT
                     " bytes wait for it",
                     queue->max_bytes));
    }
  ok = check_posts (queue, error);
  srv_post_queue_unlock (queue);
  if (cut)
    srv_request_cut (SRV_REQUEST (self));
  return ok;
}

/**
 * srv_connection_check_posts:
 * @self: a connection
 * @error: return location for a [struct@GLib.Error]
 *
 * Asks whether a connection takes posts, and if not, why.
 *
 * Fails with what [method@SocketServer.Connection.post] would fail with.
 *
 * Threads: any; the caller must hold a reference.
 *
 * Returns: %TRUE if it does, %FALSE with @error set otherwise
 */
gboolean
srv_connection_check_posts (SrvConnection *self, GError **error)
{
  SrvPostQueue *queue;
  gboolean ok;

  g_return_val_if_fail (SRV_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  queue = find_queue (self, error);
  if (queue == NULL)
    return FALSE;
  srv_post_queue_lock (queue);
  ok = check_posts (queue, error);
  srv_post_queue_unlock (queue);
  return ok;
}

/**
 * srv_connection_set_post_limit:
 * @self: a connection
 * @max_bytes: how many bytes may wait for the client; at least 1
 *
 * Allows others to post to the connection, or changes how much they may.
 *
 * The first call is the owner's, before he makes the connection known to
 * others; from then on each write takes a lock that nobody holds for long.
 *
 * Threads: the one that the connection belongs to.
 */
void
srv_connection_set_post_limit (SrvConnection *self, gsize max_bytes)
{
  SrvPostQueue *queue;

  g_return_if_fail (SRV_IS_CONNECTION (self));
  g_return_if_fail (max_bytes > 0);

  queue = ensure_queue (self);
  srv_post_queue_lock (queue);
  queue->max_bytes = max_bytes;
  srv_post_queue_unlock (queue);
}

/**
 * srv_connection_get_post_limit:
 * @self: a connection
 *
 * Gets how many posted bytes may wait for the client.
 *
 * Threads: any; the caller must hold a reference.
 *
 * Returns: bytes; 0 when the connection takes no posts
 */
gsize
srv_connection_get_post_limit (SrvConnection *self)
{
  SrvPostQueue *queue;
  gsize max_bytes;

  g_return_val_if_fail (SRV_IS_CONNECTION (self), 0);

  queue = find_queue (self, NULL);
  if (queue == NULL)
    return 0;
  srv_post_queue_lock (queue);
  max_bytes = queue->max_bytes;
  srv_post_queue_unlock (queue);
  return max_bytes;
}

/**
 * srv_connection_set_post_gap:
 * @self: a connection that takes posts
 * @gap_ms: least time between the end of one post and the next, in
 *   milliseconds; 0 for none, the default
 *
 * Spaces posts out, and sends each in a packet of its own, for clients that
 * take what one read gives for one message. Whoever posts still does not wait;
 * a write of the owner waits for its turn.
 *
 * Threads: the one that the connection belongs to.
 */
void
srv_connection_set_post_gap (SrvConnection *self, guint gap_ms)
{
  SrvPostQueue *queue;

  g_return_if_fail (SRV_IS_CONNECTION (self));

  queue = find_queue (self, NULL);
  g_return_if_fail (queue != NULL);
  srv_post_queue_lock (queue);
  queue->gap_us = (gint64) gap_ms * 1000;
  srv_post_queue_unlock (queue);
}

/**
 * srv_connection_get_post_gap:
 * @self: a connection
 *
 * Gets the least time between two posts.
 *
 * Threads: any; the caller must hold a reference.
 *
 * Returns: milliseconds, 0 for none
 */
guint
srv_connection_get_post_gap (SrvConnection *self)
{
  SrvPostQueue *queue;
  gint64 gap_us;

  g_return_val_if_fail (SRV_IS_CONNECTION (self), 0);

  queue = find_queue (self, NULL);
  if (queue == NULL)
    return 0;
  srv_post_queue_lock (queue);
  gap_us = queue->gap_us;
  srv_post_queue_unlock (queue);
  return (guint) (gap_us / 1000);
}

/**
 * srv_connection_get_n_posted_bytes:
 * @self: a connection
 *
 * Gets how much was posted and is not sent yet.
 *
 * Threads: any; the caller must hold a reference.
 *
 * Returns: bytes
 */
gsize
srv_connection_get_n_posted_bytes (SrvConnection *self)
{
  SrvPostQueue *queue;
  gsize n_bytes;

  g_return_val_if_fail (SRV_IS_CONNECTION (self), 0);

  queue = find_queue (self, NULL);
  if (queue == NULL)
    return 0;
  srv_post_queue_lock (queue);
  n_bytes = queue->n_bytes;
  srv_post_queue_unlock (queue);
  return n_bytes;
}
