/* srv-reuse.c - whether an object may be used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-reuse-private.h"

gboolean
srv_is_untouched (gpointer instance)
{
  GObject *object = instance;

  return g_atomic_int_get (&object->ref_count) == 1 &&
         g_atomic_pointer_get (&object->qdata) == NULL;
}
