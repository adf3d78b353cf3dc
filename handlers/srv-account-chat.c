/* srv-account-chat.c - what a chat keeps, in the file of the accounts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A message that was taken stays in the file until it is acknowledged. That it
 * is taken is known to this process alone, so that it is forgotten when the
 * process dies.
 */

#include "config.h"

#include "srv-account-store-private.h"
#include "srv-chat-store.h"

/* Rooms cost nothing to make: of all together no more is kept than of so many
 * that are full. */
#define FULL_ROOMS 1000

typedef struct
{
  SrvAccountStore *self;
  const char *name;
  const SrvChatRecord *record;
  gint64 id;
  guint max_records;
  char *found;     /* owned until it is given away */
  GPtrArray *list; /* borrowed */
} Call;

/* Somebody who can come in; @found is nullable, and the caller frees it. */
static gboolean
find_welcome (SrvDatabase *database,
              const char *name,
              gint64 *account,
              char **found,
              GError **error)
{
  g_autoptr (SrvStatement) statement = NULL;

  if (!srv_account_find (database, name, account, error))
    return FALSE;
  statement =
    srv_database_query (database, error,
                        "SELECT name, banned FROM accounts WHERE id = ?", "i",
                        *account);
  if (statement == NULL || srv_statement_step (statement, error) != 1)
    return FALSE;
  if (srv_statement_get_int (statement, 1) != 0)
    {
      g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BANNED,
                           "the account is banned");
      return FALSE;
    }
  if (found != NULL)
    *found = g_strdup (srv_statement_get_text (statement, 0));
  return TRUE;
}

static gboolean
find_name (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  gint64 account;

  return find_welcome (database, call->name, &account, &call->found, error);
}

static char *
find_account (SrvChatStore *store, const char *name, GError **error)
{
  Call call = { .self = SRV_ACCOUNT_STORE (store), .name = name };

  if (srv_database_run (call.self->database, find_name, &call, error))
    return call.found;
  g_free (call.found);
  return NULL;
}

static char *
check_password (SrvChatStore *store,
                const char *name,
                const char *password,
                const char *address,
                GError **error)
{
  return srv_account_store_check_password (SRV_ACCOUNT_STORE (store), name,
                                           password, address, error);
}

static gboolean
check_room (Call *call, SrvDatabase *database, gint64 account, GError **error)
{
  g_autoptr (SrvStatement) statement =
    srv_database_query (database, error,
                        "SELECT count(*) FROM offline WHERE account = ?", "i",
                        account);

  if (statement == NULL || srv_statement_step (statement, error) < 0)
    return FALSE;
  if (srv_statement_get_int (statement, 0) <
      call->self->settings[SRV_ACCOUNT_OFFLINE_LIMIT])
    return TRUE;
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL,
                       "too many messages are waiting");
  return FALSE;
}

static gboolean
insert_offline (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  const SrvChatRecord *record = call->record;
  gint64 account;

  return find_welcome (database, record->to, &account, NULL, error) &&
         check_room (call, database, account, error) &&
         srv_database_execute (
           database, error,
           "INSERT INTO offline"
           " (account, time, sender, recipient, text, extra)"
           " VALUES (?, ?, ?, ?, ?, ?)",
           "iissss", account, record->time, record->from, record->to,
           record->text, record->extra);
}

static gboolean
save_offline (SrvChatStore *store, const SrvChatRecord *record, GError **error)
{
  Call call = { .self = SRV_ACCOUNT_STORE (store), .record = record };

  return srv_database_run (call.self->database, insert_offline, &call, error);
}

static SrvChatRecord *
read_record (SrvStatement *statement)
{
  SrvChatRecord *record =
    srv_chat_record_new (srv_statement_get_int (statement, 1),
                         srv_statement_get_text (statement, 2),
                         srv_statement_get_text (statement, 3),
                         srv_statement_get_text (statement, 4),
                         srv_statement_get_text (statement, 5));

  record->id = srv_statement_get_int (statement, 0);
  return record;
}

/* FALSE: somebody has it. */
static gboolean
lease (SrvAccountStore *self, gint64 id)
{
  gboolean is_free;

  srv_mutex_lock (self->lease_lock);
  is_free = g_hash_table_add (self->leases, g_memdup2 (&id, sizeof id));
  srv_mutex_unlock (self->lease_lock);
  return is_free;
}

static void
release (SrvAccountStore *self, gint64 id)
{
  srv_mutex_lock (self->lease_lock);
  g_hash_table_remove (self->leases, &id);
  srv_mutex_unlock (self->lease_lock);
}

static gboolean
select_offline (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  g_autoptr (SrvStatement) statement = NULL;
  gint64 account;
  int found = -1;

  if (!srv_account_find (database, call->name, &account, error))
    return FALSE;
  statement = srv_database_query (
    database, error,
    "SELECT id, time, sender, recipient, text, extra FROM offline"
    " WHERE account = ? ORDER BY id",
    "i", account);
  while (statement != NULL && call->list->len < call->max_records &&
         (found = srv_statement_step (statement, error)) == 1)
    if (lease (call->self, srv_statement_get_int (statement, 0)))
      g_ptr_array_add (call->list, read_record (statement));
  return statement != NULL && found >= 0;
}

static void
give_back (SrvChatStore *store, gint64 id)
{
  release (SRV_ACCOUNT_STORE (store), id);
}

static GPtrArray *
take_offline (SrvChatStore *store,
              const char *name,
              guint max_records,
              GError **error)
{
  g_autoptr (GPtrArray) list =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);
  Call call = {
    .self = SRV_ACCOUNT_STORE (store),
    .name = name,
    .max_records = max_records,
    .list = list,
  };

  if (srv_database_run (call.self->database, select_offline, &call, error))
    return g_steal_pointer (&list);
  for (guint i = 0; i < list->len; i++)
    release (call.self, ((SrvChatRecord *) list->pdata[i])->id);
  return NULL;
}

static gboolean
delete_offline (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;

  return srv_database_execute (database, error,
                               "DELETE FROM offline WHERE id = ?", "i",
                               call->id);
}

static gboolean
acknowledge (SrvChatStore *store, gint64 id, GError **error)
{
  Call call = { .self = SRV_ACCOUNT_STORE (store), .id = id };
  gboolean ok =
    srv_database_run (call.self->database, delete_offline, &call, error);

  release (call.self, id);
  return ok;
}

static gboolean
insert_history (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  const SrvChatRecord *record = call->record;
  g_autofree char *key = srv_chat_name_to_key (record->to);

  return srv_database_execute (database, error,
                               "INSERT INTO history"
                               " (room, time, sender, recipient, text, extra)"
                               " VALUES (?, ?, ?, ?, ?, ?)",
                               "sissss", key, record->time, record->from,
                               record->to, record->text, record->extra) &&
         srv_database_execute (
           database, error,
           "DELETE FROM history WHERE room = ? AND id <= (SELECT id"
           " FROM history WHERE room = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
           "ssi", key, key,
           (gint64) call->self->settings[SRV_ACCOUNT_HISTORY_LIMIT]) &&
         srv_database_execute (
           database, error,
           "DELETE FROM history WHERE id <= (SELECT max (id) FROM history) - ?",
           "i",
           (gint64) call->self->settings[SRV_ACCOUNT_HISTORY_LIMIT] *
             FULL_ROOMS);
}

static gboolean
save_history (SrvChatStore *store, const SrvChatRecord *record, GError **error)
{
  Call call = { .self = SRV_ACCOUNT_STORE (store), .record = record };

  return srv_database_run (call.self->database, insert_history, &call, error);
}

static gboolean
select_history (SrvDatabase *database, gpointer data, GError **error)
{
  Call *call = data;
  g_autofree char *key = srv_chat_name_to_key (call->name);
  g_autoptr (SrvStatement) statement = srv_database_query (
    database, error,
    "SELECT id, time, sender, recipient, text, extra FROM (SELECT *"
    " FROM history WHERE room = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
    "si", key, (gint64) call->max_records);
  int found = -1;

  while (statement != NULL &&
         (found = srv_statement_step (statement, error)) == 1)
    g_ptr_array_add (call->list, read_record (statement));
  return found == 0;
}

static GPtrArray *
get_history (SrvChatStore *store,
             const char *room,
             guint max_records,
             GError **error)
{
  g_autoptr (GPtrArray) list =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);
  Call call = {
    .self = SRV_ACCOUNT_STORE (store),
    .name = room,
    .max_records = max_records,
    .list = list,
  };

  if (!srv_database_run (call.self->database, select_history, &call, error))
    return NULL;
  return g_steal_pointer (&list);
}

void
srv_account_store_chat_iface_init (gpointer iface, G_GNUC_UNUSED gpointer data)
{
  SrvChatStoreInterface *store = iface;

  store->find_account = find_account;
  store->check_password = check_password;
  store->save_offline = save_offline;
  store->take_offline = take_offline;
  store->acknowledge = acknowledge;
  store->give_back = give_back;
  store->save_history = save_history;
  store->get_history = get_history;
  srv_account_store_init_contacts (store);
}
