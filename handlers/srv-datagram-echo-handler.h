/* srv-datagram-echo-handler.h - sends back each datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_DATAGRAM_ECHO_HANDLER (srv_datagram_echo_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvDatagramEchoHandler,
                          srv_datagram_echo_handler,
                          SRV,
                          DATAGRAM_ECHO_HANDLER,
                          SrvDatagramRequestHandler)

struct _SrvDatagramEchoHandlerClass
{
  SrvDatagramRequestHandlerClass parent_class;

  void (*transform) (SrvDatagramEchoHandler *self,
                     guint8 *packet,
                     gsize length);

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
