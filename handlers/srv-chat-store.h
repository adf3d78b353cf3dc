/* srv-chat-store.h - what a chat keeps: accounts, contacts, messages
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

#define SRV_TYPE_CHAT_RECORD (srv_chat_record_get_type ())

/**
 * SrvChatRecord:
 * @id: its number in the store; 0 before it is stored
 * @time: when it was said, in seconds of Unix time
 * @from: who has said it, UTF-8
 * @to: the person or the room, UTF-8
 * @text: what was said, UTF-8
 * @extra: (nullable): what the protocol wants back with it, UTF-8
 *
 * A message as a [iface@SocketServerHandlers.ChatStore] keeps it.
 */
typedef struct
{
  gint64 id;
  gint64 time;
  char *from;
  char *to;
  char *text;
  char *extra;
} SrvChatRecord;

SRV_AVAILABLE_IN_ALL
GType srv_chat_record_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvChatRecord *srv_chat_record_new (gint64 time,
                                    const char *from,
                                    const char *to,
                                    const char *text,
                                    const char *extra);

SRV_AVAILABLE_IN_ALL
SrvChatRecord *srv_chat_record_copy (const SrvChatRecord *self);

SRV_AVAILABLE_IN_ALL
void srv_chat_record_free (SrvChatRecord *self);

#define SRV_TYPE_CHAT_STORE (srv_chat_store_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_INTERFACE (SrvChatStore, srv_chat_store, SRV, CHAT_STORE, GObject)

struct _SrvChatStoreInterface
{
  GTypeInterface parent_iface;

  char *(*find_account) (SrvChatStore *self, const char *name, GError **error);
  char *(*check_password) (SrvChatStore *self,
                           const char *name,
                           const char *password,
                           const char *address,
                           GError **error);
  gboolean (*save_offline) (SrvChatStore *self,
                            const SrvChatRecord *record,
                            GError **error);
  GPtrArray *(*take_offline) (SrvChatStore *self,
                              const char *name,
                              guint max_records,
                              GError **error);
  gboolean (*acknowledge) (SrvChatStore *self, gint64 id, GError **error);
  void (*give_back) (SrvChatStore *self, gint64 id);
  gboolean (*save_history) (SrvChatStore *self,
                            const SrvChatRecord *record,
                            GError **error);
  GPtrArray *(*get_history) (SrvChatStore *self,
                             const char *room,
                             guint max_records,
                             GError **error);
  gboolean (*add_contact) (SrvChatStore *self,
                           const char *owner,
                           const char *contact,
                           GError **error);
  gboolean (*remove_contact) (SrvChatStore *self,
                              const char *owner,
                              const char *contact,
                              GError **error);
  char **(*list_contacts) (SrvChatStore *self,
                           const char *owner,
                           guint max_names,
                           GError **error);
  char **(*list_accounts) (SrvChatStore *self, guint max_names, GError **error);

  /*< private >*/
  gpointer padding[4];
};

SRV_AVAILABLE_IN_ALL
char *srv_chat_store_find_account (SrvChatStore *self,
                                   const char *name,
                                   GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_chat_store_check_password (SrvChatStore *self,
                                     const char *name,
                                     const char *password,
                                     const char *address,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_store_save_offline (SrvChatStore *self,
                                      const SrvChatRecord *record,
                                      GError **error);

SRV_AVAILABLE_IN_ALL
GPtrArray *srv_chat_store_take_offline (SrvChatStore *self,
                                        const char *name,
                                        guint max_records,
                                        GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_store_acknowledge (SrvChatStore *self,
                                     gint64 id,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
void srv_chat_store_give_back (SrvChatStore *self, gint64 id);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_store_save_history (SrvChatStore *self,
                                      const SrvChatRecord *record,
                                      GError **error);

SRV_AVAILABLE_IN_ALL
GPtrArray *srv_chat_store_get_history (SrvChatStore *self,
                                       const char *room,
                                       guint max_records,
                                       GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_store_add_contact (SrvChatStore *self,
                                     const char *owner,
                                     const char *contact,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_store_remove_contact (SrvChatStore *self,
                                        const char *owner,
                                        const char *contact,
                                        GError **error);

SRV_AVAILABLE_IN_ALL
char **srv_chat_store_list_contacts (SrvChatStore *self,
                                     const char *owner,
                                     guint max_names,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
char **srv_chat_store_list_accounts (SrvChatStore *self,
                                     guint max_names,
                                     GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvChatRecord, srv_chat_record_free)

G_END_DECLS
