/* srv-request.c - what a server got from a client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-request.h"

#include "srv-request-set-private.h"

/**
 * SrvRequest:
 *
 * What a server got from a client: a connection, or a datagram.
 *
 * The library's requests are [class@SocketServer.Connection] and
 * [class@SocketServer.Datagram]. A server with another source of requests
 * implements the interface for its own type; every function has a default, so
 * an empty implementation is a beginning.
 *
 * A request belongs to one thread at a time, except that
 * [method@SocketServer.Request.cut] and [method@SocketServer.Request.drain] may
 * be called from any.
 *
 * In Python: the `request` and `client_address` that a handler gets.
 */
G_DEFINE_INTERFACE (SrvRequest, srv_request, G_TYPE_OBJECT)

static GSocketAddress *
srv_request_real_get_address (G_GNUC_UNUSED SrvRequest *self)
{
  return NULL;
}

static GCredentials *
srv_request_real_get_credentials (G_GNUC_UNUSED SrvRequest *self,
                                  GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       "only clients of Unix sockets have credentials");
  return NULL;
}

static char *
srv_request_real_describe_client (G_GNUC_UNUSED SrvRequest *self)
{
  return g_strdup ("unnamed");
}

static void
srv_request_real_do_nothing (G_GNUC_UNUSED SrvRequest *self)
{
}

static int
srv_request_real_fileno (G_GNUC_UNUSED SrvRequest *self)
{
  return -1;
}

static void
srv_request_default_init (SrvRequestInterface *iface)
{
  iface->get_client_address = srv_request_real_get_address;
  iface->get_local_address = srv_request_real_get_address;
  iface->get_credentials = srv_request_real_get_credentials;
  iface->describe_client = srv_request_real_describe_client;
  iface->cut = srv_request_real_do_nothing;
  iface->drain = srv_request_real_do_nothing;
  iface->fileno = srv_request_real_fileno;
}

/**
 * srv_request_get_client_address:
 * @self: a request
 *
 * Gets the address of the client.
 *
 * A client of a dual-stack server that came over IPv4 has an IPv4 address
 * here. The object is made at the first call.
 *
 * Threads: the one that the request belongs to. In Python: `client_address`.
 *
 * Returns: (transfer none) (nullable): the address; %NULL for a Unix client
 *   that has not bound its socket
 */
GSocketAddress *
srv_request_get_client_address (SrvRequest *self)
{
  g_return_val_if_fail (SRV_IS_REQUEST (self), NULL);
  return SRV_REQUEST_GET_IFACE (self)->get_client_address (self);
}

/**
 * srv_request_get_local_address:
 * @self: a request
 *
 * Gets the address that the client has asked: for a server bound to all
 * interfaces, the one of them that was used.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: (transfer none) (nullable): the address, %NULL if it is not known
 */
GSocketAddress *
srv_request_get_local_address (SrvRequest *self)
{
  g_return_val_if_fail (SRV_IS_REQUEST (self), NULL);
  return SRV_REQUEST_GET_IFACE (self)->get_local_address (self);
}

/**
 * srv_request_get_credentials:
 * @self: a request
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets process, user and group of a client on the same machine.
 *
 * They are what they were when the client connected or sent; the process may
 * have ended since and its number may belong to another one, so only user and
 * group are fit for decisions.
 *
 * Fails with %G_IO_ERROR_NOT_SUPPORTED on sockets that carry no credentials,
 * which are all but Unix sockets.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: (transfer full): the credentials, or %NULL with @error set
 */
GCredentials *
srv_request_get_credentials (SrvRequest *self, GError **error)
{
  g_return_val_if_fail (SRV_IS_REQUEST (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
  return SRV_REQUEST_GET_IFACE (self)->get_credentials (self, error);
}

/**
 * srv_request_describe_client:
 * @self: a request
 *
 * Says in a few printable words who the client is, for logs and messages:
 * `127.0.0.1:40822`, `[::1]:40822`, `@name`, `unnamed`.
 *
 * Threads: the one that the request belongs to.
 *
 * Returns: (transfer full): the description
 */
char *
srv_request_describe_client (SrvRequest *self)
{
  g_return_val_if_fail (SRV_IS_REQUEST (self), NULL);
  return SRV_REQUEST_GET_IFACE (self)->describe_client (self);
}

/**
 * srv_request_cut:
 * @self: a request
 *
 * Ends the connection under its handler: every wait of the handler returns at
 * once, as if the client had gone.
 *
 * Threads: any, also while a handler uses the request.
 */
void
srv_request_cut (SrvRequest *self)
{
  g_return_if_fail (SRV_IS_REQUEST (self));
  SRV_REQUEST_GET_IFACE (self)->cut (self);
}

/**
 * srv_request_drain:
 * @self: a request
 *
 * Tells a request that its server is being closed and waits for it. A
 * connection whose handler wants that ends its input now, if nothing is on the
 * way: see [property@SocketServer.StreamRequestHandler:end-on-drain].
 *
 * Threads: any, also while a handler uses the request.
 */
void
srv_request_drain (SrvRequest *self)
{
  g_return_if_fail (SRV_IS_REQUEST (self));
  SRV_REQUEST_GET_IFACE (self)->drain (self);
}

/**
 * srv_request_fileno:
 * @self: a request
 *
 * Gets the descriptor behind the request.
 *
 * Threads: the one that the request belongs to. In Python: `request.fileno()`.
 *
 * Returns: the descriptor, -1 if there is none or it is closed
 */
int
srv_request_fileno (SrvRequest *self)
{
  g_return_val_if_fail (srv_is_request (self), -1);
  return SRV_REQUEST_GET_IFACE (self)->fileno (self);
}
