/* srv-account-name.c - what accounts may be called
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"

/* What members of a chat may be called: they are the same people. */
char *
srv_account_name_normalize (const char *name, GError **error)
{
  g_autoptr (GError) reason = NULL;
  char *normal = srv_chat_name_of_member (name, &reason);

  if (normal == NULL)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BAD_NAME,
                         reason->message);
  return normal;
}
