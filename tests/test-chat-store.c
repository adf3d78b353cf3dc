/* test-chat-store.c - messages for those who are away, history, contacts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything with both stores, as far as the library was built with both.
 */

#include "srv-test.h"

#include <socketserver-handlers.h>

#define PASSWORD "correct horse"

static const gboolean in_file[] = { FALSE, TRUE };

/* NULL: this build has none. */
static SrvChatStore *
open_store (int i)
{
  g_autofree char *path = srv_test_path ("chat.db");
  SrvAccountStore *store;

  if (!in_file[i])
    return SRV_CHAT_STORE (srv_memory_chat_store_new ());
  store = srv_account_store_new (path, NULL);
  if (store != NULL)
    g_object_set (store, "hash-memory", 8, "hash-operations", 1, NULL);
  return (SrvChatStore *) store;
}

static void
close_store (SrvChatStore *store)
{
  g_autofree char *path = srv_test_path ("chat.db");

  g_object_unref (store);
  g_unlink (path);
}

static void
add (SrvChatStore *store, const char *name)
{
  gboolean ok =
    SRV_IS_MEMORY_CHAT_STORE (store)
      ? srv_memory_chat_store_add (SRV_MEMORY_CHAT_STORE (store), name,
                                   PASSWORD, NULL)
      : srv_account_store_add (SRV_ACCOUNT_STORE (store), name, PASSWORD, NULL);

  ck_assert (ok);
}

static void
save (SrvChatStore *store, gint64 time, const char *to, const char *text)
{
  g_autoptr (SrvChatRecord) record =
    srv_chat_record_new (time, "Ada", to, text, "extra");
  g_autoptr (GError) error = NULL;

  if (*to == '#')
    srv_chat_store_save_history (store, record, &error);
  else
    srv_chat_store_save_offline (store, record, &error);
  srv_test_assert_no_error (error);
}

/* Takes the messages and says their texts, with a space after each. */
static char *
texts_of (GPtrArray *list)
{
  GString *texts = g_string_new (NULL);

  ck_assert_ptr_nonnull (list);
  for (guint i = 0; i < list->len; i++)
    g_string_append_printf (texts, "%s ",
                            ((SrvChatRecord *) list->pdata[i])->text);
  g_ptr_array_unref (list);
  return g_string_free (texts, FALSE);
}

static void
assert_taken (SrvChatStore *store, const char *expected)
{
  g_autofree char *texts =
    texts_of (srv_chat_store_take_offline (store, "bob", 10, NULL));

  ck_assert_str_eq (texts, expected);
}

#define skip_without(store)                                 \
  if (store == NULL)                                        \
    {                                                       \
      g_test_message ("built without SQLite or libsodium"); \
      return;                                               \
    }

START_TEST (account_is_found_and_checked)
{
  SrvChatStore *store = open_store (_i);
  g_autofree char *found = NULL;
  g_autofree char *checked = NULL;
  g_autoptr (GError) wrong = NULL;
  g_autoptr (GError) unknown = NULL;

  skip_without (store);
  add (store, "Bob");
  found = srv_chat_store_find_account (store, "BOB", NULL);
  ck_assert_str_eq (found, "Bob");
  checked = srv_chat_store_check_password (store, "bob", PASSWORD, NULL, NULL);
  ck_assert_str_eq (checked, "Bob");
  srv_chat_store_check_password (store, "bob", "wrong", NULL, &wrong);
  srv_chat_store_check_password (store, "eve", "wrong", NULL, &unknown);
  srv_test_assert_error (wrong, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_REFUSED);
  srv_test_assert_error (unknown, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_REFUSED);
  ck_assert_str_eq (wrong->message, unknown->message);
  ck_assert_ptr_null (srv_chat_store_find_account (store, "\xff", NULL));
  close_store (store);
}
END_TEST

START_TEST (message_is_kept_whole)
{
  SrvChatStore *store = open_store (_i);
  g_autoptr (GPtrArray) list = NULL;
  const SrvChatRecord *record;

  skip_without (store);
  add (store, "Bob");
  save (store, 42, "BOB", "Привет 👋 'quoted'\n");
  list = srv_chat_store_take_offline (store, "bob", 1, NULL);
  ck_assert_uint_eq (list->len, 1);
  record = list->pdata[0];
  ck_assert_int_gt (record->id, 0);
  ck_assert_int_eq (record->time, 42);
  ck_assert_str_eq (record->from, "Ada");
  ck_assert_str_eq (record->to, "BOB");
  ck_assert_str_eq (record->text, "Привет 👋 'quoted'\n");
  ck_assert_str_eq (record->extra, "extra");
  close_store (store);
}
END_TEST

START_TEST (nobody_gets_what_was_taken)
{
  SrvChatStore *store = open_store (_i);
  g_autoptr (GPtrArray) list = NULL;

  skip_without (store);
  add (store, "Bob");
  save (store, 1, "Bob", "one");
  save (store, 2, "Bob", "two");
  save (store, 3, "Bob", "three");
  list = srv_chat_store_take_offline (store, "Bob", 2, NULL);
  ck_assert_uint_eq (list->len, 2);
  assert_taken (store, "three ");
  assert_taken (store, "");
  /* The first was delivered, the second was not. */
  ck_assert (srv_chat_store_acknowledge (store,
                                         ((SrvChatRecord *) list->pdata[0])->id,
                                         NULL));
  srv_chat_store_give_back (store, ((SrvChatRecord *) list->pdata[1])->id);
  assert_taken (store, "two ");
  close_store (store);
}
END_TEST

/* A server that dies delivers again what was not acknowledged, and no more. */
START_TEST (unacknowledged_message_comes_again)
{
  SrvChatStore *store = open_store (1);
  g_autoptr (GPtrArray) list = NULL;

  skip_without (store);
  add (store, "Bob");
  save (store, 1, "Bob", "one");
  save (store, 2, "Bob", "two");
  list = srv_chat_store_take_offline (store, "Bob", 10, NULL);
  ck_assert (srv_chat_store_acknowledge (store,
                                         ((SrvChatRecord *) list->pdata[0])->id,
                                         NULL));
  g_object_unref (store);
  store = open_store (1);
  assert_taken (store, "two ");
  close_store (store);
}
END_TEST

/* Saves for ever, and tells of each message by a byte. */
G_GNUC_NORETURN static void
save_until_killed (int fd)
{
  SrvChatStore *store = open_store (1);
  g_autoptr (SrvChatRecord) record =
    srv_chat_record_new (1, "Ada", "Bob", "text", NULL);

  g_object_set (store, "offline-limit", 1000000, NULL);
  while (srv_chat_store_save_offline (store, record, NULL) &&
         write (fd, "x", 1) == 1)
    ;
  _exit (1);
}

/* What the store has said to be kept is there when the process was killed; of
 * the message at which it was killed nobody was told. */
START_TEST (kept_message_survives_a_kill)
{
  SrvChatStore *store = open_store (1);
  g_autoptr (GPtrArray) list = NULL;
  const guint wanted = (guint) g_random_int_range (1, 30);
  guint n_told = 0;
  int fds[2];
  int status;
  char byte;
  pid_t pid;

  skip_without (store);
  add (store, "Bob");
  g_object_unref (store);
  ck_assert_int_eq (pipe (fds), 0);
  pid = fork ();
  if (pid == 0)
    save_until_killed (fds[1]);
  srv_test_close (fds[1]);
  while (read (fds[0], &byte, 1) == 1)
    if (++n_told == wanted)
      kill (pid, SIGKILL);
  srv_test_close (fds[0]);
  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  ck_assert (WIFSIGNALED (status) && n_told >= wanted);
  store = open_store (1);
  list = srv_chat_store_take_offline (store, "Bob", 1000000, NULL);
  ck_assert_uint_ge (list->len, n_told);
  ck_assert_uint_le (list->len, n_told + 1);
  close_store (store);
}
END_TEST

START_TEST (few_messages_wait)
{
  SrvChatStore *store = open_store (_i);
  g_autoptr (SrvChatRecord) stray =
    srv_chat_record_new (1, "Ada", "Eve", "text", NULL);
  g_autoptr (SrvChatRecord) last =
    srv_chat_record_new (1, "Ada", "Bob", "text", NULL);
  g_autoptr (GError) no_account = NULL;
  g_autoptr (GError) full = NULL;

  skip_without (store);
  add (store, "Bob");
  for (int i = 0; i < 100; i++)
    save (store, i, "Bob", "text");
  ck_assert (!srv_chat_store_save_offline (store, last, &full));
  srv_test_assert_error (full, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_FULL);
  ck_assert (!srv_chat_store_save_offline (store, stray, &no_account));
  srv_test_assert_error (no_account, SRV_ACCOUNT_ERROR,
                         SRV_ACCOUNT_ERROR_NOT_FOUND);
  close_store (store);
}
END_TEST

static void
assert_history (SrvChatStore *store, guint max, const char *expected)
{
  g_autofree char *texts =
    texts_of (srv_chat_store_get_history (store, "#ROOM", max, NULL));

  ck_assert_str_eq (texts, expected);
}

START_TEST (history_is_in_order)
{
  SrvChatStore *store = open_store (_i);

  skip_without (store);
  assert_history (store, 10, "");
  save (store, 1, "#room", "one");
  save (store, 2, "#other", "other");
  save (store, 2, "#Room", "two");
  save (store, 3, "#room", "three");
  assert_history (store, 10, "one two three ");
  assert_history (store, 2, "two three ");
  assert_history (store, 0, "");
  close_store (store);
}
END_TEST

START_TEST (history_loses_its_oldest)
{
  SrvChatStore *store = open_store (_i);

  skip_without (store);
  if (SRV_IS_ACCOUNT_STORE (store))
    g_object_set (store, "history-limit", 3, NULL);
  for (int i = in_file[_i] ? 996 : 0; i <= 1000; i++)
    {
      g_autofree char *text = g_strdup_printf ("%d", i);

      save (store, i, "#room", text);
    }
  if (in_file[_i])
    assert_history (store, 10, "998 999 1000 ");
  else
    {
      g_autoptr (GPtrArray) list =
        srv_chat_store_get_history (store, "#room", 5000, NULL);

      ck_assert_uint_eq (list->len, 1000);
      ck_assert_str_eq (((SrvChatRecord *) list->pdata[0])->text, "1");
    }
  close_store (store);
}
END_TEST

/* Rooms cost nothing to make: whoever makes thousands neither fills the memory
 * nor keeps others from being heard. The ones that were quiet for longest lose
 * their history. */
START_TEST (quiet_rooms_lose_their_history)
{
  SrvChatStore *store = open_store (0);
  const struct
  {
    const char *room;
    guint n_records;
  } expected[] = {
    { "#room", 1 }, { "#0", 0 },   { "#1", 0 },
    { "#2", 1 },    { "#999", 1 }, { "#new", 1 },
  };

  ck_assert (SRV_IS_MEMORY_CHAT_STORE (store));
  for (int i = 0; i < 999; i++)
    {
      g_autofree char *room = g_strdup_printf ("#%d", i);

      if (i == 0)
        save (store, i, "#room", "first");
      save (store, i, room, "text");
    }
  save (store, 1000, "#room", "second");
  save (store, 1000, "#999", "text");
  save (store, 1000, "#new", "text");
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autoptr (GPtrArray) list =
        srv_chat_store_get_history (store, expected[i].room, 1, NULL);

      ck_assert_uint_eq (list->len, expected[i].n_records);
    }
  close_store (store);
}
END_TEST

/* What all rooms have together is bounded, too. */
START_TEST (all_rooms_together_are_bounded)
{
  SrvChatStore *store = open_store (0);
  guint n_records = 0;

  for (int i = 0; i < 101 * 1000; i++)
    {
      g_autofree char *room = g_strdup_printf ("#%d", i / 1000);

      save (store, i, room, "text");
    }
  for (int i = 0; i < 101; i++)
    {
      g_autofree char *room = g_strdup_printf ("#%d", i);
      g_autoptr (GPtrArray) list =
        srv_chat_store_get_history (store, room, 1000, NULL);

      n_records += list->len;
    }
  ck_assert_uint_eq (n_records, 100000);
  close_store (store);
}
END_TEST

static void
assert_names (char **names, const char *expected)
{
  g_autofree char *joined = NULL;

  ck_assert_ptr_nonnull (names);
  joined = g_strjoinv (" ", names);
  g_strfreev (names);
  ck_assert_str_eq (joined, expected);
}

static void
assert_contacts (SrvChatStore *store, const char *owner, const char *expected)
{
  assert_names (srv_chat_store_list_contacts (store, owner, 10, NULL),
                expected);
}

/* Names are found however they are written, and told as the accounts have
 * them. */
START_TEST (contacts_are_of_an_account)
{
  SrvChatStore *store = open_store (_i);

  skip_without (store);
  add (store, "Bob");
  add (store, "ada");
  add (store, "Eve");
  assert_contacts (store, "bob", "");
  ck_assert (srv_chat_store_add_contact (store, "BOB", "eve", NULL));
  ck_assert (srv_chat_store_add_contact (store, "bob", "ADA", NULL));
  assert_contacts (store, "Bob", "ada Eve");
  assert_contacts (store, "Eve", "");
  assert_names (srv_chat_store_list_contacts (store, "Bob", 1, NULL), "ada");
  assert_names (srv_chat_store_list_accounts (store, 10, NULL), "ada Bob Eve");
  assert_names (srv_chat_store_list_accounts (store, 2, NULL), "ada Bob");
  ck_assert (srv_chat_store_remove_contact (store, "bob", "ada", NULL));
  assert_contacts (store, "Bob", "Eve");
  close_store (store);
}
END_TEST

START_TEST (contacts_are_refused)
{
  const struct
  {
    const char *owner;
    const char *contact;
    int on_add;
    int on_remove;
  } cases[] = {
    { "Bob", "nobody", SRV_ACCOUNT_ERROR_NOT_FOUND,
      SRV_ACCOUNT_ERROR_NOT_FOUND },
    { "nobody", "Bob", SRV_ACCOUNT_ERROR_NOT_FOUND,
      SRV_ACCOUNT_ERROR_NOT_FOUND },
    { "Bob", "Eve", SRV_ACCOUNT_ERROR_FULL, SRV_ACCOUNT_ERROR_NOT_FOUND },
    { "Bob", "ADA", SRV_ACCOUNT_ERROR_EXISTS, -1 },
  };
  SrvChatStore *store = open_store (_i);
  g_autoptr (GError) unknown = NULL;

  skip_without (store);
  g_object_set (store, "contact-limit", 1, NULL);
  add (store, "Ada");
  add (store, "Bob");
  add (store, "Eve");
  ck_assert (srv_chat_store_add_contact (store, "Bob", "Ada", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) error2 = NULL;

      ck_assert (!srv_chat_store_add_contact (store, cases[i].owner,
                                              cases[i].contact, &error));
      srv_test_assert_error (error, SRV_ACCOUNT_ERROR, cases[i].on_add);
      ck_assert_int_eq (srv_chat_store_remove_contact (store, cases[i].owner,
                                                       cases[i].contact,
                                                       &error2),
                        cases[i].on_remove < 0);
      if (error2 != NULL)
        srv_test_assert_error (error2, SRV_ACCOUNT_ERROR, cases[i].on_remove);
    }
  ck_assert_ptr_null (
    srv_chat_store_list_contacts (store, "nobody", 1, &unknown));
  srv_test_assert_error (unknown, SRV_ACCOUNT_ERROR,
                         SRV_ACCOUNT_ERROR_NOT_FOUND);
  close_store (store);
}
END_TEST

/* They are in the file, and go with the accounts. */
START_TEST (contacts_are_kept)
{
  SrvChatStore *store = open_store (1);

  skip_without (store);
  add (store, "Ada");
  add (store, "Bob");
  add (store, "Eve");
  ck_assert (srv_chat_store_add_contact (store, "Bob", "Ada", NULL));
  ck_assert (srv_chat_store_add_contact (store, "Bob", "Eve", NULL));
  ck_assert (srv_chat_store_add_contact (store, "Ada", "Bob", NULL));
  g_object_unref (store);
  store = open_store (1);
  assert_contacts (store, "Bob", "Ada Eve");
  ck_assert (srv_account_store_remove (SRV_ACCOUNT_STORE (store), "Ada", NULL));
  ck_assert (srv_account_store_set_banned (SRV_ACCOUNT_STORE (store), "Eve",
                                           TRUE, NULL));
  assert_contacts (store, "Bob", "Eve");
  assert_names (srv_chat_store_list_accounts (store, 10, NULL), "Bob");
  close_store (store);
}
END_TEST

int
main (void)
{
  const SrvTestEntry entries[] = {
    { "accounts", account_is_found_and_checked, 2 },
    { "offline", message_is_kept_whole, 2 },
    { "offline", nobody_gets_what_was_taken, 2 },
    { "offline", unacknowledged_message_comes_again, 1 },
    { "offline", kept_message_survives_a_kill, 10 },
    { "offline", few_messages_wait, 2 },
    { "history", history_is_in_order, 2 },
    { "history", history_loses_its_oldest, 2 },
    { "contacts", contacts_are_of_an_account, 2 },
    { "contacts", contacts_are_refused, 2 },
    { "contacts", contacts_are_kept, 1 },
    { "history", quiet_rooms_lose_their_history, 1 },
    { "history", all_rooms_together_are_bounded, 1 },
  };
  return srv_test_run_entries ("chat-store", entries, G_N_ELEMENTS (entries));
}
