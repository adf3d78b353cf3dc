/* srv-account-contacts.c - who is in whose list, in the file of the accounts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-store-private.h"

typedef struct
{
  SrvAccountStore *self;
  const char *owner;
  const char *contact;
  guint max_names;
  GPtrArray *names; /* borrowed */
} Call;

static gboolean
find_both (SrvDatabase *database,
           const Call *call,
           gint64 *owner,
           gint64 *contact,
           GError **error)
{
  return srv_account_find (database, call->owner, owner, error) &&
         srv_account_find (database, call->contact, contact, error);
}

static gboolean
check_new (SrvDatabase *database,
           const Call *call,
           gint64 owner,
           gint64 contact,
           GError **error)
{
  g_autoptr (SrvStatement) statement = srv_database_query (
    database, error,
    "SELECT count(*), count(*) FILTER (WHERE contact = ?) FROM contacts"
    " WHERE owner = ?",
    "ii", contact, owner);

  if (statement == NULL || srv_statement_step (statement, error) < 0)
    return FALSE;
  if (srv_statement_get_int (statement, 1) > 0)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_EXISTS,
                         "this is a contact already");
  else if (srv_statement_get_int (statement, 0) >=
           call->self->settings[SRV_ACCOUNT_CONTACT_LIMIT])
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL,
                         "there are too many contacts");
  else
    return TRUE;
  return FALSE;
}

static gboolean
insert_contact (SrvDatabase *database, gpointer data, GError **error)
{
  const Call *call = data;
  gint64 owner;
  gint64 contact;

  return find_both (database, call, &owner, &contact, error) &&
         check_new (database, call, owner, contact, error) &&
         srv_database_execute (database, error,
                               "INSERT INTO contacts (owner, contact)"
                               " VALUES (?, ?)",
                               "ii", owner, contact);
}

static gboolean
add_contact (SrvChatStore *store,
             const char *owner,
             const char *contact,
             GError **error)
{
  Call call = { SRV_ACCOUNT_STORE (store), owner, contact, 0, NULL };

  return srv_database_run (call.self->database, insert_contact, &call, error);
}

static gboolean
delete_contact (SrvDatabase *database, gpointer data, GError **error)
{
  gint64 owner;
  gint64 contact;

  if (!find_both (database, data, &owner, &contact, error) ||
      !srv_database_execute (database, error,
                             "DELETE FROM contacts"
                             " WHERE owner = ? AND contact = ?",
                             "ii", owner, contact))
    return FALSE;
  if (srv_database_get_n_changes (database) > 0)
    return TRUE;
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND,
                       "there is no such contact");
  return FALSE;
}

static gboolean
remove_contact (SrvChatStore *store,
                const char *owner,
                const char *contact,
                GError **error)
{
  Call call = { SRV_ACCOUNT_STORE (store), owner, contact, 0, NULL };

  return srv_database_run (call.self->database, delete_contact, &call, error);
}

/* Takes the names of a query; FALSE with an error if there is none. */
static gboolean
take_names (SrvStatement *statement, GPtrArray *names, GError **error)
{
  int found = -1;

  while (statement != NULL &&
         (found = srv_statement_step (statement, error)) == 1)
    g_ptr_array_add (names, g_strdup (srv_statement_get_text (statement, 0)));
  return found == 0;
}

static gboolean
select_contacts (SrvDatabase *database, gpointer data, GError **error)
{
  const Call *call = data;
  g_autoptr (SrvStatement) statement = NULL;
  gint64 owner;

  if (!srv_account_find (database, call->owner, &owner, error))
    return FALSE;
  statement = srv_database_query (database, error,
                                  "SELECT name FROM contacts JOIN accounts"
                                  " ON contact = accounts.id WHERE owner = ?"
                                  " ORDER BY key LIMIT ?",
                                  "ii", owner, (gint64) call->max_names);
  return take_names (statement, call->names, error);
}

static gboolean
select_accounts (SrvDatabase *database, gpointer data, GError **error)
{
  const Call *call = data;
  g_autoptr (SrvStatement) statement =
    srv_database_query (database, error,
                        "SELECT name FROM accounts WHERE banned = 0"
                        " ORDER BY key LIMIT ?",
                        "i", (gint64) call->max_names);

  return take_names (statement, call->names, error);
}

static char **
list (SrvDatabaseFunc select, Call *call, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  call->names = names;
  if (!srv_database_run (call->self->database, select, call, error))
    return NULL;
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_steal (names, NULL);
}

static char **
list_contacts (SrvChatStore *store,
               const char *owner,
               guint max_names,
               GError **error)
{
  Call call = { SRV_ACCOUNT_STORE (store), owner, NULL, max_names, NULL };

  return list (select_contacts, &call, error);
}

static char **
list_accounts (SrvChatStore *store, guint max_names, GError **error)
{
  Call call = { SRV_ACCOUNT_STORE (store), NULL, NULL, max_names, NULL };

  return list (select_accounts, &call, error);
}

void
srv_account_store_init_contacts (SrvChatStoreInterface *iface)
{
  iface->add_contact = add_contact;
  iface->remove_contact = remove_contact;
  iface->list_contacts = list_contacts;
  iface->list_accounts = list_accounts;
}
