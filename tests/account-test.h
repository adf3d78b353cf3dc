/* account-test.h - what the tests of the store of accounts share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

#include "srv-account-store-private.h"

#define PASSWORD "correct horse"

static gint64 now = 1000000;

static inline gint64
tell_time (G_GNUC_UNUSED gpointer data)
{
  return now;
}

static inline char *
store_path (void)
{
  return srv_test_path ("accounts.db");
}

/* With hashes that cost next to nothing, and time that is told. */
static inline SrvAccountStore *
open_store (void)
{
  g_autofree char *path = store_path ();
  g_autoptr (GError) error = NULL;
  SrvAccountStore *store = srv_account_store_new (path, &error);

  srv_test_assert_no_error (error);
  g_object_set (store, "hash-memory", 8, "hash-operations", 1, NULL);
  srv_account_store_set_clock (store, tell_time, NULL);
  return store;
}

static inline void
close_store (SrvAccountStore *store)
{
  g_autofree char *path = store_path ();

  g_object_unref (store);
  g_unlink (path);
}

static inline void
add (SrvAccountStore *store, const char *name)
{
  g_autoptr (GError) error = NULL;

  srv_account_store_add (store, name, PASSWORD, &error);
  srv_test_assert_no_error (error);
}

static inline char *
log_in (SrvAccountStore *store, const char *name)
{
  g_autoptr (GError) error = NULL;
  char *token = srv_account_store_login (store, name, PASSWORD, "here", &error);

  srv_test_assert_no_error (error);
  return token;
}

static inline void
assert_token (SrvAccountStore *store, const char *token, gboolean is_good)
{
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (SrvSession) session =
    srv_account_store_use_token (store, token, "here", &error);

  if (is_good)
    srv_test_assert_no_error (error);
  else
    srv_test_assert_error (error, SRV_ACCOUNT_ERROR,
                           SRV_ACCOUNT_ERROR_BAD_SESSION);
}

/* The code with which an attempt fails; -1 when it does not. */
static inline int
attempt (SrvAccountStore *store,
         const char *name,
         const char *password,
         const char *address,
         guint *wait_s)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *found =
    srv_account_store_check_password (store, name, password, address, &error);

  ck_assert ((found != NULL) == (error == NULL));
  if (error == NULL)
    return -1;
  ck_assert (error->domain == SRV_ACCOUNT_ERROR);
  if (wait_s != NULL)
    *wait_s = srv_account_error_get_wait (error);
  return error->code;
}
