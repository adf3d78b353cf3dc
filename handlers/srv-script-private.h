/* srv-script-private.h - the steps of a script
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-script.h"

G_BEGIN_DECLS

typedef enum
{
  SRV_SCRIPT_SAY,
  SRV_SCRIPT_EXPECT,
} SrvScriptVerb;

typedef struct
{
  SrvScriptVerb verb;
  char *text;          /* owned; NULL: any line is as good as another */
  const char *refusal; /* in the text of the script; NULL: none */
} SrvScriptStep;

guint srv_script_get_n_steps (const SrvScript *self);
const SrvScriptStep *srv_script_get_step (const SrvScript *self, guint i);

G_END_DECLS
