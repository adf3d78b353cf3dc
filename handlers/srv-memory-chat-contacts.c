/* srv-memory-chat-contacts.c - who is in whose list, while the chat runs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-account-error.h"
#include "srv-memory-chat-store-private.h"

#include <string.h>

typedef enum
{
  PROP_CONTACT_LIMIT = 1,
} SrvMemoryChatStoreProperty;

static GParamSpec *properties[PROP_CONTACT_LIMIT + 1];

static gboolean
insert (SrvMemoryChatStore *self,
        SrvMemoryAccount *owner,
        SrvMemoryAccount *contact,
        GError **error)
{
  if (g_hash_table_contains (owner->contacts, contact))
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_EXISTS,
                         "this is a contact already");
  else if (g_hash_table_size (owner->contacts) >= self->contact_limit)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL,
                         "there are too many contacts");
  else
    return g_hash_table_add (owner->contacts, contact);
  return FALSE;
}

static gboolean
take_out (G_GNUC_UNUSED SrvMemoryChatStore *self,
          SrvMemoryAccount *owner,
          SrvMemoryAccount *contact,
          GError **error)
{
  if (g_hash_table_remove (owner->contacts, contact))
    return TRUE;
  g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND,
                       "there is no such contact");
  return FALSE;
}

typedef gboolean (*Change) (SrvMemoryChatStore *self,
                            SrvMemoryAccount *owner,
                            SrvMemoryAccount *contact,
                            GError **error);

static gboolean
change (SrvChatStore *store,
        Change how,
        const char *owner_name,
        const char *contact_name,
        GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  SrvMemoryAccount *owner;
  SrvMemoryAccount *contact = NULL;
  gboolean ok;

  srv_mutex_lock (self->lock);
  owner = srv_memory_chat_store_find (self, owner_name, error);
  if (owner != NULL)
    contact = srv_memory_chat_store_find (self, contact_name, error);
  ok = contact != NULL && how (self, owner, contact, error);
  srv_mutex_unlock (self->lock);
  return ok;
}

static gboolean
add_contact (SrvChatStore *store,
             const char *owner,
             const char *contact,
             GError **error)
{
  return change (store, insert, owner, contact, error);
}

static gboolean
remove_contact (SrvChatStore *store,
                const char *owner,
                const char *contact,
                GError **error)
{
  return change (store, take_out, owner, contact, error);
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (((const SrvMemoryAccount *) a)->key,
                 ((const SrvMemoryAccount *) b)->key);
}

/* The names of the first of a table or a set of accounts. */
static char **
first_names (GHashTable *accounts, guint max_names)
{
  g_autoptr (GList) sorted =
    g_list_sort (g_hash_table_get_values (accounts), compare_keys);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (GList *item = sorted; item != NULL && max_names > 0;
       item = item->next, max_names--)
    g_strv_builder_add (names, ((SrvMemoryAccount *) item->data)->name);
  return g_strv_builder_end (names);
}

static char **
list_contacts (SrvChatStore *store,
               const char *owner_name,
               guint max_names,
               GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  SrvMemoryAccount *owner;
  char **names = NULL;

  srv_mutex_lock (self->lock);
  owner = srv_memory_chat_store_find (self, owner_name, error);
  if (owner != NULL)
    names = first_names (owner->contacts, max_names);
  srv_mutex_unlock (self->lock);
  return names;
}

static char **
list_accounts (SrvChatStore *store,
               guint max_names,
               G_GNUC_UNUSED GError **error)
{
  SrvMemoryChatStore *self = SRV_MEMORY_CHAT_STORE (store);
  char **names;

  srv_mutex_lock (self->lock);
  names = first_names (self->accounts, max_names);
  srv_mutex_unlock (self->lock);
  return names;
}

void
srv_memory_chat_store_init_contacts (SrvChatStoreInterface *iface)
{
  iface->add_contact = add_contact;
  iface->remove_contact = remove_contact;
  iface->list_contacts = list_contacts;
  iface->list_accounts = list_accounts;
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CONTACT_LIMIT)
    g_value_set_uint (value, SRV_MEMORY_CHAT_STORE (object)->contact_limit);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CONTACT_LIMIT)
    SRV_MEMORY_CHAT_STORE (object)->contact_limit = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

void
srv_memory_chat_store_install_properties (GObjectClass *object_class)
{
  object_class->get_property = get_property;
  object_class->set_property = set_property;
  /**
   * SrvMemoryChatStore:contact-limit:
   *
   * How many contacts an account may have. To be set before the store is used.
   */
  properties[PROP_CONTACT_LIMIT] =
    g_param_spec_uint ("contact-limit", NULL, NULL, 0, 1000000, 1000,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT |
                         G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}
