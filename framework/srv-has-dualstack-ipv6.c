/* srv-has-dualstack-ipv6.c - can one socket serve IPv6 and IPv4?
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-has-dualstack-ipv6.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static gboolean
probe (void)
{
  const int only = 0;
  int fd = socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean ok;

  if (fd < 0)
    return FALSE;
  ok = setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0;
  close (fd);
  return ok;
}

/**
 * srv_has_dualstack_ipv6:
 *
 * Asks whether a socket that listens on `::` can also be reached over IPv4. The
 * system is asked with a real socket, once in the life of the process.
 *
 * Servers need not ask: where IPv6 is missing, they listen on IPv4.
 *
 * Threads: any. In Python: `socket.has_dualstack_ipv6()`.
 *
 * Returns: %TRUE if it can
 */
gboolean
srv_has_dualstack_ipv6 (void)
{
  static gsize answer = 0; /* 1: no, 2: yes */

  if (g_once_init_enter (&answer))
    g_once_init_leave (&answer, probe () ? 2 : 1);
  return answer == 2;
}
