/* srv-base-server-twins.c - more sockets at the port of a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * They live as long as the server's own, so that clients who wait at one of
 * them when a run ends are served by the next; unless that one does not accept
 * from them.
 */

#include "config.h"

#include "srv-base-server-private.h"

static SrvListener *
open_twin (SrvBaseServer *self, GError **error)
{
  g_autoptr (SrvListener) twin =
    srv_listener_open_twin (srv_base_server_get_private (self)->listener,
                            srv_base_server_configure, self, error);

  if (twin == NULL ||
      !SRV_BASE_SERVER_GET_CLASS (self)->activate_listener (self, twin, error))
    return NULL;
  return g_steal_pointer (&twin);
}

/* The one for the worker of this number, from 1 on; the first worker uses the
 * server's own. Called by whoever serves. */
SrvListener *
srv_base_server_get_twin (SrvBaseServer *self, guint number, GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);

  if (priv->twins == NULL)
    priv->twins =
      g_ptr_array_new_with_free_func ((GDestroyNotify) srv_listener_unref);
  while (priv->twins->len < number)
    {
      SrvListener *twin = open_twin (self, error);

      if (twin == NULL)
        return NULL;
      g_ptr_array_add (priv->twins, twin);
    }
  return priv->twins->pdata[number - 1];
}

void
srv_base_server_drop_twins (SrvBaseServer *self)
{
  g_clear_pointer (&srv_base_server_get_private (self)->twins,
                   g_ptr_array_unref);
}
