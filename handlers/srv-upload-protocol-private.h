/* srv-upload-protocol-private.h - the words of an upload: header and verdict
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The longest header: a name of 255 bytes, each written %XX, and the rest. */
#define SRV_UPLOAD_MAX_HEADER 1024

/* Why an upload was refused. Each has a word of the protocol. */
#define SRV_UPLOAD_ERROR (srv_upload_error_quark ())

typedef enum
{
  SRV_UPLOAD_ERROR_BAD_HEADER,
  SRV_UPLOAD_ERROR_BAD_SIZE,
  SRV_UPLOAD_ERROR_BAD_NAME,
  SRV_UPLOAD_ERROR_TOO_LARGE,
  SRV_UPLOAD_ERROR_QUOTA,
  SRV_UPLOAD_ERROR_NO_SPACE,
  SRV_UPLOAD_ERROR_EXISTS,
  SRV_UPLOAD_ERROR_BUSY,
  SRV_UPLOAD_ERROR_CHECKSUM,
  SRV_UPLOAD_ERROR_TRUNCATED,
  SRV_UPLOAD_ERROR_TIMEOUT,
  SRV_UPLOAD_ERROR_STOPPING,
  SRV_UPLOAD_ERROR_FAILED,
} SrvUploadError;

GQuark srv_upload_error_quark (void);

/* What a client announces. */
typedef struct
{
  gboolean is_post; /* the tutorial's header: no replies */
  guint64 size;     /* at most G_MAXINT64 */
  char *checksum;   /* owned, nullable: SHA-256, lower-case hexadecimal */
  char *name;       /* owned; may hold NULs until it is checked */
  gsize name_length;
} SrvUploadHeader;

void srv_upload_header_clear (SrvUploadHeader *header);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SrvUploadHeader, srv_upload_header_clear)

/* Reads a header from the bytes that have arrived. Returns how many belong to
 * it; 0 when more are needed; -1 with ERROR set when no header can come of
 * them. HEADER is filled in the first case only, but whether it is the
 * tutorial's is told in any. */
gssize srv_upload_header_parse (const char *data,
                                gsize length,
                                gboolean allow_post,
                                SrvUploadHeader *header,
                                GError **error);

/* Whether a file can be given this name: one plain component. */
gboolean srv_upload_check_name (const char *name, gsize length, GError **error);

/* The replies, each a line. */
char *srv_upload_format_go (guint64 offset);
char *srv_upload_format_stored (guint64 size,
                                const char *name,
                                const char *checksum);
char *srv_upload_format_refused (const GError *error);

G_END_DECLS
