/* srv-chat-record.c - a message as a chat keeps it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-store.h"

G_DEFINE_BOXED_TYPE (SrvChatRecord,
                     srv_chat_record,
                     srv_chat_record_copy,
                     srv_chat_record_free)

/**
 * srv_chat_record_new:
 * @time: when it was said, in seconds of Unix time
 * @from: who has said it, UTF-8
 * @to: the person or the room, UTF-8
 * @text: what was said, UTF-8
 * @extra: (nullable): what the protocol wants back with it, UTF-8
 *
 * Makes a message that can be stored.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the message
 */
SrvChatRecord *
srv_chat_record_new (gint64 time,
                     const char *from,
                     const char *to,
                     const char *text,
                     const char *extra)
{
  SrvChatRecord *self;

  g_return_val_if_fail (from != NULL && to != NULL && text != NULL, NULL);

  self = g_new0 (SrvChatRecord, 1);
  self->time = time;
  self->from = g_strdup (from);
  self->to = g_strdup (to);
  self->text = g_strdup (text);
  self->extra = g_strdup (extra);
  return self;
}

/**
 * srv_chat_record_copy:
 * @self: a message
 *
 * Copies a message.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the copy
 */
SrvChatRecord *
srv_chat_record_copy (const SrvChatRecord *self)
{
  SrvChatRecord *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = srv_chat_record_new (self->time, self->from, self->to, self->text,
                              self->extra);
  copy->id = self->id;
  return copy;
}

/**
 * srv_chat_record_free:
 * @self: (transfer full): a message
 *
 * Frees a message.
 *
 * Threads: any.
 */
void
srv_chat_record_free (SrvChatRecord *self)
{
  g_free (self->from);
  g_free (self->to);
  g_free (self->text);
  g_free (self->extra);
  g_free (self);
}
