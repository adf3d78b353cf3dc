/* srv-spares-private.h - connections that may be used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To make and to free the two objects of a short connection, itself and its
 * handler, takes as long as all else that the library does for it. So a few that
 * have ended stay, each with the handler that it carries, for the next ones.
 */

#pragma once

#include "srv-connection.h"
#include "srv-request.h"

G_BEGIN_DECLS

#define SRV_SPARES_MAX 32

typedef struct
{
  SrvConnection *connections[SRV_SPARES_MAX]; /* owned */
  guint n;
} SrvSpares;

/* Under the lock. TRUE: it has taken over the caller's reference. */
gboolean srv_spares_put (SrvSpares *self, SrvRequest *request);

/* Without it. As good as new; never NULL. */
SrvConnection *srv_spares_take (SrvSpares *self, GMutex *lock);
void srv_spares_clear (SrvSpares *self, GMutex *lock);

G_END_DECLS
