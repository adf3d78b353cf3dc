/* srv-chat-name-private.h - what people and rooms may be called
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* In code points, after normalization; a room's with its "#". */
#define SRV_CHAT_NAME_MAX 25

/* The name as it is shown, in normal form; NULL with an error. The caller frees
 * it. */
char *srv_chat_name_of_member (const char *name, GError **error);
char *srv_chat_name_of_room (const char *name, GError **error);

/* What two names have in common that are one. The caller frees it. */
char *srv_chat_name_to_key (const char *name);

G_END_DECLS
