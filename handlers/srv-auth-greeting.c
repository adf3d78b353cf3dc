/* srv-auth-greeting.c - the tutorials' dialogue of the auth handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-auth-session-private.h"
#include "srv-secret-private.h"

#include <string.h>

#define TOKEN_MARK "token "

/* Takes @reason. */
static gboolean
refuse (SrvAuthSession *self, GError *reason, GError **error)
{
  g_autoptr (GError) taken = reason;
  const gboolean is_refusal = taken->domain == SRV_ACCOUNT_ERROR;

  if (!srv_dialogue_say (&self->dialogue, error, "Refused: %s.\n",
                         is_refusal ? taken->message : "the store failed"))
    return FALSE;
  if (!is_refusal)
    g_propagate_error (error, g_steal_pointer (&taken));
  return is_refusal;
}

static gboolean
ask (SrvAuthSession *self, const char *question, char **line, GError **error)
{
  return srv_dialogue_say (&self->dialogue, error, "%s\n", question) &&
         srv_auth_session_read (self, self->limits->line_time_ms, line, error);
}

static gboolean
greet_with_token (SrvAuthSession *self, const char *token, GError **error)
{
  GError *local = NULL;
  g_autoptr (SrvSession) session =
    srv_account_store_use_token (self->store, token, self->address, &local);

  if (session == NULL)
    return refuse (self, local, error);
  return srv_dialogue_say (&self->dialogue, error, "Hello, %s!\n",
                           session->name);
}

/* Is it somebody new? Somebody known who comes from elsewhere is not. */
static gboolean
try_to_register (SrvAuthSession *self,
                 const char *name,
                 const char *password,
                 gboolean *is_new,
                 GError **error)
{
  g_autoptr (GError) local = NULL;

  *is_new = self->limits->allow_register &&
            srv_account_store_register (self->store, name, password,
                                        self->address, &local);
  if (local == NULL ||
      g_error_matches (local, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_EXISTS))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* From now on the address has the name. */
static char *
log_in (SrvAuthSession *self,
        const char *name,
        const char *password,
        GError **error)
{
  char *token =
    srv_account_store_login (self->store, name, password, self->address, error);
  g_autofree char *stored = NULL;

  if (token == NULL)
    return NULL;
  stored =
    srv_account_store_name_address (self->store, self->address, name, error);
  if (stored != NULL)
    return token;
  srv_secret_free (token);
  return NULL;
}

static gboolean
greet_with_password (SrvAuthSession *self,
                     const char *name,
                     const char *password,
                     gboolean may_be_new,
                     GError **error)
{
  GError *local = NULL;
  gboolean is_new = FALSE;
  char *token = NULL;
  gboolean ok;

  if (!may_be_new || try_to_register (self, name, password, &is_new, &local))
    token = log_in (self, name, password, &local);
  if (token == NULL)
    return refuse (self, local, error);
  ok = srv_dialogue_say (&self->dialogue, error, "%s, %s!\n" TOKEN_MARK "%s\n",
                         is_new ? "Nice to meet you" : "Hello", name, token);
  srv_secret_free (token);
  return ok;
}

gboolean
srv_auth_session_greet (SrvAuthSession *self, GError **error)
{
  GError *local = NULL;
  g_autofree char *known =
    srv_account_store_identify (self->store, self->address, &local);
  g_autofree char *given = NULL;
  char *password = NULL;
  gboolean ok;

  if (local != NULL)
    return refuse (self, local, error);
  if (!srv_auth_session_may_have_passwords (self))
    return srv_dialogue_say (&self->dialogue, error,
                             "Refused: others could hear the password.\n");
  if (known == NULL && !ask (self, "What is your name?", &given, error))
    return FALSE;
  if (known == NULL && given == NULL)
    return TRUE;
  ok = ask (self, "Password?", &password, error);
  if (password == NULL)
    return ok;
  if (g_str_has_prefix (password, TOKEN_MARK))
    ok = greet_with_token (self, password + strlen (TOKEN_MARK), error);
  else
    ok = greet_with_password (self, known != NULL ? known : given, password,
                              known == NULL, error);
  srv_secret_free (password);
  return ok;
}
