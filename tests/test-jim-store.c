/* test-jim-store.c - JIM with a store: accounts, messages that wait, history
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "jim-test.h"

/* A store of one account, "anna" with "secret", and one that is banned. */
#define TEST_TYPE_STORE (test_store_get_type ())
G_DECLARE_FINAL_TYPE (TestStore, test_store, TEST, STORE, GObject)

struct _TestStore
{
  GObject parent_instance;

  gboolean is_broken;
  GMutex lock; /* of the rest */
  GPtrArray *kept;
  GPtrArray *taken;
  GPtrArray *history;
  gint64 last_id;
};

/* "banned" is, whatever the password. */
static char *
find_account (SrvChatStore *base, const char *name, GError **error)
{
  if (TEST_STORE (base)->is_broken)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
  else if (strcmp (name, "banned") == 0)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BANNED,
                         "banned");
  else if (g_ascii_strcasecmp (name, "anna") == 0)
    return g_strdup ("anna");
  else
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_NOT_FOUND,
                         "nobody");
  return NULL;
}

static char *
check_password (SrvChatStore *base,
                const char *name,
                const char *password,
                const char *address,
                GError **error)
{
  g_autofree char *found = find_account (base, name, error);

  ck_assert_str_eq (address, "127.0.0.1");
  if (found == NULL || strcmp (password, "secret") == 0)
    return g_steal_pointer (&found);
  if (strcmp (password, "hasty") == 0)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_TOO_SOON,
                         "wait");
  else if (strcmp (password, "many") == 0)
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_BUSY,
                         "busy");
  else
    g_set_error_literal (error, SRV_ACCOUNT_ERROR, SRV_ACCOUNT_ERROR_REFUSED,
                         "wrong");
  return NULL;
}

static gboolean
save_offline (SrvChatStore *base, const SrvChatRecord *record, GError **error)
{
  g_autofree char *account = find_account (base, record->to, error);
  SrvChatRecord *kept;

  if (account == NULL)
    return FALSE;
  kept = srv_chat_record_copy (record);
  g_mutex_lock (&TEST_STORE (base)->lock);
  kept->id = ++TEST_STORE (base)->last_id;
  g_ptr_array_add (TEST_STORE (base)->kept, kept);
  g_mutex_unlock (&TEST_STORE (base)->lock);
  return TRUE;
}

/* Who is named takes back all that is sent to it, and what was sent. */
static int reset_fd = -1;

static void
reset_client (void)
{
  const struct linger at_once = { 1, 0 };

  setsockopt (reset_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  srv_test_close (reset_fd);
  reset_fd = -1;
}

static GPtrArray *
take_offline (SrvChatStore *base,
              const char *name,
              guint max_records,
              G_GNUC_UNUSED GError **error)
{
  TestStore *self = TEST_STORE (base);
  GPtrArray *taken =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);

  ck_assert_str_eq (name, "anna");
  g_mutex_lock (&self->lock);
  while (self->kept->len > 0 && taken->len < max_records)
    {
      SrvChatRecord *record = g_ptr_array_steal_index (self->kept, 0);

      g_ptr_array_add (taken, record);
      g_ptr_array_add (self->taken, srv_chat_record_copy (record));
    }
  g_mutex_unlock (&self->lock);
  if (reset_fd >= 0)
    reset_client ();
  return taken;
}

/* Under the lock. */
static SrvChatRecord *
steal_taken (TestStore *self, gint64 id)
{
  for (guint i = 0; i < self->taken->len; i++)
    if (((SrvChatRecord *) self->taken->pdata[i])->id == id)
      return g_ptr_array_steal_index (self->taken, i);
  ck_abort_msg ("nobody has taken this");
}

static gboolean
acknowledge (SrvChatStore *base, gint64 id, G_GNUC_UNUSED GError **error)
{
  g_mutex_lock (&TEST_STORE (base)->lock);
  srv_chat_record_free (steal_taken (TEST_STORE (base), id));
  g_mutex_unlock (&TEST_STORE (base)->lock);
  srv_test_trace ("acknowledged");
  return TRUE;
}

static void
give_back (SrvChatStore *base, gint64 id)
{
  g_mutex_lock (&TEST_STORE (base)->lock);
  g_ptr_array_add (TEST_STORE (base)->kept,
                   steal_taken (TEST_STORE (base), id));
  g_mutex_unlock (&TEST_STORE (base)->lock);
  srv_test_trace ("given back");
}

static gboolean
save_history (SrvChatStore *base,
              const SrvChatRecord *record,
              G_GNUC_UNUSED GError **error)
{
  g_mutex_lock (&TEST_STORE (base)->lock);
  g_ptr_array_add (TEST_STORE (base)->history, srv_chat_record_copy (record));
  g_mutex_unlock (&TEST_STORE (base)->lock);
  return TRUE;
}

static GPtrArray *
get_history (SrvChatStore *base,
             const char *room,
             guint max_records,
             G_GNUC_UNUSED GError **error)
{
  GPtrArray *history = TEST_STORE (base)->history;
  GPtrArray *last =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);

  g_mutex_lock (&TEST_STORE (base)->lock);
  for (guint i = history->len - MIN (history->len, max_records);
       i < history->len; i++)
    g_ptr_array_add (last, srv_chat_record_copy (history->pdata[i]));
  g_mutex_unlock (&TEST_STORE (base)->lock);
  ck_assert_str_eq (room, "#tea");
  return last;
}

static void
test_store_iface_init (SrvChatStoreInterface *iface)
{
  iface->find_account = find_account;
  iface->check_password = check_password;
  iface->save_offline = save_offline;
  iface->take_offline = take_offline;
  iface->acknowledge = acknowledge;
  iface->give_back = give_back;
  iface->save_history = save_history;
  iface->get_history = get_history;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestStore,
                               test_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (SRV_TYPE_CHAT_STORE,
                                                      test_store_iface_init))

static void
test_store_finalize (GObject *object)
{
  g_ptr_array_unref (TEST_STORE (object)->kept);
  g_ptr_array_unref (TEST_STORE (object)->taken);
  g_ptr_array_unref (TEST_STORE (object)->history);
  g_mutex_clear (&TEST_STORE (object)->lock);
  G_OBJECT_CLASS (test_store_parent_class)->finalize (object);
}

static void
test_store_class_init (TestStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_store_finalize;
}

static void
test_store_init (TestStore *self)
{
  g_mutex_init (&self->lock);
  self->kept =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);
  self->taken =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);
  self->history =
    g_ptr_array_new_with_free_func ((GDestroyNotify) srv_chat_record_free);
}

static int
log_in (SrvTestRun *run)
{
  int fd = srv_test_connect (run->server);

  ck_assert_int_eq (ask (fd, AUTH ("anna", "secret")), 200);
  return fd;
}

/* With a store names are somebody's: passwords, bans. */
START_TEST (store_is_asked)
{
  SrvTestRun *run;
  int fd;

  store = g_object_new (TEST_TYPE_STORE, NULL);
  run = start (SRV_TEST_THREADING, NULL);
  fd = srv_test_connect (run->server);
  ck_assert_int_eq (ask (fd, "{\"action\":\"presence\",\"user\":\"anna\"}"),
                    401);
  ck_assert_int_eq (ask (fd, AUTH ("anna", "many")), 500);
  ck_assert_int_eq (ask (fd, AUTH ("anna", "wrong")), 402);
  ck_assert_int_eq (ask (fd, AUTH ("nobody", "secret")), 402);
  ck_assert_int_eq (ask (fd, AUTH ("anna", "secret")), 200);
  ck_assert_int_eq (ask (fd, "{\"action\":\"presence\",\"status\":\"on\"}"),
                    200);
  srv_test_close (fd);
  fd = srv_test_connect (run->server);
  ck_assert_int_eq (ask (fd, AUTH ("anna", "hasty")), 403);
  ck_assert_int_eq (ask (fd, AUTH ("banned", "x")), 403);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  fd = srv_test_connect (run->server);
  ck_assert_int_eq (ask (fd, "{\"action\":\"presence\",\"user\":\"banned\"}"),
                    403);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  finish (run);
}
END_TEST

/* A message to somebody with an account is stored, written when he comes or at
 * once if he is there, and acknowledged after that. */
START_TEST (messages_wait)
{
  SrvTestRun *run;
  int anna;
  int bob;

  store = g_object_new (TEST_TYPE_STORE, NULL);
  run = start (shared_memory[_i], NULL);
  bob = come (run, "bob");
  ck_assert_int_eq (ask (bob, MSG ("ANNA", "one")), 202);
  ck_assert_int_eq (ask (bob, MSG ("anna", "two")), 202);
  ck_assert_int_eq (ask (bob, MSG ("nobody", "x")), 404);
  ck_assert_int_eq (ask (bob, MSG ("banned", "x")), 404);
  anna = log_in (run);
  expect_object (anna, "{\"action\":\"msg\",\"time\":1,\"to\":\"anna\","
                       "\"receiver\":\"anna\",\"from\":\"bob\","
                       "\"sender\":\"bob\",\"message\":\"one\","
                       "\"message_text\":\"one\"}");
  g_free (hear (anna));
  srv_test_wait_for_trace ("acknowledged", 2);
  ck_assert_int_eq (ask (bob, MSG ("anna", "three")), 202);
  g_free (hear (anna));
  srv_test_wait_for_trace ("acknowledged", 3);
  srv_test_close (anna);
  srv_test_close (bob);
  finish (run);
}
END_TEST

/* What cannot be written is not acknowledged: it waits as before. */
START_TEST (unwritten_messages_wait_on)
{
  SrvTestRun *run;
  int anna;
  int bob;

  store = g_object_new (TEST_TYPE_STORE, NULL);
  setting = "max-failed-logins=1000000";
  setting2 = "messages-per-second=0";
  run = start (shared_memory[_i], NULL);
  bob = come (run, "bob");
  ck_assert_int_eq (ask (bob, MSG ("anna", "one")), 202);
  ck_assert_int_eq (ask (bob, MSG ("anna", "two")), 202);
  anna = srv_test_connect (run->server);
  reset_fd = anna;
  srv_test_say (anna, AUTH ("anna", "secret"));
  srv_test_wait_for_trace ("given back", 2);
  ck_assert_uint_eq (srv_test_count_trace ("acknowledged"), 0);
  /* Until the server has seen that the first one has gone. */
  anna = srv_test_connect (run->server);
  while (ask (anna, AUTH ("anna", "secret")) == 409)
    continue;
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *object = hear (anna);

      ck_assert (strstr (object, i == 0 ? "\"one\"" : "\"two\"") != NULL);
    }
  srv_test_wait_for_trace ("acknowledged", 2);
  srv_test_close (anna);
  srv_test_close (bob);
  setting = setting2 = NULL;
  finish (run);
}
END_TEST

/* What was said in a room is shown to who joins it. */
START_TEST (history_is_shown)
{
  SrvTestRun *run;
  int alice;
  int bob;

  store = g_object_new (TEST_TYPE_STORE, NULL);
  setting = "history=2";
  run = start (SRV_TEST_THREADING, NULL);
  alice = come (run, "alice");
  bob = come (run, "bob");
  ck_assert_int_eq (ask (alice, ROOM ("join", "#tea")), 201);
  ck_assert_int_eq (ask (alice, MSG ("#tea", "one")), 202);
  ck_assert_int_eq (ask (alice, MSG ("#tea", "two")), 202);
  ck_assert_int_eq (ask (alice, MSG ("#tea", "three")), 202);
  ck_assert_int_eq (ask (bob, MSG ("#tea", "x")), 403);
  ck_assert_int_eq (ask (bob, ROOM ("join", "#tea")), 200);
  expect_object (bob, "{\"action\":\"msg\",\"time\":1,\"to\":\"#tea\","
                      "\"from\":\"alice\",\"message\":\"two\"}");
  expect_object (bob, "{\"action\":\"msg\",\"time\":1,\"to\":\"#tea\","
                      "\"from\":\"alice\",\"message\":\"three\"}");
  srv_test_close (alice);
  srv_test_close (bob);
  setting = NULL;
  finish (run);
}
END_TEST

/* A long history does not cut off who joins: it gets the newest that fit. With
 * a gap between posts, all of them wait in the queue. */
START_TEST (history_fits_the_queue)
{
  SrvTestRun *run;
  g_autofree char *text = g_strnfill (400, 'x');
  int alice;
  int bob;
  int n = 0;

  store = g_object_new (TEST_TYPE_STORE, NULL);
  setting = "max-queued-bytes=6000";
  setting2 = "post-gap=1";
  run = start (SRV_TEST_THREADING, NULL);
  alice = come (run, "alice");
  ck_assert_int_eq (ask (alice, ROOM ("join", "#tea")), 201);
  for (int i = 0; i < 20; i++)
    {
      g_autofree char *said =
        g_strdup_printf ("{\"action\":\"msg\",\"time\":1,\"to\":\"#tea\","
                         "\"message\":\"%d %s\"}",
                         i, text);

      ck_assert_int_eq (ask (alice, said), 202);
    }
  bob = come (run, "bob");
  ck_assert_int_eq (ask (bob, ROOM ("join", "#tea")), 200);
  srv_test_say (bob, MSG ("#tea", "thanks"));
  for (;; n++)
    {
      g_autofree char *object = hear (bob);
      const char *message = strstr (object, "\"message\":\"");

      if (message == NULL)
        {
          ck_assert_msg (strstr (object, "202") != NULL, "%s", object);
          break;
        }
      if (n == 0)
        n = atoi (message + strlen ("\"message\":\""));
      ck_assert_int_eq (atoi (message + strlen ("\"message\":\"")), n);
    }
  ck_assert_int_eq (n, 20);
  srv_test_close (alice);
  srv_test_close (bob);
  setting = NULL;
  setting2 = NULL;
  finish (run);
}
END_TEST

/* A store that fails is told to nobody but the log. */
START_TEST (failing_store_is_logged)
{
  SrvTestRun *run;
  int bob;
  int fd;

  store = g_object_new (TEST_TYPE_STORE, NULL);
  run = start (SRV_TEST_THREADING, NULL);
  bob = come (run, "bob");
  fd = srv_test_connect (run->server);
  srv_test_begin_log ();
  TEST_STORE (store)->is_broken = TRUE;
  ck_assert_int_eq (ask (bob, MSG ("anna", "x")), 500);
  ck_assert_int_eq (ask (fd, AUTH ("anna", "secret")), 500);
  ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_WARNING, "broken"), 2);
  srv_test_end_log ();
  srv_test_close (fd);
  srv_test_close (bob);
  finish (run);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "store", store_is_asked, 1 },
    { "store", messages_wait, 2 },
    { "store", unwritten_messages_wait_on, 2 },
    { "store", history_is_shown, 1 },
    { "store", history_fits_the_queue, 1 },
    { "store", failing_store_is_logged, 1 },
  };

  if (!srv_jim_handler_is_supported ())
    {
      puts ("1..0 # SKIP built without jansson");
      return EXIT_SUCCESS;
    }
  return srv_test_run_entries ("JimStore", tests, G_N_ELEMENTS (tests));
}
