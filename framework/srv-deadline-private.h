/* srv-deadline-private.h - absolute points in time, and what poll wants
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A deadline is a value of g_get_monotonic_time (), so neither a change of the
 * wall clock nor an interrupted wait can move it; -1 stands for "never".
 */

#pragma once

#include <glib.h>

#define SRV_DEADLINE_NEVER ((gint64) -1)

static inline gint64
srv_deadline_from_ms (int timeout_ms)
{
  if (timeout_ms < 0)
    return SRV_DEADLINE_NEVER;
  return g_get_monotonic_time () + (gint64) timeout_ms * 1000;
}

/* The earlier of two deadlines. */
static inline gint64
srv_deadline_min (gint64 a, gint64 b)
{
  if (a == SRV_DEADLINE_NEVER)
    return b;
  if (b == SRV_DEADLINE_NEVER)
    return a;
  return MIN (a, b);
}

static inline gboolean
srv_deadline_has_passed (gint64 deadline)
{
  return deadline != SRV_DEADLINE_NEVER && g_get_monotonic_time () >= deadline;
}

/* What is left, in whole milliseconds for poll (); rounded up, so that a wait
 * never ends early. */
static inline int
srv_deadline_poll_timeout (gint64 deadline)
{
  gint64 left;

  if (deadline == SRV_DEADLINE_NEVER)
    return -1;
  left = deadline - g_get_monotonic_time ();
  if (left <= 0)
    return 0;
  return (int) MIN ((left + 999) / 1000, G_MAXINT);
}
