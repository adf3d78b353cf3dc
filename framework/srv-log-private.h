/* srv-log-private.h - structured log records
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-request.h"
#include "srv-types.h"

G_BEGIN_DECLS

/* One record with the fields that operators search for. The event is a short
 * fixed word; the request may be NULL. */
void srv_log (GLogLevelFlags level,
              const char *event,
              SrvBaseServer *server,
              SrvRequest *request,
              const char *format,
              ...) G_GNUC_PRINTF (5, 6);

G_END_DECLS
