/* srv-error.c - the library's own error domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-error.h"

/**
 * srv_error_quark:
 *
 * Gets the domain of [error@SocketServer.Error].
 *
 * Threads: any.
 *
 * Returns: the quark of `srv-error-quark`
 */
GQuark
srv_error_quark (void)
{
  return g_quark_from_static_string ("srv-error-quark");
}

G_DEFINE_ENUM_TYPE (SrvError,
                    srv_error,
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_STOP, "stop"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_TIMED_OUT, "timed-out"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_CLOSED, "closed"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_BUSY, "busy"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_LIMIT, "limit"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_TOO_LONG, "too-long"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_TRUNCATED, "truncated"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_BAD_ENDPOINT,
                                         "bad-endpoint"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_THREADS, "threads"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_IN_CHILD, "in-child"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_BAD_FRAME, "bad-frame"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_CRASH_LOOP, "crash-loop"),
                    G_DEFINE_ENUM_VALUE (SRV_ERROR_SLOW_CONSUMER,
                                         "slow-consumer"))
