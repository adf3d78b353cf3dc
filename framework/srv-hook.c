/* srv-hook.c - what hooks return, checked in one place
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-hook-private.h"

/* Sees that the answer of an overridden hook and its error agree: a failure
 * without a reason gets one, and an error beside a success counts as failure.
 * Both are mistakes of the hook's author, so both are told as critical. Takes
 * @local over. */
gboolean
srv_hook_check (gpointer instance,
                const char *name,
                gboolean ok,
                GError *local,
                GError **error)
{
  if (ok && local == NULL)
    return TRUE;
  if (local == NULL)
    {
      g_set_error (&local, SRV_ERROR, SRV_ERROR_FAILED,
                   "%s of %s failed without a reason", name,
                   G_OBJECT_TYPE_NAME (instance));
      g_critical ("%s", local->message);
    }
  else if (ok)
    g_critical ("%s of %s returned TRUE with an error set: %s", name,
                G_OBJECT_TYPE_NAME (instance), local->message);
  g_propagate_error (error, local);
  return FALSE;
}
