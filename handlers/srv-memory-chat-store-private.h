/* srv-memory-chat-store-private.h - what the parts of the store share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-memory-chat-store.h"

G_BEGIN_DECLS

struct _SrvMemoryChatStore
{
  GObject parent_instance;

  guint contact_limit;

  SrvMutex *lock;       /* of the rest */
  GHashTable *accounts; /* owned: key to SrvMemoryAccount */
  GHashTable *rooms;    /* owned: key to Room */
  GQueue order;         /* of Room, the longest quiet first */
  guint n_records;      /* of all rooms */
  gint64 last_id;
};

/* Once made it is there as long as the store. */
typedef struct
{
  char *name;
  const char *key; /* the table's */
  char *password;
  GQueue offline; /* of Waiting */
  GHashTable
    *contacts; /* owned; set of SrvMemoryAccount that are the table's */
} SrvMemoryAccount;

/* Under the lock; NULL with an error. */
SrvMemoryAccount *srv_memory_chat_store_find (SrvMemoryChatStore *self,
                                              const char *name,
                                              GError **error);

/* srv-memory-chat-contacts.c */
void srv_memory_chat_store_init_contacts (SrvChatStoreInterface *iface);
void srv_memory_chat_store_install_properties (GObjectClass *object_class);

G_END_DECLS
