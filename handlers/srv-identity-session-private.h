/* srv-identity-session-private.h - one client of the identity handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-account-store.h"
#include "srv-dialogue-private.h"

G_BEGIN_DECLS

/* The properties of the handler. */
typedef struct
{
  gboolean disclose;
  gboolean tutorial;
  guint line_time_ms;
  guint max_commands;
  guint max_line;
  guint pause_ms;
} SrvIdentityLimits;

/* One connection, for as long as it is served. */
typedef struct
{
  const SrvIdentityLimits *limits;
  SrvAccountStore *store; /* borrowed */
  SrvDialogue dialogue;
  const char *address; /* borrowed */
} SrvIdentitySession;

/* All of a connection in commands, and in the tutorials' dialogue. */
gboolean srv_identity_session_obey (SrvIdentitySession *self, GError **error);
gboolean srv_identity_session_greet (SrvIdentitySession *self, GError **error);

G_END_DECLS
