/* sample-pid-file.h - the option --pid-file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _SamplePidFile SamplePidFile;

/* Writes the number of this process into @path. Fails if another process that
 * lives has done so, or if @path is no such file. */
SamplePidFile *sample_pid_file_new (const char *path, GError **error);

/* Removes the file if it is still the one that was written. */
void sample_pid_file_free (SamplePidFile *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SamplePidFile, sample_pid_file_free)

G_END_DECLS
