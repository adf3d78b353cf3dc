/* srv-command-session-private.h - the two dialogues of a command server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-command-policy-private.h"
#include "srv-command-run-private.h"

G_BEGIN_DECLS

/* One connection, for as long as it is served. Everything is borrowed. */
typedef struct
{
  SrvStreamRequestHandler *handler;
  SrvCommandPolicy *policy;
  const SrvCommandDialogueLimits *limits;
  SrvConnection *connection;
  SrvReader *rfile;
  SrvWriter *wfile;
  gpointer log; /* SrvEventLog, nullable */
  int idle_timeout_ms;
  guint64 n_received;
  guint64 n_sent;
} SrvCommandSession;

/* In frames, and as the tutorial does it. */
gboolean srv_command_session_serve_frames (SrvCommandSession *self,
                                           GError **error);
gboolean srv_command_session_serve_plain (SrvCommandSession *self,
                                          GError **error);

/* What both share. */
void srv_command_session_note_received (SrvCommandSession *self,
                                        const guint8 *data,
                                        gsize length);
gboolean srv_command_session_send (SrvCommandSession *self,
                                   const void *data,
                                   gsize length,
                                   GError **error);
gboolean srv_command_session_run (SrvCommandSession *self,
                                  const SrvCommandPlan *plan,
                                  SrvCommandSink sink,
                                  gpointer user_data,
                                  SrvCommandResult *result,
                                  GError **error);

G_END_DECLS
