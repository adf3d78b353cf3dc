/* test-gate.c - at most so many tasks at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

#include "srv-deadline-private.h"
#include "srv-gate-private.h"

#define WAIT_MS 50

/* Whether there was a place. */
static gboolean
try_to_enter (SrvGate *gate, int timeout_ms)
{
  const gint64 before = g_get_monotonic_time ();
  const gboolean entered =
    srv_gate_enter (gate, srv_deadline_from_ms (timeout_ms));

  srv_test_assert_took (before, entered ? 0 : timeout_ms);

  return entered;
}

static void
fill_and_empty (G_GNUC_UNUSED gpointer data)
{
  SrvGate gate = { .most = 2 };

  ck_assert (try_to_enter (&gate, -1));
  ck_assert (try_to_enter (&gate, 0));
  ck_assert (!try_to_enter (&gate, 0));
  ck_assert (!try_to_enter (&gate, WAIT_MS));
  srv_gate_leave (&gate);
  ck_assert (try_to_enter (&gate, 0));
  ck_assert (!try_to_enter (&gate, 0));
  srv_gate_leave (&gate);
  srv_gate_leave (&gate);
  ck_assert_uint_eq (gate.n_inside, 0);
}

START_TEST (places_are_counted)
{
  run_in (_i, fill_and_empty, NULL);
}
END_TEST

static gpointer
enter_and_leave (gpointer data)
{
  SrvGate *gate = data;

  if (!srv_gate_enter (gate, SRV_DEADLINE_NEVER))
    return NULL;
  srv_gate_leave (gate);

  return gate;
}

static gboolean
has_waiter (SrvGate *gate)
{
  gboolean has;

  g_mutex_lock (&gate->lock);
  has = gate->outside.first != NULL;
  g_mutex_unlock (&gate->lock);

  return has;
}

/* Each that goes lets the next one in. */
START_TEST (place_goes_to_who_waits)
{
  SrvGate gate = { .most = 1 };
  GThread *threads[4];

  ck_assert (srv_gate_enter (&gate, SRV_DEADLINE_NEVER));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("waiter", enter_and_leave, &gate);
  while (!has_waiter (&gate))
    g_thread_yield ();
  srv_gate_leave (&gate);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_ptr_eq (g_thread_join (threads[i]), &gate);
  ck_assert_uint_eq (gate.n_inside, 0);
}
END_TEST

/* Who has gone away late leaves no gap in the line. */

static gboolean was_late;

static void
enter_late (gpointer data)
{
  ck_assert (!try_to_enter (data, WAIT_MS));
  was_late = TRUE;
}

static void
enter_at_last (gpointer data)
{
  ck_assert (try_to_enter (data, -1));
  srv_gate_leave (data);
}

static void
hold_until_late (gpointer data)
{
  ck_assert (try_to_enter (data, 0));
  while (!was_late)
    srv_fiber_park (srv_deadline_from_ms (1));
  srv_gate_leave (data);
}

START_TEST (late_waiter_is_passed_over)
{
  SrvFiberWorker *worker = make_worker ();
  SrvGate gate = { .most = 1 };

  spawn (worker, hold_until_late, &gate);
  spawn (worker, enter_late, &gate);
  spawn (worker, enter_at_last, &gate);
  run_to_the_end (worker);
  ck_assert_uint_eq (gate.n_inside, 0);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "gate", places_are_counted, 2 },
    { "gate", place_goes_to_who_waits, 1 },
    { "gate", late_waiter_is_passed_over, 1 },
  };

  return srv_test_run_entries ("Gate", tests, G_N_ELEMENTS (tests));
}
