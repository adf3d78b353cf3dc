/* iterative-echo.c - one connection after the other, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

int
main (int argc, char **argv)
{
  int listener = peer_listen (argc, argv, SOCK_STREAM);

  for (;;)
    {
      int fd = peer_accept (listener);

      if (fd < 0)
        return 1;
      peer_echo (fd);
    }
}
