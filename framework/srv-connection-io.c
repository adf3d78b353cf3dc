/* srv-connection-io.c - sending and receiving
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In a thread or a process the kernel waits for us: one system call sends or
 * receives, and keeps the time limit. Only what the kernel cannot do is waited
 * for with poll: a cancellable, the rest of an interrupted wait, and a
 * descriptor that somebody has made non-blocking. Fibers have their own way, in
 * srv-connection-fiber.c.
 */

#include "config.h"

#include "srv-connection-private.h"
#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-wait-private.h"

#include <errno.h>
#include <poll.h>

/* A failed system call, as the value that failed calls return. */
gssize
srv_connection_fail (const char *what, int saved_errno, GError **error)
{
  srv_set_errno_error (error, saved_errno, "could not %s", what);
  return -1;
}

gssize
srv_connection_fail_closed (const char *what, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
               "could not %s: the connection is closed", what);
  return -1;
}

gssize
srv_connection_fail_timed_out (const char *what, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
               "could not %s: time limit reached", what);
  return -1;
}

/* When an interrupted wait shall end. The kernel starts its own limit anew at
 * each call, so the rest is waited for with an absolute deadline. A limit in
 * the socket that is not ours was put there by a signal that asked the server
 * to stop, and counts from then. */
static gint64
deadline_after_interruption (SrvConnection *self, int option, gint64 deadline)
{
  struct timeval limit = { 0, 0 };
  socklen_t size = sizeof limit;
  int limit_ms;

  if (getsockopt (self->fd, SOL_SOCKET, option, &limit, &size) != 0)
    return deadline;
  limit_ms = (int) (limit.tv_sec * 1000 + limit.tv_usec / 1000);
  if (limit_ms == 0 || limit_ms == self->timeout_ms)
    return deadline;
  return srv_deadline_min (deadline, srv_deadline_from_ms (limit_ms));
}

gssize
srv_connection_receive_nonblocking (SrvConnection *self,
                                    void *buffer,
                                    gsize count,
                                    GError **error)
{
  gssize n;

  if (!srv_connection_check_open (self, "receive", error))
    return -1;
  do
    n = recv (self->fd, buffer, count, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return srv_connection_fail ("receive", errno, error);
  if (n == 0 && count > 0)
    self->at_end = TRUE;
  return n;
}

gssize
srv_connection_send_nonblocking (SrvConnection *self,
                                 const void *buffer,
                                 gsize count,
                                 GError **error)
{
  gssize n;

  if (!srv_connection_check_open (self, "send", error))
    return -1;
  if (srv_connection_has_posts (self))
    return srv_connection_send_some_in_turn (self, buffer, count, error);
  do
    n = send (self->fd, buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? srv_connection_fail ("send", errno, error) : n;
}

/* Waits, and looks at the limit again whenever a signal came. */
static gboolean
wait_ready (SrvConnection *self,
            GIOCondition condition,
            gint64 *deadline,
            GCancellable *cancellable,
            GError **error)
{
  int option = condition == G_IO_IN ? SO_RCVTIMEO : SO_SNDTIMEO;
  gboolean interrupted;

  for (;;)
    {
      if (!srv_wait_fd_interruptible (self->fd, condition, *deadline,
                                      cancellable, &interrupted, error))
        return FALSE;
      if (!interrupted)
        return TRUE;
      *deadline = deadline_after_interruption (self, option, *deadline);
    }
}

G_GNUC_NO_INLINE static gssize
receive_in_thread (SrvConnection *self,
                   void *buffer,
                   gsize count,
                   gint64 deadline,
                   GCancellable *cancellable,
                   GError **error)
{
  gboolean wait_first = cancellable != NULL || deadline != SRV_DEADLINE_NEVER;
  gssize n;

  deadline = srv_deadline_min (deadline, srv_connection_own_deadline (self));
  for (;;)
    {
      if (wait_first &&
          !wait_ready (self, G_IO_IN, &deadline, cancellable, error))
        return -1;
      n = recv (self->fd, buffer, count, wait_first ? MSG_DONTWAIT : 0);
      if (n >= 0)
        return n;
      if (errno == EINTR)
        deadline = deadline_after_interruption (self, SO_RCVTIMEO, deadline);
      else if (errno != EAGAIN)
        return srv_connection_fail ("receive", errno, error);
      else if (!wait_first && self->blocking)
        return srv_connection_fail_timed_out ("receive", error);
      wait_first = TRUE;
    }
}

static gssize
receive (SrvConnection *self,
         void *buffer,
         gsize count,
         gint64 deadline,
         GCancellable *cancellable,
         GError **error)
{
  if (srv_task_fiber () != NULL)
    return srv_connection_receive_in_fiber (self, buffer, count, deadline,
                                            cancellable, error);
  return receive_in_thread (self, buffer, count, deadline, cancellable, error);
}

/* In a forked child: until the client has sent something or the parent drains.
 * What else ends the wait, the calls that follow find out; but the time that is
 * over must not begin again with them. */
G_GNUC_NO_INLINE static gboolean
wait_for_input_or_drain (SrvConnection *self, gint64 deadline, GError **error)
{
  struct pollfd fds[2] = { { self->fd, POLLIN, 0 }, { self->drain_fd, 0, 0 } };
  int n;

  deadline = srv_deadline_min (deadline, srv_connection_own_deadline (self));
  do
    n = poll (fds, G_N_ELEMENTS (fds), srv_deadline_poll_timeout (deadline));
  while (n == 0 && !srv_deadline_has_passed (deadline));
  if (n == 0)
    return srv_connection_fail_timed_out ("receive", error) >= 0;
  if (n > 0 && fds[1].revents != 0)
    g_atomic_int_set (&self->drained, TRUE);
  return TRUE;
}

/* During a drain: what is there, and after it the end. */
G_GNUC_NO_INLINE static gssize
receive_rest (SrvConnection *self, void *buffer, gsize count, GError **error)
{
  gssize n = recv (self->fd, buffer, count, MSG_DONTWAIT);

  if (n >= 0)
    return n;
  return errno == EAGAIN ? 0 : srv_connection_fail ("receive", errno, error);
}

static gssize
receive_until_drained (SrvConnection *self,
                       void *buffer,
                       gsize count,
                       gint64 deadline,
                       GCancellable *cancellable,
                       GError **error)
{
  gssize n;

  g_atomic_int_set (&self->in_receive, TRUE);
  if (self->drain_fd >= 0 && !wait_for_input_or_drain (self, deadline, error))
    n = -1;
  else if (g_atomic_int_get (&self->drained))
    n = receive_rest (self, buffer, count, error);
  else
    n = receive (self, buffer, count, deadline, cancellable, error);
  __atomic_store_n (&self->in_receive, FALSE, __ATOMIC_RELEASE);
  return n;
}

G_GNUC_NO_INLINE static int
now_ms (void)
{
  return (int) (guint) (g_get_monotonic_time () / 1000);
}

/* From now on the connection keeps account of its waits. It costs each of them
 * a look at the clock, so it is only for who asks. Before anybody receives. */
void
srv_connection_note_idle (SrvConnection *self)
{
  self->notes_idle = TRUE;
}

/* How long the handler has been waiting for input, in milliseconds; -1 if it
 * does not wait, or nobody asked to keep account. From any thread. */
int
srv_connection_get_idle_time (SrvConnection *self)
{
  int since_ms = g_atomic_int_get (&self->idle_since_ms);

  if (since_ms == 0)
    return -1;
  return MAX ((int) ((guint) now_ms () - (guint) since_ms), 0);
}

static gssize
receive_or_end (SrvConnection *self,
                void *buffer,
                gsize count,
                gint64 deadline,
                GCancellable *cancellable,
                GError **error)
{
  gssize n;

  if (G_UNLIKELY (self->notes_idle))
    g_atomic_int_set (&self->idle_since_ms, now_ms () | 1);
  if (self->ends_on_drain)
    n =
      receive_until_drained (self, buffer, count, deadline, cancellable, error);
  else
    n = receive (self, buffer, count, deadline, cancellable, error);
  if (G_UNLIKELY (self->notes_idle))
    g_atomic_int_set (&self->idle_since_ms, 0);
  return n;
}

/* Like srv_connection_receive (), with a deadline for this call beside the time
 * limit of the connection. */
gssize
srv_connection_receive_until (SrvConnection *self,
                              void *buffer,
                              gsize count,
                              gint64 deadline,
                              GCancellable *cancellable,
                              GError **error)
{
  gssize n;

  if (!srv_connection_check_open (self, "receive", error))
    return -1;
  n = receive_or_end (self, buffer, count, deadline, cancellable, error);
  /* The end that a drain made is not the client's. */
  if (n == 0 && count > 0 && !g_atomic_int_get (&self->drained))
    self->at_end = TRUE;
  if (n <= 0 && srv_connection_has_posts (self))
    return srv_connection_explain_end (self, n, error);
  return n;
}

/**
 * srv_connection_receive:
 * @self: a connection
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8):
 *   where to put the bytes
 * @count: room in @buffer, in bytes
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Receives what is there, waiting for the first byte.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT when the time limit passed,
 * %G_IO_ERROR_CANCELLED, %G_IO_ERROR_CLOSED, or what the system reports, such
 * as %G_IO_ERROR_CONNECTION_CLOSED. After a time-out one can go on receiving.
 *
 * Threads: the one that the connection belongs to. In Python: `recv()`.
 *
 * Returns: the number of bytes, 0 at the end of the stream, -1 with @error set
 */
gssize
srv_connection_receive (SrvConnection *self,
                        void *buffer,
                        gsize count,
                        GCancellable *cancellable,
                        GError **error)
{
  g_return_val_if_fail (SRV_IS_CONNECTION (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return srv_connection_receive_until (self, buffer, count, SRV_DEADLINE_NEVER,
                                       cancellable, error);
}

/* The kernel bounds a whole send () over TCP by the socket's limit, but over a
 * Unix socket each part of it anew. */
static gboolean
may_block_in_send (SrvConnection *self)
{
  return self->timeout_ms == 0 || self->peer.any.sa_family != AF_UNIX;
}

G_GNUC_NO_INLINE static gboolean
send_in_thread (SrvConnection *self,
                const char *next,
                gsize count,
                GCancellable *cancellable,
                GError **error)
{
  gboolean kernel_waits = cancellable == NULL && may_block_in_send (self);
  gint64 deadline = srv_connection_own_deadline (self);
  gssize n;

  for (;;)
    {
      n = send (self->fd, next, count,
                MSG_NOSIGNAL | (kernel_waits ? 0 : MSG_DONTWAIT));
      if (n < 0 && errno == EAGAIN && kernel_waits && self->blocking)
        return srv_connection_fail_timed_out ("send", error) >= 0;
      if (n < 0 && errno != EAGAIN && errno != EINTR)
        return srv_connection_fail ("send", errno, error) >= 0;
      if (n == (gssize) count)
        return TRUE;
      next += MAX (n, 0);
      count -= (gsize) MAX (n, 0);
      /* A limit or a signal has ended the wait in the kernel, or there was
       * none: the rest is waited for here. */
      if (kernel_waits)
        deadline = deadline_after_interruption (self, SO_SNDTIMEO, deadline);
      kernel_waits = FALSE;
      if (!wait_ready (self, G_IO_OUT, &deadline, cancellable, error))
        return FALSE;
    }
}

/* Past what others have posted. */
gboolean
srv_connection_send_directly (SrvConnection *self,
                              const void *buffer,
                              gsize count,
                              GCancellable *cancellable,
                              GError **error)
{
  if (srv_task_fiber () != NULL)
    return srv_connection_send_in_fiber (self, buffer, count, cancellable,
                                         error);
  return send_in_thread (self, buffer, count, cancellable, error);
}

/**
 * srv_connection_send_all:
 * @self: a connection
 * @buffer: (array length=count) (element-type guint8): the bytes
 * @count: how many
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Sends all of the bytes. The time limit bounds the whole call, not each part
 * that the kernel takes. A peer that has gone never raises `SIGPIPE`. What
 * others have posted before goes first.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED, %G_IO_ERROR_CLOSED,
 * or what the system reports, such as %G_IO_ERROR_BROKEN_PIPE. How much was
 * sent before the failure is not known.
 *
 * Threads: the one that the connection belongs to. In Python: `sendall()`.
 *
 * Returns: %TRUE when everything is sent, %FALSE with @error set otherwise
 */
gboolean
srv_connection_send_all (SrvConnection *self,
                         const void *buffer,
                         gsize count,
                         GCancellable *cancellable,
                         GError **error)
{
  g_return_val_if_fail (SRV_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!srv_connection_check_open (self, "send", error) ||
      (cancellable != NULL &&
       g_cancellable_set_error_if_cancelled (cancellable, error)))
    return FALSE;
  if (srv_connection_has_posts (self))
    return srv_connection_send_in_turn (self, buffer, count, cancellable,
                                        error);
  return srv_connection_send_directly (self, buffer, count, cancellable, error);
}
