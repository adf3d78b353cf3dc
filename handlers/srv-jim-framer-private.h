/* srv-jim-framer-private.h - where one JSON object ends and the next begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JIM has no delimiter. The framer looks at each byte once, however the stream
 * was cut into pieces, and hands out whole objects; it knows strings and
 * brackets, and leaves everything else to the parser.
 */

#pragma once

#include "srv-jim-handler.h"

G_BEGIN_DECLS

/* How far a object that is too long is read to find its end. */
#define SRV_JIM_MAX_SKIP (64 * 1024)

#define SRV_JIM_MAX_DEPTH 8

typedef enum
{
  SRV_JIM_FRAME_MORE,     /* everything was read */
  SRV_JIM_FRAME_OBJECT,   /* there is one */
  SRV_JIM_FRAME_TOO_LONG, /* one was skipped; the next can be read */
  SRV_JIM_FRAME_BAD,      /* nothing more can be read */
} SrvJimFrame;

typedef struct
{
  SrvJimFraming framing; /* AUTO until the first byte has come */
  gsize max_bytes;
  GByteArray *object; /* owned; what has come of it */
  gboolean is_handed_out;

  gsize n_bytes; /* of the object, also those that are not kept */
  guint depth;
  gboolean in_string;
  gboolean is_escaped;

  guint n_header; /* with lengths: of the four bytes */
  guint32 n_left; /* and what is still to come */

  gboolean has_begun; /* something other than a byte order mark has come */
  guint n_mark;
  const char *problem; /* after BAD: why, for the log; static */
  gboolean is_tls;     /* after BAD: an answer would not be understood */
} SrvJimFramer;

void srv_jim_framer_init (SrvJimFramer *self,
                          SrvJimFraming framing,
                          gsize max_bytes);
void srv_jim_framer_clear (SrvJimFramer *self);

/* Reads from *@data up to the end of an object, and moves *@data and *@length
 * past what it has read. The object is in self->object until the next call. */
SrvJimFrame srv_jim_framer_next (SrvJimFramer *self,
                                 const guint8 **data,
                                 gsize *length);

/* Whether part of an object has come. */
gboolean srv_jim_framer_is_inside (const SrvJimFramer *self);

G_END_DECLS
