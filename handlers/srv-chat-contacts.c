/* srv-chat-contacts.c - who is in whose list, and who there is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-chat-store-private.h"

static void
set_unsupported (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       "this store has no contacts");
}

static gboolean
real_change (G_GNUC_UNUSED SrvChatStore *self,
             G_GNUC_UNUSED const char *owner,
             G_GNUC_UNUSED const char *contact,
             GError **error)
{
  set_unsupported (error);
  return FALSE;
}

static char **
real_list_contacts (G_GNUC_UNUSED SrvChatStore *self,
                    G_GNUC_UNUSED const char *owner,
                    G_GNUC_UNUSED guint max_names,
                    GError **error)
{
  set_unsupported (error);
  return NULL;
}

static char **
real_list_accounts (G_GNUC_UNUSED SrvChatStore *self,
                    G_GNUC_UNUSED guint max_names,
                    GError **error)
{
  set_unsupported (error);
  return NULL;
}

void
srv_chat_store_init_contacts (SrvChatStoreInterface *iface)
{
  iface->add_contact = real_change;
  iface->remove_contact = real_change;
  iface->list_contacts = real_list_contacts;
  iface->list_accounts = real_list_accounts;
}

/**
 * SrvChatStoreInterface::add_contact:
 * @self: a store
 * @owner: the name of an account, UTF-8
 * @contact: the name of another, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Adds somebody to the contacts of an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND when one of them has no account, with
 * %SRV_ACCOUNT_ERROR_EXISTS when it is a contact, with %SRV_ACCOUNT_ERROR_FULL
 * when there are too many, and with codes of %G_IO_ERROR.
 *
 * The default fails with %G_IO_ERROR_NOT_SUPPORTED.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when this is kept, %FALSE with @error set otherwise
 */

/**
 * srv_chat_store_add_contact:
 * @self: a store
 * @owner: the name of an account, UTF-8
 * @contact: the name of another, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Adds somebody to the contacts of an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND when one of them has no account, with
 * %SRV_ACCOUNT_ERROR_EXISTS when it is a contact, with %SRV_ACCOUNT_ERROR_FULL
 * when there are too many, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when this is kept, %FALSE with @error set otherwise
 */
gboolean
srv_chat_store_add_contact (SrvChatStore *self,
                            const char *owner,
                            const char *contact,
                            GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), FALSE);
  g_return_val_if_fail (owner != NULL && contact != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return SRV_CHAT_STORE_GET_IFACE (self)->add_contact (self, owner, contact,
                                                       error);
}

/**
 * SrvChatStoreInterface::remove_contact:
 * @self: a store
 * @owner: the name of an account, UTF-8
 * @contact: the name of another, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes somebody from the contacts of an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND when one of them has no account or it
 * is no contact, and with codes of %G_IO_ERROR.
 *
 * The default fails with %G_IO_ERROR_NOT_SUPPORTED.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when this is kept, %FALSE with @error set otherwise
 */

/**
 * srv_chat_store_remove_contact:
 * @self: a store
 * @owner: the name of an account, UTF-8
 * @contact: the name of another, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Takes somebody from the contacts of an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND when one of them has no account or it
 * is no contact, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when this is kept, %FALSE with @error set otherwise
 */
gboolean
srv_chat_store_remove_contact (SrvChatStore *self,
                               const char *owner,
                               const char *contact,
                               GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), FALSE);
  g_return_val_if_fail (owner != NULL && contact != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return SRV_CHAT_STORE_GET_IFACE (self)->remove_contact (self, owner, contact,
                                                          error);
}

/**
 * SrvChatStoreInterface::list_contacts:
 * @self: a store
 * @owner: the name of an account, UTF-8
 * @max_names: how many at most
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets the contacts of an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * The default fails with %G_IO_ERROR_NOT_SUPPORTED.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (array zero-terminated=1): their names, in the order
 *   of the alphabet, %NULL with @error set
 */

/**
 * srv_chat_store_list_contacts:
 * @self: a store
 * @owner: the name of an account, UTF-8
 * @max_names: how many at most
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets the contacts of an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (array zero-terminated=1): their names, in the order
 *   of the alphabet, %NULL with @error set
 */
char **
srv_chat_store_list_contacts (SrvChatStore *self,
                              const char *owner,
                              guint max_names,
                              GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), NULL);
  g_return_val_if_fail (owner != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return SRV_CHAT_STORE_GET_IFACE (self)->list_contacts (self, owner, max_names,
                                                         error);
}

/**
 * SrvChatStoreInterface::list_accounts:
 * @self: a store
 * @max_names: how many at most
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets who has an account and is not banned.
 *
 * Fails with codes of %G_IO_ERROR.
 *
 * The default fails with %G_IO_ERROR_NOT_SUPPORTED.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, in the order of
 *   the alphabet, %NULL with @error set
 */

/**
 * srv_chat_store_list_accounts:
 * @self: a store
 * @max_names: how many at most
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets who has an account and is not banned.
 *
 * Fails with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (array zero-terminated=1): the names, in the order of
 *   the alphabet, %NULL with @error set
 */
char **
srv_chat_store_list_accounts (SrvChatStore *self,
                              guint max_names,
                              GError **error)
{
  g_return_val_if_fail (SRV_IS_CHAT_STORE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return SRV_CHAT_STORE_GET_IFACE (self)->list_accounts (self, max_names,
                                                         error);
}
