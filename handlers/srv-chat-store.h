/* srv-chat-store.h - what a chat keeps
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-event.h"

G_BEGIN_DECLS

/**
 * SrvChatAccount:
 * @SRV_CHAT_ACCOUNT_UNKNOWN: nobody is registered under the name
 * @SRV_CHAT_ACCOUNT_WRONG: somebody is, and the password is not theirs
 * @SRV_CHAT_ACCOUNT_RIGHT: the password is right
 * @SRV_CHAT_ACCOUNT_BANNED: whoever it is may not come in
 * @SRV_CHAT_ACCOUNT_FAILED: the store could not tell
 *
 * What a store knows about a name and a password.
 */
typedef enum
{
  SRV_CHAT_ACCOUNT_UNKNOWN,
  SRV_CHAT_ACCOUNT_WRONG,
  SRV_CHAT_ACCOUNT_RIGHT,
  SRV_CHAT_ACCOUNT_BANNED,
  SRV_CHAT_ACCOUNT_FAILED,
} SrvChatAccount;

#define SRV_TYPE_CHAT_ACCOUNT (srv_chat_account_get_type ())

SRV_AVAILABLE_IN_ALL
GType srv_chat_account_get_type (void);

#define SRV_TYPE_CHAT_STORE (srv_chat_store_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_INTERFACE (SrvChatStore, srv_chat_store, SRV, CHAT_STORE, GObject)

struct _SrvChatStoreInterface
{
  GTypeInterface parent_iface;

  SrvChatAccount (*check_password) (SrvChatStore *self,
                                    const char *name,
                                    const char *password,
                                    GError **error);
  gboolean (*save_offline) (SrvChatStore *self,
                            SrvChatEvent *event,
                            GError **error);
  GPtrArray *(*take_offline) (SrvChatStore *self,
                              const char *name,
                              GError **error);
  gboolean (*save_history) (SrvChatStore *self,
                            SrvChatEvent *event,
                            GError **error);

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvChatAccount srv_chat_store_check_password (SrvChatStore *self,
                                              const char *name,
                                              const char *password,
                                              GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_store_save_offline (SrvChatStore *self,
                                      SrvChatEvent *event,
                                      GError **error);

SRV_AVAILABLE_IN_ALL
GPtrArray *srv_chat_store_take_offline (SrvChatStore *self,
                                        const char *name,
                                        GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_chat_store_save_history (SrvChatStore *self,
                                      SrvChatEvent *event,
                                      GError **error);

G_END_DECLS
