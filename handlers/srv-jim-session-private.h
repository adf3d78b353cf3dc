/* srv-jim-session-private.h - what a JIM client may do, and when
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-jim-message-private.h"

G_BEGIN_DECLS

struct _SrvJimHandler
{
  SrvChatHandler parent_instance;

  /* Settings. */
  SrvJimFraming framing;
  SrvJimDialect dialect;
  SrvJimAuth auth;
  gboolean is_strict;
  gboolean allows_insecure_auth;
  gboolean broadcasts;
  gboolean gives_notices;
  gboolean stamps;
  guint probe_grace_ms;
  guint partial_timeout_ms;
  guint max_object_bytes;
  guint max_failed_logins;
  guint max_listed;

  /* The client, for its own thread. */
  gboolean is_named;
  gboolean is_authenticated;
  guint n_failed_logins;

  int keys; /* atomic: how the client is written to */
};

/* One object from the client; FALSE when the connection shall end. */
gboolean srv_jim_session_serve (SrvJimHandler *self,
                                const char *text,
                                gsize length);

/* Whether the client may have what is kept for its name: where nobody
 * authenticates the name is enough. */
gboolean srv_jim_session_may_have_mail (SrvJimHandler *self);

/* Whether a name is the client's own, however it is written. */
gboolean srv_jim_session_is_own_name (SrvJimHandler *self, const char *name);

/* Writes what the store keeps for the client, if it may have it. */
gboolean srv_jim_session_fetch (SrvJimHandler *self, GError **error);

/* An answer; @text is nullable. */
void srv_jim_session_answer (SrvJimHandler *self,
                             int code,
                             const char *text,
                             const char *id);

G_END_DECLS
