/* srv-account-error.c - why a store of accounts says no
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-error.h"

#include "srv-account-store-private.h"

typedef struct
{
  guint wait_s;
} SrvAccountErrorPrivate;

/* GLib gives memory for it to each error of the domain. */
static void
srv_account_error_private_init (SrvAccountErrorPrivate *priv)
{
  g_assert (priv != NULL);
  priv->wait_s = 0;
}

static void
srv_account_error_private_copy (const SrvAccountErrorPrivate *source,
                                SrvAccountErrorPrivate *target)
{
  g_assert (source != NULL && target != NULL);
  target->wait_s = source->wait_s;
}

static void
srv_account_error_private_clear (G_GNUC_UNUSED SrvAccountErrorPrivate *priv)
{
}

/* GLib aligns what it gives; the macro's cast does not show it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
/**
 * srv_account_error_quark:
 *
 * Gets the domain of [error@SocketServerHandlers.AccountError].
 *
 * Threads: any.
 *
 * Returns: the domain
 */
G_DEFINE_EXTENDED_ERROR (SrvAccountError, srv_account_error)
#pragma GCC diagnostic pop

G_DEFINE_ENUM_TYPE (
  SrvAccountError,
  srv_account_error,
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_BAD_NAME, "bad-name"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_BAD_PASSWORD, "bad-password"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_EXISTS, "exists"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_NOT_FOUND, "not-found"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_REFUSED, "refused"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_BANNED, "banned"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_TOO_SOON, "too-soon"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_BUSY, "busy"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_FULL, "full"),
  G_DEFINE_ENUM_VALUE (SRV_ACCOUNT_ERROR_BAD_SESSION, "bad-session"))

void
srv_account_error_set_too_soon (GError **error, guint wait_s)
{
  SrvAccountErrorPrivate *priv;

  if (error == NULL)
    return;
  g_set_error (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_TOO_SOON,
               "too many attempts: wait %u seconds", wait_s);
  priv = srv_account_error_get_private (*error);
  g_assert (priv != NULL);
  priv->wait_s = wait_s;
}

/**
 * srv_account_error_get_wait:
 * @error: an error of the domain %SRV_ACCOUNT_ERROR
 *
 * Gets how long to wait before the next attempt, for
 * %SRV_ACCOUNT_ERROR_TOO_SOON.
 *
 * Threads: any.
 *
 * Returns: seconds; 0 with any other code
 */
guint
srv_account_error_get_wait (const GError *error)
{
  const SrvAccountErrorPrivate *priv;

  g_return_val_if_fail (error != NULL, 0);
  g_return_val_if_fail (error->domain == SRV_ACCOUNT_ERROR, 0);

  priv = srv_account_error_get_private (error);
  g_assert (priv != NULL);
  return priv->wait_s;
}
