/* srv-framing.h - where one message ends and the next one begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

/**
 * SRV_FRAMING_MAX_SIZE:
 *
 * The largest maximum that a framing can have, in bytes: 1 GiB.
 */
#define SRV_FRAMING_MAX_SIZE ((gsize) 1 << 30)

/**
 * SrvFramingKind:
 * @SRV_FRAMING_KIND_LINE: text that is ended by a newline
 * @SRV_FRAMING_KIND_FIXED: messages of one length
 * @SRV_FRAMING_KIND_BINARY: the length in front, in 1, 2, 4 or 8 bytes
 * @SRV_FRAMING_KIND_DECIMAL: the length in front, in so many decimal digits
 * @SRV_FRAMING_KIND_VARINT: the length in front, in as many bytes as it needs:
 *   seven bits in each, the low ones first (unsigned LEB128)
 * @SRV_FRAMING_KIND_NETSTRING: `5:hello,`
 * @SRV_FRAMING_KIND_END: everything until the stream ends
 *
 * The ways to mark where a message ends.
 */
typedef enum
{
  SRV_FRAMING_KIND_LINE,
  SRV_FRAMING_KIND_FIXED,
  SRV_FRAMING_KIND_BINARY,
  SRV_FRAMING_KIND_DECIMAL,
  SRV_FRAMING_KIND_VARINT,
  SRV_FRAMING_KIND_NETSTRING,
  SRV_FRAMING_KIND_END,
} SrvFramingKind;

#define SRV_TYPE_FRAMING_KIND (srv_framing_kind_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_framing_kind_get_type (void);

#define SRV_TYPE_FRAMING (srv_framing_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvFraming, srv_framing, SRV, FRAMING, GObject)

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_new_line (gsize max_size, gboolean strip_cr);

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_new_fixed (gsize size);

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_new_binary (guint width,
                                    GDataStreamByteOrder byte_order,
                                    gsize max_size);

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_new_decimal (guint width, gsize max_size);

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_new_varint (gsize max_size);

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_new_netstring (gsize max_size);

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_new_end (gsize max_size);

SRV_AVAILABLE_IN_ALL
SrvFraming *srv_framing_parse (const char *notation,
                               gsize max_size,
                               GError **error);

SRV_AVAILABLE_IN_ALL
SrvFramingKind srv_framing_get_kind (SrvFraming *self);

SRV_AVAILABLE_IN_ALL
gsize srv_framing_get_max_size (SrvFraming *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_framing_encode (SrvFraming *self,
                             const void *data,
                             gsize length,
                             GByteArray *output,
                             GError **error);

SRV_AVAILABLE_IN_ALL
GBytes *srv_framing_encode_bytes (SrvFraming *self,
                                  GBytes *bytes,
                                  GError **error);

G_END_DECLS
