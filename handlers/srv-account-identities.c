/* srv-account-identities.c - names of addresses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Addresses are personal data: they are forgotten some time after their last
 * visit.
 */

#include "config.h"

#include "srv-account-store-private.h"

typedef struct
{
  SrvAccountStore *self;
  const char *address;
  const char *name;
  char *found; /* owned until it is given away */
} Call;

static gboolean
forget_old (Call *call, SrvDatabase *database, GError **error)
{
  const gint64 now = srv_account_store_now (call->self);

  return srv_database_execute (database, error,
                               "DELETE FROM identities WHERE seen <= ?", "i",
                               now -
                                 call->self
                                   ->settings[SRV_ACCOUNT_IDENTITY_LIFETIME]);
}

static gboolean
look_up (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  g_autoptr (SrvStatement) statement = NULL;
  int found = -1;

  if (forget_old (call, database, error))
    statement =
      srv_database_query (database, error,
                          "SELECT name FROM identities WHERE address = ?", "s",
                          call->address);
  if (statement != NULL)
    found = srv_statement_step (statement, error);
  if (found != 1)
    return found == 0;
  call->found = g_strdup (srv_statement_get_text (statement, 0));
  return srv_database_execute (
    database, error, "UPDATE identities SET seen = ? WHERE address = ?", "is",
    srv_account_store_now (call->self), call->address);
}

static gboolean
check_room (Call *call, SrvDatabase *database, GError **error)
{
  g_autoptr (SrvStatement) statement =
    srv_database_query (database, error,
                        "SELECT count(*) FROM identities WHERE address <> ?",
                        "s", call->address);

  if (statement == NULL || srv_statement_step (statement, error) < 0)
    return FALSE;
  if (srv_statement_get_int (statement, 0) <
      call->self->settings[SRV_ACCOUNT_MAX_IDENTITIES])
    return TRUE;
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL,
                       "too many addresses have a name");
  return FALSE;
}

static gboolean
store (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return forget_old (call, database, error) &&
         check_room (call, database, error) &&
         srv_database_execute (database, error,
                               "INSERT OR REPLACE INTO identities"
                               " (address, name, seen) VALUES (?, ?, ?)",
                               "ssi", call->address, call->name,
                               srv_account_store_now (call->self));
}

static gboolean
forget (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return srv_database_execute (database, error,
                               "DELETE FROM identities WHERE address = ?", "s",
                               call->address);
}

/**
 * srv_account_store_identify:
 * @self: a store
 * @address: an address, as text that is the same at each visit
 * @error: return location for a [struct@GLib.Error]
 *
 * Looks up the name of an address, which counts as a visit.
 *
 * Fails with codes of %G_IO_ERROR. That there is no name is no failure.
 *
 * Threads: any; waits, in a fiber without holding up its worker.
 *
 * Returns: (transfer full) (nullable): the name; %NULL if there is none, or with
 *   @error set
 */
char *
srv_account_store_identify (SrvAccountStore *self,
                            const char *address,
                            GError **error)
{
  Call call = { .self = self, .address = address };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (address != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (srv_database_run (self->database, look_up, &call, error))
    return call.found;
  g_free (call.found);
  return NULL;
}

/**
 * srv_account_store_name_address:
 * @self: a store
 * @address: an address, as text
 * @name: the name, UTF-8, as for [method@SocketServerHandlers.AccountStore.add]
 * @error: return location for a [struct@GLib.Error]
 *
 * Gives an address a name, instead of the one that it may have.
 *
 * Fails with %SRV_ACCOUNT_ERROR_BAD_NAME, %SRV_ACCOUNT_ERROR_FULL, and with
 * codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the name as it is stored, %NULL with @error set
 */
char *
srv_account_store_name_address (SrvAccountStore *self,
                                const char *address,
                                const char *name,
                                GError **error)
{
  g_autofree char *normal = NULL;
  Call call = { .self = self, .address = address };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (address != NULL && name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  call.name = normal = srv_account_name_normalize (name, error);
  if (normal == NULL || !srv_database_run (self->database, store, &call, error))
    return NULL;
  return g_steal_pointer (&normal);
}

/**
 * srv_account_store_forget_address:
 * @self: a store
 * @address: an address, as text
 * @error: return location for a [struct@GLib.Error]
 *
 * Forgets the name of an address, if it has one.
 *
 * Fails with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when there is none any more, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_forget_address (SrvAccountStore *self,
                                  const char *address,
                                  GError **error)
{
  Call call = { .self = self, .address = address };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (address != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return srv_database_run (self->database, forget, &call, error);
}
