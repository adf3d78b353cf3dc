/* sample-log.h - the option --log: a file, the system's log, the journal
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver-handlers.h>

G_BEGIN_DECLS

/* @where is a file to append to, which is opened anew at SIGHUP, or "syslog",
 * or "journal". To be called once. */
SrvEventLog *sample_log_open (const char *where, GError **error);

G_END_DECLS
