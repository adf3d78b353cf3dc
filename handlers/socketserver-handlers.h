/* socketserver-handlers.h - the one header for all ready handlers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

#include "srv-datagram-echo-handler.h"
#include "srv-datagram-upper-handler.h"
#include "srv-echo-handler.h"
#include "srv-event-log.h"
#include "srv-upper-handler.h"
