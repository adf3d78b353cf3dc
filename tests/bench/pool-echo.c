/* pool-echo.c - eight threads, each blocking in accept4, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

#include <pthread.h>
#include <stdint.h>

#define N_THREADS 8

static void *
serve (void *listener)
{
  for (;;)
    {
      int fd = peer_accept ((int) (intptr_t) listener);

      if (fd < 0)
        exit (1);
      peer_echo (fd);
    }
  return NULL;
}

int
main (int argc, char **argv)
{
  int listener = peer_listen (argc, argv, SOCK_STREAM);
  pthread_t thread;

  for (int i = 1; i < N_THREADS; i++)
    {
      if (pthread_create (&thread, NULL, serve, (void *) (intptr_t) listener) !=
          0)
        return 1;
    }
  serve ((void *) (intptr_t) listener);
}
