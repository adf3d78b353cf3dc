/* srv-error.h - the library's own error domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "srv-visibility.h"

G_BEGIN_DECLS

/**
 * SRV_ERROR:
 *
 * The domain of the conditions that only this library can know. Trouble of
 * the system keeps GIO's domain, %G_IO_ERROR.
 */
#define SRV_ERROR (srv_error_quark ())

/**
 * SrvError:
 * @SRV_ERROR_FAILED: a hook failed and gave no reason
 * @SRV_ERROR_STOP: a handler asks the server to stop; not a failure. Python's
 *   counterpart is `SystemExit`
 * @SRV_ERROR_TIMED_OUT: a wait on the server did not end in time
 * @SRV_ERROR_CLOSED: the server is closed
 * @SRV_ERROR_BUSY: another thread is already running the loop
 * @SRV_ERROR_LIMIT: no worker could be had for the request
 * @SRV_ERROR_TOO_LONG: a line or packet is longer than the caller allows
 * @SRV_ERROR_TRUNCATED: the stream ended in the middle of a message, or a
 *   datagram lost its tail
 * @SRV_ERROR_BAD_ENDPOINT: an endpoint string cannot be understood
 * @SRV_ERROR_THREADS: forking was refused because the process has threads
 * @SRV_ERROR_IN_CHILD: the call makes no sense in a forked child
 * @SRV_ERROR_BAD_FRAME: the marks of a message are malformed, or a message
 *   cannot be marked that way
 * @SRV_ERROR_CRASH_LOOP: worker processes end as soon as they are started
 * @SRV_ERROR_SLOW_CONSUMER: a client that did not read what others posted to it
 *   was cut
 *
 * Codes of [error@SocketServer.Error].
 */
typedef enum
{
  SRV_ERROR_FAILED,
  SRV_ERROR_STOP,
  SRV_ERROR_TIMED_OUT,
  SRV_ERROR_CLOSED,
  SRV_ERROR_BUSY,
  SRV_ERROR_LIMIT,
  SRV_ERROR_TOO_LONG,
  SRV_ERROR_TRUNCATED,
  SRV_ERROR_BAD_ENDPOINT,
  SRV_ERROR_THREADS,
  SRV_ERROR_IN_CHILD,
  SRV_ERROR_BAD_FRAME,
  SRV_ERROR_CRASH_LOOP,
  SRV_ERROR_SLOW_CONSUMER,
} SrvError;

SRV_AVAILABLE_IN_ALL
GQuark srv_error_quark (void);

#define SRV_TYPE_ERROR (srv_error_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_error_get_type (void);

G_END_DECLS
