/* srv-command-supervisor-private.h - the parent of a command
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-command-plan-private.h"

#include <sys/types.h>

G_BEGIN_DECLS

typedef enum
{
  SRV_COMMAND_REPORT_STARTED, /* number is the process */
  SRV_COMMAND_REPORT_FAILED,  /* number is the errno of what did not work */
  SRV_COMMAND_REPORT_ENDED,   /* number is the wait status */
} SrvCommandReportKind;

/* What the supervisor, and before it executes the command, sends back. */
typedef struct
{
  SrvCommandReportKind kind;
  int number;
  SrvCommandCause cause;
} SrvCommandReport;

/* How long what was killed may take to be gone, before it is given up. */
#define SRV_COMMAND_KILL_MS 5000

void srv_command_supervise (const SrvCommandPlan *plan,
                            int control,
                            int out,
                            int err) G_GNUC_NORETURN;

G_END_DECLS
