/* srv-endpoint-private.h - the addresses behind an endpoint, within a limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-endpoint.h"

G_BEGIN_DECLS

GList *srv_endpoint_resolve_until (const SrvEndpoint *self,
                                   gboolean passive,
                                   GSocketFamily family,
                                   gint64 deadline,
                                   GCancellable *cancellable,
                                   GError **error);

G_END_DECLS
