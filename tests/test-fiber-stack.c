/* test-fiber-stack.c - the stacks of fibers, and what happens when one is full
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

#include <sys/resource.h>

/* Sanitizers and valgrind have a stack and a handler of their own for the
 * signal of a touched guard. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER TRUE
#else
#define HAS_SANITIZER FALSE
#endif

static guint
count_maps (void)
{
  g_autofree char *maps = NULL;
  guint n_maps = 0;

  ck_assert (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  for (const char *c = maps; *c != '\0'; c++)
    n_maps += *c == '\n';

  return n_maps;
}

/* ThreadSanitizer takes milliseconds and mappings of its own for each. */
#ifdef __SANITIZE_THREAD__
#define N_MANY      500
#define COUNTS_MAPS FALSE
#else
#define N_MANY      5000
#define COUNTS_MAPS TRUE
#endif

static GPtrArray *crowd;
static guint n_maps_with_crowd;

static void
join_crowd (G_GNUC_UNUSED gpointer data)
{
  g_ptr_array_add (crowd, srv_task_fiber ());
  if (crowd->len < N_MANY)
    {
      while (crowd->len < N_MANY)
        srv_fiber_park (SRV_DEADLINE_NEVER);
      return;
    }
  n_maps_with_crowd = count_maps ();
  for (guint i = 0; i < N_MANY - 1; i++)
    srv_fiber_unpark (crowd->pdata[i]);
}

static void
gather_crowds (gpointer data)
{
  guint *n_maps = data;

  for (guint round = 0; round < 3; round++)
    {
      g_ptr_array_set_size (crowd, 0);
      for (guint i = 0; i < N_MANY; i++)
        ck_assert (
          srv_fiber_spawn (srv_fiber_worker_self (), join_crowd, NULL));
      while (srv_fiber_worker_get_n_fibers (srv_fiber_worker_self ()) > 1)
        srv_fiber_yield ();
      n_maps[round] = n_maps_with_crowd;
    }
}

/* Thousands of fibers fit into what the system allows of mappings (65,530 by
 * default), and the next crowd uses the stacks of the last. */
START_TEST (crowds_do_not_exhaust_mappings)
{
  guint n_maps[3], before = count_maps ();

  crowd = g_ptr_array_new ();
  run_one (gather_crowds, n_maps);
  g_ptr_array_unref (crowd);
  if (!COUNTS_MAPS)
    return;
  ck_assert_uint_le (n_maps[0], before + 2 * N_MANY + 200);
  ck_assert_uint_le (n_maps[1], n_maps[0] + 50);
  ck_assert_uint_le (n_maps[2], n_maps[0] + 50);
  ck_assert_uint_le (count_maps (), before + 200);
}
END_TEST

static void
do_nothing (G_GNUC_UNUSED gpointer data)
{
}

static void
come_and_go (G_GNUC_UNUSED gpointer data)
{
  SrvFiberWorker *worker = srv_fiber_worker_self ();
  guint n_maps = 0;

  for (guint round = 0; round < 100; round++)
    {
      for (guint i = 0; i < 20; i++)
        spawn (worker, do_nothing, NULL);
      srv_fiber_yield ();
      if (round == 5)
        n_maps = count_maps ();
    }
  ck_assert_uint_le (count_maps (), n_maps + 20);
}

/* Fibers that come and go need no new stacks. */
START_TEST (stacks_are_used_again)
{
  run_one (come_and_go, NULL);
}
END_TEST

/* No memory for a stack is the caller's news, not the end. */
START_TEST (missing_stack_is_reported)
{
  g_autoptr (GError) error = NULL;
  SrvFiberWorker *worker;

  worker = srv_fiber_worker_new ((gsize) 1 << 50, NULL, NULL, &error);
  srv_test_assert_no_error (error);
  errno = 0;
  ck_assert (!srv_fiber_spawn (worker, do_nothing, NULL));
  ck_assert_int_ne (errno, 0);
  run_to_the_end (worker);
}
END_TEST

static int
use_stack (int depth)
{
  volatile char room[512];

  room[0] = (char) depth;
  if (depth == 0)
    return 0;

  return use_stack (depth - 1) + room[0];
}

static void
overflow (G_GNUC_UNUSED gpointer data)
{
  srv_fiber_set_label ("TestGreedy");
  use_stack (STACK_SIZE);
}

static void
touch_nothing (G_GNUC_UNUSED gpointer data)
{
  volatile char *volatile nowhere = GSIZE_TO_POINTER (16);

  srv_fiber_set_label ("TestGreedy");
  nowhere[0] = 1;
}

/* How the child goes: an overflow, one after another worker has gone, and
 * another fault. */
G_NORETURN static void
die_in_a_fiber (int way)
{
  const struct rlimit no_core = { 0, 0 };
  SrvFiberWorker *worker = srv_fiber_worker_new (STACK_SIZE, NULL, NULL, NULL);

  setrlimit (RLIMIT_CORE, &no_core);
  if (way == 1)
    srv_fiber_worker_free (srv_fiber_worker_new (STACK_SIZE, NULL, NULL, NULL));
  srv_fiber_spawn (worker, way == 2 ? touch_nothing : overflow, NULL);
  srv_fiber_worker_quit (worker);
  srv_fiber_worker_run (worker);
  _exit (0);
}

/* A stack that was too small says so, with what the fiber did, and the process
 * dies as it would without fibers; another fault is not taken for one. */
START_TEST (overflow_dies_with_a_message)
{
  g_autofree char *text = NULL;
  int fds[2], status;
  pid_t child;

  if (HAS_SANITIZER || g_getenv ("SRV_VALGRIND") != NULL)
    {
      g_print ("# skipped: the checker takes the signal for itself\n");
      return;
    }
  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), 0);
  child = fork ();
  if (child == 0)
    {
      dup2 (fds[1], STDERR_FILENO);
      close (fds[0]);
      die_in_a_fiber (_i);
    }
  close (fds[1]);
  text = srv_test_read_all (fds[0], NULL);
  close (fds[0]);
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  ck_assert (WIFSIGNALED (status));
  ck_assert_int_eq (WTERMSIG (status), SIGSEGV);
  ck_assert_msg ((strstr (text, "TestGreedy") != NULL) == (_i != 2), "%s",
                 text);
  ck_assert_msg ((strstr (text, "stack") != NULL) == (_i != 2), "%s", text);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "stacks", crowds_do_not_exhaust_mappings, 1 },
    { "stacks", stacks_are_used_again, 1 },
    { "stacks", missing_stack_is_reported, 1 },
    { "stacks", overflow_dies_with_a_message, 3 },
  };

  return srv_test_run_entries ("FiberStack", tests, G_N_ELEMENTS (tests));
}
