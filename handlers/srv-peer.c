/* srv-peer.c - who is at the other end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-peer-private.h"

#include <string.h>

#define IPV6_SIZE    16
#define NETWORK_SIZE 8
#define MAPPED_SIZE  12

static const guint8 mapped_prefix[MAPPED_SIZE] = {
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
};

/* An IPv4 client of a dual-stack socket is the same as one of any other. */
static GInetAddress *
unmap (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
      memcmp (bytes, mapped_prefix, MAPPED_SIZE) == 0)
    return g_inet_address_new_from_bytes (bytes + MAPPED_SIZE,
                                          G_SOCKET_FAMILY_IPV4);
  return g_object_ref (address);
}

/* Within its /64 a host takes what address it likes. */
static char *
network_of (GInetAddress *address)
{
  guint8 bytes[IPV6_SIZE] = { 0 };
  g_autoptr (GInetAddress) network = NULL;
  g_autofree char *string = NULL;

  memcpy (bytes, g_inet_address_to_bytes (address), NETWORK_SIZE);
  network = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV6);
  string = g_inet_address_to_string (network);
  return g_strconcat (string, "/64", NULL);
}

char *
srv_peer_dup_address_key (GSocketAddress *address)
{
  g_autoptr (GInetAddress) inet = NULL;

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return g_strdup ("unix");
  inet =
    unmap (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
  if (g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6 &&
      !g_inet_address_get_is_loopback (inet))
    return network_of (inet);
  return g_inet_address_to_string (inet);
}

char *
srv_peer_dup_key (SrvBaseRequestHandler *handler)
{
  GSocketAddress *address =
    srv_base_request_handler_get_client_address (handler);
  g_autoptr (GCredentials) credentials = NULL;

  if (G_IS_INET_SOCKET_ADDRESS (address))
    return srv_peer_dup_address_key (address);
  credentials =
    srv_request_get_credentials (srv_base_request_handler_get_request (handler),
                                 NULL);
  if (credentials == NULL)
    return g_strdup ("unix");
  return g_strdup_printf ("unix:%u",
                          (guint) g_credentials_get_unix_user (credentials,
                                                               NULL));
}

gboolean
srv_peer_is_private (SrvStreamRequestHandler *handler)
{
  GSocketAddress *address = srv_base_request_handler_get_client_address (
    SRV_BASE_REQUEST_HANDLER (handler));
  g_autoptr (GInetAddress) inet = NULL;

  if (!G_IS_INET_SOCKET_ADDRESS (address) ||
      G_IS_TLS_CONNECTION (srv_stream_request_handler_get_stream (handler)))
    return TRUE;
  inet =
    unmap (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
  return g_inet_address_get_is_loopback (inet);
}
