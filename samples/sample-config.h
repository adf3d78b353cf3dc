/* sample-config.h - options from a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* For an option whose value is only looked at here. */
#define SAMPLE_CONFIG_ENTRY(path)                           \
  {                                                         \
    "config", 0, 0, G_OPTION_ARG_FILENAME, (path),          \
      "Take options from FILE; the command line goes over " \
      "them",                                               \
      "FILE"                                                \
  }

/* The arguments with those of the file that --config names in front of them, as
 * a vector of which the caller frees the strings. NULL with an error. */
char **sample_config_expand (char **argv, const char *group, GError **error);

G_END_DECLS
