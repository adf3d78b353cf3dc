/* srv-command-policy-file.c - a policy from a key file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is not known is an error, not ignored: a limit with a misspelt name
 * would be no limit.
 */

#include "config.h"

#include "srv-command-policy-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define COMMAND_PREFIX "command "
#define PATTERN_PREFIX "pattern-"

static gboolean
fail_unknown (const char *what, const char *name, GError **error)
{
  g_autofree char *shown = srv_escape (name, -1);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "unknown %s \"%s\"",
               what, shown);
  return FALSE;
}

/* The shell is allowed by a program, never by a file. */
static GParamSpec *
find_setting (SrvCommandPolicy *self, const char *key)
{
  GParamSpec *pspec =
    g_object_class_find_property (G_OBJECT_GET_CLASS (self), key);

  return pspec != NULL && pspec->value_type != G_TYPE_BOOLEAN ? pspec : NULL;
}

static gboolean
fill_value (GKeyFile *file, GParamSpec *pspec, GValue *value, GError **error)
{
  const char *key = g_param_spec_get_name (pspec);
  g_autofree char *text = g_key_file_get_string (file, "policy", key, error);
  guint64 number;

  if (text == NULL)
    return FALSE;
  g_value_init (value, pspec->value_type);
  if (pspec->value_type == G_TYPE_STRING)
    g_value_set_string (value, text);
  else if (!g_ascii_string_to_unsigned (text, 10, 0,
                                        pspec->value_type == G_TYPE_UINT
                                          ? G_MAXUINT
                                          : G_MAXUINT64,
                                        &number, error))
    return FALSE;
  else if (pspec->value_type == G_TYPE_UINT)
    g_value_set_uint (value, (guint) number);
  else
    g_value_set_uint64 (value, number);
  if (g_param_value_is_valid (pspec, value))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "\"%s\" is out of range", key);
  return FALSE;
}

static gboolean
load_setting (SrvCommandPolicy *self,
              GKeyFile *file,
              const char *key,
              GError **error)
{
  GParamSpec *pspec = find_setting (self, key);
  g_auto (GValue) value = G_VALUE_INIT;

  if (pspec == NULL)
    return fail_unknown ("setting", key, error);
  if (!fill_value (file, pspec, &value, error))
    return FALSE;
  g_object_set_property (G_OBJECT (self), key, &value);
  return TRUE;
}

static gboolean
load_settings (SrvCommandPolicy *self, GKeyFile *file, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, "policy", NULL, error);

  for (char **key = keys; key != NULL && *key != NULL; key++)
    if (!load_setting (self, file, *key, error))
      return FALSE;
  return keys != NULL;
}

/* pattern-1, pattern-2 and so on, as long as there are any. */
static GStrv
load_patterns (GKeyFile *file, const char *group)
{
  g_autoptr (GStrvBuilder) patterns = g_strv_builder_new ();

  for (guint i = 1;; i++)
    {
      g_autofree char *key = g_strdup_printf (PATTERN_PREFIX "%u", i);
      g_autofree char *pattern = g_key_file_get_string (file, group, key, NULL);

      if (pattern == NULL)
        return g_strv_builder_end (patterns);
      g_strv_builder_add (patterns, pattern);
    }
}

static gboolean
load_command (SrvCommandPolicy *self,
              GKeyFile *file,
              const char *group,
              GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, error);
  g_auto (GStrv) argv = NULL;
  g_auto (GStrv) patterns = load_patterns (file, group);
  const guint n_known = 1 + g_strv_length (patterns);

  if (keys == NULL)
    return FALSE;
  argv = g_key_file_get_string_list (file, group, "argv", NULL, error);
  if (argv == NULL)
    return FALSE;
  for (char **key = keys; *key != NULL; key++)
    if (strcmp (*key, "argv") != 0 && !g_str_has_prefix (*key, PATTERN_PREFIX))
      return fail_unknown ("key", *key, error);
  if (g_strv_length (keys) != n_known)
    return fail_unknown ("pattern in", group, error);
  return srv_command_policy_add_command (self, group + strlen (COMMAND_PREFIX),
                                         (const char *const *) argv,
                                         (const char *const *) patterns, error);
}

static gboolean
load_groups (SrvCommandPolicy *self, GKeyFile *file, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  for (char **group = groups; *group != NULL; group++)
    {
      gboolean ok;

      if (strcmp (*group, "policy") == 0)
        ok = load_settings (self, file, error);
      else if (g_str_has_prefix (*group, COMMAND_PREFIX))
        ok = load_command (self, file, *group, error);
      else
        ok = fail_unknown ("group", *group, error);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

/* Whoever may write to it may run what he likes as the server's user. */
static gboolean
check_mode (const char *path, GError **error)
{
  struct stat status;

  if (stat (path, &status) != 0)
    {
      g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno),
                           g_strerror (errno));
      return FALSE;
    }
  if ((status.st_mode & S_IWOTH) == 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                       "everybody may write to it");
  return FALSE;
}

/**
 * srv_command_policy_load_file:
 * @self: a policy
 * @path: (type filename): a key file
 * @error: return location for a [struct@GLib.Error]
 *
 * Reads limits and allowed commands from a file, before the server runs.
 *
 * The group `policy` sets properties of the policy by their names, except
 * [property@SocketServerHandlers.CommandPolicy:allow-shell]. A group `command
 * NAME` allows a command: `argv` is the list for
 * [method@SocketServerHandlers.CommandPolicy.add_command], with semicolons
 * between its elements, and `pattern-1` to `pattern-9` are the patterns. In
 * both a backslash is written twice, as always in key files.
 *
 * Fails with what the system reports, a [error@GLib.KeyFileError], or
 * %G_IO_ERROR_INVALID_DATA for what is not known; what stands before the
 * mistake was taken. Fails with %G_IO_ERROR_PERMISSION_DENIED when everybody
 * may write to the file.
 *
 * Threads: one, before the server runs.
 *
 * Returns: %TRUE if all of it was understood, %FALSE with @error set otherwise
 */
gboolean
srv_command_policy_load_file (SrvCommandPolicy *self,
                              const char *path,
                              GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  g_return_val_if_fail (SRV_IS_COMMAND_POLICY (self), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (check_mode (path, error) &&
      g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, error) &&
      load_groups (self, file, error))
    return TRUE;
  g_prefix_error (error, "could not load the commands of %s: ", path);
  return FALSE;
}
