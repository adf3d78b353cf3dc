/* chat-link.h - a connection that comes back after it was cut off
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "sample-client.h"

G_BEGIN_DECLS

typedef struct
{
  int n_retries;  /* in a row; 0: once cut off, it stays so */
  double delay_s; /* before the first one, at most */
} ChatLinkOptions;

typedef struct
{
  void (*up) (gpointer data);
  void (*received) (const char *bytes, gsize length, gpointer data);
  /* delay_s: until the next attempt; negative: there will be none */
  void (*down) (const GError *error, double delay_s, gpointer data);
} ChatLinkEvents;

typedef struct _ChatLink ChatLink;

ChatLink *chat_link_new (SampleClient *client,
                         const ChatLinkOptions *options,
                         const ChatLinkEvents *events,
                         gpointer data);
void chat_link_free (ChatLink *self);

void chat_link_open (ChatLink *self);
void chat_link_send (ChatLink *self, const char *text, gsize length);
void chat_link_fail (ChatLink *self, const GError *error);
void chat_link_close (ChatLink *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ChatLink, chat_link_free)

G_END_DECLS
