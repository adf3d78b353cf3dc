/* srv-auth-commands.c - the auth handler's own protocol
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-auth-session-private.h"
#include "srv-secret-private.h"

#include <string.h>

static const char *const refusals[] = {
  [SRV_ACCOUNT_ERROR_BAD_NAME] = "refused name\n",
  [SRV_ACCOUNT_ERROR_BAD_PASSWORD] = "refused password\n",
  [SRV_ACCOUNT_ERROR_EXISTS] = "refused exists\n",
  [SRV_ACCOUNT_ERROR_NOT_FOUND] = "refused missing\n",
  [SRV_ACCOUNT_ERROR_REFUSED] = "refused login\n",
  [SRV_ACCOUNT_ERROR_BANNED] = "refused banned\n",
  [SRV_ACCOUNT_ERROR_BUSY] = "busy\n",
  [SRV_ACCOUNT_ERROR_FULL] = "refused full\n",
  [SRV_ACCOUNT_ERROR_BAD_SESSION] = "refused session\n",
};

static gboolean
say (SrvAuthSession *self, const char *answer, GError **error)
{
  return srv_dialogue_say (&self->dialogue, error, "%s", answer);
}

/* Somebody who guesses loses the connection before long. */
static void
count_failure (SrvAuthSession *self, int code)
{
  if (code == SRV_ACCOUNT_ERROR_BAD_SESSION)
    g_clear_pointer (&self->token, srv_secret_free);
  if (code == SRV_ACCOUNT_ERROR_REFUSED ||
      code == SRV_ACCOUNT_ERROR_BAD_SESSION ||
      code == SRV_ACCOUNT_ERROR_TOO_SOON)
    self->n_failures++;
  if (self->n_failures >= self->limits->max_failures)
    self->is_over = TRUE;
}

/* Tells why not. What is no refusal is a failure of the request. Takes @reason.
 */
static gboolean
refuse (SrvAuthSession *self, GError *reason, GError **error)
{
  g_autoptr (GError) taken = reason;

  if (taken->domain != SRV_ACCOUNT_ERROR)
    {
      say (self, "failed\n", NULL);
      g_propagate_error (error, g_steal_pointer (&taken));
      return FALSE;
    }
  count_failure (self, taken->code);
  if (taken->code == SRV_ACCOUNT_ERROR_TOO_SOON)
    return srv_dialogue_say (&self->dialogue, error, "wait %u\n",
                             srv_account_error_get_wait (taken));
  return say (self, refusals[taken->code], error);
}

static gboolean
answer (SrvAuthSession *self, gboolean ok, GError *reason, GError **error)
{
  return ok ? say (self, "ok\n", error) : refuse (self, reason, error);
}

/* The name of who is logged in. NULL with an error that tells the client. */
static char *
get_name (SrvAuthSession *self, gint64 *id, GError **error)
{
  g_autoptr (SrvSession) session =
    srv_account_store_use_token (self->store,
                                 self->token != NULL ? self->token : "",
                                 self->address, error);

  if (session == NULL)
    return NULL;
  if (id != NULL)
    *id = session->id;
  return g_strdup (session->name);
}

static void
set_token (SrvAuthSession *self, char *token)
{
  srv_secret_free (self->token);
  self->token = token;
}

static gboolean
do_register (SrvAuthSession *self, char **arguments, GError **error)
{
  GError *local = NULL;
  gboolean ok;

  if (!self->limits->allow_register)
    return say (self, "refused closed\n", error);
  ok = srv_account_store_register (self->store, arguments[0], arguments[1],
                                   self->address, &local);
  return answer (self, ok, local, error);
}

static gboolean
do_login (SrvAuthSession *self, char **arguments, GError **error)
{
  GError *local = NULL;
  char *token = srv_account_store_login (self->store, arguments[0],
                                         arguments[1], self->address, &local);

  if (token == NULL)
    return refuse (self, local, error);
  set_token (self, token);
  return srv_dialogue_say (&self->dialogue, error, "ok %s\n", token);
}

static gboolean
say_name (SrvAuthSession *self, GError **error)
{
  GError *local = NULL;
  g_autofree char *name = get_name (self, NULL, &local);
  g_autofree char *escaped = NULL;

  if (name == NULL)
    return refuse (self, local, error);
  escaped = g_uri_escape_string (name, NULL, TRUE);
  return srv_dialogue_say (&self->dialogue, error, "ok %s\n", escaped);
}

static gboolean
do_resume (SrvAuthSession *self, char **arguments, GError **error)
{
  set_token (self, g_strdup (arguments[0]));
  return say_name (self, error);
}

static gboolean
do_rotate (SrvAuthSession *self, GError **error)
{
  GError *local = NULL;
  char *token =
    srv_account_store_rotate_token (self->store,
                                    self->token != NULL ? self->token : "",
                                    self->address, &local);

  if (token == NULL)
    return refuse (self, local, error);
  set_token (self, token);
  return srv_dialogue_say (&self->dialogue, error, "ok %s\n", token);
}

static void
append_session (GString *text, const SrvSession *session, gint64 current)
{
  g_string_append_printf (text,
                          "session %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s%s\n",
                          session->id, session->created, session->last_used,
                          session->expires, session->address,
                          session->id == current ? " current" : "");
}

static gboolean
do_sessions (SrvAuthSession *self, GError **error)
{
  GError *local = NULL;
  gint64 current = 0;
  g_autofree char *name = get_name (self, &current, &local);
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (name != NULL)
    list = srv_account_store_list_sessions (self->store, name, &local);
  if (list == NULL)
    return refuse (self, local, error);
  g_string_append_printf (text, "ok %u\n", list->len);
  for (guint i = 0; i < list->len; i++)
    append_session (text, list->pdata[i], current);
  return say (self, text->str, error);
}

static gboolean
do_revoke (SrvAuthSession *self, char **arguments, GError **error)
{
  GError *local = NULL;
  g_autofree char *name = get_name (self, NULL, &local);
  guint64 id = 0;
  gboolean ok = FALSE;

  if (name != NULL && strcmp (arguments[0], "all") == 0)
    ok = srv_account_store_revoke_all (self->store, name, &local);
  else if (name != NULL && g_ascii_string_to_unsigned (arguments[0], 10, 1,
                                                       G_MAXINT64, &id, NULL))
    ok = srv_account_store_revoke (self->store, name, (gint64) id, &local);
  else if (name != NULL)
    return say (self, "bad command\n", error);
  return answer (self, ok, local, error);
}

static gboolean
do_password (SrvAuthSession *self, char **arguments, GError **error)
{
  GError *local = NULL;
  g_autofree char *name = get_name (self, NULL, &local);
  gboolean ok = name != NULL &&
                srv_account_store_change_password (self->store, name,
                                                   arguments[0], arguments[1],
                                                   self->address, &local);

  if (ok)
    set_token (self, NULL);
  return answer (self, ok, local, error);
}

static gboolean
do_logout (SrvAuthSession *self, GError **error)
{
  GError *local = NULL;
  gint64 id = 0;
  g_autofree char *name = get_name (self, &id, &local);
  gboolean ok = name != NULL &&
                srv_account_store_revoke (self->store, name, id, &local);

  if (ok)
    set_token (self, NULL);
  return answer (self, ok, local, error);
}

static gboolean
needs_privacy (SrvAuthVerb verb)
{
  return verb == SRV_AUTH_LOGIN || verb == SRV_AUTH_REGISTER ||
         verb == SRV_AUTH_PASSWORD || verb == SRV_AUTH_RESUME;
}

static gboolean
obey (SrvAuthSession *self, SrvAuthCommand *command, GError **error)
{
  if (needs_privacy (command->verb) &&
      !srv_auth_session_may_have_passwords (self))
    return say (self, "refused insecure\n", error);
  switch (command->verb)
    {
    case SRV_AUTH_LOGIN:
      return do_login (self, command->arguments, error);
    case SRV_AUTH_LOGOUT:
      return do_logout (self, error);
    case SRV_AUTH_PASSWORD:
      return do_password (self, command->arguments, error);
    case SRV_AUTH_QUIT:
      self->is_over = TRUE;
      return say (self, "ok\n", error);
    case SRV_AUTH_REGISTER:
      return do_register (self, command->arguments, error);
    case SRV_AUTH_RESUME:
      return do_resume (self, command->arguments, error);
    case SRV_AUTH_REVOKE:
      return do_revoke (self, command->arguments, error);
    case SRV_AUTH_ROTATE:
      return do_rotate (self, error);
    case SRV_AUTH_SESSIONS:
      return do_sessions (self, error);
    case SRV_AUTH_WHOAMI:
      return say_name (self, error);
    case SRV_AUTH_BAD:
    default:
      return say (self, "bad command\n", error);
    }
}

/* Who is not logged in since @begun has not for ever, not even when the next
 * line is always there already. */
static gboolean
get_time_for_next (SrvAuthSession *self,
                   gint64 begun,
                   guint *time_ms,
                   GError **error)
{
  const guint login_ms = self->limits->login_time_ms;
  const gint64 left_ms = login_ms - (g_get_monotonic_time () - begun) / 1000;

  if (self->token != NULL)
    *time_ms = self->limits->idle_time_ms;
  else if (login_ms == 0)
    *time_ms = self->limits->line_time_ms;
  else if (left_ms > 0)
    *time_ms = (guint) left_ms;
  else
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                           "the time to log in is over");
      return FALSE;
    }
  return TRUE;
}

gboolean
srv_auth_session_obey (SrvAuthSession *self, GError **error)
{
  gint64 begun = g_get_monotonic_time ();
  guint time_ms;

  while (!self->is_over)
    {
      g_auto (SrvAuthCommand) command = { 0 };
      char *line = NULL;

      if (!get_time_for_next (self, begun, &time_ms, error) ||
          !srv_auth_session_read (self, time_ms, &line, error))
        return FALSE;
      if (line == NULL)
        return TRUE;
      /* Whoever logs out may log in again. */
      if (self->token != NULL)
        begun = g_get_monotonic_time ();
      srv_auth_command_parse (&command, line);
      srv_secret_free (line);
      /* The arguments are nobody's business. */
      srv_dialogue_note (&self->dialogue, command.word);
      if (!obey (self, &command, error))
        return FALSE;
    }
  return TRUE;
}
