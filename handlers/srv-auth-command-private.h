/* srv-auth-command-private.h - what a client of the auth handler asks for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  SRV_AUTH_BAD, /* no command */
  SRV_AUTH_LOGIN,
  SRV_AUTH_LOGOUT,
  SRV_AUTH_PASSWORD,
  SRV_AUTH_QUIT,
  SRV_AUTH_REGISTER,
  SRV_AUTH_RESUME,
  SRV_AUTH_REVOKE,
  SRV_AUTH_ROTATE,
  SRV_AUTH_SESSIONS,
  SRV_AUTH_WHOAMI,
} SrvAuthVerb;

#define SRV_AUTH_MAX_ARGUMENTS 2

typedef struct
{
  SrvAuthVerb verb;
  const char *word;                        /* the verb, as text */
  char *arguments[SRV_AUTH_MAX_ARGUMENTS]; /* owned: decoded, UTF-8 */
} SrvAuthCommand;

/* The verb is SRV_AUTH_BAD for what cannot be understood. */
void srv_auth_command_parse (SrvAuthCommand *self, const char *line);
void srv_auth_command_clear (SrvAuthCommand *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SrvAuthCommand, srv_auth_command_clear)

G_END_DECLS
