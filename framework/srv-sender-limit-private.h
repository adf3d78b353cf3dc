/* srv-sender-limit-private.h - how many datagrams one sender may send
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A sender is an IPv4 address, or an IPv6 network of 64 bits: within it a host
 * takes what address it likes. Only the last ones are remembered. Who is
 * forgotten begins anew with everything that a sender may have; so does who can
 * forge his address, and nothing that looks at addresses can help there.
 */

#pragma once

#include "srv-base-server.h"
#include "srv-sockaddr-private.h"

G_BEGIN_DECLS

#define SRV_SENDER_LIMIT_DEFAULT_MAX 4096

typedef struct
{
  GMutex lock;         /* guards the rest; the rate is atomic for readers */
  int rate;            /* datagrams in a second; 0: no limit */
  guint burst;         /* how many may come at once; 0: as many as the rate */
  guint max_senders;   /* how many are remembered */
  GHashTable *senders; /* of Sender, owned */
  GQueue recent;       /* the same, by their links: who came last is first */
  guint64 n_dropped;
  gint64 next_report; /* not before; 0: at once */
} SrvSenderLimit;

void srv_sender_limit_init (SrvSenderLimit *self);
void srv_sender_limit_clear (SrvSenderLimit *self);

guint srv_sender_limit_get_rate (SrvSenderLimit *self);
void srv_sender_limit_set_rate (SrvSenderLimit *self, guint rate);
void srv_sender_limit_set_burst (SrvSenderLimit *self, guint burst);
void srv_sender_limit_set_max_senders (SrvSenderLimit *self, guint max_senders);

/* Whether one more datagram of @peer, that has come at @now, shall be served.
 * When not, and it is time to tell, @n_dropped is how many were not since the
 * server began; otherwise it is 0. */
gboolean srv_sender_limit_allows (SrvSenderLimit *self,
                                  const SrvSockaddr *peer,
                                  gint64 now,
                                  guint64 *n_dropped);

G_END_DECLS
