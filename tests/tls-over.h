/* tls-over.h - lays TLS over the connections of clients that ask for it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

/* What the first byte of a client is that speaks TLS. */
#define TLS_RECORD 0x16

/* Whether GIO has TLS here; that is glib-networking. */
gboolean tls_over_is_there (void);

/* For `setup`: waits for the first byte of the client, and if it begins a
 * handshake, shakes hands and sets the stream. Who speaks otherwise is served
 * without TLS. */
gboolean tls_over_set_up (SrvStreamRequestHandler *handler,
                          GTlsCertificate *certificate,
                          int timeout_ms,
                          GError **error);
