/* srv-command-exec-private.h - a process turns into a command
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-command-plan-private.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* Returns only when it failed, with errno set. */
void srv_command_exec (const SrvCommandPlan *plan,
                       pid_t parent,
                       int out,
                       int err);

void srv_command_reset_signals (void);
gboolean srv_command_use_null (int from, int to);

G_END_DECLS
