/* srv-echo-handler.h - sends back what comes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_ECHO_HANDLER (srv_echo_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvEchoHandler,
                          srv_echo_handler,
                          SRV,
                          ECHO_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvEchoHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  void (*transform) (SrvEchoHandler *self, guint8 *chunk, gsize length);

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
void srv_echo_handler_set_chunk_size (SrvEchoHandler *self, guint chunk_size);

SRV_AVAILABLE_IN_ALL
guint srv_echo_handler_get_chunk_size (SrvEchoHandler *self);

G_END_DECLS
