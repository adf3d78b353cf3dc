/* srv-datagram-upper-handler.c - sends back each datagram, in upper case
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram-upper-handler.h"

#include "srv-ascii-private.h"

/**
 * SrvDatagramUpperHandler:
 *
 * Sends each datagram back with ASCII letters in upper case. All other bytes,
 * and the length, stay as they are.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_udp_server_new ("::", 9999, SRV_TYPE_DATAGRAM_UPPER_HANDLER, &error);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServerHandlers.DatagramEchoHandler] offers; chain up in
 * `transform`. What that class is not meant for holds here too.
 *
 * In Python:
 *
 * ```python
 * class DatagramUpperHandler(socketserver.DatagramRequestHandler):
 *     def handle(self):
 *         self.wfile.write(self.packet.upper())
 * ```
 */
G_DEFINE_TYPE (SrvDatagramUpperHandler,
               srv_datagram_upper_handler,
               SRV_TYPE_DATAGRAM_ECHO_HANDLER)

static void
srv_datagram_upper_handler_transform (
  G_GNUC_UNUSED SrvDatagramEchoHandler *handler,
  guint8 *packet,
  gsize length)
{
  srv_ascii_to_upper (packet, length);
}

static void
srv_datagram_upper_handler_class_init (SrvDatagramUpperHandlerClass *klass)
{
  SRV_DATAGRAM_ECHO_HANDLER_CLASS (klass)->transform =
    srv_datagram_upper_handler_transform;
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));
}

static void
srv_datagram_upper_handler_init (G_GNUC_UNUSED SrvDatagramUpperHandler *self)
{
}
