/* srv-nowait-private.h - sending and receiving what goes at once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * recv () and send () are points where a thread can be cancelled. As soon as a
 * program has two threads, the C library marks that around each call, with two
 * locked exchanges and a hundred instructions for each message. What does not
 * wait need not be cancelled, so a fiber goes straight to the system; but
 * sanitizers want to see the usual calls.
 */

#pragma once

#include "fiber/srv-fiber-tools-private.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(SYS_recvfrom) && defined(SYS_sendto) && \
  !defined(SRV_FIBER_ASAN) && !defined(SRV_FIBER_TSAN)
#define SRV_NOWAIT_IS_DIRECT 1
#endif

/* As recv () and send () with MSG_DONTWAIT. */

static inline gssize
srv_recv_nowait (int fd, void *buffer, gsize count)
{
#ifdef SRV_NOWAIT_IS_DIRECT
  return syscall (SYS_recvfrom, fd, buffer, count, MSG_DONTWAIT, NULL, NULL);
#else
  return recv (fd, buffer, count, MSG_DONTWAIT);
#endif
}

static inline gssize
srv_send_nowait (int fd, const void *buffer, gsize count)
{
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

#ifdef SRV_NOWAIT_IS_DIRECT
  return syscall (SYS_sendto, fd, buffer, count, flags, NULL, 0);
#else
  return send (fd, buffer, count, flags);
#endif
}
