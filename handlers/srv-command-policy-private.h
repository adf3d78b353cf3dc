/* srv-command-policy-private.h - what the handler asks a policy
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-command-plan-private.h"
#include "srv-command-policy.h"

G_BEGIN_DECLS

/* Limits of the dialogue rather than of the process. */
typedef struct
{
  guint max_request_bytes;
  guint request_timeout_ms;
  guint write_timeout_ms;
} SrvCommandDialogueLimits;

struct _SrvCommandPolicy
{
  GObject parent_instance;

  GHashTable *commands; /* SrvCommandTemplate by name */
  GArray *uids;         /* of guint */
  SrvCommandLimits limits;
  SrvCommandDialogueLimits dialogue;
  char *directory;
  gboolean allow_shell;
};

SrvCommandPlan *srv_command_policy_plan (SrvCommandPolicy *self,
                                         const char *const *request,
                                         GError **error);
SrvCommandPlan *srv_command_policy_plan_shell (SrvCommandPolicy *self,
                                               const char *line,
                                               SrvRequest *request,
                                               GError **error);
const SrvCommandDialogueLimits *srv_command_policy_get_dialogue_limits (
  SrvCommandPolicy *self);
gboolean srv_command_policy_is_trusted (SrvRequest *request, GArray *uids);

G_END_DECLS
