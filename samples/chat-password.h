/* chat-password.h - a password from a terminal or a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *chat_password_ask (const char *question, GError **error);
char *chat_password_read (const char *path, GError **error);

G_END_DECLS
