/* test-fiber-watch.c - descriptors that fibers wait for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-test.h"

#include "fiber-test.h"

#include <sys/epoll.h>
#include <time.h>

#define BOTH_WAYS (EPOLLIN | EPOLLOUT | EPOLLRDHUP)

/* Two ends: ours is watched by fibers, theirs belongs to a client. */
typedef struct
{
  int ours;
  int theirs;
  SrvFiberWatch watch;
} Pair;

static void
make_non_blocking (int fd)
{
  ck_assert_int_eq (fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Both ends of a TCP connection, for what Unix sockets do not have. */
static void
connect_ends (int fds[2])
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  ck_assert_int_eq (bind (listener, (struct sockaddr *) &address, length), 0);
  ck_assert_int_eq (listen (listener, 1), 0);
  getsockname (listener, (struct sockaddr *) &address, &length);
  fds[1] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_eq (connect (fds[1], (struct sockaddr *) &address, length), 0);
  fds[0] = accept (listener, NULL, NULL);
  ck_assert_int_ge (fds[0], 0);
  close (listener);
}

static void
pair_open (Pair *pair, int family)
{
  int fds[2];

  if (family == AF_INET)
    connect_ends (fds);
  else
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), 0);
  make_non_blocking (fds[0]);
  make_non_blocking (fds[1]);
  pair->ours = fds[0];
  pair->theirs = fds[1];
  ck_assert (srv_fiber_watch_init (&pair->watch, pair->ours, BOTH_WAYS));
}

static void
pair_close (Pair *pair)
{
  srv_fiber_watch_clear (&pair->watch);
  close (pair->ours);
  if (pair->theirs >= 0)
    close (pair->theirs);
}

static gint64
in_ms (int timeout_ms)
{
  return g_get_monotonic_time () + timeout_ms * 1000;
}

static SrvFiberResult
wait_for (Pair *pair, guint32 events, int timeout_ms)
{
  return srv_fiber_watch_wait (&pair->watch, events, in_ms (timeout_ms), NULL);
}

static void
assert_ready (Pair *pair, guint32 events)
{
  ck_assert_int_eq (wait_for (pair, events, SRV_TEST_PATIENCE),
                    SRV_FIBER_READY);
}

static void
assert_not_ready (Pair *pair, guint32 events)
{
  ck_assert_int_eq (wait_for (pair, events, 20), SRV_FIBER_TIMED_OUT);
}

/* Reads up to COUNT, and tells the watch when there is no more. */
static gssize
take (Pair *pair, gsize count)
{
  char buffer[4096];
  gssize n = recv (pair->ours, buffer, MIN (count, sizeof buffer), 0);

  if (n < 0 && errno == EAGAIN)
    srv_fiber_watch_drained (&pair->watch, EPOLLIN);

  return n;
}

static gsize
fill (Pair *pair)
{
  static const char nothing[65536];
  gsize total = 0;
  gssize n;

  while ((n = send (pair->ours, nothing, sizeof nothing, MSG_NOSIGNAL)) > 0)
    total += (gsize) n;
  ck_assert_int_eq (errno, EAGAIN);
  srv_fiber_watch_drained (&pair->watch, EPOLLOUT);

  return total;
}

static gint64
cpu_time (void)
{
  struct timespec used;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);

  return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

/* A test in a fiber, with a pair. */
typedef struct
{
  void (*body) (Pair *pair);
  int family;
} Case;

static void
run_case (gpointer data)
{
  const Case *one = data;
  Pair pair;

  pair_open (&pair, one->family);
  one->body (&pair);
  pair_close (&pair);
}

static void
with_pair (void (*body) (Pair *pair), int family)
{
  Case one = { body, family };

  run_one (run_case, &one);
}

static const int families[] = { AF_UNIX, AF_INET };

/* Readiness. */

static void
say_later (gpointer data)
{
  Pair *pair = data;

  park_until (in_ms (10));
  ck_assert_int_eq (send (pair->theirs, "hello", 5, 0), 5);
}

static void
read_in_parts (Pair *pair)
{
  for (guint round = 0; round < 3; round++)
    {
      spawn (srv_fiber_worker_self (), say_later, pair);
      assert_ready (pair, EPOLLIN);
      ck_assert_int_eq (take (pair, 1), 1);
      assert_ready (pair, EPOLLIN);
      ck_assert_int_eq (take (pair, 100), 4);
      ck_assert_int_eq (take (pair, 100), -1);
      assert_not_ready (pair, EPOLLIN);
      assert_ready (pair, EPOLLIN | EPOLLOUT);
    }
}

/* What was told stays true until somebody finds that it is not: a short read
 * leaves the rest, also though the system tells an edge only once. */
START_TEST (readiness_lasts_until_drained)
{
  with_pair (read_in_parts, families[_i]);
}
END_TEST

static void
empty_later (gpointer data)
{
  static char buffer[65536];
  Pair *pair = data;

  park_until (in_ms (10));
  while (recv (pair->theirs, buffer, sizeof buffer, 0) > 0)
    continue;
}

/* TCP finds more room at the other end some time after it was full. */
static void
fill_for_good (Pair *pair)
{
  guint n_tries = 0;

  ck_assert_uint_gt (fill (pair), 0);
  while (wait_for (pair, EPOLLOUT, 20) == SRV_FIBER_READY)
    {
      ck_assert_uint_lt (n_tries++, SRV_TEST_TRIES);
      fill (pair);
    }
}

static void
write_until_full (Pair *pair)
{
  for (guint round = 0; round < 3; round++)
    {
      fill_for_good (pair);
      spawn (srv_fiber_worker_self (), empty_later, pair);
      assert_ready (pair, EPOLLOUT);
    }
}

START_TEST (full_socket_waits_for_room)
{
  with_pair (write_until_full, families[_i]);
}
END_TEST

static void
read_to_the_end (Pair *pair)
{
  ck_assert_int_eq (send (pair->theirs, "bye", 3, 0), 3);
  close (pair->theirs);
  pair->theirs = -1;
  assert_ready (pair, EPOLLIN);
  ck_assert_int_eq (take (pair, 2), 2);
  assert_ready (pair, EPOLLIN);
  ck_assert_int_eq (take (pair, 100), 1);
  srv_fiber_watch_drained (&pair->watch, EPOLLIN);
  assert_ready (pair, EPOLLIN);
  ck_assert_int_eq (take (pair, 100), 0);
  assert_ready (pair, EPOLLIN);
}

/* Data and the end arrive together: both are read, and the end stays. */
START_TEST (end_comes_after_the_data)
{
  with_pair (read_to_the_end, families[_i]);
}
END_TEST

static void
reset_later (gpointer data)
{
  const struct linger at_once = { 1, 0 };
  Pair *pair = data;

  park_until (in_ms (10));
  setsockopt (pair->theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close (pair->theirs);
  pair->theirs = -1;
}

static void
read_after_reset (Pair *pair)
{
  spawn (srv_fiber_worker_self (), reset_later, pair);
  assert_ready (pair, EPOLLIN);
  ck_assert_int_eq (take (pair, 100), -1);
  ck_assert_int_eq (errno, ECONNRESET);
  assert_ready (pair, EPOLLIN);
  assert_ready (pair, EPOLLOUT);
}

static void
write_after_reset (Pair *pair)
{
  fill (pair);
  spawn (srv_fiber_worker_self (), reset_later, pair);
  assert_ready (pair, EPOLLOUT);
  ck_assert_int_eq (send (pair->ours, "x", 1, MSG_NOSIGNAL), -1);
}

/* A reset wakes whoever reads and whoever writes. */
START_TEST (reset_wakes)
{
  with_pair (_i == 0 ? read_after_reset : write_after_reset, AF_INET);
}
END_TEST

static void
write_to_half_closed (Pair *pair)
{
  gint64 cpu_before, until;
  guint n_turns = 0;

  shutdown (pair->theirs, SHUT_WR);
  assert_ready (pair, EPOLLIN);
  ck_assert_int_eq (take (pair, 100), 0);
  fill (pair);

  cpu_before = cpu_time ();
  until = in_ms (200);
  while (srv_fiber_watch_wait (&pair->watch, EPOLLOUT, until, NULL) ==
         SRV_FIBER_READY)
    {
      fill (pair);
      n_turns++;
    }
  ck_assert_uint_le (n_turns, 10);
  ck_assert_int_lt (cpu_time () - cpu_before, 100 * 1000);
  spawn (srv_fiber_worker_self (), empty_later, pair);
  assert_ready (pair, EPOLLOUT);
}

/* A client that has nothing more to say and does not read either: a big reply
 * to it waits, and does not ask all the time. */
START_TEST (half_closed_peer_does_not_spin)
{
  with_pair (write_to_half_closed, families[_i]);
}
END_TEST

/* Ends of a wait. */

static void
wait_with_deadlines (Pair *pair)
{
  gint64 before = g_get_monotonic_time ();

  ck_assert_int_eq (wait_for (pair, EPOLLIN, 30), SRV_FIBER_TIMED_OUT);
  ck_assert_int_ge (g_get_monotonic_time () - before, 30 * 1000);
  ck_assert_int_eq (wait_for (pair, EPOLLIN, 0), SRV_FIBER_TIMED_OUT);
  ck_assert_int_eq (wait_for (pair, EPOLLIN, -5), SRV_FIBER_TIMED_OUT);
  spawn (srv_fiber_worker_self (), say_later, pair);
  ck_assert_int_eq (srv_fiber_watch_wait (&pair->watch, EPOLLIN,
                                          SRV_DEADLINE_NEVER, NULL),
                    SRV_FIBER_READY);
}

START_TEST (wait_keeps_its_deadline)
{
  with_pair (wait_with_deadlines, AF_UNIX);
}
END_TEST

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (5000);
  g_cancellable_cancel (data);

  return NULL;
}

static SrvFiberResult
wait_foreign (int fd, GCancellable *cancellable)
{
  SrvFiberResult result;

  ck_assert (srv_fiber_wait_fd (fd, EPOLLIN, in_ms (SRV_TEST_PATIENCE),
                                cancellable, &result));

  return result;
}

static void
wait_and_be_cancelled (Pair *pair)
{
  int fds[2];

  ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
  for (guint round = 0; round < 20; round++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      GThread *thread = g_thread_new ("canceller", cancel_soon, cancellable);
      SrvFiberResult result;

      if (round % 2 == 0)
        result = srv_fiber_watch_wait (&pair->watch, EPOLLIN,
                                       in_ms (SRV_TEST_PATIENCE), cancellable);
      else
        result = wait_foreign (fds[0], cancellable);
      ck_assert_int_eq (result, SRV_FIBER_CANCELLED);
      g_thread_join (thread);
      ck_assert_int_eq (srv_fiber_watch_wait (&pair->watch, EPOLLIN,
                                              SRV_DEADLINE_NEVER, cancellable),
                        SRV_FIBER_CANCELLED);
      ck_assert_int_eq (wait_foreign (fds[0], cancellable),
                        SRV_FIBER_CANCELLED);
    }
  close (fds[0]);
  close (fds[1]);
}

/* Another thread cancels, at any moment; and before the wait. */
START_TEST (wait_can_be_cancelled)
{
  with_pair (wait_and_be_cancelled, AF_UNIX);
}
END_TEST

/* Several fibers. */

static guint n_woken;

static void
wait_to_read (gpointer data)
{
  Pair *pair = data;

  assert_ready (pair, EPOLLIN);
  n_woken++;
}

static void
wait_to_write (gpointer data)
{
  Pair *pair = data;

  assert_ready (pair, EPOLLOUT);
  n_woken += 10;
}

static void
settle (guint n)
{
  gint64 until = in_ms (SRV_TEST_PATIENCE);

  while (n_woken != n && g_get_monotonic_time () < until)
    srv_fiber_park (in_ms (1));
  ck_assert_uint_eq (n_woken, n);
}

static void
share (Pair *pair)
{
  SrvFiberWorker *worker = srv_fiber_worker_self ();

  fill (pair);
  spawn (worker, wait_to_read, pair);
  spawn (worker, wait_to_write, pair);
  park_until (in_ms (10));
  settle (0);
  ck_assert_int_eq (send (pair->theirs, "x", 1, 0), 1);
  settle (1);
  spawn (worker, empty_later, pair);
  settle (11);

  ck_assert_int_eq (take (pair, 100), 1);
  ck_assert_int_eq (take (pair, 100), -1);
  for (guint i = 0; i < 3; i++)
    spawn (worker, wait_to_read, pair);
  park_until (in_ms (10));
  settle (11);
  shutdown (pair->theirs, SHUT_WR);
  settle (14);
}

/* One fiber reads and one writes: each wakes for its own; and the end wakes
 * all that read. */
START_TEST (fibers_share_a_descriptor)
{
  with_pair (share, AF_UNIX);
}
END_TEST

static void
wait_for_any (Pair *pair)
{
  SrvFiberWatch *watches[2];
  Pair other;

  pair_open (&other, AF_UNIX);
  watches[0] = &pair->watch;
  watches[1] = &other.watch;
  ck_assert_int_eq (srv_fiber_watch_wait_any (watches, 2, in_ms (20)),
                    SRV_FIBER_TIMED_OUT);
  for (guint i = 0; i < 4; i++)
    {
      Pair *one = i % 2 == 0 ? pair : &other;

      spawn (srv_fiber_worker_self (), say_later, one);
      ck_assert_int_eq (srv_fiber_watch_wait_any (watches, 2,
                                                  in_ms (SRV_TEST_PATIENCE)),
                        SRV_FIBER_READY);
      ck_assert_int_eq (take (one, 100), 5);
      ck_assert_int_eq (take (pair, 100), -1);
      ck_assert_int_eq (take (&other, 100), -1);
    }
  pair_close (&other);
}

START_TEST (one_of_several_is_enough)
{
  with_pair (wait_for_any, AF_UNIX);
}
END_TEST

/* Descriptors that are not ours. */

static gboolean
wait_public (int fd, GIOCondition condition, int timeout_ms, GError **error)
{
  return srv_wait_fd (fd, condition, in_ms (timeout_ms), NULL, error);
}

static void
wait_on_foreign (Pair *pair)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
  for (guint round = 0; round < 3; round++)
    {
      ck_assert (!wait_public (fds[0], G_IO_IN, 20, &error));
      srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_clear_error (&error);
    }
  ck_assert (wait_public (fds[1], G_IO_OUT, SRV_TEST_PATIENCE, &error));
  ck_assert_int_eq (write (fds[1], "x", 1), 1);
  /* Not drained, and so still ready. */
  for (guint round = 0; round < 3; round++)
    ck_assert (wait_public (fds[0], G_IO_IN, SRV_TEST_PATIENCE, &error));
  close (fds[1]);
  ck_assert (wait_public (fds[0], G_IO_IN, SRV_TEST_PATIENCE, &error));
  srv_test_assert_no_error (error);
  close (fds[0]);

  /* One that is registered already. */
  ck_assert (!wait_public (pair->ours, G_IO_IN, 20, &error));
  g_clear_error (&error);
  ck_assert (wait_public (pair->ours, G_IO_OUT, SRV_TEST_PATIENCE, &error));
  spawn (srv_fiber_worker_self (), say_later, pair);
  ck_assert (wait_public (pair->ours, G_IO_IN, SRV_TEST_PATIENCE, &error));
  srv_test_assert_no_error (error);
  assert_ready (pair, EPOLLIN);
  ck_assert_int_eq (take (pair, 100), 5);
  ck_assert_int_eq (take (pair, 100), -1);
  assert_not_ready (pair, EPOLLIN);
}

/* Also one that the worker has in its set for a connection. */
START_TEST (any_descriptor_can_be_waited_for)
{
  with_pair (wait_on_foreign, families[_i]);
}
END_TEST

static int shared_pipe[2];

static void
wait_on_shared (gpointer data)
{
  g_autoptr (GError) error = NULL;
  guint self = GPOINTER_TO_UINT (data);

  if (self == 0)
    ck_assert (!wait_public (shared_pipe[0], G_IO_IN, 10, NULL));
  ck_assert (wait_public (shared_pipe[0], G_IO_IN, SRV_TEST_PATIENCE, &error));
  srv_test_assert_no_error (error);
  n_woken++;
}

static void
feed_shared (G_GNUC_UNUSED gpointer data)
{
  park_until (in_ms (40));
  ck_assert_uint_eq (n_woken, 0);
  ck_assert_int_eq (write (shared_pipe[1], "x", 1), 1);
}

/* Several fibers wait for one foreign descriptor, one gives up and comes
 * again. */
START_TEST (foreign_descriptor_can_be_shared)
{
  SrvFiberWorker *worker = make_worker ();

  ck_assert_int_eq (pipe2 (shared_pipe, O_CLOEXEC), 0);
  for (guint i = 0; i < 3; i++)
    spawn (worker, wait_on_shared, GUINT_TO_POINTER (i));
  spawn (worker, feed_shared, NULL);
  run_to_the_end (worker);
  ck_assert_uint_eq (n_woken, 3);
  close (shared_pipe[0]);
  close (shared_pipe[1]);
}
END_TEST

/* What both ways of waiting say of one descriptor. */
typedef struct
{
  int fd;
  gboolean in_fiber;
  GError *error;
} Comparison;

static void
wait_and_compare (gpointer data)
{
  Comparison *comparison = data;

  comparison->in_fiber = wait_public (comparison->fd, G_IO_IN,
                                      SRV_TEST_PATIENCE, &comparison->error);
}

static void
compare_ways (int fd)
{
  Comparison comparison = { fd, FALSE, NULL };
  g_autoptr (GError) error = NULL;
  gint64 before = g_get_monotonic_time ();
  gboolean in_thread = wait_public (fd, G_IO_IN, SRV_TEST_PATIENCE, &error);

  run_one (wait_and_compare, &comparison);
  srv_test_assert_took (before, 0);
  ck_assert_int_eq (comparison.in_fiber, in_thread);
  ck_assert_int_eq (comparison.error == NULL, error == NULL);
  if (error != NULL)
    ck_assert_int_eq (comparison.error->code, error->code);
  g_clear_error (&comparison.error);
}

/* A regular file is ready at once, though epoll refuses it, and a descriptor
 * that is closed ends the wait: in fibers as in threads. */
START_TEST (files_and_closed_descriptors_do_not_hang)
{
  g_autofree char *path = srv_test_path ("file");
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  ck_assert_int_ge (fd, 0);
  compare_ways (fd);
  g_unlink (path);
  close (fd);
  /* A number that nothing else takes meanwhile. */
  compare_ways (500);
}
END_TEST

static void
reopen (Pair *pair)
{
  for (guint i = 0; i < 100; i++)
    {
      int fd = pair->ours;

      if (i % 2 == 0)
        ck_assert_int_eq (send (pair->theirs, "left", 4, 0), 4);
      pair_close (pair);
      pair_open (pair, AF_UNIX);
      ck_assert_int_eq (pair->ours, fd);
      assert_ready (pair, EPOLLOUT);
      ck_assert_int_eq (wait_for (pair, EPOLLIN, 0), SRV_FIBER_TIMED_OUT);
    }
}

/* A number that is used again brings nothing of its last life along. */
START_TEST (descriptor_numbers_are_used_again)
{
  with_pair (reopen, AF_UNIX);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "readiness", readiness_lasts_until_drained, G_N_ELEMENTS (families) },
    { "readiness", full_socket_waits_for_room, G_N_ELEMENTS (families) },
    { "readiness", end_comes_after_the_data, G_N_ELEMENTS (families) },
    { "readiness", reset_wakes, 2 },
    { "readiness", half_closed_peer_does_not_spin, G_N_ELEMENTS (families) },
    { "ends", wait_keeps_its_deadline, 1 },
    { "ends", wait_can_be_cancelled, 1 },
    { "several", fibers_share_a_descriptor, 1 },
    { "several", one_of_several_is_enough, 1 },
    { "foreign", any_descriptor_can_be_waited_for, G_N_ELEMENTS (families) },
    { "foreign", foreign_descriptor_can_be_shared, 1 },
    { "foreign", files_and_closed_descriptors_do_not_hang, 1 },
    { "foreign", descriptor_numbers_are_used_again, 1 },
  };

  return srv_test_run_entries ("FiberWatch", tests, G_N_ELEMENTS (tests));
}
