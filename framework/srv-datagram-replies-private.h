/* srv-datagram-replies-private.h - replies that leave together
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-datagram.h"
#include "srv-listener-private.h"

G_BEGIN_DECLS

/* Longer replies are not worth a copy. */
#define SRV_DATAGRAM_REPLIES_LONGEST 2048
#define SRV_DATAGRAM_REPLIES_MAX     64

typedef struct _SrvDatagramReplies SrvDatagramReplies;

/* A reply could not be sent. */
typedef void (*SrvReplyFailed) (gpointer user_data,
                                SrvDatagram *datagram,
                                const GError *error);

SrvDatagramReplies *srv_datagram_replies_new (SrvListener *listener);
/* Those that were not sent are forgotten. */
void srv_datagram_replies_free (SrvDatagramReplies *self);

/* Keeps a copy. FALSE if there is no room for it. */
gboolean srv_datagram_replies_add (SrvDatagramReplies *self,
                                   SrvDatagram *datagram,
                                   const void *data,
                                   gsize length);

/* What one receiver gets stays in order. A reply that cannot be sent does not
 * keep the others back. */
void srv_datagram_replies_send (SrvDatagramReplies *self,
                                SrvReplyFailed failed,
                                gpointer user_data);

G_END_DECLS
