/* test-jim-contacts.c - JIM: the lists that clients keep of people
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Three generations of clients ask in different words and expect different
 * answers. With both stores, as far as the library was built with both.
 */

#include "jim-test.h"

#define PASSWORD "correct horse"

/* A store of nothing, of somebody who has not heard of contacts. */
#define TEST_TYPE_STORE (test_store_get_type ())
G_DECLARE_FINAL_TYPE (TestStore, test_store, TEST, STORE, GObject)

struct _TestStore
{
  GObject parent_instance;

  gboolean is_broken;
};

static char *
find_account (SrvChatStore *base, const char *name, GError **error)
{
  if (!TEST_STORE (base)->is_broken)
    return g_strdup (name);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
  return NULL;
}

static GPtrArray *
take_offline (G_GNUC_UNUSED SrvChatStore *base,
              G_GNUC_UNUSED const char *name,
              G_GNUC_UNUSED guint max_records,
              G_GNUC_UNUSED GError **error)
{
  return g_ptr_array_new ();
}

static void
test_store_iface_init (SrvChatStoreInterface *iface)
{
  iface->find_account = find_account;
  iface->take_offline = take_offline;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestStore,
                               test_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (SRV_TYPE_CHAT_STORE,
                                                      test_store_iface_init))

static void
test_store_class_init (G_GNUC_UNUSED TestStoreClass *klass)
{
}

static void
test_store_init (G_GNUC_UNUSED TestStore *self)
{
}

static char *
path_of_store (void)
{
  return srv_test_path ("contacts.db");
}

/* FALSE: this build has none. */
static gboolean
open_store (gboolean is_in_file)
{
  g_autofree char *path = path_of_store ();
  SrvAccountStore *in_file;

  if (!is_in_file)
    {
      store = SRV_CHAT_STORE (srv_memory_chat_store_new ());
      return TRUE;
    }
  in_file = srv_account_store_new (path, NULL);
  if (in_file == NULL)
    {
      g_test_message ("built without SQLite or libsodium");
      return FALSE;
    }
  g_object_set (in_file, "hash-memory", 8, "hash-operations", 1, NULL);
  store = SRV_CHAT_STORE (in_file);
  return TRUE;
}

static void
add_accounts (void)
{
  static const char *const names[] = { "Anna", "Bob", "carol", "Дана" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    ck_assert (SRV_IS_MEMORY_CHAT_STORE (store)
                 ? srv_memory_chat_store_add (SRV_MEMORY_CHAT_STORE (store),
                                              names[i], PASSWORD, NULL)
                 : srv_account_store_add (SRV_ACCOUNT_STORE (store), names[i],
                                          PASSWORD, NULL));
}

static void
finish_with_file (SrvTestRun *run)
{
  g_autofree char *path = path_of_store ();

  finish (run);
  g_unlink (path);
}

static int
log_in (SrvTestRun *run)
{
  int fd = srv_test_connect (run->server);

  ck_assert_int_eq (ask (fd, AUTH ("anna", PASSWORD)), 200);
  return fd;
}

/* The next object, without its time. */
static char *
hear_timeless (int fd)
{
  g_autofree char *object = hear (fd);
  g_autoptr (GRegex) time = g_regex_new (",\"time\":[0-9]+", 0, 0, NULL);

  return g_regex_replace_literal (time, object, -1, 0, "", 0, NULL);
}

static void
expect (int fd, const char *expected)
{
  g_autofree char *object = hear_timeless (fd);

  ck_assert_str_eq (object, expected);
}

static void
ask_for (int fd, const char *request, const char *expected)
{
  srv_test_say (fd, request);
  expect (fd, expected);
}

#define GET_EARLY "{\"action\":\"get_contacts\",\"time\":1}"
#define GET_TEMPLATE \
  "{\"action\":\"get_contacts\",\"time\":1,\"user\":\"anna\"}"
#define GET_USERS \
  "{\"action\":\"get_users\",\"time\":1,\"account_name\":\"anna\"}"
#define ADD_EARLY(name) \
  "{\"action\":\"add_contact\",\"user_id\":\"" name "\",\"time\":1}"
#define DEL_EARLY(name) \
  "{\"action\":\"del_contact\",\"user_id\":\"" name "\",\"time\":1}"
#define ADD_MIDDLE(name)                                             \
  "{\"action\":\"add_contact\",\"user_id\":\"" name "\",\"time\":1," \
  "\"user_login\":\"anna\"}"
#define CHANGE(action, name)                                 \
  "{\"action\":\"" action "\",\"time\":1,\"user\":\"anna\"," \
  "\"account_name\":\"" name "\"}"

static const struct
{
  const char *request;
  int code;
} dialogue[] = {
  { ADD_EARLY ("bob"), 200 },
  { ADD_EARLY ("BOB"), 409 },
  { ADD_MIDDLE ("bob"), 409 },
  { CHANGE ("add", "bob"), 409 },
  { ADD_MIDDLE ("дана"), 200 },
  { CHANGE ("add", "carol"), 200 },
  { ADD_EARLY ("nobody"), 404 },
  { CHANGE ("add", "nobody"), 404 },
  { DEL_EARLY ("nobody"), 404 },
  { DEL_EARLY ("bob"), 200 },
  { DEL_EARLY ("bob"), 404 },
  { CHANGE ("remove", "carol"), 200 },
  { CHANGE ("remove", "carol"), 404 },
  { CHANGE ("del_contact", "дана"), 200 },
  /* Malformed: nobody, no text, too long, somebody else's list. */
  { "{\"action\":\"add_contact\",\"time\":1}", 400 },
  { "{\"action\":\"add\",\"time\":1,\"user\":\"anna\"}", 400 },
  { "{\"action\":\"add_contact\",\"user_id\":5}", 400 },
  { "{\"action\":\"add_contact\",\"user_id\":null}", 400 },
  { ADD_EARLY (""), 400 },
  { ADD_EARLY ("abcdefghijklmnopqrstuvwxy"), 404 },
  { ADD_EARLY ("abcdefghijklmnopqrstuvwxyz"), 400 },
  { "{\"action\":\"add\",\"user\":\"bob\",\"account_name\":\"carol\"}", 400 },
  { "{\"action\":\"add_contact\",\"user_id\":\"bob\","
    "\"user_login\":\"carol\"}",
    400 },
  { "{\"action\":\"get_contacts\",\"user\":\"bob\"}", 400 },
  { "{\"action\":\"get_contacts\",\"user_login\":7}", 400 },
  { "{\"action\":\"get_users\",\"account_name\":\"bob\"}", 400 },
  { "{\"action\":\"get_users\",\"user\":\"anna\",\"account_name\":\"bob\"}",
    400 },
};

START_TEST (requests_have_codes)
{
  SrvTestRun *run;
  int fd;

  if (!open_store (_i))
    return;
  add_accounts ();
  run = start (shared_memory[_i], NULL);
  fd = log_in (run);
  for (guint i = 0; i < G_N_ELEMENTS (dialogue); i++)
    {
      int code = ask (fd, dialogue[i].request);

      ck_assert_msg (code == dialogue[i].code, "%s: %d", dialogue[i].request,
                     code);
    }
  ask_for (fd, GET_TEMPLATE, "{\"response\":202,\"data_list\":[]}");
  srv_test_close (fd);
  finish_with_file (run);
}
END_TEST

/* Each generation gets the answer that it can read, in one alphabet. */
START_TEST (lists_have_three_shapes)
{
  static const char *const middle =
    "{\"action\":\"get_contacts\",\"time\":1,\"user_login\":\"anna\"}";
  static const char *const with_id =
    "{\"action\":\"get_contacts\",\"id\":7,\"user\":"
    "{\"account_name\":\"Anna\"}}";
  SrvTestRun *run;
  int fd;

  if (!open_store (_i))
    return;
  add_accounts ();
  run = start (shared_memory[_i], NULL);
  fd = log_in (run);
  ask_for (fd, GET_EARLY, "{\"response\":202,\"quantity\":0}");
  ask_for (fd, middle, "{\"response\":202,\"alert\":[]}");
  ck_assert_int_eq (ask (fd, ADD_EARLY ("дана")), 200);
  ck_assert_int_eq (ask (fd, ADD_EARLY ("bob")), 200);
  ask_for (fd, GET_EARLY, "{\"response\":202,\"quantity\":2}");
  expect (fd, "{\"action\":\"contact_list\",\"user_id\":\"Bob\"}");
  expect (fd, "{\"action\":\"contact_list\",\"user_id\":\"Дана\"}");
  ask_for (fd,
           "{\"action\":\"get_contacts\",\"time\":1,\"account_name\":\"anna\"}",
           "{\"response\":202,\"quantity\":2}");
  g_free (hear (fd));
  g_free (hear (fd));
  ask_for (fd, middle, "{\"response\":202,\"alert\":[\"Bob\",\"Дана\"]}");
  ask_for (fd, GET_TEMPLATE,
           "{\"response\":202,\"data_list\":[\"Bob\",\"Дана\"]}");
  ask_for (fd, with_id,
           "{\"response\":202,\"data_list\":[\"Bob\",\"Дана\"],\"id\":7}");
  ask_for (fd, GET_USERS,
           "{\"response\":202,\"data_list\":"
           "[\"Anna\",\"Bob\",\"carol\",\"Дана\"]}");
  srv_test_close (fd);
  finish_with_file (run);
}
END_TEST

/* Who has not said who he is gets nothing; nor does a guest, whose name is
 * somebody else's tomorrow, but he sees who there is. */
START_TEST (contacts_need_an_account)
{
  static const char *const requests[] = { GET_EARLY, ADD_EARLY ("bob"),
                                          DEL_EARLY ("bob") };
  SrvTestRun *run;
  int guest;
  int new;

  ck_assert (open_store (FALSE));
  add_accounts ();
  setting = _i == 0 ? "auth=1" : "auth=0"; /* optional, off */
  run = start (SRV_TEST_THREADING, NULL);
  new = srv_test_connect (run->server);
  guest = come (run, "guest");
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      ck_assert_int_eq (ask (new, requests[i]), 401);
      ck_assert_int_eq (ask (guest, requests[i]), 401);
    }
  ck_assert_int_eq (ask (new, GET_USERS), 401);
  ask_for (guest, "{\"action\":\"get_users\",\"account_name\":\"guest\"}",
           "{\"response\":202,\"data_list\":"
           "[\"Anna\",\"Bob\",\"carol\",\"Дана\"]}");
  srv_test_close (new);
  srv_test_close (guest);
  setting = NULL;
  finish (run);
}
END_TEST

/* Where nobody authenticates a name is enough, as for messages that wait. */
START_TEST (claimed_account_has_contacts)
{
  SrvTestRun *run;
  int fd;

  ck_assert (open_store (FALSE));
  add_accounts ();
  setting = "auth=0";
  run = start (SRV_TEST_THREADING, NULL);
  fd = come (run, "anna");
  ck_assert_int_eq (ask (fd, ADD_EARLY ("bob")), 200);
  ask_for (fd, GET_TEMPLATE, "{\"response\":202,\"data_list\":[\"Bob\"]}");
  srv_test_close (fd);
  setting = NULL;
  finish (run);
}
END_TEST

/* Without a store, and with one of somebody else's that has no contacts. */
START_TEST (without_contacts_all_are_told)
{
  SrvTestRun *run;
  int fd;

  if (_i == 1)
    store = g_object_new (TEST_TYPE_STORE, NULL);
  setting = "auth=0";
  run = start (SRV_TEST_THREADING, NULL);
  fd = come (run, "anna");
  ck_assert_int_eq (ask (fd, GET_EARLY), 410);
  ck_assert_int_eq (ask (fd, ADD_EARLY ("bob")), 410);
  ck_assert_int_eq (ask (fd, DEL_EARLY ("bob")), 410);
  ask_for (fd, GET_USERS, "{\"response\":202,\"data_list\":[\"anna\"]}");
  srv_test_close (fd);
  setting = NULL;
  finish (run);
}
END_TEST

START_TEST (failing_store_is_logged)
{
  SrvTestRun *run;
  int fd;

  store = g_object_new (TEST_TYPE_STORE, NULL);
  setting = "auth=0";
  run = start (SRV_TEST_THREADING, NULL);
  fd = come (run, "anna");
  /* The store is asked for messages after the answer, and before the next. */
  ck_assert_int_eq (ask (fd, GET_EARLY), 410);
  srv_test_begin_log ();
  TEST_STORE (store)->is_broken = TRUE;
  ck_assert_int_eq (ask (fd, GET_EARLY), 500);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, "broken"), 1);
  srv_test_end_log ();
  srv_test_close (fd);
  setting = NULL;
  finish (run);
}
END_TEST

START_TEST (contacts_survive_a_restart)
{
  SrvTestRun *run;
  int fd;

  if (!open_store (TRUE))
    return;
  add_accounts ();
  run = start (SRV_TEST_THREADING, NULL);
  fd = log_in (run);
  ck_assert_int_eq (ask (fd, ADD_EARLY ("bob")), 200);
  srv_test_close (fd);
  finish (run);
  ck_assert (open_store (TRUE));
  run = start (SRV_TEST_THREADING, NULL);
  fd = log_in (run);
  ask_for (fd, GET_TEMPLATE, "{\"response\":202,\"data_list\":[\"Bob\"]}");
  srv_test_close (fd);
  finish_with_file (run);
}
END_TEST

/* By the store, by the handler, and by what the client may leave unread. */
START_TEST (lists_are_bounded)
{
  static const char *const limits[] = { "max-listed=1",
                                        "max-queued-bytes=200" };
  SrvTestRun *run;
  int fd;

  ck_assert (open_store (FALSE));
  add_accounts ();
  g_object_set (store, "contact-limit", 2, NULL);
  setting = limits[_i];
  run = start (SRV_TEST_THREADING, NULL);
  fd = log_in (run);
  ck_assert_int_eq (ask (fd, ADD_EARLY ("bob")), 200);
  ck_assert_int_eq (ask (fd, ADD_EARLY ("anna")), 200);
  ck_assert_int_eq (ask (fd, ADD_EARLY ("carol")), 403);
  ask_for (fd, GET_EARLY, "{\"response\":202,\"quantity\":1}");
  expect (fd, "{\"action\":\"contact_list\",\"user_id\":\"Anna\"}");
  ask_for (fd, GET_USERS, "{\"response\":202,\"data_list\":[\"Anna\"]}");
  srv_test_close (fd);
  setting = NULL;
  finish (run);
}
END_TEST

/* The protocol's own text has no contacts. */
START_TEST (plain_protocol_has_no_contacts)
{
  SrvTestRun *run;
  int fd;

  setting = "dialect=2"; /* SRV_JIM_DIALECT_SPEC */
  run = start (SRV_TEST_THREADING, NULL);
  fd = come (run, "anna");
  ck_assert_int_eq (ask (fd, GET_EARLY), 400);
  ck_assert_int_eq (ask (fd, GET_USERS), 400);
  ck_assert_int_eq (ask (fd, ADD_EARLY ("bob")), 400);
  srv_test_close (fd);
  setting = NULL;
  finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "contacts", requests_have_codes, 2 },
    { "contacts", lists_have_three_shapes, 2 },
    { "contacts", contacts_need_an_account, 2 },
    { "contacts", claimed_account_has_contacts, 1 },
    { "contacts", without_contacts_all_are_told, 2 },
    { "contacts", failing_store_is_logged, 1 },
    { "contacts", contacts_survive_a_restart, 1 },
    { "contacts", lists_are_bounded, 2 },
    { "contacts", plain_protocol_has_no_contacts, 1 },
  };

  if (!srv_jim_handler_is_supported ())
    {
      puts ("1..0 # SKIP built without jansson");
      return EXIT_SUCCESS;
    }
  return srv_test_run_entries ("JimContacts", tests, G_N_ELEMENTS (tests));
}
