/* srv-spares.c - requests that may be used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-spares-private.h"

/* Whoever ends a request still has a reference of his own: whether nobody else
 * has is found out when it is taken. */
gboolean
srv_spares_put (SrvSpares *self, SrvRequest *request)
{
  SrvRequestLink *link = srv_request_get_link (request);

  if (self->n == SRV_SPARES_MAX || link == NULL || link->spares != self)
    return FALSE;
  self->requests[self->n++] = request;
  return TRUE;
}

gpointer
srv_spares_take (SrvSpares *self, GMutex *lock)
{
  SrvRequest *request = NULL;

  g_mutex_lock (lock);
  if (self->n > 0)
    request = self->requests[--self->n];
  g_mutex_unlock (lock);
  return request;
}

/* The last reference may be the last one to a handler, too, and what its class
 * does then is not for under a lock. */
void
srv_spares_clear (SrvSpares *self, GMutex *lock)
{
  SrvRequest *request;

  while ((request = srv_spares_take (self, lock)) != NULL)
    srv_request_drop (request);
}
