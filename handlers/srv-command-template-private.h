/* srv-command-template-private.h - one command that clients may run
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _SrvCommandTemplate SrvCommandTemplate;

SrvCommandTemplate *srv_command_template_new (const char *const *argv,
                                              const char *const *patterns,
                                              GError **error);
void srv_command_template_free (SrvCommandTemplate *self);

char **srv_command_template_expand (SrvCommandTemplate *self,
                                    const char *const *arguments,
                                    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvCommandTemplate, srv_command_template_free)

G_END_DECLS
