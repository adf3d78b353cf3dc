/* test-chat-hub.c - members, rooms, presence, delivery
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <socketserver-handlers.h>

#include "srv-chat-limits-private.h"

/* A member that writes down what it hears. */
#define TEST_TYPE_MEMBER (test_member_get_type ())
G_DECLARE_FINAL_TYPE (TestMember, test_member, TEST, MEMBER, GObject)

struct _TestMember
{
  GObject parent_instance;

  GMutex lock;
  GString *heard; /* under lock */
};

static GBytes *
render (SrvChatEvent *event, guint dialect)
{
  g_autofree char *text = g_strdup_printf ("%u:%d %s>%s %s;", dialect,
                                           srv_chat_event_get_kind (event),
                                           srv_chat_event_get_from (event),
                                           srv_chat_event_get_to (event),
                                           srv_chat_event_get_text (event));

  srv_test_trace ("render");
  return g_bytes_new (text, strlen (text));
}

static void
test_member_deliver (SrvChatMember *member, SrvChatEvent *event)
{
  TestMember *self = TEST_MEMBER (member);
  g_autoptr (GBytes) bytes = srv_chat_event_render (event, 0, render);

  g_mutex_lock (&self->lock);
  g_string_append_len (self->heard, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
  g_mutex_unlock (&self->lock);
}

static void
test_member_iface_init (SrvChatMemberInterface *iface)
{
  iface->deliver = test_member_deliver;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestMember,
                               test_member,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (SRV_TYPE_CHAT_MEMBER,
                                                      test_member_iface_init))

static void
test_member_finalize (GObject *object)
{
  g_string_free (TEST_MEMBER (object)->heard, TRUE);
  G_OBJECT_CLASS (test_member_parent_class)->finalize (object);
}

static void
test_member_class_init (TestMemberClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_member_finalize;
}

static void
test_member_init (TestMember *self)
{
  self->heard = g_string_new (NULL);
}

static SrvChatMember *
enter (SrvChatHub *hub, const char *name)
{
  SrvChatMember *member = g_object_new (TEST_TYPE_MEMBER, NULL);
  g_autoptr (GError) error = NULL;

  srv_chat_hub_enter (hub, member, name, &error);
  srv_test_assert_no_error (error);
  return member;
}

static void
expect_heard (SrvChatMember *member, const char *text)
{
  ck_assert_str_eq (TEST_MEMBER (member)->heard->str, text);
  g_string_truncate (TEST_MEMBER (member)->heard, 0);
}

static int
send_text (SrvChatHub *hub,
           SrvChatMember *from,
           const char *to,
           const char *text)
{
  g_autoptr (SrvChatEvent) event = srv_chat_event_new (to, text);
  g_autoptr (GError) error = NULL;

  if (srv_chat_hub_send (hub, from, event, &error))
    return -1;
  ck_assert (error->domain == SRV_CHAT_ERROR);
  return error->code;
}

static int
code_of (gboolean ok, GError **error)
{
  int code = ok ? -1 : (*error)->code;

  ck_assert (ok == (*error == NULL));
  g_clear_error (error);
  return code;
}

/* Who sends is written by the hub; a message comes once, and to nobody else. */
START_TEST (private_message_reaches_one)
{
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  g_autoptr (SrvChatMember) alice = enter (hub, "Alice");
  g_autoptr (SrvChatMember) bob = enter (hub, "bob");
  g_autoptr (SrvChatMember) carol = enter (hub, "carol");

  ck_assert_int_eq (send_text (hub, alice, "BOB", "hi"), -1);
  expect_heard (bob, "0:0 Alice>bob hi;");
  ck_assert_int_eq (send_text (hub, alice, "alice", "me"), -1);
  expect_heard (alice, "0:0 Alice>Alice me;");
  expect_heard (carol, "");
  ck_assert_int_eq (send_text (hub, alice, "nobody", "hi"),
                    SRV_CHAT_ERROR_NO_MEMBER);
  srv_chat_hub_exit (hub, bob);
  ck_assert_int_eq (send_text (hub, alice, "bob", "hi"), SRV_CHAT_ERROR_GONE);
  ck_assert_int_eq (send_text (hub, bob, "alice", "hi"),
                    SRV_CHAT_ERROR_NOT_ENTERED);
}
END_TEST

/* Rooms: who is in hears who comes, speaks and goes; a room goes with its last
 * member. */
START_TEST (room_hears_what_happens_in_it)
{
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  g_autoptr (SrvChatMember) alice = enter (hub, "alice");
  g_autoptr (SrvChatMember) bob = enter (hub, "bob");
  g_autoptr (GError) error = NULL;
  gboolean created = FALSE;
  g_auto (GStrv) rooms = NULL;

  ck_assert (srv_chat_hub_join (hub, alice, "#Tea", &created, &error));
  ck_assert (created);
  ck_assert_int_eq (send_text (hub, bob, "#tea", "x"),
                    SRV_CHAT_ERROR_NOT_IN_ROOM);
  ck_assert (srv_chat_hub_join (hub, bob, "#tea", &created, &error));
  ck_assert (!created);
  expect_heard (alice, "0:1 bob>#Tea ;");
  ck_assert (srv_chat_hub_join (hub, bob, "#tea", &created, &error));
  ck_assert_int_eq (code_of (srv_chat_hub_create_room (hub, bob, "#TEA",
                                                       &error),
                             &error),
                    SRV_CHAT_ERROR_ROOM_EXISTS);
  expect_heard (alice, "");
  ck_assert_int_eq (send_text (hub, alice, "#tea", "hello"), -1);
  expect_heard (bob, "0:0 alice>#Tea hello;");
  expect_heard (alice, "");
  ck_assert (srv_chat_hub_leave (hub, alice, "#tea", &error));
  expect_heard (bob, "0:2 alice>#Tea ;");
  ck_assert_int_eq (code_of (srv_chat_hub_leave (hub, alice, "#tea", &error),
                             &error),
                    SRV_CHAT_ERROR_NOT_IN_ROOM);
  srv_chat_hub_exit (hub, bob);
  ck_assert_int_eq (code_of (srv_chat_hub_leave (hub, alice, "#tea", &error),
                             &error),
                    SRV_CHAT_ERROR_NO_ROOM);
  ck_assert_int_eq (send_text (hub, alice, "#tea", "x"),
                    SRV_CHAT_ERROR_NO_ROOM);
  rooms = srv_chat_hub_list_rooms (hub);
  ck_assert_ptr_null (rooms[0]);
}
END_TEST

/* With echo a member hears itself; kept rooms stay. */
START_TEST (echo_and_kept_rooms)
{
  g_autoptr (SrvChatHub) hub =
    g_object_new (SRV_TYPE_CHAT_HUB, "echo", TRUE, "keep-rooms", TRUE, NULL);
  g_autoptr (SrvChatMember) alice = enter (hub, "alice");
  g_auto (GStrv) rooms = NULL;

  ck_assert (srv_chat_hub_join (hub, alice, "#tea", NULL, NULL));
  ck_assert_int_eq (send_text (hub, alice, "#tea", "me"), -1);
  expect_heard (alice, "0:0 alice>#tea me;");
  srv_chat_hub_exit (hub, alice);
  rooms = srv_chat_hub_list_rooms (hub);
  ck_assert_str_eq (rooms[0], "#tea");
}
END_TEST

static const struct
{
  const char *name;
  gboolean ok;
} names[] = {
  { "a", TRUE },
  { "Ivan Petrov", TRUE },
  { "a_b-c.d@e", TRUE },
  { "1234567890123456789012345", TRUE },
  /* Letters and marks that nobody sees: fillers, a joiner, selectors. */
  { "alice\u3164", FALSE },
  { "alice\uffa0", FALSE },
  { "al\u115fice", FALSE },
  { "al\u034fice", FALSE },
  { "alice\ufe0f", FALSE },
  { "alice\U000e0100", FALSE },
  { "12345678901234567890123456", FALSE },
  { "абвгдабвгдабвгдабвгдабвгд", TRUE },
  { "абвгдабвгдабвгдабвгдабвгде", FALSE },
  /* 25 letters, each with a mark that makes one character of it. */
  { "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81"
    "e\xcc\x81",
    TRUE },
  { "", FALSE },
  { " a", FALSE },
  { "a ", FALSE },
  { "#a", FALSE },
  { "a\nb", FALSE },
  { "a\x1b[2J", FALSE },
  { "a\xe2\x80\xae-", FALSE }, /* turns the direction */
  { "a\xe2\x80\x8b", FALSE },  /* has no width */
  { "\xcc\x81x", FALSE },      /* a mark with no letter */
  { "\xf0\x9f\x98\x80", FALSE },
  { "server", FALSE },
  { "ALL", FALSE },
  { "a:b", FALSE },
};

START_TEST (names_have_rules)
{
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  g_autoptr (SrvChatMember) member = g_object_new (TEST_TYPE_MEMBER, NULL);
  g_autoptr (GError) error = NULL;

  if (names[_i].ok)
    {
      ck_assert (srv_chat_hub_enter (hub, member, names[_i].name, &error));
      srv_test_assert_no_error (error);
    }
  else
    ck_assert_int_eq (code_of (srv_chat_hub_enter (hub, member, names[_i].name,
                                                   &error),
                               &error),
                      SRV_CHAT_ERROR_BAD_NAME);
}
END_TEST

/* A room's name counts with its "#". */
START_TEST (rooms_names_have_rules)
{
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  g_autoptr (SrvChatMember) member = enter (hub, "alice");

  ck_assert (
    srv_chat_hub_join (hub, member, "#23456789012345678901234я", NULL, NULL));
  ck_assert (
    !srv_chat_hub_join (hub, member, "#234567890123456789012345я", NULL, NULL));
  ck_assert (!srv_chat_hub_join (hub, member, "tea", NULL, NULL));
  ck_assert (!srv_chat_hub_join (hub, member, "#", NULL, NULL));
}
END_TEST

/* One name for one member, however it is written; it is free again after. */
START_TEST (name_is_taken_once)
{
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  g_autoptr (SrvChatMember) alice = enter (hub, "Жанна");
  g_autoptr (SrvChatMember) other = enter (hub, "other");
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  ck_assert_int_eq (code_of (srv_chat_hub_enter (hub, other, "жАННА", &error),
                             &error),
                    SRV_CHAT_ERROR_NAME_TAKEN);
  name = srv_chat_hub_dup_name (hub, other);
  ck_assert_str_eq (name, "other");
  ck_assert (srv_chat_hub_enter (hub, alice, "ЖАННА", &error));
  srv_chat_hub_exit (hub, alice);
  ck_assert (srv_chat_hub_enter (hub, other, "жАННА", &error));
}
END_TEST

/* Each limit: one less is well, one more is refused. */
START_TEST (limits_are_exact)
{
  g_autoptr (SrvChatHub) hub =
    g_object_new (SRV_TYPE_CHAT_HUB, "max-rooms", 3, "max-room-members", 2,
                  "max-rooms-per-member", 2, "max-connections", 3,
                  "max-connections-per-address", 2, "max-remembered", 1, NULL);
  g_autoptr (SrvChatMember) alice = enter (hub, "alice");
  g_autoptr (SrvChatMember) bob = enter (hub, "bob");
  g_autoptr (SrvChatMember) carol = enter (hub, "carol");
  g_autoptr (GError) error = NULL;

  ck_assert (srv_chat_hub_join (hub, alice, "#1", NULL, NULL));
  ck_assert (srv_chat_hub_join (hub, alice, "#2", NULL, NULL));
  ck_assert_int_eq (code_of (srv_chat_hub_join (hub, alice, "#3", NULL, &error),
                             &error),
                    SRV_CHAT_ERROR_FULL);
  ck_assert (srv_chat_hub_join (hub, bob, "#1", NULL, NULL));
  ck_assert_int_eq (code_of (srv_chat_hub_join (hub, carol, "#1", NULL, &error),
                             &error),
                    SRV_CHAT_ERROR_FULL);
  ck_assert (srv_chat_hub_join (hub, bob, "#3", NULL, NULL));
  ck_assert_int_eq (code_of (srv_chat_hub_join (hub, carol, "#4", NULL, &error),
                             &error),
                    SRV_CHAT_ERROR_FULL);

  ck_assert (srv_chat_hub_admit (hub, "::1", NULL));
  ck_assert (srv_chat_hub_admit (hub, "::1", NULL));
  ck_assert_int_eq (code_of (srv_chat_hub_admit (hub, "::1", &error), &error),
                    SRV_CHAT_ERROR_FULL);
  ck_assert (srv_chat_hub_admit (hub, NULL, NULL));
  ck_assert (!srv_chat_hub_admit (hub, NULL, NULL));
  srv_chat_hub_dismiss (hub, "::1");
  ck_assert (srv_chat_hub_admit (hub, "::1", NULL));

  srv_chat_hub_exit (hub, alice);
  srv_chat_hub_exit (hub, bob);
  ck_assert_int_eq (send_text (hub, carol, "alice", "x"),
                    SRV_CHAT_ERROR_NO_MEMBER);
  ck_assert_int_eq (send_text (hub, carol, "bob", "x"), SRV_CHAT_ERROR_GONE);
}
END_TEST

/* A message is written out once for all that speak alike. */
START_TEST (event_is_rendered_once)
{
  g_autoptr (SrvChatHub) hub = srv_chat_hub_new ();
  g_autoptr (SrvChatMember) alice = enter (hub, "alice");
  SrvChatMember *others[50];

  ck_assert (srv_chat_hub_join (hub, alice, "#tea", NULL, NULL));
  for (int i = 0; i < 50; i++)
    {
      g_autofree char *name = g_strdup_printf ("n%d", i);

      others[i] = enter (hub, name);
      ck_assert (srv_chat_hub_join (hub, others[i], "#tea", NULL, NULL));
    }
  srv_test_clear_trace ();
  ck_assert_int_eq (send_text (hub, alice, "#tea", "hello"), -1);
  ck_assert_uint_eq (srv_test_count_trace ("render"), 1);
  for (int i = 0; i < 50; i++)
    {
      ck_assert (strstr (TEST_MEMBER (others[i])->heard->str,
                         "0:0 alice>#tea hello;") != NULL);
      g_object_unref (others[i]);
    }
}
END_TEST

#define N_TALKERS 4
#define N_WORDS   300

typedef struct
{
  SrvChatHub *hub;
  SrvChatMember *member;
} Talker;

static gpointer
talk (gpointer data)
{
  const Talker *self = data;

  for (int i = 0; i < N_WORDS; i++)
    {
      g_autofree char *word = g_strdup_printf ("%d", i);
      g_autoptr (SrvChatEvent) event = srv_chat_event_new ("#tea", word);

      srv_chat_hub_send (self->hub, self->member, event, NULL);
    }
  return NULL;
}

/* Comes and goes while others talk. */
static gpointer
wander (gpointer data)
{
  const Talker *self = data;

  for (int i = 0; i < N_WORDS; i++)
    {
      g_autoptr (SrvChatMember) member = g_object_new (TEST_TYPE_MEMBER, NULL);

      srv_chat_hub_enter (self->hub, member, "wanderer", NULL);
      srv_chat_hub_join (self->hub, member, "#tea", NULL, NULL);
      srv_chat_hub_exit (self->hub, member);
    }
  return NULL;
}

/* Everybody in a room hears everything in the same order. */
START_TEST (room_has_one_order)
{
  g_autoptr (SrvChatHub) hub =
    g_object_new (SRV_TYPE_CHAT_HUB, "echo", TRUE, NULL);
  Talker talkers[N_TALKERS];
  GThread *threads[N_TALKERS + 1];

  for (int i = 0; i < N_TALKERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("t%d", i);

      talkers[i] = (Talker){ hub, enter (hub, name) };
      ck_assert (
        srv_chat_hub_join (hub, talkers[i].member, "#tea", NULL, NULL));
    }
  for (int i = 0; i < N_TALKERS; i++)
    g_string_truncate (TEST_MEMBER (talkers[i].member)->heard, 0);
  for (int i = 0; i < N_TALKERS; i++)
    threads[i] = g_thread_new ("talker", talk, &talkers[i]);
  threads[N_TALKERS] = g_thread_new ("wanderer", wander, &talkers[0]);
  for (int i = 0; i <= N_TALKERS; i++)
    g_thread_join (threads[i]);
  for (int i = 1; i < N_TALKERS; i++)
    ck_assert_str_eq (TEST_MEMBER (talkers[0].member)->heard->str,
                      TEST_MEMBER (talkers[i].member)->heard->str);
  for (int i = 0; i < N_TALKERS; i++)
    {
      srv_chat_hub_exit (hub, talkers[i].member);
      g_object_unref (talkers[i].member);
    }
}
END_TEST

/* What a client may send comes back with time, and not beyond the burst. */
START_TEST (budget_comes_back)
{
  SrvChatBudget budget;

  srv_chat_budget_init (&budget, 10, 3);
  ck_assert (srv_chat_budget_take (&budget, 3, 1000000));
  ck_assert (!srv_chat_budget_take (&budget, 1, 1099999));
  ck_assert (srv_chat_budget_take (&budget, 1, 1100001));
  ck_assert (srv_chat_budget_take (&budget, 3, 9000000));
  ck_assert (!srv_chat_budget_take (&budget, 1, 9000000));
  srv_chat_budget_init (&budget, 0, 1);
  ck_assert (srv_chat_budget_take (&budget, 1000, 1));
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "members", private_message_reaches_one, 1 },
    { "members", names_have_rules, G_N_ELEMENTS (names) },
    { "members", name_is_taken_once, 1 },
    { "rooms", room_hears_what_happens_in_it, 1 },
    { "rooms", rooms_names_have_rules, 1 },
    { "rooms", echo_and_kept_rooms, 1 },
    { "rooms", event_is_rendered_once, 1 },
    { "rooms", room_has_one_order, 1 },
    { "limits", limits_are_exact, 1 },
    { "limits", budget_comes_back, 1 },
  };

  return srv_test_run_entries ("ChatHub", tests, G_N_ELEMENTS (tests));
}
