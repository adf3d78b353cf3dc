/* test-lookup.c - names, addresses and services, within a time limit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The C library's look-ups are replaced by some that know a few names more, and
 * answer when the test lets them.
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

#include <dlfcn.h>
#include <netdb.h>

/* What srv_getaddrinfo () promises to ask at a time. */
#define MAX_LOOKUPS 64

#define SLOW_PORT 7777

enum
{
  N_ENTERED, /* slow questions that were asked */
  N_OTHERS,  /* what ran meanwhile */
};

#define GATE 0

static void
be_slow (void)
{
  srv_test_add_number (N_ENTERED, 1);
  srv_test_wait_at_gate (GATE);
}

static gpointer
next_of (const char *name)
{
  return dlsym (RTLD_NEXT, name);
}

/* Names that no real system has. */
int
getaddrinfo (const char *host,
             const char *service,
             const struct addrinfo *hints,
             struct addrinfo **found)
{
  int (*real) (const char *, const char *, const struct addrinfo *,
               struct addrinfo **) = next_of ("getaddrinfo");

  if (host == NULL || (hints->ai_flags & AI_NUMERICHOST) != 0)
    return real (host, service, hints, found);
  if (strcmp (host, "again.test") == 0)
    return EAI_AGAIN;
  if (strcmp (host, "slow.test") == 0)
    be_slow ();
  if (strcmp (host, "nobody.test") == 0)
    return EAI_NONAME;
  if (g_str_has_suffix (host, ".test"))
    host = "127.0.0.1";
  return real (host, service, hints, found);
}

/* Names of 192.0.2.0/24, which belongs to nobody. */
int
getnameinfo (const struct sockaddr *address,
             G_GNUC_UNUSED socklen_t length,
             char *host,
             socklen_t host_size,
             char *service,
             socklen_t service_size,
             int flags)
{
  static const char *const names[] = {
    NULL, "full.example.test", "bare", "slow.example.test", "bad\xff.test",
  };
  const struct sockaddr_in *in = (gconstpointer) address;
  const guint last = ntohl (in->sin_addr.s_addr) & 0xff;
  const char *name = last < G_N_ELEMENTS (names) ? names[last] : NULL;

  if (last == 3)
    be_slow ();
  if (name == NULL && (flags & NI_NAMEREQD) != 0)
    return EAI_NONAME;
  g_strlcpy (host, name != NULL ? name : "192.0.2.9", host_size);
  g_snprintf (service, service_size, "%s",
              ntohs (in->sin_port) == 80 ? "http" : "0");
  return 0;
}

static int
answer (gboolean known, struct servent *entry, struct servent **result)
{
  static char name[] = "slow";

  *result = NULL;
  if (!known)
    return 0;
  be_slow ();
  *entry = (struct servent){ .s_name = name, .s_port = htons (SLOW_PORT) };
  *result = entry;
  return 0;
}

int
getservbyname_r (const char *name,
                 const char *protocol,
                 struct servent *entry,
                 G_GNUC_UNUSED char *buffer,
                 G_GNUC_UNUSED size_t size,
                 struct servent **result)
{
  return answer (strcmp (name, "slow") == 0 && strcmp (protocol, "tcp") == 0,
                 entry, result);
}

int
getservbyport_r (int port,
                 G_GNUC_UNUSED const char *protocol,
                 struct servent *entry,
                 G_GNUC_UNUSED char *buffer,
                 G_GNUC_UNUSED size_t size,
                 struct servent **result)
{
  return answer (port == htons (SLOW_PORT), entry, result);
}

/* Questions that have a slow answer. */

typedef enum
{
  ASK_GETADDRINFO,
  ASK_GETHOSTBYNAME,
  ASK_GETNAMEINFO,
  ASK_GETHOSTBYADDR,
  ASK_GETFQDN,
  ASK_GETSERVBYNAME,
  ASK_GETSERVBYPORT,
  N_QUESTIONS,
} Question;

/* Each is asked in a thread (the test's) and in a fiber. */
#define N_CASES (2 * N_QUESTIONS)

typedef struct
{
  Question question;
  int timeout_ms;
  GCancellable *cancellable;
  char *answer; /* owned */
  GError *error;
} Asked;

static char *
first_of (GList *addresses)
{
  g_autolist (GSocketAddress) owned = addresses;

  if (owned == NULL)
    return NULL;
  return g_inet_address_to_string (
    g_inet_socket_address_get_address (owned->data));
}

static char *
name_of (const char *address, char **service, Asked *asked)
{
  g_autoptr (GSocketAddress) inet =
    g_inet_socket_address_new_from_string (address, 80);

  return srv_getnameinfo (inet, service, asked->timeout_ms, asked->cancellable,
                          &asked->error);
}

static char *
port_of (const char *service, Asked *asked)
{
  int port = srv_getservbyname (service, "tcp", asked->timeout_ms,
                                asked->cancellable, &asked->error);

  return port < 0 ? NULL : g_strdup_printf ("%d", port);
}

static void
ask (gpointer data)
{
  Asked *self = data;
  const int timeout_ms = self->timeout_ms;
  GCancellable *cancellable = self->cancellable;
  GError **error = &self->error;

  switch (self->question)
    {
    case ASK_GETADDRINFO:
      self->answer =
        first_of (srv_getaddrinfo ("tcp:slow.test:80", G_SOCKET_FAMILY_INVALID,
                                   timeout_ms, cancellable, error));
      break;
    case ASK_GETHOSTBYNAME:
      self->answer =
        srv_gethostbyname ("slow.test", timeout_ms, cancellable, error);
      break;
    case ASK_GETNAMEINFO:
      self->answer = name_of ("192.0.2.3", NULL, self);
      break;
    case ASK_GETHOSTBYADDR:
      self->answer =
        srv_gethostbyaddr ("192.0.2.3", timeout_ms, cancellable, error);
      break;
    case ASK_GETFQDN:
      self->answer = srv_getfqdn ("192.0.2.3", timeout_ms, cancellable, error);
      break;
    case ASK_GETSERVBYNAME:
      self->answer = port_of ("slow", self);
      break;
    case ASK_GETSERVBYPORT:
      self->answer =
        srv_getservbyport (SLOW_PORT, NULL, timeout_ms, cancellable, error);
      break;
    case N_QUESTIONS:
    default:
      g_assert_not_reached ();
    }
}

static const char *const answers[] = {
  "127.0.0.1",
  "127.0.0.1",
  "slow.example.test",
  "slow.example.test",
  "slow.example.test",
  "7777",
  "slow",
};

static void
clear (Asked *self)
{
  g_clear_pointer (&self->answer, g_free);
  g_clear_error (&self->error);
}

static void
expect_failure (Asked *self, GQuark domain, int code)
{
  ck_assert_ptr_null (self->answer);
  srv_test_assert_error (self->error, domain, code);
  clear (self);
}

static gpointer
open_when_entered (G_GNUC_UNUSED gpointer data)
{
  srv_test_wait_for_number (N_ENTERED, 1);
  srv_test_open_gate (GATE);
  return NULL;
}

static gpointer
cancel_when_entered (gpointer cancellable)
{
  srv_test_wait_for_number (N_ENTERED, 1);
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* An answer within the limit is the answer. */
START_TEST (slow_answer_is_waited_for)
{
  Asked asked = { .question = (Question) (_i / 2),
                  .timeout_ms = SRV_TEST_PATIENCE };
  GThread *thread = g_thread_new ("open", open_when_entered, NULL);

  run_in (_i % 2, ask, &asked);
  srv_test_assert_no_error (asked.error);
  ck_assert_str_eq (asked.answer, answers[_i / 2]);
  g_thread_join (thread);
  clear (&asked);
}
END_TEST

/* One that does not come in time is given up, and its thread ends by itself. */
START_TEST (late_answer_is_given_up)
{
  Asked asked = { .question = (Question) (_i / 2), .timeout_ms = 30 };
  gint64 before = g_get_monotonic_time ();

  run_in (_i % 2, ask, &asked);
  ck_assert_int_ge (g_get_monotonic_time () - before, 30 * 1000);
  expect_failure (&asked, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  srv_test_open_gate (GATE);
}
END_TEST

/* Before it is asked and while it is waited for. */
START_TEST (question_can_be_cancelled)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Asked asked = { .question = (Question) (_i / 2),
                  .timeout_ms = -1,
                  .cancellable = cancellable };
  GThread *thread = g_thread_new ("cancel", cancel_when_entered, cancellable);

  run_in (_i % 2, ask, &asked);
  expect_failure (&asked, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  run_in (_i % 2, ask, &asked);
  expect_failure (&asked, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  ck_assert_int_eq (srv_test_get_number (N_ENTERED), 1);
  srv_test_open_gate (GATE);
}
END_TEST

static void
open_gate (G_GNUC_UNUSED gpointer data)
{
  srv_test_add_number (N_OTHERS, 1);
  srv_test_open_gate (GATE);
}

/* While one fiber waits for an answer, with or without a limit, the others of
 * its worker run: here the answer comes only if they do. */
START_TEST (worker_serves_others_meanwhile)
{
  Asked asked = { .question = (Question) (_i / 2),
                  .timeout_ms = _i % 2 == 0 ? -1 : SRV_TEST_PATIENCE };
  SrvFiberWorker *worker = make_worker ();

  spawn (worker, ask, &asked);
  spawn (worker, open_gate, NULL);
  run_to_the_end (worker);
  srv_test_assert_no_error (asked.error);
  ck_assert_int_eq (srv_test_get_number (N_OTHERS), 1);
  clear (&asked);
}
END_TEST

/* Without a limit a thread asks by itself: a process that forks shall have no
 * other threads. Numbers are never asked for in another one. */
START_TEST (no_thread_without_need)
{
  Asked asked = { .question = ASK_GETADDRINFO, .timeout_ms = -1 };
  const guint threads = srv_test_count_threads ();
  g_autofree char *four = NULL;
  g_autofree char *six = NULL;

  srv_test_open_gate (GATE);
  ask (&asked);
  srv_test_assert_no_error (asked.error);
  clear (&asked);
  four = first_of (srv_getaddrinfo ("tcp:192.0.2.1:80", G_SOCKET_FAMILY_INVALID,
                                    1, NULL, &asked.error));
  srv_test_assert_no_error (asked.error);
  ck_assert_str_eq (four, "192.0.2.1");
  six = first_of (srv_getaddrinfo ("udp:[2001:db8::1]:80", G_SOCKET_FAMILY_IPV6,
                                   1, NULL, &asked.error));
  srv_test_assert_no_error (asked.error);
  ck_assert_str_eq (six, "2001:db8::1");
  ck_assert_uint_eq (srv_test_count_threads (), threads);
}
END_TEST

/* Questions that nobody waits for any more count as well: one more waits for its
 * turn, and is not asked. */
START_TEST (open_questions_are_bounded)
{
  Asked asked = { .question = ASK_GETHOSTBYNAME, .timeout_ms = 1 };

  for (int i = 0; i < MAX_LOOKUPS; i++)
    {
      ask (&asked);
      expect_failure (&asked, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  srv_test_wait_for_number (N_ENTERED, MAX_LOOKUPS);
  asked.timeout_ms = 30;
  ask (&asked);
  expect_failure (&asked, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  ck_assert_int_eq (srv_test_get_number (N_ENTERED), MAX_LOOKUPS);
  srv_test_open_gate (GATE);
  asked.timeout_ms = SRV_TEST_PATIENCE;
  ask (&asked);
  srv_test_assert_no_error (asked.error);
  clear (&asked);
}
END_TEST

/* Not there, and not known for the moment, are two things. */
START_TEST (failures_are_told_apart)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
    srv_gethostbyname ("again.test", SRV_TEST_PATIENCE, NULL, &error));
  srv_test_assert_error (error, G_RESOLVER_ERROR,
                         G_RESOLVER_ERROR_TEMPORARY_FAILURE);
  g_clear_error (&error);
  ck_assert_ptr_null (
    srv_gethostbyname ("nobody.test", SRV_TEST_PATIENCE, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND);
  g_clear_error (&error);
  ck_assert_int_eq (srv_getservbyname ("slow", "udp", SRV_TEST_PATIENCE, NULL,
                                       &error),
                    -1);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  ck_assert_ptr_null (
    srv_getservbyport (1, NULL, SRV_TEST_PATIENCE, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  ck_assert_ptr_nonnull (strstr (error->message, "port 1"));
}
END_TEST

/* Only addresses of the family that is asked for. */
START_TEST (family_can_be_chosen)
{
  g_autoptr (GError) error = NULL;
  g_autolist (GSocketAddress) found =
    srv_getaddrinfo ("tcp:fast.test:80", G_SOCKET_FAMILY_IPV4,
                     SRV_TEST_PATIENCE, NULL, &error);

  srv_test_assert_no_error (error);
  ck_assert_uint_eq (g_list_length (found), 1);
  ck_assert_uint_eq (g_inet_socket_address_get_port (found->data), 80);
  ck_assert_ptr_null (srv_getaddrinfo ("tcp:fast.test:80", G_SOCKET_FAMILY_IPV6,
                                       SRV_TEST_PATIENCE, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND);
}
END_TEST

/* A name, or numbers where there is none; whatever it is, it is UTF-8. */
START_TEST (addresses_have_names)
{
  Asked asked = { .timeout_ms = SRV_TEST_PATIENCE };
  g_autofree char *service = NULL;
  g_autofree char *full = name_of ("192.0.2.1", &service, &asked);
  g_autofree char *none = name_of ("192.0.2.9", NULL, &asked);
  g_autofree char *bad = name_of ("192.0.2.4", NULL, &asked);

  srv_test_assert_no_error (asked.error);
  ck_assert_str_eq (full, "full.example.test");
  ck_assert_str_eq (service, "http");
  ck_assert_str_eq (none, "192.0.2.9");
  ck_assert (g_utf8_validate (bad, -1, NULL));
  ck_assert_ptr_null (
    srv_gethostbyaddr ("192.0.2.9", SRV_TEST_PATIENCE, NULL, &asked.error));
  expect_failure (&asked, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND);
}
END_TEST

/* The full name if there is one, otherwise what was asked for. */
START_TEST (full_name_or_the_name)
{
  static const char *const names[][2] = {
    { "192.0.2.1", "full.example.test" }, { "192.0.2.2", "192.0.2.2" },
    { "192.0.2.9", "192.0.2.9" },         { "nobody.test", "nobody.test" },
    { "again.test", "again.test" },
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *name =
    srv_getfqdn (names[_i][0], SRV_TEST_PATIENCE, NULL, &error);

  srv_test_assert_no_error (error);
  ck_assert_str_eq (name, names[_i][1]);
}
END_TEST

/* This machine has a name. */
START_TEST (own_name_is_known)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = srv_getfqdn (NULL, SRV_TEST_PATIENCE, NULL, &error);

  srv_test_assert_no_error (error);
  ck_assert_str_ne (name, "");
}
END_TEST

static void
connect_slowly (gpointer data)
{
  g_autoptr (SrvConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  connection = srv_create_connection ("tcp:slow.test:9", 30, NULL, &error);
  ck_assert_ptr_null (connection);
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  ck_assert_ptr_nonnull (strstr (error->message, "tcp:slow.test:9"));
  *(gboolean *) data = TRUE;
}

/* The limit of connecting holds for the look-up, too. */
START_TEST (connecting_does_not_wait_for_a_name)
{
  gboolean done = FALSE;

  run_in (_i, connect_slowly, &done);
  ck_assert (done);
  srv_test_open_gate (GATE);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "time", slow_answer_is_waited_for, N_CASES },
    { "time", late_answer_is_given_up, N_CASES },
    { "time", question_can_be_cancelled, N_CASES },
    { "time", worker_serves_others_meanwhile, N_CASES },
    { "time", open_questions_are_bounded, 1 },
    { "time", connecting_does_not_wait_for_a_name, 2 },
    { "time", no_thread_without_need, 1 },
    { "answers", failures_are_told_apart, 1 },
    { "answers", family_can_be_chosen, 1 },
    { "answers", addresses_have_names, 1 },
    { "answers", full_name_or_the_name, 5 },
    { "answers", own_name_is_known, 1 },
  };

  return srv_test_run_entries ("Look-ups", tests, G_N_ELEMENTS (tests));
}
