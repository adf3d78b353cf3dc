/* pthread-echo.c - a thread for each connection, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>

#define STACK_SIZE (64 * 1024)

static void *
run (void *fd)
{
  peer_echo ((int) (intptr_t) fd);
  return NULL;
}

int
main (int argc, char **argv)
{
  int listener = peer_listen (argc, argv, SOCK_STREAM);
  pthread_attr_t attributes;
  pthread_t thread;

  pthread_attr_init (&attributes);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize (&attributes, STACK_SIZE);
  for (;;)
    {
      int fd = peer_accept (listener);

      if (fd < 0 || pthread_create (&thread, &attributes, run,
                                    (void *) (intptr_t) fd) != 0)
        return 1;
    }
}
