/* srv-escape.h - bytes from the network, made safe for logs and terminals
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
char *srv_escape (const char *text, gssize length);

G_END_DECLS
