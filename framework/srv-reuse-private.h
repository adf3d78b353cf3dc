/* srv-reuse-private.h - whether an object may be used again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* Whether nobody but the caller knows @instance: no other reference, no data on
 * it, not even a weak reference. Handlers of signals are not looked for: that
 * takes a lock of the whole process. */
gboolean srv_is_untouched (gpointer instance);

G_END_DECLS
