/* fuzz-auth.c - any line to the parser of the auth handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Whatever it is: a command is understood with all its arguments, each text, or
 * not at all; and what was understood is understood again when it is written
 * anew.
 */

#include "fuzz.h"

#include "srv-auth-command-private.h"

static void
assert_sound (const SrvAuthCommand *command)
{
  g_assert_nonnull (command->word);
  for (gsize i = 0; i < G_N_ELEMENTS (command->arguments); i++)
    g_assert_true (command->arguments[i] == NULL ||
                   g_utf8_validate (command->arguments[i], -1, NULL));
}

static void
assert_comes_back (const SrvAuthCommand *command)
{
  g_autoptr (GString) line = g_string_new (command->word);
  g_auto (SrvAuthCommand) again = { 0 };

  for (gsize i = 0;
       i < G_N_ELEMENTS (command->arguments) && command->arguments[i] != NULL;
       i++)
    {
      g_autofree char *escaped =
        g_uri_escape_string (command->arguments[i], NULL, FALSE);

      g_string_append_printf (line, " %s", escaped);
    }
  srv_auth_command_parse (&again, line->str);
  g_assert_cmpint (again.verb, ==, command->verb);
  for (gsize i = 0; i < G_N_ELEMENTS (command->arguments); i++)
    g_assert_cmpstr (again.arguments[i], ==, command->arguments[i]);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *line = g_strndup ((const char *) data, size);
  g_auto (SrvAuthCommand) command = { 0 };

  srv_auth_command_parse (&command, line);
  assert_sound (&command);
  if (command.verb != SRV_AUTH_BAD)
    assert_comes_back (&command);
  return 0;
}
