/* srv-upload-input-private.h - what a client sends, within its time limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-upload-protocol-private.h"
#include "srv-upload-store-private.h"

G_BEGIN_DECLS

typedef struct _SrvUploadInput SrvUploadInput;

/* The handler and the limits stay the caller's. */
SrvUploadInput *srv_upload_input_new (SrvStreamRequestHandler *handler,
                                      const SrvUploadLimits *limits);
void srv_upload_input_free (SrvUploadInput *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvUploadInput, srv_upload_input_free)

/* Reads a header and returns its length; the bytes stand in LINE until the next
 * call. 0 when the client has ended in order, -1 with ERROR set. */
gssize srv_upload_input_read_header (SrvUploadInput *self,
                                     SrvUploadHeader *header,
                                     const guint8 **line,
                                     GError **error);

/* The clock of the body starts. */
void srv_upload_input_begin_body (SrvUploadInput *self);

/* Gives what has come of the body, at most MAX bytes, which stand in CHUNK
 * until the next call. Returns how many; 0 with ERROR set. */
gsize srv_upload_input_read_body (SrvUploadInput *self,
                                  const guint8 **chunk,
                                  guint64 max,
                                  GError **error);

/* All bytes that have come so far. */
guint64 srv_upload_input_get_n_received (SrvUploadInput *self);

G_END_DECLS
