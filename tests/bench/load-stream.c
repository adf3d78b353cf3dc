/* load-stream.c - connections: active, idle, and one for each message
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <unistd.h>

#define N_EVENTS    256
#define PROBE_EVERY 256 /* idle connections: less than any server's queue */

typedef struct
{
  int fd;
  guint64 sent; /* bytes, as the next */
  guint64 received;
  gint64 times[LOAD_MAX_DEPTH]; /* when each message on the way was sent */
} Client;

static int epoll_fd = -1;
static Client *clients;
static int *idle_fds;
static gboolean started;

static void
compare (const char *bytes, guint64 position, gsize length)
{
  if (memcmp (bytes, load_pattern_at (position), length) == 0)
    return;
  errno = EBADMSG;
  load_give_up ("other bytes came back");
}

/* One message to the server and back over a connection of its own. */
static void
greet (int fd)
{
  const struct timeval limit = { .tv_sec = LOAD_SILENCE_MS / 1000 };
  gsize size = (gsize) load_options.size;
  char reply[LOAD_MAX_SIZE];

  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (send (fd, load_pattern_at (0), size, MSG_NOSIGNAL) != (gssize) size)
    load_give_up ("greet");
  errno = ECONNRESET; /* if it ends early, which sets none */
  if (recv (fd, reply, size, MSG_WAITALL) != (gssize) size)
    load_give_up ("reply to a greeting");
  compare (reply, 0, size);
}

/* A server takes connections in their order: when one has been answered, those
 * before it have been accepted, and are no longer in the listener's queue. */
static void
probe (void)
{
  int fd = load_target_connect ();

  greet (fd);
  close (fd);
}

static void
open_idle (void)
{
  idle_fds = g_new (int, load_options.n_idle);
  for (int i = 0; i < load_options.n_idle; i++)
    {
      idle_fds[i] = load_target_connect ();
      if (load_options.greet)
        greet (idle_fds[i]);
      if (i % PROBE_EVERY == 0 || i == load_options.n_idle - 1)
        probe ();
    }
}

static void
open_client (Client *client)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

  client->fd = load_target_connect ();
  client->sent = client->received = 0;
  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
    load_give_up ("epoll_ctl");
}

void
load_stream_open (void)
{
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (epoll_fd < 0)
    load_give_up ("epoll_create1");
  open_idle ();
  clients = g_new0 (Client, load_options.n_clients);
  for (int i = 0; i < load_options.n_clients; i++)
    open_client (&clients[i]);
}

static guint64
n_complete (guint64 bytes)
{
  return bytes / (guint64) load_options.size;
}

/* Several messages in one call. */
static void
send_messages (Client *client, int count, gint64 now)
{
  int at_once = MAX (LOAD_MAX_SIZE / load_options.size, 1);

  for (int i = 0; i < count; i++)
    client->times[(n_complete (client->sent) + (guint64) i) % LOAD_MAX_DEPTH] =
      now;
  for (int left = count; left > 0; left -= at_once)
    {
      gsize length = (gsize) MIN (left, at_once) * (gsize) load_options.size;

      if (send (client->fd, load_pattern_at (client->sent), length,
                MSG_NOSIGNAL) != (gssize) length)
        load_give_up ("send");
      client->sent += length;
    }
}

/* What has come; returns how many messages are complete by it. */
static int
receive (Client *client)
{
  static char buffer[LOAD_MAX_SIZE];
  guint64 before = n_complete (client->received);
  guint64 after;
  gint64 now;
  gssize n = recv (client->fd, buffer, sizeof buffer, MSG_DONTWAIT);

  if (n == 0)
    errno = ECONNRESET;
  if (n <= 0)
    load_give_up ("receive");
  compare (buffer, client->received, (gsize) n);
  client->received += (guint64) n;
  after = n_complete (client->received);
  now = load_now ();
  for (guint64 i = before; i < after; i++)
    load_stats_note (client->times[i % LOAD_MAX_DEPTH], now);
  return (int) (after - before);
}

static void
serve_event (Client *client)
{
  int n = receive (client);

  if (n == 0)
    return;
  if (!load_options.reconnect)
    {
      send_messages (client, n, load_now ());
      return;
    }
  /* The time of a message is then that of its connection, too. */
  gint64 begin = load_now ();

  close (client->fd);
  open_client (client);
  send_messages (client, 1, begin);
}

void
load_stream_run (gint64 end)
{
  struct epoll_event events[N_EVENTS];

  for (int i = 0; i < load_options.n_clients && !started; i++)
    send_messages (&clients[i], load_options.depth, load_now ());
  started = TRUE;
  while (load_now () < end)
    {
      int n = epoll_wait (epoll_fd, events, N_EVENTS, LOAD_SILENCE_MS);

      if (n == 0)
        errno = ETIMEDOUT;
      if (n <= 0)
        load_give_up ("wait");
      for (int i = 0; i < n; i++)
        serve_event (events[i].data.ptr);
    }
}
