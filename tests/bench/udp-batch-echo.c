/* udp-batch-echo.c - datagrams back, 32 in a system call, by hand
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peer.h"

#define BATCH 32

int
main (int argc, char **argv)
{
  static char packets[BATCH][65536];
  int fd = peer_listen (argc, argv, SOCK_DGRAM);
  struct sockaddr_storage peers[BATCH];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH] = { 0 };

  for (int i = 0; i < BATCH; i++)
    {
      parts[i].iov_base = packets[i];
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &peers[i];
    }
  for (;;)
    {
      int n;

      for (int i = 0; i < BATCH; i++)
        {
          parts[i].iov_len = sizeof packets[i];
          messages[i].msg_hdr.msg_namelen = sizeof peers[i];
        }
      n = recvmmsg (fd, messages, BATCH, MSG_WAITFORONE, NULL);
      if (n < 0)
        return 1;
      for (int i = 0; i < n; i++)
        parts[i].iov_len = messages[i].msg_len;
      for (int sent = 0, m = 0; sent < n; sent += m)
        {
          m = sendmmsg (fd, messages + sent, (unsigned) (n - sent), 0);
          if (m < 0)
            m = 1; /* one that could not be sent */
        }
    }
}
