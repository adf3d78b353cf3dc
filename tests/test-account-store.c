/* test-account-store.c - accounts, sessions, and a file that lasts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "account-test.h"

#include "srv-peer-private.h"

#include <stdio.h>
#include <stdlib.h>

/* Accounts */

START_TEST (account_is_there_after_a_restart)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *name = NULL;

  add (store, "Ада Byron");
  g_object_unref (store);
  store = open_store ();
  name =
    srv_account_store_check_password (store, "аДА bYRON", PASSWORD, NULL, NULL);
  ck_assert_str_eq (name, "Ада Byron");
  close_store (store);
}
END_TEST

START_TEST (name_is_taken_in_any_case)
{
  SrvAccountStore *store = open_store ();
  g_autoptr (GError) error = NULL;

  add (store, "Ada");
  ck_assert (!srv_account_store_add (store, "ADA", PASSWORD, &error));
  srv_test_assert_error (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_EXISTS);
  close_store (store);
}
END_TEST

/* The last of each kind is just allowed. */
static const struct
{
  const char *name;
  gboolean is_good;
} names[] = {
  { "", FALSE },
  { " a", FALSE },
  { "a ", FALSE },
  { "#a", FALSE },
  { "a\tb", FALSE },
  { "a\nb", FALSE },
  { "a\xe2\x80\xae", FALSE }, /* text from right to left */
  { "a\xff", FALSE },
  { "Server", FALSE },
  { "ALL", FALSE },
  { "abcdefghijklmnopqrstuvwxyz", FALSE },
  { "abcdefghijklmnopqrstuvwxy", TRUE },
  { "ЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖ", TRUE },
  { "a_-.@9 z", TRUE },
};

START_TEST (names_have_rules)
{
  SrvAccountStore *store = open_store ();
  g_autoptr (GError) error = NULL;

  srv_account_store_add (store, names[_i].name, PASSWORD, &error);
  if (names[_i].is_good)
    srv_test_assert_no_error (error);
  else
    srv_test_assert_error (error, SRV_ACCOUNT_ERROR,
                           SRV_ACCOUNT_ERROR_BAD_NAME);
  close_store (store);
}
END_TEST

START_TEST (passwords_have_a_length)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *longest = g_strnfill (256, 'x');
  g_autofree char *longer = g_strnfill (257, 'x');
  g_autoptr (GError) error = NULL;

  ck_assert (!srv_account_store_add (store, "a", "1234567", &error));
  srv_test_assert_error (error, SRV_ACCOUNT_ERROR,
                         SRV_ACCOUNT_ERROR_BAD_PASSWORD);
  ck_assert (!srv_account_store_add (store, "a", longer, NULL));
  ck_assert (srv_account_store_add (store, "a", "12345678", NULL));
  ck_assert (srv_account_store_add (store, "b", longest, NULL));
  close_store (store);
}
END_TEST

START_TEST (accounts_have_a_limit)
{
  SrvAccountStore *store = open_store ();
  g_autoptr (GError) error = NULL;

  g_object_set (store, "max-accounts", 1, NULL);
  add (store, "a");
  ck_assert (!srv_account_store_add (store, "b", PASSWORD, &error));
  srv_test_assert_error (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL);
  close_store (store);
}
END_TEST

START_TEST (list_tells_of_accounts)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;
  g_autoptr (GPtrArray) list = NULL;
  const SrvAccount *account;

  add (store, "b");
  add (store, "A");
  token = log_in (store, "b");
  ck_assert (srv_account_store_set_banned (store, "a", TRUE, NULL));
  list = srv_account_store_list (store, NULL);
  ck_assert_uint_eq (list->len, 2);
  account = list->pdata[0];
  ck_assert_str_eq (account->name, "A");
  ck_assert (account->is_banned && account->n_sessions == 0);
  ck_assert_int_eq (account->last_login, 0);
  account = list->pdata[1];
  ck_assert (!account->is_banned && account->n_sessions == 1);
  ck_assert_int_eq (account->last_login, now);
  close_store (store);
}
END_TEST

START_TEST (removed_account_takes_all_along)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;

  add (store, "Ada");
  token = log_in (store, "Ada");
  ck_assert (srv_account_store_remove (store, "ada", NULL));
  assert_token (store, token, FALSE);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL),
                    SRV_ACCOUNT_ERROR_REFUSED);
  ck_assert (!srv_account_store_remove (store, "ada", NULL));
  ck_assert (!srv_account_store_set_banned (store, "ada", TRUE, NULL));
  ck_assert (!srv_account_store_set_password (store, "\xff", PASSWORD, NULL));
  close_store (store);
}
END_TEST

/* Sessions */

START_TEST (unused_session_ends)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;

  g_object_set (store, "session-idle-time", 100, NULL);
  add (store, "Ada");
  token = log_in (store, "Ada");
  now += 99;
  assert_token (store, token, TRUE);
  now += 99;
  assert_token (store, token, TRUE);
  now += 100;
  assert_token (store, token, FALSE);
  close_store (store);
}
END_TEST

START_TEST (used_session_ends_at_last)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;

  g_object_set (store, "session-idle-time", 100, "session-lifetime", 250, NULL);
  add (store, "Ada");
  token = log_in (store, "Ada");
  for (int i = 0; i < 4; i++)
    {
      now += 60;
      assert_token (store, token, TRUE);
    }
  now += 10;
  assert_token (store, token, FALSE);
  close_store (store);
}
END_TEST

START_TEST (rotated_token_is_worth_nothing)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  add (store, "Ada");
  first = log_in (store, "Ada");
  second = srv_account_store_rotate_token (store, first, NULL, NULL);
  ck_assert_uint_eq (strlen (second), 43);
  assert_token (store, first, FALSE);
  assert_token (store, second, TRUE);
  ck_assert_ptr_null (
    srv_account_store_rotate_token (store, first, NULL, NULL));
  close_store (store);
}
END_TEST

START_TEST (sessions_are_revoked)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (GPtrArray) list = NULL;
  gint64 id;

  add (store, "Ada");
  add (store, "Bob");
  first = log_in (store, "Ada");
  second = log_in (store, "Ada");
  list = srv_account_store_list_sessions (store, "ada", NULL);
  ck_assert_uint_eq (list->len, 2);
  id = ((SrvSession *) list->pdata[0])->id;
  ck_assert_str_eq (((SrvSession *) list->pdata[0])->address, "here");
  /* Not by somebody else. */
  ck_assert (!srv_account_store_revoke (store, "Bob", id, NULL));
  ck_assert (srv_account_store_revoke (store, "ADA", id, NULL));
  assert_token (store, first, FALSE);
  assert_token (store, second, TRUE);
  ck_assert (srv_account_store_revoke_all (store, "Ada", NULL));
  assert_token (store, second, FALSE);
  close_store (store);
}
END_TEST

START_TEST (sessions_have_a_limit)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *third = NULL;

  g_object_set (store, "max-sessions", 2, NULL);
  add (store, "Ada");
  first = log_in (store, "Ada");
  second = log_in (store, "Ada");
  third = log_in (store, "Ada");
  assert_token (store, first, FALSE);
  assert_token (store, second, TRUE);
  assert_token (store, third, TRUE);
  close_store (store);
}
END_TEST

START_TEST (bound_token_is_good_at_home_only)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;
  g_autoptr (SrvSession) elsewhere = NULL;

  add (store, "Ada");
  token = log_in (store, "Ada");
  elsewhere = srv_account_store_use_token (store, token, "elsewhere", NULL);
  ck_assert_ptr_nonnull (elsewhere);
  g_object_set (store, "bind-sessions", 1, NULL);
  assert_token (store, token, TRUE);
  ck_assert_ptr_null (
    srv_account_store_use_token (store, token, "elsewhere", NULL));
  close_store (store);
}
END_TEST

START_TEST (odd_tokens_are_refused)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *wrong = g_strnfill (43, 'A');
  g_autofree char *much = g_strnfill (100000, 'A');

  assert_token (store, "", FALSE);
  assert_token (store, wrong, FALSE);
  assert_token (store, much, FALSE);
  assert_token (store, "'; DROP TABLE sessions; --", FALSE);
  close_store (store);
}
END_TEST

/* The file */

static gboolean
is_in_file (const char *suffix, const char *text)
{
  g_autofree char *path = store_path ();
  g_autofree char *name = g_strconcat (path, suffix, NULL);
  g_autofree char *data = NULL;
  gsize length;

  return g_file_get_contents (name, &data, &length, NULL) &&
         memmem (data, length, text, strlen (text)) != NULL;
}

START_TEST (secrets_are_not_in_the_file)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;
  g_autofree char *path = store_path ();
  struct stat status;

  add (store, "Ada");
  token = log_in (store, "Ada");
  ck_assert (is_in_file ("-wal", "Ada"));
  ck_assert (!is_in_file ("-wal", token) && !is_in_file ("-wal", PASSWORD));
  ck_assert (!is_in_file ("", token) && !is_in_file ("", PASSWORD));
  ck_assert_int_eq (stat (path, &status), 0);
  ck_assert_int_eq (status.st_mode & 0777, 0600);
  close_store (store);
}
END_TEST

START_TEST (old_file_is_brought_to_the_new_version)
{
  const char *const first_only[] = { srv_account_migrations[0], NULL };
  g_autofree char *path = store_path ();
  SrvDatabase *old = srv_database_new (path, first_only, NULL);
  SrvAccountStore *store;

  ck_assert_ptr_nonnull (old);
  srv_database_free (old);
  store = open_store ();
  add (store, "Ada");
  close_store (store);
}
END_TEST

static void
assert_refused (const char *why)
{
  g_autofree char *path = store_path ();
  g_autoptr (GError) error = NULL;
  SrvAccountStore *store = srv_account_store_new (path, &error);

  ck_assert_ptr_null (store);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  ck_assert_msg (strstr (error->message, why) != NULL &&
                   strstr (error->message, path) != NULL,
                 "message: %s", error->message);
  g_unlink (path);
}

START_TEST (newer_file_is_refused)
{
  const char *const newer[] = {
    srv_account_migrations[0], srv_account_migrations[1],
    srv_account_migrations[2], "CREATE TABLE future (id INTEGER) STRICT", NULL
  };
  g_autofree char *path = store_path ();

  srv_database_free (srv_database_new (path, newer, NULL));
  assert_refused ("newer version");
}
END_TEST

START_TEST (damaged_file_is_refused)
{
  g_autofree char *path = store_path ();
  g_autofree char *data = NULL;
  gsize length;

  if (_i == 0)
    {
      g_file_set_contents (path, "this is a text, and no database at all", -1,
                           NULL);
      assert_refused ("not a database");
      return;
    }
  g_object_unref (open_store ());
  ck_assert (g_file_get_contents (path, &data, &length, NULL));
  memset (data + 4096, 0xa5, 8192);
  g_file_set_contents (path, data, (gssize) length, NULL);
  assert_refused ("could not");
}
END_TEST

/* It is not changed, either: the failed step leaves nothing. */
START_TEST (broken_migration_leaves_the_file_as_it_was)
{
  const char *const broken[] = { srv_account_migrations[0],
                                 "CREATE TABLE half (id INTEGER); NONSENSE",
                                 NULL };
  g_autofree char *path = store_path ();
  g_autoptr (GError) error = NULL;
  SrvAccountStore *store = open_store ();

  g_object_unref (store);
  g_unlink (path);
  ck_assert_ptr_null (srv_database_new (path, broken, &error));
  ck_assert_ptr_nonnull (error);
  store = open_store ();
  add (store, "Ada");
  close_store (store);
}
END_TEST

static gpointer
add_many (gpointer data)
{
  static gint next;
  gboolean ok = TRUE;

  for (int i = 0; i < 10; i++)
    {
      g_autofree char *name =
        g_strdup_printf ("name%d", g_atomic_int_add (&next, 1));
      g_autofree char *token = NULL;

      ok = ok && srv_account_store_add (data, name, PASSWORD, NULL);
      token = srv_account_store_login (data, name, PASSWORD, NULL, NULL);
      ok = ok && token != NULL;
    }
  return GINT_TO_POINTER (ok);
}

/* Two stores of one file are as two processes. */
START_TEST (threads_and_stores_share_a_file)
{
  SrvAccountStore *stores[2] = { open_store (), open_store () };
  GThread *threads[4];
  g_autoptr (GPtrArray) list = NULL;

  for (guint i = 0; i < 2; i++)
    g_object_set (stores[i], "max-waiting", 1000, "free-attempts-address",
                  10000, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("add", add_many, stores[i % 2]);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert (g_thread_join (threads[i]));
  list = srv_account_store_list (stores[0], NULL);
  ck_assert_uint_eq (list->len, 40);
  g_object_unref (stores[1]);
  close_store (stores[0]);
}
END_TEST

static int
use_in_child (SrvAccountStore *store)
{
  g_autoptr (GError) error = NULL;
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      srv_account_store_add (store, "child", PASSWORD, &error);
      _exit (error == NULL                                            ? 0
             : g_error_matches (error, SRV_ERROR, SRV_ERROR_IN_CHILD) ? 1
                                                                      : 2);
    }
  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  return WEXITSTATUS (status);
}

/* SQLite cannot be used on both sides of a fork. */
START_TEST (child_opens_the_file_by_itself)
{
  SrvAccountStore *store = open_store ();

  ck_assert_int_eq (use_in_child (store), 0);
  ck_assert_int_eq (attempt (store, "child", PASSWORD, NULL, NULL), -1);
  ck_assert_int_eq (use_in_child (store), 1);
  close_store (store);
}
END_TEST

/* Addresses */

START_TEST (addresses_have_names_for_some_time)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *stored = NULL;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;

  g_object_set (store, "identity-lifetime", 100, "max-identities", 1, NULL);
  ck_assert_ptr_null (srv_account_store_identify (store, "a", &error));
  srv_test_assert_no_error (error);
  stored = srv_account_store_name_address (store, "a", "Ada", NULL);
  ck_assert_str_eq (stored, "Ada");
  ck_assert_ptr_null (
    srv_account_store_name_address (store, "b", "Bob", &error));
  srv_test_assert_error (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL);
  now += 99;
  found = srv_account_store_identify (store, "a", NULL);
  ck_assert_str_eq (found, "Ada");
  now += 100;
  ck_assert_ptr_null (srv_account_store_identify (store, "a", NULL));
  close_store (store);
}
END_TEST

static const struct
{
  const char *address;
  const char *key;
} keys[] = {
  { "192.0.2.1", "192.0.2.1" },
  { "::ffff:192.0.2.1", "192.0.2.1" },
  { "::1", "::1" },
  { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
};

START_TEST (address_has_one_key)
{
  g_autoptr (GSocketAddress) address =
    g_inet_socket_address_new_from_string (keys[_i].address, 1);
  g_autofree char *key = srv_peer_dup_address_key (address);

  ck_assert_str_eq (key, keys[_i].key);
}
END_TEST

int
main (void)
{
  const SrvTestEntry entries[] = {
    { "accounts", account_is_there_after_a_restart, 1 },
    { "accounts", name_is_taken_in_any_case, 1 },
    { "accounts", names_have_rules, G_N_ELEMENTS (names) },
    { "accounts", passwords_have_a_length, 1 },
    { "accounts", accounts_have_a_limit, 1 },
    { "accounts", list_tells_of_accounts, 1 },
    { "accounts", removed_account_takes_all_along, 1 },
    { "sessions", unused_session_ends, 1 },
    { "sessions", used_session_ends_at_last, 1 },
    { "sessions", rotated_token_is_worth_nothing, 1 },
    { "sessions", sessions_are_revoked, 1 },
    { "sessions", sessions_have_a_limit, 1 },
    { "sessions", bound_token_is_good_at_home_only, 1 },
    { "sessions", odd_tokens_are_refused, 1 },
    { "file", secrets_are_not_in_the_file, 1 },
    { "file", old_file_is_brought_to_the_new_version, 1 },
    { "file", newer_file_is_refused, 1 },
    { "file", damaged_file_is_refused, 2 },
    { "file", broken_migration_leaves_the_file_as_it_was, 1 },
    { "file", threads_and_stores_share_a_file, 1 },
    { "file", child_opens_the_file_by_itself, 1 },
    { "addresses", addresses_have_names_for_some_time, 1 },
    { "addresses", address_has_one_key, G_N_ELEMENTS (keys) },
  };
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (SrvAccountStore) store =
    srv_account_store_new ("", &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    {
      printf ("1..0 # SKIP %s\n", error->message);
      return EXIT_SUCCESS;
    }
  return srv_test_run_entries ("account-store", entries,
                               G_N_ELEMENTS (entries));
}
