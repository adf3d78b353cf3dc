/* srv-sockaddr-private.h - raw socket addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

G_BEGIN_DECLS

/* What accept4 (), recvmsg () and getsockname () give; a GSocketAddress is
 * made from it only when somebody asks, because that costs more than a system
 * call. */
typedef struct
{
  socklen_t length;
  union
  {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
  };
} SrvSockaddr;

gboolean srv_sockaddr_is_named (const SrvSockaddr *self);
gboolean srv_sockaddr_is_wildcard (const SrvSockaddr *self);
GSocketAddress *srv_sockaddr_to_address (const SrvSockaddr *self);
gboolean srv_sockaddr_from_address (SrvSockaddr *self, GSocketAddress *address);
char *srv_sockaddr_to_string (const SrvSockaddr *self);
gboolean srv_sockaddr_of_socket (SrvSockaddr *self, int fd);

G_END_DECLS
