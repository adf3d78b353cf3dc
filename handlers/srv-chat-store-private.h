/* srv-chat-store-private.h - what the parts of the interface share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-chat-store.h"

G_BEGIN_DECLS

/* srv-chat-contacts.c: the methods of a store that has no contacts. */
void srv_chat_store_init_contacts (SrvChatStoreInterface *iface);

G_END_DECLS
