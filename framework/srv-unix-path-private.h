/* srv-unix-path-private.h - the claim of a server on a path
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

typedef struct _SrvUnixPath SrvUnixPath;

SrvUnixPath *srv_unix_path_claim (const char *path,
                                  int socket_type,
                                  gboolean take_over,
                                  GError **error);
gboolean srv_unix_path_bind (SrvUnixPath *self,
                             int fd,
                             int mode,
                             int owner,
                             int group,
                             GError **error);
void srv_unix_path_release (SrvUnixPath *self);
int srv_unix_path_get_lock_fd (const SrvUnixPath *self);
void srv_unix_path_free (SrvUnixPath *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvUnixPath, srv_unix_path_free)

G_END_DECLS
