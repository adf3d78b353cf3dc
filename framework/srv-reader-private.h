/* srv-reader-private.h - the tie between rfile and wfile
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-reader.h"

G_BEGIN_DECLS

/* Makes the reader flush @writer whenever it has to wait for the client: a
 * client that is waited for must have got its answers. Takes a reference. */
void srv_reader_set_writer (SrvReader *self, SrvWriter *writer);

G_END_DECLS
