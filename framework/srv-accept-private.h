/* srv-accept-private.h - what to do when no request can be had
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One table says what an errno of accept4 () or recvmsg () means, and one
 * small state keeps the pause that follows a shortage: 10 ms at first, doubled
 * up to a second. A shortage is one episode, with one log record when it
 * begins, one a minute while it lasts, and one when it is over; it is over
 * when a request comes in.
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

typedef struct
{
  int pause_ms;       /* the last pause; 0: no episode */
  gint64 resume_at;   /* when to try again; 0: now */
  gint64 next_report; /* when the episode is mentioned again */
  guint64 n_failures; /* in this episode */
} SrvShortage;

SrvAcceptVerdict srv_accept_classify (int code);

void srv_shortage_note (SrvShortage *self,
                        SrvBaseServer *server,
                        const GError *error);
void srv_shortage_end (SrvShortage *self, SrvBaseServer *server);
void srv_shortage_retry_now (SrvShortage *self);

G_END_DECLS
