/* srv-test.c - what every test program shares
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include "srv-task-private.h"

#include <dirent.h>
#include <gio/gunixsocketaddress.h>
#include <gobject/gvaluecollector.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MAX_ENTRIES     16384
#define MAX_FAULTS      8
#define MAX_DESCRIPTORS 4096
#define LONGEST_LINE    65536

typedef struct
{
  char name[24];
  pid_t pid;
  pid_t tid;
} Entry;

/* What forked children share with the test. The lock guards everything. */
typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pid_t test_pid;
  pid_t loop_pid;
  pid_t loop_tid;
  guint n_entries;
  Entry entries[MAX_ENTRIES];
  char error_message[1024];
  char error_domain[64];
  int error_code;
  int verdict;
  gboolean gates[SRV_TEST_N_GATES];
  gint64 numbers[SRV_TEST_N_NUMBERS];
  int child_says;
} Shared;

typedef struct
{
  char hook[24];
  SrvTestFault fault;
  SrvTestFunc function;
} Plan;

typedef struct
{
  GLogLevelFlags level;
  GHashTable *fields;
} Record;

static Shared *shared;

static Plan plans[MAX_FAULTS];
static guint n_plans;

static char *program_directory;
static char *test_directory;
static guint n_clients;

static gboolean descriptors_before[MAX_DESCRIPTORS];
static guint threads_before;

/* Guards the two below. */
static GMutex log_lock;
static GPtrArray *log_records;
static GLogLevelFlags log_fatal_before;

int
srv_test_scale (int limit_ms)
{
  const char *multiplier = g_getenv ("CK_TIMEOUT_MULTIPLIER");
  double factor = multiplier != NULL ? g_ascii_strtod (multiplier, NULL) : 1;

  return (int) (limit_ms * MAX (factor, 1));
}

gint64
srv_test_deadline_in (int timeout_ms)
{
  return g_get_monotonic_time () + (gint64) timeout_ms * 1000;
}

void
srv_test_assert_took (gint64 before, int at_least_ms)
{
  gint64 took = g_get_monotonic_time () - before;

  ck_assert_int_ge (took, (gint64) at_least_ms * 1000);
  ck_assert_int_lt (took, (gint64) (at_least_ms + SRV_TEST_AT_ONCE) * 1000);
}

void
srv_test_assert_error_at (const GError *error,
                          GQuark domain,
                          int code,
                          const char *file,
                          int line)
{
  if (g_error_matches (error, domain, code))
    return;

  ck_abort_msg ("%s:%d: expected %s %d, got %s %d: %s", file, line,
                g_quark_to_string (domain), code,
                error != NULL ? g_quark_to_string (error->domain) : "nothing",
                error != NULL ? error->code : 0,
                error != NULL ? error->message : "");
}

/* Shared memory. */

static void
shared_reset (void)
{
  pthread_mutexattr_t mutex_attributes;
  pthread_condattr_t cond_attributes;

  memset (shared, 0, sizeof *shared);

  /* Robust, because a test may kill a child at any moment. */
  pthread_mutexattr_init (&mutex_attributes);
  pthread_mutexattr_setpshared (&mutex_attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust (&mutex_attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init (&shared->lock, &mutex_attributes);
  pthread_mutexattr_destroy (&mutex_attributes);

  pthread_condattr_init (&cond_attributes);
  pthread_condattr_setpshared (&cond_attributes, PTHREAD_PROCESS_SHARED);
  pthread_condattr_setclock (&cond_attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&shared->changed, &cond_attributes);
  pthread_condattr_destroy (&cond_attributes);

  shared->test_pid = getpid ();
}

static void
shared_lock (void)
{
  if (pthread_mutex_lock (&shared->lock) == EOWNERDEAD)
    pthread_mutex_consistent (&shared->lock);
}

static void
shared_unlock (void)
{
  pthread_cond_broadcast (&shared->changed);
  pthread_mutex_unlock (&shared->lock);
}

/* Waits for a change, with the lock held. FALSE when DEADLINE is over. */
static gboolean
shared_wait (gint64 deadline)
{
  struct timespec until = {
    .tv_sec = deadline / G_USEC_PER_SEC,
    .tv_nsec = deadline % G_USEC_PER_SEC * 1000,
  };
  int result;

  result = pthread_cond_timedwait (&shared->changed, &shared->lock, &until);
  if (result == EOWNERDEAD)
    pthread_mutex_consistent (&shared->lock);

  return result != ETIMEDOUT;
}

void
srv_test_open_gate (guint gate)
{
  shared_lock ();
  shared->gates[gate] = TRUE;
  shared_unlock ();
}

/* A fiber that waited for the condition would keep all others waiting. */
static gboolean
wait_shared (gint64 deadline)
{
  if (srv_task_fiber () == NULL)
    return shared_wait (deadline);
  shared_unlock ();
  srv_sleep (1, NULL, NULL);
  shared_lock ();
  return g_get_monotonic_time () < deadline;
}

gboolean
srv_test_wait_at_gate (guint gate)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  gboolean open;

  shared_lock ();
  while (!shared->gates[gate] && wait_shared (deadline))
    continue;
  open = shared->gates[gate];
  shared_unlock ();

  return open;
}

void
srv_test_set_number (guint slot, gint64 value)
{
  shared_lock ();
  shared->numbers[slot] = value;
  shared_unlock ();
}

void
srv_test_add_number (guint slot, gint64 value)
{
  shared_lock ();
  shared->numbers[slot] += value;
  shared_unlock ();
}

gint64
srv_test_get_number (guint slot)
{
  gint64 value;

  shared_lock ();
  value = shared->numbers[slot];
  shared_unlock ();

  return value;
}

void
srv_test_wait_for_number (guint slot, gint64 value)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  gint64 found;

  shared_lock ();
  while (shared->numbers[slot] < value && shared_wait (deadline))
    continue;
  found = shared->numbers[slot];
  shared_unlock ();

  ck_assert_msg (found >= value,
                 "number %u stayed at %" G_GINT64_FORMAT
                 ", waited for %" G_GINT64_FORMAT,
                 slot, found, value);
}

int
srv_test_in_child (int (*function) (gpointer data), gpointer data)
{
  pid_t pid;

  shared->child_says = -1;
  pid = fork ();
  ck_assert_int_ge (pid, 0);
  if (pid == 0)
    {
      shared->child_says = function (data);
      /* Valgrind looks for leaks even at _exit (). */
      if (g_getenv ("SRV_VALGRIND") != NULL)
        raise (SIGKILL);
      _exit (0);
    }
  ck_assert_int_eq (waitpid (pid, NULL, 0), pid);

  return shared->child_says;
}

/* The trace. */

void
srv_test_trace (const char *name)
{
  shared_lock ();
  if (shared->n_entries < MAX_ENTRIES)
    {
      Entry *entry = &shared->entries[shared->n_entries++];

      g_strlcpy (entry->name, name, sizeof entry->name);
      entry->pid = getpid ();
      entry->tid = (pid_t) syscall (SYS_gettid);
      if (g_str_equal (name, "get_request"))
        {
          shared->loop_pid = entry->pid;
          shared->loop_tid = entry->tid;
        }
    }
  shared_unlock ();
}

void
srv_test_clear_trace (void)
{
  shared_lock ();
  shared->n_entries = 0;
  shared_unlock ();
}

static gboolean
entry_matches (const Entry *entry, SrvTestWho who)
{
  gboolean in_test = entry->pid == shared->test_pid;

  switch (who)
    {
    case SRV_TEST_EVERYBODY:
      return TRUE;
    case SRV_TEST_LOOP:
      return entry->pid == shared->loop_pid && entry->tid == shared->loop_tid;
    case SRV_TEST_WORKERS:
      return in_test && entry->tid != shared->loop_tid;
    case SRV_TEST_CHILDREN:
      return entry->pid != shared->loop_pid;
    default:
      g_assert_not_reached ();
    }
}

char *
srv_test_get_trace (SrvTestWho who)
{
  g_autoptr (GString) trace = g_string_new (NULL);

  shared_lock ();
  for (guint i = 0; i < shared->n_entries; i++)
    {
      if (!entry_matches (&shared->entries[i], who))
        continue;
      if (trace->len > 0)
        g_string_append_c (trace, ' ');
      g_string_append (trace, shared->entries[i].name);
    }
  shared_unlock ();

  return g_string_free (g_steal_pointer (&trace), FALSE);
}

static guint
count_trace_locked (const char *name)
{
  guint count = 0;

  for (guint i = 0; i < shared->n_entries; i++)
    if (g_str_equal (shared->entries[i].name, name))
      count++;

  return count;
}

guint
srv_test_count_trace (const char *name)
{
  guint count;

  shared_lock ();
  count = count_trace_locked (name);
  shared_unlock ();

  return count;
}

void
srv_test_wait_for_trace (const char *name, guint count)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  g_autofree char *trace = NULL;
  guint found;

  shared_lock ();
  while (count_trace_locked (name) < count && shared_wait (deadline))
    continue;
  found = count_trace_locked (name);
  shared_unlock ();

  trace = srv_test_get_trace (SRV_TEST_EVERYBODY);
  /* Check dies of messages that are too long. */
  ck_assert_msg (found >= count, "%s came %u times instead of %u: %.2000s",
                 name, found, count, trace);
}

void
srv_test_assert_trace (SrvTestWho who, const char *expected)
{
  g_autofree char *trace = srv_test_get_trace (who);

  ck_assert_str_eq (trace, expected);
}

char *
srv_test_get_error_message (void)
{
  char *message;

  shared_lock ();
  message = g_strdup (shared->error_message);
  shared_unlock ();

  return message;
}

GQuark
srv_test_get_error_domain (void)
{
  return g_quark_from_string (shared->error_domain);
}

int
srv_test_get_error_code (void)
{
  return shared->error_code;
}

int
srv_test_get_verdict (void)
{
  return shared->verdict;
}

static void
note_error (const GError *error)
{
  shared_lock ();
  if (error != NULL)
    {
      g_strlcpy (shared->error_message, error->message,
                 sizeof shared->error_message);
      g_strlcpy (shared->error_domain, g_quark_to_string (error->domain),
                 sizeof shared->error_domain);
      shared->error_code = error->code;
    }
  shared_unlock ();
}

/* Faults. */

static Plan *
find_plan (const char *hook, gboolean make)
{
  for (guint i = 0; i < n_plans; i++)
    if (g_str_equal (plans[i].hook, hook))
      return &plans[i];

  if (!make)
    return NULL;

  g_assert (n_plans < MAX_FAULTS);
  g_strlcpy (plans[n_plans].hook, hook, sizeof plans[n_plans].hook);
  return &plans[n_plans++];
}

void
srv_test_set_fault (const char *hook, SrvTestFault fault)
{
  find_plan (hook, TRUE)->fault = fault;
}

void
srv_test_on_hook (const char *hook, SrvTestFunc function)
{
  find_plan (hook, TRUE)->function = function;
}

gboolean
srv_test_hook (SrvBaseServer *server, const char *name, GError **error)
{
  Plan *plan = find_plan (name, FALSE);

  srv_test_trace (name);

  if (plan == NULL)
    return TRUE;

  if (plan->function != NULL)
    plan->function (server);

  switch (plan->fault)
    {
    case SRV_TEST_FINE:
      return TRUE;
    case SRV_TEST_ERROR:
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s is at fault",
                   name);
      return FALSE;
    case SRV_TEST_REFUSE:
      return FALSE;
    case SRV_TEST_STOP:
      g_set_error (error, SRV_ERROR, SRV_ERROR_STOP, "%s says stop", name);
      return FALSE;
    default:
      g_assert_not_reached ();
    }
}

/* The recording servers: one set of hooks, four classes. */

#define PARENT(self)                                 \
  ((SrvBaseServerClass *) g_type_class_peek_parent ( \
    SRV_BASE_SERVER_GET_CLASS (self)))

static gboolean
test_server_bind (SrvBaseServer *self, GError **error)
{
  return srv_test_hook (self, "server_bind", error) &&
         PARENT (self)->server_bind (self, error);
}

static gboolean
test_server_activate (SrvBaseServer *self, GError **error)
{
  return srv_test_hook (self, "server_activate", error) &&
         PARENT (self)->server_activate (self, error);
}

/* A try that found nothing is no step of a request, so it leaves no trace. */
static SrvRequest *
test_get_request (SrvBaseServer *self, GError **error)
{
  g_autoptr (SrvRequest) request = PARENT (self)->get_request (self, error);

  if (request == NULL)
    return NULL;
  if (!srv_test_hook (self, "get_request", error))
    return NULL;

  return g_steal_pointer (&request);
}

static gboolean
test_verify_request (SrvBaseServer *self, SrvRequest *request, GError **error)
{
  return srv_test_hook (self, "verify_request", error) &&
         PARENT (self)->verify_request (self, request, error);
}

static gboolean
test_process_request (SrvBaseServer *self, SrvRequest *request, GError **error)
{
  return srv_test_hook (self, "process_request", error) &&
         PARENT (self)->process_request (self, request, error);
}

static gboolean
test_finish_request (SrvBaseServer *self, SrvRequest *request, GError **error)
{
  return srv_test_hook (self, "finish_request", error) &&
         PARENT (self)->finish_request (self, request, error);
}

static void
test_shutdown_request (SrvBaseServer *self, SrvRequest *request)
{
  srv_test_hook (self, "shutdown_request", NULL);
  PARENT (self)->shutdown_request (self, request);
}

static void
test_close_request (SrvBaseServer *self, SrvRequest *request)
{
  PARENT (self)->close_request (self, request);
  srv_test_hook (self, "close_request", NULL);
}

static gboolean
test_service_actions (SrvBaseServer *self, GError **error)
{
  return srv_test_hook (self, "service_actions", error) &&
         PARENT (self)->service_actions (self, error);
}

static SrvHandleResult
test_handle_timeout (SrvBaseServer *self)
{
  srv_test_hook (self, "handle_timeout", NULL);

  return PARENT (self)->handle_timeout (self);
}

static void
test_handle_error (SrvBaseServer *self,
                   G_GNUC_UNUSED SrvRequest *request,
                   const GError *error)
{
  note_error (error);
  srv_test_hook (self, "handle_error", NULL);
}

static void
test_accept_failed (SrvBaseServer *self,
                    SrvAcceptVerdict verdict,
                    const GError *error)
{
  note_error (error);
  shared_lock ();
  shared->verdict = (int) verdict;
  shared_unlock ();
  srv_test_hook (self, "accept_failed", NULL);
  PARENT (self)->accept_failed (self, verdict, error);
}

static void
test_server_close (SrvBaseServer *self)
{
  srv_test_hook (self, "server_close", NULL);
  PARENT (self)->server_close (self);
}

static void
test_server_class_fill (SrvBaseServerClass *klass)
{
  klass->server_bind = test_server_bind;
  klass->server_activate = test_server_activate;
  klass->get_request = test_get_request;
  klass->verify_request = test_verify_request;
  klass->process_request = test_process_request;
  klass->finish_request = test_finish_request;
  klass->shutdown_request = test_shutdown_request;
  klass->close_request = test_close_request;
  klass->service_actions = test_service_actions;
  klass->handle_timeout = test_handle_timeout;
  klass->handle_error = test_handle_error;
  klass->accept_failed = test_accept_failed;
  klass->server_close = test_server_close;
}

#define DEFINE_TEST_SERVER(TypeName, type_name, PARENT_TYPE, ParentName) \
  typedef struct                                                         \
  {                                                                      \
    ParentName parent_instance;                                          \
  } TypeName;                                                            \
  typedef struct                                                         \
  {                                                                      \
    ParentName##Class parent_class;                                      \
  } TypeName##Class;                                                     \
  static GType type_name##_get_type (void);                              \
  G_DEFINE_TYPE (TypeName, type_name, PARENT_TYPE)                       \
  static void type_name##_class_init (TypeName##Class *klass)            \
  {                                                                      \
    test_server_class_fill (SRV_BASE_SERVER_CLASS (klass));              \
  }                                                                      \
  static void type_name##_init (G_GNUC_UNUSED TypeName *self)            \
  {                                                                      \
  }

DEFINE_TEST_SERVER (TestTCPServer,
                    test_tcp_server,
                    SRV_TYPE_TCP_SERVER,
                    SrvTCPServer)
DEFINE_TEST_SERVER (TestUnixServer,
                    test_unix_server,
                    SRV_TYPE_UNIX_STREAM_SERVER,
                    SrvUnixStreamServer)
DEFINE_TEST_SERVER (TestUDPServer,
                    test_udp_server,
                    SRV_TYPE_UDP_SERVER,
                    SrvUDPServer)
DEFINE_TEST_SERVER (TestUnixgramServer,
                    test_unixgram_server,
                    SRV_TYPE_UNIX_DATAGRAM_SERVER,
                    SrvUnixDatagramServer)

/* The recording handlers. Both give back what they get: the stream one a
 * line, the datagram one its packet. */

#define HANDLER_PARENT(self)                                 \
  ((SrvBaseRequestHandlerClass *) g_type_class_peek_parent ( \
    SRV_BASE_REQUEST_HANDLER_GET_CLASS (self)))

static gboolean
test_handler_setup (SrvBaseRequestHandler *self, GError **error)
{
  return HANDLER_PARENT (self)->setup (self, error) &&
         srv_test_hook (srv_base_request_handler_get_server (self), "setup",
                        error);
}

static gboolean
test_handler_finish (SrvBaseRequestHandler *self, GError **error)
{
  gboolean fine;

  fine =
    srv_test_hook (srv_base_request_handler_get_server (self), "finish", error);

  /* A fault of the test is added to the parent's work, not put in its place. */
  return HANDLER_PARENT (self)->finish (self, fine ? error : NULL) && fine;
}

static gboolean
test_stream_handler_handle (SrvBaseRequestHandler *self, GError **error)
{
  SrvStreamRequestHandler *stream = SRV_STREAM_REQUEST_HANDLER (self);
  const char *line;
  gssize length;

  if (!srv_test_hook (srv_base_request_handler_get_server (self), "handle",
                      error))
    return FALSE;

  length = srv_reader_read_line (srv_stream_request_handler_get_rfile (stream),
                                 &line, LONGEST_LINE, error);
  if (length <= 0)
    return length == 0;

  return srv_writer_write (srv_stream_request_handler_get_wfile (stream), line,
                           (gsize) length, error);
}

static gboolean
test_datagram_handler_handle (SrvBaseRequestHandler *self, GError **error)
{
  SrvDatagramRequestHandler *datagram = SRV_DATAGRAM_REQUEST_HANDLER (self);
  GBytes *packet;

  if (!srv_test_hook (srv_base_request_handler_get_server (self), "handle",
                      error))
    return FALSE;

  packet = srv_datagram_request_handler_get_packet (datagram);
  return srv_datagram_request_handler_write (datagram,
                                             g_bytes_get_data (packet, NULL),
                                             g_bytes_get_size (packet), error);
}

typedef struct
{
  SrvStreamRequestHandler parent_instance;
} TestStreamHandler;
typedef struct
{
  SrvStreamRequestHandlerClass parent_class;
} TestStreamHandlerClass;

static GType test_stream_handler_get_type (void);
G_DEFINE_TYPE (TestStreamHandler,
               test_stream_handler,
               SRV_TYPE_STREAM_REQUEST_HANDLER)

static void
test_stream_handler_class_init (TestStreamHandlerClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->setup = test_handler_setup;
  handler_class->handle = test_stream_handler_handle;
  handler_class->finish = test_handler_finish;
}

static void
test_stream_handler_init (G_GNUC_UNUSED TestStreamHandler *self)
{
}

typedef struct
{
  SrvDatagramRequestHandler parent_instance;
} TestDatagramHandler;
typedef struct
{
  SrvDatagramRequestHandlerClass parent_class;
} TestDatagramHandlerClass;

static GType test_datagram_handler_get_type (void);
G_DEFINE_TYPE (TestDatagramHandler,
               test_datagram_handler,
               SRV_TYPE_DATAGRAM_REQUEST_HANDLER)

static void
test_datagram_handler_class_init (TestDatagramHandlerClass *klass)
{
  SrvBaseRequestHandlerClass *handler_class =
    SRV_BASE_REQUEST_HANDLER_CLASS (klass);

  handler_class->setup = test_handler_setup;
  handler_class->handle = test_datagram_handler_handle;
  handler_class->finish = test_handler_finish;
}

static void
test_datagram_handler_init (G_GNUC_UNUSED TestDatagramHandler *self)
{
}

/* Transports and mix-ins. */

gboolean
srv_test_is_stream (SrvTestTransport transport)
{
  return transport == SRV_TEST_TCP || transport == SRV_TEST_UNIX;
}

gboolean
srv_test_is_unix (SrvTestTransport transport)
{
  return transport == SRV_TEST_UNIX || transport == SRV_TEST_UNIXGRAM;
}

SrvEndpoint *
srv_test_endpoint (SrvTestTransport transport)
{
  g_autofree char *path = srv_test_path ("socket");

  switch (transport)
    {
    case SRV_TEST_TCP:
      return srv_endpoint_new_inet (SRV_ENDPOINT_KIND_TCP, "127.0.0.1", 0);
    case SRV_TEST_UDP:
      return srv_endpoint_new_inet (SRV_ENDPOINT_KIND_UDP, "127.0.0.1", 0);
    case SRV_TEST_UNIX:
      return srv_endpoint_new_unix (SRV_ENDPOINT_KIND_UNIX, path);
    case SRV_TEST_UNIXGRAM:
      return srv_endpoint_new_unix (SRV_ENDPOINT_KIND_UNIXGRAM, path);
    case SRV_TEST_N_TRANSPORTS:
    default:
      g_assert_not_reached ();
    }
}

SrvMixIn *
srv_test_mix_in_new (SrvTestMixIn mix_in)
{
  SrvMixIn *object;

  switch (mix_in)
    {
    case SRV_TEST_INLINE:
      return NULL;
    case SRV_TEST_THREADING:
      return srv_threading_mix_in_new ();
    case SRV_TEST_FORKING:
      object = srv_forking_mix_in_new ();
      srv_forking_mix_in_set_fork_guard (SRV_FORKING_MIX_IN (object),
                                         SRV_FORK_GUARD_IGNORE);
      return object;
    case SRV_TEST_FIBERS:
      return srv_fiber_mix_in_new ();
    case SRV_TEST_THREAD_POOL:
      return srv_thread_pool_mix_in_new ();
    case SRV_TEST_PREFORK:
      object = srv_prefork_mix_in_new ();
      g_object_set (object, "workers", 3, "fork-guard", SRV_FORK_GUARD_IGNORE,
                    NULL);
      return object;
    case SRV_TEST_N_MIX_INS:
    default:
      g_assert_not_reached ();
    }
}

gboolean
srv_test_mix_in_is (SrvTestMixIn mix_in, const char *property)
{
  g_autoptr (SrvMixIn) object = srv_test_mix_in_new (mix_in);
  gboolean answer = TRUE;

  if (object != NULL)
    g_object_get (object, property, &answer, NULL);
  return answer;
}

GType
srv_test_plain_type (SrvTestTransport transport)
{
  return g_type_parent (srv_test_server_type (transport));
}

GType
srv_test_server_type (SrvTestTransport transport)
{
  switch (transport)
    {
    case SRV_TEST_TCP:
      return test_tcp_server_get_type ();
    case SRV_TEST_UNIX:
      return test_unix_server_get_type ();
    case SRV_TEST_UDP:
      return test_udp_server_get_type ();
    case SRV_TEST_UNIXGRAM:
      return test_unixgram_server_get_type ();
    case SRV_TEST_N_TRANSPORTS:
    default:
      g_assert_not_reached ();
    }
}

GType
srv_test_handler_type (SrvTestTransport transport)
{
  return srv_test_is_stream (transport) ? test_stream_handler_get_type ()
                                        : test_datagram_handler_get_type ();
}

static SrvBaseServer *
make_valist (GType type,
             SrvEndpoint *endpoint,
             GError **error,
             const char *first_property,
             va_list arguments)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  const char *names[16] = { "endpoint" };
  GValue values[16] = { G_VALUE_INIT };
  GObject *server;
  guint n = 1;

  g_value_init (&values[0], SRV_TYPE_ENDPOINT);
  g_value_set_boxed (&values[0], endpoint);

  for (const char *name = first_property; name != NULL;
       name = va_arg (arguments, const char *))
    {
      GParamSpec *property;
      g_autofree char *complaint = NULL;

      property = g_object_class_find_property (G_OBJECT_CLASS (klass), name);
      ck_assert_msg (property != NULL, "no property %s", name);
      names[n] = name;
      G_VALUE_COLLECT_INIT (&values[n], property->value_type, arguments, 0,
                            &complaint);
      g_assert_null (complaint);
      n++;
      g_assert (n < G_N_ELEMENTS (names));
    }

  server = g_object_new_with_properties (type, n, names, values);
  for (guint i = 0; i < n; i++)
    g_value_unset (&values[i]);

  if (!g_initable_init (G_INITABLE (server), NULL, error))
    g_clear_object (&server);

  return SRV_BASE_SERVER (server);
}

SrvBaseServer *
srv_test_try (GType type,
              const char *endpoint,
              GError **error,
              const char *first_property,
              ...)
{
  g_autoptr (SrvEndpoint) parsed = srv_endpoint_parse (endpoint, error);
  SrvBaseServer *server;
  va_list arguments;

  if (parsed == NULL)
    return NULL;

  va_start (arguments, first_property);
  server = make_valist (type, parsed, error, first_property, arguments);
  va_end (arguments);

  return server;
}

SrvBaseServer *
srv_test_make (GType type,
               const char *endpoint,
               const char *first_property,
               ...)
{
  g_autoptr (SrvEndpoint) parsed = NULL;
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;
  va_list arguments;

  parsed = srv_endpoint_parse (endpoint, &error);
  srv_test_assert_no_error (error);

  va_start (arguments, first_property);
  server = make_valist (type, parsed, &error, first_property, arguments);
  va_end (arguments);
  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (server);

  return server;
}

SrvBaseServer *
srv_test_server_new (SrvTestTransport transport, SrvTestMixIn mix_in)
{
  g_autoptr (SrvEndpoint) endpoint = srv_test_endpoint (transport);
  g_autoptr (SrvMixIn) object = srv_test_mix_in_new (mix_in);
  g_autofree char *string = srv_endpoint_to_string (endpoint);

  return srv_test_make (srv_test_server_type (transport), string,
                        "handler-type", srv_test_handler_type (transport),
                        "mix-in", object, NULL);
}

guint16
srv_test_port (SrvBaseServer *server)
{
  GSocketAddress *address = srv_base_server_get_server_address (server);

  ck_assert (G_IS_INET_SOCKET_ADDRESS (address));
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

/* A loop in a thread. */

static gpointer
run_thread (gpointer data)
{
  SrvTestRun *run = data;

  g_atomic_int_set (&run->tid, (pid_t) syscall (SYS_gettid));
  run->result = srv_base_server_serve_forever (run->server, &run->error);
  run->returned_at = g_get_monotonic_time ();

  return NULL;
}

SrvTestRun *
srv_test_start (SrvBaseServer *server)
{
  SrvTestRun *run = g_new0 (SrvTestRun, 1);

  run->server = server;
  run->thread = g_thread_new ("loop", run_thread, run);

  return run;
}

/* Workers are forked in the loop's thread. What this thread does meanwhile
 * could leave locks of GLib's locked in them for ever. */
static void
wait_for_workers (SrvBaseServer *server)
{
  SrvMixIn *mix_in = srv_base_server_get_mix_in (server);
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  guint n = 0;

  if (!SRV_IS_PREFORK_MIX_IN (mix_in))
    return;
  while (n < srv_prefork_mix_in_get_workers (SRV_PREFORK_MIX_IN (mix_in)) &&
         srv_base_server_get_state (server) == SRV_SERVER_STATE_SERVING &&
         g_get_monotonic_time () < deadline)
    {
      g_autoptr (GPtrArray) workers =
        srv_prefork_mix_in_list_workers (SRV_PREFORK_MIX_IN (mix_in));

      n = workers->len;
      g_usleep (1000);
    }
}

SrvTestRun *
srv_test_run (SrvBaseServer *server)
{
  SrvTestRun *run = srv_test_start (server);
  g_autoptr (GError) error = NULL;

  srv_base_server_wait_until_serving (server, SRV_TEST_PATIENCE, &error);
  srv_test_assert_no_error (error);
  wait_for_workers (server);

  return run;
}

gboolean
srv_test_join (SrvTestRun *run, GError **error)
{
  gboolean result;

  g_thread_join (run->thread);
  result = run->result;
  ck_assert_msg (result == (run->error == NULL),
                 "serve_forever() says %s, error: %s",
                 result ? "TRUE" : "FALSE",
                 run->error != NULL ? run->error->message : "none");
  if (run->error != NULL)
    g_propagate_error (error, run->error);
  g_free (run);

  return result;
}

void
srv_test_stop (SrvTestRun *run)
{
  g_autoptr (GError) error = NULL;

  srv_base_server_shutdown (run->server);
  srv_test_join (run, &error);
  srv_test_assert_no_error (error);
}

void
srv_test_finish (SrvTestRun *run)
{
  SrvBaseServer *server = run->server;

  srv_test_stop (run);
  srv_base_server_server_close (server);
  g_object_unref (server);
}

/* Clients. */

static void
set_limits (int fd)
{
  struct timeval limit = { .tv_sec = SRV_TEST_PATIENCE / 1000 };

  ck_assert_int_eq (setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
                                sizeof limit),
                    0);
  ck_assert_int_eq (setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
                                sizeof limit),
                    0);
}

int
srv_test_socket (int family, int type)
{
  int fd = socket (family, type | SOCK_CLOEXEC, 0);

  ck_assert_msg (fd >= 0, "socket: %s", g_strerror (errno));
  set_limits (fd);

  return fd;
}

/* Without a name of its own, a Unix client cannot be answered. */
static void
bind_unix_client (int fd)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  g_autofree char *file = g_strdup_printf ("client-%u", n_clients++);
  g_autofree char *path = srv_test_path (file);

  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  ck_assert_int_eq (bind (fd, (struct sockaddr *) &name, sizeof name), 0);
}

/* A connected socket, or -1 with errno set. */
int
srv_test_try_connect (SrvBaseServer *server)
{
  GSocketAddress *address = srv_base_server_get_server_address (server);
  gboolean stream = SRV_IS_STREAM_SERVER (server);
  struct sockaddr_storage native;
  gssize length;
  int fd;

  ck_assert (G_IS_SOCKET_ADDRESS (address));
  length = g_socket_address_get_native_size (address);
  ck_assert (
    g_socket_address_to_native (address, &native, sizeof native, NULL));

  fd = srv_test_socket (native.ss_family, stream ? SOCK_STREAM : SOCK_DGRAM);
  if (native.ss_family == AF_UNIX && !stream)
    bind_unix_client (fd);
  if (connect (fd, (struct sockaddr *) &native, (socklen_t) length) < 0)
    {
      int saved = errno;

      srv_test_close (fd);
      errno = saved;
      return -1;
    }

  return fd;
}

int
srv_test_connect (SrvBaseServer *server)
{
  int fd = srv_test_try_connect (server);

  ck_assert_msg (fd >= 0, "connect: %s", g_strerror (errno));
  return fd;
}

void
srv_test_close (int fd)
{
  struct sockaddr_un name = { 0 };
  socklen_t length = sizeof name;

  if (getsockname (fd, (struct sockaddr *) &name, &length) == 0 &&
      name.sun_family == AF_UNIX && name.sun_path[0] != '\0')
    g_unlink (name.sun_path);
  close (fd);
}

void
srv_test_send (int fd, const void *data, gsize length)
{
  const char *rest = data;

  do
    {
      ssize_t sent = send (fd, rest, length, MSG_NOSIGNAL);

      if (sent < 0 && errno == EINTR)
        continue;
      ck_assert_msg (sent >= 0, "send: %s", g_strerror (errno));
      rest += sent;
      length -= (gsize) sent;
    }
  while (length > 0);
}

void
srv_test_say (int fd, const char *text)
{
  srv_test_send (fd, text, strlen (text));
}

/* What recv(2) says, without the interruptions. */
gssize
srv_test_receive (int fd, void *buffer, gsize length)
{
  ssize_t result;

  do
    result = recv (fd, buffer, length, 0);
  while (result < 0 && errno == EINTR);

  return result;
}

static gboolean
is_stream_socket (int fd)
{
  socklen_t length = sizeof (int);
  int type = 0;

  getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length);

  return type == SOCK_STREAM;
}

void
srv_test_expect (int fd, const char *text)
{
  gsize wanted = strlen (text);
  char buffer[4096] = { 0 };
  gsize got = 0;

  /* Nothing is allocated here: a server that forks meanwhile would copy the
   * allocator's locks as they are, and a sanitizer's stay locked in a child. */
  ck_assert_uint_lt (wanted + 1, sizeof buffer);
  do
    {
      gsize room = wanted - got + !is_stream_socket (fd);
      gssize n = srv_test_receive (fd, buffer + got, room);

      ck_assert_msg (n >= 0, "no answer \"%s\", only \"%s\": %s", text, buffer,
                     g_strerror (errno));
      if (n == 0)
        break;
      got += (gsize) n;
    }
  while (is_stream_socket (fd) && got < wanted);

  ck_assert_str_eq (buffer, text);
}

char *
srv_test_read_all (int fd, gsize *length)
{
  g_autoptr (GString) all = g_string_new (NULL);
  char buffer[16384];
  gssize n;

  while ((n = srv_test_receive (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (all, buffer, n);
  ck_assert_msg (n == 0, "no end of the stream: %s", g_strerror (errno));

  if (length != NULL)
    *length = all->len;
  return g_string_free (g_steal_pointer (&all), FALSE);
}

void
srv_test_expect_end (int fd)
{
  g_autofree char *rest = srv_test_read_all (fd, NULL);

  ck_assert_str_eq (rest, "");
}

void
srv_test_expect_gone (int fd)
{
  char buffer[256];
  gssize n = srv_test_receive (fd, buffer, sizeof buffer);

  ck_assert_msg (n == 0 || (n < 0 && errno == ECONNRESET),
                 "the connection still lives: %d, %s", (int) n,
                 n < 0 ? g_strerror (errno) : "data");
}

gboolean
srv_test_is_quiet (int fd)
{
  char byte;

  return recv (fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

void
srv_test_echo (SrvBaseServer *server, const char *line)
{
  int fd = srv_test_connect (server);

  srv_test_say (fd, line);
  srv_test_expect (fd, line);
  srv_test_close (fd);
}

/* What a process has. */

/* Calls FUNCTION for every number that names a file of DIRECTORY, except the
 * descriptor of the directory itself. */
static guint
for_each_number (const char *directory, gboolean *seen, guint n_seen)
{
  DIR *dir = opendir (directory);
  const struct dirent *entry;
  guint count = 0;

  ck_assert_msg (dir != NULL, "%s: %s", directory, g_strerror (errno));
  while ((entry = readdir (dir)) != NULL)
    {
      guint number;

      if (!g_ascii_isdigit (entry->d_name[0]))
        continue;
      number = (guint) strtoul (entry->d_name, NULL, 10);
      if (seen != NULL && number == (guint) dirfd (dir))
        continue;
      count++;
      if (seen != NULL && number < n_seen)
        seen[number] = TRUE;
    }
  closedir (dir);

  return count;
}

guint
srv_test_count_descriptors (void)
{
  gboolean seen[MAX_DESCRIPTORS] = { FALSE };

  return for_each_number ("/proc/self/fd", seen, MAX_DESCRIPTORS);
}

guint
srv_test_count_threads (void)
{
  return for_each_number ("/proc/self/task", NULL, 0);
}

gboolean
srv_test_has_children (void)
{
  siginfo_t info;

  return waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
         errno != ECHILD;
}

guint64
srv_test_thread_status (pid_t tid, const char *key)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/status", tid);
  g_autofree char *text = NULL;
  const char *line;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  line = strstr (text, key);
  ck_assert_ptr_nonnull (line);

  return g_ascii_strtoull (line + strlen (key) + 1, NULL, 10);
}

static gint64
processor_time (void)
{
  struct timespec used;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);

  return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

void
srv_test_assert_idle (void)
{
  const gint64 span = 100 * 1000;
  gint64 used = span;

  /* Nothing is waited for here: the time itself is what is measured. */
  for (guint i = 0; i < SRV_TEST_TRIES && used > span / 5; i++)
    {
      gint64 before = processor_time ();

      g_usleep (span);
      used = processor_time () - before;
    }
  ck_assert_int_le (used, span / 5);
}

/* How often a thread, or all but the caller, have waited so far. */
static guint64
count_waits (pid_t tid)
{
  const char *key = "\nvoluntary_ctxt_switches:";
  g_autoptr (GDir) tasks = NULL;
  guint64 n_waits = 0;
  const char *name;

  if (tid != 0)
    return srv_test_thread_status (tid, key);

  tasks = g_dir_open ("/proc/self/task", 0, NULL);
  while ((name = g_dir_read_name (tasks)) != NULL)
    {
      pid_t other = (pid_t) g_ascii_strtoull (name, NULL, 10);

      if (other != (pid_t) syscall (SYS_gettid))
        n_waits += srv_test_thread_status (other, key);
    }

  return n_waits;
}

gboolean
srv_test_stays_asleep (pid_t tid, int span_ms, guint64 most)
{
  for (guint i = 0; i < SRV_TEST_TRIES; i++)
    {
      guint64 before = count_waits (tid);

      g_usleep ((gulong) span_ms * 1000);
      if (count_waits (tid) - before <= most)
        return TRUE;
    }

  return FALSE;
}

static void
check_descriptors (void)
{
  gboolean now[MAX_DESCRIPTORS] = { FALSE };

  for_each_number ("/proc/self/fd", now, MAX_DESCRIPTORS);
  for (guint i = 0; i < MAX_DESCRIPTORS; i++)
    {
      g_autofree char *path = g_strdup_printf ("/proc/self/fd/%u", i);
      g_autofree char *target = NULL;

      if (!now[i] || descriptors_before[i])
        continue;
      target = g_file_read_link (path, NULL);
      ck_abort_msg ("descriptor %u was left open: %s", i, target);
    }
}

static void
check_threads (void)
{
  gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);

  /* A joined thread may stay in /proc for a moment. */
  while (srv_test_count_threads () > threads_before &&
         g_get_monotonic_time () < deadline)
    g_usleep (500);

  ck_assert_uint_le (srv_test_count_threads (), threads_before);
}

static void
check_children (void)
{
  siginfo_t info = { 0 };

  if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    return;

  if (info.si_pid == 0)
    ck_abort_msg ("a child was left running");
  ck_abort_msg ("child %d was left as a zombie", info.si_pid);
}

static void
check_directory (void)
{
  g_autoptr (GDir) dir = g_dir_open (test_directory, 0, NULL);
  const char *name = g_dir_read_name (dir);

  ck_assert_msg (name == NULL, "the file %s was left behind", name);
}

const char *
srv_test_directory (void)
{
  return test_directory;
}

char *
srv_test_path (const char *name)
{
  return g_build_filename (test_directory, name, NULL);
}

/* The log. */

static Record *
record_new (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  Record *record = g_new0 (Record, 1);

  record->level = level;
  record->fields =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (gsize i = 0; i < n_fields; i++)
    {
      const char *value = fields[i].value;

      if (value == NULL)
        continue;
      g_hash_table_insert (record->fields, g_strdup (fields[i].key),
                           fields[i].length < 0
                             ? g_strdup (value)
                             : g_strndup (value, (gsize) fields[i].length));
    }

  return record;
}

static void
record_free (gpointer data)
{
  Record *record = data;

  g_hash_table_unref (record->fields);
  g_free (record);
}

static GLogWriterOutput
write_log (GLogLevelFlags level,
           const GLogField *fields,
           gsize n_fields,
           gpointer user_data)
{
  gboolean kept = FALSE;

  g_mutex_lock (&log_lock);
  if (log_records != NULL)
    {
      g_ptr_array_add (log_records, record_new (level, fields, n_fields));
      kept = TRUE;
    }
  g_mutex_unlock (&log_lock);

  if (kept && g_getenv ("SRV_TEST_VERBOSE") == NULL)
    return G_LOG_WRITER_HANDLED;

  return g_log_writer_default (level, fields, n_fields, user_data);
}

void
srv_test_begin_log (void)
{
  log_fatal_before = g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  g_mutex_lock (&log_lock);
  log_records = g_ptr_array_new_with_free_func (record_free);
  g_mutex_unlock (&log_lock);
}

void
srv_test_end_log (void)
{
  g_mutex_lock (&log_lock);
  g_clear_pointer (&log_records, g_ptr_array_unref);
  g_mutex_unlock (&log_lock);
  g_log_set_always_fatal (log_fatal_before);
}

static gboolean
record_says (const Record *record, const char *substring)
{
  const char *message = g_hash_table_lookup (record->fields, "MESSAGE");

  return substring == NULL ||
         (message != NULL && strstr (message, substring) != NULL);
}

guint
srv_test_count_log (GLogLevelFlags level, const char *substring)
{
  guint count = 0;

  g_mutex_lock (&log_lock);
  for (guint i = 0; i < log_records->len; i++)
    {
      const Record *record = g_ptr_array_index (log_records, i);

      if ((record->level & level) != 0 && record_says (record, substring))
        count++;
    }
  g_mutex_unlock (&log_lock);

  return count;
}

guint
srv_test_count_log_event (const char *event)
{
  guint count = 0;

  g_mutex_lock (&log_lock);
  for (guint i = 0; i < log_records->len; i++)
    {
      const Record *record = g_ptr_array_index (log_records, i);

      if (g_strcmp0 (g_hash_table_lookup (record->fields, "SRV_EVENT"),
                     event) == 0)
        count++;
    }
  g_mutex_unlock (&log_lock);

  return count;
}

char *
srv_test_get_log_field (const char *substring, const char *field)
{
  char *value = NULL;

  g_mutex_lock (&log_lock);
  for (guint i = 0; i < log_records->len && value == NULL; i++)
    {
      const Record *record = g_ptr_array_index (log_records, i);

      if (record_says (record, substring))
        value = g_strdup (g_hash_table_lookup (record->fields, field));
    }
  g_mutex_unlock (&log_lock);

  return value;
}

/* The program. */

static void
set_up (void)
{
  shared_reset ();
  n_plans = 0;
  memset (plans, 0, sizeof plans);

  test_directory = g_build_filename (program_directory, "XXXXXX", NULL);
  ck_assert_ptr_nonnull (g_mkdtemp (test_directory));

  memset (descriptors_before, 0, sizeof descriptors_before);
  for_each_number ("/proc/self/fd", descriptors_before, MAX_DESCRIPTORS);
  threads_before = srv_test_count_threads ();
}

static void
tear_down (void)
{
  check_children ();
  check_threads ();
  check_descriptors ();
  check_directory ();

  g_rmdir (test_directory);
  g_clear_pointer (&test_directory, g_free);
}

TCase *
srv_test_case (Suite *suite, const char *name)
{
  TCase *tcase = tcase_create (name);

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_set_timeout (tcase, 30);
  suite_add_tcase (suite, tcase);

  return tcase;
}

/* What failed tests left. */
static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_remove (child) < 0)
        remove_tree (child);
    }
  g_rmdir (path);
}

int
srv_test_main (Suite *suite)
{
  SRunner *runner;
  int failures;

  /* The environment of "make check", for those who start a program alone. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", FALSE);
  g_setenv ("GIO_USE_VFS", "local", FALSE);
  g_setenv ("GSETTINGS_BACKEND", "memory", FALSE);
  g_log_set_always_fatal (
    (GLogLevelFlags) (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
  g_log_set_writer_func (write_log, NULL, NULL);

  shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert (shared != MAP_FAILED);
  program_directory = g_dir_make_tmp ("srv-test-XXXXXX", NULL);
  g_assert_nonnull (program_directory);

  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failures = srunner_ntests_failed (runner);
  srunner_free (runner);

  remove_tree (program_directory);
  g_free (program_directory);
  munmap (shared, sizeof *shared);

  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Valgrind and ThreadSanitizer are many times as slow, and look at the same code
 * in every run of a long loop: there each third of them is run, another third
 * for each test. */
static void
add_runs (TCase *tcase, const SrvTestEntry *entry, guint number)
{
  int step = g_getenv ("SRV_TEST_SHORT") != NULL && entry->n > 6 ? 3 : 1;

  for (int i = (int) number % step; i < entry->n; i += step)
    tcase_add_loop_test (tcase, entry->test, i, i + 1);
}

int
srv_test_run_entries (const char *suite,
                      const SrvTestEntry *entries,
                      guint n_entries)
{
  Suite *made = suite_create (suite);
  TCase *tcase = NULL;

  for (guint i = 0; i < n_entries; i++)
    {
      if (i == 0 || !g_str_equal (entries[i].group, entries[i - 1].group))
        tcase = srv_test_case (made, entries[i].group);
      add_runs (tcase, &entries[i], i);
    }

  return srv_test_main (made);
}

#ifdef SRV_COVERAGE
void __gcov_dump (void);

/* Forked children leave by _exit (), which writes no coverage data; what they
 * have run through would count as never run. */
void
_exit (int status)
{
  __gcov_dump ();
  syscall (SYS_exit_group, status);
  __builtin_unreachable ();
}
#endif
