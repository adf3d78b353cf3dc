/* srv-secret.c - passwords and tokens
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-secret-private.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_SIZE    32
#define TOKEN_VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define TOKEN_LENGTH  43
#define SALT_SIZE     16
#define HASH_SIZE     32
#define KIB           1024

gboolean
srv_secret_init (GError **error)
{
  if (sodium_init () >= 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       "could not start libsodium");
  return FALSE;
}

char *
srv_secret_hash_password (const char *password, const SrvSecretCost *cost)
{
  char hash[crypto_pwhash_STRBYTES];

  if (crypto_pwhash_str_alg (hash, password, strlen (password),
                             cost->operations, (gsize) cost->memory_kib * KIB,
                             crypto_pwhash_ALG_ARGON2ID13) != 0)
    return NULL;
  return g_strdup (hash);
}

gboolean
srv_secret_verify_password (const char *hash, const char *password)
{
  return crypto_pwhash_str_verify (hash, password, strlen (password)) == 0;
}

char *
srv_secret_new_dummy_hash (const SrvSecretCost *cost)
{
  const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
  guint8 random[SALT_SIZE + HASH_SIZE];
  char salt[sodium_base64_ENCODED_LEN (SALT_SIZE, 3)];
  char hash[sodium_base64_ENCODED_LEN (HASH_SIZE, 3)];

  randombytes_buf (random, sizeof random);
  sodium_bin2base64 (salt, sizeof salt, random, SALT_SIZE, variant);
  sodium_bin2base64 (hash, sizeof hash, random + SALT_SIZE, HASH_SIZE, variant);
  return g_strdup_printf ("$argon2id$v=19$m=%u,t=%u,p=1$%s$%s",
                          cost->memory_kib, cost->operations, salt, hash);
}

gboolean
srv_secret_is_outdated (const char *hash, const SrvSecretCost *cost)
{
  return crypto_pwhash_str_needs_rehash (hash, cost->operations,
                                         (gsize) cost->memory_kib * KIB) != 0;
}

char *
srv_secret_new_token (void)
{
  guint8 random[TOKEN_SIZE];
  char *token = g_malloc (TOKEN_LENGTH + 1);

  randombytes_buf (random, sizeof random);
  sodium_bin2base64 (token, TOKEN_LENGTH + 1, random, sizeof random,
                     TOKEN_VARIANT);
  sodium_memzero (random, sizeof random);
  return token;
}

/* The bits are random already: nothing is gained by a slow hash or a salt. */
gboolean
srv_secret_hash_token (const char *token,
                       guint8 hash[SRV_SECRET_TOKEN_HASH_SIZE])
{
  guint8 bits[TOKEN_SIZE];
  gsize n_bits;

  if (strlen (token) != TOKEN_LENGTH ||
      sodium_base642bin (bits, sizeof bits, token, TOKEN_LENGTH, NULL, &n_bits,
                         NULL, TOKEN_VARIANT) != 0 ||
      n_bits != sizeof bits)
    return FALSE;
  crypto_generichash (hash, SRV_SECRET_TOKEN_HASH_SIZE, bits, sizeof bits, NULL,
                      0);
  sodium_memzero (bits, sizeof bits);
  return TRUE;
}

void
srv_secret_wipe (void *data, gsize length)
{
  sodium_memzero (data, length);
}

void
srv_secret_free (char *text)
{
  if (text != NULL)
    sodium_memzero (text, strlen (text));
  g_free (text);
}
