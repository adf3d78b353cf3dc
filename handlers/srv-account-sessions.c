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
  guint8 token[SRV_SECRET_TOKEN_HASH_SIZE];
  gboolean rotates;

  SrvSession *session; /* owned until it is given away */
  char *new_token;     /* the same */
} Call;

static gboolean
refuse (GError **error)
{
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BAD_SESSION,
                       "there is no such session");
  return FALSE;
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
  if (!srv_account_session_forget_ended (self, database, error) ||
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

static gboolean
find_session (Call *call, SrvDatabase *database, GError **error)
{
  const gint64 now = srv_account_store_now (call->self);
  const gint64 idle = call->self->settings[SRV_ACCOUNT_SESSION_IDLE_TIME];
  g_autoptr (SrvStatement) statement =
    srv_database_query (database, error,
                        SRV_ACCOUNT_SELECT_SESSIONS
                        "WHERE token = ? AND expires > ? AND last_used > ?"
                        " AND banned = 0",
                        "bii", call->token, sizeof call->token, now,
                        now - idle);
  int found = statement != NULL ? srv_statement_step (statement, error) : -1;

  if (found == 1)
    call->session = srv_account_session_read (statement);
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
