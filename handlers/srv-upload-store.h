/* srv-upload-store.h - a directory that takes uploads, and its limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

/**
 * SrvUploadExisting:
 * @SRV_UPLOAD_EXISTING_REFUSE: the upload is refused
 * @SRV_UPLOAD_EXISTING_REPLACE: the new file takes the place of the old one,
 *   in one step
 * @SRV_UPLOAD_EXISTING_KEEP_BOTH: the new file gets a number: `a.txt` becomes
 *   `a-2.txt`
 *
 * What happens to an upload whose name is taken.
 */
typedef enum
{
  SRV_UPLOAD_EXISTING_REFUSE,
  SRV_UPLOAD_EXISTING_REPLACE,
  SRV_UPLOAD_EXISTING_KEEP_BOTH,
} SrvUploadExisting;

#define SRV_TYPE_UPLOAD_EXISTING (srv_upload_existing_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_upload_existing_get_type (void);

#define SRV_TYPE_UPLOAD_STORE (srv_upload_store_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvUploadStore,
                      srv_upload_store,
                      SRV,
                      UPLOAD_STORE,
                      GObject)

SRV_AVAILABLE_IN_ALL
SrvUploadStore *srv_upload_store_new (const char *directory, GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_upload_store_clean_up (SrvUploadStore *self, GError **error);

G_END_DECLS
