/* load.c - the client that measures echo servers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Run: load [--connections N] [--size BYTES] [--depth N] [--connect]
 *           [--seconds S] ENDPOINT
 *
 * One thread, one epoll descriptor. Keeps DEPTH messages of SIZE bytes on the
 * way on each connection, or, with --connect, makes a connection for each
 * message. Every byte that comes back is compared. Prints one line of JSON: a
 * rate, and how long replies took, in microseconds.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <socketserver.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PERIOD      251 /* of the bytes that are sent */
#define MAX_SIZE    65507
#define MAX_DEPTH   256
#define N_EVENTS    256
#define SILENCE_MS  5000
#define LOOPBACK    0x7f000001
#define N_SOURCES   64 /* addresses, for more ports than one has */
#define SUB_BUCKETS 32 /* of each power of two: 3 % exact */
#define N_BUCKETS   (40 * SUB_BUCKETS)

typedef struct
{
  int fd;
  guint64 sent; /* bytes, as the next */
  guint64 received;
  gint64 times[MAX_DEPTH]; /* when each message on the way was sent, ns */
} Client;

static int n_clients = 64;
static int size = 64;
static int depth = 1;
static gboolean reconnect;
static double seconds = 1;

static const GOptionEntry entries[] = {
  { "connections", 'c', 0, G_OPTION_ARG_INT, &n_clients, "How many", "N" },
  { "size", 's', 0, G_OPTION_ARG_INT, &size, "Bytes of a message", "BYTES" },
  { "depth", 'd', 0, G_OPTION_ARG_INT, &depth, "Messages on the way", "N" },
  { "connect", 0, 0, G_OPTION_ARG_NONE, &reconnect,
    "A connection for each message", NULL },
  { "seconds", 't', 0, G_OPTION_ARG_DOUBLE, &seconds, "How long", "S" },
  G_OPTION_ENTRY_NULL,
};

static struct sockaddr_storage address;
static socklen_t address_size;
static gboolean is_stream;
static int epoll_fd;
static char pattern[MAX_SIZE + PERIOD];
static guint64 buckets[N_BUCKETS];
static guint64 n_messages;

G_NORETURN static void
give_up (const char *what)
{
  fprintf (stderr, "load: %s: %s\n", what, g_strerror (errno));
  exit (1);
}

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static void
note_latency (gint64 ns)
{
  guint64 value = (guint64) MAX (ns, SUB_BUCKETS);
  guint shift = g_bit_storage (value) - 6;
  guint bucket = shift * SUB_BUCKETS + (guint) (value >> shift);

  buckets[MIN (bucket, N_BUCKETS - 1)]++;
}

static double
percentile_us (double part)
{
  guint64 left = (guint64) ((double) n_messages * part);
  guint bucket = 0;

  while (bucket < N_BUCKETS - 1 && left >= buckets[bucket])
    left -= buckets[bucket++];
  if (bucket < SUB_BUCKETS)
    return bucket / 1e3;
  return (double) (G_GUINT64_CONSTANT (1) << (bucket / SUB_BUCKETS - 1)) *
         (bucket % SUB_BUCKETS + SUB_BUCKETS) / 1e3;
}

static void
find_server (const char *string)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SrvEndpoint) endpoint = srv_endpoint_parse (string, &error);
  GList *found =
    endpoint != NULL ? srv_endpoint_resolve (endpoint, FALSE, &error) : NULL;
  SrvEndpointKind kind;

  if (found == NULL || !g_socket_address_to_native (found->data, &address,
                                                    sizeof address, &error))
    {
      fprintf (stderr, "load: %s\n", error->message);
      exit (64);
    }
  address_size = (socklen_t) g_socket_address_get_native_size (found->data);
  kind = srv_endpoint_get_kind (endpoint);
  is_stream = kind == SRV_ENDPOINT_KIND_TCP || kind == SRV_ENDPOINT_KIND_UNIX;
  g_list_free_full (found, g_object_unref);
}

/* A connection that the client closes keeps its port for a minute: many
 * addresses have many ports. */
static void
choose_source (int fd)
{
  static guint32 next;
  const int on = 1;
  struct sockaddr_in source = {
    .sin_family = AF_INET,
    .sin_addr.s_addr = g_htonl (LOOPBACK + 1 + next++ % N_SOURCES),
  };

  setsockopt (fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind (fd, (struct sockaddr *) &source, sizeof source) != 0)
    give_up ("bind");
}

static void
open_client (Client *client)
{
  const int on = 1;
  int type = is_stream ? SOCK_STREAM : SOCK_DGRAM;
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

  client->fd = socket (address.ss_family, type | SOCK_CLOEXEC, 0);
  if (client->fd < 0)
    give_up ("socket");
  if (address.ss_family == AF_INET && is_stream)
    {
      setsockopt (client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      choose_source (client->fd);
    }
  if (connect (client->fd, (struct sockaddr *) &address, address_size) != 0)
    give_up ("connect");
  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
    give_up ("epoll_ctl");
  client->sent = client->received = 0;
}

/* A stream takes all messages in one call. */
static void
send_messages (Client *client, int count, gint64 now)
{
  int at_once = is_stream ? MIN (count, MAX_SIZE / size) : 1;

  for (int i = 0; i < count; i++)
    {
      guint64 number = client->sent / (guint64) size + (guint64) i;

      client->times[number % MAX_DEPTH] = now;
    }
  for (int left = count; left > 0; left -= at_once)
    {
      size_t length = (size_t) (MIN (left, at_once) * size);

      if (send (client->fd, pattern + client->sent % PERIOD, length,
                MSG_NOSIGNAL) != (ssize_t) length)
        give_up ("send");
      client->sent += length;
    }
}

/* What has come; the messages that are complete by it. */
static int
receive (Client *client)
{
  static char buffer[MAX_SIZE];
  guint64 before = client->received / (guint64) size;
  gint64 now;
  ssize_t n = recv (client->fd, buffer, sizeof buffer, MSG_DONTWAIT);

  if (n < 0 && errno == EAGAIN)
    return 0;
  if (n <= 0)
    give_up ("receive");
  if (memcmp (buffer, pattern + client->received % PERIOD, (size_t) n) != 0)
    give_up ("other bytes came back");
  client->received += (guint64) n;
  now = now_ns ();
  for (guint64 i = before; i < client->received / (guint64) size; i++)
    note_latency (now - client->times[i % MAX_DEPTH]);
  return (int) (client->received / (guint64) size - before);
}

static void
serve_event (Client *client)
{
  int n = receive (client);
  gint64 begin = now_ns ();

  n_messages += (guint64) n;
  if (n == 0)
    return;
  if (!reconnect)
    {
      send_messages (client, n, begin);
      return;
    }
  close (client->fd);
  open_client (client);
  send_messages (client, 1, begin);
}

static double
run (void)
{
  g_autofree Client *clients = g_new0 (Client, n_clients);
  struct epoll_event events[N_EVENTS];
  gint64 begin;
  gint64 end;

  for (int i = 0; i < n_clients; i++)
    open_client (&clients[i]);
  begin = now_ns ();
  end = begin + (gint64) (seconds * 1e9);
  for (int i = 0; i < n_clients; i++)
    send_messages (&clients[i], depth, now_ns ());
  while (now_ns () < end)
    {
      int n = epoll_wait (epoll_fd, events, N_EVENTS, SILENCE_MS);

      if (n == 0)
        errno = ETIMEDOUT;
      if (n <= 0)
        give_up ("wait");
      for (int i = 0; i < n; i++)
        serve_event (events[i].data.ptr);
    }
  return (double) (now_ns () - begin) / 1e9;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("ENDPOINT");
  double took;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, NULL) || argc != 2 ||
      size < 1 || size > MAX_SIZE || depth < 1 || depth > MAX_DEPTH ||
      n_clients < 1)
    return 64;
  find_server (argv[1]);
  for (gsize i = 0; i < sizeof pattern; i++)
    pattern[i] = (char) (i % PERIOD);
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  took = run ();
  printf ("{\"messages\": %" G_GUINT64_FORMAT ", \"seconds\": %.3f, "
          "\"rate\": %.0f, \"p50\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f}\n",
          n_messages, took, (double) n_messages / took, percentile_us (0.5),
          percentile_us (0.99), percentile_us (0.999));
  return 0;
}
