/* srv-command-handler.h - runs commands for clients
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-command-frame.h"
#include "srv-command-policy.h"

G_BEGIN_DECLS

#define SRV_TYPE_COMMAND_HANDLER (srv_command_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvCommandHandler,
                          srv_command_handler,
                          SRV,
                          COMMAND_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvCommandHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
void srv_command_handler_set_policy (SrvCommandHandler *self,
                                     SrvCommandPolicy *policy);

SRV_AVAILABLE_IN_ALL
SrvCommandPolicy *srv_command_handler_get_policy (SrvCommandHandler *self);

SRV_AVAILABLE_IN_ALL
void srv_command_handler_set_compatible (SrvCommandHandler *self,
                                         gboolean compatible);

SRV_AVAILABLE_IN_ALL
gboolean srv_command_handler_get_compatible (SrvCommandHandler *self);

G_END_DECLS
