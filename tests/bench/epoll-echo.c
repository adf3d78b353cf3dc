/* epoll-echo.c - one thread, level-triggered epoll, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What most goals are measured by. A connection is only its descriptor: what
 * was received is sent at once; should the kernel not take it all, this server
 * waits for that client alone, which an echo's clients do not let happen.
 */

#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#define N_EVENTS 256

static int
send_all (int fd, const char *data, size_t length)
{
  while (length > 0)
    {
      struct pollfd writable = { .fd = fd, .events = POLLOUT };
      ssize_t n = send (fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);

      if (n < 0 && errno == EAGAIN)
        poll (&writable, 1, -1);
      else if (n < 0)
        return -1;
      else
        {
          data += n;
          length -= (size_t) n;
        }
    }
  return 0;
}

static void
echo (int fd)
{
  static char chunk[PEER_CHUNK];
  ssize_t n = recv (fd, chunk, sizeof chunk, MSG_DONTWAIT);

  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0 || send_all (fd, chunk, (size_t) n) != 0)
    close (fd);
}

int
main (int argc, char **argv)
{
  int listener = peer_listen (argc, argv, SOCK_STREAM);
  int epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
  struct epoll_event events[N_EVENTS];

  epoll_ctl (epoll_fd, EPOLL_CTL_ADD, listener, &event);
  for (;;)
    {
      int n = epoll_wait (epoll_fd, events, N_EVENTS, -1);

      for (int i = 0; i < n; i++)
        {
          if (events[i].data.fd != listener)
            {
              echo (events[i].data.fd);
              continue;
            }
          event.data.fd = peer_accept (listener);
          if (event.data.fd < 0 ||
              epoll_ctl (epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) != 0)
            return 1;
        }
    }
}
