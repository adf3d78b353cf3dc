/* srv-send-fds.h - open descriptors for another process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/**
 * SRV_MAX_FDS:
 *
 * How many descriptors the system lets one message carry.
 */
#define SRV_MAX_FDS 253

SRV_AVAILABLE_IN_ALL
gboolean srv_send_fds (SrvConnection *connection,
                       const void *buffer,
                       gsize count,
                       GUnixFDList *fds,
                       GError **error);

SRV_AVAILABLE_IN_ALL
gssize srv_recv_fds (SrvConnection *connection,
                     void *buffer,
                     gsize count,
                     guint max_fds,
                     GUnixFDList **fds,
                     GError **error);

G_END_DECLS
