/* srv-auth-session-private.h - one client of the auth handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-account-store.h"
#include "srv-auth-command-private.h"
#include "srv-dialogue-private.h"

G_BEGIN_DECLS

/* The properties of the handler. */
typedef struct
{
  gboolean allow_insecure;
  gboolean allow_register;
  gboolean tutorial;
  guint idle_time_ms;
  guint line_time_ms;
  guint login_time_ms;
  guint max_failures;
  guint max_line;
  guint pause_ms;
} SrvAuthLimits;

/* One connection, for as long as it is served. */
typedef struct
{
  const SrvAuthLimits *limits;
  SrvAccountStore *store; /* borrowed */
  SrvDialogue dialogue;
  const char *address; /* borrowed */
  gboolean is_private; /* nobody else hears what is said */
  char *token;         /* owned; NULL: not logged in */
  guint n_failures;
  gboolean is_over;
} SrvAuthSession;

/* All of a connection in commands, and in the tutorials' dialogue. */
gboolean srv_auth_session_obey (SrvAuthSession *self, GError **error);
gboolean srv_auth_session_greet (SrvAuthSession *self, GError **error);

/* TRUE with a *LINE, TRUE without one at the end, FALSE with an error. */
gboolean srv_auth_session_read (SrvAuthSession *self,
                                guint max_time_ms,
                                char **line,
                                GError **error);
gboolean srv_auth_session_may_have_passwords (SrvAuthSession *self);

G_END_DECLS
