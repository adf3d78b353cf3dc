/* srv-chargen-handler.h - sends characters without end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_CHARGEN_HANDLER (srv_chargen_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvChargenHandler,
                          srv_chargen_handler,
                          SRV,
                          CHARGEN_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvChargenHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
