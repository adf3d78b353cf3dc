/* srv-memory-chat-store.c - what a chat keeps while it runs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-memory-chat-store-private.h"

#include "srv-account-store-private.h"

#include <string.h>

#define MAX_ACCOUNTS 10000
#define MAX_OFFLINE  100
#define MAX_ROOMS    1000
#define MAX_HISTORY  1000
#define MAX_RECORDS  100000

typedef struct
{
  SrvChatRecord *record;
  gboolean is_taken;
} Waiting;

typedef struct
{
  char *key;      /* borrowed from the table */
  GQueue records; /* of SrvChatRecord, the oldest first */
  GList link;     /* in the order */
} Room;

/**
 * SrvMemoryChatStore:
 *
 * A [iface@SocketServerHandlers.ChatStore] that forgets everything when the
 * process ends: for tests, and for chats that have no file. It needs neither
 * SQLite nor libsodium.
 *
 * It keeps at most 10000 accounts, 100 messages for each, the last 1000 messages
 * of each of at most 1000 rooms, and of all rooms together at most 100000. When
 * there is more, the rooms that were quiet for longest lose theirs. How many
 * contacts an account has is limited, too.
 *
 * You call: [method@SocketServerHandlers.MemoryChatStore.add], and the methods
 * of the interface.
 *
 * It is not meant for passwords that matter: they lie in memory as they are, and
 * nobody who guesses them has to wait.
 */

static void chat_iface_init (SrvChatStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (SrvMemoryChatStore,
                               srv_memory_chat_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (SRV_TYPE_CHAT_STORE,
                                                      chat_iface_init))

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  srv_chat_record_free (waiting->record);
  g_free (waiting);
}

static void
account_free (gpointer data)
{
  SrvMemoryAccount *account = data;

  g_queue_clear_full (&account->offline, waiting_free);
  g_hash_table_unref (account->contacts);
  g_free (account->name);
  srv_secret_free (account->password);
  g_free (account);
}

static void
room_free (gpointer data)
{
  Room *room = data;

  g_queue_clear_full (&room->records, (GDestroyNotify) srv_chat_record_free);
  g_free (room);
}

SrvMemoryAccount *
srv_memory_chat_store_find (SrvMemoryChatStore *self,
                            const char *name,
                            GError **error)
{
  g_autofree char *key = srv_chat_name_to_key (name);
  SrvMemoryAccount *account = g_hash_table_lookup (self->accounts, key);

  if (account == NULL)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND,
                         "there is no such account");
  return account;
}

static char *
find_account (SrvChatStore *store, const char *name, GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  SrvMemoryAccount *account;
  char *found = NULL;

  srv_mutex_lock (self->lock);
  account = srv_memory_chat_store_find (self, name, error);
  if (account != NULL)
    found = g_strdup (account->name);
  srv_mutex_unlock (self->lock);
  return found;
}

static char *
check_password (SrvChatStore *store,
                const char *name,
                const char *password,
                G_GNUC_UNUSED const char *address,
                GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  SrvMemoryAccount *account;
  char *found = NULL;

  srv_mutex_lock (self->lock);
  account = srv_memory_chat_store_find (self, name, NULL);
  if (account != NULL && strcmp (account->password, password) == 0)
    found = g_strdup (account->name);
  srv_mutex_unlock (self->lock);
  if (found == NULL)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_REFUSED,
                         "wrong name or password");
  return found;
}

static SrvChatRecord *
number (SrvMemoryChatStore *self, const SrvChatRecord *record)
{
  SrvChatRecord *copy = srv_chat_record_copy (record);

  copy->id = ++self->last_id;
  return copy;
}

static gboolean
push (SrvMemoryChatStore *self,
      SrvMemoryAccount *account,
      const SrvChatRecord *record,
      GError **error)
{
  Waiting *waiting;

  if (account->offline.length >= MAX_OFFLINE)
    {
      g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL,
                           "too many messages are waiting");
      return FALSE;
    }
  waiting = g_new0 (Waiting, 1);
  waiting->record = number (self, record);
  g_queue_push_tail (&account->offline, waiting);
  return TRUE;
}

static gboolean
save_offline (SrvChatStore *store, const SrvChatRecord *record, GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  SrvMemoryAccount *account;
  gboolean ok;

  srv_mutex_lock (self->lock);
  account = srv_memory_chat_store_find (self, record->to, error);
  ok = account != NULL && push (self, account, record, error);
  srv_mutex_unlock (self->lock);
  return ok;
}

static GPtrArray *
take_offline (SrvChatStore *store,
              const char *name,
              guint max_records,
              GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  SrvMemoryAccount *account;
  GPtrArray *list = NULL;

  srv_mutex_lock (self->lock);
  account = srv_memory_chat_store_find (self, name, error);
  if (account != NULL)
    list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);
  for (GList *item = account != NULL ? account->offline.head : NULL;
       item != NULL && list->len < max_records; item = item->next)
    {
      Waiting *waiting = item->data;

      if (!waiting->is_taken)
        g_ptr_array_add (list, srv_chat_record_copy (waiting->record));
      waiting->is_taken = TRUE;
    }
  srv_mutex_unlock (self->lock);
  return list;
}

/* The message that was taken, where it waits; NULL if there is none. */
static GList *
find_taken (SrvMemoryChatStore *self, gint64 id, GQueue **queue)
{
  GHashTableIter iter;
  gpointer account;

  g_hash_table_iter_init (&iter, self->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &account))
    {
      *queue = &((SrvMemoryAccount *) account)->offline;
      for (GList *item = (*queue)->head; item != NULL; item = item->next)
        if (((Waiting *) item->data)->record->id == id)
          return item;
    }
  return NULL;
}

static gboolean
acknowledge (SrvChatStore *store, gint64 id, G_GNUC_UNUSED GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  GQueue *queue;
  GList *item;

  srv_mutex_lock (self->lock);
  item = find_taken (self, id, &queue);
  if (item != NULL)
    {
      waiting_free (item->data);
      g_queue_delete_link (queue, item);
    }
  srv_mutex_unlock (self->lock);
  return TRUE;
}

static void
give_back (SrvChatStore *store, gint64 id)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  GQueue *queue;
  GList *item;

  srv_mutex_lock (self->lock);
  item = find_taken (self, id, &queue);
  if (item != NULL)
    ((Waiting *) item->data)->is_taken = FALSE;
  srv_mutex_unlock (self->lock);
}

static void
forget_room (SrvMemoryChatStore *self, Room *room)
{
  self->n_records -= room->records.length;
  g_queue_unlink (&self->order, &room->link);
  g_hash_table_remove (self->rooms, room->key);
}

/* Made if need be. Rooms cost nothing to make: the one that was quiet for
 * longest gives way, or whoever makes thousands would silence all new ones. */
static Room *
get_room (SrvMemoryChatStore *self, const char *name)
{
  g_autofree char *key = srv_chat_name_to_key (name);
  Room *room = g_hash_table_lookup (self->rooms, key);

  if (room != NULL)
    {
      g_queue_unlink (&self->order, &room->link);
      g_queue_push_tail_link (&self->order, &room->link);
      return room;
    }
  if (g_hash_table_size (self->rooms) >= MAX_ROOMS)
    forget_room (self, g_queue_peek_head (&self->order));
  room = g_new0 (Room, 1);
  room->key = key;
  room->link.data = room;
  g_queue_push_tail_link (&self->order, &room->link);
  g_hash_table_insert (self->rooms, g_steal_pointer (&key), room);
  return room;
}

static void
drop_oldest (SrvMemoryChatStore *self, Room *room)
{
  srv_chat_record_free (g_queue_pop_head (&room->records));
  self->n_records--;
  if (room->records.length == 0)
    forget_room (self, room);
}

static gboolean
save_history (SrvChatStore *store,
              const SrvChatRecord *record,
              G_GNUC_UNUSED GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  Room *room;

  srv_mutex_lock (self->lock);
  room = get_room (self, record->to);
  g_queue_push_tail (&room->records, number (self, record));
  self->n_records++;
  if (room->records.length > MAX_HISTORY)
    drop_oldest (self, room);
  else if (self->n_records > MAX_RECORDS)
    drop_oldest (self, g_queue_peek_head (&self->order));
  srv_mutex_unlock (self->lock);
  return TRUE;
}

static GPtrArray *
get_history (SrvChatStore *store,
             const char *name,
             guint max_records,
             G_GNUC_UNUSED GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  g_autofree char *key = srv_chat_name_to_key (name);
  GPtrArray *list =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);
  GList *item = NULL;
  Room *room;

  srv_mutex_lock (self->lock);
  room = g_hash_table_lookup (self->rooms, key);
  if (room != NULL && max_records > 0)
    item = g_queue_peek_nth_link (&room->records,
                                  room->records.length -
                                    MIN (room->records.length, max_records));
  for (; item != NULL; item = item->next)
    g_ptr_array_add (list, srv_chat_record_copy (item->data));
  srv_mutex_unlock (self->lock);
  return list;
}

static void
chat_iface_init (SrvChatStoreInterface *iface)
{
  iface->find_account = find_account;
  iface->check_password = check_password;
  iface->save_offline = save_offline;
  iface->take_offline = take_offline;
  iface->acknowledge = acknowledge;
  iface->give_back = give_back;
  iface->save_history = save_history;
  iface->get_history = get_history;
  srv_memory_chat_store_init_contacts (iface);
}

static void
srv_memory_chat_store_finalize (GObject *object)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (object);

  g_hash_table_unref (self->accounts);
  /* The links of the order are in the rooms. */
  g_hash_table_unref (self->rooms);
  srv_mutex_unref (self->lock);
  G_OBJECT_CLASS (srv_memory_chat_store_parent_class)->finalize (object);
}

static void
srv_memory_chat_store_class_init (SrvMemoryChatStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = srv_memory_chat_store_finalize;
  srv_memory_chat_store_install_properties (object_class);
}

static void
srv_memory_chat_store_init (SrvMemoryChatStore *self)
{
  self->lock = srv_mutex_new ();
  g_queue_init (&self->order);
  self->accounts =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, account_free);
  self->rooms =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, room_free);
}

/**
 * srv_memory_chat_store_new:
 *
 * Makes a store that is empty.
 *
 * Threads: any.
 *
 * Returns: (transfer full): the store
 */
SrvMemoryChatStore *
srv_memory_chat_store_new (void)
{
  return g_object_new (SRV_TYPE_MEMORY_CHAT_STORE, NULL);
}

/**
 * srv_memory_chat_store_add:
 * @self: a store
 * @name: the name, UTF-8, as for [method@SocketServerHandlers.AccountStore.add]
 * @password: the password, UTF-8
 * @error: return location for a [struct@GLib.Error]
 *
 * Makes an account.
 *
 * Fails with %SRV_ACCOUNT_ERROR_BAD_NAME, %SRV_ACCOUNT_ERROR_EXISTS, and
 * %SRV_ACCOUNT_ERROR_FULL.
 *
 * Threads: any.
 *
 * Returns: %TRUE when the account is there, %FALSE with @error set otherwise
 */
gboolean
srv_memory_chat_store_add (SrvMemoryChatStore *self,
                           const char *name,
                           const char *password,
                           GError **error)
{
  g_autofree char *normal = NULL;
  g_autofree char *key = NULL;
  SrvMemoryAccount *account = NULL;

  g_return_val_if_fail (SRV_IS_MEMORY_CHAT_STORE (self), FALSE);
  g_return_val_if_fail (name != NULL && password != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  normal = srv_account_name_normalize (name, error);
  if (normal == NULL)
    return FALSE;
  key = srv_chat_name_to_key (normal);
  srv_mutex_lock (self->lock);
  if (g_hash_table_contains (self->accounts, key))
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_EXISTS,
                         "there is an account with this name");
  else if (g_hash_table_size (self->accounts) >= MAX_ACCOUNTS)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL,
                         "there are too many accounts");
  else
    {
      account = g_new0 (SrvMemoryAccount, 1);
      account->name = g_steal_pointer (&normal);
      account->key = key;
      account->password = g_strdup (password);
      account->contacts = g_hash_table_new (NULL, NULL);
      g_hash_table_insert (self->accounts, g_steal_pointer (&key), account);
    }
  srv_mutex_unlock (self->lock);
  return account != NULL;
}
