/* test-account-passwords.c - who may come in, and who has to wait
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "account-test.h"

#include <stdio.h>
#include <stdlib.h>

/* Passwords */

/* A name that nobody has cannot be told by the answer, nor by the work. */
START_TEST (unknown_name_and_wrong_password_are_alike)
{
  SrvAccountStore *store = open_store ();
  const char *const strangers[] = { "Bob", "", "\xff", "no#name" };
  guint64 before;

  add (store, "Ada");
  before = srv_account_store_get_n_hashes (store);
  ck_assert_int_eq (attempt (store, "Ada", "wrong", "a", NULL),
                    SRV_ACCOUNT_ERROR_REFUSED);
  ck_assert_uint_eq (srv_account_store_get_n_hashes (store), before + 1);
  for (guint i = 0; i < G_N_ELEMENTS (strangers); i++)
    {
      ck_assert_int_eq (attempt (store, strangers[i], PASSWORD, "b", NULL),
                        SRV_ACCOUNT_ERROR_REFUSED);
      ck_assert_uint_eq (srv_account_store_get_n_hashes (store),
                         before + 2 + i);
    }
  close_store (store);
}
END_TEST

/* As many free attempts as there are, then one for each wait, which doubles. */
START_TEST (guesses_have_to_wait)
{
  SrvAccountStore *store = open_store ();
  guint wait_s = 0;

  add (store, "Ada");
  for (int i = 0; i < 5; i++)
    ck_assert_int_eq (attempt (store, "Ada", "wrong", NULL, NULL),
                      SRV_ACCOUNT_ERROR_REFUSED);
  for (guint expected = 1; expected <= 1024; expected *= 2)
    {
      /* Even the right password. */
      ck_assert_int_eq (attempt (store, "aDA", PASSWORD, NULL, &wait_s),
                        SRV_ACCOUNT_ERROR_TOO_SOON);
      ck_assert_uint_eq (wait_s, MIN (expected, 900));
      now += wait_s;
      ck_assert_int_eq (attempt (store, "Ada", "wrong", NULL, NULL),
                        SRV_ACCOUNT_ERROR_REFUSED);
    }
  now += 900;
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL), -1);
  /* Forgiven. */
  ck_assert_int_eq (attempt (store, "Ada", "wrong", NULL, NULL),
                    SRV_ACCOUNT_ERROR_REFUSED);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL), -1);
  close_store (store);
}
END_TEST

/* Whoever guesses 10,000 times waits for months. Here time is told. */
START_TEST (ten_thousand_guesses_are_few_a_day)
{
  SrvAccountStore *store = open_store ();
  const gint64 begun = now;
  guint64 n_hashes;

  add (store, "Ada");
  n_hashes = srv_account_store_get_n_hashes (store);
  for (int i = 0; i < 1000; i++)
    {
      attempt (store, "Ada", "wrong", NULL, NULL);
      now += 86;
    }
  ck_assert_int_eq (now - begun, 86000);
  n_hashes = srv_account_store_get_n_hashes (store) - n_hashes;
  ck_assert_uint_ge (n_hashes, 86000 / 900);
  ck_assert_uint_le (n_hashes, 86000 / 900 + 20);
  close_store (store);
}
END_TEST

START_TEST (restart_forgives_nothing)
{
  SrvAccountStore *store = open_store ();

  add (store, "Ada");
  for (int i = 0; i < 5; i++)
    attempt (store, "Ada", "wrong", NULL, NULL);
  g_object_unref (store);
  store = open_store ();
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL),
                    SRV_ACCOUNT_ERROR_TOO_SOON);
  close_store (store);
}
END_TEST

/* An address that tries every name waits, too; other addresses do not. An
 * account of one's own gives no new attempts. */
START_TEST (addresses_have_to_wait)
{
  SrvAccountStore *store = open_store ();

  add (store, "Ada");
  for (int i = 0; i < 20; i++)
    {
      g_autofree char *name = g_strdup_printf ("name%d", i);

      if (i % 3 == 0)
        ck_assert_int_eq (attempt (store, "Ada", PASSWORD, "bad", NULL), -1);
      ck_assert_int_eq (attempt (store, name, "wrong", "bad", NULL),
                        SRV_ACCOUNT_ERROR_REFUSED);
    }
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, "bad", NULL),
                    SRV_ACCOUNT_ERROR_TOO_SOON);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, "good", NULL), -1);
  close_store (store);
}
END_TEST

static gpointer
guess (gpointer data)
{
  for (int i = 0; i < 10; i++)
    {
      char *found =
        srv_account_store_check_password (data, "Ada", "wrong", NULL, NULL);

      g_free (found);
    }
  return NULL;
}

/* All at once are no way around the limit. */
START_TEST (parallel_guesses_are_counted)
{
  SrvAccountStore *store = open_store ();
  GThread *threads[4];
  guint64 before;

  add (store, "Ada");
  before = srv_account_store_get_n_hashes (store);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("guess", guess, store);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  ck_assert_uint_eq (srv_account_store_get_n_hashes (store), before + 5);
  close_store (store);
}
END_TEST

/* An administrator lets a name in that others have shut by guessing. */
START_TEST (forgiven_name_is_let_in)
{
  SrvAccountStore *store = open_store ();
  g_autoptr (GError) error = NULL;

  add (store, "Ada");
  for (int i = 0; i < 5; i++)
    attempt (store, "Ada", "wrong", "bad", NULL);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, "good", NULL),
                    SRV_ACCOUNT_ERROR_TOO_SOON);
  ck_assert (srv_account_store_forgive (store, "ada", &error));
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, "good", NULL), -1);
  ck_assert (!srv_account_store_forgive (store, "Eve", &error));
  srv_test_assert_error (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND);
  close_store (store);
}
END_TEST

/* The code with which a client cannot make an account; -1 when it can. */
static int
enrol (SrvAccountStore *store,
       const char *name,
       const char *address,
       guint *wait_s)
{
  g_autoptr (GError) error = NULL;

  if (srv_account_store_register (store, name, PASSWORD, address, &error))
    return -1;
  ck_assert (error->domain == SRV_ACCOUNT_ERROR);
  if (wait_s != NULL)
    *wait_s = srv_account_error_get_wait (error);
  return error->code;
}

/* An address makes so many accounts in an hour, and a restart does not change
 * it. Others are not held up, nor who looks after the store. */
START_TEST (address_makes_few_accounts)
{
  SrvAccountStore *store = open_store ();
  guint64 before;
  guint wait_s;

  g_object_set (store, "registration-limit-address", 2, NULL);
  ck_assert_int_eq (enrol (store, "a", "bad", NULL), -1);
  now += 600;
  ck_assert_int_eq (enrol (store, "a", "bad", NULL), SRV_ACCOUNT_ERROR_EXISTS);
  ck_assert_int_eq (enrol (store, "b", "bad", NULL), -1);
  before = srv_account_store_get_n_hashes (store);
  ck_assert_int_eq (enrol (store, "c", "bad", &wait_s),
                    SRV_ACCOUNT_ERROR_TOO_SOON);
  ck_assert_uint_eq (wait_s, 3000);
  ck_assert_uint_eq (srv_account_store_get_n_hashes (store), before);
  ck_assert_int_eq (enrol (store, "c", "good", NULL), -1);
  add (store, "d");
  g_object_unref (store);

  store = open_store ();
  g_object_set (store, "registration-limit-address", 2, NULL);
  now += 2999;
  ck_assert_int_eq (enrol (store, "e", "bad", &wait_s),
                    SRV_ACCOUNT_ERROR_TOO_SOON);
  ck_assert_uint_eq (wait_s, 1);
  now++;
  ck_assert_int_eq (enrol (store, "e", "bad", NULL), -1);
  close_store (store);
}
END_TEST

/* Many addresses are no way around the limit of all. */
START_TEST (all_make_few_accounts)
{
  SrvAccountStore *store = open_store ();

  g_object_set (store, "registration-limit", 3, NULL);
  for (int i = 0; i < 4; i++)
    {
      g_autofree char *name = g_strdup_printf ("name%d", i);

      ck_assert_int_eq (enrol (store, name, name, NULL),
                        i < 3 ? -1 : SRV_ACCOUNT_ERROR_TOO_SOON);
    }
  close_store (store);
}
END_TEST

static gpointer
enrol_many (gpointer data)
{
  for (int i = 0; i < 5; i++)
    {
      g_autofree char *name = g_strdup_printf ("%p-%d", &name, i);

      srv_account_store_register (data, name + 2, PASSWORD, "here", NULL);
    }
  return NULL;
}

/* All at once are no way around it either. */
START_TEST (parallel_registrations_are_counted)
{
  SrvAccountStore *store = open_store ();
  g_autoptr (GPtrArray) list = NULL;
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("enrol", enrol_many, store);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  list = srv_account_store_list (store, NULL);
  ck_assert_uint_eq (list->len, 10);
  close_store (store);
}
END_TEST

START_TEST (costlier_hash_is_made_at_login)
{
  SrvAccountStore *store = open_store ();
  guint64 before;

  add (store, "Ada");
  g_object_set (store, "hash-memory", 16, NULL);
  before = srv_account_store_get_n_hashes (store);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL), -1);
  ck_assert_uint_eq (srv_account_store_get_n_hashes (store), before + 2);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL), -1);
  ck_assert_uint_eq (srv_account_store_get_n_hashes (store), before + 3);
  close_store (store);
}
END_TEST

START_TEST (new_password_ends_sessions)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;
  g_autoptr (GError) error = NULL;

  add (store, "Ada");
  token = log_in (store, "Ada");
  ck_assert (!srv_account_store_change_password (store, "Ada", PASSWORD,
                                                 "short", NULL, &error));
  srv_test_assert_error (error, SRV_ACCOUNT_ERROR,
                         SRV_ACCOUNT_ERROR_BAD_PASSWORD);
  assert_token (store, token, TRUE);
  ck_assert (srv_account_store_change_password (store, "Ada", PASSWORD,
                                                "battery staple", NULL, NULL));
  assert_token (store, token, FALSE);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL),
                    SRV_ACCOUNT_ERROR_REFUSED);
  ck_assert (srv_account_store_set_password (store, "ada", PASSWORD, NULL));
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL), -1);
  close_store (store);
}
END_TEST

/* Who does not know the password is not told of the ban. */
START_TEST (banned_account_is_shut)
{
  SrvAccountStore *store = open_store ();
  g_autofree char *token = NULL;

  add (store, "Ada");
  token = log_in (store, "Ada");
  ck_assert (srv_account_store_set_banned (store, "Ada", TRUE, NULL));
  assert_token (store, token, FALSE);
  ck_assert_int_eq (attempt (store, "Ada", "wrong", NULL, NULL),
                    SRV_ACCOUNT_ERROR_REFUSED);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL),
                    SRV_ACCOUNT_ERROR_BANNED);
  ck_assert (srv_account_store_set_banned (store, "Ada", FALSE, NULL));
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL), -1);
  assert_token (store, token, FALSE);
  close_store (store);
}
END_TEST

static gpointer
log_in_slowly (gpointer data)
{
  return srv_account_store_login (data, "Ada", PASSWORD, NULL, NULL);
}

START_TEST (crowd_is_told_to_come_back)
{
  SrvAccountStore *store = open_store ();
  GThread *thread;
  g_autofree char *token = NULL;

  g_object_set (store, "hash-memory", 65536, "hash-operations", 8, "max-hashes",
                1, "max-waiting", 0, NULL);
  add (store, "Ada");
  thread = g_thread_new ("login", log_in_slowly, store);
  srv_test_eventually (srv_account_store_get_n_hashes (store) == 2);
  ck_assert_int_eq (attempt (store, "Ada", PASSWORD, NULL, NULL),
                    SRV_ACCOUNT_ERROR_BUSY);
  token = g_thread_join (thread);
  assert_token (store, token, TRUE);
  close_store (store);
}
END_TEST

int
main (void)
{
  const SrvTestEntry entries[] = {
    { "passwords", unknown_name_and_wrong_password_are_alike, 1 },
    { "passwords", guesses_have_to_wait, 1 },
    { "passwords", ten_thousand_guesses_are_few_a_day, 1 },
    { "passwords", restart_forgives_nothing, 1 },
    { "passwords", addresses_have_to_wait, 1 },
    { "passwords", parallel_guesses_are_counted, 1 },
    { "passwords", forgiven_name_is_let_in, 1 },
    { "registration", address_makes_few_accounts, 1 },
    { "registration", all_make_few_accounts, 1 },
    { "registration", parallel_registrations_are_counted, 1 },
    { "passwords", costlier_hash_is_made_at_login, 1 },
    { "passwords", new_password_ends_sessions, 1 },
    { "passwords", banned_account_is_shut, 1 },
    { "passwords", crowd_is_told_to_come_back, 1 },
  };
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (SrvAccountStore) store =
    srv_account_store_new ("", &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    {
      printf ("1..0 # SKIP %s\n", error->message);
      return EXIT_SUCCESS;
    }
  return srv_test_run_entries ("account-passwords", entries,
                               G_N_ELEMENTS (entries));
}
