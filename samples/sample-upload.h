/* sample-upload.h - sends one file after the other over a connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "sample-client.h"

G_BEGIN_DECLS

typedef struct
{
  char *name; /* NULL: that of the file */
  gboolean no_checksum;
  gboolean post;
} SampleUploadOptions;

typedef struct _SampleUpload SampleUpload;

SampleUpload *sample_upload_new (void);
void sample_upload_free (SampleUpload *self);

int sample_upload_send (SampleUpload *self,
                        SampleClient *client,
                        const char *path,
                        const SampleUploadOptions *options,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SampleUpload, sample_upload_free)

G_END_DECLS
