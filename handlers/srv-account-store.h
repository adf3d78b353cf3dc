/* srv-account-store.h - accounts, sessions and names in one file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-account-error.h"

G_BEGIN_DECLS

#define SRV_TYPE_ACCOUNT (srv_account_get_type ())

/**
 * SrvAccount:
 * @name: the name, UTF-8
 * @created: when it was made, in seconds of Unix time
 * @last_login: when its password was last given; 0 is never
 * @n_sessions: how many sessions it has
 * @is_banned: whether it may not log in
 *
 * What a [class@SocketServerHandlers.AccountStore] tells of an account.
 */
typedef struct
{
  char *name;
  gint64 created;
  gint64 last_login;
  guint n_sessions;
  gboolean is_banned;
} SrvAccount;

SRV_AVAILABLE_IN_ALL
GType srv_account_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvAccount *srv_account_copy (const SrvAccount *self);

SRV_AVAILABLE_IN_ALL
void srv_account_free (SrvAccount *self);

#define SRV_TYPE_SESSION (srv_session_get_type ())

/**
 * SrvSession:
 * @id: its number, which is no secret
 * @name: the name of its account, UTF-8
 * @address: from where it was opened, as text
 * @created: when, in seconds of Unix time
 * @last_used: when its token was last given
 * @expires: when it ends, however much it is used
 *
 * What a [class@SocketServerHandlers.AccountStore] tells of a session.
 */
typedef struct
{
  gint64 id;
  char *name;
  char *address;
  gint64 created;
  gint64 last_used;
  gint64 expires;
} SrvSession;

SRV_AVAILABLE_IN_ALL
GType srv_session_get_type (void);

SRV_AVAILABLE_IN_ALL
SrvSession *srv_session_copy (const SrvSession *self);

SRV_AVAILABLE_IN_ALL
void srv_session_free (SrvSession *self);

#define SRV_TYPE_ACCOUNT_STORE (srv_account_store_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvAccountStore,
                      srv_account_store,
                      SRV,
                      ACCOUNT_STORE,
                      GObject)

SRV_AVAILABLE_IN_ALL
SrvAccountStore *srv_account_store_new (const char *path, GError **error);

SRV_AVAILABLE_IN_ALL
void srv_account_store_serve (SrvAccountStore *self, SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
SrvAccountStore *srv_account_store_for_server (SrvBaseServer *server);

/* Accounts */

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_add (SrvAccountStore *self,
                                const char *name,
                                const char *password,
                                GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_register (SrvAccountStore *self,
                                     const char *name,
                                     const char *password,
                                     const char *address,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_remove (SrvAccountStore *self,
                                   const char *name,
                                   GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_set_password (SrvAccountStore *self,
                                         const char *name,
                                         const char *password,
                                         GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_set_banned (SrvAccountStore *self,
                                       const char *name,
                                       gboolean is_banned,
                                       GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_forgive (SrvAccountStore *self,
                                    const char *name,
                                    GError **error);

SRV_AVAILABLE_IN_ALL
GPtrArray *srv_account_store_list (SrvAccountStore *self, GError **error);

/* Passwords */

SRV_AVAILABLE_IN_ALL
char *srv_account_store_check_password (SrvAccountStore *self,
                                        const char *name,
                                        const char *password,
                                        const char *address,
                                        GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_change_password (SrvAccountStore *self,
                                            const char *name,
                                            const char *password,
                                            const char *new_password,
                                            const char *address,
                                            GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_account_store_login (SrvAccountStore *self,
                               const char *name,
                               const char *password,
                               const char *address,
                               GError **error);

/* Sessions */

SRV_AVAILABLE_IN_ALL
SrvSession *srv_account_store_use_token (SrvAccountStore *self,
                                         const char *token,
                                         const char *address,
                                         GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_account_store_rotate_token (SrvAccountStore *self,
                                      const char *token,
                                      const char *address,
                                      GError **error);

SRV_AVAILABLE_IN_ALL
GPtrArray *srv_account_store_list_sessions (SrvAccountStore *self,
                                            const char *name,
                                            GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_revoke (SrvAccountStore *self,
                                   const char *name,
                                   gint64 session,
                                   GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_revoke_all (SrvAccountStore *self,
                                       const char *name,
                                       GError **error);

/* Names of addresses */

SRV_AVAILABLE_IN_ALL
char *srv_account_store_identify (SrvAccountStore *self,
                                  const char *address,
                                  GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_account_store_name_address (SrvAccountStore *self,
                                      const char *address,
                                      const char *name,
                                      GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_account_store_forget_address (SrvAccountStore *self,
                                           const char *address,
                                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvAccount, srv_account_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvSession, srv_session_free)

G_END_DECLS
