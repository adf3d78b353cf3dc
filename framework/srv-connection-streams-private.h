/* srv-connection-streams-private.h - the two halves of a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-connection.h"

G_BEGIN_DECLS

#define SRV_TYPE_CONNECTION_INPUT_STREAM \
  (srv_connection_input_stream_get_type ())
G_DECLARE_FINAL_TYPE (SrvConnectionInputStream,
                      srv_connection_input_stream,
                      SRV,
                      CONNECTION_INPUT_STREAM,
                      GInputStream)

#define SRV_TYPE_CONNECTION_OUTPUT_STREAM \
  (srv_connection_output_stream_get_type ())
G_DECLARE_FINAL_TYPE (SrvConnectionOutputStream,
                      srv_connection_output_stream,
                      SRV,
                      CONNECTION_OUTPUT_STREAM,
                      GOutputStream)

/* The streams borrow the connection, which owns them; it forgets itself in
 * them when it goes before they do. */
GInputStream *srv_connection_input_stream_new (SrvConnection *connection);
void srv_connection_input_stream_forget (GInputStream *stream);
SrvConnection *srv_connection_input_stream_get_connection (
  GInputStream *stream);

GOutputStream *srv_connection_output_stream_new (SrvConnection *connection);
void srv_connection_output_stream_forget (GOutputStream *stream);
SrvConnection *srv_connection_output_stream_get_connection (
  GOutputStream *stream);

G_END_DECLS
