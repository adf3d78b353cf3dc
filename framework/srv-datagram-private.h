/* srv-datagram-private.h - how a server fills in a datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-datagram.h"
#include "srv-listener-private.h"

G_BEGIN_DECLS

SrvDatagram *srv_datagram_receive (SrvListener *listener,
                                   void *buffer,
                                   gsize size,
                                   GError **error);

G_END_DECLS
