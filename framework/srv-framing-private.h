/* srv-framing-private.h - the fields of a framing, for both directions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-framing.h"

G_BEGIN_DECLS

/* The longest header is a decimal one: 20 digits could overflow 64 bits. A varint
 * has up to 10 bytes, a netstring as many digits as its maximum and a colon. */
#define SRV_FRAMING_MAX_HEADER 19

/* Immutable, so that threads can share one. */
struct _SrvFraming
{
  GObject parent_instance;

  SrvFramingKind kind;
  gsize max_size;    /* of a payload, in bytes */
  guint width;       /* BINARY: bytes, DECIMAL: digits, of the length */
  gboolean big;      /* BINARY: the high byte comes first */
  gboolean strip_cr; /* LINE: a line may end in \r\n as well */
};

gboolean srv_framing_check_size (SrvFraming *self,
                                 guint64 size,
                                 GError **error);
gboolean srv_framing_fail_malformed (const char *why, GError **error);
void srv_framing_append_header (SrvFraming *self,
                                gsize length,
                                GByteArray *output);
gboolean srv_framing_read_header (SrvFraming *self,
                                  const guint8 *header,
                                  guint length,
                                  guint64 *size,
                                  gboolean *complete,
                                  GError **error);

G_END_DECLS
