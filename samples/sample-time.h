/* sample-time.h - the option --format of the time server and its client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver-handlers.h>

G_BEGIN_DECLS

gboolean sample_time_parse_format (const char *name,
                                   SrvTimeFormat *format,
                                   GError **error);

G_END_DECLS
