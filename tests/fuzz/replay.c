/* replay.c - gives a fuzz target all files of folders, without a fuzzer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Run:   fuzz-NAME FOLDER...
 * See:   a line of TAP for each file. A file that ends the program is the one
 *        behind the last line.
 */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static int n_files;

static gboolean
replay_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  if (!g_file_get_contents (path, &data, &length, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return FALSE;
    }
  LLVMFuzzerTestOneInput ((const uint8_t *) data, length);
  printf ("ok %d - %s\n", ++n_files, name);
  fflush (stdout);
  return TRUE;
}

static gboolean
replay_folder (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;

  if (dir == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return FALSE;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      if (!replay_file (folder, name))
        return FALSE;
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      if (!replay_folder (argv[i]))
        return EXIT_FAILURE;
    }
  printf ("1..%d\n", n_files);
  return n_files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
