/* srv-spawn-private.h - functions that block, within a limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-spawn.h"

G_BEGIN_DECLS

gboolean srv_offload_until (SrvTaskFunc func,
                            gpointer user_data,
                            gint64 deadline,
                            GError **error);

/* Whether the calling task serves its request alone: nobody has spawned it, and
 * it has spawned nobody who was not joined. */
gboolean srv_spawn_is_alone (void);

G_END_DECLS
