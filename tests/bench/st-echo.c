/* st-echo.c - State Threads: a cooperative thread for each connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With poll, since Debian's package is built without epoll, and its default,
 * select, ends at 1,024 descriptors.
 */

#include "peer.h"

#include <st.h>
#include <stdint.h>

#define STACK_SIZE (64 * 1024)

static void *
serve (void *data)
{
  st_netfd_t connection = data;
  char chunk[PEER_CHUNK];
  ssize_t n;

  while ((n = st_read (connection, chunk, sizeof chunk, ST_UTIME_NO_TIMEOUT)) >
         0)
    {
      if (st_write (connection, chunk, (size_t) n, ST_UTIME_NO_TIMEOUT) != n)
        break;
    }
  st_netfd_close (connection);
  return NULL;
}

int
main (int argc, char **argv)
{
  const int on = 1;
  int fd = peer_listen (argc, argv, SOCK_STREAM);
  st_netfd_t listener;

  if (st_set_eventsys (ST_EVENTSYS_POLL) != 0 || st_init () != 0)
    return 1;
  listener = st_netfd_open_socket (fd);
  for (;;)
    {
      st_netfd_t connection =
        st_accept (listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);

      if (connection == NULL)
        return 1;
      setsockopt (st_netfd_fileno (connection), IPPROTO_TCP, TCP_NODELAY, &on,
                  sizeof on);
      if (st_thread_create (serve, connection, 0, STACK_SIZE) == NULL)
        return 1;
    }
}
