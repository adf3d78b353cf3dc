/* srv-client.h - messages to a server and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_CLIENT (srv_client_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvClient, srv_client, SRV, CLIENT, GObject)

SRV_AVAILABLE_IN_ALL
SrvClient *srv_client_new (const char *endpoint,
                           SrvFraming *framing,
                           int timeout_ms,
                           GCancellable *cancellable,
                           GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_client_send (SrvClient *self,
                          const void *data,
                          gsize length,
                          GCancellable *cancellable,
                          GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_client_send_bytes (SrvClient *self,
                                GBytes *bytes,
                                GCancellable *cancellable,
                                GError **error);

SRV_AVAILABLE_IN_ALL
GBytes *srv_client_receive (SrvClient *self,
                            GCancellable *cancellable,
                            GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_client_shutdown_write (SrvClient *self, GError **error);

SRV_AVAILABLE_IN_ALL
void srv_client_close (SrvClient *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_client_set_timeout (SrvClient *self,
                                 int timeout_ms,
                                 GError **error);

SRV_AVAILABLE_IN_ALL
int srv_client_get_timeout (SrvClient *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_client_is_datagram (SrvClient *self);

SRV_AVAILABLE_IN_ALL
SrvConnection *srv_client_get_connection (SrvClient *self);

SRV_AVAILABLE_IN_ALL
int srv_client_get_fd (SrvClient *self);

G_END_DECLS
