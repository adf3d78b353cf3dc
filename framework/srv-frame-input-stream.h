/* srv-frame-input-stream.h - messages read from any stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_FRAME_INPUT_STREAM (srv_frame_input_stream_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvFrameInputStream,
                      srv_frame_input_stream,
                      SRV,
                      FRAME_INPUT_STREAM,
                      GFilterInputStream)

SRV_AVAILABLE_IN_ALL
SrvFrameInputStream *srv_frame_input_stream_new (GInputStream *base_stream,
                                                 SrvFraming *framing);

SRV_AVAILABLE_IN_ALL
gboolean srv_frame_input_stream_read_frame (SrvFrameInputStream *self,
                                            const guint8 **frame,
                                            gsize *length,
                                            GCancellable *cancellable,
                                            GError **error);

SRV_AVAILABLE_IN_ALL
GBytes *srv_frame_input_stream_read_frame_bytes (SrvFrameInputStream *self,
                                                 GCancellable *cancellable,
                                                 GError **error);

SRV_AVAILABLE_IN_ALL
GBytes *srv_frame_input_stream_dup_unfinished (SrvFrameInputStream *self);

SRV_AVAILABLE_IN_ALL
void srv_frame_input_stream_set_deadline (SrvFrameInputStream *self,
                                          gint64 deadline);

G_END_DECLS
