/* srv-command-run-private.h - runs a command for a client, to its end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-command-frame.h"
#include "srv-command-plan-private.h"

G_BEGIN_DECLS

/* Takes a piece of output, of either kind. It may wait for the client, and so
 * does the command then. */
typedef gboolean (*SrvCommandSink) (gpointer user_data,
                                    SrvCommandFrame kind,
                                    const guint8 *data,
                                    gsize length,
                                    GError **error);

typedef struct
{
  SrvCommandEnd end;
  guint8 code;
  char *reason; /* owned; NULL if it ended by itself */
} SrvCommandResult;

void srv_command_result_clear (SrvCommandResult *result);

gboolean srv_command_run (const SrvCommandPlan *plan,
                          int client_fd,
                          GCancellable *drain,
                          SrvCommandSink sink,
                          gpointer user_data,
                          SrvCommandResult *result,
                          GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SrvCommandResult, srv_command_result_clear)

G_END_DECLS
