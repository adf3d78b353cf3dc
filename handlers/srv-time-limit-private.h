/* srv-time-limit-private.h - a limit for everything that a handler does
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/* The limit of a connection is for each read and each write. This one is for
 * all of them together: who sends a byte now and then has it, too. */
typedef struct
{
  SrvConnection *connection; /* borrowed */
  int own_timeout_ms;        /* of each read and write; 0 is none */
  gint64 deadline;           /* monotonic; G_MAXINT64 is none */
} SrvTimeLimit;

void srv_time_limit_begin (SrvTimeLimit *self,
                           SrvStreamRequestHandler *handler,
                           guint max_time_ms);
gboolean srv_time_limit_is_over (const SrvTimeLimit *self);
gboolean srv_time_limit_apply (SrvTimeLimit *self,
                               guint pause_ms,
                               GError **error);

G_END_DECLS
