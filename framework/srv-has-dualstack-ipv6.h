/* srv-has-dualstack-ipv6.h - can one socket serve IPv6 and IPv4?
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

SRV_AVAILABLE_IN_ALL
gboolean srv_has_dualstack_ipv6 (void);

G_END_DECLS
