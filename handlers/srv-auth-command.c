/* srv-auth-command.c - what a client of the auth handler asks for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-auth-command-private.h"
#include "srv-secret-private.h"

#include <string.h>

static const struct
{
  const char *word;
  SrvAuthVerb verb;
  guint n_arguments;
} verbs[] = {
  { "login", SRV_AUTH_LOGIN, 2 },       { "logout", SRV_AUTH_LOGOUT, 0 },
  { "password", SRV_AUTH_PASSWORD, 2 }, { "quit", SRV_AUTH_QUIT, 0 },
  { "register", SRV_AUTH_REGISTER, 2 }, { "resume", SRV_AUTH_RESUME, 1 },
  { "revoke", SRV_AUTH_REVOKE, 1 },     { "rotate", SRV_AUTH_ROTATE, 0 },
  { "sessions", SRV_AUTH_SESSIONS, 0 }, { "whoami", SRV_AUTH_WHOAMI, 0 },
};

/* Up to the next space. NULL for an escape that is wrong, and for what is not
 * text afterwards. */
static char *
decode (const char *start, const char *end)
{
  char *decoded = g_uri_unescape_segment (start, end, NULL);

  if (decoded != NULL && g_utf8_validate (decoded, -1, NULL))
    return decoded;
  srv_secret_free (decoded);
  return NULL;
}

static gboolean
parse_arguments (SrvAuthCommand *self, const char *rest, guint n_arguments)
{
  for (guint i = 0; i < n_arguments; i++)
    {
      const char *end;

      if (*rest != ' ')
        return FALSE;
      rest++;
      end = rest + strcspn (rest, " ");
      self->arguments[i] = decode (rest, end);
      if (self->arguments[i] == NULL)
        return FALSE;
      rest = end;
    }
  return *rest == '\0';
}

void
srv_auth_command_parse (SrvAuthCommand *self, const char *line)
{
  const gsize length = strcspn (line, " ");

  *self = (SrvAuthCommand){ .verb = SRV_AUTH_BAD, .word = "?" };
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (strlen (verbs[i].word) == length &&
        strncmp (verbs[i].word, line, length) == 0)
      {
        self->word = verbs[i].word;
        if (parse_arguments (self, line + length, verbs[i].n_arguments))
          self->verb = verbs[i].verb;
        return;
      }
}

void
srv_auth_command_clear (SrvAuthCommand *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->arguments); i++)
    g_clear_pointer (&self->arguments[i], srv_secret_free);
}
