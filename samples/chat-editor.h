/* chat-editor.h - a line that is edited by libedit while others come in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "chat-screen.h"

G_BEGIN_DECLS

typedef struct _ChatEditor ChatEditor;

ChatEditor *chat_editor_new (ChatScreen *screen);
void chat_editor_free (ChatEditor *self);

void chat_editor_set_prompt (ChatEditor *self, const char *prompt);
void chat_editor_show (ChatEditor *self, const char *text);
char *chat_editor_read_line (ChatEditor *self);

G_END_DECLS
