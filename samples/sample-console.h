/* sample-console.h - a terminal on which to type while lines come in
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SampleConsole SampleConsole;

SampleConsole *sample_console_new (void);
void sample_console_free (SampleConsole *self);

gboolean sample_console_is_terminal (SampleConsole *self);
void sample_console_set_prompt (SampleConsole *self,
                                const char *prompt,
                                guint tag);
gboolean sample_console_offer_prompt (SampleConsole *self,
                                      const char *prompt,
                                      guint tag);
void sample_console_show (SampleConsole *self, const char *format, ...)
  G_GNUC_PRINTF (2, 3);

gboolean sample_console_read_input (SampleConsole *self);
char *sample_console_take_line (SampleConsole *self,
                                guint *tag,
                                gboolean *ended);
char *sample_console_read_line (SampleConsole *self, guint *tag);
void sample_console_stop (SampleConsole *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SampleConsole, sample_console_free)

G_END_DECLS
