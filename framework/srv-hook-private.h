/* srv-hook-private.h - what hooks return, checked in one place
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

gboolean srv_hook_check (gpointer instance,
                         const char *name,
                         gboolean ok,
                         GError *local,
                         GError **error);

G_END_DECLS
