/* srv-chat-handler-settings.c - the properties of chat handlers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-handler.h"

#include "srv-chat-handler-private.h"

typedef enum
{
  PROP_HUB = 1,
  PROP_STORE,
  PROP_DEFAULT_ROOM,
  PROP_HISTORY,
  PROP_MAX_QUEUED_BYTES,
  PROP_POST_GAP,
  PROP_MESSAGES_PER_SECOND,
  PROP_MESSAGE_BURST,
  PROP_BYTES_PER_SECOND,
  PROP_BYTE_BURST,
  PROP_UNIDENTIFIED_TIMEOUT,
  PROP_DELIVERY_TIMEOUT,
} SrvChatHandlerProperty;

static GParamSpec *properties[PROP_DELIVERY_TIMEOUT + 1];

static guint *
number_of (SrvChatHandler *self, guint id)
{
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);

  switch ((SrvChatHandlerProperty) id)
    {
    case PROP_HISTORY:
      return &priv->n_history;
    case PROP_MAX_QUEUED_BYTES:
      return &priv->max_queued_bytes;
    case PROP_POST_GAP:
      return &priv->post_gap_ms;
    case PROP_MESSAGES_PER_SECOND:
      return &priv->messages_per_second;
    case PROP_MESSAGE_BURST:
      return &priv->message_burst;
    case PROP_BYTES_PER_SECOND:
      return &priv->bytes_per_second;
    case PROP_BYTE_BURST:
      return &priv->byte_burst;
    case PROP_UNIDENTIFIED_TIMEOUT:
      return &priv->unidentified_timeout_ms;
    case PROP_DELIVERY_TIMEOUT:
      return &priv->delivery_timeout_ms;
    case PROP_HUB:
    case PROP_STORE:
    case PROP_DEFAULT_ROOM:
    default:
      return NULL;
    }
}

static void
srv_chat_handler_get_property (GObject *object,
                               guint id,
                               GValue *value,
                               GParamSpec *pspec)
{
  SrvChatHandler *self = SRV_CHAT_HANDLER (object);

  if (id == PROP_HUB)
    g_value_set_object (value, srv_chat_handler_get_private (self)->hub);
  else if (id == PROP_STORE)
    g_value_set_object (value, srv_chat_handler_get_private (self)->store);
  else if (id == PROP_DEFAULT_ROOM)
    g_value_set_string (value,
                        srv_chat_handler_get_private (self)->default_room);
  else if (number_of (self, id) != NULL)
    g_value_set_uint (value, *number_of (self, id));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
srv_chat_handler_set_property (GObject *object,
                               guint id,
                               const GValue *value,
                               GParamSpec *pspec)
{
  SrvChatHandler *self = SRV_CHAT_HANDLER (object);
  SrvChatHandlerPrivate *priv = srv_chat_handler_get_private (self);

  if (id == PROP_HUB)
    g_set_object (&priv->hub, g_value_get_object (value));
  else if (id == PROP_STORE)
    g_set_object (&priv->store, g_value_get_object (value));
  else if (id == PROP_DEFAULT_ROOM)
    {
      g_free (priv->default_room);
      priv->default_room = g_value_dup_string (value);
    }
  else if (number_of (self, id) != NULL)
    *number_of (self, id) = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static GParamSpec *
limit_spec (const char *name, guint minimum, guint standard)
{
  return g_param_spec_uint (name, NULL, NULL, minimum, G_MAXINT, standard,
                            G_PARAM_READWRITE | G_PARAM_CONSTRUCT |
                              G_PARAM_STATIC_STRINGS);
}

void
srv_chat_handler_install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = srv_chat_handler_get_property;
  object_class->set_property = srv_chat_handler_set_property;

  /**
   * SrvChatHandler:hub:
   *
   * The hub that the client joins; %NULL for that of the server.
   */
  properties[PROP_HUB] =
    g_param_spec_object ("hub", NULL, NULL, SRV_TYPE_CHAT_HUB, flags);
  /**
   * SrvChatHandler:store:
   *
   * Knows who is registered, and keeps messages; %NULL for none.
   */
  properties[PROP_STORE] =
    g_param_spec_object ("store", NULL, NULL, SRV_TYPE_CHAT_STORE, flags);
  /**
   * SrvChatHandler:default-room:
   *
   * The room that whoever gets a name joins, with its `#`; %NULL for none.
   */
  properties[PROP_DEFAULT_ROOM] =
    g_param_spec_string ("default-room", NULL, NULL, NULL, flags);
  /**
   * SrvChatHandler:history:
   *
   * How many of the last messages of a room are shown to who joins it, when
   * there is a store; 0 for none. Fewer when they would fill its queue
   * ([property@SocketServerHandlers.ChatHandler:max-queued-bytes]).
   */
  properties[PROP_HISTORY] = limit_spec ("history", 0, 20);
  /**
   * SrvChatHandler:max-queued-bytes:
   *
   * How much may wait for a client that does not read, in bytes; over it the
   * client is cut.
   */
  properties[PROP_MAX_QUEUED_BYTES] =
    limit_spec ("max-queued-bytes", 1, 256 * 1024);
  /**
   * SrvChatHandler:post-gap:
   *
   * Least time between two things that the client is sent, in milliseconds; 0
   * by default, 5 in a [class@SocketServerHandlers.JimHandler].
   */
  properties[PROP_POST_GAP] =
    g_param_spec_uint ("post-gap", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * SrvChatHandler:messages-per-second:
   *
   * How many messages a client may send in the long run; 0 for any number.
   */
  properties[PROP_MESSAGES_PER_SECOND] =
    limit_spec ("messages-per-second", 0, 50);
  /**
   * SrvChatHandler:message-burst:
   *
   * How many messages a client may send at once after it has been quiet.
   */
  properties[PROP_MESSAGE_BURST] = limit_spec ("message-burst", 1, 200);
  /**
   * SrvChatHandler:bytes-per-second:
   *
   * How many bytes a client may send in the long run; 0 for any number.
   */
  properties[PROP_BYTES_PER_SECOND] =
    limit_spec ("bytes-per-second", 0, 64 * 1024);
  /**
   * SrvChatHandler:byte-burst:
   *
   * How many bytes a client may send at once after it has been quiet.
   */
  properties[PROP_BYTE_BURST] = limit_spec ("byte-burst", 1, 512 * 1024);
  /**
   * SrvChatHandler:unidentified-timeout:
   *
   * How long a client may be there without a name, in milliseconds, however
   * much it sends. It bounds what `converse` reads by `rfile`; who reads from
   * the connection itself has to give each read what is left, by
   * [method@SocketServerHandlers.ChatHandler.set_deadline].
   */
  properties[PROP_UNIDENTIFIED_TIMEOUT] =
    limit_spec ("unidentified-timeout", 1, 60 * 1000);
  /**
   * SrvChatHandler:delivery-timeout:
   *
   * How long a client may take to accept one of the messages that the store
   * kept for it, in milliseconds; then its connection ends, and the message
   * waits as before.
   */
  properties[PROP_DELIVERY_TIMEOUT] =
    limit_spec ("delivery-timeout", 1, 60 * 1000);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}
