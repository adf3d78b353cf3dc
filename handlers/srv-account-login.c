/* srv-account-login.c - names with their passwords
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * First the attempt is counted, then the password is compared, with nothing
 * locked, then it is all decided. Between the two transactions the account may
 * have changed: the second looks again.
 */

#include "config.h"

#include "srv-account-store-private.h"

#include <string.h>

/* One attempt. */
typedef struct
{
  SrvAccountStore *self;
  char *key;           /* owned */
  const char *address; /* borrowed */

  gint64 id;
  char *hash; /* owned; NULL: there is no such account */
  gboolean is_right;

  char *new_hash; /* owned; NULL: it stays */
  gboolean ends_sessions;
  gboolean opens_session;

  char *name;  /* owned until it is given away */
  char *token; /* the same */
} Attempt;

static void
clear (Attempt *attempt)
{
  g_free (attempt->key);
  g_free (attempt->hash);
  g_free (attempt->new_hash);
  g_free (attempt->name);
  srv_secret_free (attempt->token);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Attempt, clear)

static gboolean
refuse (GError **error)
{
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_REFUSED,
                       "wrong name or password");
  return FALSE;
}

static gboolean
begin (SrvDatabase *database, gpointer data, GError **error)
{
  Attempt *attempt = data;
  g_autoptr (SrvStatement) statement = NULL;
  int found;

  if (!srv_account_attempt_reserve (attempt->self, database, attempt->key,
                                    attempt->address, error))
    return FALSE;
  statement = srv_database_query (database, error,
                                  "SELECT id, hash FROM accounts WHERE key = ?",
                                  "s", attempt->key);
  found = statement != NULL ? srv_statement_step (statement, error) : -1;
  if (found == 1)
    {
      attempt->id = srv_statement_get_int (statement, 0);
      attempt->hash = g_strdup (srv_statement_get_text (statement, 1));
    }
  return found >= 0;
}

/* Nothing was compared: it was no attempt. */
static gboolean
withdraw (SrvDatabase *database, gpointer data, GError **error)
{
  Attempt *attempt = data;

  return srv_account_attempt_withdraw (database, attempt->key, attempt->address,
                                       error);
}

/* Is the account still the one whose password was right? */
static gboolean
look_again (Attempt *attempt,
            SrvDatabase *database,
            gboolean *is_banned,
            GError **error)
{
  g_autoptr (SrvStatement) statement = srv_database_query (
    database, error,
    "SELECT name, banned FROM accounts WHERE id = ? AND hash = ?", "is",
    attempt->id, attempt->hash);
  int found = statement != NULL ? srv_statement_step (statement, error) : -1;

  if (found == 0)
    refuse (error);
  if (found != 1)
    return FALSE;
  attempt->name = g_strdup (srv_statement_get_text (statement, 0));
  *is_banned = srv_statement_get_int (statement, 1) != 0;
  return TRUE;
}

static gboolean
update (Attempt *attempt, SrvDatabase *database, GError **error)
{
  return srv_database_execute (
           database, error,
           "UPDATE accounts SET last_login = ?, hash = ? WHERE id = ?", "isi",
           srv_account_store_now (attempt->self),
           attempt->new_hash != NULL ? attempt->new_hash : attempt->hash,
           attempt->id) &&
         (!attempt->ends_sessions ||
          srv_database_execute (database, error,
                                "DELETE FROM sessions WHERE account = ?", "i",
                                attempt->id)) &&
         (!attempt->opens_session ||
          srv_account_session_open (attempt->self, database, attempt->id,
                                    attempt->address, &attempt->token, error));
}

static gboolean
end (SrvDatabase *database, gpointer data, GError **error)
{
  Attempt *attempt = data;
  gboolean is_banned;

  if (!look_again (attempt, database, &is_banned, error))
    return FALSE;
  if (!is_banned)
    return srv_account_attempt_forgive (database, attempt->key,
                                        attempt->address, error) &&
           update (attempt, database, error);
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BANNED,
                       "the account is banned");
  return FALSE;
}

/* A password that was hashed more cheaply than is asked for now is hashed
 * again, as it is known for a moment. If that cannot be, it stays. */
static void
renew_hash (Attempt *attempt, const char *password)
{
  if (attempt->new_hash == NULL &&
      srv_account_is_outdated (attempt->self, attempt->hash))
    attempt->new_hash = srv_account_hash (attempt->self, password, NULL);
}

/* A name that cannot be is one that nobody has. */
static char *
key_of (const char *name)
{
  g_autofree char *normal = srv_account_name_normalize (name, NULL);

  return normal != NULL ? srv_chat_name_to_key (normal) : g_strdup ("");
}

static gboolean
compare (Attempt *attempt, const char *password, GError **error)
{
  SrvAccountStore *self = attempt->self;

  if (!srv_database_run (self->database, begin, attempt, error))
    return FALSE;
  if (!srv_account_verify (self, attempt->hash, password, &attempt->is_right,
                           error))
    {
      srv_database_run (self->database, withdraw, attempt, NULL);
      return FALSE;
    }
  return attempt->is_right || refuse (error);
}

static gboolean
finish (Attempt *attempt, const char *password, GError **error)
{
  renew_hash (attempt, password);
  return srv_database_run (attempt->self->database, end, attempt, error);
}

/**
 * srv_account_store_check_password:
 * @self: a store
 * @name: the name that was given, UTF-8
 * @password: the password that was given
 * @address: (nullable): from where, as text that is the same for all attempts
 *   that shall be counted together
 * @error: return location for a [struct@GLib.Error]
 *
 * Checks a password.
 *
 * Fails with %SRV_ACCOUNT_ERROR_REFUSED, %SRV_ACCOUNT_ERROR_BANNED,
 * %SRV_ACCOUNT_ERROR_TOO_SOON, %SRV_ACCOUNT_ERROR_BUSY, and with codes of
 * %G_IO_ERROR.
 *
 * Threads: any; waits, in a fiber without holding up its worker.
 *
 * Returns: (transfer full): the name as the account has it, %NULL with @error
 *   set
 */
char *
srv_account_store_check_password (SrvAccountStore *self,
                                  const char *name,
                                  const char *password,
                                  const char *address,
                                  GError **error)
{
  g_auto (Attempt) attempt = { .self = self };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (name != NULL && password != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  attempt.key = key_of (name);
  attempt.address = address != NULL ? address : "";
  if (!compare (&attempt, password, error) ||
      !finish (&attempt, password, error))
    return NULL;
  return g_steal_pointer (&attempt.name);
}

/**
 * srv_account_store_change_password:
 * @self: a store
 * @name: the name that was given, UTF-8
 * @password: the password that was given
 * @new_password: what it shall be
 * @address: (nullable): from where, as for
 *   [method@SocketServerHandlers.AccountStore.check_password]
 * @error: return location for a [struct@GLib.Error]
 *
 * Changes a password for who knows the old one, and ends all sessions.
 *
 * Fails as [method@SocketServerHandlers.AccountStore.check_password] does, and
 * with %SRV_ACCOUNT_ERROR_BAD_PASSWORD.
 *
 * Threads: any; waits.
 *
 * Returns: %TRUE when the password is stored, %FALSE with @error set otherwise
 */
gboolean
srv_account_store_change_password (SrvAccountStore *self,
                                   const char *name,
                                   const char *password,
                                   const char *new_password,
                                   const char *address,
                                   GError **error)
{
  g_auto (Attempt) attempt = { .self = self, .ends_sessions = TRUE };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL && password != NULL, FALSE);
  g_return_val_if_fail (new_password != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  attempt.key = key_of (name);
  attempt.address = address != NULL ? address : "";
  if (!compare (&attempt, password, error))
    return FALSE;
  attempt.new_hash = srv_account_hash (self, new_password, error);
  return attempt.new_hash != NULL && finish (&attempt, new_password, error);
}

/**
 * srv_account_store_login:
 * @self: a store
 * @name: the name that was given, UTF-8
 * @password: the password that was given
 * @address: (nullable): from where, as for
 *   [method@SocketServerHandlers.AccountStore.check_password]
 * @error: return location for a [struct@GLib.Error]
 *
 * Checks a password, and opens a session. An account that has too many of them
 * loses the one that was unused for longest.
 *
 * Fails as [method@SocketServerHandlers.AccountStore.check_password] does.
 *
 * Threads: any; waits.
 *
 * Returns: (transfer full): the token, 43 characters, %NULL with @error set
 */
char *
srv_account_store_login (SrvAccountStore *self,
                         const char *name,
                         const char *password,
                         const char *address,
                         GError **error)
{
  g_auto (Attempt) attempt = { .self = self, .opens_session = TRUE };

  g_return_val_if_fail (SRV_IS_ACCOUNT_STORE (self), NULL);
  g_return_val_if_fail (name != NULL && password != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  attempt.key = key_of (name);
  attempt.address = address != NULL ? address : "";
  if (!compare (&attempt, password, error) ||
      !finish (&attempt, password, error))
    return NULL;
  return g_steal_pointer (&attempt.token);
}
