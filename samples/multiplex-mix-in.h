/* multiplex-mix-in.h - echo to all clients by turns, on the loop's own thread
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

SrvMixIn *multiplex_mix_in_new (gsize queue_size, int timeout_ms);

G_END_DECLS
