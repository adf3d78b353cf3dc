/* srv-sender-limit.c - how many datagrams one sender may send
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-sender-limit-private.h"

#include <string.h>

#define REPORT_EVERY_US (60 * G_USEC_PER_SEC)
#define NSEC_PER_USEC   1000
#define NSEC_PER_SEC    (NSEC_PER_USEC * G_USEC_PER_SEC)
#define IPV4_OFFSET     12 /* in an IPv6 address that is one */

/* Every datagram moves `due` on by what the rate gives it for one; who is ahead
 * of the clock by a whole burst has to wait. A sender who is not ahead at all
 * is like one who was never seen. */
typedef struct
{
  guint64 key;
  gint64 due; /* monotonic, in nanoseconds */
  GList link; /* in `recent` */
} Sender;

/* No IPv6 sender is in the network of the numbers below 2^32. */
static guint64
key_of (const SrvSockaddr *peer)
{
  const guint8 *bytes = peer->in6.sin6_addr.s6_addr;
  guint64 network;
  guint32 address;

  if (peer->any.sa_family == AF_INET)
    return peer->in.sin_addr.s_addr;
  if (IN6_IS_ADDR_V4MAPPED (&peer->in6.sin6_addr))
    {
      memcpy (&address, bytes + IPV4_OFFSET, sizeof address);
      return address;
    }
  memcpy (&network, bytes, sizeof network);
  return GUINT64_FROM_BE (network);
}

/* Senders can be forged; nobody shall choose those that collide. */
static guint64 seed;
static guint64 factor;

static void
choose_hash (void)
{
  static gsize once;

  if (!g_once_init_enter (&once))
    return;
  seed = (guint64) g_random_int () << 32 | g_random_int ();
  factor = ((guint64) g_random_int () << 32 | g_random_int ()) | 1;
  g_once_init_leave (&once, 1);
}

static guint
hash_sender (gconstpointer key)
{
  return (guint) (((*(const guint64 *) key ^ seed) * factor) >> 32);
}

static void
forget_oldest (SrvSenderLimit *self, guint n_left)
{
  while (self->recent.length > n_left)
    {
      Sender *oldest = g_queue_pop_tail_link (&self->recent)->data;

      g_hash_table_remove (self->senders, &oldest->key);
    }
}

static Sender *
get_sender (SrvSenderLimit *self, guint64 key)
{
  Sender *sender = g_hash_table_lookup (self->senders, &key);

  if (sender != NULL)
    g_queue_unlink (&self->recent, &sender->link);
  else
    {
      forget_oldest (self, self->max_senders - 1);
      sender = g_new0 (Sender, 1);
      sender->key = key;
      sender->link.data = sender;
      g_hash_table_add (self->senders, sender);
    }
  g_queue_push_head_link (&self->recent, &sender->link);
  return sender;
}

static guint64
count_drop (SrvSenderLimit *self, gint64 now)
{
  self->n_dropped++;
  if (now < self->next_report)
    return 0;
  self->next_report = now + REPORT_EVERY_US;
  return self->n_dropped;
}

void
srv_sender_limit_init (SrvSenderLimit *self)
{
  choose_hash ();
  g_mutex_init (&self->lock);
  g_queue_init (&self->recent);
  self->senders =
    g_hash_table_new_full (hash_sender, g_int64_equal, g_free, NULL);
  self->max_senders = SRV_SENDER_LIMIT_DEFAULT_MAX;
}

void
srv_sender_limit_clear (SrvSenderLimit *self)
{
  g_hash_table_unref (self->senders);
  g_mutex_clear (&self->lock);
}

guint
srv_sender_limit_get_rate (SrvSenderLimit *self)
{
  return (guint) g_atomic_int_get (&self->rate);
}

void
srv_sender_limit_set_rate (SrvSenderLimit *self, guint rate)
{
  g_atomic_int_set (&self->rate, (int) rate);
}

void
srv_sender_limit_set_burst (SrvSenderLimit *self, guint burst)
{
  g_mutex_lock (&self->lock);
  self->burst = burst;
  g_mutex_unlock (&self->lock);
}

void
srv_sender_limit_set_max_senders (SrvSenderLimit *self, guint max_senders)
{
  g_mutex_lock (&self->lock);
  self->max_senders = max_senders;
  forget_oldest (self, max_senders);
  g_mutex_unlock (&self->lock);
}

gboolean
srv_sender_limit_allows (SrvSenderLimit *self,
                         const SrvSockaddr *peer,
                         gint64 now,
                         guint64 *n_dropped)
{
  const guint rate = srv_sender_limit_get_rate (self);
  const gint64 now_ns = now * NSEC_PER_USEC;
  gboolean allowed;
  gint64 interval;
  gint64 due;
  Sender *sender;

  *n_dropped = 0;
  if (rate == 0)
    return TRUE;
  interval = NSEC_PER_SEC / rate;
  g_mutex_lock (&self->lock);
  sender = get_sender (self, key_of (peer));
  due = MAX (sender->due, now_ns) + interval;
  allowed = due - now_ns <= interval * (self->burst > 0 ? self->burst : rate);
  if (allowed)
    sender->due = due;
  else
    *n_dropped = count_drop (self, now);
  g_mutex_unlock (&self->lock);
  return allowed;
}
