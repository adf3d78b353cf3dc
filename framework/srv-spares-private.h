/* srv-spares-private.h - requests that may be used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To make and to free the two objects of a short request, itself and its
 * handler, takes as long as all else that the library does for it. So a few that
 * have ended stay, each with the handler that it carries, for the next ones.
 */

#pragma once

#include "srv-request-set-private.h"

G_BEGIN_DECLS

/* As many as the datagrams of a batch. */
#define SRV_SPARES_MAX 64

struct _SrvSpares
{
  SrvRequest *requests[SRV_SPARES_MAX]; /* owned */
  guint n;
};

/* Under the lock. TRUE: it has taken over the caller's reference. FALSE if the
 * request is of another server, or may not be used again. */
gboolean srv_spares_put (SrvSpares *self, SrvRequest *request);

/* Without it. One that has ended, and that somebody may still have; NULL if there
 * is none. All are of the type that the server makes. */
gpointer srv_spares_take (SrvSpares *self, GMutex *lock);
void srv_spares_clear (SrvSpares *self, GMutex *lock);

G_END_DECLS
