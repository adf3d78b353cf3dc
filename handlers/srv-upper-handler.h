/* srv-upper-handler.h - sends back what comes, in upper case
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-echo-handler.h"

G_BEGIN_DECLS

#define SRV_TYPE_UPPER_HANDLER (srv_upper_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvUpperHandler,
                          srv_upper_handler,
                          SRV,
                          UPPER_HANDLER,
                          SrvEchoHandler)

struct _SrvUpperHandlerClass
{
  SrvEchoHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
