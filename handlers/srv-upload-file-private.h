/* srv-upload-file-private.h - one file on its way into a store
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * begin → write, write, … → commit, or abandon at any time. Each step may wait
 * for the disk and touches nothing but its own file, so each can run in another
 * thread than the last.
 */

#pragma once

#include "srv-upload-protocol-private.h"
#include "srv-upload-store-private.h"

G_BEGIN_DECLS

typedef struct _SrvUploadFile SrvUploadFile;

/* The header stays the caller's, and must live as long as the file. */
SrvUploadFile *srv_upload_file_new (SrvUploadStore *store,
                                    const SrvUploadHeader *header);

/* Abandons the file, too, unless it is committed. */
void srv_upload_file_free (SrvUploadFile *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvUploadFile, srv_upload_file_free)

/* What the next write step is to write. */
void srv_upload_file_set_chunk (SrvUploadFile *self,
                                const guint8 *chunk,
                                gsize length);

/* The steps. Each returns FALSE with ERROR set, of SRV_UPLOAD_ERROR. */
gboolean srv_upload_file_begin (SrvUploadFile *self, GError **error);
gboolean srv_upload_file_write (SrvUploadFile *self, GError **error);
gboolean srv_upload_file_commit (SrvUploadFile *self, GError **error);

/* The step after one that failed; it does not fail. What can be resumed is
 * kept. */
gboolean srv_upload_file_abandon (SrvUploadFile *self, GError **error);

/* How much is there. */
guint64 srv_upload_file_get_received (SrvUploadFile *self);

/* After commit: the name that the file really got, and its checksum. */
const char *srv_upload_file_get_name (SrvUploadFile *self);
const char *srv_upload_file_get_checksum (SrvUploadFile *self);

G_END_DECLS
