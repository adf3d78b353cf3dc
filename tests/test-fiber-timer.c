/* test-fiber-timer.c - deadlines of fibers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

#include <stdlib.h>

#define N_SLEEPERS 200

typedef struct
{
  gint64 deadline;
  gint64 woken;
} Sleeper;

static gint64 last_deadline;

static void
sleep_and_compare (gpointer data)
{
  Sleeper *sleeper = data;

  park_until (sleeper->deadline);
  sleeper->woken = g_get_monotonic_time ();
  ck_assert_int_ge (sleeper->woken, sleeper->deadline);
  ck_assert_int_ge (sleeper->deadline, last_deadline);
  last_deadline = sleeper->deadline;
}

/* Whoever is due first wakes first, and nobody early. */
START_TEST (deadlines_pass_in_order)
{
  SrvFiberWorker *worker = make_worker ();
  gint64 start = g_get_monotonic_time () + 50 * 1000;
  Sleeper sleepers[N_SLEEPERS];

  for (guint i = 0; i < N_SLEEPERS; i++)
    {
      sleepers[i].deadline = start + i * 7919 % N_SLEEPERS * 250;
      spawn (worker, sleep_and_compare, &sleepers[i]);
    }
  run_to_the_end (worker);
  for (guint i = 0; i < N_SLEEPERS; i++)
    ck_assert_int_lt (sleepers[i].woken - sleepers[i].deadline,
                      SRV_TEST_AT_ONCE * 1000);
}
END_TEST

static SrvFiber *mover;
static gboolean taken_back;
static const int moves_ms[][2] = {
  { 3600 * 1000, 20 }, /* earlier */
  { 20, 60 },          /* later */
  { 20, -1 },          /* taken back */
};

static void
move_deadline (gpointer data)
{
  const int *move = moves_ms[GPOINTER_TO_UINT (data)];
  gint64 before;

  mover = srv_task_fiber ();
  ck_assert (srv_fiber_park (srv_deadline_from_ms (move[0])));
  before = g_get_monotonic_time ();
  if (move[1] >= 0)
    {
      park_until (before + move[1] * 1000);
      srv_test_assert_took (before, move[1]);
      mover = NULL;
      return;
    }
  while (!taken_back)
    ck_assert (srv_fiber_park (SRV_DEADLINE_NEVER));
  ck_assert_int_ge (g_get_monotonic_time () - before, 60 * 1000);
}

static void
unpark_mover (gpointer data)
{
  srv_fiber_unpark (mover);
  if (moves_ms[GPOINTER_TO_UINT (data)][1] >= 0)
    return;
  park_until (g_get_monotonic_time () + 80 * 1000);
  taken_back = TRUE;
  srv_fiber_unpark (mover);
}

/* A fiber parks with a deadline, is unparked and parks with another: only the
 * last counts. */
START_TEST (last_deadline_counts)
{
  SrvFiberWorker *worker = make_worker ();

  spawn (worker, move_deadline, GUINT_TO_POINTER (_i));
  spawn (worker, unpark_mover, GUINT_TO_POINTER (_i));
  run_to_the_end (worker);
}
END_TEST

#define N_RESTLESS 40
#define N_ROUNDS   30

static SrvFiber *restless[N_RESTLESS];
static guint n_restless;

static void
park_and_change (gpointer data)
{
  guint self = GPOINTER_TO_UINT (data);

  restless[self] = srv_task_fiber ();
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      gint64 deadline = g_get_monotonic_time () + rand () % 5000;

      for (guint moves = 0; srv_fiber_park (deadline); moves++)
        if (moves < 5)
          deadline = g_get_monotonic_time () + rand () % 5000;
      srv_test_assert_took (deadline, 0);
    }
  restless[self] = NULL;
  n_restless--;
}

static void
disturb (G_GNUC_UNUSED gpointer data)
{
  while (n_restless > 0)
    {
      SrvFiber *fiber = restless[rand () % N_RESTLESS];

      if (fiber != NULL)
        srv_fiber_unpark (fiber);
      if (rand () % 8 == 0)
        park_until (g_get_monotonic_time () + 100);
      else
        srv_fiber_yield ();
    }
}

/* The same at random, with many. */
START_TEST (deadlines_survive_disturbance)
{
  SrvFiberWorker *worker = make_worker ();

  srand (1);
  n_restless = N_RESTLESS;
  for (guint i = 0; i < N_RESTLESS; i++)
    spawn (worker, park_and_change, GUINT_TO_POINTER (i));
  spawn (worker, disturb, NULL);
  run_to_the_end (worker);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "deadlines", deadlines_pass_in_order, 1 },
    { "deadlines", last_deadline_counts, G_N_ELEMENTS (moves_ms) },
    { "deadlines", deadlines_survive_disturbance, 1 },
  };

  return srv_test_run_entries ("FiberTimer", tests, G_N_ELEMENTS (tests));
}
