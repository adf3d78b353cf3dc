/* srv-finger-handler.h - one line asked, a text answered
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_FINGER_HANDLER (srv_finger_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvFingerHandler,
                          srv_finger_handler,
                          SRV,
                          FINGER_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvFingerHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
