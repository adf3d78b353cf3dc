/* srv-datagram-request-handler.h - packet in, reply out
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-request-handler.h"
#include "srv-datagram.h"

G_BEGIN_DECLS

#define SRV_TYPE_DATAGRAM_REQUEST_HANDLER \
  (srv_datagram_request_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvDatagramRequestHandler,
                          srv_datagram_request_handler,
                          SRV,
                          DATAGRAM_REQUEST_HANDLER,
                          SrvBaseRequestHandler)

struct _SrvDatagramRequestHandlerClass
{
  SrvBaseRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvDatagram *srv_datagram_request_handler_get_datagram (
  SrvDatagramRequestHandler *self);

SRV_AVAILABLE_IN_ALL
GBytes *srv_datagram_request_handler_get_packet (
  SrvDatagramRequestHandler *self);

SRV_AVAILABLE_IN_ALL
GInputStream *srv_datagram_request_handler_get_rfile (
  SrvDatagramRequestHandler *self);

SRV_AVAILABLE_IN_ALL
GOutputStream *srv_datagram_request_handler_get_wfile (
  SrvDatagramRequestHandler *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_request_handler_write (SrvDatagramRequestHandler *self,
                                             const void *data,
                                             gsize length,
                                             GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_request_handler_write_bytes (
  SrvDatagramRequestHandler *self,
  GBytes *bytes,
  GError **error);

SRV_AVAILABLE_IN_ALL
void srv_datagram_request_handler_set_always_reply (
  SrvDatagramRequestHandler *self,
  gboolean always_reply);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_request_handler_get_always_reply (
  SrvDatagramRequestHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_datagram_request_handler_set_reply_after_failure (
  SrvDatagramRequestHandler *self,
  gboolean reply_after_failure);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_request_handler_get_reply_after_failure (
  SrvDatagramRequestHandler *self);

G_END_DECLS
