/* srv-listener-private.h - the socket of a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A listener is the descriptor, the name it has, and, for a Unix path, the
 * claim on that path. It is counted: a datagram that is still being served
 * needs the socket for its reply after the server has let go of it.
 */

#pragma once

#include "srv-endpoint.h"
#include "srv-sockaddr-private.h"

G_BEGIN_DECLS

typedef struct _SrvListener SrvListener;

/* Called on the new socket before it is bound. */
typedef gboolean (*SrvConfigureFunc) (gpointer user_data,
                                      int fd,
                                      GError **error);

typedef struct
{
  const SrvEndpoint *endpoint;
  int socket_type; /* SOCK_STREAM or SOCK_DGRAM */
  gboolean local;  /* a Unix socket, and not IPv4 or IPv6 */
  SrvConfigureFunc configure;
  gpointer user_data;

  /* IPv4 and IPv6 */
  GSocketFamily family; /* G_SOCKET_FAMILY_INVALID: whatever fits */
  gboolean reuse_address;
  gboolean reuse_port;
  SrvDualStack dual_stack;

  /* Unix */
  gboolean take_over;
  int mode; /* -1 for each of them: leave as it comes */
  int owner;
  int group;
} SrvListenOptions;

SrvListener *srv_listener_open (const SrvListenOptions *options,
                                GError **error);
/* Another socket at the same port, which the system deals clients out to as
 * well. Fails unless the first was bound with reuse_port. */
SrvListener *srv_listener_open_twin (SrvListener *self,
                                     SrvConfigureFunc configure,
                                     gpointer user_data,
                                     GError **error);
SrvListener *srv_listener_ref (SrvListener *self);
void srv_listener_unref (SrvListener *self);
/* The reference of a forked child, which lives on its parent's pages: what it
 * frees is copied first. So if it is the last one, the child closes its copies
 * of the descriptors, and nothing else. */
void srv_listener_abandon (SrvListener *self);
void srv_listener_retire (SrvListener *self);
void srv_listener_take_reserve (SrvListener *self);
gboolean srv_listener_give_reserve (SrvListener *self);
int srv_listener_get_fd (SrvListener *self);
gboolean srv_listener_is_unix (SrvListener *self);
GSocketAddress *srv_listener_get_address (SrvListener *self);
char *srv_listener_to_string (SrvListener *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvListener, srv_listener_unref)

G_END_DECLS
