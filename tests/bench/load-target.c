/* load-target.c - the server's address, sockets, and the bytes that are sent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <socketserver.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define LOOPBACK  0x7f000001
#define N_SOURCES 64  /* addresses, for more ports than one has */
#define PERIOD    251 /* a prime, so that no message begins like the last */
#define N_LINES   7   /* of different content */

static struct sockaddr_storage address;
static socklen_t address_size;
static gboolean is_stream;

/* What a client sends, over and over; twice as long as is sent at once. */
static char *pattern;
static guint64 period;

void
load_target_find (const char *string)
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
      exit (EX_USAGE);
    }
  address_size = (socklen_t) g_socket_address_get_native_size (found->data);
  kind = srv_endpoint_get_kind (endpoint);
  is_stream = kind == SRV_ENDPOINT_KIND_TCP || kind == SRV_ENDPOINT_KIND_UNIX;
  g_list_free_full (found, g_object_unref);
}

gboolean
load_target_is_stream (void)
{
  return is_stream;
}

/* A connection that the client closes keeps its port for a minute: many
 * addresses have many ports. */
static void
choose_source (int fd)
{
  static guint32 next;
  const int on = 1;
  guint32 number = next++ % N_SOURCES;
  struct sockaddr_in source = {
    .sin_family = AF_INET,
    .sin_addr.s_addr = g_htonl (LOOPBACK + 1 + number),
  };

  setsockopt (fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind (fd, (struct sockaddr *) &source, sizeof source) != 0)
    load_give_up ("bind");
}

/* A blocking socket that is connected; the caller closes it. */
int
load_target_connect (void)
{
  const int on = 1;
  int type = is_stream ? SOCK_STREAM : SOCK_DGRAM;
  int fd = socket (address.ss_family, type | SOCK_CLOEXEC, 0);

  if (fd < 0)
    load_give_up ("socket");
  if (address.ss_family == AF_INET && is_stream)
    {
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      choose_source (fd);
    }
  if (connect (fd, (struct sockaddr *) &address, address_size) != 0)
    load_give_up ("connect");
  return fd;
}

static char
line_byte (guint64 position, guint64 size)
{
  guint64 line = position / size;

  if (position % size == size - 1)
    return '\n';
  return (char) ('a' + (position + 3 * line) % 26);
}

void
load_pattern_fill (void)
{
  guint64 size = (guint64) load_options.size;
  gsize length;

  period = load_options.lines ? N_LINES * size : PERIOD;
  length = LOAD_MAX_SIZE + period;
  pattern = g_malloc (length);
  for (gsize i = 0; i < length; i++)
    pattern[i] = load_options.lines ? line_byte (i % period, size)
                                    : (char) (i % PERIOD);
}

/* The bytes of a stream from a position on, LOAD_MAX_SIZE of them. */
const char *
load_pattern_at (guint64 position)
{
  return pattern + position % period;
}
