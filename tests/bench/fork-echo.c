/* fork-echo.c - a process for each connection, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Children are waited for, so that their processor time is counted.
 */

#include "peer.h"

#include <sys/wait.h>

int
main (int argc, char **argv)
{
  int listener = peer_listen (argc, argv, SOCK_STREAM);

  for (;;)
    {
      int fd = peer_accept (listener);

      if (fd < 0)
        return 1;
      switch (fork ())
        {
        case -1:
          return 1;
        case 0:
          close (listener);
          peer_echo (fd);
          _exit (0);
        default:
          close (fd);
        }
      while (waitpid (-1, NULL, WNOHANG) > 0)
        ;
    }
}
