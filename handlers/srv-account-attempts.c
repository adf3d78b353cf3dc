/* srv-account-attempts.c - who guesses passwords has to wait
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Failures are counted for each name, whether there is an account or not, and
 * for each address. An attempt is counted before the password is checked, and
 * forgiven when it was right: a thousand at once are a thousand failures. They
 * are kept in the file, so that a restart forgives nothing.
 *
 * New accounts are counted in the same table, in all and for each address, over
 * a time that begins with the first one.
 */

#include "config.h"

#include "srv-account-store-private.h"

/* Rows at most, and how often what is over is looked for. */
#define MAX_ROWS    100000
#define TIDY_PERIOD 64

/* No address and no name has this key. */
#define REGISTRATIONS "registrations"

typedef struct
{
  gint64 failures;
  gint64 last;
  gint64 until;
} Attempts;

static char *
key_of_name (const char *key)
{
  return g_strconcat ("name:", key, NULL);
}

static char *
key_of_address (const char *address)
{
  return g_strconcat ("address:", address, NULL);
}

static char *
key_of_registrations (const char *address)
{
  return g_strconcat (REGISTRATIONS ":", address, NULL);
}

static gboolean
load (SrvDatabase *database,
      const char *key,
      Attempts *attempts,
      GError **error)
{
  g_autoptr (SrvStatement) statement = srv_database_query (
    database, error, "SELECT failures, last, until FROM attempts WHERE key = ?",
    "s", key);
  int found = statement != NULL ? srv_statement_step (statement, error) : -1;

  *attempts = (Attempts){ 0, 0, 0 };
  if (found == 1)
    {
      attempts->failures = srv_statement_get_int (statement, 0);
      attempts->last = srv_statement_get_int (statement, 1);
      attempts->until = srv_statement_get_int (statement, 2);
    }
  return found >= 0;
}

/* Twice as long after each failure. */
static gint64
delay_after (SrvAccountStore *self, gint64 failures, guint n_free)
{
  const guint max = self->settings[SRV_ACCOUNT_ATTEMPT_MAX_DELAY];
  gint64 delay = self->settings[SRV_ACCOUNT_ATTEMPT_DELAY];

  if (failures < (gint64) n_free)
    return 0;
  for (gint64 i = n_free; i < failures && delay < max; i++)
    delay *= 2;
  return MIN (delay, max);
}

static gboolean
save (SrvDatabase *database,
      const char *key,
      const Attempts *attempts,
      GError **error)
{
  return srv_database_execute (database, error,
                               "INSERT OR REPLACE INTO attempts"
                               " VALUES (?, ?, ?, ?)",
                               "siii", key, attempts->failures, attempts->last,
                               attempts->until);
}

static gboolean
count_failure (SrvAccountStore *self,
               SrvDatabase *database,
               const char *key,
               guint n_free,
               GError **error)
{
  const gint64 now = srv_account_store_now (self);
  Attempts attempts;

  if (!load (database, key, &attempts, error))
    return FALSE;
  if (attempts.until > now)
    {
      srv_account_error_set_too_soon (error, (guint) (attempts.until - now));
      return FALSE;
    }
  if (attempts.last + self->settings[SRV_ACCOUNT_ATTEMPT_WINDOW] <= now)
    attempts.failures = 0;
  attempts.failures++;
  attempts.last = now;
  attempts.until = now + delay_after (self, attempts.failures, n_free);
  return save (database, key, &attempts, error);
}

/* The table stays small, whatever names and addresses are made up. */
static gboolean
tidy (SrvAccountStore *self, SrvDatabase *database, GError **error)
{
  const gint64 now = srv_account_store_now (self);
  const gint64 window = self->settings[SRV_ACCOUNT_ATTEMPT_WINDOW];

  if (g_atomic_int_add (&self->n_reserved, 1) % TIDY_PERIOD != 0)
    return TRUE;
  return srv_database_execute (
           database, error,
           "DELETE FROM attempts WHERE last <= ? AND until <= ?", "ii",
           now - window, now) &&
         srv_database_execute (
           database, error,
           "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts"
           " ORDER BY last DESC LIMIT -1 OFFSET ?)",
           "i", (gint64) MAX_ROWS);
}

gboolean
srv_account_attempt_reserve (SrvAccountStore *self,
                             SrvDatabase *database,
                             const char *key,
                             const char *address,
                             GError **error)
{
  g_autofree char *name_key = key_of_name (key);
  g_autofree char *address_key = key_of_address (address);

  return tidy (self, database, error) &&
         count_failure (self, database, address_key,
                        self->settings[SRV_ACCOUNT_FREE_ATTEMPTS_ADDRESS],
                        error) &&
         count_failure (self, database, name_key,
                        self->settings[SRV_ACCOUNT_FREE_ATTEMPTS], error);
}

static gboolean
take_back (SrvDatabase *database, const char *key, GError **error)
{
  return srv_database_execute (database, error,
                               "UPDATE attempts SET failures = failures - 1,"
                               " until = 0 WHERE key = ? AND failures > 0",
                               "s", key);
}

gboolean
srv_account_attempt_forget (SrvDatabase *database,
                            const char *key,
                            GError **error)
{
  g_autofree char *name_key = key_of_name (key);

  return srv_database_execute (database, error,
                               "DELETE FROM attempts WHERE key = ?", "s",
                               name_key);
}

/* Who has an account of his own gets no more attempts at others: of his address
 * only this one is forgotten. */
gboolean
srv_account_attempt_forgive (SrvDatabase *database,
                             const char *key,
                             const char *address,
                             GError **error)
{
  g_autofree char *address_key = key_of_address (address);

  return srv_account_attempt_forget (database, key, error) &&
         take_back (database, address_key, error);
}

/* Nothing was compared. Those who failed before have failed all the same: else
 * whoever keeps the store busy could guess for ever. */
gboolean
srv_account_attempt_withdraw (SrvDatabase *database,
                              const char *key,
                              const char *address,
                              GError **error)
{
  g_autofree char *name_key = key_of_name (key);
  g_autofree char *address_key = key_of_address (address);

  return take_back (database, name_key, error) &&
         take_back (database, address_key, error);
}

/* What was counted in the time that is not over. */
static gboolean
load_registrations (SrvAccountStore *self,
                    SrvDatabase *database,
                    const char *key,
                    Attempts *made,
                    GError **error)
{
  const gint64 now = srv_account_store_now (self);

  if (!load (database, key, made, error))
    return FALSE;
  if (made->until <= now)
    *made = (Attempts){ 0, now,
                        now + self->settings[SRV_ACCOUNT_REGISTRATION_WINDOW] };
  return TRUE;
}

static gboolean
check_registrations (SrvAccountStore *self,
                     SrvDatabase *database,
                     const char *key,
                     guint limit,
                     GError **error)
{
  const gint64 now = srv_account_store_now (self);
  Attempts made;

  if (!load_registrations (self, database, key, &made, error))
    return FALSE;
  if (made.failures < (gint64) limit)
    return TRUE;
  srv_account_error_set_too_soon (error, (guint) (made.until - now));
  return FALSE;
}

static gboolean
count_registration (SrvAccountStore *self,
                    SrvDatabase *database,
                    const char *key,
                    GError **error)
{
  Attempts made;

  if (!load_registrations (self, database, key, &made, error))
    return FALSE;
  made.failures++;
  /* Those that were not touched for long make room for others. */
  made.last = srv_account_store_now (self);
  return save (database, key, &made, error);
}

gboolean
srv_account_registration_check (SrvAccountStore *self,
                                SrvDatabase *database,
                                const char *address,
                                GError **error)
{
  g_autofree char *key = key_of_registrations (address);

  return check_registrations (self, database, key,
                              self->settings
                                [SRV_ACCOUNT_REGISTRATION_LIMIT_ADDRESS],
                              error) &&
         check_registrations (self, database, REGISTRATIONS,
                              self->settings[SRV_ACCOUNT_REGISTRATION_LIMIT],
                              error);
}

gboolean
srv_account_registration_count (SrvAccountStore *self,
                                SrvDatabase *database,
                                const char *address,
                                GError **error)
{
  g_autofree char *key = key_of_registrations (address);

  return tidy (self, database, error) &&
         count_registration (self, database, key, error) &&
         count_registration (self, database, REGISTRATIONS, error);
}
