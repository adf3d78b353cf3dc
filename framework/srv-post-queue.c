/* srv-post-queue.c - what was posted to a connection and is not sent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-connection-private.h"
#include "srv-post-queue-private.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* How many posts are put into one packet. */
#define POSTS_AT_ONCE 16

void
srv_post_queue_lock (SrvPostQueue *self)
{
  g_bit_lock (&self->lock, 0);
}

void
srv_post_queue_unlock (SrvPostQueue *self)
{
  g_bit_unlock (&self->lock, 0);
}

void
srv_post_queue_drop (GQueue *waiting)
{
  g_queue_clear_full (waiting, (GDestroyNotify) g_bytes_unref);
}

static void
queue_clear (gpointer data)
{
  SrvPostQueue *self = data;

  srv_post_queue_drop (&self->waiting);
  g_clear_error (&self->reason);
}

static void
ref_job (SrvFlushJob *job)
{
  g_atomic_rc_box_acquire (job);
}

static void
unref_job (SrvFlushJob *job)
{
  g_atomic_rc_box_release_full (job, queue_clear);
}

/* The first reason stays. */
void
srv_post_queue_end (SrvPostQueue *self, GError *reason)
{
  if (self->reason == NULL)
    self->reason = reason;
  else
    g_error_free (reason);
  srv_post_queue_drop (&self->waiting);
  self->n_bytes = 0;
  srv_flusher_forget (&self->job);
}

GError *
srv_post_queue_closed_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED,
                              "could not post: the connection is closed");
}

/* The bytes of the first post that are still to be sent. */
static const char *
head_rest (SrvPostQueue *self, gsize *length)
{
  const char *data =
    g_bytes_get_data (g_queue_peek_head (&self->waiting), length);

  *length -= self->head_done;
  return data + self->head_done;
}

static void
note_sent (SrvPostQueue *self, gsize n)
{
  self->n_bytes -= n;
  while (n > 0)
    {
      gsize length;

      head_rest (self, &length);
      if (n < length)
        {
          self->head_done += n;
          return;
        }
      n -= length;
      self->head_done = 0;
      g_bytes_unref (g_queue_pop_head (&self->waiting));
      self->next_at = g_get_monotonic_time () + self->gap_us;
    }
}

/* As many posts as go into one packet; with a gap, one. */
static gssize
send_waiting (SrvPostQueue *self)
{
  struct iovec parts[POSTS_AT_ONCE];
  struct msghdr message = { .msg_iov = parts };
  gsize most = self->gap_us > 0 ? 1 : POSTS_AT_ONCE;
  gsize n_parts = 1;
  gssize n;

  parts[0].iov_base = (char *) head_rest (self, &parts[0].iov_len);
  for (GList *link = self->waiting.head->next; link != NULL && n_parts < most;
       link = link->next, n_parts++)
    parts[n_parts].iov_base =
      (char *) g_bytes_get_data (link->data, &parts[n_parts].iov_len);
  message.msg_iovlen = n_parts;
  do
    n = sendmsg (self->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

static gboolean
must_pause (SrvPostQueue *self)
{
  return self->gap_us > 0 && self->head_done == 0 &&
         g_get_monotonic_time () < self->next_at;
}

/* Sends until nothing is left, or the kernel takes no more, or a gap is to be
 * kept; then the flusher goes on. */
static void
send_or_leave (SrvPostQueue *self)
{
  GError *failure = NULL;
  gboolean ok = TRUE;
  gssize n = 0;

  while (ok && self->waiting.length > 0)
    {
      if (must_pause (self))
        {
          if (srv_flusher_wait_until (&self->job, self->next_at, &failure))
            return;
          break;
        }
      n = send_waiting (self);
      if (n >= 0)
        note_sent (self, (gsize) n);
      else if (errno == EAGAIN)
        {
          if (srv_flusher_wait_writable (&self->job, self->fd, &failure))
            return;
          break;
        }
      else
        ok = srv_connection_fail ("post", errno, &failure) >= 0;
    }
  if (failure != NULL)
    srv_post_queue_end (self, failure);
  else
    srv_flusher_forget (&self->job);
}

static void
run_job (SrvFlushJob *job)
{
  SrvPostQueue *self = (SrvPostQueue *) job;

  srv_post_queue_lock (self);
  if (self->reason == NULL && !self->writing)
    send_or_leave (self);
  srv_post_queue_unlock (self);
}

/* What the kernel takes at once of a post that nobody is in front of. */
static gsize
send_at_once (SrvPostQueue *self, const void *data, gsize length)
{
  gssize n;

  if (self->writing || self->waiting.length > 0 || must_pause (self))
    return 0;
  do
    n = send (self->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n == (gssize) length)
    self->next_at = self->gap_us > 0 ? g_get_monotonic_time () + self->gap_us
                                     : 0;
  /* Whatever the error is, the next attempt finds it again. */
  return (gsize) MAX (n, 0);
}

/* FALSE when it is more than the client may leave lying. */
gboolean
srv_post_queue_add (SrvPostQueue *self, GBytes *bytes)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);
  gsize done = send_at_once (self, data, length);

  if (done == length)
    return TRUE;
  if (length - done > self->max_bytes - MIN (self->n_bytes, self->max_bytes))
    return FALSE;
  if (self->waiting.length == 0)
    self->head_done = done;
  g_queue_push_tail (&self->waiting, g_bytes_ref (bytes));
  self->n_bytes += length - done;
  if (g_atomic_int_get (&self->job.wait) == SRV_FLUSH_IDLE && !self->writing)
    send_or_leave (self);
  return TRUE;
}

gboolean
srv_post_queue_check (SrvPostQueue *self, GError **error)
{
  if (self->reason == NULL)
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (self->reason);
  return FALSE;
}

SrvPostShare
srv_post_queue_take (SrvPostQueue *self)
{
  SrvPostShare share = {
    .waiting = self->waiting,
    .head_done = self->head_done,
    .n_bytes = self->n_bytes,
    .gap_us = self->gap_us,
    .next_at = self->next_at,
  };

  g_queue_init (&self->waiting);
  self->head_done = 0;
  srv_flusher_forget (&self->job);
  return share;
}

/* A write that failed may have ended anywhere, so nothing can follow it. */
void
srv_post_queue_give_back (SrvPostQueue *self,
                          const SrvPostShare *share,
                          const GError *failure)
{
  srv_post_queue_lock (self);
  self->writing = FALSE;
  self->next_at = share->next_at;
  if (self->reason == NULL)
    {
      self->n_bytes -= share->n_bytes;
      if (failure != NULL)
        srv_post_queue_end (self, g_error_copy (failure));
      else
        send_or_leave (self);
    }
  srv_post_queue_unlock (self);
}

SrvPostQueue *
srv_post_queue_new (int fd)
{
  SrvPostQueue *self = g_atomic_rc_box_new0 (SrvPostQueue);

  self->job.run = run_job;
  self->job.ref = ref_job;
  self->job.unref = unref_job;
  self->fd = fd;
  self->generation = srv_flusher_generation ();
  g_queue_init (&self->waiting);
  if (self->fd < 0)
    self->reason = srv_post_queue_closed_error ();
  return self;
}

void
srv_post_queue_unref (SrvPostQueue *self)
{
  unref_job (&self->job);
}
