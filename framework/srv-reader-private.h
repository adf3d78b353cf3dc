/* srv-reader-private.h - the tie between rfile and wfile, and looking ahead
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-reader.h"

G_BEGIN_DECLS

/* Makes the reader flush @writer whenever it has to wait for the client: a
 * client that is waited for must have got its answers. Takes a reference. */
void srv_reader_set_writer (SrvReader *self, SrvWriter *writer);

/* Shows what can be read without asking for more, after waiting for the first
 * byte until @deadline. It stays there until it is consumed. Returns how many
 * bytes there are, 0 at the end of the stream, -1 with @error set. */
gssize srv_reader_peek (SrvReader *self,
                        const guint8 **data,
                        gint64 deadline,
                        GCancellable *cancellable,
                        GError **error);
void srv_reader_consume (SrvReader *self, gsize count);

G_END_DECLS
