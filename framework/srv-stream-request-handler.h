/* srv-stream-request-handler.h - rfile and wfile over a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-request-handler.h"
#include "srv-connection.h"
#include "srv-reader.h"
#include "srv-writer.h"

G_BEGIN_DECLS

#define SRV_TYPE_STREAM_REQUEST_HANDLER (srv_stream_request_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvStreamRequestHandler,
                          srv_stream_request_handler,
                          SRV,
                          STREAM_REQUEST_HANDLER,
                          SrvBaseRequestHandler)

struct _SrvStreamRequestHandlerClass
{
  SrvBaseRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvConnection *srv_stream_request_handler_get_connection (
  SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
GIOStream *srv_stream_request_handler_get_stream (
  SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_request_handler_set_stream (SrvStreamRequestHandler *self,
                                            GIOStream *stream);

SRV_AVAILABLE_IN_ALL
gboolean srv_stream_request_handler_start_tls (SrvStreamRequestHandler *self,
                                               GTlsCertificate *certificate,
                                               int timeout_ms,
                                               GError **error);

SRV_AVAILABLE_IN_ALL
SrvReader *srv_stream_request_handler_get_rfile (SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
SrvWriter *srv_stream_request_handler_get_wfile (SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_request_handler_set_rbufsize (SrvStreamRequestHandler *self,
                                              int rbufsize);

SRV_AVAILABLE_IN_ALL
int srv_stream_request_handler_get_rbufsize (SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_request_handler_set_wbufsize (SrvStreamRequestHandler *self,
                                              int wbufsize);

SRV_AVAILABLE_IN_ALL
int srv_stream_request_handler_get_wbufsize (SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_request_handler_set_timeout (SrvStreamRequestHandler *self,
                                             int timeout_ms);

SRV_AVAILABLE_IN_ALL
int srv_stream_request_handler_get_timeout (SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_request_handler_set_disable_nagle_algorithm (
  SrvStreamRequestHandler *self,
  gboolean disable_nagle_algorithm);

SRV_AVAILABLE_IN_ALL
gboolean srv_stream_request_handler_get_disable_nagle_algorithm (
  SrvStreamRequestHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_stream_request_handler_set_end_on_drain (SrvStreamRequestHandler *self,
                                                  gboolean end_on_drain);

SRV_AVAILABLE_IN_ALL
gboolean srv_stream_request_handler_get_end_on_drain (
  SrvStreamRequestHandler *self);

G_END_DECLS
