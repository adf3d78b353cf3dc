/* srv-fiber-worker-private.h - what only the fibers' own files need
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-fiber-private.h"

G_BEGIN_DECLS

int srv_fiber_worker_get_epoll_fd (SrvFiberWorker *self);
void srv_fiber_worker_ref (SrvFiberWorker *self);
void srv_fiber_worker_unref (SrvFiberWorker *self);

/* Of the fiber that runs on the calling thread; NULL: none does. Both are
 * async-signal-safe. */
const SrvFiberStack *srv_fiber_worker_get_stack (void);
const char *srv_fiber_worker_get_label (void);

G_END_DECLS
