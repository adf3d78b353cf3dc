/* srv-command-peer.c - who may use the shell
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-command-policy-private.h"

#include <string.h>
#include <unistd.h>

/* A dual-stack socket shows IPv4 clients as mapped addresses, of which GIO
 * does not say that they are loopback. */
static gboolean
is_mapped_loopback (GInetAddress *address)
{
  static const guint8 prefix[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
         memcmp (g_inet_address_to_bytes (address), prefix, sizeof prefix) == 0;
}

static gboolean
is_loopback (GSocketAddress *address)
{
  GInetAddress *inet;

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return FALSE;
  inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
  return g_inet_address_get_is_loopback (inet) || is_mapped_loopback (inet);
}

static gboolean
is_listed (guint uid, GArray *uids)
{
  if (uid == geteuid ())
    return TRUE;
  for (guint i = 0; i < uids->len; i++)
    if (g_array_index (uids, guint, i) == uid)
      return TRUE;
  return FALSE;
}

/* Both ends on loopback, or a Unix socket whose other end is of our own user or
 * of one in @uids. What cannot be found out is not trusted. */
gboolean
srv_command_policy_is_trusted (SrvRequest *request, GArray *uids)
{
  GSocketAddress *client = srv_request_get_client_address (request);
  GSocketAddress *local = srv_request_get_local_address (request);
  g_autoptr (GCredentials) credentials = NULL;
  uid_t uid;

  if (is_loopback (client) && is_loopback (local))
    return TRUE;
  if (local == NULL ||
      g_socket_address_get_family (local) != G_SOCKET_FAMILY_UNIX)
    return FALSE;
  credentials = srv_request_get_credentials (request, NULL);
  if (credentials == NULL)
    return FALSE;
  uid = g_credentials_get_unix_user (credentials, NULL);
  return uid != (uid_t) -1 && is_listed (uid, uids);
}
