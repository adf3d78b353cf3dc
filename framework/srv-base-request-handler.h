/* srv-base-request-handler.h - setup, handle, finish
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-request.h"
#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_BASE_REQUEST_HANDLER (srv_base_request_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvBaseRequestHandler,
                          srv_base_request_handler,
                          SRV,
                          BASE_REQUEST_HANDLER,
                          GObject)

struct _SrvBaseRequestHandlerClass
{
  GObjectClass parent_class;

  gboolean (*setup) (SrvBaseRequestHandler *self, GError **error);
  gboolean (*handle) (SrvBaseRequestHandler *self, GError **error);
  gboolean (*finish) (SrvBaseRequestHandler *self, GError **error);
  void (*reset) (SrvBaseRequestHandler *self);

  /*< private >*/
  GType reusable;
  gpointer padding[6];
};

/**
 * SrvHandlerFunc:
 * @handler: the handler that carries the request; a
 *   [class@SocketServer.StreamRequestHandler] or a
 *   [class@SocketServer.DatagramRequestHandler], after the kind of server
 * @user_data: what was given with the function
 * @error: return location for a [struct@GLib.Error]
 *
 * A service in one function: what a subclass would do in `handle`.
 *
 * Threads: wherever the mix-in runs requests, several at a time.
 *
 * Returns: %TRUE when the request was served, %FALSE with @error set otherwise
 */
typedef gboolean (*SrvHandlerFunc) (SrvBaseRequestHandler *handler,
                                    gpointer user_data,
                                    GError **error);

/**
 * SrvHandlerFactory:
 * @server: the server that got the request
 * @request: the request
 * @user_data: what was given with the function
 *
 * Makes the handler for one request. It must not run it, and cannot fail.
 *
 * Threads: wherever the mix-in runs requests, several at a time. In Python:
 * any callable given as `RequestHandlerClass`.
 *
 * Returns: (transfer full): a new handler
 */
typedef SrvBaseRequestHandler *(*SrvHandlerFactory) (SrvBaseServer *server,
                                                     SrvRequest *request,
                                                     gpointer user_data);

SRV_AVAILABLE_IN_ALL
void srv_base_request_handler_class_set_reusable (
  SrvBaseRequestHandlerClass *klass);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_request_handler_run (SrvBaseRequestHandler *self,
                                       SrvRequest *request,
                                       SrvBaseServer *server,
                                       GError **error);

SRV_AVAILABLE_IN_ALL
void srv_base_request_handler_set_function (SrvBaseRequestHandler *self,
                                            SrvHandlerFunc function,
                                            gpointer user_data,
                                            GDestroyNotify destroy);

SRV_AVAILABLE_IN_ALL
SrvRequest *srv_base_request_handler_get_request (SrvBaseRequestHandler *self);

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_base_request_handler_get_server (
  SrvBaseRequestHandler *self);

SRV_AVAILABLE_IN_ALL
GSocketAddress *srv_base_request_handler_get_client_address (
  SrvBaseRequestHandler *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_request_handler_get_failed (SrvBaseRequestHandler *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_base_request_handler_is_draining (SrvBaseRequestHandler *self);

SRV_AVAILABLE_IN_ALL
GCancellable *srv_base_request_handler_get_drain_cancellable (
  SrvBaseRequestHandler *self);

G_END_DECLS
