/* udp-echo.c - datagrams back, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

int
main (int argc, char **argv)
{
  int fd = peer_listen (argc, argv, SOCK_DGRAM);
  char packet[65536];

  for (;;)
    {
      struct sockaddr_storage from;
      socklen_t size = sizeof from;
      ssize_t n = recvfrom (fd, packet, sizeof packet, 0,
                            (struct sockaddr *) &from, &size);

      if (n < 0)
        return 1;
      sendto (fd, packet, (size_t) n, 0, (struct sockaddr *) &from, size);
    }
}
