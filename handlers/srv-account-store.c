/* srv-account-store.c - accounts, sessions and names in one file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"
#include "srv-chat-store.h"

/**
 * SrvAccountStore:
 *
 * Accounts with passwords, their sessions, messages for those who are away, and
 * the names of addresses, in one SQLite file that several services and the
 * program `chat-admin` can use at the same time.
 *
 * Passwords are hashed with Argon2id, as many at a time as
 * [property@SocketServerHandlers.AccountStore:max-hashes] allows. A wrong
 * password and a name that nobody has are one error after the same work. Who
 * fails often has to wait, by name and by address; for a name, that is also whom
 * it belongs to ([property@SocketServerHandlers.AccountStore:free-attempts]). A session is a token of 256
 * random bits, of which only a hash is stored; it ends when it is not used, and
 * at last anyhow.
 *
 * What a method has said to be done is on the disk. A file that is damaged, or
 * somebody else's, or of a newer version, is refused when the store is made.
 *
 * ```c
 * g_autoptr (SrvAccountStore) store =
 *   srv_account_store_new ("accounts.db", &error);
 * g_autofree char *token =
 *   srv_account_store_login (store, name, password, address, &error);
 * ```
 *
 * You call: [ctor@SocketServerHandlers.AccountStore.new], set limits, then
 * [method@SocketServerHandlers.AccountStore.serve] for each server; the handlers
 * find the store by their server. Handlers of your own call the rest, from
 * threads, fibers, and the children of a
 * [class@SocketServer.ForkingMixIn], if nobody has used the store before the
 * fork. The limits of hashing hold in each process.
 *
 * All names are compared without regard to case. Where a library was built
 * without SQLite or libsodium, no store can be made.
 *
 * It is not meant for the accounts of the system.
 *
 * In Python: `sqlite3` and `hashlib.scrypt()`, put together with care.
 */

G_DEFINE_FINAL_TYPE_WITH_CODE (
  SrvAccountStore,
  srv_account_store,
  G_TYPE_OBJECT,
  G_IMPLEMENT_INTERFACE (SRV_TYPE_CHAT_STORE,
                         srv_account_store_chat_iface_init))

static GQuark
store_of_server_quark (void)
{
  return g_quark_from_static_string ("srv-account-store-of-server");
}

static void
srv_account_store_finalize (GObject *object)
{
  SrvAccountStore *self = SRV_ACCOUNT_STORE (object);

  g_clear_pointer (&self->database, srv_database_free);
  srv_mutex_unref (self->hash_lock);
  srv_cond_unref (self->hash_ended);
  srv_mutex_unref (self->lease_lock);
  g_hash_table_unref (self->leases);
  G_OBJECT_CLASS (srv_account_store_parent_class)->finalize (object);
}

static void
srv_account_store_class_init (SrvAccountStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = srv_account_store_finalize;
  srv_account_settings_install (G_OBJECT_CLASS (klass));
}

static void
srv_account_store_init (SrvAccountStore *self)
{
  srv_account_settings_init (self);
  self->hash_lock = srv_mutex_new ();
  self->hash_ended = srv_cond_new ();
  self->lease_lock = srv_mutex_new ();
  self->leases =
    g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

/**
 * srv_account_store_new:
 * @path: the file, in the encoding of file names; it is made if there is none
 * @error: return location for a [struct@GLib.Error]
 *
 * Opens a store, checks the whole file, and brings it to the present version.
 *
 * Fails with %G_IO_ERROR_INVALID_DATA for a file that is damaged, not ours, or
 * of a newer version, with %G_IO_ERROR_NOT_SUPPORTED where the library was built
 * without SQLite or libsodium, and with other codes of %G_IO_ERROR.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the store, %NULL with @error set
 */
SrvAccountStore *
srv_account_store_new (const char *path, GError **error)
{
  g_autoptr (SrvAccountStore) self = NULL;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!srv_secret_init (error))
    return NULL;
  self = g_object_new (SRV_TYPE_ACCOUNT_STORE, NULL);
  self->database = srv_database_new (path, srv_account_migrations, error);
  return self->database != NULL ? g_steal_pointer (&self) : NULL;
}

/**
 * srv_account_store_serve:
 * @self: a store
 * @server: a server that does not serve yet
 *
 * Makes the store the one of the server, where its handlers find it.
 *
 * Threads: any.
 */
void
srv_account_store_serve (SrvAccountStore *self, SrvBaseServer *server)
{
  g_return_if_fail (SRV_IS_ACCOUNT_STORE (self));
  g_return_if_fail (SRV_IS_BASE_SERVER (server));

  g_object_set_qdata_full (G_OBJECT (server), store_of_server_quark (),
                           g_object_ref (self), g_object_unref);
}

/**
 * srv_account_store_for_server:
 * @server: a server
 *
 * Gets the store of a server.
 *
 * Threads: any.
 *
 * Returns: (transfer none) (nullable): the store, %NULL if there is none
 */
SrvAccountStore *
srv_account_store_for_server (SrvBaseServer *server)
{
  g_return_val_if_fail (SRV_IS_BASE_SERVER (server), NULL);

  return g_object_get_qdata (G_OBJECT (server), store_of_server_quark ());
}

void
srv_account_store_set_clock (SrvAccountStore *self,
                             SrvAccountClock clock,
                             gpointer data)
{
  self->clock = clock;
  self->clock_data = data;
}

gint64
srv_account_store_now (SrvAccountStore *self)
{
  return self->clock != NULL ? self->clock (self->clock_data)
                             : g_get_real_time () / G_USEC_PER_SEC;
}

gboolean
srv_account_find (SrvDatabase *database,
                  const char *name,
                  gint64 *id,
                  GError **error)
{
  g_autofree char *key = srv_chat_name_to_key (name);
  g_autoptr (SrvStatement) statement =
    srv_database_query (database, error,
                        "SELECT id FROM accounts WHERE key = ?", "s", key);
  int found = statement != NULL ? srv_statement_step (statement, error) : -1;

  if (found == 1)
    {
      *id = srv_statement_get_int (statement, 0);
      return TRUE;
    }
  if (found == 0)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND,
                         "there is no such account");
  return FALSE;
}
