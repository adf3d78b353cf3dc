/* srv-test.h - what every test program shares
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <socketserver.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* No wait of a test is longer than this, in milliseconds. */
#define SRV_TEST_PATIENCE srv_test_scale (10000)

/* What a busy machine may need for something that takes no time, in
 * milliseconds. */
#define SRV_TEST_AT_ONCE srv_test_scale (5000)

/* Waits until EXPRESSION is true, and fails the test if it never gets so.
 * For states that give no event: a task that leaves /proc, a socket's queue. */
#define srv_test_eventually(expression)                                    \
  do                                                                       \
    {                                                                      \
      gint64 srv_test_deadline = srv_test_deadline_in (SRV_TEST_PATIENCE); \
                                                                           \
      while (!(expression))                                                \
        {                                                                  \
          ck_assert_msg (g_get_monotonic_time () < srv_test_deadline,      \
                         "never became true: %s", #expression);            \
          g_usleep (1000);                                                 \
        }                                                                  \
    }                                                                      \
  while (0)

#define srv_test_assert_no_error(error)                   \
  ck_assert_msg ((error) == NULL, "unexpected error: %s", \
                 (error) != NULL ? (error)->message : "")

#define srv_test_assert_error(error, domain, code) \
  srv_test_assert_error_at (error, domain, code, __FILE__, __LINE__)

/* The program. */

/* Runs SUITE (which it takes) and returns main's result. */
int srv_test_main (Suite *suite);

/* A case of SUITE whose tests all run inside the fixture: they fail when they
 * leave a descriptor, a thread, a child or a file behind. */
TCase *srv_test_case (Suite *suite, const char *name);

/* One test of a program: runs with _i from 0 to N - 1. */
typedef struct
{
  const char *group;
  const TTest *test;
  int n;
} SrvTestEntry;

/* A whole program from its table, in which groups stand together. */
int srv_test_run_entries (const char *suite,
                          const SrvTestEntry *entries,
                          guint n_entries);

/* A limit for a machine that is CK_TIMEOUT_MULTIPLIER times as slow as usual:
 * Check multiplies its own limits by that, too. */
int srv_test_scale (int limit_ms);

/* Is this a run in which a part of what is repeated is enough, because the tool
 * that watches it is slow? */
gboolean srv_test_is_short (void);

gint64 srv_test_deadline_in (int timeout_ms);

/* What began at BEFORE has lasted at least so many milliseconds, and not much
 * longer. The second is for what would go wrong by lasting for ever: the bound
 * is wide. */
void srv_test_assert_took (gint64 before, int at_least_ms);

void srv_test_assert_error_at (const GError *error,
                               GQuark domain,
                               int code,
                               const char *file,
                               int line);

/* What a process has. */

/* Does something that no event tells of, such as a quick end or idleness, come
 * true at least once in a few tries? A busy machine spoils some of them, a
 * mistake all. */
#define SRV_TEST_TRIES 20

/* Fails if the process uses its processor all the time. */
void srv_test_assert_idle (void);

/* Do the threads but the caller's, or only TID if that is not 0, sleep through
 * at least one of several spans of SPAN_MS, waking up no more than MOST times? */
gboolean srv_test_stays_asleep (pid_t tid, int span_ms, guint64 most);

/* Runs FUNCTION in a forked copy of the process, waits for its end, and returns
 * what it said, or -1 if it did not get so far. The copy has this thread alone:
 * it may not use Check, and what only other threads knew is no leak in it. */
int srv_test_in_child (int (*function) (gpointer data), gpointer data);

guint srv_test_count_descriptors (void);
guint srv_test_count_threads (void);

/* Does this process still have a child, running or dead? */
gboolean srv_test_has_children (void);

/* A value like "voluntary_ctxt_switches" of a thread's status file. */
guint64 srv_test_thread_status (pid_t tid, const char *key);

/* The test's own directory, and a path in it. The caller frees the path. */
const char *srv_test_directory (void);
char *srv_test_path (const char *name);

/* Transports and mix-ins, for tests that run over all of them. */

typedef enum
{
  SRV_TEST_TCP,
  SRV_TEST_UNIX,
  SRV_TEST_UDP,
  SRV_TEST_UNIXGRAM,
  SRV_TEST_N_TRANSPORTS,
} SrvTestTransport;

typedef enum
{
  SRV_TEST_INLINE,
  SRV_TEST_THREADING,
  SRV_TEST_FORKING,
  SRV_TEST_FIBERS,
  SRV_TEST_THREAD_POOL,
  SRV_TEST_PREFORK,
  SRV_TEST_N_MIX_INS,
} SrvTestMixIn;

#define SRV_TEST_N_COMBINATIONS (SRV_TEST_N_TRANSPORTS * SRV_TEST_N_MIX_INS)

#define srv_test_transport_of(i) ((SrvTestTransport) ((i) / SRV_TEST_N_MIX_INS))
#define srv_test_mix_in_of(i)    ((SrvTestMixIn) ((i) % SRV_TEST_N_MIX_INS))

gboolean srv_test_is_stream (SrvTestTransport transport);
gboolean srv_test_is_unix (SrvTestTransport transport);

/* Loopback and port 0, or a path of the test's directory. */
SrvEndpoint *srv_test_endpoint (SrvTestTransport transport);

/* NULL for inline. Forking never warns of the test's own threads. */
SrvMixIn *srv_test_mix_in_new (SrvTestMixIn mix_in);

/* What the mix-in answers to a question that is one of its properties, such as
 * "attachable"; inline can do everything. */
gboolean srv_test_mix_in_is (SrvTestMixIn mix_in, const char *property);

/* May handlers start threads and fibers? ThreadSanitizer does not let a child
 * that was forked beside threads; then it says that the test is skipped. */
gboolean srv_test_can_spawn (SrvTestMixIn mix_in);

/* The plain server class of the transport. */
GType srv_test_plain_type (SrvTestTransport transport);

/* The recording subclass of it, and the recording handler that fits. */
GType srv_test_server_type (SrvTestTransport transport);
GType srv_test_handler_type (SrvTestTransport transport);

/* A recording server with a recording handler, on srv_test_endpoint(). */
SrvBaseServer *srv_test_server_new (SrvTestTransport transport,
                                    SrvTestMixIn mix_in);

/* The same for a combination of both. */
SrvBaseServer *srv_test_server_of (int combination);

void srv_test_assert_state (SrvBaseServer *server, SrvServerState state);

/* A server of TYPE on ENDPOINT, with more properties if wanted. */
SrvBaseServer *srv_test_make (GType type,
                              const char *endpoint,
                              const char *first_property,
                              ...);

/* The same, for servers that cannot be made; ERROR says why. */
SrvBaseServer *srv_test_try (GType type,
                             const char *endpoint,
                             GError **error,
                             const char *first_property,
                             ...);

/* The number of the bound TCP or UDP port. */
guint16 srv_test_port (SrvBaseServer *server);

/* A loop in a thread. */

typedef struct
{
  SrvBaseServer *server; /* borrowed */
  GThread *thread;
  GError *error;
  gint64 returned_at;
  pid_t tid;
  gboolean result;
} SrvTestRun;

/* Starts serve_forever() in a thread and waits until it serves. */
SrvTestRun *srv_test_run (SrvBaseServer *server);

/* The same without the waiting. */
SrvTestRun *srv_test_start (SrvBaseServer *server);

/* Waits for the thread; the run's result is in RESULT and ERROR. */
gboolean srv_test_join (SrvTestRun *run, GError **error);

/* Stops the loop, which must say TRUE, and waits for the thread. */
void srv_test_stop (SrvTestRun *run);

/* Stop, close, last reference: the usual end. */
void srv_test_finish (SrvTestRun *run);

/* Clients: blocking sockets that give up after a time limit. */

int srv_test_connect (SrvBaseServer *server);
int srv_test_try_connect (SrvBaseServer *server);
int srv_test_socket (int family, int type);
void srv_test_close (int fd);
void srv_test_send (int fd, const void *data, gsize length);
void srv_test_say (int fd, const char *text);
gssize srv_test_receive (int fd, void *buffer, gsize length);

/* Reads exactly TEXT: from a stream, or as one datagram. */
void srv_test_expect (int fd, const char *text);

/* Reads until the end and returns everything; the caller frees it. */
char *srv_test_read_all (int fd, gsize *length);
void srv_test_expect_end (int fd);

/* The other side closed, in order or with a reset. */
void srv_test_expect_gone (int fd);

/* Is there nothing to read for as long as it takes to be sure? Only after an
 * event that shows the other side is through. */
gboolean srv_test_is_quiet (int fd);

/* One whole request: connect, say the line, expect it back, close. */
void srv_test_echo (SrvBaseServer *server, const char *line);

/* Reads "done" and the end, and closes. */
void srv_test_expect_done (int fd);

/* Handlers, without Check, which they may not use in a child. */

/* Sends TEXT through the stream, or as the reply to the datagram. */
gboolean srv_test_reply (SrvBaseRequestHandler *handler,
                         const char *text,
                         GError **error);

/* A handler function: gives back lines until the client ends. */
gboolean srv_test_echo_lines (SrvBaseRequestHandler *handler,
                              gpointer user_data,
                              GError **error);

void srv_test_wait_for_drain (SrvBaseRequestHandler *handler);

/* The trace: names of hooks, in order, from all threads and processes. */

typedef enum
{
  SRV_TEST_EVERYBODY,
  SRV_TEST_LOOP,
  SRV_TEST_WORKERS,
  SRV_TEST_CHILDREN,
} SrvTestWho;

void srv_test_trace (const char *name);
void srv_test_clear_trace (void);
char *srv_test_get_trace (SrvTestWho who);
guint srv_test_count_trace (const char *name);
void srv_test_wait_for_trace (const char *name, guint count);
void srv_test_assert_trace (SrvTestWho who, const char *expected);

/* The error that handle_error() or accept_failed() got last. */
char *srv_test_get_error_message (void);
GQuark srv_test_get_error_domain (void);
int srv_test_get_error_code (void);
int srv_test_get_verdict (void);

/* What hooks of the recording classes shall do wrong. */

typedef enum
{
  SRV_TEST_FINE,
  SRV_TEST_ERROR,  /* FALSE with an error that names the hook */
  SRV_TEST_REFUSE, /* FALSE without an error */
  SRV_TEST_STOP,   /* FALSE with SRV_ERROR_STOP */
} SrvTestFault;

typedef void (*SrvTestFunc) (SrvBaseServer *server);

void srv_test_set_fault (const char *hook, SrvTestFault fault);

/* FUNCTION runs whenever HOOK does, before its fault. */
void srv_test_on_hook (const char *hook, SrvTestFunc function);

/* For hooks of a test's own classes: trace, function and fault. */
gboolean srv_test_hook (SrvBaseServer *server,
                        const char *name,
                        GError **error);

/* Gates and numbers, shared with forked children. */

#define SRV_TEST_N_GATES   8
#define SRV_TEST_N_NUMBERS 16

void srv_test_open_gate (guint gate);
gboolean srv_test_wait_at_gate (guint gate);
void srv_test_set_number (guint slot, gint64 value);
void srv_test_add_number (guint slot, gint64 value);
gint64 srv_test_get_number (guint slot);
void srv_test_wait_for_number (guint slot, gint64 value);

/* The log. Between begin and end records are kept instead of printed, and
 * neither warnings nor criticals are fatal. */

void srv_test_begin_log (void);
guint srv_test_count_log (GLogLevelFlags level, const char *substring);
guint srv_test_count_log_event (const char *event);
char *srv_test_get_log_field (const char *substring, const char *field);
void srv_test_end_log (void);
