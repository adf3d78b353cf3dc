/* srv-connection.h - one accepted stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_CONNECTION (srv_connection_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvConnection, srv_connection, SRV, CONNECTION, GIOStream)

SRV_AVAILABLE_IN_ALL
SrvConnection *srv_connection_new_for_fd (int fd, GError **error);

SRV_AVAILABLE_IN_ALL
int srv_connection_get_fd (SrvConnection *self);

SRV_AVAILABLE_IN_ALL
GSocket *srv_connection_get_socket (SrvConnection *self, GError **error);

SRV_AVAILABLE_IN_ALL
gssize srv_connection_receive (SrvConnection *self,
                               void *buffer,
                               gsize count,
                               GCancellable *cancellable,
                               GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_connection_send_all (SrvConnection *self,
                                  const void *buffer,
                                  gsize count,
                                  GCancellable *cancellable,
                                  GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_connection_post (SrvConnection *self,
                              GBytes *bytes,
                              GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_connection_check_posts (SrvConnection *self, GError **error);

SRV_AVAILABLE_IN_ALL
void srv_connection_set_post_limit (SrvConnection *self, gsize max_bytes);

SRV_AVAILABLE_IN_ALL
gsize srv_connection_get_post_limit (SrvConnection *self);

SRV_AVAILABLE_IN_ALL
void srv_connection_set_post_gap (SrvConnection *self, guint gap_ms);

SRV_AVAILABLE_IN_ALL
guint srv_connection_get_post_gap (SrvConnection *self);

SRV_AVAILABLE_IN_ALL
gsize srv_connection_get_n_posted_bytes (SrvConnection *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_connection_shutdown_write (SrvConnection *self, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_connection_set_no_delay (SrvConnection *self,
                                      gboolean no_delay,
                                      GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_connection_set_timeout (SrvConnection *self,
                                     int timeout_ms,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
int srv_connection_get_timeout (SrvConnection *self);

G_END_DECLS
