/* srv-datagram-batch-private.h - datagrams by the batch, in and out
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A loop takes as many datagrams off its socket as are there, up to a limit,
 * with one call; they are then handed out one by one. Replies that are written
 * on the loop's own thread before the loop waits again leave together, with one
 * call as well.
 */

#pragma once

#include "srv-datagram-replies-private.h"
#include "srv-datagram.h"
#include "srv-listener-private.h"

G_BEGIN_DECLS

#define SRV_DATAGRAM_LARGEST    65535
#define SRV_DATAGRAM_BATCH_SIZE SRV_DATAGRAM_REPLIES_MAX

typedef struct _SrvDatagramBatch SrvDatagramBatch;

SrvDatagramBatch *srv_datagram_batch_new (SrvListener *listener,
                                          SrvReplyFailed failed,
                                          gpointer user_data);

/* Nobody may have been handed out what is left; see take_back (). */
void srv_datagram_batch_free (SrvDatagramBatch *self);

/* Whether the next one has to be received. */
gboolean srv_datagram_batch_is_used_up (const SrvDatagramBatch *self);

/* Whether somebody got one since the last time that none was there. */
gboolean srv_datagram_batch_has_handed_out (const SrvDatagramBatch *self);

/* The next datagram, which is the batch's; receives up to @size of them if none
 * is left. NULL with errno. @max_length: what is kept of each. If
 * nobody else has a reference when the next batch comes, its memory is used
 * again. */
SrvDatagram *srv_datagram_batch_take (SrvDatagramBatch *self,
                                      guint size,
                                      gsize max_length);

/* One that was received and not handed out; NULL if there is none. */
SrvDatagram *srv_datagram_batch_take_back (SrvDatagramBatch *self);

/* From now on until the flush, replies of this thread are gathered. */
void srv_datagram_batch_begin (SrvDatagramBatch *self);
void srv_datagram_batch_flush (SrvDatagramBatch *self);

/* FALSE if the calling thread gathers no replies, or none so long. */
gboolean srv_datagram_batch_gather (SrvDatagram *datagram,
                                    SrvListener *listener,
                                    const void *data,
                                    gsize length);

G_END_DECLS
