/* srv-create-server.h - from an endpoint string to a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server.h"
#include "srv-endpoint.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
SrvBaseServer *srv_create_server (const char *endpoint,
                                  GType handler_type,
                                  SrvMixIn *mix_in,
                                  GError **error);

G_END_DECLS
