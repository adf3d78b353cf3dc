/* srv-frame-output-stream.h - messages written to any stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_FRAME_OUTPUT_STREAM (srv_frame_output_stream_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvFrameOutputStream,
                      srv_frame_output_stream,
                      SRV,
                      FRAME_OUTPUT_STREAM,
                      GFilterOutputStream)

SRV_AVAILABLE_IN_ALL
SrvFrameOutputStream *srv_frame_output_stream_new (GOutputStream *base_stream,
                                                   SrvFraming *framing);

SRV_AVAILABLE_IN_ALL
gboolean srv_frame_output_stream_write_frame (SrvFrameOutputStream *self,
                                              const void *data,
                                              gsize length,
                                              GCancellable *cancellable,
                                              GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_frame_output_stream_write_frame_bytes (SrvFrameOutputStream *self,
                                                    GBytes *bytes,
                                                    GCancellable *cancellable,
                                                    GError **error);

G_END_DECLS
