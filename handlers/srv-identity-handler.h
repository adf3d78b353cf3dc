/* srv-identity-handler.h - knows its clients by their addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The protocol, in lines of UTF-8 text, each with a newline at its end. The
 * server begins:
 *
 *     known NAME     the address has a name; without it where names are not told
 *     unknown        it has none
 *
 * Then the client asks, any number of times:
 *
 *     name NAME      gives the address a name:      named NAME
 *     forget         it shall have none:            forgotten
 *     who            what it was told at first:     known NAME, unknown
 *     quit           the end:                       bye
 *
 * To what it does not understand or do, the server says `bad WHY`, and goes on;
 * only after a line that is too long or no text it ends.
 *
 * The tutorials' dialogue has no commands: the server greets, or asks for the
 * name and then greets, and ends.
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_IDENTITY_HANDLER (srv_identity_handler_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvIdentityHandler,
                          srv_identity_handler,
                          SRV,
                          IDENTITY_HANDLER,
                          SrvStreamRequestHandler)

struct _SrvIdentityHandlerClass
{
  SrvStreamRequestHandlerClass parent_class;

  /*< private >*/
  gpointer padding[8];
};

G_END_DECLS
