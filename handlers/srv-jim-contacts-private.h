/* srv-jim-contacts-private.h - the lists that JIM clients keep of people
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-jim-session-private.h"

G_BEGIN_DECLS

/* A request for contacts or people of a client that has a name; it is answered
 * in any case. */
void srv_jim_contacts_serve (SrvJimHandler *self, const SrvJimMessage *message);

G_END_DECLS
