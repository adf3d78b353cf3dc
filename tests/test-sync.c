/* test-sync.c - mutex, condition and queue, between fibers and threads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

/* Who meets: threads, fibers of one worker, fibers of three, or fibers of two
 * and threads. Tasks assert with g_assert: most run on other threads. */
typedef enum
{
  THREADS_ALONE,
  ONE_WORKER,
  THREE_WORKERS,
  MIXED,
  N_KINDS,
} Kind;

typedef struct
{
  SrvFiberWorker *workers[3];
  GThread *worker_threads[3];
  guint n_workers;
  guint n_places; /* a worker each, and perhaps one that is "a new thread" */
  guint n_started;
  GPtrArray *threads;
} Crew;

typedef struct
{
  SrvFiberMessage message;
  SrvFiberFunc func;
  gpointer data;
} Job;

static gpointer
run_worker (gpointer data)
{
  srv_fiber_worker_run (data);

  return NULL;
}

static Crew *
crew_new (Kind kind)
{
  const guint n_workers[] = { 0, 1, 3, 2 };
  Crew *crew = g_new0 (Crew, 1);

  crew->n_workers = n_workers[kind];
  crew->n_places = crew->n_workers + (n_workers[kind] % 2 == 0);
  crew->threads = g_ptr_array_new ();
  for (guint i = 0; i < crew->n_workers; i++)
    {
      crew->workers[i] = make_worker ();
      crew->worker_threads[i] =
        g_thread_new ("worker", run_worker, crew->workers[i]);
    }

  return crew;
}

static void
start_job (SrvFiberMessage *message, SrvFiberWorker *worker)
{
  Job *job = (Job *) message;
  gboolean ok = srv_fiber_spawn (worker, job->func, job->data);

  g_assert (ok);
  g_free (job);
}

static gpointer
run_job (gpointer data)
{
  g_autofree Job *job = data;

  job->func (job->data);

  return NULL;
}

/* Starts a task in the next place. */
static void
crew_start (Crew *crew, SrvFiberFunc func, gpointer data)
{
  guint place = crew->n_started++ % crew->n_places;
  Job *job = g_new0 (Job, 1);

  job->message.deliver = start_job;
  job->func = func;
  job->data = data;
  if (place < crew->n_workers)
    srv_fiber_worker_post (crew->workers[place], &job->message);
  else
    g_ptr_array_add (crew->threads, g_thread_new ("task", run_job, job));
}

/* Waits for all tasks. */
static void
crew_end (Crew *crew)
{
  for (guint i = 0; i < crew->threads->len; i++)
    g_thread_join (crew->threads->pdata[i]);
  for (guint i = 0; i < crew->n_workers; i++)
    srv_fiber_worker_quit (crew->workers[i]);
  for (guint i = 0; i < crew->n_workers; i++)
    g_thread_join (crew->worker_threads[i]);
  for (guint i = 0; i < crew->n_workers; i++)
    srv_fiber_worker_free (crew->workers[i]);
  g_ptr_array_unref (crew->threads);
  g_free (crew);
}

/* Lets somebody else run, wherever that is. */
static void
step_aside (void)
{
  if (srv_task_fiber () != NULL)
    srv_fiber_yield ();
  else
    g_thread_yield ();
}

static gint64
in_ms (int timeout_ms)
{
  return g_get_monotonic_time () + timeout_ms * 1000;
}

/* The lock of a test, and what it guards. */
static SrvMutex *mutex;
static SrvCond *cond;
static int count;
static int n_waiting;
static GString *order;

static void
make_lock (void)
{
  mutex = srv_mutex_new ();
  cond = srv_cond_new ();
  order = g_string_new (NULL);
}

static void
free_lock (void)
{
  srv_mutex_unref (mutex);
  srv_cond_unref (cond);
  g_string_free (order, TRUE);
}

/* Waits from the test's own thread. */
static void
wait_until_waiting (int n)
{
  for (int found = -1; found != n;)
    {
      srv_mutex_lock (mutex);
      found = n_waiting;
      srv_mutex_unlock (mutex);
      g_usleep (500);
    }
}

/* Mutex. */

#define N_TASKS 12
#define N_TURNS 500

static void
count_slowly (G_GNUC_UNUSED gpointer data)
{
  for (guint i = 0; i < N_TURNS; i++)
    {
      int before;

      srv_mutex_lock (mutex);
      before = count;
      if (i % 4 == 0)
        step_aside ();
      count = before + 1;
      srv_mutex_unlock (mutex);
      if (i % 64 == 0)
        step_aside ();
    }
}

/* One at a time is inside, also when the one that is waits for something. */
START_TEST (mutex_excludes)
{
  Crew *crew = crew_new (_i);

  make_lock ();
  for (guint i = 0; i < N_TASKS; i++)
    crew_start (crew, count_slowly, NULL);
  crew_end (crew);
  ck_assert_int_eq (count, N_TASKS * N_TURNS);
  free_lock ();
}
END_TEST

static SrvQueue *signals;

static void
hold (G_GNUC_UNUSED gpointer data)
{
  srv_mutex_lock (mutex);
  g_assert (!srv_mutex_trylock (mutex));
  g_assert (srv_queue_push (signals, (gpointer) "held", -1, NULL));
  g_assert (srv_sleep (30, NULL, NULL));
  count = 1;
  srv_mutex_unlock (mutex);
}

static void
try_and_wait (G_GNUC_UNUSED gpointer data)
{
  gpointer signal = srv_queue_pop (signals, -1, NULL);

  g_assert_cmpstr (signal, ==, "held");
  g_assert (!srv_mutex_trylock (mutex));
  srv_mutex_lock (mutex);
  g_assert_cmpint (count, ==, 1);
  srv_mutex_unlock (mutex);
  g_assert (srv_mutex_trylock (mutex));
  srv_mutex_unlock (mutex);
}

/* Who holds a lock may wait, and the others of its worker still run. */
START_TEST (held_lock_stops_no_worker)
{
  Crew *crew = crew_new (_i);

  make_lock ();
  signals = srv_queue_new (1, NULL);
  crew_start (crew, try_and_wait, NULL);
  crew_start (crew, hold, NULL);
  crew_end (crew);
  srv_queue_unref (signals);
  free_lock ();
}
END_TEST

/* Condition. */

static void
wait_for_ticket (gpointer data)
{
  srv_mutex_lock (mutex);
  n_waiting++;
  while (count == 0)
    g_assert (srv_cond_wait (cond, mutex, -1));
  count--;
  n_waiting--;
  g_string_append (order, data);
  srv_mutex_unlock (mutex);
}

static void
give_tickets (int n, gboolean to_all)
{
  srv_mutex_lock (mutex);
  count += n;
  srv_mutex_unlock (mutex);
  if (to_all)
    srv_cond_broadcast (cond);
  else
    srv_cond_signal (cond);
}

/* A signal wakes the one that has waited longest. */
START_TEST (signals_wake_in_order)
{
  const char *names[] = { "a", "b", "c", "d", "e", "f" };
  const int n = G_N_ELEMENTS (names);
  Crew *crew = crew_new (_i);

  make_lock ();
  srv_cond_signal (cond);
  for (int i = 0; i < n; i++)
    {
      crew_start (crew, wait_for_ticket, (gpointer) names[i]);
      wait_until_waiting (i + 1);
    }
  for (int i = n; i > 0; i--)
    {
      give_tickets (1, FALSE);
      wait_until_waiting (i - 1);
    }
  crew_end (crew);
  ck_assert_str_eq (order->str, "abcdef");
  free_lock ();
}
END_TEST

/* A broadcast wakes all. */
START_TEST (broadcast_wakes_all)
{
  Crew *crew = crew_new (_i);

  make_lock ();
  for (guint round = 0; round < 20; round++)
    {
      for (guint i = 0; i < N_TASKS; i++)
        crew_start (crew, wait_for_ticket, (gpointer) "x");
      wait_until_waiting (N_TASKS);
      give_tickets (N_TASKS, TRUE);
      wait_until_waiting (0);
    }
  crew_end (crew);
  ck_assert_uint_eq (order->len, 20 * N_TASKS);
  free_lock ();
}
END_TEST

static void
wait_in_vain (G_GNUC_UNUSED gpointer data)
{
  gint64 deadline = in_ms (30);

  srv_mutex_lock (mutex);
  while (srv_cond_wait (cond, mutex, deadline))
    continue;
  g_assert_cmpint (g_get_monotonic_time (), >=, deadline);
  g_assert (!srv_mutex_trylock (mutex));
  count++;
  srv_mutex_unlock (mutex);
  srv_mutex_lock (mutex);
  g_assert (!srv_cond_wait (cond, mutex, g_get_monotonic_time ()));
  g_assert (!srv_mutex_trylock (mutex));
  srv_mutex_unlock (mutex);
}

/* The deadline ends the wait, not earlier, and with the lock. */
START_TEST (condition_keeps_its_deadline)
{
  Crew *crew = crew_new (_i);
  gint64 before = g_get_monotonic_time ();

  make_lock ();
  for (guint i = 0; i < N_TASKS; i++)
    crew_start (crew, wait_in_vain, NULL);
  crew_end (crew);
  ck_assert_int_eq (count, N_TASKS);
  srv_test_assert_took (before, 0);
  free_lock ();
}
END_TEST

static void
race_with_deadline (G_GNUC_UNUSED gpointer data)
{
  for (guint i = 0; i < 200; i++)
    {
      gint64 deadline = g_get_monotonic_time () + 50 + i % 7 * 40;

      srv_mutex_lock (mutex);
      while (count == 0 && srv_cond_wait (cond, mutex, deadline))
        continue;
      if (count > 0)
        count--;
      srv_mutex_unlock (mutex);
      if (i % 2 == 0)
        give_tickets (1, FALSE);
    }
}

/* Signals and deadlines at the same moment: nothing hangs, and a signal is not
 * swallowed by one that has just given up. */
START_TEST (signals_and_deadlines_may_race)
{
  Crew *crew = crew_new (_i);

  make_lock ();
  for (guint i = 0; i < N_TASKS; i++)
    crew_start (crew, race_with_deadline, NULL);
  crew_end (crew);

  count = 0;
  crew = crew_new (_i);
  crew_start (crew, wait_for_ticket, (gpointer) "x");
  wait_until_waiting (1);
  give_tickets (1, FALSE);
  crew_end (crew);
  free_lock ();
}
END_TEST

/* Queue. */

static SrvQueue *queue;
static int n_freed;

#define N_PRODUCERS 4
#define N_ITEMS     500
#define N_ROOM      7

static int n_taken[N_PRODUCERS * N_ITEMS];
static int n_too_many;

static void
produce (gpointer data)
{
  guint producer = GPOINTER_TO_UINT (data);

  for (guint i = 0; i < N_ITEMS; i++)
    {
      gpointer item = GUINT_TO_POINTER (producer * N_ITEMS + i + 1);

      g_assert (srv_queue_push (queue, item, -1, NULL));
      if (srv_queue_get_length (queue) > N_ROOM)
        g_atomic_int_inc (&n_too_many);
    }
}

static void
consume (gpointer data)
{
  g_autoptr (GError) error = NULL;
  guint last[N_PRODUCERS] = { 0 };
  gpointer item;

  while ((item = srv_queue_pop (queue, -1, &error)) != NULL)
    {
      guint number = GPOINTER_TO_UINT (item) - 1;

      g_atomic_int_inc (&n_taken[number]);
      g_assert_cmpuint (number + 1, >, last[number / N_ITEMS]);
      last[number / N_ITEMS] = number + 1;
    }
  g_assert_error (error, SRV_ERROR, SRV_ERROR_CLOSED);
  g_atomic_int_inc ((int *) data);
}

static void
close_when_taken (void)
{
  int total = 0;

  while (total < N_PRODUCERS * N_ITEMS)
    {
      total = 0;
      for (guint i = 0; i < G_N_ELEMENTS (n_taken); i++)
        total += g_atomic_int_get (&n_taken[i]);
      g_usleep (500);
    }
  srv_queue_close (queue);
}

/* Every item arrives once and in the order of its producer, and the queue never
 * holds more than it may. */
START_TEST (queue_delivers_everything_once)
{
  Crew *crew = crew_new (_i);
  int n_ended = 0;

  queue = srv_queue_new (N_ROOM, NULL);
  for (guint i = 0; i < N_PRODUCERS; i++)
    crew_start (crew, consume, &n_ended);
  for (guint i = 0; i < N_PRODUCERS; i++)
    crew_start (crew, produce, GUINT_TO_POINTER (i));
  close_when_taken ();
  crew_end (crew);
  for (guint i = 0; i < G_N_ELEMENTS (n_taken); i++)
    ck_assert_int_eq (n_taken[i], 1);
  ck_assert_int_eq (n_ended, N_PRODUCERS);
  ck_assert_int_eq (n_too_many, 0);
  ck_assert_uint_eq (srv_queue_get_length (queue), 0);
  srv_queue_unref (queue);
}
END_TEST

static void
assert_push_fails (gint64 deadline, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert (!srv_queue_push (queue, (gpointer) "z", deadline, &error));
  g_assert_error (error, SRV_ERROR, code);
  g_assert_cmpint (g_get_monotonic_time (), >=, deadline);
}

static void
assert_pop_fails (gint64 deadline, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert (srv_queue_pop (queue, deadline, &error) == NULL);
  g_assert_error (error, SRV_ERROR, code);
  g_assert_cmpint (g_get_monotonic_time (), >=, deadline);
}

static void
use_up (G_GNUC_UNUSED gpointer data)
{
  assert_pop_fails (0, SRV_ERROR_TIMED_OUT);
  assert_pop_fails (in_ms (20), SRV_ERROR_TIMED_OUT);
  g_assert (srv_queue_push (queue, (gpointer) "a", 0, NULL));
  g_assert (srv_queue_push (queue, (gpointer) "b", 0, NULL));
  assert_push_fails (0, SRV_ERROR_TIMED_OUT);
  assert_push_fails (in_ms (20), SRV_ERROR_TIMED_OUT);
  g_assert_cmpuint (srv_queue_get_length (queue), ==, 2);
  srv_queue_close (queue);
  srv_queue_close (queue);
  assert_push_fails (-1, SRV_ERROR_CLOSED);
  g_assert_cmpstr (srv_queue_pop (queue, -1, NULL), ==, "a");
  assert_push_fails (0, SRV_ERROR_CLOSED);
  g_assert_cmpstr (srv_queue_pop (queue, 0, NULL), ==, "b");
  assert_pop_fails (-1, SRV_ERROR_CLOSED);
  assert_pop_fails (0, SRV_ERROR_CLOSED);
}

/* The ends of a queue: empty, full and closed; with a deadline and without. */
START_TEST (queue_says_why_not)
{
  Crew *crew = crew_new (_i);

  queue = srv_queue_new (2, NULL);
  crew_start (crew, use_up, NULL);
  crew_end (crew);
  srv_queue_unref (queue);
}
END_TEST

static void
push_to_closed (G_GNUC_UNUSED gpointer data)
{
  g_atomic_int_inc (&n_waiting);
  assert_push_fails (-1, SRV_ERROR_CLOSED);
}

static void
pop_from_closed (G_GNUC_UNUSED gpointer data)
{
  g_atomic_int_inc (&n_waiting);
  assert_pop_fails (-1, SRV_ERROR_CLOSED);
}

/* Whoever waits for a queue is woken when it is closed. */
START_TEST (close_wakes_who_waits)
{
  Crew *crew = crew_new (_i / 2);
  gboolean is_full = _i % 2;

  queue = srv_queue_new (1, NULL);
  if (is_full)
    ck_assert (srv_queue_push (queue, (gpointer) "a", 0, NULL));
  for (guint i = 0; i < N_TASKS; i++)
    crew_start (crew, is_full ? push_to_closed : pop_from_closed, NULL);
  srv_test_eventually (g_atomic_int_get (&n_waiting) == N_TASKS);
  g_usleep (2000);
  srv_queue_close (queue);
  crew_end (crew);
  ck_assert_uint_eq (srv_queue_get_length (queue), is_full);
  srv_queue_unref (queue);
}
END_TEST

static void
count_free (G_GNUC_UNUSED gpointer item)
{
  n_freed++;
}

/* What nobody took is freed with the queue; what was taken, or never got in, is
 * not. */
START_TEST (leftovers_are_freed)
{
  SrvQueue *other;

  queue = srv_queue_new (3, count_free);
  for (guint i = 0; i < 3; i++)
    ck_assert (srv_queue_push (queue, (gpointer) "a", 0, NULL));
  ck_assert (!srv_queue_push (queue, (gpointer) "a", 0, NULL));
  ck_assert_ptr_nonnull (srv_queue_pop (queue, 0, NULL));
  other = srv_queue_ref (queue);
  srv_queue_close (queue);
  srv_queue_unref (queue);
  ck_assert_int_eq (n_freed, 0);
  srv_queue_unref (other);
  ck_assert_int_eq (n_freed, 2);
}
END_TEST

/* The types are boxed, for bindings and properties. */
START_TEST (types_are_boxed)
{
  const GType types[] = { SRV_TYPE_MUTEX, SRV_TYPE_COND, SRV_TYPE_QUEUE };
  SrvQueue *copy;

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    ck_assert (G_TYPE_IS_BOXED (types[i]));
  queue = srv_queue_new (1, NULL);
  copy = g_boxed_copy (SRV_TYPE_QUEUE, queue);
  ck_assert_ptr_eq (copy, queue);
  g_boxed_free (SRV_TYPE_QUEUE, copy);
  srv_queue_unref (queue);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "mutex", mutex_excludes, N_KINDS },
    { "mutex", held_lock_stops_no_worker, N_KINDS },
    { "condition", signals_wake_in_order, N_KINDS },
    { "condition", broadcast_wakes_all, N_KINDS },
    { "condition", condition_keeps_its_deadline, N_KINDS },
    { "condition", signals_and_deadlines_may_race, N_KINDS },
    { "queue", queue_delivers_everything_once, N_KINDS },
    { "queue", queue_says_why_not, N_KINDS },
    { "queue", close_wakes_who_waits, 2 * N_KINDS },
    { "queue", leftovers_are_freed, 1 },
    { "queue", types_are_boxed, 1 },
  };

  return srv_test_run_entries ("Sync", tests, G_N_ELEMENTS (tests));
}
