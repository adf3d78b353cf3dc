/* srv-memory-chat-store.h - what a chat keeps while it runs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-store.h"

G_BEGIN_DECLS

#define SRV_TYPE_MEMORY_CHAT_STORE (srv_memory_chat_store_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvMemoryChatStore,
                      srv_memory_chat_store,
                      SRV,
                      MEMORY_CHAT_STORE,
                      GObject)

SRV_AVAILABLE_IN_ALL
SrvMemoryChatStore *srv_memory_chat_store_new (void);

SRV_AVAILABLE_IN_ALL
gboolean srv_memory_chat_store_add (SrvMemoryChatStore *self,
                                    const char *name,
                                    const char *password,
                                    GError **error);

G_END_DECLS
