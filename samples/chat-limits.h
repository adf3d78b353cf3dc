/* chat-limits.h - the limits of the chat server, as options
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* @first, and an entry for each limit after it. The caller frees the array. */
GOptionEntry *chat_limits_make_entries (const GOptionEntry *first);
/* After parsing: what a limit cannot be; NULL when all are well. The caller
 * frees it. */
char *chat_limits_find_problem (void);
/* Sets those that are properties of the object. */
void chat_limits_apply (GObject *object);

G_END_DECLS
