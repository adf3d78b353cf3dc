/* fiber-test.h - what the tests of the scheduler share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

#include "fiber/srv-fiber-private.h"

#define STACK_SIZE (64 * 1024)

static inline SrvFiberWorker *
make_worker (void)
{
  g_autoptr (GError) error = NULL;
  SrvFiberWorker *worker;

  worker = srv_fiber_worker_new (STACK_SIZE, NULL, NULL, &error);
  srv_test_assert_no_error (error);
  ck_assert_ptr_nonnull (worker);

  return worker;
}

static inline void
spawn (SrvFiberWorker *worker, SrvFiberFunc func, gpointer data)
{
  ck_assert (srv_fiber_spawn (worker, func, data));
}

/* Runs what was spawned until nothing is left. */
static inline void
run_to_the_end (SrvFiberWorker *worker)
{
  srv_fiber_worker_quit (worker);
  srv_fiber_worker_run (worker);
  ck_assert_uint_eq (srv_fiber_worker_get_n_fibers (worker), 0);
  srv_fiber_worker_free (worker);
}

/* A worker with one fiber, from beginning to end. */
static inline void
run_one (SrvFiberFunc func, gpointer data)
{
  SrvFiberWorker *worker = make_worker ();

  spawn (worker, func, data);
  run_to_the_end (worker);
}

/* In a thread (the test's), or in a fiber (on it). */
static inline void
run_in (int in_fiber, SrvFiberFunc func, gpointer data)
{
  if (in_fiber)
    run_one (func, data);
  else
    func (data);
}

/* Parks until the deadline, whatever else wakes the fiber. */
static inline void
park_until (gint64 deadline)
{
  while (srv_fiber_park (deadline))
    continue;
}
