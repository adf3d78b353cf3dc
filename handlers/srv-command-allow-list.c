/* srv-command-allow-list.c - from a request to what is run, if it is allowed
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-command-policy-private.h"
#include "srv-command-template-private.h"

#include <string.h>

#define MAX_NAME_LENGTH 64
#define SHELL           "/bin/sh"

static const char *const default_environment[] = {
  "PATH=/usr/local/bin:/usr/bin:/bin",
  "LANG=C.UTF-8",
  "HOME=/",
  NULL,
};

void
srv_command_plan_free (SrvCommandPlan *plan)
{
  g_strfreev (plan->argv);
  g_strfreev (plan->environment);
  g_free (plan->directory);
  g_free (plan);
}

static SrvCommandPlan *
make_plan (SrvCommandPolicy *self, char **argv)
{
  SrvCommandPlan *plan = g_new0 (SrvCommandPlan, 1);

  plan->argv = argv;
  plan->environment = g_strdupv ((char **) default_environment);
  plan->directory = g_strdup (self->directory);
  plan->limits = self->limits;
  return plan;
}

/* What to run for a request of name and arguments; NULL if it is not allowed.
 * The messages go to the client. */
SrvCommandPlan *
srv_command_policy_plan (SrvCommandPolicy *self,
                         const char *const *request,
                         GError **error)
{
  SrvCommandTemplate *template =
    g_hash_table_lookup (self->commands, request[0]);
  char **argv;

  if (template == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                           "unknown command");
      return NULL;
    }
  argv = srv_command_template_expand (template, request + 1, error);
  return argv != NULL ? make_plan (self, argv) : NULL;
}

/* The same for a line for the shell. */
SrvCommandPlan *
srv_command_policy_plan_shell (SrvCommandPolicy *self,
                               const char *line,
                               SrvRequest *request,
                               GError **error)
{
  const char *const argv[] = { SHELL, "-c", line, NULL };

  if (self->allow_shell && srv_command_policy_is_trusted (request, self->uids))
    return make_plan (self, g_strdupv ((char **) argv));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                       "the shell is not allowed");
  return NULL;
}

const SrvCommandDialogueLimits *
srv_command_policy_get_dialogue_limits (SrvCommandPolicy *self)
{
  return &self->dialogue;
}

static gboolean
is_good_name (const char *name)
{
  const gsize length =
    strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");

  return length > 0 && length <= MAX_NAME_LENGTH && name[length] == '\0';
}

/**
 * srv_command_policy_add_command:
 * @self: a policy
 * @name: what clients call it: 1 to 64 letters, digits, dots, underscores and
 *   dashes
 * @argv: (array zero-terminated=1): program and arguments; the program is an
 *   absolute path, in the others `{1}` to `{9}` stand for arguments of the
 *   client, all of which must be given
 * @patterns: (array zero-terminated=1) (nullable): a regular expression for
 *   each argument of the client, which must match as a whole; where it is
 *   missing, letters, digits, dots, underscores and dashes, not beginning with
 *   a dot, an underscore or a dash
 * @error: return location for a [struct@GLib.Error]
 *
 * Allows a command, before the server runs. A command of the same name is
 * replaced.
 *
 * Fails with %G_IO_ERROR_INVALID_ARGUMENT, or a [error@GLib.RegexError].
 *
 * Threads: one, before the server runs.
 *
 * Returns: %TRUE if clients may run it now, %FALSE with @error set otherwise
 */
gboolean
srv_command_policy_add_command (SrvCommandPolicy *self,
                                const char *name,
                                const char *const *argv,
                                const char *const *patterns,
                                GError **error)
{
  SrvCommandTemplate *template = NULL;
  g_autoptr (GError) local = NULL;

  g_return_val_if_fail (SRV_IS_COMMAND_POLICY (self), FALSE);
  g_return_val_if_fail (name != NULL && argv != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!is_good_name (name))
    g_set_error_literal (&local, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                         "this is no name for a command");
  else
    template = srv_command_template_new (argv, patterns, &local);
  if (template != NULL)
    {
      g_hash_table_replace (self->commands, g_strdup (name), template);
      return TRUE;
    }
  g_propagate_prefixed_error (error, g_steal_pointer (&local),
                              "could not allow the command \"%s\": ", name);
  return FALSE;
}

/**
 * srv_command_policy_get_n_commands:
 * @self: a policy
 *
 * Gets how many commands are allowed.
 *
 * Threads: any.
 *
 * Returns: how many
 */
guint
srv_command_policy_get_n_commands (SrvCommandPolicy *self)
{
  g_return_val_if_fail (SRV_IS_COMMAND_POLICY (self), 0);
  return g_hash_table_size (self->commands);
}

/**
 * srv_command_policy_allow_uid:
 * @self: a policy
 * @uid: number of a user
 *
 * Lets another user than the server's own use the shell over a Unix socket, if
 * [property@SocketServerHandlers.CommandPolicy:allow-shell] is set.
 *
 * Threads: one, before the server runs.
 */
void
srv_command_policy_allow_uid (SrvCommandPolicy *self, guint uid)
{
  g_return_if_fail (SRV_IS_COMMAND_POLICY (self));
  g_array_append_val (self->uids, uid);
}
