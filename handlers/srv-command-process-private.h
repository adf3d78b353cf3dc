/* srv-command-process-private.h - the server's side of one running command
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-command-plan-private.h"
#include "srv-command-supervisor-private.h"

G_BEGIN_DECLS

typedef struct
{
  pid_t supervisor;
  pid_t command; /* 0 until it is known */
  int control;   /* a message for each report; closing it ends the command */
  int out;
  int err;
} SrvCommandProcess;

gboolean srv_command_process_start (SrvCommandProcess *self,
                                    const SrvCommandPlan *plan,
                                    GError **error);
gboolean srv_command_process_read_report (SrvCommandProcess *self,
                                          SrvCommandReport *report);
void srv_command_process_end (SrvCommandProcess *self, SrvCommandCause cause);
void srv_command_process_kill (SrvCommandProcess *self);
void srv_command_process_clear (SrvCommandProcess *self);

G_END_DECLS
