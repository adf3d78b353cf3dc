/* srv-greeting-handler.h - greets whoever connects
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_GREETING_HANDLER (srv_greeting_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvGreetingHandler,
                          srv_greeting_handler,
                          SRV,
                          GREETING_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvGreetingHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
