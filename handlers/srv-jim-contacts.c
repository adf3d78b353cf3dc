/* srv-jim-contacts.c - the lists that JIM clients keep of people
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Contacts are accounts, and belong to accounts: a guest's name is somebody
 * else's tomorrow. A client sees and changes its own alone.
 */

#include "config.h"

#include "srv-jim-contacts-private.h"

#include "srv-account-error.h"
#include "srv-chat-handler-private.h"

#include <string.h>

/* What one name takes on the wire besides itself, at most: an early client is
 * sent an object for each. */
#define NAME_OVERHEAD 64

static SrvChatStore *
store_of (SrvJimHandler *self)
{
  return srv_chat_handler_get_store (SRV_CHAT_HANDLER (self));
}

static SrvChatHub *
hub_of (SrvJimHandler *self)
{
  return srv_chat_handler_get_hub (SRV_CHAT_HANDLER (self));
}

static void
answer (SrvJimHandler *self,
        const SrvJimMessage *message,
        int code,
        const char *text)
{
  srv_jim_session_answer (self, code, text, message->id);
}

/* That the store cannot tell is for the log alone. */
static void
answer_failure (SrvJimHandler *self,
                const SrvJimMessage *message,
                const GError *reason)
{
  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    answer (self, message, 410, "no contacts are kept here");
  else if (g_error_matches (reason, SRV_ACCOUNT_ERROR,
                            SRV_ACCOUNT_ERROR_NOT_FOUND))
    answer (self, message, 404, "there is nobody with this name");
  else if (g_error_matches (reason, SRV_ACCOUNT_ERROR,
                            SRV_ACCOUNT_ERROR_EXISTS))
    answer (self, message, 409, "this is a contact already");
  else if (g_error_matches (reason, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL))
    answer (self, message, 403, "a limit is reached");
  else if (g_error_matches (reason, SRV_ACCOUNT_ERROR,
                            SRV_ACCOUNT_ERROR_BANNED))
    answer (self, message, 403, "you may not do this");
  else
    {
      g_warning ("the store of the chat failed: %s", reason->message);
      answer (self, message, 500, "server error");
    }
}

/* Shortens a list until it is within the limits. */
static void
shorten (SrvJimHandler *self, char **names)
{
  gsize left = srv_chat_handler_get_free_bytes (SRV_CHAT_HANDLER (self));
  guint n = 0;

  while (names[n] != NULL && n < self->max_listed &&
         strlen (names[n]) + NAME_OVERHEAD <= left)
    {
      left -= strlen (names[n]) + NAME_OVERHEAD;
      n++;
    }
  for (guint i = n; names[i] != NULL; i++)
    g_clear_pointer (&names[i], g_free);
}

static void
answer_list (SrvJimHandler *self, const SrvJimMessage *message, char **names)
{
  guint keys = (guint) g_atomic_int_get (&self->keys);
  g_autoptr (GBytes) list = NULL;

  shorten (self, names);
  list = srv_jim_render_list (names, message->list, message->id, keys);
  srv_chat_handler_post (SRV_CHAT_HANDLER (self), list);
  for (guint i = 0; message->list == SRV_JIM_LIST_EARLY && names[i] != NULL;
       i++)
    {
      g_autoptr (GBytes) contact = srv_jim_render_contact (names[i], keys);

      srv_chat_handler_post (SRV_CHAT_HANDLER (self), contact);
    }
}

/* Those who have accounts; those who are there, where there are none. */
static void
get_users (SrvJimHandler *self, const SrvJimMessage *message)
{
  SrvChatStore *store = store_of (self);
  g_autoptr (GError) reason = NULL;
  g_auto (GStrv) names = NULL;

  if (store != NULL)
    names = srv_chat_store_list_accounts (store, self->max_listed, &reason);
  if (store == NULL ||
      g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    {
      g_clear_error (&reason);
      names = srv_chat_hub_list_members (hub_of (self), NULL, &reason);
    }
  if (names != NULL)
    answer_list (self, message, names);
  else
    answer_failure (self, message, reason);
}

/* Whether the client has an account. Otherwise it is told what it lacks. */
static gboolean
check_account (SrvJimHandler *self,
               const SrvJimMessage *message,
               const char *name)
{
  g_autofree char *account = NULL;
  g_autoptr (GError) reason = NULL;

  if (store_of (self) == NULL)
    {
      answer (self, message, 410, "no contacts are kept here");
      return FALSE;
    }
  if (srv_jim_session_may_have_mail (self))
    account = srv_chat_store_find_account (store_of (self), name, &reason);
  if (account != NULL)
    return TRUE;
  if (reason == NULL ||
      g_error_matches (reason, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND))
    answer (self, message, 401, "only accounts have contacts");
  else
    answer_failure (self, message, reason);
  return FALSE;
}

static void
get_contacts (SrvJimHandler *self,
              const SrvJimMessage *message,
              const char *name)
{
  g_autoptr (GError) reason = NULL;
  g_auto (GStrv) names = srv_chat_store_list_contacts (store_of (self), name,
                                                       self->max_listed,
                                                       &reason);

  if (names != NULL)
    answer_list (self, message, names);
  else
    answer_failure (self, message, reason);
}

static void
change_contacts (SrvJimHandler *self,
                 const SrvJimMessage *message,
                 const char *name)
{
  g_autoptr (GError) reason = NULL;
  gboolean ok = message->action == SRV_JIM_ADD_CONTACT
                  ? srv_chat_store_add_contact (store_of (self), name,
                                                message->contact, &reason)
                  : srv_chat_store_remove_contact (store_of (self), name,
                                                   message->contact, &reason);

  if (ok)
    answer (self, message, 200, NULL);
  else
    answer_failure (self, message, reason);
}

void
srv_jim_contacts_serve (SrvJimHandler *self, const SrvJimMessage *message)
{
  g_autofree char *name =
    srv_chat_hub_dup_name (hub_of (self), SRV_CHAT_MEMBER (self));

  if (message->account != NULL &&
      !srv_jim_session_is_own_name (self, message->account))
    answer (self, message, 400, "you have another name");
  else if (message->action == SRV_JIM_GET_USERS)
    get_users (self, message);
  else if (!check_account (self, message, name))
    return;
  else if (message->action == SRV_JIM_GET_CONTACTS)
    get_contacts (self, message, name);
  else
    change_contacts (self, message, name);
}
