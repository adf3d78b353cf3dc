/* srv-chat-store.c - what a chat keeps: accounts, contacts, messages
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-store.h"

#include "srv-chat-store-private.h"

/**
 * SrvChatStore:
 *
 * Where a chat has its accounts and their contacts, the messages for those who
 * are away, and the history of its rooms. [class@SocketServerHandlers.AccountStore] keeps them in
 * a file, [class@SocketServerHandlers.MemoryChatStore] for as long as the
 * process runs.
 *
 * What a method has said to be kept is kept, whatever happens to the process
 * then. A message for somebody who is away is taken, delivered, and only then
 * acknowledged: it is not lost, and not delivered again after that.
 *
 * You may override: all methods; who leaves out those of contacts has none. They can be called by any thread at any time,
 * and a fiber that has called one must not hold up its worker while it waits.
 */

G_DEFINE_INTERFACE (SrvChatStore, srv_chat_store, G_TYPE_OBJECT)

static void
srv_chat_store_default_init (SrvChatStoreInterface *iface)
{
  srv_chat_store_init_contacts (iface);
}

/**
 * SrvChatStoreInterface::find_account:
 * @self: a store
 * @name: the name of a person, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks whether somebody has an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, %SRV_ACCOUNT_ERROR_BANNED, and with
 * codes of %G_IO_ERROR.
 *
 * There is no default.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the name as the account has it, %NULL with @error
 *   set
 */

/**
 * srv_chat_store_find_account:
 * @self: a store
 * @name: the name of a person, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks whether somebody has an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, %SRV_ACCOUNT_ERROR_BANNED, and with
 * codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the name as the account has it, %NULL with @error
 *   set
 */
char *
srv_chat_store_find_account (SrvChatStore *self,
                             const char *name,
                             GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return SRV_CHAT_STORE_GET_IFACE (self)->find_account (self, name, error);
}

/**
 * SrvChatStoreInterface::check_password:
 * @self: a store
 * @name: the name that was given, UTF-8
 * @password: the password that was given, UTF-8
 * @address: (nullable): from where, as text that is the same for all attempts
 *   that shall be counted together
 * @error: return location for a [struct@GLib.Error]
 *
 * Checks a password. That nobody has the name takes as long, and is the same
 * error, as that the password is wrong.
 *
 * Fails with %SRV_ACCOUNT_ERROR_REFUSED, %SRV_ACCOUNT_ERROR_BANNED,
 * %SRV_ACCOUNT_ERROR_TOO_SOON, %SRV_ACCOUNT_ERROR_BUSY, and with codes of
 * %G_IO_ERROR.
 *
 * There is no default.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the name as the account has it, %NULL with @error
 *   set
 */

/**
 * srv_chat_store_check_password:
 * @self: a store
 * @name: the name that was given, UTF-8
 * @password: the password that was given, UTF-8
 * @address: (nullable): from where, as text that is the same for all attempts
 *   that shall be counted together
 * @error: return location for a [struct@GLib.Error]
 *
 * Checks a password. That nobody has the name takes as long, and is the same
 * error, as that the password is wrong.
 *
 * Fails with %SRV_ACCOUNT_ERROR_REFUSED, %SRV_ACCOUNT_ERROR_BANNED,
 * %SRV_ACCOUNT_ERROR_TOO_SOON, %SRV_ACCOUNT_ERROR_BUSY, and with codes of
 * %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the name as the account has it, %NULL with @error
 *   set
 */
char *
srv_chat_store_check_password (SrvChatStore *self,
                               const char *name,
                               const char *password,
                               const char *address,
                               GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), NULL);
  g_return_val_if_fail (name != NULL && password != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return SRV_CHAT_STORE_GET_IFACE (self)->check_password (self, name, password,
                                                          address, error);
}

/**
 * SrvChatStoreInterface::save_offline:
 * @self: a store
 * @record: the message; its `to` is a person with an account
 * @error: return location for a [struct@GLib.Error]
 *
 * Keeps a message for somebody who is away.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, %SRV_ACCOUNT_ERROR_BANNED, with
 * %SRV_ACCOUNT_ERROR_FULL when too many messages wait for this person, and with
 * codes of %G_IO_ERROR.
 *
 * There is no default.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the message is kept, %FALSE with @error set otherwise
 */

/**
 * srv_chat_store_save_offline:
 * @self: a store
 * @record: the message; its `to` is a person with an account
 * @error: return location for a [struct@GLib.Error]
 *
 * Keeps a message for somebody who is away.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, %SRV_ACCOUNT_ERROR_BANNED, with
 * %SRV_ACCOUNT_ERROR_FULL when too many messages wait for this person, and with
 * codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the message is kept, %FALSE with @error set otherwise
 */
gboolean
srv_chat_store_save_offline (SrvChatStore *self,
                             const SrvChatRecord *record,
                             GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), FALSE);
  g_return_val_if_fail (record != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return SRV_CHAT_STORE_GET_IFACE (self)->save_offline (self, record, error);
}

/**
 * SrvChatStoreInterface::take_offline:
 * @self: a store
 * @name: the name of a person, UTF-8
 * @max_records: how many at most, at least 1
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes the oldest messages that wait for somebody, to deliver them. Nobody
 * else gets them meanwhile. Each is then to be acknowledged or given back;
 * what is neither when the process ends will be taken once more.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * There is no default.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (element-type SrvChatRecord): the messages, oldest
 *   first, %NULL with @error set
 */

/**
 * srv_chat_store_take_offline:
 * @self: a store
 * @name: the name of a person, UTF-8
 * @max_records: how many at most, at least 1
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes the oldest messages that wait for somebody, to deliver them. Nobody
 * else gets them meanwhile. Each is then to be acknowledged or given back;
 * what is neither when the process ends will be taken once more.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (element-type SrvChatRecord): the messages, oldest
 *   first, %NULL with @error set
 */
GPtrArray *
srv_chat_store_take_offline (SrvChatStore *self,
                             const char *name,
                             guint max_records,
                             GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return SRV_CHAT_STORE_GET_IFACE (self)->take_offline (self, name, max_records,
                                                        error);
}

/**
 * SrvChatStoreInterface::acknowledge:
 * @self: a store
 * @id: the number of a message that was taken
 * @error: return location for a [struct@GLib.Error]
 *
 * Tells that a message was delivered; it is not kept any longer.
 *
 * Fails with codes of %G_IO_ERROR; the message will then be taken once more.
 *
 * There is no default.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the message is gone, %FALSE with @error set otherwise
 */

/**
 * srv_chat_store_acknowledge:
 * @self: a store
 * @id: the number of a message that was taken
 * @error: return location for a [struct@GLib.Error]
 *
 * Tells that a message was delivered; it is not kept any longer.
 *
 * Fails with codes of %G_IO_ERROR; the message will then be taken once more.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the message is gone, %FALSE with @error set otherwise
 */
gboolean
srv_chat_store_acknowledge (SrvChatStore *self, gint64 id, GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), FALSE);
  g_return_val_if_fail (id > 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return SRV_CHAT_STORE_GET_IFACE (self)->acknowledge (self, id, error);
}

/**
 * SrvChatStoreInterface::give_back:
 * @self: a store
 * @id: the number of a message that was taken
 *
 * Tells that a message was not delivered; it waits as before.
 *
 * There is no default.
 *
 * Threads: any.
 */

/**
 * srv_chat_store_give_back:
 * @self: a store
 * @id: the number of a message that was taken
 *
 * Tells that a message was not delivered; it waits as before.
 *
 * Threads: any.
 */
void
srv_chat_store_give_back (SrvChatStore *self, gint64 id)
{
  g_return_if_fail (SRV_IS_CHAT_STORE (self));
  g_return_if_fail (id > 0);

  SRV_CHAT_STORE_GET_IFACE (self)->give_back (self, id);
}

/**
 * SrvChatStoreInterface::save_history:
 * @self: a store
 * @record: the message; its `to` is a room
 * @error: return location for a [struct@GLib.Error]
 *
 * Adds a message to the history of a room, which loses its oldest when it has
 * too many.
 *
 * Fails with codes of %G_IO_ERROR.
 *
 * There is no default.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the message is kept, %FALSE with @error set otherwise
 */

/**
 * srv_chat_store_save_history:
 * @self: a store
 * @record: the message; its `to` is a room
 * @error: return location for a [struct@GLib.Error]
 *
 * Adds a message to the history of a room, which loses its oldest when it has
 * too many.
 *
 * Fails with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the message is kept, %FALSE with @error set otherwise
 */
gboolean
srv_chat_store_save_history (SrvChatStore *self,
                             const SrvChatRecord *record,
                             GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), FALSE);
  g_return_val_if_fail (record != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return SRV_CHAT_STORE_GET_IFACE (self)->save_history (self, record, error);
}

/**
 * SrvChatStoreInterface::get_history:
 * @self: a store
 * @room: the name of a room, UTF-8
 * @max_records: how many at most
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets the latest messages of a room.
 *
 * Fails with codes of %G_IO_ERROR. That a room has no history is no failure.
 *
 * There is no default.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (element-type SrvChatRecord): the messages, oldest
 *   first, %NULL with @error set
 */

/**
 * srv_chat_store_get_history:
 * @self: a store
 * @room: the name of a room, UTF-8
 * @max_records: how many at most
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets the latest messages of a room.
 *
 * Fails with codes of %G_IO_ERROR. That a room has no history is no failure.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (element-type SrvChatRecord): the messages, oldest
 *   first, %NULL with @error set
 */
GPtrArray *
srv_chat_store_get_history (SrvChatStore *self,
                            const char *room,
                            guint max_records,
                            GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), NULL);
  g_return_val_if_fail (room != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return SRV_CHAT_STORE_GET_IFACE (self)->get_history (self, room, max_records,
                                                       error);
}
