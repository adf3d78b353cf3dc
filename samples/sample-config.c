/* sample-config.c - options from a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A key file, in which each long option is a key. What it says is put in front
 * of the command line: of two values of an option the later one counts, and all
 * is checked by the same code.
 */

#include "sample-config.h"

#include <string.h>

/* The value of the last --config; NULL if there is none. */
static const char *
find_path (char **argv)
{
  const char *path = NULL;

  for (char **word = argv + 1; *word != NULL && strcmp (*word, "--") != 0;
       word++)
    if (strcmp (*word, "--config") == 0 && word[1] != NULL)
      path = *++word;
    else if (g_str_has_prefix (*word, "--config="))
      path = *word + strlen ("--config=");
  return path;
}

/* Endpoints add up: those of the command line stand for all. */
static gboolean
has_endpoints (char **argv)
{
  for (char **word = argv + 1; *word != NULL && strcmp (*word, "--") != 0;
       word++)
    if (g_str_has_prefix (*word, "--listen") || g_str_has_prefix (*word, "-l"))
      return TRUE;
  return FALSE;
}

/* A switch is true or false; a list has semicolons. */
static void
add_option (GPtrArray *words, const char *key, const char *value)
{
  g_auto (GStrv) values = NULL;

  if (strcmp (value, "true") == 0)
    g_ptr_array_add (words, g_strconcat ("--", key, NULL));
  if (strcmp (value, "true") == 0 || strcmp (value, "false") == 0)
    return;
  values = g_strsplit (value, ";", -1);
  for (char **one = values; *one != NULL; one++)
    if (**one != '\0' || values[1] == NULL)
      g_ptr_array_add (words, g_strconcat ("--", key, "=", *one, NULL));
}

static gboolean
add_file (GPtrArray *words,
          char **argv,
          const char *path,
          const char *group,
          GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) keys = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, error) ||
      (keys = g_key_file_get_keys (file, group, NULL, error)) == NULL)
    {
      g_prefix_error (error, "could not read %s: ", path);
      return FALSE;
    }
  for (char **key = keys; *key != NULL; key++)
    {
      g_autofree char *value = g_key_file_get_string (file, group, *key, error);

      if (value == NULL)
        return FALSE;
      if (strcmp (*key, "listen") != 0 || !has_endpoints (argv))
        add_option (words, *key, value);
    }
  return TRUE;
}

char **
sample_config_expand (char **argv, const char *group, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  const char *path = find_path (argv);

  g_ptr_array_add (words, g_strdup (argv[0]));
  if (path != NULL && !add_file (words, argv, path, group, error))
    return NULL;
  for (char **word = argv + 1; *word != NULL; word++)
    g_ptr_array_add (words, g_strdup (*word));
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}
