/* load-datagram.c - a window of datagrams over each of a few sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A window of DEPTH is as many lanes: the reply in a lane makes room for the
 * lane's next datagram. A datagram carries its number, and number modulo DEPTH
 * is its lane; so replies may come in any order. What has not come back after a
 * while is counted as lost and the lane goes on; if it comes after all, it is
 * late.
 *
 * Many datagrams go in one system call, so that the load costs less than the
 * server that it measures.
 */

#include "config.h"

#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define LOSS_NS  (200 * G_GINT64_CONSTANT (1000000))
#define BATCH    64
#define N_EVENTS 64

typedef struct
{
  guint64 number; /* of the datagram that is on the way */
  gint64 time;    /* when it was sent */
} Lane;

typedef struct
{
  int fd;
  guint64 first; /* number; each socket has its own range */
  Lane lanes[LOAD_MAX_DEPTH];
} Client;

/* Filled by fill_batch (), sent by send_batch (). */
typedef struct
{
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH][2]; /* a number, a piece of the pattern */
  guint64 numbers[BATCH];
  guint n;
} Outgoing;

typedef struct
{
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  char *buffers[BATCH];
} Incoming;

static int epoll_fd = -1;
static Client *clients;
static Outgoing outgoing;
static Incoming incoming;

static void
send_batch (Client *client)
{
  for (guint sent = 0; sent < outgoing.n;)
    {
      int n =
        sendmmsg (client->fd, outgoing.messages + sent, outgoing.n - sent, 0);

      if (n <= 0)
        load_give_up ("send");
      sent += (guint) n;
    }
  outgoing.n = 0;
}

static void
send_in_lane (Client *client, Lane *lane, guint64 number, gint64 now)
{
  guint i = outgoing.n++;

  lane->number = outgoing.numbers[i] = number;
  lane->time = now;
  outgoing.parts[i][1].iov_base = (void *) load_pattern_at (number);
  if (outgoing.n == BATCH)
    send_batch (client);
}

static void
send_next (Client *client, Lane *lane, gint64 now)
{
  send_in_lane (client, lane, lane->number + (guint64) load_options.depth, now);
}

static void
prepare_batches (void)
{
  gsize size = (gsize) load_options.size;

  for (guint i = 0; i < BATCH; i++)
    {
      outgoing.parts[i][0].iov_base = &outgoing.numbers[i];
      outgoing.parts[i][0].iov_len = sizeof (guint64);
      outgoing.parts[i][1].iov_len = size - sizeof (guint64);
      outgoing.messages[i].msg_hdr.msg_iov = outgoing.parts[i];
      outgoing.messages[i].msg_hdr.msg_iovlen = 2;
      incoming.buffers[i] = g_malloc (size + 1); /* one more would be seen */
      incoming.parts[i].iov_base = incoming.buffers[i];
      incoming.parts[i].iov_len = size + 1;
      incoming.messages[i].msg_hdr.msg_iov = &incoming.parts[i];
      incoming.messages[i].msg_hdr.msg_iovlen = 1;
    }
}

void
load_datagram_open (void)
{
  if ((gsize) load_options.size <= sizeof (guint64) || load_options.reconnect ||
      load_options.n_idle > 0 || load_options.lines)
    {
      errno = EINVAL;
      load_give_up ("datagrams need 9 bytes or more, and are no connections");
    }
  prepare_batches ();
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  clients = g_new0 (Client, load_options.n_clients);
  for (int i = 0; i < load_options.n_clients; i++)
    {
      Client *client = &clients[i];
      struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

      client->fd = load_target_connect ();
      client->first = (guint64) (i + 1) << 40;
      if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
        load_give_up ("epoll_ctl");
      for (int lane = 0; lane < load_options.depth; lane++)
        send_in_lane (client, &client->lanes[lane],
                      client->first + (guint64) lane, load_now ());
      send_batch (client);
    }
}

static void
check_reply (const Client *client, const char *reply, gsize length)
{
  gsize size = (gsize) load_options.size;
  guint64 number;

  memcpy (&number, reply, sizeof number);
  if (length == size && number >> 40 == client->first >> 40 &&
      memcmp (reply + sizeof number, load_pattern_at (number),
              size - sizeof number) == 0)
    return;
  errno = EBADMSG;
  load_give_up ("another datagram came back");
}

static void
take_reply (Client *client, const char *reply, gsize length, gint64 now)
{
  guint64 number;
  Lane *lane;

  check_reply (client, reply, length);
  memcpy (&number, reply, sizeof number);
  lane =
    &client->lanes[(number - client->first) % (guint64) load_options.depth];
  if (lane->number != number)
    {
      load_stats.n_late++;
      return;
    }
  load_stats_note (lane->time, now);
  send_next (client, lane, now);
}

static void
serve_event (Client *client)
{
  int n = recvmmsg (client->fd, incoming.messages, BATCH, MSG_DONTWAIT, NULL);
  gint64 now = load_now ();

  if (n < 0)
    load_give_up ("receive");
  for (int i = 0; i < n; i++)
    take_reply (client, incoming.buffers[i], incoming.messages[i].msg_len, now);
  send_batch (client);
}

static void
find_losses (Client *client, gint64 now)
{
  for (int i = 0; i < load_options.depth; i++)
    {
      Lane *lane = &client->lanes[i];

      if (now - lane->time < LOSS_NS)
        continue;
      load_stats.n_lost++;
      send_next (client, lane, now);
    }
  send_batch (client);
}

void
load_datagram_run (gint64 end)
{
  struct epoll_event events[N_EVENTS];
  gint64 look = load_now () + LOSS_NS;
  gint64 now;

  while ((now = load_now ()) < end)
    {
      int n =
        epoll_wait (epoll_fd, events, N_EVENTS, (int) (LOSS_NS / 1000000));

      if (n < 0)
        load_give_up ("wait");
      for (int i = 0; i < n; i++)
        serve_event (events[i].data.ptr);
      if (now < look)
        continue;
      for (int i = 0; i < load_options.n_clients; i++)
        find_losses (&clients[i], now);
      look = now + LOSS_NS / 4;
    }
}
