/* srv-errno-private.h - failed system calls as errors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Sets an error of GIO's domain: what was tried, a colon, and what the system
 * says. Returns FALSE, for callers that fail with it. */
gboolean srv_set_errno_error (GError **error, int code, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

G_END_DECLS
