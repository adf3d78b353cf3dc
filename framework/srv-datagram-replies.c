/* srv-datagram-replies.c - replies that leave together
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One system call sends them all. Those to one receiver are coupled to trains
 * if they are of one length: the kernel carries a train through as if it were
 * one datagram, and cuts it where it ends (UDP_SEGMENT, "generic segmentation
 * offload"). What arrives is the same.
 */

#include "config.h"

#include "srv-datagram-replies-private.h"

#include "srv-datagram-private.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#define N_SLOTS 64 /* a power of two */
#define NONE    G_MAXUINT

/* What the kernel takes: in segments, and in bytes of a packet without the
 * headers of IPv6 and UDP. */
#define MAX_COUPLED     64
#define MAX_TRAIN_BYTES 65487

typedef struct
{
  SrvDatagram *datagram; /* owned: whom it answers */
  guint next;            /* in the train, or NONE */
  int code;              /* why it was not sent; 0: it was */
  gsize length;
  guint8 data[SRV_DATAGRAM_REPLIES_LONGEST];
} Reply;

typedef struct
{
  SrvDatagram *datagram; /* owned */
  GError *error;         /* owned */
} Failure;

/* Its first reply says how long all are; only the last may be shorter. */
typedef struct
{
  guint first;
  guint last;
  guint n_replies;
  gsize n_bytes;
  gboolean is_complete;
} Train;

struct _SrvDatagramReplies
{
  SrvListener *listener; /* owned reference */
  gsize longest_coupled; /* 0: the kernel cannot */
  guint n_replies;
  Reply replies[SRV_DATAGRAM_REPLIES_MAX];

  /* While they are sent. Too much for the stack of a fiber. */
  Train trains[SRV_DATAGRAM_REPLIES_MAX];
  struct mmsghdr messages[SRV_DATAGRAM_REPLIES_MAX];
  struct iovec parts[SRV_DATAGRAM_REPLIES_MAX];
  SrvDatagramControl controls[SRV_DATAGRAM_REPLIES_MAX];
};

/* A kernel that does not know trains would send them as long datagrams. */
static gboolean
knows_trains (SrvListener *listener)
{
  int segment_size;
  socklen_t length = sizeof segment_size;

  return getsockopt (srv_listener_get_fd (listener), SOL_UDP, UDP_SEGMENT,
                     &segment_size, &length) == 0;
}

SrvDatagramReplies *
srv_datagram_replies_new (SrvListener *listener)
{
  SrvDatagramReplies *self = g_new (SrvDatagramReplies, 1);

  self->listener = srv_listener_ref (listener);
  self->longest_coupled = knows_trains (listener) ? SRV_DATAGRAM_REPLIES_LONGEST
                                                  : 0;
  self->n_replies = 0;
  return self;
}

static void
forget_all (SrvDatagramReplies *self)
{
  for (guint i = 0; i < self->n_replies; i++)
    g_object_unref (self->replies[i].datagram);
  self->n_replies = 0;
}

void
srv_datagram_replies_free (SrvDatagramReplies *self)
{
  forget_all (self);
  srv_listener_unref (self->listener);
  g_free (self);
}

gboolean
srv_datagram_replies_add (SrvDatagramReplies *self,
                          SrvDatagram *datagram,
                          const void *data,
                          gsize length)
{
  Reply *reply;

  if (length > SRV_DATAGRAM_REPLIES_LONGEST ||
      self->n_replies == SRV_DATAGRAM_REPLIES_MAX)
    return FALSE;
  reply = &self->replies[self->n_replies++];
  reply->datagram = g_object_ref (datagram);
  reply->next = NONE;
  reply->code = 0;
  reply->length = length;
  if (length > 0)
    memcpy (reply->data, data, length);
  return TRUE;
}

static Train
new_train (const SrvDatagramReplies *self, guint i)
{
  const gsize length = self->replies[i].length;

  return (Train){
    .first = i,
    .last = i,
    .n_replies = 1,
    .n_bytes = length,
    .is_complete = length == 0 || length > self->longest_coupled,
  };
}

static gboolean
fits (const SrvDatagramReplies *self, const Train *train, guint i)
{
  const Reply *first = &self->replies[train->first];
  const Reply *reply = &self->replies[i];

  return !train->is_complete && reply->length > 0 &&
         reply->length <= first->length && train->n_replies < MAX_COUPLED &&
         train->n_bytes + reply->length <= MAX_TRAIN_BYTES &&
         srv_datagram_goes_the_same_way (first->datagram, reply->datagram);
}

static void
couple (SrvDatagramReplies *self, Train *train, guint i)
{
  const gsize length = self->replies[i].length;

  self->replies[train->last].next = i;
  train->last = i;
  train->n_replies++;
  train->n_bytes += length;
  train->is_complete = length < self->replies[train->first].length;
}

/* In the order of the first of each. A slot is for the last train to a receiver
 * with a port of that slot: what does not fit there begins another. */
static guint
make_trains (SrvDatagramReplies *self)
{
  Train *trains = self->trains;
  guint slots[N_SLOTS];
  guint n = 0;

  for (guint i = 0; i < N_SLOTS; i++)
    slots[i] = NONE;
  for (guint i = 0; i < self->n_replies; i++)
    {
      guint *slot =
        &slots[srv_datagram_get_port (self->replies[i].datagram) % N_SLOTS];

      if (*slot != NONE && fits (self, &trains[*slot], i))
        couple (self, &trains[*slot], i);
      else
        {
          *slot = n;
          trains[n++] = new_train (self, i);
        }
    }
  return n;
}

/* Returns how many parts it took. */
static guint
load (SrvDatagramReplies *self,
      const Train *train,
      struct msghdr *message,
      struct iovec *parts,
      SrvDatagramControl *control)
{
  Reply *first = &self->replies[train->first];
  guint n = 0;

  for (guint i = train->first; i != NONE; i = self->replies[i].next)
    parts[n++] =
      (struct iovec){ self->replies[i].data, self->replies[i].length };
  srv_datagram_address_reply (first->datagram, message, parts, control);
  if (n > 1)
    srv_datagram_cut_reply (message, control, n, (guint16) first->length);
  return n;
}

/* A link may not take frames that long, or not such trains; another may. */
static void
learn_from_failure (SrvDatagramReplies *self, gsize length, int code)
{
  if (code == EINVAL || code == EMSGSIZE)
    self->longest_coupled = MIN (self->longest_coupled, length - 1);
  else if (code == EIO || code == EOPNOTSUPP)
    self->longest_coupled = 0;
}

static void
send_one_by_one (SrvDatagramReplies *self, const Train *train, int code)
{
  gboolean was_the_train = FALSE;

  for (guint i = train->first; i != NONE; i = self->replies[i].next)
    {
      Reply *reply = &self->replies[i];

      reply->code =
        srv_datagram_send_reply (reply->datagram, reply->data, reply->length);
      was_the_train = was_the_train || reply->code == 0;
    }
  if (was_the_train)
    learn_from_failure (self, self->replies[train->first].length, code);
}

static void
send_trains (SrvDatagramReplies *self)
{
  const guint n_trains = make_trains (self);
  guint n_parts = 0;
  guint done = 0;

  for (guint i = 0; i < n_trains; i++)
    n_parts += load (self, &self->trains[i], &self->messages[i].msg_hdr,
                     &self->parts[n_parts], &self->controls[i]);
  while (done < n_trains)
    {
      const Train *train = &self->trains[done];
      int n = sendmmsg (srv_listener_get_fd (self->listener),
                        self->messages + done, n_trains - done, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      done += (guint) MAX (n, 1);
      if (n < 0 && train->n_replies > 1)
        send_one_by_one (self, train, errno);
      else if (n < 0)
        self->replies[train->first].code = errno;
    }
}

static Failure
new_failure (const Reply *reply)
{
  Failure failure = { g_object_ref (reply->datagram), NULL };

  srv_datagram_set_reply_error (&failure.error, reply->length, reply->code);
  return failure;
}

/* Who is told may reply, or wait while others do: by then nothing is left. */
void
srv_datagram_replies_send (SrvDatagramReplies *self,
                           SrvReplyFailed failed,
                           gpointer user_data)
{
  Failure failures[SRV_DATAGRAM_REPLIES_MAX];
  guint n_failures = 0;

  send_trains (self);
  for (guint i = 0; i < self->n_replies; i++)
    if (self->replies[i].code != 0)
      failures[n_failures++] = new_failure (&self->replies[i]);
  forget_all (self);
  for (guint i = 0; i < n_failures; i++)
    {
      failed (user_data, failures[i].datagram, failures[i].error);
      g_object_unref (failures[i].datagram);
      g_error_free (failures[i].error);
    }
}
