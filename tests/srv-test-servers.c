/* srv-test-servers.c - servers under test, and the thread of their loop
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include <gobject/gvaluecollector.h>
#include <pthread.h>
#include <sys/syscall.h>

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

gboolean
srv_test_can_spawn (SrvTestMixIn mix_in)
{
#ifdef __SANITIZE_THREAD__
  if (mix_in == SRV_TEST_FORKING)
    {
      g_print ("# skipped: the checker does not follow a fork\n");
      return FALSE;
    }
#endif
  return mix_in < SRV_TEST_N_MIX_INS;
}

GType
srv_test_plain_type (SrvTestTransport transport)
{
  return g_type_parent (srv_test_server_type (transport));
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

SrvBaseServer *
srv_test_server_of (int combination)
{
  return srv_test_server_new (srv_test_transport_of (combination),
                              srv_test_mix_in_of (combination));
}

void
srv_test_assert_state (SrvBaseServer *server, SrvServerState state)
{
  ck_assert_int_eq (srv_base_server_get_state (server), state);
}

guint16
srv_test_port (SrvBaseServer *server)
{
  GSocketAddress *address = srv_base_server_get_server_address (server);

  ck_assert (G_IS_INET_SOCKET_ADDRESS (address));
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

/* A loop in a thread. */

static GMutex fork_lock; /* of the rest, and of the end of a run */
static GCond fork_changed;
static guint n_forks; /* of this process */

static void
note_fork (void)
{
  g_mutex_lock (&fork_lock);
  n_forks++;
  g_cond_broadcast (&fork_changed);
  g_mutex_unlock (&fork_lock);
}

/* How many there were. From the first call on they are counted. */
static guint
count_forks (void)
{
  static gsize is_counting = 0;
  guint n;

  if (g_once_init_enter (&is_counting))
    {
      pthread_atfork (NULL, note_fork, NULL);
      g_once_init_leave (&is_counting, TRUE);
    }
  g_mutex_lock (&fork_lock);
  n = n_forks;
  g_mutex_unlock (&fork_lock);
  return n;
}

static gpointer
run_thread (gpointer data)
{
  SrvTestRun *run = data;

  g_atomic_int_set (&run->tid, (pid_t) syscall (SYS_gettid));
  run->result = srv_base_server_serve_forever (run->server, &run->error);
  g_mutex_lock (&fork_lock);
  run->returned_at = g_get_monotonic_time ();
  g_cond_broadcast (&fork_changed);
  g_mutex_unlock (&fork_lock);

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
 * could leave locks of GLib's locked in them for ever, so it waits for the
 * forks, and asks for nothing. FALSE when the loop has ended before. */
static gboolean
wait_for_forks (SrvTestRun *run, guint wanted, gint64 deadline)
{
  gboolean runs;

  g_mutex_lock (&fork_lock);
  while (n_forks < wanted && run->returned_at == 0 &&
         g_cond_wait_until (&fork_changed, &fork_lock, deadline))
    continue;
  runs = run->returned_at == 0;
  g_mutex_unlock (&fork_lock);
  return runs;
}

/* The last one that was forked is on the list in a moment. */
static void
wait_for_list (SrvBaseServer *server,
               SrvPreforkMixIn *mix_in,
               guint wanted,
               gint64 deadline)
{
  guint n = 0;

  while (n < wanted &&
         srv_base_server_get_state (server) == SRV_SERVER_STATE_SERVING &&
         g_get_monotonic_time () < deadline)
    {
      g_autoptr (GPtrArray) workers = srv_prefork_mix_in_list_workers (mix_in);

      n = workers->len;
      g_thread_yield ();
    }
}

static SrvTestRun *
run_prefork (SrvBaseServer *server, SrvPreforkMixIn *mix_in)
{
  const gint64 deadline = srv_test_deadline_in (SRV_TEST_PATIENCE);
  const guint n_workers = srv_prefork_mix_in_get_workers (mix_in);
  const guint n_before = count_forks ();
  SrvTestRun *run = srv_test_start (server);

  if (wait_for_forks (run, n_before + n_workers, deadline))
    wait_for_list (server, mix_in, n_workers, deadline);
  return run;
}

SrvTestRun *
srv_test_run (SrvBaseServer *server)
{
  SrvMixIn *mix_in = srv_base_server_get_mix_in (server);
  SrvTestRun *run = SRV_IS_PREFORK_MIX_IN (mix_in)
                      ? run_prefork (server, SRV_PREFORK_MIX_IN (mix_in))
                      : srv_test_start (server);
  g_autoptr (GError) error = NULL;

  srv_base_server_wait_until_serving (server, SRV_TEST_PATIENCE, &error);
  srv_test_assert_no_error (error);

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
