/* prefork-echo.c - eight processes, each blocking in accept4, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define N_PROCESSES 8

int
main (int argc, char **argv)
{
  int listener = peer_listen (argc, argv, SOCK_STREAM);

  for (int i = 0; i < N_PROCESSES; i++)
    {
      pid_t pid = fork ();

      if (pid < 0)
        return 1;
      if (pid > 0)
        continue;
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        {
          int fd = peer_accept (listener);

          if (fd < 0)
            _exit (1);
          peer_echo (fd);
        }
    }
  while (wait (NULL) > 0)
    ;
  return 1;
}
