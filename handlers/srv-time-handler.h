/* srv-time-handler.h - tells the time to whoever connects
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-time-format.h"

G_BEGIN_DECLS

#define SRV_TYPE_TIME_HANDLER (srv_time_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvTimeHandler,
                          srv_time_handler,
                          SRV,
                          TIME_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvTimeHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
