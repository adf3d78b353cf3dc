/* srv-secret-none.c - what there is of secrets without libsodium
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-secret-private.h"

#include <string.h>

gboolean
srv_secret_init (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       "the library was built without libsodium");
  return FALSE;
}

char *
srv_secret_hash_password (G_GNUC_UNUSED const char *password,
                          G_GNUC_UNUSED const SrvSecretCost *cost)
{
  g_return_val_if_reached (NULL);
}

gboolean
srv_secret_verify_password (G_GNUC_UNUSED const char *hash,
                            G_GNUC_UNUSED const char *password)
{
  g_return_val_if_reached (FALSE);
}

char *
srv_secret_new_dummy_hash (G_GNUC_UNUSED const SrvSecretCost *cost)
{
  g_return_val_if_reached (NULL);
}

gboolean
srv_secret_is_outdated (G_GNUC_UNUSED const char *hash,
                        G_GNUC_UNUSED const SrvSecretCost *cost)
{
  g_return_val_if_reached (FALSE);
}

char *
srv_secret_new_token (void)
{
  g_return_val_if_reached (NULL);
}

gboolean
srv_secret_hash_token (G_GNUC_UNUSED const char *token,
                       G_GNUC_UNUSED guint8 hash[SRV_SECRET_TOKEN_HASH_SIZE])
{
  g_return_val_if_reached (FALSE);
}

void
srv_secret_wipe (void *data, gsize length)
{
  explicit_bzero (data, length);
}

void
srv_secret_free (char *text)
{
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}
