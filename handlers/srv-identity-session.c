/* srv-identity-session.c - one client of the identity handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-identity-session-private.h"

#include <string.h>

/* That a name is bad is for the client; anything else ends the request. Takes
 * @reason. */
static gboolean
refuse (SrvIdentitySession *self, GError *reason, GError **error)
{
  const gboolean is_refusal = reason->domain == SRV_ACCOUNT_ERROR;

  if (!srv_dialogue_say (&self->dialogue, error, "bad %s\n",
                         is_refusal ? reason->message : "the store failed"))
    {
      g_error_free (reason);
      return FALSE;
    }
  if (!is_refusal)
    g_propagate_error (error, reason);
  else
    g_error_free (reason);
  return is_refusal;
}

static gboolean
identify (SrvIdentitySession *self, char **name, GError **error)
{
  GError *local = NULL;

  *name = srv_account_store_identify (self->store, self->address, &local);
  return local == NULL || refuse (self, local, error);
}

static gboolean
say_who (SrvIdentitySession *self, GError **error)
{
  g_autofree char *name = NULL;

  if (!identify (self, &name, error))
    return FALSE;
  if (name == NULL)
    return srv_dialogue_say (&self->dialogue, error, "unknown\n");
  if (!self->limits->disclose)
    return srv_dialogue_say (&self->dialogue, error, "known\n");
  return srv_dialogue_say (&self->dialogue, error, "known %s\n", name);
}

static gboolean
take_name (SrvIdentitySession *self,
           const char *name,
           const char *answer,
           const char *end,
           GError **error)
{
  GError *local = NULL;
  g_autofree char *stored =
    srv_account_store_name_address (self->store, self->address, name, &local);

  if (stored == NULL)
    return refuse (self, local, error);
  return srv_dialogue_say (&self->dialogue, error, "%s%s%s\n", answer, stored,
                           end);
}

static gboolean
forget (SrvIdentitySession *self, GError **error)
{
  GError *local = NULL;

  if (!srv_account_store_forget_address (self->store, self->address, &local))
    return refuse (self, local, error);
  return srv_dialogue_say (&self->dialogue, error, "forgotten\n");
}

/* A line, or END; for what is no line there is an answer, and then the end. */
static SrvDialogueResult
read_line (SrvIdentitySession *self, char **line, GError **error)
{
  GError *local = NULL;
  SrvDialogueResult result = srv_dialogue_read (&self->dialogue,
                                                self->limits->line_time_ms,
                                                line, &local);

  if (result == SRV_DIALOGUE_LINE)
    srv_dialogue_note (&self->dialogue, *line);
  if (g_error_matches (local, SRV_ERROR, SRV_ERROR_TOO_LONG) ||
      g_error_matches (local, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    {
      result =
        srv_dialogue_say (&self->dialogue, error, "bad %s\n", local->message)
          ? SRV_DIALOGUE_END
          : SRV_DIALOGUE_FAILED;
      g_clear_error (&local);
    }
  if (local != NULL)
    g_propagate_error (error, local);
  return result;
}

/* *GOES_ON: whether another command may follow. */
static gboolean
obey (SrvIdentitySession *self,
      const char *line,
      gboolean *goes_on,
      GError **error)
{
  if (g_str_has_prefix (line, "name "))
    return take_name (self, line + strlen ("name "), "named ", "", error);
  if (strcmp (line, "forget") == 0)
    return forget (self, error);
  if (strcmp (line, "who") == 0)
    return say_who (self, error);
  if (strcmp (line, "quit") != 0)
    return srv_dialogue_say (&self->dialogue, error,
                             "bad there are name, forget, who and quit\n");
  *goes_on = FALSE;
  return srv_dialogue_say (&self->dialogue, error, "bye\n");
}

gboolean
srv_identity_session_obey (SrvIdentitySession *self, GError **error)
{
  gboolean goes_on = TRUE;

  if (!say_who (self, error))
    return FALSE;
  for (guint n = 0; goes_on && n < self->limits->max_commands; n++)
    {
      g_autofree char *line = NULL;
      SrvDialogueResult result = read_line (self, &line, error);

      if (result != SRV_DIALOGUE_LINE)
        return result == SRV_DIALOGUE_END;
      if (!obey (self, line, &goes_on, error))
        return FALSE;
    }
  return TRUE;
}

/* The tutorials' dialogue. */
gboolean
srv_identity_session_greet (SrvIdentitySession *self, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *line = NULL;
  SrvDialogueResult result;

  if (!identify (self, &name, error))
    return FALSE;
  if (name != NULL)
    return srv_dialogue_say (&self->dialogue, error, "Hello, %s!\n", name);
  if (!srv_dialogue_say (&self->dialogue, error, "What is your name?\n"))
    return FALSE;
  result = read_line (self, &line, error);
  if (result != SRV_DIALOGUE_LINE)
    return result == SRV_DIALOGUE_END;
  return take_name (self, line, "Nice to meet you, ", "!", error);
}
