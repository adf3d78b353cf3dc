/* srv-command-policy.h - which commands clients may run, and within what limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_COMMAND_POLICY (srv_command_policy_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvCommandPolicy,
                      srv_command_policy,
                      SRV,
                      COMMAND_POLICY,
                      GObject)

SRV_AVAILABLE_IN_ALL
SrvCommandPolicy *srv_command_policy_new (void);

SRV_AVAILABLE_IN_ALL
gboolean srv_command_policy_add_command (SrvCommandPolicy *self,
                                         const char *name,
                                         const char *const *argv,
                                         const char *const *patterns,
                                         GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_command_policy_load_file (SrvCommandPolicy *self,
                                       const char *path,
                                       GError **error);

SRV_AVAILABLE_IN_ALL
guint srv_command_policy_get_n_commands (SrvCommandPolicy *self);

SRV_AVAILABLE_IN_ALL
void srv_command_policy_allow_uid (SrvCommandPolicy *self, guint uid);

G_END_DECLS
