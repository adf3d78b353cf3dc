/* test-fiber-watch.c - descriptors that fibers wait for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

#include "fiber-test.h"

#include <sys/epoll.h>
#include <time.h>

#define BOTH_WAYS (EPOLLIN | EPOLLOUT | EPOLLRDHUP)

/* More than any socket here takes at once. */
#define BIG (8 * 1024 * 1024)

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

/* Readiness. */

static void
say_later (gpointer data)
{
  Pair *pair = data;

  park_until (in_ms (10));
  ck_assert_int_eq (send (pair->theirs, "hello", 5, 0), 5);
}

static void
read_in_parts (gpointer data)
{
  Pair *pair = data;

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

static void
with_pair (SrvFiberFunc func, int family)
{
  SrvFiberWorker *worker = make_worker ();
  Pair pair;

  spawn (worker, func, &pair);
  srv_fiber_worker_quit (worker);
  /* The watch belongs to the worker of the fiber that makes it. */
  memset (&pair, 0, sizeof pair);
  pair.theirs = -family;
  srv_fiber_worker_run (worker);
  srv_fiber_worker_free (worker);
}

/* A test in a fiber with an open pair. */
#define IN_FIBER(name, body)                \
  static void name (gpointer data)          \
  {                                         \
    Pair *pair = data;                      \
                                            \
    pair_open (pair, -pair->theirs);        \
    body (pair);                            \
    pair_close (pair);                      \
  }
