/* srv-dial-private.h - from an endpoint to a connected socket
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-endpoint.h"

G_BEGIN_DECLS

int srv_dial (const SrvEndpoint *endpoint,
              const SrvEndpoint *source,
              gint64 deadline,
              GCancellable *cancellable,
              GError **error);
gboolean srv_endpoint_is_datagram (const SrvEndpoint *endpoint);

G_END_DECLS
