/* srv-chat-handler.c - one client of a chat, of whatever protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-handler.h"

#include "srv-chat-handler-private.h"
#include "srv-peer-private.h"

#include <glib/gprintf.h>

/**
 * SrvChatHandler:
 *
 * One client of a chat: a handler that is a member of a
 * [class@SocketServerHandlers.ChatHub]. Protocols are its subclasses;
 * [class@SocketServerHandlers.LineChatHandler] is a short one to begin with.
 *
 * Everything that a client is sent is posted, what it asked for and what others
 * say alike, so that all of it comes in order and nobody waits for a client
 * that does not read: when more than
 * [property@SocketServerHandlers.ChatHandler:max-queued-bytes] wait for it, it
 * is cut.
 *
 * You may override: `converse`, which talks to the client until it goes;
 * `render`, which writes an event as the protocol has it; `refuse`, which tells
 * a client that there is no room for it. A service sets the properties in a
 * [callback@SocketServer.HandlerFactory], or in the `init` of a subclass. It
 * needs a mix-in that serves several clients at once, in one process.
 */
static void srv_chat_handler_member_init (SrvChatMemberInterface *iface);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (
  SrvChatHandler,
  srv_chat_handler,
  SRV_TYPE_STREAM_REQUEST_HANDLER,
  G_ADD_PRIVATE (SrvChatHandler)
    G_IMPLEMENT_INTERFACE (SRV_TYPE_CHAT_MEMBER, srv_chat_handler_member_init))

SrvChatHandlerPrivate *
srv_chat_handler_get_private (SrvChatHandler *self)
{
  return srv_chat_handler_get_instance_private (self);
}

static void
srv_chat_handler_deliver (SrvChatMember *member, SrvChatEvent *event)
{
  SrvChatHandler *self = SRV_CHAT_HANDLER (member);
  g_autoptr (GBytes) bytes =
    SRV_CHAT_HANDLER_GET_CLASS (self)->render (self, event);

  if (bytes != NULL)
    srv_chat_handler_post (self, bytes);
}

static void
srv_chat_handler_member_init (SrvChatMemberInterface *iface)
{
  iface->deliver = srv_chat_handler_deliver;
  iface->fetch = srv_chat_handler_fetch;
}

static gboolean
srv_chat_handler_setup (SrvBaseRequestHandler *handler, GError **error)
{
  SrvChatHandlerPrivate *priv =
    srv_chat_handler_get_private (SRV_CHAT_HANDLER (handler));
  SrvConnection *connection;

  if (!SRV_BASE_REQUEST_HANDLER_CLASS (srv_chat_handler_parent_class)
         ->setup (handler, error))
    return FALSE;
  connection = srv_stream_request_handler_get_connection (
    SRV_STREAM_REQUEST_HANDLER (handler));
  srv_connection_set_post_limit (connection, priv->max_queued_bytes);
  srv_connection_set_post_gap (connection, priv->post_gap_ms);
  priv->connection = g_object_ref (connection);
  priv->timeout_ms = srv_connection_get_timeout (connection);
  srv_chat_budget_init (&priv->messages, priv->messages_per_second,
                        priv->message_burst);
  srv_chat_budget_init (&priv->bytes, priv->bytes_per_second, priv->byte_burst);
  if (priv->hub == NULL)
    priv->hub = g_object_ref (
      srv_chat_hub_for_server (srv_base_request_handler_get_server (handler)));
  return TRUE;
}

/* Where the client comes from, without its port; NULL for a Unix socket. */
static char *
address_of (SrvConnection *connection)
{
  GSocketAddress *address =
    srv_request_get_client_address (SRV_REQUEST (connection));

  return G_IS_INET_SOCKET_ADDRESS (address) ? srv_peer_dup_address_key (address)
                                            : NULL;
}

static gboolean
srv_chat_handler_handle (SrvBaseRequestHandler *handler, GError **error)
{
  SrvChatHandler *self = SRV_CHAT_HANDLER (handler);
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);
  SrvChatHandlerClass *klass = SRV_CHAT_HANDLER_GET_CLASS (self);
  SrvReader *rfile =
    srv_stream_request_handler_get_rfile (SRV_STREAM_REQUEST_HANDLER (self));
  g_autofree char *address = address_of (priv->connection);
  g_autoptr (GError) reason = NULL;
  gboolean ok;

  /* Everything is posted: with TLS over the connection, nothing would come. */
  if (!srv_connection_check_posts (priv->connection, error))
    return FALSE;
  if (!srv_chat_hub_admit (priv->hub, address, &reason))
    {
      klass->refuse (self, reason);
      return TRUE;
    }
  srv_reader_set_deadline (rfile,
                           g_get_monotonic_time () +
                             (gint64) priv->unidentified_timeout_ms * 1000);
  ok = klass->converse (self, error);
  srv_chat_hub_exit (priv->hub, SRV_CHAT_MEMBER (self));
  srv_chat_hub_dismiss (priv->hub, address);
  return ok;
}

static void
srv_chat_handler_real_refuse (SrvChatHandler *self, const GError *reason)
{
  srv_chat_handler_say (self, "%s\n", reason->message);
}

static void
srv_chat_handler_finalize (GObject *object)
{
  SrvChatHandlerPrivate *priv =
    srv_chat_handler_get_private (SRV_CHAT_HANDLER (object));

  g_clear_object (&priv->hub);
  g_clear_object (&priv->store);
  g_clear_object (&priv->wake);
  g_clear_object (&priv->connection);
  g_free (priv->default_room);
  G_OBJECT_CLASS (srv_chat_handler_parent_class)->finalize (object);
}

static void
srv_chat_handler_class_init (SrvChatHandlerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  object_class->finalize = srv_chat_handler_finalize;
  handler_class->setup = srv_chat_handler_setup;
  handler_class->handle = srv_chat_handler_handle;
  klass->refuse = srv_chat_handler_real_refuse;

  /**
   * SrvChatHandlerClass::converse:
   * @self: the handler
   * @error: return location for a [struct@GLib.Error]
   *
   * Talks to the client until it goes. Required; there is no need to chain up.
   *
   * Threads: the one that runs the handler.
   *
   * Returns: %TRUE when the client has gone in order, %FALSE with @error set
   */
  /**
   * SrvChatHandlerClass::refuse:
   * @self: the handler
   * @reason: a code of %SRV_CHAT_ERROR
   *
   * Tells a client that there is no room for it. The default sends the message
   * of @reason as a line.
   *
   * Threads: the one that runs the handler.
   */
  /**
   * SrvChatHandlerClass::render:
   * @self: the handler
   * @event: something that happened
   *
   * Writes an event as the client shall get it;
   * [method@SocketServerHandlers.ChatEvent.render] keeps that for all who get
   * the same. Required.
   *
   * Threads: any. It must not wait and not call the hub.
   *
   * Returns: (transfer full) (nullable): the bytes, %NULL if this client is not
   *   told
   */
  srv_chat_handler_install_properties (object_class);
}

static void
srv_chat_handler_init (SrvChatHandler *self)
{
  srv_stream_request_handler_set_end_on_drain (SRV_STREAM_REQUEST_HANDLER (
                                                 self),
                                               TRUE);
}

/**
 * srv_chat_handler_get_hub:
 * @self: a handler
 *
 * Gets the hub that the client joins.
 *
 * Threads: the one that runs the handler, from `setup` on.
 *
 * Returns: (transfer none): the hub that the client joins
 */
SrvChatHub *
srv_chat_handler_get_hub (SrvChatHandler *self)
{
  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), NULL);
  return srv_chat_handler_get_private (self)->hub;
}

/**
 * srv_chat_handler_get_store:
 * @self: a handler
 *
 * Gets what the chat keeps.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: (nullable) (transfer none): the store, %NULL if nothing is kept
 */
SrvChatStore *
srv_chat_handler_get_store (SrvChatHandler *self)
{
  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), NULL);
  return srv_chat_handler_get_private (self)->store;
}

/**
 * srv_chat_handler_get_default_room:
 * @self: a handler
 *
 * Gets the room that whoever gets a name joins.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: (nullable): the room that whoever gets a name joins
 */
const char *
srv_chat_handler_get_default_room (SrvChatHandler *self)
{
  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), NULL);
  return srv_chat_handler_get_private (self)->default_room;
}

/**
 * srv_chat_handler_enter:
 * @self: a handler
 * @name: UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Gives the client a name, and with the first one joins the default room and
 * ends the time limit for those without a name.
 *
 * Fails as [method@SocketServerHandlers.ChatHub.enter] does, and as
 * [method@SocketServerHandlers.ChatHub.join].
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE if the client has the name now, %FALSE with @error set
 */
gboolean
srv_chat_handler_enter (SrvChatHandler *self, const char *name, GError **error)
{
  SrvChatMember *member = SRV_CHAT_MEMBER (self);
  SrvChatHandlerPrivate *priv;
  g_autofree char *before = NULL;

  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), FALSE);

  priv = srv_chat_handler_get_private (self);
  before = srv_chat_hub_dup_name (priv->hub, member);
  if (!srv_chat_hub_enter (priv->hub, member, name, error))
    return FALSE;
  if (before != NULL)
    return TRUE;
  if (priv->default_room != NULL &&
      !srv_chat_hub_join (priv->hub, member, priv->default_room, NULL, error))
    {
      srv_chat_hub_exit (priv->hub, member);
      return FALSE;
    }
  srv_reader_set_deadline (srv_stream_request_handler_get_rfile (
                             SRV_STREAM_REQUEST_HANDLER (self)),
                           -1);
  return TRUE;
}

/**
 * srv_chat_handler_take:
 * @self: a handler
 * @n_bytes: how many bytes have come
 * @n_messages: how many messages they were
 * @error: return location for a [struct@GLib.Error]
 *
 * Counts what a client has sent.
 *
 * Fails with %SRV_CHAT_ERROR_TOO_FAST when it is more than the properties
 * allow.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE if it may, %FALSE with @error set
 */
gboolean
srv_chat_handler_take (SrvChatHandler *self,
                       gsize n_bytes,
                       guint n_messages,
                       GError **error)
{
  gint64 now = g_get_monotonic_time ();
  SrvChatHandlerPrivate *priv;

  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), FALSE);

  priv = srv_chat_handler_get_private (self);
  if (srv_chat_budget_take (&priv->bytes, n_bytes, now) &&
      srv_chat_budget_take (&priv->messages, n_messages, now))
    return TRUE;
  g_set_error_literal (error, SRV_CHAT_ERROR, SRV_CHAT_ERROR_TOO_FAST,
                       "too fast");
  return FALSE;
}

/**
 * srv_chat_handler_set_deadline:
 * @self: a handler
 * @deadline: a monotonic time; -1 for the time limit that the connection had
 * @error: return location for a [struct@GLib.Error]
 *
 * Bounds the next read from the client, which fails with
 * %G_IO_ERROR_TIMED_OUT.
 *
 * Threads: the one that runs the handler.
 *
 * Returns: %TRUE, or %FALSE with @error set
 */
gboolean
srv_chat_handler_set_deadline (SrvChatHandler *self,
                               gint64 deadline,
                               GError **error)
{
  SrvChatHandlerPrivate *priv;
  gint64 left_ms;

  g_return_val_if_fail (SRV_IS_CHAT_HANDLER (self), FALSE);

  priv = srv_chat_handler_get_private (self);
  if (deadline < 0)
    return srv_connection_set_timeout (priv->connection, priv->timeout_ms,
                                       error);
  left_ms = (deadline - g_get_monotonic_time () + 999) / 1000;
  return srv_connection_set_timeout (priv->connection,
                                     (int) CLAMP (left_ms, 1, G_MAXINT), error);
}

/**
 * srv_chat_handler_post:
 * @self: a handler
 * @bytes: what the client is sent
 *
 * Sends something to the client without waiting. That it cannot be sent is
 * found out by the thread that reads from the client.
 *
 * Threads: any.
 */
void
srv_chat_handler_post (SrvChatHandler *self, GBytes *bytes)
{
  g_return_if_fail (SRV_IS_CHAT_HANDLER (self));

  srv_connection_post (srv_chat_handler_get_private (self)->connection, bytes,
                       NULL);
}

/**
 * srv_chat_handler_say: (skip)
 * @self: a handler
 * @format: a format as for `printf()`
 * @...: what the format asks for
 *
 * Sends text to the client without waiting.
 *
 * Threads: any.
 */
void
srv_chat_handler_say (SrvChatHandler *self, const char *format, ...)
{
  g_autoptr (GBytes) bytes = NULL;
  va_list args;
  char *text;
  int length;

  va_start (args, format);
  length = g_vasprintf (&text, format, args);
  va_end (args);
  bytes = g_bytes_new_take (text, (gsize) MAX (length, 0));
  srv_chat_handler_post (self, bytes);
}
