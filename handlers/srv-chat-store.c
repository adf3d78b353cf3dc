/* srv-chat-store.c - what a chat keeps
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-store.h"

/**
 * SrvChatStore:
 *
 * What a chat keeps: who is registered, messages for those who are not there,
 * and what was said in rooms. Handlers ask it; the hub does not know it.
 *
 * All methods may wait, and are called in the threads that run handlers, several
 * at a time.
 */
G_DEFINE_INTERFACE (SrvChatStore, srv_chat_store, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (SrvChatAccount,
                    srv_chat_account,
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_ACCOUNT_UNKNOWN, "unknown"),
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_ACCOUNT_WRONG, "wrong"),
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_ACCOUNT_RIGHT, "right"),
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_ACCOUNT_BANNED, "banned"),
                    G_DEFINE_ENUM_VALUE (SRV_CHAT_ACCOUNT_FAILED, "failed"))

static void
srv_chat_store_default_init (G_GNUC_UNUSED SrvChatStoreInterface *iface)
{
}

/**
 * srv_chat_store_check_password: (virtual check_password)
 * @self: a store
 * @name: whose account
 * @password: (nullable): the password; %NULL only asks whether there is an
 *   account, which the answer %SRV_CHAT_ACCOUNT_WRONG says
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks an account up. A wrong password and a name that is not registered shall
 * take the same time.
 *
 * Returns: what is known; %SRV_CHAT_ACCOUNT_FAILED with @error set
 */
SrvChatAccount
srv_chat_store_check_password (SrvChatStore *self,
                               const char *name,
                               const char *password,
                               GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), SRV_CHAT_ACCOUNT_FAILED);
  return SRV_CHAT_STORE_GET_IFACE (self)->check_password (self, name, password,
                                                          error);
}

/**
 * srv_chat_store_save_offline: (virtual save_offline)
 * @self: a store
 * @event: a message to somebody who is registered and not there
 * @error: return location for a [struct@GLib.Error]
 *
 * Keeps a message until its addressee comes. When this returns it is safe.
 *
 * Returns: %TRUE if it is kept, %FALSE with @error set otherwise
 */
gboolean
srv_chat_store_save_offline (SrvChatStore *self,
                             SrvChatEvent *event,
                             GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), FALSE);
  return SRV_CHAT_STORE_GET_IFACE (self)->save_offline (self, event, error);
}

/**
 * srv_chat_store_take_offline: (virtual take_offline)
 * @self: a store
 * @name: who has come
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes out what was kept for somebody, the oldest first.
 *
 * Returns: (transfer full) (element-type SrvChatEvent): the messages, or %NULL
 *   with @error set
 */
GPtrArray *
srv_chat_store_take_offline (SrvChatStore *self,
                             const char *name,
                             GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), NULL);
  return SRV_CHAT_STORE_GET_IFACE (self)->take_offline (self, name, error);
}

/**
 * srv_chat_store_save_history: (virtual save_history)
 * @self: a store
 * @event: a message that was said in a room
 * @error: return location for a [struct@GLib.Error]
 *
 * Keeps what was said in a room.
 *
 * Returns: %TRUE if it is kept, %FALSE with @error set otherwise
 */
gboolean
srv_chat_store_save_history (SrvChatStore *self,
                             SrvChatEvent *event,
                             GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), FALSE);
  return SRV_CHAT_STORE_GET_IFACE (self)->save_history (self, event, error);
}
