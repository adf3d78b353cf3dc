/* peer.h - how the hand-written servers begin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * They are what the library is measured against: as little code as the job
 * needs, no error handling beyond the necessary.
 */

#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 () */
#endif

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEER_CHUNK 16384

/* A socket on a free port of 127.0.0.1, or on the Unix path that was given;
 * says where, in the words of the library's samples. */
static inline int
peer_listen (int argc, char **argv, int type)
{
  struct sockaddr_in inet = { .sin_family = AF_INET };
  struct sockaddr_un path = { .sun_family = AF_UNIX };
  socklen_t size = sizeof inet;
  int fd;

  if (argc > 1)
    {
      fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);
      strncpy (path.sun_path, argv[1], sizeof path.sun_path - 1);
      if (bind (fd, (struct sockaddr *) &path, sizeof path) != 0)
        exit (1);
      printf ("listening on unix:%s\n", argv[1]);
    }
  else
    {
      fd = socket (AF_INET, type | SOCK_CLOEXEC, 0);
      inet.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
      if (bind (fd, (struct sockaddr *) &inet, sizeof inet) != 0 ||
          getsockname (fd, (struct sockaddr *) &inet, &size) != 0)
        exit (1);
      printf ("listening on %s:127.0.0.1:%d\n",
              type == SOCK_STREAM ? "tcp" : "udp", ntohs (inet.sin_port));
    }
  if (type == SOCK_STREAM && listen (fd, 4096) != 0)
    exit (1);
  fflush (stdout);
  return fd;
}

/* A service without Nagle's algorithm, as the library's is. */
static inline int
peer_accept (int listener)
{
  const int on = 1;
  int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);

  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* Everything back, until the end; closes. */
static inline void
peer_echo (int fd)
{
  char chunk[PEER_CHUNK];
  ssize_t n;

  while ((n = recv (fd, chunk, sizeof chunk, 0)) > 0)
    {
      for (ssize_t sent = 0, m = 0; sent < n; sent += m)
        {
          m = send (fd, chunk + sent, (size_t) (n - sent), MSG_NOSIGNAL);
          if (m < 0)
            {
              close (fd);
              return;
            }
        }
    }
  close (fd);
}
