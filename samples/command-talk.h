/* command-talk.h - asks a command server, shows its answers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "sample-client.h"

#include <socketserver-handlers.h>

G_BEGIN_DECLS

#define COMMAND_MAX_LINE 4096

typedef struct
{
  double wait_s;
  gboolean shell;
  gboolean raw;
  gboolean tutorial;
} CommandOptions;

typedef struct _CommandTalk CommandTalk;

CommandTalk *command_talk_new (SampleClient *client,
                               const CommandOptions *options);
void command_talk_free (CommandTalk *self);

gboolean command_talk_run (CommandTalk *self, const char *line, GError **error);
int command_talk_get_status (CommandTalk *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CommandTalk, command_talk_free)

G_END_DECLS
