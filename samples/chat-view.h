/* chat-view.h - how the chat looks: text for people, JSON for programs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "chat-object.h"
#include "chat-screen.h"

G_BEGIN_DECLS

typedef struct _ChatView ChatView;

ChatView *chat_view_new (ChatScreen *screen, gboolean is_json, gboolean quiet);
void chat_view_free (ChatView *self);

void chat_view_object (ChatView *self, const json_t *object);
void chat_view_answer (ChatView *self,
                       const json_t *request,
                       json_t *id,
                       const json_t *answer);
void chat_view_unconfirmed (ChatView *self, const json_t *request, json_t *id);
void chat_view_event (ChatView *self,
                      const char *event,
                      const char *format,
                      ...) G_GNUC_PRINTF (3, 4);
void chat_view_error (ChatView *self, const char *format, ...)
  G_GNUC_PRINTF (2, 3);
void chat_view_history (ChatView *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ChatView, chat_view_free)

G_END_DECLS
