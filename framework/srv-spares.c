/* srv-spares.c - connections that may be used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-spares-private.h"

#include "srv-connection-private.h"

/* Whoever ends a request still has a reference of his own: whether nobody else
 * has is found out when it is taken. */
gboolean
srv_spares_put (SrvSpares *self, SrvRequest *request)
{
  if (self->n == SRV_SPARES_MAX ||
      G_OBJECT_TYPE (request) != SRV_TYPE_CONNECTION ||
      !((SrvConnection *) request)->spare)
    return FALSE;
  self->connections[self->n++] = (SrvConnection *) request;
  return TRUE;
}

static SrvConnection *
pop (SrvSpares *self, GMutex *lock)
{
  SrvConnection *connection = NULL;

  g_mutex_lock (lock);
  if (self->n > 0)
    connection = self->connections[--self->n];
  g_mutex_unlock (lock);
  return connection;
}

SrvConnection *
srv_spares_take (SrvSpares *self, GMutex *lock)
{
  SrvConnection *connection = pop (self, lock);

  if (connection != NULL && srv_connection_renew (connection))
    return connection;
  g_clear_object (&connection);
  return g_object_new (SRV_TYPE_CONNECTION, NULL);
}

/* The last reference may be the last one to a handler, too, and what its class
 * does then is not for under a lock. */
void
srv_spares_clear (SrvSpares *self, GMutex *lock)
{
  SrvConnection *connection;

  while ((connection = pop (self, lock)) != NULL)
    g_object_unref (connection);
}
