/* srv-account-hash.c - few passwords are hashed at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"

#include <string.h>

typedef struct
{
  const char *password;
  const char *hash; /* NULL: make one */
  SrvSecretCost cost;
  char *made; /* owned by whoever asked */
  gboolean is_right;
} Work;

static SrvSecretCost
cost_of (SrvAccountStore *self)
{
  const SrvSecretCost cost = {
    .operations = self->settings[SRV_ACCOUNT_HASH_OPERATIONS],
    .memory_kib = self->settings[SRV_ACCOUNT_HASH_MEMORY],
  };

  return cost;
}

static gboolean
enter (SrvAccountStore *self, GError **error)
{
  gboolean may;

  srv_mutex_lock (self->hash_lock);
  may = self->n_hashing < self->settings[SRV_ACCOUNT_MAX_HASHES] ||
        self->n_waiting < self->settings[SRV_ACCOUNT_MAX_WAITING];
  if (may)
    {
      self->n_waiting++;
      while (self->n_hashing >= self->settings[SRV_ACCOUNT_MAX_HASHES])
        srv_cond_wait (self->hash_ended, self->hash_lock, -1);
      self->n_waiting--;
      self->n_hashing++;
      self->n_hashes++;
    }
  srv_mutex_unlock (self->hash_lock);
  if (!may)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BUSY,
                         "too many passwords are being checked");
  return may;
}

static void
leave (SrvAccountStore *self)
{
  srv_mutex_lock (self->hash_lock);
  self->n_hashing--;
  srv_cond_signal (self->hash_ended);
  srv_mutex_unlock (self->hash_lock);
}

/* A name that nobody has costs as much as one that somebody has. */
static void
run_work (gpointer data)
{
  Work *work = data;

  if (work->hash != NULL)
    work->is_right = srv_secret_verify_password (work->hash, work->password);
  else
    work->made = srv_secret_hash_password (work->password, &work->cost);
}

static gboolean
run (SrvAccountStore *self, Work *work, GError **error)
{
  gboolean ok;

  if (!enter (self, error))
    return FALSE;
  ok = srv_offload (run_work, work, error);
  leave (self);
  return ok;
}

static gboolean
is_good_password (SrvAccountStore *self, const char *password, GError **error)
{
  const guint min = self->settings[SRV_ACCOUNT_MIN_PASSWORD];

  if (g_utf8_validate (password, -1, NULL) &&
      g_utf8_strlen (password, -1) >= (glong) min &&
      g_utf8_strlen (password, -1) <= SRV_ACCOUNT_MAX_PASSWORD)
    return TRUE;
  g_set_error (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BAD_PASSWORD,
               "a password is text of %u to %u characters", min,
               SRV_ACCOUNT_MAX_PASSWORD);
  return FALSE;
}

/* The hash of a new password. */
char *
srv_account_hash (SrvAccountStore *self, const char *password, GError **error)
{
  g_autofree char *normal = NULL;
  Work work = { .cost = cost_of (self) };

  if (!is_good_password (self, password, error))
    return NULL;
  normal = g_utf8_normalize (password, -1, G_NORMALIZE_NFC);
  work.password = normal;
  if (run (self, &work, error) && work.made == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                         "could not hash a password: out of memory");
  srv_secret_wipe (normal, strlen (normal));
  return work.made;
}

/* @hash NULL: nobody's; it takes as long. */
gboolean
srv_account_verify (SrvAccountStore *self,
                    const char *hash,
                    const char *password,
                    gboolean *is_right,
                    GError **error)
{
  const SrvSecretCost cost = cost_of (self);
  g_autofree char *dummy = hash == NULL ? srv_secret_new_dummy_hash (&cost)
                                        : NULL;
  g_autofree char *normal = g_utf8_validate (password, -1, NULL)
                              ? g_utf8_normalize (password, -1, G_NORMALIZE_NFC)
                              : g_strdup ("");
  Work work = { .password = normal, .hash = hash != NULL ? hash : dummy };
  gboolean ok = run (self, &work, error);

  srv_secret_wipe (normal, strlen (normal));
  *is_right = work.is_right && hash != NULL;
  return ok;
}

gboolean
srv_account_is_outdated (SrvAccountStore *self, const char *hash)
{
  const SrvSecretCost cost = cost_of (self);

  return srv_secret_is_outdated (hash, &cost);
}

guint64
srv_account_store_get_n_hashes (SrvAccountStore *self)
{
  guint64 n_hashes;

  srv_mutex_lock (self->hash_lock);
  n_hashes = self->n_hashes;
  srv_mutex_unlock (self->hash_lock);
  return n_hashes;
}
