/* srv-command-template.c - one command that clients may run
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An argument vector in which {1} to {9} stand for arguments of the client.
 * There is no shell: what is put in stays one argument, whatever is in it. Each
 * argument must match its pattern as a whole, so that it can be neither an
 * option nor a path where none is wanted.
 */

#include "config.h"

#include "srv-command-template-private.h"

#include <gio/gio.h>
#include <string.h>

/* Cannot begin with a dash, and has no slash. */
#define DEFAULT_PATTERN "[A-Za-z0-9][A-Za-z0-9._-]*"

struct _SrvCommandTemplate
{
  char **argv;
  GPtrArray *patterns; /* of GRegex, one for each argument */
};

/* Which argument a placeholder stands for, from 1; 0 if it is none. */
static guint
placeholder_at (const char *text)
{
  if (text[0] == '{' && text[1] >= '1' && text[1] <= '9' && text[2] == '}')
    return (guint) (text[1] - '0');
  return 0;
}

static gboolean
fail (GError **error, const char *problem)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, problem);
  return FALSE;
}

/* How many arguments the client has to give: all up to the highest. */
static gboolean
count_placeholders (const char *const *argv, guint *count, GError **error)
{
  guint used = 0;

  *count = 0;
  for (gsize i = 0; argv[i] != NULL; i++)
    for (const char *next = argv[i]; *next != '\0'; next++)
      {
        const guint number = placeholder_at (next);

        used |= number > 0 ? 1U << number : 0;
        *count = MAX (*count, number);
      }
  for (guint number = 1; number <= *count; number++)
    if ((used & (1U << number)) == 0)
      return fail (error, "a placeholder is left out");
  return TRUE;
}

/* `$` would also match before a newline at the end. */
static GRegex *
compile (const char *pattern, GError **error)
{
  g_autofree char *whole = g_strdup_printf ("\\A(?:%s)\\z", pattern);

  return g_regex_new (whole, G_REGEX_OPTIMIZE, 0, error);
}

static gboolean
compile_all (SrvCommandTemplate *self,
             guint n_arguments,
             const char *const *patterns,
             GError **error)
{
  guint n_patterns = patterns != NULL ? g_strv_length ((char **) patterns) : 0;

  if (n_patterns > n_arguments)
    return fail (error, "there is a pattern for an argument that is not used");
  for (guint i = 0; i < n_arguments; i++)
    {
      GRegex *regex =
        compile (i < n_patterns ? patterns[i] : DEFAULT_PATTERN, error);

      if (regex == NULL)
        return FALSE;
      g_ptr_array_add (self->patterns, regex);
    }
  return TRUE;
}

SrvCommandTemplate *
srv_command_template_new (const char *const *argv,
                          const char *const *patterns,
                          GError **error)
{
  g_autoptr (SrvCommandTemplate) self = g_new0 (SrvCommandTemplate, 1);
  guint n_arguments;

  self->argv = g_strdupv ((char **) argv);
  self->patterns =
    g_ptr_array_new_with_free_func ((GDestroyNotify) g_regex_unref);
  if (argv[0] == NULL || !g_path_is_absolute (argv[0]) ||
      strchr (argv[0], '{') != NULL)
    fail (error, "the program must be an absolute path without placeholders");
  else if (count_placeholders (argv, &n_arguments, error) &&
           compile_all (self, n_arguments, patterns, error))
    return g_steal_pointer (&self);
  return NULL;
}

void
srv_command_template_free (SrvCommandTemplate *self)
{
  g_strfreev (self->argv);
  g_ptr_array_unref (self->patterns);
  g_free (self);
}

/* A pattern that needs too long for an argument fails, which is no match. */
static gboolean
check_arguments (SrvCommandTemplate *self,
                 const char *const *arguments,
                 GError **error)
{
  if (g_strv_length ((char **) arguments) != self->patterns->len)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "wrong number of arguments, %u expected",
                   self->patterns->len);
      return FALSE;
    }
  for (guint i = 0; i < self->patterns->len; i++)
    if (!g_regex_match (self->patterns->pdata[i], arguments[i], 0, NULL))
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                     "argument %u is not allowed", i + 1);
        return FALSE;
      }
  return TRUE;
}

static char *
fill_in (const char *text, const char *const *arguments)
{
  GString *filled = g_string_new (NULL);

  while (*text != '\0')
    {
      const guint number = placeholder_at (text);

      if (number > 0)
        g_string_append (filled, arguments[number - 1]);
      else
        g_string_append_c (filled, *text);
      text += number > 0 ? 3 : 1;
    }
  return g_string_free (filled, FALSE);
}

/* The argument vector to execute, or NULL when the arguments are not allowed. */
char **
srv_command_template_expand (SrvCommandTemplate *self,
                             const char *const *arguments,
                             GError **error)
{
  const guint length = g_strv_length (self->argv);
  char **argv;

  if (!check_arguments (self, arguments, error))
    return NULL;
  argv = g_new0 (char *, length + 1);
  for (guint i = 0; i < length; i++)
    argv[i] = fill_in (self->argv[i], arguments);
  return argv;
}
