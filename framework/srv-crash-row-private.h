/* srv-crash-row-private.h - workers that crash one after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  guint length;
  gint64 resume_at; /* no worker is started before; 0: now */
  guint64 n_served; /* requests, when the last worker crashed */
} SrvCrashRow;

void srv_crash_row_clear (SrvCrashRow *self);

/* A worker of that age, in microseconds, has crashed, when all together had
 * served so many requests. */
void srv_crash_row_note (SrvCrashRow *self, gint64 age, guint64 n_served);

/* No worker could be started at all: there is no sense in trying at once. */
void srv_crash_row_pause (SrvCrashRow *self);

gboolean srv_crash_row_must_wait (const SrvCrashRow *self);

/* FALSE when the row is too long; 0 is no limit. */
gboolean srv_crash_row_check (SrvCrashRow *self, guint limit, GError **error);

G_END_DECLS
