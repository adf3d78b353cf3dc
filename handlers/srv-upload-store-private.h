/* srv-upload-store-private.h - what uploads ask of their store
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-upload-store.h"

G_BEGIN_DECLS

/* The store's properties; constant while a server serves. */
typedef struct
{
  guint64 max_file_size;
  guint64 quota;
  guint64 keep_free;
  guint max_files;
  guint partial_lifetime; /* seconds */
  guint file_mode;
  SrvUploadExisting existing;
  int stall_timeout; /* milliseconds */
  guint min_rate;    /* bytes per second; 0: any */
  gboolean allow_post;
} SrvUploadLimits;

const SrvUploadLimits *srv_upload_store_get_limits (SrvUploadStore *self);

/* Stays the store's. */
int srv_upload_store_get_fd (SrvUploadStore *self);

G_END_DECLS
