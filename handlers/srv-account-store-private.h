/* srv-account-store-private.h - what the parts of the store share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-account-store.h"
#include "srv-chat-name-private.h"
#include "srv-chat-store.h"
#include "srv-database-private.h"
#include "srv-secret-private.h"

G_BEGIN_DECLS

/* The limits: all are properties, and all are unsigned. */
typedef enum
{
  SRV_ACCOUNT_FREE_ATTEMPTS = 1,
  SRV_ACCOUNT_FREE_ATTEMPTS_ADDRESS,
  SRV_ACCOUNT_ATTEMPT_DELAY,
  SRV_ACCOUNT_ATTEMPT_MAX_DELAY,
  SRV_ACCOUNT_ATTEMPT_WINDOW,
  SRV_ACCOUNT_BIND_SESSIONS,
  SRV_ACCOUNT_CONTACT_LIMIT,
  SRV_ACCOUNT_HASH_MEMORY,
  SRV_ACCOUNT_HASH_OPERATIONS,
  SRV_ACCOUNT_HISTORY_LIMIT,
  SRV_ACCOUNT_IDENTITY_LIFETIME,
  SRV_ACCOUNT_MAX_ACCOUNTS,
  SRV_ACCOUNT_MAX_HASHES,
  SRV_ACCOUNT_MAX_IDENTITIES,
  SRV_ACCOUNT_MAX_SESSIONS,
  SRV_ACCOUNT_MAX_WAITING,
  SRV_ACCOUNT_MIN_PASSWORD,
  SRV_ACCOUNT_OFFLINE_LIMIT,
  SRV_ACCOUNT_REGISTRATION_LIMIT,
  SRV_ACCOUNT_REGISTRATION_LIMIT_ADDRESS,
  SRV_ACCOUNT_REGISTRATION_WINDOW,
  SRV_ACCOUNT_SESSION_IDLE_TIME,
  SRV_ACCOUNT_SESSION_LIFETIME,
  SRV_ACCOUNT_N_SETTINGS,
} SrvAccountSetting;

/* Seconds of Unix time. */
typedef gint64 (*SrvAccountClock) (gpointer data);

struct _SrvAccountStore
{
  GObject parent_instance;

  SrvDatabase *database;                  /* owned */
  guint settings[SRV_ACCOUNT_N_SETTINGS]; /* by number of the property */
  SrvAccountClock clock;                  /* NULL: the system's */
  gpointer clock_data;
  guint n_reserved; /* atomic; attempts since they were last tidied */

  /* Hashing takes much memory: few do it at a time, some wait. */
  SrvMutex *hash_lock; /* of the three below */
  SrvCond *hash_ended;
  guint n_hashing;
  guint n_waiting;
  guint64 n_hashes;

  SrvMutex *lease_lock; /* of leases */
  GHashTable *leases; /* set of the ids of messages that are being delivered */
};

void srv_account_error_set_too_soon (GError **error, guint wait_s);

/* For tests: time that is told. */
void srv_account_store_set_clock (SrvAccountStore *self,
                                  SrvAccountClock clock,
                                  gpointer data);
gint64 srv_account_store_now (SrvAccountStore *self);
/* For tests: how often a password was hashed or compared. */
guint64 srv_account_store_get_n_hashes (SrvAccountStore *self);

extern const char *const srv_account_migrations[];

void srv_account_settings_install (GObjectClass *klass);
void srv_account_settings_init (SrvAccountStore *self);

/* The name in normal form; NULL with an error. The caller frees it. */
char *srv_account_name_normalize (const char *name, GError **error);

/* In characters: more would only be work for others. */
#define SRV_ACCOUNT_MAX_PASSWORD 256u

/* Hashing, off the worker, as many at a time as allowed. */
char *srv_account_hash (SrvAccountStore *self,
                        const char *password,
                        GError **error);
gboolean srv_account_verify (SrvAccountStore *self,
                             const char *hash,
                             const char *password,
                             gboolean *is_right,
                             GError **error);

gboolean srv_account_is_outdated (SrvAccountStore *self, const char *hash);

/* Within a transaction. */
gboolean srv_account_attempt_reserve (SrvAccountStore *self,
                                      SrvDatabase *database,
                                      const char *key,
                                      const char *address,
                                      GError **error);
gboolean srv_account_attempt_forgive (SrvDatabase *database,
                                      const char *key,
                                      const char *address,
                                      GError **error);
gboolean srv_account_attempt_withdraw (SrvDatabase *database,
                                       const char *key,
                                       const char *address,
                                       GError **error);
gboolean srv_account_attempt_forget (SrvDatabase *database,
                                     const char *key,
                                     GError **error);
gboolean srv_account_registration_check (SrvAccountStore *self,
                                         SrvDatabase *database,
                                         const char *address,
                                         GError **error);
gboolean srv_account_registration_count (SrvAccountStore *self,
                                         SrvDatabase *database,
                                         const char *address,
                                         GError **error);
gboolean srv_account_session_open (SrvAccountStore *self,
                                   SrvDatabase *database,
                                   gint64 account,
                                   const char *address,
                                   char **token,
                                   GError **error);
gboolean srv_account_session_forget_ended (SrvAccountStore *self,
                                           SrvDatabase *database,
                                           GError **error);

/* A row of this is a session. */
#define SRV_ACCOUNT_SELECT_SESSIONS                                  \
  "SELECT sessions.id, name, address, sessions.created, last_used, " \
  "expires FROM sessions JOIN accounts ON account = accounts.id "
SrvSession *srv_account_session_read (SrvStatement *statement);

gboolean srv_account_find (SrvDatabase *database,
                           const char *name,
                           gint64 *id,
                           GError **error);

void srv_account_store_chat_iface_init (gpointer iface, gpointer data);
/* srv-account-contacts.c: the methods of contacts alone. */
void srv_account_store_init_contacts (SrvChatStoreInterface *iface);

G_END_DECLS
