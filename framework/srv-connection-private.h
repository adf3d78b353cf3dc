/* srv-connection-private.h - what servers and streams do with a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-connection.h"
#include "srv-sockaddr-private.h"

G_BEGIN_DECLS

SrvConnection *srv_connection_adopt (int fd,
                                     const SrvSockaddr *peer,
                                     int timeout_ms,
                                     gboolean no_delay);
void srv_connection_hang_up (SrvConnection *self, int linger_timeout_ms);
void srv_connection_close_now (SrvConnection *self);
gboolean srv_connection_is_cut (SrvConnection *self);
gssize srv_connection_receive_nonblocking (SrvConnection *self,
                                           void *buffer,
                                           gsize count,
                                           GError **error);
gssize srv_connection_send_nonblocking (SrvConnection *self,
                                        const void *buffer,
                                        gsize count,
                                        GError **error);

G_END_DECLS
