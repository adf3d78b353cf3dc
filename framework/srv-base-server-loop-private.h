/* srv-base-server-loop-private.h - a round of the loop, whoever waits for it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server-private.h"

#include <poll.h>

G_BEGIN_DECLS

enum
{
  SRV_LOOP_WAKE,
  SRV_LOOP_MIX_IN,
  SRV_LOOP_CANCEL,
  SRV_LOOP_LISTENER, /* the last: the one that loops may share */
  SRV_LOOP_N_FDS = SRV_WAIT_SET_SIZE,
};

/* What a loop waits for, and after the wait what came of it. */
typedef struct
{
  struct pollfd fds[SRV_LOOP_N_FDS];
  gint64 deadline;
} SrvLoopWait;

gboolean srv_loop_check_attachable (SrvBaseServer *self,
                                    const char *what,
                                    GError **error);
gboolean srv_loop_check_descriptor (SrvBaseServer *self, GError **error);
void srv_loop_prepare_run (SrvBaseServer *self, SrvLoop *loop);
SrvLoop *srv_loop_become (SrvBaseServer *self, SrvLoop *loop);
void srv_loop_prepare (SrvBaseServer *self, SrvLoop *loop, SrvLoopWait *wait);
gboolean srv_loop_need_not_wait (const SrvLoop *loop, const SrvLoopWait *wait);
gboolean srv_loop_do_round (SrvBaseServer *self,
                            SrvLoop *loop,
                            const SrvLoopWait *wait,
                            GError **error);

G_END_DECLS
