/* srv-account-revoke.c - sessions listed and ended
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"

typedef struct
{
  SrvAccountStore *self;
  const char *name;
  gint64 id;
  GPtrArray *list; /* borrowed */
} Call;

G_DEFINE_BOXED_TYPE (SrvSession,
                     srv_session,
                     srv_session_copy,
                     srv_session_free)

/**
 * srv_session_copy:
 * @self: a session
 *
 * Copies what is told of a session.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the copy
 */
SrvSession *
srv_session_copy (const SrvSession *self)
{
  SrvSession *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_new (SrvSession, 1);
  *copy = *self;
  copy->name = g_strdup (self->name);
  copy->address = g_strdup (self->address);
  return copy;
}

/**
 * srv_session_free:
 * @self: (transfer full): a session
 *
 * Frees what was told of a session.
 *
 * Threads: any.
 */
void
srv_session_free (SrvSession *self)
{
  g_free (self->name);
  g_free (self->address);
  g_free (self);
}

SrvSession *
srv_account_session_read (SrvStatement *statement)
{
  SrvSession *session = g_new0 (SrvSession, 1);

  session->id = srv_statement_get_int (statement, 0);
  session->name = g_strdup (srv_statement_get_text (statement, 1));
  session->address = g_strdup (srv_statement_get_text (statement, 2));
  session->created = srv_statement_get_int (statement, 3);
  session->last_used = srv_statement_get_int (statement, 4);
  session->expires = srv_statement_get_int (statement, 5);
  return session;
}

gboolean
srv_account_session_forget_ended (SrvAccountStore *self,
                                  SrvDatabase *database,
                                  GError **error)
{
  const gint64 now = srv_account_store_now (self);
  const gint64 idle = self->settings[SRV_ACCOUNT_SESSION_IDLE_TIME];

  return srv_database_execute (
    database, error,
    "DELETE FROM sessions WHERE expires <= ? OR last_used <= ?", "ii", now,
    now - idle);
}

static gboolean
select_sessions (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  g_autoptr (SrvStatement) statement = NULL;
  gint64 account;
  int found = -1;

  if (!srv_account_session_forget_ended (call->self, database, error) ||
      !srv_account_find (database, call->name, &account, error))
    return FALSE;
  statement = srv_database_query (database, error,
                                  SRV_ACCOUNT_SELECT_SESSIONS
                                  "WHERE account = ? ORDER BY sessions.id",
                                  "i", account);
  while (statement != NULL &&
         (found = srv_statement_step (statement, error)) == 1)
    g_ptr_array_add (call->list, srv_account_session_read (statement));
  return found == 0;
}

/**
 * srv_account_store_list_sessions:
 * @self: a store
 * @name: the name of an account
 * @error: return location for a [struct@GLib.Error]
 *
 * Gets the sessions of an account, oldest first.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full) (element-type SrvSession): the sessions, %NULL with
 *   @error set
 */
GPtrArray *
srv_account_store_list_sessions (SrvAccountStore *self,
                                 const char *name,
                                 GError **error)
{
  g_autoptr (GPtrArray) list =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_session_free);
  Call call = { .self = self, .name = name, .list = list };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!srv_database_run (self->database, select_sessions, &call, error))
    return NULL;
  return g_steal_pointer (&list);
}

static gboolean
delete_session (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  gint64 account;

  if (!srv_account_find (database, call->name, &account, error) ||
      !srv_database_execute (
        database, error, "DELETE FROM sessions WHERE id = ? AND account = ?",
        "ii", call->id, account))
    return FALSE;
  if (srv_database_get_n_changes (database) > 0)
    return TRUE;
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND,
                       "there is no such session");
  return FALSE;
}

/**
 * srv_account_store_revoke:
 * @self: a store
 * @name: the name of an account
 * @session: the number of one of its sessions
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends a session.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when its token is worth nothing, %FALSE with @error set
 *   otherwise
 */
gboolean
srv_account_store_revoke (SrvAccountStore *self,
                          const char *name,
                          gint64 session,
                          GError **error)
{
  Call call = { .self = self, .name = name, .id = session };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return srv_database_run (self->database, delete_session, &call, error);
}

static gboolean
delete_all (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  gint64 account;

  return srv_account_find (database, call->name, &account, error) &&
         srv_database_execute (database, error,
                               "DELETE FROM sessions WHERE account = ?", "i",
                               account);
}

/**
 * srv_account_store_revoke_all:
 * @self: a store
 * @name: the name of an account
 * @error: return location for a [struct@GLib.Error]
 *
 * Ends all sessions of an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_NOT_FOUND, and with codes of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when their tokens are worth nothing, %FALSE with @error set
 *   otherwise
 */
gboolean
srv_account_store_revoke_all (SrvAccountStore *self,
                              const char *name,
                              GError **error)
{
  Call call = { .self = self, .name = name };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return srv_database_run (self->database, delete_all, &call, error);
}
