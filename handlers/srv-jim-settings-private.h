/* srv-jim-settings-private.h - the properties of JIM handlers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void srv_jim_settings_install (GObjectClass *object_class);

G_END_DECLS
