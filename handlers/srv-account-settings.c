/* srv-account-settings.c - the limits of a store, all of them properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"

typedef struct
{
  const char *name;
  guint min;
  guint max;
  guint preset;
} Setting;

static const Setting settings[SRV_ACCOUNT_N_SETTINGS] = {
  [SRV_ACCOUNT_FREE_ATTEMPTS] = { "free-attempts", 0, 1000000, 5 },
  [SRV_ACCOUNT_FREE_ATTEMPTS_ADDRESS] = { "free-attempts-address", 0, 1000000,
                                          20 },
  [SRV_ACCOUNT_ATTEMPT_DELAY] = { "attempt-delay", 1, 86400, 1 },
  [SRV_ACCOUNT_ATTEMPT_MAX_DELAY] = { "attempt-max-delay", 1, 2592000, 900 },
  [SRV_ACCOUNT_ATTEMPT_WINDOW] = { "attempt-window", 1, 31536000, 3600 },
  [SRV_ACCOUNT_BIND_SESSIONS] = { "bind-sessions", 0, 1, 0 },
  [SRV_ACCOUNT_CONTACT_LIMIT] = { "contact-limit", 0, 1000000, 1000 },
  [SRV_ACCOUNT_HASH_MEMORY] = { "hash-memory", 8, 4194304, 65536 },
  [SRV_ACCOUNT_HASH_OPERATIONS] = { "hash-operations", 1, 1000, 2 },
  [SRV_ACCOUNT_HISTORY_LIMIT] = { "history-limit", 0, 1000000, 1000 },
  [SRV_ACCOUNT_IDENTITY_LIFETIME] = { "identity-lifetime", 1, G_MAXINT,
                                      31536000 },
  [SRV_ACCOUNT_MAX_ACCOUNTS] = { "max-accounts", 0, G_MAXINT, 100000 },
  [SRV_ACCOUNT_MAX_HASHES] = { "max-hashes", 1, 1024, 2 },
  [SRV_ACCOUNT_MAX_IDENTITIES] = { "max-identities", 0, G_MAXINT, 100000 },
  [SRV_ACCOUNT_MAX_SESSIONS] = { "max-sessions", 1, 100000, 16 },
  [SRV_ACCOUNT_MAX_WAITING] = { "max-waiting", 0, 1000000, 64 },
  [SRV_ACCOUNT_MIN_PASSWORD] = { "min-password", 1, 256, 8 },
  [SRV_ACCOUNT_OFFLINE_LIMIT] = { "offline-limit", 0, 1000000, 100 },
  [SRV_ACCOUNT_REGISTRATION_LIMIT] = { "registration-limit", 0, 1000000, 1000 },
  [SRV_ACCOUNT_REGISTRATION_LIMIT_ADDRESS] = { "registration-limit-address", 0,
                                               1000000, 10 },
  [SRV_ACCOUNT_REGISTRATION_WINDOW] = { "registration-window", 1, 31536000,
                                        3600 },
  [SRV_ACCOUNT_SESSION_IDLE_TIME] = { "session-idle-time", 1, G_MAXINT,
                                      604800 },
  [SRV_ACCOUNT_SESSION_LIFETIME] = { "session-lifetime", 1, G_MAXINT, 2592000 },
};

static GParamSpec *properties[SRV_ACCOUNT_N_SETTINGS];

/**
 * SrvAccountStore:free-attempts:
 *
 * How many attempts at a name may fail before whoever tries has to wait. From
 * 0 to 1000000; the default is 5.
 *
 * Whoever tries is also the one to whom the name belongs: somebody who goes on
 * guessing keeps him out, for up to
 * [property@SocketServerHandlers.AccountStore:attempt-max-delay] after each
 * guess. Without this, one who has many addresses could guess without end. The
 * sessions that are open go on, and
 * [method@SocketServerHandlers.AccountStore.forgive], which is
 * `chat-admin STORE forgive NAME`, lets the name in at once.
 */
/**
 * SrvAccountStore:free-attempts-address:
 *
 * How many attempts from an address may fail before it has to wait. Many
 * people can share an address. From 0 to 1000000; the default is 20.
 */
/**
 * SrvAccountStore:attempt-delay:
 *
 * The first wait, in seconds; each failure doubles it. From 1 to 86400; the
 * default is 1.
 */
/**
 * SrvAccountStore:attempt-max-delay:
 *
 * The longest wait, in seconds, and so for how long a guess can keep out those
 * to whom a name belongs. From 1 to 2592000; the default is 900.
 */
/**
 * SrvAccountStore:attempt-window:
 *
 * After how many seconds without another one failures are forgotten. From 1 to
 * 31536000; the default is 3600.
 */
/**
 * SrvAccountStore:bind-sessions:
 *
 * 1 if a token is good for the address alone for which it was made; 0 if it is
 * good everywhere. From 0 to 1; the default is 0.
 */
/**
 * SrvAccountStore:contact-limit:
 *
 * How many contacts an account may have. From 0 to 1000000; the default is
 * 1000.
 */
/**
 * SrvAccountStore:hash-memory:
 *
 * How much memory it takes to hash a password, in KiB. Older hashes go on
 * being good, and are renewed when the password is given. From 8 to 4194304;
 * the default is 65536.
 */
/**
 * SrvAccountStore:hash-operations:
 *
 * How many passes it takes to hash a password. From 1 to 1000; the default is
 * 2.
 */
/**
 * SrvAccountStore:history-limit:
 *
 * How many messages of a room are kept; of all rooms together, a thousand times
 * as many. From 0 to 1000000; the default is 1000.
 */
/**
 * SrvAccountStore:identity-lifetime:
 *
 * For how many seconds after its last visit the name of an address is kept.
 * From 1 to 2³¹ − 1; the default is 31536000.
 */
/**
 * SrvAccountStore:max-accounts:
 *
 * How many accounts there may be. From 0 to 2³¹ − 1; the default is 100000.
 */
/**
 * SrvAccountStore:max-hashes:
 *
 * How many passwords are hashed at a time. From 1 to 1024; the default is 2.
 */
/**
 * SrvAccountStore:max-identities:
 *
 * How many addresses may have a name. From 0 to 2³¹ − 1; the default is
 * 100000.
 */
/**
 * SrvAccountStore:max-sessions:
 *
 * How many sessions an account may have. From 1 to 100000; the default is 16.
 */
/**
 * SrvAccountStore:max-waiting:
 *
 * How many may wait for their turn to hash a password; to more the store says
 * that it is busy. From 0 to 1000000; the default is 64.
 */
/**
 * SrvAccountStore:min-password:
 *
 * The shortest new password, in characters; the longest is 256. From 1 to 256;
 * the default is 8.
 */
/**
 * SrvAccountStore:offline-limit:
 *
 * How many messages may wait for an account. From 0 to 1000000; the default is
 * 100.
 */
/**
 * SrvAccountStore:registration-limit:
 *
 * How many accounts clients may make in all, in the time of
 * [property@SocketServerHandlers.AccountStore:registration-window]. From 0 to
 * 1000000; the default is 1000.
 */
/**
 * SrvAccountStore:registration-limit-address:
 *
 * How many accounts clients of one address may make in that time. From 0 to
 * 1000000; the default is 10.
 */
/**
 * SrvAccountStore:registration-window:
 *
 * For how many seconds the accounts that clients make are counted, from the
 * first of them on. From 1 to 31536000; the default is 3600.
 */
/**
 * SrvAccountStore:session-idle-time:
 *
 * After how many seconds without use a session ends. What is told of its last
 * use can be a twentieth of that too old. From 1 to 2³¹ − 1; the default is
 * 604800.
 */
/**
 * SrvAccountStore:session-lifetime:
 *
 * After how many seconds a session ends however much it is used. It holds for
 * new sessions. From 1 to 2³¹ − 1; the default is 2592000.
 */

static void
get_property (GObject *object,
              guint id,
              GValue *value,
              G_GNUC_UNUSED GParamSpec *pspec)
{
  g_value_set_uint (value, SRV_ACCOUNT_STORE (object)->settings[id]);
}

static void
set_property (GObject *object,
              guint id,
              const GValue *value,
              G_GNUC_UNUSED GParamSpec *pspec)
{
  SRV_ACCOUNT_STORE (object)->settings[id] = g_value_get_uint (value);
}

/* To be set before the store is used: they are read without a lock. */
void
srv_account_settings_install (GObjectClass *klass)
{
  klass->get_property = get_property;
  klass->set_property = set_property;
  for (guint i = 1; i < SRV_ACCOUNT_N_SETTINGS; i++)
    properties[i] =
      g_param_spec_uint (settings[i].name, NULL, NULL, settings[i].min,
                         settings[i].max, settings[i].preset,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (klass, SRV_ACCOUNT_N_SETTINGS, properties);
}

void
srv_account_settings_init (SrvAccountStore *self)
{
  for (guint i = 1; i < SRV_ACCOUNT_N_SETTINGS; i++)
    self->settings[i] = settings[i].preset;
}
