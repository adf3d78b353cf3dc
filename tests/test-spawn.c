/* test-spawn.c - sleeping, spawning and offloading, in threads and in fibers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

#include <sys/syscall.h>

/* What srv_offload() promises to run at a time. */
#define MAX_OFFLOADED 64

/* Numbers of the tests, shared with forked children. */
enum
{
  N_DONE,
  N_DESTROYED,
  N_AT_FINISH,
  N_NESTED,
  N_ENTERED,
  N_FAILED,
};

static gint64
in_ms (int timeout_ms)
{
  return g_get_monotonic_time () + timeout_ms * 1000;
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (10 * 1000);
  g_cancellable_cancel (data);

  return NULL;
}

/* Sleep. */

static void
sleep_in_all_ways (G_GNUC_UNUSED gpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();
  GThread *thread;

  ck_assert (srv_sleep (30, cancellable, &error));
  ck_assert (srv_sleep (0, NULL, &error));
  srv_test_assert_no_error (error);
  srv_test_assert_took (before, 30);

  thread = g_thread_new ("canceller", cancel_soon, cancellable);
  ck_assert (!srv_sleep (-1, cancellable, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_clear_error (&error);

  before = g_get_monotonic_time ();
  ck_assert (!srv_sleep (SRV_TEST_PATIENCE, cancellable, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  srv_test_assert_took (before, 0);
}

START_TEST (sleep_lasts_until_cancelled)
{
  run_in (_i, sleep_in_all_ways, NULL);
}
END_TEST

static void
sleep_a_little (G_GNUC_UNUSED gpointer data)
{
  ck_assert (srv_sleep (100, NULL, NULL));
}

/* A hundred fibers of one worker sleep at the same time. */
START_TEST (others_run_while_one_sleeps)
{
  SrvFiberWorker *worker = make_worker ();
  gint64 before = g_get_monotonic_time ();

  for (guint i = 0; i < 100; i++)
    spawn (worker, sleep_a_little, NULL);
  run_to_the_end (worker);
  srv_test_assert_took (before, 100);
}
END_TEST

/* Spawn. */

static void
count_done (gpointer user_data)
{
  srv_sleep (GPOINTER_TO_INT (user_data), NULL, NULL);
  srv_test_add_number (N_DONE, 1);
}

static void
count_destroyed (G_GNUC_UNUSED gpointer user_data)
{
  srv_test_add_number (N_DESTROYED, 1);
}

static void
spawn_some (G_GNUC_UNUSED gpointer data)
{
  srv_spawn_join ();
  for (int round = 1; round <= 2; round++)
    {
      g_autoptr (GError) error = NULL;

      for (int i = 0; i < 10; i++)
        ck_assert (
          srv_spawn (count_done, GINT_TO_POINTER (i), count_destroyed, &error));
      ck_assert (srv_spawn (count_done, NULL, NULL, &error));
      srv_test_assert_no_error (error);
      srv_spawn_join ();
      ck_assert_int_eq (srv_test_get_number (N_DONE), 11 * round);
      ck_assert_int_eq (srv_test_get_number (N_DESTROYED), 10 * round);
    }
  srv_spawn_join ();
}

/* Everything spawned has ended after the join, and its data is freed; then it
 * can be done again. */
START_TEST (join_waits_for_what_was_spawned)
{
  run_in (_i, spawn_some, NULL);
}
END_TEST

static gpointer main_thread;
static gboolean was_elsewhere;
static gboolean was_in_fiber;

static void
look_around (G_GNUC_UNUSED gpointer user_data)
{
  was_elsewhere = (gpointer) g_thread_self () != main_thread;
  was_in_fiber = srv_task_fiber () != NULL;
}

static void
spawn_one_that_looks (G_GNUC_UNUSED gpointer data)
{
  main_thread = g_thread_self ();
  ck_assert (srv_spawn (look_around, NULL, NULL, NULL));
  srv_spawn_join ();
}

/* A fiber spawns a fiber of its worker, a thread another thread. */
START_TEST (spawned_run_in_the_way_of_the_caller)
{
  run_in (_i, spawn_one_that_looks, NULL);
  ck_assert_int_eq (was_elsewhere, _i == 0);
  ck_assert_int_eq (was_in_fiber, _i == 1);
}
END_TEST

static void
spawn_nested (gpointer user_data)
{
  int depth = GPOINTER_TO_INT (user_data);

  if (depth > 0)
    for (guint i = 0; i < 2; i++)
      if (!srv_spawn (spawn_nested, GINT_TO_POINTER (depth - 1),
                      count_destroyed, NULL))
        srv_test_add_number (N_FAILED, 1);
  srv_sleep (2, NULL, NULL);
  srv_test_add_number (N_NESTED, 1);
}

static void
spawn_a_tree (G_GNUC_UNUSED gpointer data)
{
  ck_assert (
    srv_spawn (spawn_nested, GINT_TO_POINTER (4), count_destroyed, NULL));
  srv_spawn_join ();
  ck_assert_int_eq (srv_test_get_number (N_NESTED), 31);
  ck_assert_int_eq (srv_test_get_number (N_DESTROYED), 31);
  ck_assert_int_eq (srv_test_get_number (N_FAILED), 0);
}

/* What was spawned spawns in turn; the join waits for all of them. */
START_TEST (nested_spawns_are_joined)
{
  run_in (_i, spawn_a_tree, NULL);
}
END_TEST

/* Through a server: */

#define TEST_TYPE_SPAWNER (test_spawner_get_type ())
G_DECLARE_FINAL_TYPE (TestSpawner,
                      test_spawner,
                      TEST,
                      SPAWNER,
                      SrvStreamRequestHandler)

struct _TestSpawner
{
  SrvStreamRequestHandler parent_instance;
};

G_DEFINE_FINAL_TYPE (TestSpawner, test_spawner, SRV_TYPE_STREAM_REQUEST_HANDLER)

static gboolean
test_spawner_handle (G_GNUC_UNUSED SrvBaseRequestHandler *handler,
                     GError **error)
{
  if (!srv_spawn (count_done, GINT_TO_POINTER (20), count_destroyed, error))
    return FALSE;

  return srv_spawn (spawn_nested, GINT_TO_POINTER (2), count_destroyed, error);
}

static gboolean
test_spawner_finish (SrvBaseRequestHandler *handler, GError **error)
{
  SrvWriter *wfile =
    srv_stream_request_handler_get_wfile (SRV_STREAM_REQUEST_HANDLER (handler));

  srv_test_set_number (N_AT_FINISH, srv_test_get_number (N_DONE) +
                                      srv_test_get_number (N_NESTED) +
                                      srv_test_get_number (N_DESTROYED));

  return srv_writer_write_string (wfile, "done\n", error) &&
         SRV_BASE_REQUEST_HANDLER_CLASS (test_spawner_parent_class)
           ->finish (handler, error);
}

static void
test_spawner_class_init (TestSpawnerClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->handle = test_spawner_handle;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->finish = test_spawner_finish;
}

static void
test_spawner_init (G_GNUC_UNUSED TestSpawner *self)
{
}

static SrvTestRun *
run_server (SrvTestMixIn mix_in, SrvHandlerFunc func)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, mix_in);

  if (func != NULL)
    srv_base_server_set_handler_func (server, func, NULL, NULL);
  else
    srv_base_server_set_handler_type (server, TEST_TYPE_SPAWNER);

  return srv_test_run (server);
}

/* Between handle and finish everything has ended that handle has spawned, and
 * what that has. */
START_TEST (handlers_are_joined_before_finish)
{
  SrvTestRun *run;
  int fd;

  if (!srv_test_can_spawn ((SrvTestMixIn) _i))
    return;
  run = run_server ((SrvTestMixIn) _i, NULL);
  fd = srv_test_connect (run->server);
  srv_test_expect (fd, "done\n");
  srv_test_expect_end (fd);
  srv_test_close (fd);
  ck_assert_int_eq (srv_test_get_number (N_AT_FINISH), 1 + 7 + 8);
  srv_test_finish (run);
}
END_TEST

/* Spawns in a setup that fails, or in finish. */
typedef struct
{
  SrvStreamRequestHandler parent_instance;
} TestHasty;
typedef struct
{
  SrvStreamRequestHandlerClass parent_class;
} TestHastyClass;

static gboolean setup_fails;

static GType test_hasty_get_type (void);
G_DEFINE_TYPE (TestHasty, test_hasty, SRV_TYPE_STREAM_REQUEST_HANDLER)

static gboolean
spawn_one (GError **error)
{
  return srv_spawn (count_done, GINT_TO_POINTER (20), count_destroyed, error);
}

static gboolean
test_hasty_setup (SrvBaseRequestHandler *handler, GError **error)
{
  if (!setup_fails)
    return SRV_BASE_REQUEST_HANDLER_CLASS (test_hasty_parent_class)
      ->setup (handler, error);
  if (spawn_one (error))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                         "no luck");
  return FALSE;
}

static gboolean
test_hasty_finish (SrvBaseRequestHandler *handler, GError **error)
{
  return spawn_one (error) &&
         SRV_BASE_REQUEST_HANDLER_CLASS (test_hasty_parent_class)
           ->finish (handler, error);
}

static void
test_hasty_class_init (TestHastyClass *klass)
{
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->setup = test_hasty_setup;
  SRV_BASE_REQUEST_HANDLER_CLASS (klass)->finish = test_hasty_finish;
}

static void
test_hasty_init (G_GNUC_UNUSED TestHasty *self)
{
}

static void
note_done (G_GNUC_UNUSED SrvBaseServer *server)
{
  srv_test_set_number (N_AT_FINISH, srv_test_get_number (N_DONE) +
                                      srv_test_get_number (N_DESTROYED));
}

/* The connection does not end before those who may be using it. */
START_TEST (nobody_outlives_a_handler)
{
  SrvTestMixIn mix_in = (SrvTestMixIn) (_i / 2);
  SrvBaseServer *server;
  SrvTestRun *run;
  int fd;

  if (!srv_test_can_spawn (mix_in))
    return;
  setup_fails = _i % 2 == 0;
  server = srv_test_server_new (SRV_TEST_TCP, mix_in);
  srv_base_server_set_handler_type (server, test_hasty_get_type ());
  srv_test_on_hook ("shutdown_request", note_done);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  shutdown (fd, SHUT_WR);
  srv_test_expect_end (fd);
  srv_test_close (fd);
  ck_assert_int_eq (srv_test_get_number (N_AT_FINISH), 2);
  srv_test_finish (run);
}
END_TEST

#define BIG (4 * 1024 * 1024)

static void
write_much (gpointer user_data)
{
  g_autofree char *data = g_malloc (BIG);

  memset (data, 'x', BIG);
  if (!srv_connection_send_all (user_data, data, BIG, NULL, NULL))
    srv_test_add_number (N_FAILED, 1);
}

static gboolean
read_and_write (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  SrvConnection *connection = srv_stream_request_handler_get_connection (
    SRV_STREAM_REQUEST_HANDLER (handler));
  char buffer[4096];
  gsize total = 0;
  gssize n;

  if (!srv_spawn (write_much, g_object_ref (connection), g_object_unref, error))
    return FALSE;
  while ((n = srv_connection_receive (connection, buffer, sizeof buffer, NULL,
                                      error)) > 0)
    total += (gsize) n;
  srv_test_set_number (N_DONE, (gint64) total);

  return n == 0;
}

/* A handler reads and writes at the same time: a client that sends all before
 * it reads gets all the same what is written meanwhile. */
START_TEST (handler_reads_while_a_task_writes)
{
  g_autofree char *data = g_malloc0 (BIG);
  g_autofree char *got = NULL;
  SrvTestRun *run;
  gsize length;
  int fd;

  if (!srv_test_can_spawn ((SrvTestMixIn) _i))
    return;
  run = run_server ((SrvTestMixIn) _i, read_and_write);
  fd = srv_test_connect (run->server);
  srv_test_send (fd, data, BIG);
  ck_assert_int_eq (shutdown (fd, SHUT_WR), 0);
  got = srv_test_read_all (fd, &length);
  ck_assert_uint_eq (length, BIG);
  srv_test_close (fd);
  srv_test_finish (run);
  ck_assert_int_eq (srv_test_get_number (N_DONE), BIG);
  ck_assert_int_eq (srv_test_get_number (N_FAILED), 0);
}
END_TEST

static void
close_server (gpointer user_data)
{
  srv_base_server_server_close (user_data);
  srv_test_add_number (N_DONE, 1);
}

static void
shut_server_down (gpointer user_data)
{
  srv_base_server_shutdown (user_data);
  srv_test_add_number (N_DONE, 1);
}

static gboolean
spawn_close (SrvBaseRequestHandler *handler,
             G_GNUC_UNUSED gpointer user_data,
             GError **error)
{
  return srv_spawn (close_server, srv_base_request_handler_get_server (handler),
                    NULL, error);
}

static gboolean
spawn_shutdown (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  return srv_spawn (shut_server_down,
                    srv_base_request_handler_get_server (handler), NULL, error);
}

static const SrvTestMixIn sharing[] = {
  SRV_TEST_INLINE,
  SRV_TEST_THREADING,
  SRV_TEST_FIBERS,
};

/* A spawned task that closes the server, or stops its loop, does not wait for
 * the request that waits for the task. */
START_TEST (close_from_a_spawned_task_returns)
{
  SrvTestRun *run =
    run_server (sharing[_i / 2], _i % 2 == 0 ? spawn_close : spawn_shutdown);
  SrvBaseServer *server = run->server;
  gint64 before = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  int fd = srv_test_connect (server);

  srv_test_expect_gone (fd);
  srv_test_close (fd);
  srv_test_join (run, &error);
  srv_base_server_server_close (server);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (srv_test_get_number (N_DONE), 1);
  ck_assert_int_eq (srv_base_server_get_state (server),
                    SRV_SERVER_STATE_CLOSED);
  g_object_unref (server);
}
END_TEST

/* Offload. */

static void
offload_one_that_looks (G_GNUC_UNUSED gpointer data)
{
  g_autoptr (GError) error = NULL;

  main_thread = g_thread_self ();
  ck_assert (srv_offload (look_around, NULL, &error));
  srv_test_assert_no_error (error);
}

/* A thread just calls; a fiber has it done in a thread without fibers. */
START_TEST (only_fibers_need_another_thread)
{
  run_in (_i, offload_one_that_looks, NULL);
  ck_assert_int_eq (was_elsewhere, _i == 1);
  ck_assert (!was_in_fiber);
}
END_TEST

static void
block_at_gate (G_GNUC_UNUSED gpointer user_data)
{
  srv_test_wait_at_gate (0);
  srv_test_add_number (N_DONE, 1);
}

static void
offload_and_wait (G_GNUC_UNUSED gpointer data)
{
  ck_assert (srv_offload (block_at_gate, NULL, NULL));
  ck_assert_int_eq (srv_test_get_number (N_DONE), 1);
}

static void
open_gate (G_GNUC_UNUSED gpointer data)
{
  srv_sleep (20, NULL, NULL);
  ck_assert_int_eq (srv_test_get_number (N_DONE), 0);
  srv_test_open_gate (0);
}

/* The worker goes on meanwhile: it is another fiber that ends the wait. */
START_TEST (others_run_while_one_is_offloaded)
{
  SrvFiberWorker *worker = make_worker ();

  spawn (worker, offload_and_wait, NULL);
  spawn (worker, open_gate, NULL);
  run_to_the_end (worker);
}
END_TEST

#define N_OFFLOADED (MAX_OFFLOADED * 2 + 10)

static int n_inside;
static int most_inside;

/* The first stay until as many are in as there may be. */
static void
crowd_in (G_GNUC_UNUSED gpointer user_data)
{
  int inside = g_atomic_int_add (&n_inside, 1) + 1;
  gint64 deadline = in_ms (SRV_TEST_PATIENCE);

  srv_test_add_number (N_ENTERED, 1);
  while (srv_test_get_number (N_ENTERED) < MAX_OFFLOADED &&
         g_get_monotonic_time () < deadline)
    g_usleep (500);
  for (int most = g_atomic_int_get (&most_inside);
       inside > most &&
       !g_atomic_int_compare_and_exchange (&most_inside, most, inside);)
    most = g_atomic_int_get (&most_inside);
  g_usleep (1000);
  g_atomic_int_add (&n_inside, -1);
}

static void
offload_crowd (G_GNUC_UNUSED gpointer data)
{
  ck_assert (srv_offload (crowd_in, NULL, NULL));
  srv_test_add_number (N_DONE, 1);
}

/* As many as promised run at a time, and the rest gets its turn. */
START_TEST (crowd_of_offloaded_takes_turns)
{
  SrvFiberWorker *worker = make_worker ();

  for (guint i = 0; i < N_OFFLOADED; i++)
    spawn (worker, offload_crowd, NULL);
  run_to_the_end (worker);
  ck_assert_int_eq (srv_test_get_number (N_DONE), N_OFFLOADED);
  ck_assert_int_eq (most_inside, MAX_OFFLOADED);
}
END_TEST

static void
add_one (gpointer user_data)
{
  int *number = user_data;

  (*number)++;
}

static void
offload_nested (gpointer user_data)
{
  srv_offload (add_one, user_data, NULL);
  srv_spawn (add_one, user_data, NULL, NULL);
  srv_spawn_join ();
}

static void
offload_often (gpointer data)
{
  for (guint i = 0; i < 300; i++)
    ck_assert (srv_offload (offload_nested, data, NULL));
}

/* What is offloaded may offload and spawn itself; often, and by many. */
START_TEST (offload_may_be_nested)
{
  SrvFiberWorker *worker = make_worker ();
  int numbers[4] = { 0 };

  for (guint i = 0; i < 4; i++)
    spawn (worker, offload_often, &numbers[i]);
  run_to_the_end (worker);
  for (guint i = 0; i < 4; i++)
    ck_assert_int_eq (numbers[i], 600);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "sleep", sleep_lasts_until_cancelled, 2 },
    { "sleep", others_run_while_one_sleeps, 1 },
    { "spawn", join_waits_for_what_was_spawned, 2 },
    { "spawn", spawned_run_in_the_way_of_the_caller, 2 },
    { "spawn", nested_spawns_are_joined, 2 },
    { "spawn", handlers_are_joined_before_finish, SRV_TEST_N_MIX_INS },
    { "spawn", nobody_outlives_a_handler, 2 * SRV_TEST_N_MIX_INS },
    { "spawn", handler_reads_while_a_task_writes, SRV_TEST_N_MIX_INS },
    { "spawn", close_from_a_spawned_task_returns, 2 * G_N_ELEMENTS (sharing) },
    { "offload", only_fibers_need_another_thread, 2 },
    { "offload", others_run_while_one_is_offloaded, 1 },
    { "offload", crowd_of_offloaded_takes_turns, 1 },
    { "offload", offload_may_be_nested, 1 },
  };

  return srv_test_run_entries ("Spawn", tests, G_N_ELEMENTS (tests));
}
