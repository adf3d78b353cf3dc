/* chat-session.h - the client's side of JIM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "chat-link.h"
#include "chat-view.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  const char *password; /* NULL: as a guest */
  const char *status;   /* NULL: none */
  char **rooms;         /* to begin with; NULL: none */
  gboolean is_insecure; /* the password may leave the machine */
  int rate;             /* objects in a second; 0: any */
  double timeout_s;     /* of each answer */
  ChatLinkOptions link;
} ChatSessionOptions;

typedef struct _ChatSession ChatSession;

/* The last thing that a session does; error: NULL when it was asked to end. */
typedef void (*ChatEndFunc) (const GError *error, gpointer data);

ChatSession *chat_session_new (SampleClient *client,
                               ChatScreen *screen,
                               ChatView *view,
                               const ChatSessionOptions *options,
                               ChatEndFunc end,
                               gpointer data);
void chat_session_free (ChatSession *self);

void chat_session_start (ChatSession *self);
void chat_session_ask (ChatSession *self, json_t *object, json_t *id);
void chat_session_quit (ChatSession *self);
void chat_session_give_up (ChatSession *self);

const char *chat_session_get_room (ChatSession *self);
gboolean chat_session_choose_room (ChatSession *self, const char *room);
void chat_session_tell_rooms (ChatSession *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ChatSession, chat_session_free)

G_END_DECLS
