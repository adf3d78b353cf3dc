/* srv-create-server-socket.h - a listening socket without a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
GSocket *srv_create_server_socket (const char *endpoint,
                                   GSocketFamily family,
                                   int backlog,
                                   gboolean reuse_port,
                                   gboolean dualstack_ipv6,
                                   GError **error);

G_END_DECLS
