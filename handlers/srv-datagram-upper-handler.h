/* srv-datagram-upper-handler.h - sends back each datagram, in upper case
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-datagram-echo-handler.h"

G_BEGIN_DECLS

#define SRV_TYPE_DATAGRAM_UPPER_HANDLER (srv_datagram_upper_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvDatagramUpperHandler,
                          srv_datagram_upper_handler,
                          SRV,
                          DATAGRAM_UPPER_HANDLER,
                          SrvDatagramEchoHandler)

struct _SrvDatagramUpperHandlerClass
{
  SrvDatagramEchoHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
