/* chat-object.h - the objects of JIM on a stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

#define CHAT_MAX_OBJECT 65536 /* bytes of one that comes */
#define CHAT_MAX_SENT   640   /* characters of one that goes */
#define CHAT_MAX_TEXT   500   /* characters of a message */

typedef struct _ChatObjects ChatObjects;

ChatObjects *chat_objects_new (void);
void chat_objects_free (ChatObjects *self);
void chat_objects_clear (ChatObjects *self);
void chat_objects_feed (ChatObjects *self, const char *bytes, gsize length);
json_t *chat_objects_take (ChatObjects *self, GError **error);

json_t *chat_object_new (const char *action);
void chat_object_set (json_t *object, const char *name, const char *text);
const char *chat_object_get (const json_t *object, const char *name);
gint64 chat_object_get_number (const json_t *object, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ChatObjects, chat_objects_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

G_END_DECLS
