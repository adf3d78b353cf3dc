/* sample-secret.h - passwords that nobody sees
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

char *sample_secret_read (int fd, GError **error);
char *sample_secret_ask (int fd, const char *question, GError **error);
char *sample_secret_get (int fd, const char *question, GError **error);
void sample_secret_free (char *secret);

G_END_DECLS
