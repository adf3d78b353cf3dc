/* chat-command.h - what lines that are typed mean
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "chat-session.h"

G_BEGIN_DECLS

void chat_command_run (ChatSession *session, ChatView *view, const char *line);
void chat_command_run_json (ChatSession *session,
                            ChatView *view,
                            const char *line);

G_END_DECLS
