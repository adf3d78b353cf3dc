/* srv-account-error.h - why a store of accounts says no
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/**
 * SRV_ACCOUNT_ERROR:
 *
 * The domain of what a [class@SocketServerHandlers.AccountStore] refuses. The
 * messages are in English, hold nothing that a client has sent, and can be shown
 * to it.
 */
#define SRV_ACCOUNT_ERROR (srv_account_error_quark ())

/**
 * SrvAccountError:
 * @SRV_ACCOUNT_ERROR_BAD_NAME: no name for an account
 * @SRV_ACCOUNT_ERROR_BAD_PASSWORD: no password for an account: too short, too
 *   long, or no text
 * @SRV_ACCOUNT_ERROR_EXISTS: there is an account, or a contact, with this name
 * @SRV_ACCOUNT_ERROR_NOT_FOUND: there is no such account, contact or session
 * @SRV_ACCOUNT_ERROR_REFUSED: the password is wrong, or there is no such account
 * @SRV_ACCOUNT_ERROR_BANNED: the account is banned; whoever logs in learns it
 *   only with the right password
 * @SRV_ACCOUNT_ERROR_TOO_SOON: there were too many failed attempts, or too many
 *   new accounts; `srv_account_error_get_wait()` says for how long
 * @SRV_ACCOUNT_ERROR_BUSY: too many passwords are being checked
 * @SRV_ACCOUNT_ERROR_FULL: a limit of the store is reached
 * @SRV_ACCOUNT_ERROR_BAD_SESSION: the token is nobody's, or not any more
 *
 * Codes of [error@SocketServerHandlers.AccountError].
 */
typedef enum
{
  SRV_ACCOUNT_ERROR_BAD_NAME,
  SRV_ACCOUNT_ERROR_BAD_PASSWORD,
  SRV_ACCOUNT_ERROR_EXISTS,
  SRV_ACCOUNT_ERROR_NOT_FOUND,
  SRV_ACCOUNT_ERROR_REFUSED,
  SRV_ACCOUNT_ERROR_BANNED,
  SRV_ACCOUNT_ERROR_TOO_SOON,
  SRV_ACCOUNT_ERROR_BUSY,
  SRV_ACCOUNT_ERROR_FULL,
  SRV_ACCOUNT_ERROR_BAD_SESSION,
} SrvAccountError;

SRV_AVAILABLE_IN_ALL
GQuark srv_account_error_quark (void);

SRV_AVAILABLE_IN_ALL
guint srv_account_error_get_wait (const GError *error);

#define SRV_TYPE_ACCOUNT_ERROR (srv_account_error_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_account_error_get_type (void);

G_END_DECLS
