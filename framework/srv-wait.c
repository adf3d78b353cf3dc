/* srv-wait.c - waiting for a descriptor, the way handlers wait
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-wait.h"

#include "srv-deadline-private.h"
#include "srv-errno-private.h"
#include "srv-wait-private.h"

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
 * The deadline is absolute, so signals that interrupt the wait cannot prolong
 * it.
 *
 * Fails with %G_IO_ERROR_TIMED_OUT when the deadline passed, and with
 * %G_IO_ERROR_CANCELLED when @cancellable was cancelled.
 *
 * Threads: any; blocks the calling one.
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
