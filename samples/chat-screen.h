/* chat-screen.h - where lines come from, and where the chat is shown
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ChatScreen ChatScreen;

/* A line that was typed; NULL: there will be no more. */
typedef void (*ChatLineFunc) (const char *line, gpointer data);

ChatScreen *chat_screen_new (void);
void chat_screen_free (ChatScreen *self);

gboolean chat_screen_is_terminal (ChatScreen *self);
void chat_screen_set_prompt (ChatScreen *self, const char *prompt);
void chat_screen_show (ChatScreen *self, const char *text);

void chat_screen_run (ChatScreen *self, ChatLineFunc func, gpointer data);
void chat_screen_set_paused (ChatScreen *self, gboolean is_paused);
void chat_screen_stop (ChatScreen *self);
gboolean chat_screen_wait (ChatScreen *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ChatScreen, chat_screen_free)

G_END_DECLS
