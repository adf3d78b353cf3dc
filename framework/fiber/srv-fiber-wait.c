/* srv-fiber-wait.c - a descriptor that is not ours
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Nobody tells us when it is closed, so it is registered for one wait alone.
 */

#include "config.h"

#include "srv-fiber-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

static gboolean
is_ready_now (int fd, guint32 events)
{
  struct pollfd pollfd = { fd, (short) events, 0 };

  return poll (&pollfd, 1, 0) > 0;
}

/* An epoll set takes a descriptor once. A second fiber that waits for the same
 * one comes with a duplicate. */
static gboolean
watch_duplicate (SrvFiberWatch *watch, int fd, guint32 events, int *duplicate)
{
  *duplicate = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  return *duplicate >= 0 && srv_fiber_watch_init (watch, *duplicate, events);
}

/* FALSE and errno when it cannot be waited for. */
gboolean
srv_fiber_wait_fd (int fd,
                   guint32 events,
                   gint64 deadline,
                   GCancellable *cancellable,
                   SrvFiberResult *result)
{
  SrvFiberWatch watch;
  int duplicate = -1;
  gboolean ok;
  int code;

  *result = SRV_FIBER_READY;
  if (is_ready_now (fd, events))
    return TRUE;
  ok = srv_fiber_watch_init (&watch, fd, events) ||
       (errno == EEXIST && watch_duplicate (&watch, fd, events, &duplicate));
  code = errno;
  if (ok)
    {
      *result = srv_fiber_watch_wait (&watch, events, deadline, cancellable);
      srv_fiber_watch_clear (&watch);
    }
  if (duplicate >= 0)
    close (duplicate);
  errno = code;
  return ok;
}
