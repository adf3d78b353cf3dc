/* srv-account-admin.c - accounts made, changed, listed and removed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"

/* What one call works with. */
typedef struct
{
  SrvAccountStore *self;
  const char *name; /* in normal form */
  const char *key;
  const char *hash;
  const char *address; /* who makes an account; NULL: it is the owner's doing */
  gboolean is_banned;
  GPtrArray *list;
} Call;

G_DEFINE_BOXED_TYPE (SrvAccount,
                     srv_account,
                     srv_account_copy,
                     srv_account_free)

/**
 * srv_account_copy:
 * @self: an account
 *
 * Copies what is told of an account.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the copy
 */
SrvAccount *
srv_account_copy (const SrvAccount *self)
{
  SrvAccount *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_new (SrvAccount, 1);
  *copy = *self;
  copy->name = g_strdup (self->name);
  return copy;
}

/**
 * srv_account_free:
 * @self: (transfer full): an account
 *
 * Frees what was told of an account.
 *
 * Threads: any.
 */
void
srv_account_free (SrvAccount *self)
{
  g_free (self->name);
  g_free (self);
}

/* Did the statement before find the account? */
static gboolean
check_found (SrvDatabase *database, GError **error)
{
  if (srv_database_get_n_changes (database) > 0)
    return TRUE;
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND,
                       "there is no such account");
  return FALSE;
}

static gboolean
check_room (Call *call, SrvDatabase *database, GError **error)
{
  g_autoptr (SrvStatement) statement = srv_database_query (
    database, error,
    "SELECT count(*), count(*) FILTER (WHERE key = ?) FROM accounts", "s",
    call->key);

  if (statement == NULL || srv_statement_step (statement, error) < 0)
    return FALSE;
  if (srv_statement_get_int (statement, 1) > 0)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_EXISTS,
                         "there is an account with this name");
  else if (srv_statement_get_int (statement, 0) >=
           call->self->settings[SRV_ACCOUNT_MAX_ACCOUNTS])
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL,
                         "there are too many accounts");
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_new (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return check_room (call, database, error) &&
         (call->address == NULL ||
          srv_account_registration_check (call->self, database, call->address,
                                          error));
}

static gboolean
insert (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return check_new (database, call, error) &&
         (call->address == NULL ||
          srv_account_registration_count (call->self, database, call->address,
                                          error)) &&
         srv_database_execute (database, error,
                               "INSERT INTO accounts (key, name, hash, created)"
                               " VALUES (?, ?, ?, ?)",
                               "sssi", call->key, call->name, call->hash,
                               srv_account_store_now (call->self));
}

static gboolean
make_account (SrvAccountStore *self,
              const char *name,
              const char *password,
              const char *address,
              GError **error)
{
  g_autofree char *normal = srv_account_name_normalize (name, error);
  g_autofree char *key = NULL;
  g_autofree char *hash = NULL;
  Call call = { .self = self, .name = normal, .address = address };

  if (normal == NULL)
    return FALSE;
  call.key = key = srv_chat_name_to_key (normal);
  /* No work for a name that is taken, or for who has made too many. */
  if (!srv_database_run (self->database, check_new, &call, error))
    return FALSE;
  call.hash = hash = srv_account_hash (self, password, error);
  return hash != NULL &&
         srv_database_run (self->database, insert, &call, error);
}

/**
 * srv_account_store_add:
 * @self: a store
 * @name: the name, UTF-8, 1 to 25 characters: letters and digits of any script,
 *   spaces within, and `_`, `-`, `.`, `@`; not `all` and not `server`
 * @password: the password, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes an account. It counts for nobody; for what clients ask there is
 * [method@SocketServerHandlers.AccountStore.register].
 *
 * Fails with %SRV_ACCOUNT_ERROR_BAD_NAME, %SRV_ACCOUNT_ERROR_BAD_PASSWORD,
 * %SRV_ACCOUNT_ERROR_EXISTS, %SRV_ACCOUNT_ERROR_FULL, %SRV_ACCOUNT_ERROR_BUSY,
 * and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the account is stored, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_add (SrvAccountStore *self,
                       const char *name,
                       const char *password,
                       GError **error)
{
  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL && password != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return make_account (self, name, password, NULL, error);
}

/**
 * srv_account_store_register:
 * @self: a store
 * @name: the name, as for [method@SocketServerHandlers.AccountStore.add]
 * @password: the password, UTF-8
 * @address: (nullable): from where, as text that is the same for all who shall
 *   be counted together
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes an account for a client. How many clients can make in a time is
 * limited, in all and for each address.
 *
 * Fails as [method@SocketServerHandlers.AccountStore.add] does, and with
 * %SRV_ACCOUNT_ERROR_TOO_SOON.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the account is stored, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_register (SrvAccountStore *self,
                            const char *name,
                            const char *password,
                            const char *address,
                            GError **error)
{
  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL && password != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return make_account (self, name, password, address != NULL ? address : "",
                       error);
}

static gboolean
delete_account (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return srv_database_execute (database, error,
                               "DELETE FROM accounts WHERE key = ?", "s",
                               call->key) &&
         check_found (database, error);
}

/**
 * srv_account_store_remove:
 * @self: a store
 * @name: the name of an account
 * @error: return location for a [struct@GLib.Error]
 *
 * Removes an account with its sessions, its contacts and the messages that wait
 * for it; it is nobody's contact any longer.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the account is gone, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_remove (SrvAccountStore *self,
                          const char *name,
                          GError **error)
{
  g_autofree char *key = NULL;
  Call call = { .self = self };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  call.key = key = srv_chat_name_to_key (name);
  return srv_database_run (self->database, delete_account, &call, error);
}

static gboolean
delete_sessions (SrvDatabase *database, const char *key, GError **error)
{
  return srv_database_execute (database, error,
                               "DELETE FROM sessions WHERE account ="
                               " (SELECT id FROM accounts WHERE key = ?)",
                               "s", key);
}

static gboolean
update_hash (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return srv_database_execute (database, error,
                               "UPDATE accounts SET hash = ? WHERE key = ?",
                               "ss", call->hash, call->key) &&
         check_found (database, error) &&
         delete_sessions (database, call->key, error);
}

/**
 * srv_account_store_set_password:
 * @self: a store
 * @name: the name of an account
 * @password: the new password, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Sets a password without asking for the old one, and ends all sessions.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, %SRV_ACCOUNT_ERROR_BAD_PASSWORD,
 * %SRV_ACCOUNT_ERROR_BUSY, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the password is stored, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_set_password (SrvAccountStore *self,
                                const char *name,
                                const char *password,
                                GError **error)
{
  g_autofree char *key = NULL;
  g_autofree char *hash = NULL;
  Call call = { .self = self };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL && password != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  call.key = key = srv_chat_name_to_key (name);
  call.hash = hash = srv_account_hash (self, password, error);
  return hash != NULL &&
         srv_database_run (self->database, update_hash, &call, error);
}

static gboolean
update_ban (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return srv_database_execute (database, error,
                               "UPDATE accounts SET banned = ? WHERE key = ?",
                               "is", (gint64) call->is_banned, call->key) &&
         check_found (database, error) &&
         (!call->is_banned || delete_sessions (database, call->key, error));
}

/**
 * srv_account_store_set_banned:
 * @self: a store
 * @name: the name of an account
 * @is_banned: whether it may not log in
 * @error: return location for a [struct@GLib.Error]
 *
 * Bans an account, which ends all its sessions, or lets it in again.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when this is stored, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_set_banned (SrvAccountStore *self,
                              const char *name,
                              gboolean is_banned,
                              GError **error)
{
  g_autofree char *key = NULL;
  Call call = { .self = self, .is_banned = is_banned };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  call.key = key = srv_chat_name_to_key (name);
  return srv_database_run (self->database, update_ban, &call, error);
}

static gboolean
forget_attempts (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  gint64 account;

  return srv_account_find (database, call->name, &account, error) &&
         srv_account_attempt_forget (database, call->key, error);
}

/**
 * srv_account_store_forgive:
 * @self: a store
 * @name: the name of an account
 * @error: return location for a [struct@GLib.Error]
 *
 * Forgets the failed attempts at a name: whoever has it can log in at once,
 * though others have guessed. Those of addresses stay.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when this is stored, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_forgive (SrvAccountStore *self,
                           const char *name,
                           GError **error)
{
  g_autofree char *key = NULL;
  Call call = { .self = self, .name = name };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  call.key = key = srv_chat_name_to_key (name);
  return srv_database_run (self->database, forget_attempts, &call, error);
}

static gboolean
select_accounts (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  const gint64 now = srv_account_store_now (call->self);
  const gint64 idle = call->self->settings[SRV_ACCOUNT_SESSION_IDLE_TIME];
  g_autoptr (SrvStatement) statement = srv_database_query (
    database, error,
    "SELECT name, created, last_login, banned,"
    " (SELECT count(*) FROM sessions WHERE account = accounts.id"
    "  AND expires > ? AND last_used > ?) FROM accounts ORDER BY key",
    "ii", now, now - idle);
  int found = -1;

  while (statement != NULL &&
         (found = srv_statement_step (statement, error)) == 1)
    {
      SrvAccount *account = g_new0 (SrvAccount, 1);

      account->name = g_strdup (srv_statement_get_text (statement, 0));
      account->created = srv_statement_get_int (statement, 1);
      account->last_login = srv_statement_get_int (statement, 2);
      account->is_banned = srv_statement_get_int (statement, 3) != 0;
      account->n_sessions = (guint) srv_statement_get_int (statement, 4);
      g_ptr_array_add (call->list, account);
    }
  return found == 0;
}

/**
 * srv_account_store_list:
 * @self: a store
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets all accounts, by name.
 *
 * Fails with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (element-type SrvAccount): the accounts, %NULL with
 *   @error set
 */
GPtrArray *
srv_account_store_list (SrvAccountStore *self, GError **error)
{
  g_autoptr (GPtrArray) list =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_account_free);
  Call call = { .self = self, .list = list };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!srv_database_run (self->database, select_accounts, &call, error))
    return NULL;
  return g_steal_pointer (&list);
}
