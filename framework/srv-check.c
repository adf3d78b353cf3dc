/* srv-check.c - quick checks of types
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-check-private.h"

SrvPassed srv_passed;
GType srv_connection_type;
GType srv_datagram_type;

gboolean
srv_check_slowly (gpointer instance,
                  gpointer *passed,
                  gboolean (*check) (gpointer instance))
{
  if (!check (instance))
    return FALSE;
  __atomic_store_n (passed, ((GTypeInstance *) instance)->g_class,
                    __ATOMIC_RELAXED);
  return TRUE;
}
