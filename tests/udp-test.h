/* udp-test.h - what the tests of datagrams share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

#include <arpa/inet.h>

#define LARGEST_UDP 65507

/* A plain server whose requests FUNCTION serves. */
static inline SrvBaseServer *
make_server (const char *endpoint, SrvHandlerFunc function)
{
  SrvBaseServer *server =
    srv_test_make (srv_test_server_type (SRV_TEST_UDP), endpoint, NULL);

  srv_base_server_set_handler_func (server, function, NULL, NULL);

  return server;
}

static inline SrvBaseServer *
make_recorder (SrvTestTransport transport)
{
  return srv_test_server_new (transport, SRV_TEST_INLINE);
}

static inline gboolean
give_back (SrvBaseRequestHandler *handler,
           G_GNUC_UNUSED gpointer user_data,
           GError **error)
{
  SrvDatagramRequestHandler *self = SRV_DATAGRAM_REQUEST_HANDLER (handler);
  GBytes *packet = srv_datagram_request_handler_get_packet (self);

  return srv_datagram_request_handler_write (self,
                                             g_bytes_get_data (packet, NULL),
                                             g_bytes_get_size (packet), error);
}

static inline int
connect_to (const char *host, guint16 port)
{
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string (host, port);
  struct sockaddr_storage native;
  gssize length = g_socket_address_get_native_size (address);
  int fd;

  g_socket_address_to_native (address, &native, sizeof native, NULL);
  fd = srv_test_socket (native.ss_family, SOCK_DGRAM);
  ck_assert_int_eq (connect (fd, (struct sockaddr *) &native,
                             (socklen_t) length),
                    0);

  return fd;
}

static inline void
fill (guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++)
    data[i] = (guint8) (i * 7 + i / 251);
}

/* Sends LENGTH bytes and expects the very same back. */
static inline void
exchange (int fd, gsize length)
{
  g_autofree guint8 *sent = g_malloc (length + 1);
  g_autofree guint8 *got = g_malloc (length + 16);

  fill (sent, length);
  srv_test_send (fd, sent, length);
  ck_assert_int_eq (srv_test_receive (fd, got, length + 16), (gssize) length);
  ck_assert_int_eq (memcmp (sent, got, length), 0);
}
