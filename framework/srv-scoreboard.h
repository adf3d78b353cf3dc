/* srv-scoreboard.h - what worker processes do
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib-object.h>

#include "srv-visibility.h"

G_BEGIN_DECLS

/**
 * SrvWorkerState:
 * @SRV_WORKER_STATE_IDLE: waits for a request
 * @SRV_WORKER_STATE_BUSY: serves at least one
 * @SRV_WORKER_STATE_LEAVING: accepts no more, and ends after those that it
 *   serves
 *
 * What a worker process does.
 */
typedef enum
{
  SRV_WORKER_STATE_IDLE,
  SRV_WORKER_STATE_BUSY,
  SRV_WORKER_STATE_LEAVING,
} SrvWorkerState;

#define SRV_TYPE_WORKER_STATE (srv_worker_state_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_worker_state_get_type (void);

/**
 * SrvWorkerInfo:
 * @pid: the process
 * @state: what it does
 * @n_active: how many requests it serves just now
 * @n_accepted: how many requests it has accepted
 * @n_served: how many of them have come to their end, failed ones too
 * @n_refused: how many `verify_request` has refused
 * @n_failed: how many have failed
 * @started: when it was started, on the clock of
 *   [func@GLib.get_monotonic_time]
 * @since: since when it has been in its state, on the same clock
 *
 * One line of the scoreboard: a worker process, as it was at one moment.
 */
typedef struct
{
  int pid;
  SrvWorkerState state;
  guint n_active;
  guint64 n_accepted;
  guint64 n_served;
  guint64 n_refused;
  guint64 n_failed;
  gint64 started;
  gint64 since;
} SrvWorkerInfo;

#define SRV_TYPE_WORKER_INFO (srv_worker_info_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_worker_info_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvWorkerInfo *srv_worker_info_copy (const SrvWorkerInfo *self);

SRV_AVAILABLE_IN_ALL
void srv_worker_info_free (SrvWorkerInfo *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvWorkerInfo, srv_worker_info_free)

G_END_DECLS
