/* srv-datagram.h - one received datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_DATAGRAM (srv_datagram_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvDatagram, srv_datagram, SRV, DATAGRAM, GObject)

SRV_AVAILABLE_IN_ALL
const guint8 *srv_datagram_get_data (SrvDatagram *self, gsize *length);

SRV_AVAILABLE_IN_ALL
GBytes *srv_datagram_get_bytes (SrvDatagram *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_get_truncated (SrvDatagram *self);

SRV_AVAILABLE_IN_ALL
gsize srv_datagram_get_full_length (SrvDatagram *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_can_reply (SrvDatagram *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_reply (SrvDatagram *self,
                             const void *data,
                             gsize length,
                             GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_datagram_reply_bytes (SrvDatagram *self,
                                   GBytes *bytes,
                                   GError **error);

G_END_DECLS
