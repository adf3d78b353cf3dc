/* srv-account-sessions.c - tokens instead of passwords
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A session is a row; without its row a token is worth nothing. A token itself
 * is nowhere in the file.
 */

#include "config.h"

#include "srv-account-store-private.h"

/* Using a token writes to the file, but not each time: how old what is written
 * may be, as a part of the time that it is about. */
#define USE_PARTS 20

typedef struct
{
  SrvAccountStore *self;
  const char *address; /* borrowed */
  const char *key;     /* the same */
  guint8 token[SRV_SECRET_TOKEN_HASH_SIZE];
  gboolean rotates;
  gint64 id;

  SrvSession *session; /* owned until it is given away */
  char *new_token;     /* the same */
  GPtrArray *list;     /* borrowed */
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

static gboolean
refuse (GError **error)
{
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BAD_SESSION,
                       "there is no such session");
  return FALSE;
}

static gboolean
forget_ended (SrvAccountStore *self, SrvDatabase *database, GError **error)
{
  const gint64 now = srv_account_store_now (self);
  const gint64 idle = self->settings[SRV_ACCOUNT_SESSION_IDLE_TIME];

  return srv_database_execute (
    database, error,
    "DELETE FROM sessions WHERE expires <= ? OR last_used <= ?", "ii", now,
    now - idle);
}

gboolean
srv_account_session_open (SrvAccountStore *self,
                          SrvDatabase *database,
                          gint64 account,
                          const char *address,
                          char **token,
                          GError **error)
{
  const gint64 now = srv_account_store_now (self);
  const gint64 max = self->settings[SRV_ACCOUNT_MAX_SESSIONS];
  g_autofree char *made = srv_secret_new_token ();
  guint8 hash[SRV_SECRET_TOKEN_HASH_SIZE];

  srv_secret_hash_token (made, hash);
  if (!forget_ended (self, database, error) ||
      !srv_database_execute (
        database, error,
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions"
        " WHERE account = ? ORDER BY last_used DESC, id DESC"
        " LIMIT -1 OFFSET ?)",
        "ii", account, max - 1) ||
      !srv_database_execute (
        database, error,
        "INSERT INTO sessions"
        " (account, token, address, created, last_used, expires)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        "ibsiii", account, hash, sizeof hash, address, now, now,
        now + self->settings[SRV_ACCOUNT_SESSION_LIFETIME]))
    return FALSE;
  *token = g_steal_pointer (&made);
  return TRUE;
}

#define SELECT_SESSIONS                                              \
  "SELECT sessions.id, name, address, sessions.created, last_used, " \
  "expires FROM sessions JOIN accounts ON account = accounts.id "

static SrvSession *
read_session (SrvStatement *statement)
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

static gboolean
find_session (Call *call, SrvDatabase *database, GError **error)
{
  const gint64 now = srv_account_store_now (call->self);
  const gint64 idle = call->self->settings[SRV_ACCOUNT_SESSION_IDLE_TIME];
  g_autoptr (SrvStatement) statement =
    srv_database_query (database, error,
                        SELECT_SESSIONS
                        "WHERE token = ? AND expires > ? AND last_used > ?"
                        " AND banned = 0",
                        "bii", call->token, sizeof call->token, now,
                        now - idle);
  int found = statement != NULL ? srv_statement_step (statement, error) : -1;

  if (found == 1)
    call->session = read_session (statement);
  return found == 1 || (found == 0 && refuse (error));
}

/* A token that turns up elsewhere may be stolen. */
static gboolean
check_address (Call *call, GError **error)
{
  return !call->self->settings[SRV_ACCOUNT_BIND_SESSIONS] ||
         g_strcmp0 (call->session->address, call->address) == 0 ||
         refuse (error);
}

static gboolean
note_use (Call *call, SrvDatabase *database, GError **error)
{
  const gint64 now = srv_account_store_now (call->self);
  const gint64 idle = call->self->settings[SRV_ACCOUNT_SESSION_IDLE_TIME];

  if (now - call->session->last_used <= idle / USE_PARTS)
    return TRUE;
  call->session->last_used = now;
  return srv_database_execute (database, error,
                               "UPDATE sessions SET last_used = ? WHERE id = ?",
                               "ii", now, call->session->id);
}

static gboolean
rotate (Call *call, SrvDatabase *database, GError **error)
{
  guint8 hash[SRV_SECRET_TOKEN_HASH_SIZE];

  call->new_token = srv_secret_new_token ();
  srv_secret_hash_token (call->new_token, hash);
  return srv_database_execute (database, error,
                               "UPDATE sessions SET token = ? WHERE id = ?",
                               "bi", hash, sizeof hash, call->session->id);
}

static gboolean
use (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return find_session (call, database, error) && check_address (call, error) &&
         note_use (call, database, error) &&
         (!call->rotates || rotate (call, database, error));
}

static gboolean
run_use (Call *call, const char *token, GError **error)
{
  if (!srv_secret_hash_token (token, call->token))
    return refuse (error);
  if (srv_database_run (call->self->database, use, call, error))
    return TRUE;
  g_clear_pointer (&call->session, srv_session_free);
  g_clear_pointer (&call->new_token, srv_secret_free);
  return FALSE;
}

/**
 * srv_account_store_use_token:
 * @self: a store
 * @token: what [method@SocketServerHandlers.AccountStore.login] has given
 * @address: (nullable): from where, as text
 * @error: return location for a [struct@GLib.Error]
 *
 * Finds the session of a token. It counts as used.
 *
 * Fails with %SRV_ACCOUNT_ERROR_BAD_SESSION for a token that is unknown, was
 * rotated away or revoked, has been unused for too long, is too old, comes from
 * another address where that matters, or whose account is banned; and with codes
 * of %G_IO_ERROR.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the session, %NULL with @error set
 */
SrvSession *
srv_account_store_use_token (SrvAccountStore *self,
                             const char *token,
                             const char *address,
                             GError **error)
{
  Call call = { .self = self, .address = address != NULL ? address : "" };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (token != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return run_use (&call, token, error) ? call.session : NULL;
}

/**
 * srv_account_store_rotate_token:
 * @self: a store
 * @token: a token
 * @address: (nullable): from where, as text
 * @error: return location for a [struct@GLib.Error]
 *
 * Gives a session a new token. The old one is worth nothing any more; the
 * session ends when it would have ended anyhow.
 *
 * Fails as [method@SocketServerHandlers.AccountStore.use_token] does.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the new token, %NULL with @error set
 */
char *
srv_account_store_rotate_token (SrvAccountStore *self,
                                const char *token,
                                const char *address,
                                GError **error)
{
  Call call = {
    .self = self,
    .address = address != NULL ? address : "",
    .rotates = TRUE,
  };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (token != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!run_use (&call, token, error))
    return NULL;
  srv_session_free (call.session);
  return call.new_token;
}

static gboolean
select_sessions (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  g_autoptr (SrvStatement) statement = NULL;
  gint64 account;
  int found = -1;

  if (!forget_ended (call->self, database, error) ||
      !srv_account_find (database, call->key, &account, error))
    return FALSE;
  statement = srv_database_query (database, error,
                                  SELECT_SESSIONS
                                  "WHERE account = ? ORDER BY sessions.id",
                                  "i", account);
  while (statement != NULL &&
         (found = srv_statement_step (statement, error)) == 1)
    g_ptr_array_add (call->list, read_session (statement));
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
  Call call = { .self = self, .key = name, .list = list };

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

  if (!srv_account_find (database, call->key, &account, error) ||
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
  Call call = { .self = self, .key = name, .id = session };

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

  return srv_account_find (database, call->key, &account, error) &&
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
  Call call = { .self = self, .key = name };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return srv_database_run (self->database, delete_all, &call, error);
}
