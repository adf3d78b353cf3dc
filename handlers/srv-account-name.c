/* srv-account-name.c - what accounts may be called
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"

#include <string.h>

#define MAX_CHARACTERS 25

/* Letters of all scripts, with their marks. Symbols, controls and everything
 * that is invisible or turns the direction of text are left out: a name stands
 * beside others' text. */
static gboolean
is_allowed (gunichar c, gboolean is_first)
{
  return g_unichar_isalnum (c) ||
         (!is_first && (c == ' ' || g_unichar_ismark (c))) ||
         (c < 0x80 && strchr ("_-.@", (int) c) != NULL);
}

static const char *
problem_of (const char *name)
{
  if (*name == '\0')
    return "the name is empty";
  if (g_utf8_strlen (name, -1) > MAX_CHARACTERS)
    return "the name has more than 25 characters";
  if (name[strlen (name) - 1] == ' ')
    return "the name ends with a space";
  for (const char *c = name; *c != '\0'; c = g_utf8_next_char (c))
    if (!is_allowed (g_utf8_get_char (c), c == name))
      return "the name has a character that names cannot have";
  return NULL;
}

char *
srv_account_name_normalize (const char *name, GError **error)
{
  g_autofree char *normal = g_utf8_validate (name, -1, NULL)
                              ? g_utf8_normalize (name, -1, G_NORMALIZE_NFC)
                              : NULL;
  const char *problem = normal != NULL ? problem_of (normal)
                                       : "the name is not UTF-8 text";
  g_autofree char *key = NULL;

  if (problem == NULL)
    {
      key = srv_account_name_to_key (normal);
      if (strcmp (key, "all") == 0 || strcmp (key, "server") == 0)
        problem = "the name is reserved";
    }
  if (problem == NULL)
    return g_steal_pointer (&normal);
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BAD_NAME,
                       problem);
  return NULL;
}

char *
srv_account_name_to_key (const char *name)
{
  g_autofree char *folded = NULL;

  /* What is no text is nobody's name. */
  if (!g_utf8_validate (name, -1, NULL))
    return g_strdup ("");
  folded = g_utf8_casefold (name, -1);
  return g_utf8_normalize (folded, -1, G_NORMALIZE_NFC);
}
