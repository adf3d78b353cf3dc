/* srv-base-server-handler.c - who serves a request: the handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-base-server-private.h"

/* One that the request carries, from another that had its memory, or a new
 * one. */
SrvBaseRequestHandler *
srv_base_server_take_handler (SrvRequest *request, GType type)
{
  SrvRequestLink *link = srv_request_get_link (request);

  if (link != NULL && link->handler != NULL &&
      G_OBJECT_TYPE (link->handler) == type)
    return g_steal_pointer (&link->handler);
  if (link != NULL)
    g_clear_object (&link->handler);
  return g_object_new (type, NULL);
}

/* Of a server that may be set up anew just now: its client has the reply. */
static void
let_go_of_handler (SrvBaseServer *self,
                   SrvRequest *request,
                   SrvBaseRequestHandler *handler)
{
  SrvRequestLink *link = srv_request_get_link (request);

  if (link != NULL && link->handler == NULL &&
      srv_base_server_is_active (self, request) &&
      srv_base_request_handler_recycle (handler))
    link->handler = handler;
  else
    g_object_unref (handler);
}

/* NULL if the server has none. */
static SrvBaseRequestHandler *
make_handler (SrvBaseServer *self, SrvRequest *request)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  SrvBaseRequestHandler *handler;
  GType type = priv->handler_type;

  if (priv->factory != NULL)
    return priv->factory (self, request, priv->handler_data);
  if (priv->function != NULL)
    type = SRV_BASE_SERVER_GET_CLASS (self)->default_handler_type;
  if (type == G_TYPE_INVALID)
    return NULL;
  handler = srv_base_server_take_handler (request, type);
  if (priv->function != NULL)
    srv_base_request_handler_set_function (handler, priv->function,
                                           priv->handler_data, NULL);
  return handler;
}

gboolean
srv_base_server_real_finish_request (SrvBaseServer *self,
                                     SrvRequest *request,
                                     GError **error)
{
  SrvBaseServerPrivate *priv = srv_base_server_get_private (self);
  gboolean from_factory = priv->factory != NULL;
  SrvBaseRequestHandler *handler = make_handler (self, request);
  gboolean ok;

  if (handler == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                   "%s has no handler for its requests",
                   G_OBJECT_TYPE_NAME (self));
      return FALSE;
    }
  ok = srv_base_request_handler_run (handler, request, self, error);
  /* A factory may have given it settings of its own. */
  if (from_factory)
    g_object_unref (handler);
  else
    let_go_of_handler (self, request, handler);
  return ok;
}
