/* srv-peer-private.h - who is at the other end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/* The address without what changes from visit to visit: "192.0.2.1" (also when
 * it came as an IPv6 address), "2001:db8::/64", "unix:1000". The caller frees
 * it. */
char *srv_peer_dup_key (SrvBaseRequestHandler *handler);
char *srv_peer_dup_address_key (GSocketAddress *address);

/* Does nobody else hear what is said? A Unix socket, loopback, TLS. */
gboolean srv_peer_is_private (SrvStreamRequestHandler *handler);

G_END_DECLS
