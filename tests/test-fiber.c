/* test-fiber.c - fibers, their order, and what other threads do to them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

/* What the fibers of a test have said, in order: all run on one thread. */
static GString *said;

static void
say (const char *text)
{
  if (said == NULL)
    said = g_string_new (NULL);
  g_string_append (said, text);
}

static void
assert_said (const char *expected)
{
  ck_assert_str_eq (said != NULL ? said->str : "", expected);
  if (said != NULL)
    g_string_free (g_steal_pointer (&said), TRUE);
}

/* Order. */

static void
say_twice (gpointer data)
{
  say (data);
  srv_fiber_yield ();
  say (data);
}

/* Fibers run in the order in which they became ready, and a yield goes to the
 * end of the queue. */
START_TEST (ready_fibers_take_turns)
{
  SrvFiberWorker *worker = make_worker ();

  spawn (worker, say_twice, (gpointer) "a");
  spawn (worker, say_twice, (gpointer) "b");
  spawn (worker, say_twice, (gpointer) "c");
  assert_said ("");
  run_to_the_end (worker);
  assert_said ("abcabc");
}
END_TEST

static void
yield_alone (G_GNUC_UNUSED gpointer data)
{
  for (guint i = 0; i < 1000; i++)
    srv_fiber_yield ();
  say ("done");
}

START_TEST (lone_fiber_may_yield)
{
  run_one (yield_alone, NULL);
  assert_said ("done");
}
END_TEST

static void
spawn_another (G_GNUC_UNUSED gpointer data)
{
  SrvFiberWorker *worker = srv_fiber_worker_self ();

  ck_assert_ptr_nonnull (worker);
  ck_assert_ptr_eq (srv_task_fiber ()->worker, worker);
  say ("[");
  ck_assert (srv_fiber_spawn (worker, say_twice, (gpointer) "x"));
  ck_assert_uint_eq (srv_fiber_worker_get_n_fibers (worker), 2);
  say ("]");
}

/* A new fiber waits for its turn; whoever made it goes on. */
START_TEST (fiber_makes_fibers)
{
  ck_assert_ptr_null (srv_task_fiber ());
  run_one (spawn_another, NULL);
  assert_said ("[]xx");
  ck_assert_ptr_null (srv_task_fiber ());
  ck_assert_ptr_null (srv_fiber_worker_self ());
}
END_TEST

static void
unpark_self_and_park (G_GNUC_UNUSED gpointer data)
{
  gint64 before = g_get_monotonic_time ();

  srv_fiber_unpark (srv_task_fiber ());
  ck_assert (srv_fiber_park (srv_test_deadline_in (SRV_TEST_PATIENCE)));
  srv_test_assert_took (before, 0);
  say ("token ");
  before = g_get_monotonic_time ();
  park_until (before + 20 * 1000);
  ck_assert_int_ge (g_get_monotonic_time () - before, 20 * 1000);
  say ("gone");
}

/* An unpark that comes first makes the next park return at once, and only
 * that one. */
START_TEST (early_unpark_is_kept)
{
  run_one (unpark_self_and_park, NULL);
  assert_said ("token gone");
}
END_TEST

static SrvFiber *parked[3];

static void
park_and_say (gpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const char *names[] = { "a", "b", "c" };

  parked[i] = srv_task_fiber ();
  srv_fiber_park (SRV_DEADLINE_NEVER);
  say (names[i]);
}

static void
unpark_them (G_GNUC_UNUSED gpointer data)
{
  say ("(");
  srv_fiber_unpark (parked[2]);
  srv_fiber_unpark (parked[0]);
  srv_fiber_unpark (parked[2]);
  srv_fiber_unpark (parked[1]);
  say (")");
}

/* Unparked ones run after the one that wakes them, in the order of waking;
 * waking one twice is waking it once. */
START_TEST (unparked_fibers_run_in_order)
{
  SrvFiberWorker *worker = make_worker ();

  for (guint i = 0; i < 3; i++)
    spawn (worker, park_and_say, GUINT_TO_POINTER (i));
  spawn (worker, unpark_them, NULL);
  run_to_the_end (worker);
  assert_said ("()cab");
}
END_TEST

static double
compute (guint seed, gboolean with_yield)
{
  double x = seed, y = 1.0;
  guint64 a = seed, b = 1, c = 2, d = 3;

  for (guint i = 0; i < 500; i++)
    {
      x = x * 1.0001 + y;
      y = y + 1.0 / (x + 1.0);
      a = a * 6364136223846793005u + b;
      b ^= a >> 7;
      c += b ^ d;
      d = d * 3 + c;
      if (with_yield)
        srv_fiber_yield ();
    }

  return x + y + (double) (a % 1000) + (double) ((b ^ c ^ d) % 1000);
}

static void
compute_and_compare (gpointer data)
{
  guint seed = GPOINTER_TO_UINT (data);

  ck_assert (compute (seed, TRUE) == compute (seed, FALSE));
  srv_task_set (SRV_TASK_REQUEST, data);
  srv_fiber_yield ();
  ck_assert_ptr_eq (srv_task_get (SRV_TASK_REQUEST), data);
}

/* Registers, and what belongs to a task, are each fiber's own. */
START_TEST (switches_keep_registers_and_slots)
{
  SrvFiberWorker *worker = make_worker ();

  for (guint i = 1; i <= 8; i++)
    spawn (worker, compute_and_compare, GUINT_TO_POINTER (i));
  run_to_the_end (worker);
  ck_assert_ptr_null (srv_task_get (SRV_TASK_REQUEST));
}
END_TEST

/* From other threads. */

#define N_SHAKERS 4
#define N_SHAKES  2000

typedef struct
{
  GMutex lock;
  GCond changed;
  SrvFiber *fiber;
  int asked;
  int answered;
} Shake;

static void
answer (gpointer data)
{
  Shake *shake = data;

  g_mutex_lock (&shake->lock);
  shake->fiber = srv_task_fiber ();
  for (int i = 1; i <= N_SHAKES; i++)
    {
      while (shake->asked < i)
        {
          g_mutex_unlock (&shake->lock);
          srv_fiber_park (SRV_DEADLINE_NEVER);
          g_mutex_lock (&shake->lock);
        }
      shake->answered = i;
      g_cond_signal (&shake->changed);
    }
  g_mutex_unlock (&shake->lock);
}

static gpointer
ask (gpointer data)
{
  Shake *shake = data;

  g_mutex_lock (&shake->lock);
  while (shake->fiber == NULL)
    {
      g_mutex_unlock (&shake->lock);
      g_thread_yield ();
      g_mutex_lock (&shake->lock);
    }
  for (int i = 1; i <= N_SHAKES; i++)
    {
      shake->asked = i;
      srv_fiber_unpark (shake->fiber);
      while (shake->answered < i)
        g_cond_wait (&shake->changed, &shake->lock);
    }
  g_mutex_unlock (&shake->lock);

  return NULL;
}

/* Each of thousands of unparks by other threads wakes: the next only comes
 * when the last was answered, so that a lost one is never made good. */
START_TEST (no_unpark_of_a_thread_is_lost)
{
  SrvFiberWorker *worker = make_worker ();
  Shake shakes[N_SHAKERS] = { 0 };
  GThread *threads[N_SHAKERS];

  for (guint i = 0; i < N_SHAKERS; i++)
    spawn (worker, answer, &shakes[i]);
  for (guint i = 0; i < N_SHAKERS; i++)
    threads[i] = g_thread_new ("asker", ask, &shakes[i]);
  run_to_the_end (worker);
  for (guint i = 0; i < N_SHAKERS; i++)
    {
      g_thread_join (threads[i]);
      ck_assert_int_eq (shakes[i].answered, N_SHAKES);
      g_mutex_clear (&shakes[i].lock);
      g_cond_clear (&shakes[i].changed);
    }
}
END_TEST

#define N_TARGETS 8
#define N_STORM   5000

/* The lock guards all but the counts. */
static struct
{
  GMutex lock;
  GCond changed;
  SrvFiber *fibers[N_TARGETS];
  guint n_ready;
  guint n_reached;
  gboolean may_end;
  int counts[N_TARGETS];
} storm;

static void
bear_the_storm (gpointer data)
{
  guint self = GPOINTER_TO_UINT (data);
  gboolean may_end = FALSE;

  g_mutex_lock (&storm.lock);
  storm.fibers[self] = srv_task_fiber ();
  storm.n_ready++;
  g_cond_broadcast (&storm.changed);
  g_mutex_unlock (&storm.lock);

  while (g_atomic_int_get (&storm.counts[self]) < N_SHAKERS * N_STORM)
    srv_fiber_park (SRV_DEADLINE_NEVER);

  g_mutex_lock (&storm.lock);
  storm.n_reached++;
  g_cond_broadcast (&storm.changed);
  g_mutex_unlock (&storm.lock);
  while (!may_end)
    {
      g_mutex_lock (&storm.lock);
      may_end = storm.may_end;
      g_mutex_unlock (&storm.lock);
      if (!may_end)
        srv_fiber_park (SRV_DEADLINE_NEVER);
    }
}

static gpointer
blow (G_GNUC_UNUSED gpointer data)
{
  g_mutex_lock (&storm.lock);
  while (storm.n_ready < N_TARGETS)
    g_cond_wait (&storm.changed, &storm.lock);
  g_mutex_unlock (&storm.lock);
  for (guint i = 0; i < N_STORM * N_TARGETS; i++)
    {
      g_atomic_int_inc (&storm.counts[i % N_TARGETS]);
      srv_fiber_unpark (storm.fibers[i % N_TARGETS]);
    }

  return NULL;
}

/* Lets the fibers end when no unpark is under way any more. */
static gpointer
end_the_storm (gpointer data)
{
  GThread **threads = data;

  for (guint i = 0; i < N_SHAKERS; i++)
    g_thread_join (threads[i]);
  g_mutex_lock (&storm.lock);
  while (storm.n_reached < N_TARGETS)
    g_cond_wait (&storm.changed, &storm.lock);
  storm.may_end = TRUE;
  for (guint i = 0; i < N_TARGETS; i++)
    srv_fiber_unpark (storm.fibers[i]);
  g_mutex_unlock (&storm.lock);

  return NULL;
}

/* Four threads that unpark the same fibers all the time. */
START_TEST (storm_of_unparks_wakes_everybody)
{
  SrvFiberWorker *worker = make_worker ();
  GThread *threads[N_SHAKERS];
  GThread *last;

  for (guint i = 0; i < N_TARGETS; i++)
    spawn (worker, bear_the_storm, GUINT_TO_POINTER (i));
  for (guint i = 0; i < N_SHAKERS; i++)
    threads[i] = g_thread_new ("storm", blow, NULL);
  last = g_thread_new ("last", end_the_storm, threads);
  run_to_the_end (worker);
  g_thread_join (last);
  ck_assert_uint_eq (storm.n_reached, N_TARGETS);
}
END_TEST

#define N_MESSAGES 1000

typedef struct
{
  SrvFiberMessage message;
  guint number;
} Numbered;

static guint n_delivered;

static void
deliver_numbered (SrvFiberMessage *message, SrvFiberWorker *worker)
{
  Numbered *numbered = (Numbered *) message;

  ck_assert_ptr_eq (srv_fiber_worker_self (), worker);
  ck_assert_uint_eq (numbered->number, n_delivered);
  if (++n_delivered == N_MESSAGES)
    srv_fiber_worker_quit (worker);
  g_free (numbered);
}

static gpointer
post_numbered (gpointer data)
{
  for (guint i = 0; i < N_MESSAGES; i++)
    {
      Numbered *numbered = g_new0 (Numbered, 1);

      numbered->message.deliver = deliver_numbered;
      numbered->number = i;
      srv_fiber_worker_post (data, &numbered->message);
    }

  return NULL;
}

/* Messages of one thread come in order, on the worker's thread, also when no
 * fiber is there. */
START_TEST (messages_are_delivered_in_order)
{
  SrvFiberWorker *worker = make_worker ();
  GThread *thread = g_thread_new ("poster", post_numbered, worker);

  srv_fiber_worker_run (worker);
  g_thread_join (thread);
  ck_assert_uint_eq (n_delivered, N_MESSAGES);
  srv_fiber_worker_free (worker);
}
END_TEST

/* A worker in a thread of its own, for those who look at it from outside. */
static gpointer
run_in_thread (gpointer data)
{
  srv_fiber_worker_run (data);

  return NULL;
}

static int may_go_on;

static void
stay_busy (G_GNUC_UNUSED gpointer data)
{
  srv_fiber_set_label ("TestBusy");
  while (!g_atomic_int_get (&may_go_on))
    g_thread_yield ();
  srv_fiber_yield ();
  while (g_atomic_int_get (&may_go_on) < 2)
    srv_fiber_park (g_get_monotonic_time () + 1000);
}

/* A fiber that keeps its worker to itself can be seen, and by what it does;
 * an idle worker is never stuck. */
START_TEST (stuck_worker_is_seen)
{
  SrvFiberWorker *worker = make_worker ();
  const char *label = NULL;
  GThread *thread;

  spawn (worker, stay_busy, NULL);
  thread = g_thread_new ("worker", run_in_thread, worker);
  srv_test_eventually (srv_fiber_worker_is_stuck (worker, &label) &&
                       g_strcmp0 (label, "TestBusy") == 0);
  ck_assert (srv_fiber_worker_is_stuck (worker, &label));
  ck_assert_str_eq (label, "TestBusy");
  ck_assert (!srv_fiber_worker_is_idle (worker));
  g_atomic_int_set (&may_go_on, 1);
  srv_test_eventually (!srv_fiber_worker_is_stuck (worker, &label));
  srv_test_eventually (srv_fiber_worker_is_idle (worker));
  g_atomic_int_set (&may_go_on, 2);
  srv_test_eventually (srv_fiber_worker_get_n_fibers (worker) == 0);
  srv_test_eventually (srv_fiber_worker_is_idle (worker));
  srv_fiber_worker_is_stuck (worker, &label);
  g_usleep (2000);
  ck_assert (!srv_fiber_worker_is_stuck (worker, &label));
  srv_fiber_worker_quit (worker);
  g_thread_join (thread);
  srv_fiber_worker_free (worker);
}
END_TEST

static void
outlive_quit (gpointer data)
{
  srv_fiber_worker_quit (srv_fiber_worker_self ());
  park_until (g_get_monotonic_time () + 30 * 1000);
  spawn (srv_fiber_worker_self (), say_twice, data);
}

/* A worker that was told to quit still runs what it has, and what that makes. */
START_TEST (quit_waits_for_fibers)
{
  SrvFiberWorker *worker = make_worker ();

  spawn (worker, outlive_quit, (gpointer) "z");
  srv_fiber_worker_run (worker);
  assert_said ("zz");
  srv_fiber_worker_free (worker);
}
END_TEST

static void
count_wake (gpointer data)
{
  guint *n_woken = data;

  (*n_woken)++;
}

static void
park_thrice (G_GNUC_UNUSED gpointer data)
{
  for (guint i = 0; i < 3; i++)
    park_until (g_get_monotonic_time () + 5000);
}

/* The caller's function runs when the worker has waited, and an idle worker
 * does not wake by itself. */
START_TEST (worker_tells_that_it_has_waited)
{
  g_autoptr (GError) error = NULL;
  SrvFiberWorker *worker;
  guint n_woken = 0;

  worker = srv_fiber_worker_new (STACK_SIZE, count_wake, &n_woken, &error);
  srv_test_assert_no_error (error);
  spawn (worker, park_thrice, NULL);
  run_to_the_end (worker);
  ck_assert_uint_ge (n_woken, 3);
  ck_assert_uint_le (n_woken, 12);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "order", ready_fibers_take_turns, 1 },
    { "order", lone_fiber_may_yield, 1 },
    { "order", fiber_makes_fibers, 1 },
    { "order", early_unpark_is_kept, 1 },
    { "order", unparked_fibers_run_in_order, 1 },
    { "order", switches_keep_registers_and_slots, 1 },
    { "order", quit_waits_for_fibers, 1 },
    { "threads", no_unpark_of_a_thread_is_lost, 1 },
    { "threads", storm_of_unparks_wakes_everybody, 1 },
    { "threads", messages_are_delivered_in_order, 1 },
    { "threads", stuck_worker_is_seen, 1 },
    { "threads", worker_tells_that_it_has_waited, 1 },
  };

  return srv_test_run_entries ("Fiber", tests, G_N_ELEMENTS (tests));
}
