/* srv-upper-handler.c - sends back what comes, in upper case
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-upper-handler.h"

#include "srv-ascii-private.h"

/**
 * SrvUpperHandler:
 *
 * Sends back what comes, with ASCII letters in upper case.
 *
 * All other bytes stay as they are, and as many go as came: the upper case of
 * text in general can be longer (`ß` is `SS`), and a chunk may end in the
 * middle of a character.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_threading_tcp_server_new ("::", 9999, SRV_TYPE_UPPER_HANDLER, &error);
 * ```
 *
 * You call: nothing. You may override: what
 * [class@SocketServerHandlers.EchoHandler] offers; chain up in `transform`.
 *
 * It is not meant for text in any other language than English.
 *
 * In Python:
 *
 * ```python
 * class UpperHandler(socketserver.BaseRequestHandler):
 *     def handle(self):
 *         while chunk := self.request.recv(1024):
 *             self.request.sendall(chunk.upper())
 * ```
 */
G_DEFINE_TYPE (SrvUpperHandler, srv_upper_handler, SRV_TYPE_ECHO_HANDLER)

static void
srv_upper_handler_transform (G_GNUC_UNUSED SrvEchoHandler *handler,
                             guint8 *chunk,
                             gsize length)
{
  srv_ascii_to_upper (chunk, length);
}

static void
srv_upper_handler_class_init (SrvUpperHandlerClass *klass)
{
  SRV_ECHO_HANDLER_CLASS (klass)->transform = srv_upper_handler_transform;
  srv_base_request_handler_class_set_reusable (
    SRV_BASE_REQUEST_HANDLER_CLASS (klass));
}

static void
srv_upper_handler_init (G_GNUC_UNUSED SrvUpperHandler *self)
{
}
