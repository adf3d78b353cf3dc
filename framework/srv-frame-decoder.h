/* srv-frame-decoder.h - bytes in any pieces become messages
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_FRAME_DECODER (srv_frame_decoder_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvFrameDecoder,
                      srv_frame_decoder,
                      SRV,
                      FRAME_DECODER,
                      GObject)

SRV_AVAILABLE_IN_ALL
SrvFrameDecoder *srv_frame_decoder_new (SrvFraming *framing);

SRV_AVAILABLE_IN_ALL
gssize srv_frame_decoder_feed (SrvFrameDecoder *self,
                               const void *data,
                               gsize length,
                               GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_frame_decoder_end (SrvFrameDecoder *self, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_frame_decoder_has_frame (SrvFrameDecoder *self);

SRV_AVAILABLE_IN_ALL
const guint8 *srv_frame_decoder_get_frame (SrvFrameDecoder *self,
                                           gsize *length);

SRV_AVAILABLE_IN_ALL
GBytes *srv_frame_decoder_take_frame (SrvFrameDecoder *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_frame_decoder_is_between (SrvFrameDecoder *self);

SRV_AVAILABLE_IN_ALL
GBytes *srv_frame_decoder_dup_unfinished (SrvFrameDecoder *self);

G_END_DECLS
