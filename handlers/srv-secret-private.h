/* srv-secret-private.h - passwords and tokens
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A build without libsodium has the same functions, of which srv_secret_init ()
 * fails and no other is reached.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define SRV_SECRET_TOKEN_HASH_SIZE 32

/* What a hash of a password shall cost. */
typedef struct
{
  guint operations;
  guint memory_kib;
} SrvSecretCost;

gboolean srv_secret_init (GError **error);

/* Argon2id; both take a while. NULL: there is no memory for it. */
char *srv_secret_hash_password (const char *password,
                                const SrvSecretCost *cost);
gboolean srv_secret_verify_password (const char *hash, const char *password);

/* A hash of no password, which costs as much to verify. */
char *srv_secret_new_dummy_hash (const SrvSecretCost *cost);
gboolean srv_secret_is_outdated (const char *hash, const SrvSecretCost *cost);

/* 256 random bits, in 43 characters of base64. The hash of anything else than
 * such a token is FALSE. */
char *srv_secret_new_token (void);
gboolean srv_secret_hash_token (const char *token,
                                guint8 hash[SRV_SECRET_TOKEN_HASH_SIZE]);

void srv_secret_wipe (void *data, gsize length);
/* Wipes a string, and frees it. */
void srv_secret_free (char *text);

G_END_DECLS
