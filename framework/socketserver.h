/* socketserver.h - the one header that users include
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-request-handler.h"
#include "srv-base-server.h"
#include "srv-connection.h"
#include "srv-create-server.h"
#include "srv-datagram-request-handler.h"
#include "srv-datagram-server.h"
#include "srv-datagram.h"
#include "srv-endpoint.h"
#include "srv-enums.h"
#include "srv-error.h"
#include "srv-escape.h"
#include "srv-fiber-mix-in.h"
#include "srv-forking-mix-in.h"
#include "srv-mix-in.h"
#include "srv-mixed-servers.h"
#include "srv-reader.h"
#include "srv-request.h"
#include "srv-signals.h"
#include "srv-spawn.h"
#include "srv-stream-request-handler.h"
#include "srv-stream-server.h"
#include "srv-sync.h"
#include "srv-tcp-server.h"
#include "srv-threading-mix-in.h"
#include "srv-types.h"
#include "srv-udp-server.h"
#include "srv-unix-datagram-server.h"
#include "srv-unix-stream-server.h"
#include "srv-version.h"
#include "srv-visibility.h"
#include "srv-wait.h"
#include "srv-writer.h"
