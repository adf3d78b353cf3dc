/* sample-progress.h - how far something long is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SampleProgress SampleProgress;

SampleProgress *sample_progress_new (const char *title,
                                     guint64 total,
                                     guint64 done,
                                     gboolean quiet);
void sample_progress_free (SampleProgress *self);

void sample_progress_update (SampleProgress *self, guint64 done);
void sample_progress_end (SampleProgress *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SampleProgress, sample_progress_free)

G_END_DECLS
