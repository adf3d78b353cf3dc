/* srv-signals.h - SIGINT and SIGTERM stop the servers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
gboolean srv_signals_bind (SrvBaseServer *server, GError **error);

SRV_AVAILABLE_IN_ALL
void srv_signals_unbind (SrvBaseServer *server);

G_END_DECLS
