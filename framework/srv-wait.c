/* srv-wait.c - waiting for a descriptor, the way handlers wait
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-wait.h"

#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-wait-private.h"

#include "fiber/srv-fiber-private.h"

#include <errno.h>
#include <poll.h>

static int
poll_once (struct pollfd *fds, nfds_t n_fds, gint64 deadline)
{
  int n;

  do
    n = poll (fds, n_fds, srv_deadline_poll_timeout (deadline));
  while (n == 0 && !srv_deadline_has_passed (deadline));
  return n;
}

static gboolean
fail_with_timeout (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                       "time limit reached");
  return FALSE;
}

static void
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer task)
{
  srv_task_unpark (task);
}

/* In a fiber: others run meanwhile, and no signal interrupts. G_IO_IN and
 * G_IO_OUT have the system's values, which poll and epoll share. */
static gboolean
wait_in_fiber (int fd,
               GIOCondition condition,
               gint64 deadline,
               GCancellable *cancellable,
               GError **error)
{
  SrvFiberResult result;

  if (!srv_fiber_wait_fd (fd, condition, deadline, cancellable, &result))
    return srv_set_errno_error (error, errno,
                                "could not wait for descriptor %d", fd);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  return result != SRV_FIBER_TIMED_OUT || fail_with_timeout (error);
}

/* Like srv_wait_fd (), but also ends when a signal came: then it returns TRUE,
 * and @interrupted is set. For who has to look at something again then. */
gboolean
srv_wait_fd_interruptible (int fd,
                           GIOCondition condition,
                           gint64 deadline,
                           GCancellable *cancellable,
                           gboolean *interrupted,
                           GError **error)
{
  struct pollfd fds[2] = { { fd, (short) condition, 0 }, { -1, POLLIN, 0 } };
  GPollFD cancel_fd = { -1, 0, 0 };
  int n;
  int code;

  *interrupted = FALSE;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (srv_task_fiber () != NULL)
    return wait_in_fiber (fd, condition, deadline, cancellable, error);
  if (g_cancellable_make_pollfd (cancellable, &cancel_fd))
    fds[1].fd = cancel_fd.fd;
  n = poll_once (fds, G_N_ELEMENTS (fds), deadline);
  code = errno;
  if (fds[1].fd >= 0)
    g_cancellable_release_fd (cancellable);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  *interrupted = n < 0 && code == EINTR;
  if (n < 0 && code != EINTR)
    return srv_set_errno_error (error, code, "could not wait for descriptor %d",
                                fd);
  return n != 0 || fail_with_timeout (error);
}

/**
 * srv_wait_fd:
 * @fd: an open descriptor
 * @condition: what to wait for: %G_IO_IN, %G_IO_OUT or both
 * @deadline: when to give up, on the clock of [func@GLib.get_monotonic_time];
 *   -1 waits for ever
 * @cancellable: (nullable): ends the wait when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Waits until a descriptor is ready, has an error, or its peer has gone.
 *
 * It is how a handler waits for something else than its client, such as the
 * socket of a database: a thread waits in the system; a fiber parks, and its
 * worker serves others meanwhile.
 *
 * A server that closes does not end this wait, even where it ends the handler's
 * input. Give it
 * [method@SocketServer.BaseRequestHandler.get_drain_cancellable], and it does.
 *
 * The deadline is absolute, so signals that interrupt the wait cannot prolong
 * it.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT when the deadline passed, and with
 * %G_IO_ERROR_CANCELLED when @cancellable was cancelled.
 *
 * Threads: any; blocks the calling one, or the calling fiber.
 *
 * Returns: %TRUE when the descriptor is ready, %FALSE with @error set otherwise
 */
gboolean
srv_wait_fd (int fd,
             GIOCondition condition,
             gint64 deadline,
             GCancellable *cancellable,
             GError **error)
{
  gboolean interrupted;

  g_return_val_if_fail (fd >= 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  do
    if (!srv_wait_fd_interruptible (fd, condition, deadline, cancellable,
                                    &interrupted, error))
      return FALSE;
  while (interrupted);
  return TRUE;
}

/**
 * srv_sleep:
 * @timeout_ms: how long, in milliseconds; -1 until cancelled
 * @cancellable: (nullable): ends the sleep when cancelled
 * @error: return location for a [struct@GLib.Error]
 *
 * Waits for some time to pass. In a fiber, unlike with `sleep()`, others run
 * meanwhile.
 *
 * Fails with %G_IO_ERROR_CANCELLED.
 *
 * Threads: any; blocks the calling one, or the calling fiber. In Python:
 * `time.sleep()`.
 *
 * Returns: %TRUE when the time has passed, %FALSE with @error set otherwise
 */
gboolean
srv_sleep (int timeout_ms, GCancellable *cancellable, GError **error)
{
  gint64 deadline = srv_deadline_from_ms (timeout_ms);
  gulong id = 0;

  g_return_val_if_fail (timeout_ms >= -1, FALSE);
  g_return_val_if_fail (timeout_ms >= 0 || cancellable != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (cancellable != NULL)
    id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                srv_task_self (), NULL);
  while (!g_cancellable_is_cancelled (cancellable) && srv_task_park (deadline))
    continue;
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, id);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}
