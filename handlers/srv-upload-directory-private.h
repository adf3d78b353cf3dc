/* srv-upload-directory-private.h - names and room in an upload directory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

#include "srv-upload-store-private.h"

G_BEGIN_DECLS

/* A temporary file's name begins with one of these, and goes on with its final
 * size in 16 hexadecimal digits, a dash, and 32 digits of its own. */
#define SRV_UPLOAD_TEMPORARY ".srv-upload-t-"
#define SRV_UPLOAD_PARTIAL   ".srv-upload-p-"

/* What a directory holds. */
typedef struct
{
  guint64 bytes; /* of an upload that runs, all that it has announced */
  guint n_files;
} SrvUploadUsage;

/* A system call's failure as an error of an upload. Returns FALSE. */
gboolean srv_upload_fail_errno (const char *what,
                                int saved_errno,
                                GError **error);

/* Opens NAME, one component, in the directory, and never through a link.
 * Returns -1 with errno set. */
int srv_upload_open (int dir_fd, const char *name, int flags, guint mode);

/* Keeps the other threads and processes off the directory until the descriptor
 * is closed. Returns -1 with ERROR set. */
int srv_upload_lock (int dir_fd, GError **error);

/* Adds up what is there without OWN (nullable), and removes what is left of
 * uploads that ended long ago. To be called under the lock. */
gboolean srv_upload_scan (int dir_fd,
                          guint partial_lifetime,
                          const char *own,
                          SrvUploadUsage *usage,
                          GError **error);

/* Whether SIZE bytes more would leave KEEP_FREE on the file system. */
gboolean srv_upload_check_space (int dir_fd,
                                 guint64 size,
                                 guint64 keep_free,
                                 GError **error);

/* Gives a temporary file the name that is wanted, or after EXISTING another
 * one. To be called under the lock. Returns the name that it got, which the
 * caller frees, or NULL with ERROR set. */
char *srv_upload_publish (int dir_fd,
                          const char *temporary,
                          const char *wanted,
                          SrvUploadExisting existing,
                          GError **error);

G_END_DECLS
