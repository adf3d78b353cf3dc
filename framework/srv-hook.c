/* srv-hook.c - what hooks return, checked in one place
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-hook-private.h"

gboolean
srv_hook_fail (gpointer instance,
               const char *name,
               gboolean ok,
               GError *local,
               GError **error)
{
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
