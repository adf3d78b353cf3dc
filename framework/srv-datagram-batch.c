/* srv-datagram-batch.c - datagrams by the batch, in and out
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram-batch-private.h"

#include "srv-datagram-private.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

struct _SrvDatagramBatch
{
  SrvListener *listener; /* owned reference */

  /* Received: those from next to n_received have not been handed out. Behind
   * the batch are those that were still in use when it was received. */
  SrvDatagram *datagrams[SRV_DATAGRAM_BATCH_SIZE]; /* owned, some NULL */
  guint n_received;
  guint next;
  guint8 *far[SRV_DATAGRAM_BATCH_SIZE]; /* owned, some NULL: for long ones */

  SrvDatagramReplies *replies; /* owned, made on demand: to be sent */
  SrvReplyFailed failed;
  gpointer user_data;
};

/* What the thread gathers for. */
static _Thread_local SrvDatagramBatch *gathering;

/* A child that was forked by a handler sends its replies itself. */
static void
forget_gathering (void)
{
  gathering = NULL;
}

SrvDatagramBatch *
srv_datagram_batch_new (SrvListener *listener,
                        SrvReplyFailed failed,
                        gpointer user_data)
{
  static gsize once;
  SrvDatagramBatch *self = g_new0 (SrvDatagramBatch, 1);

  if (g_once_init_enter (&once))
    {
      pthread_atfork (NULL, NULL, forget_gathering);
      g_once_init_leave (&once, 1);
    }
  self->listener = srv_listener_ref (listener);
  self->failed = failed;
  self->user_data = user_data;
  return self;
}

void
srv_datagram_batch_free (SrvDatagramBatch *self)
{
  if (gathering == self)
    gathering = NULL;
  for (guint i = 0; i < SRV_DATAGRAM_BATCH_SIZE; i++)
    {
      g_clear_object (&self->datagrams[i]);
      g_free (self->far[i]);
    }
  g_clear_pointer (&self->replies, srv_datagram_replies_free);
  srv_listener_unref (self->listener);
  g_free (self);
}

/* Receiving */

static gboolean
make_ready (SrvDatagramBatch *self, guint i)
{
  if (self->datagrams[i] != NULL)
    return srv_datagram_recycle (self->datagrams[i]);
  self->datagrams[i] = srv_datagram_new_empty (self->listener);
  return TRUE;
}

static void
swap_slots (SrvDatagramBatch *self, guint i, guint j)
{
  SrvDatagram *datagram = self->datagrams[i];

  self->datagrams[i] = self->datagrams[j];
  self->datagrams[j] = datagram;
}

/* One datagram for each slot: one that nobody has kept, or a new one. Handlers
 * in fibers have not come to theirs yet when the loop looks for more: those
 * step back behind the batch until they are free. */
static void
prepare_slots (SrvDatagramBatch *self, guint size)
{
  guint behind = SRV_DATAGRAM_BATCH_SIZE;

  for (guint i = 0; i < size; i++)
    {
      gboolean ready = make_ready (self, i);

      while (!ready && behind > size)
        {
          swap_slots (self, i, --behind);
          ready = make_ready (self, i);
        }
      if (ready)
        continue;
      g_clear_object (&self->datagrams[i]);
      make_ready (self, i);
    }
}

static int
receive (SrvDatagramBatch *self, guint size, gsize max_length)
{
  struct mmsghdr messages[SRV_DATAGRAM_BATCH_SIZE];
  struct iovec parts[SRV_DATAGRAM_BATCH_SIZE][2];
  SrvDatagramControl controls[SRV_DATAGRAM_BATCH_SIZE];
  int n;

  prepare_slots (self, size);
  for (guint i = 0; i < size; i++)
    {
      if (self->far[i] == NULL)
        self->far[i] = g_malloc (SRV_DATAGRAM_LARGEST);
      srv_datagram_prepare (self->datagrams[i], &messages[i].msg_hdr, parts[i],
                            &controls[i], self->far[i], max_length);
    }
  do
    n = recvmmsg (srv_listener_get_fd (self->listener), messages, size,
                  MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC, NULL);
  while (n < 0 && errno == EINTR);
  for (int i = 0; i < n; i++)
    srv_datagram_fill_in (self->datagrams[i], &messages[i].msg_hdr,
                          &self->far[i], messages[i].msg_len, max_length);
  return n;
}

gboolean
srv_datagram_batch_is_used_up (const SrvDatagramBatch *self)
{
  return self->next == self->n_received;
}

gboolean
srv_datagram_batch_has_handed_out (const SrvDatagramBatch *self)
{
  return self->next > 0;
}

SrvDatagram *
srv_datagram_batch_take (SrvDatagramBatch *self, guint size, gsize max_length)
{
  int n;

  if (srv_datagram_batch_is_used_up (self))
    {
      self->next = self->n_received = 0;
      n = receive (self, MIN (size, SRV_DATAGRAM_BATCH_SIZE), max_length);
      if (n < 0)
        return NULL;
      self->n_received = (guint) n;
    }
  return self->datagrams[self->next++];
}

SrvDatagram *
srv_datagram_batch_take_back (SrvDatagramBatch *self)
{
  if (srv_datagram_batch_is_used_up (self))
    return NULL;
  return g_steal_pointer (&self->datagrams[self->next++]);
}

/* Sending */

void
srv_datagram_batch_begin (SrvDatagramBatch *self)
{
  gathering = self;
}

/* Those that cannot wait leave after those that do: order is kept. */
gboolean
srv_datagram_batch_gather (SrvDatagram *datagram,
                           SrvListener *listener,
                           const void *data,
                           gsize length)
{
  SrvDatagramBatch *self = gathering;

  if (self == NULL || self->listener != listener)
    return FALSE;
  if (self->replies == NULL)
    self->replies = srv_datagram_replies_new (self->listener);
  if (srv_datagram_replies_add (self->replies, datagram, data, length))
    return TRUE;
  srv_datagram_replies_send (self->replies, self->failed, self->user_data);
  /* Who was told of a failure may have waited until the loop had left. */
  return gathering == self &&
         srv_datagram_replies_add (self->replies, datagram, data, length);
}

void
srv_datagram_batch_flush (SrvDatagramBatch *self)
{
  if (gathering == self)
    gathering = NULL;
  if (self->replies != NULL)
    srv_datagram_replies_send (self->replies, self->failed, self->user_data);
}
