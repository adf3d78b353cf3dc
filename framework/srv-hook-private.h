/* srv-hook-private.h - what hooks return, checked in one place
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

/* Sees that the answer of an overridden hook and its error agree: a failure
 * without a reason gets one, and an error beside a success counts as failure.
 * Both are mistakes of the hook's author, so both are told as critical. Takes
 * @local over. */
gboolean srv_hook_fail (gpointer instance,
                        const char *name,
                        gboolean ok,
                        GError *local,
                        GError **error) __attribute__ ((cold));

static inline gboolean
srv_hook_check (gpointer instance,
                const char *name,
                gboolean ok,
                GError *local,
                GError **error)
{
  return (ok && local == NULL) ||
         srv_hook_fail (instance, name, ok, local, error);
}

G_END_DECLS
