/* srv-datagram-private.h - how a server fills in a datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-request-handler.h"
#include "srv-datagram.h"
#include "srv-listener-private.h"
#include "srv-request-set-private.h"
#include "srv-sockaddr-private.h"

#include <sys/socket.h>

G_BEGIN_DECLS

/* Room for what we ask the kernel to tell, and to send from: a destination of
 * either family, and credentials. */
typedef union
{
  struct cmsghdr align;
  char bytes[128];
} SrvDatagramControl;

/* One with nothing in it yet, and room for what is not long. */
SrvDatagram *srv_datagram_new_empty (SrvListener *listener);

SrvRequestLink *srv_datagram_get_link (SrvDatagram *self);
const SrvSockaddr *srv_datagram_get_peer (SrvDatagram *self);
guint16 srv_datagram_get_port (SrvDatagram *self);

/* Whether replies have the same receiver, and the same address of ours. */
gboolean srv_datagram_goes_the_same_way (SrvDatagram *self, SrvDatagram *other);

/* The same contents, in as much memory as they need; in that of one of @spares, if
 * there is one. */
SrvDatagram *srv_datagram_copy (SrvDatagram *self,
                                SrvSpares *spares,
                                GMutex *lock);

/* Makes it as good as new. FALSE if somebody else has kept it. */
gboolean srv_datagram_recycle (SrvDatagram *self);

/* What recvmsg () gets, and what it has given. FAR has room for the longest; of
 * a long datagram it holds the tail, and becomes the datagram's. */
void srv_datagram_prepare (SrvDatagram *self,
                           struct msghdr *message,
                           struct iovec parts[2],
                           SrvDatagramControl *control,
                           guint8 *far,
                           gsize max_length);
void srv_datagram_fill_in (SrvDatagram *self,
                           struct msghdr *message,
                           guint8 **far,
                           gsize full_length,
                           gsize max_length);

/* What sendmsg () gets for a reply. */
void srv_datagram_address_reply (SrvDatagram *self,
                                 struct msghdr *message,
                                 struct iovec *part,
                                 SrvDatagramControl *control);
/* The parts are replies of @segment_size bytes each, the last at most. */
void srv_datagram_cut_reply (struct msghdr *message,
                             SrvDatagramControl *control,
                             guint n_parts,
                             guint16 segment_size);
/* 0, or why it was not sent. */
int srv_datagram_send_reply (SrvDatagram *self, const void *data, gsize length);
void srv_datagram_set_reply_error (GError **error, gsize length, int code);

G_END_DECLS
