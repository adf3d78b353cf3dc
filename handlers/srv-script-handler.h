/* srv-script-handler.h - a dialogue by script
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-script.h"

G_BEGIN_DECLS

#define SRV_TYPE_SCRIPT_HANDLER (srv_script_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvScriptHandler,
                          srv_script_handler,
                          SRV,
                          SCRIPT_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvScriptHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
