/* srv-discard-handler.h - takes everything, answers nothing
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_DISCARD_HANDLER (srv_discard_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvDiscardHandler,
                          srv_discard_handler,
                          SRV,
                          DISCARD_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvDiscardHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
