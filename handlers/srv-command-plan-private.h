/* srv-command-plan-private.h - one process that shall run, and its limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Everything is 0 where there is no limit. */
typedef struct
{
  guint timeout_ms;
  guint grace_ms;
  guint64 max_output_bytes;
  guint64 max_memory_bytes;
  guint64 max_file_bytes;
  guint max_cpu_seconds;
  guint max_processes;
} SrvCommandLimits;

/* Made before the fork, since nothing can be allocated after it. */
typedef struct
{
  char **argv; /* owned; the first is a path */
  char **environment;
  char *directory;
  SrvCommandLimits limits;
} SrvCommandPlan;

void srv_command_plan_free (SrvCommandPlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvCommandPlan, srv_command_plan_free)

/* Why a process was ended before it ended by itself. */
typedef enum
{
  SRV_COMMAND_CAUSE_NONE,
  SRV_COMMAND_CAUSE_TIME,
  SRV_COMMAND_CAUSE_OUTPUT,
  SRV_COMMAND_CAUSE_CLIENT,
  SRV_COMMAND_CAUSE_DRAIN,
  SRV_COMMAND_CAUSE_SERVER_GONE,
} SrvCommandCause;

G_END_DECLS
