/* srv-process-private.h - what there is to know about processes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

gboolean srv_process_has_threads (void);
void srv_process_reset_signals (void);
guint64 srv_process_get_memory (void);
int srv_process_open_pidfd (pid_t pid);
gboolean srv_process_has_ended (pid_t pid, int *wait_status);

G_END_DECLS
