/* srv-spawn.h - more than one thing at a time in a handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

/**
 * SrvTaskFunc:
 * @user_data: what was given with the function
 *
 * What a task does.
 */
typedef void (*SrvTaskFunc) (gpointer user_data);

SRV_AVAILABLE_IN_ALL
gboolean srv_spawn (SrvTaskFunc func,
                    gpointer user_data,
                    GDestroyNotify destroy,
                    GError **error);

SRV_AVAILABLE_IN_ALL
void srv_spawn_join (void);

SRV_AVAILABLE_IN_ALL
gboolean srv_offload (SrvTaskFunc func, gpointer user_data, GError **error);

G_END_DECLS
