/* srv-crash-row.c - workers that crash one after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-crash-row-private.h"

#include "srv-deadline-private.h"
#include "srv-error.h"

/* A worker that ends badly before it is as old as this, with nobody served
 * meanwhile, is one of a row of crashes. */
#define CRASH_AGE_MS 1000

/* The pause after the first crash of a row; each doubles it. */
#define FIRST_PAUSE_MS   50
#define LONGEST_PAUSE_MS 5000

/* What doubles so often is longer than the longest pause. */
#define MAX_DOUBLINGS 16

void
srv_crash_row_clear (SrvCrashRow *self)
{
  *self = (SrvCrashRow){ .length = 0 };
}

gboolean
srv_crash_row_must_wait (const SrvCrashRow *self)
{
  return !srv_deadline_has_passed (self->resume_at);
}

/* A service that serves is no crash loop, whatever one client does to it.
 * Workers that crash while the pause runs belong to the crash before it. */
void
srv_crash_row_note (SrvCrashRow *self, gint64 age, guint64 n_served)
{
  gboolean was_old = age >= CRASH_AGE_MS * 1000;
  int pause_ms;

  if (was_old || n_served != self->n_served)
    self->length = 0;
  self->n_served = n_served;
  if (was_old || srv_crash_row_must_wait (self))
    return;
  pause_ms = FIRST_PAUSE_MS << MIN (self->length, MAX_DOUBLINGS);
  self->resume_at = srv_deadline_from_ms (MIN (pause_ms, LONGEST_PAUSE_MS));
  self->length++;
}

void
srv_crash_row_pause (SrvCrashRow *self)
{
  self->resume_at = srv_deadline_from_ms (LONGEST_PAUSE_MS);
}

gboolean
srv_crash_row_check (SrvCrashRow *self, guint limit, GError **error)
{
  if (limit == 0 || self->length < limit)
    return TRUE;
  g_set_error (error, SRV_ERROR, SRV_ERROR_CRASH_LOOP,
               "workers have crashed %u times in a row, as soon as they were "
               "started",
               self->length);
  return FALSE;
}
