/* srv-datagram-time-handler.h - tells the time to whoever sends a datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-time-format.h"

G_BEGIN_DECLS

#define SRV_TYPE_DATAGRAM_TIME_HANDLER (srv_datagram_time_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvDatagramTimeHandler,
                          srv_datagram_time_handler,
                          SRV,
                          DATAGRAM_TIME_HANDLER,
                          SrvDatagramRequestHandler)

struct _SrvDatagramTimeHandlerClass
{
  SrvDatagramRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
