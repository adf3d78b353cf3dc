/* srv-datagram-echo-handler.c - sends back each datagram
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-datagram-echo-handler.h"

#include "srv-event-log.h"

/**
 * SrvDatagramEchoHandler:
 *
 * Sends each datagram back to where it came from, empty ones too. It serves
 * UDP and Unix datagram sockets.
 *
 * A sender that cannot be answered, such as a Unix socket without a name, gets
 * no answer, and that is no error. Where an
 * [class@SocketServerHandlers.EventLog] watches the server, the handler reports
 * `received` and `sent`; otherwise it is silent.
 *
 * ```c
 * g_autoptr (SrvBaseServer) server =
 *   srv_udp_server_new ("::", 9999, SRV_TYPE_DATAGRAM_ECHO_HANDLER, &error);
 * ```
 *
 * You call: nothing. You may override:
 * [vfunc@SocketServerHandlers.DatagramEchoHandler.transform].
 *
 * It is not meant for open networks: the sender of a UDP datagram can be
 * forged, and two echo services can be set to answer each other.
 *
 * In Python:
 *
 * ```python
 * class DatagramEchoHandler(socketserver.DatagramRequestHandler):
 *     def handle(self):
 *         self.wfile.write(self.packet)
 * ```
 */
G_DEFINE_TYPE (SrvDatagramEchoHandler,
               srv_datagram_echo_handler,
               SRV_TYPE_DATAGRAM_REQUEST_HANDLER)

/* The packet may be held by others, so what is changed is a copy. */
static gboolean
reply (SrvDatagramEchoHandler *self,
       SrvDatagram *datagram,
       const guint8 *packet,
       gsize length,
       GError **error)
{
  SrvDatagramEchoHandlerClass *klass =
    SRV_DATAGRAM_ECHO_HANDLER_GET_CLASS (self);
  g_autofree guint8 *changed = NULL;

  if (klass->transform != NULL && length > 0)
    {
      packet = changed = g_memdup2 (packet, length);
      klass->transform (self, changed, length);
    }
  return srv_datagram_reply (datagram, packet, length, error);
}

/* The datagram is answered directly, not through the writer of the parent:
 * that sends nothing when nothing was written, and an empty datagram shall come
 * back too. */
static gboolean
srv_datagram_echo_handler_handle (SrvBaseRequestHandler *handler,
                                  GError **error)
{
  SrvDatagramEchoHandler *self = SRV_DATAGRAM_ECHO_HANDLER (handler);
  SrvDatagram *datagram = srv_datagram_request_handler_get_datagram (
    SRV_DATAGRAM_REQUEST_HANDLER (handler));
  SrvEventLog *log =
    srv_event_log_for_server (srv_base_request_handler_get_server (handler));
  gsize length = 0;
  const guint8 *packet = srv_datagram_get_data (datagram, &length);

  srv_event_log_received (log, handler, packet, length);
  if (!srv_datagram_can_reply (datagram))
    return TRUE;
  if (!reply (self, datagram, packet, length, error))
    return FALSE;
  srv_event_log_sent (log, handler, length);
  return TRUE;
}

static void
srv_datagram_echo_handler_class_init (SrvDatagramEchoHandlerClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->handle = srv_datagram_echo_handler_handle;
  srv_base_request_handler_class_set_reusable (handler_class);

  /**
   * SrvDatagramEchoHandlerClass::transform:
   * @self: the handler
   * @packet: (array length=length) (element-type guint8): the bytes, changed in
   *   place
   * @length: how many bytes; at least 1
   *
   * Changes a datagram before it is sent back. The default is none: it goes
   * back as it came. There is no need to chain up.
   *
   * Threads: the one that runs the handler.
   */
}

static void
srv_datagram_echo_handler_init (G_GNUC_UNUSED SrvDatagramEchoHandler *self)
{
}
