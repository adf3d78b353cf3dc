/* test-connection-post.c - sending to somebody else's connection
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "post-test.h"

#include <poll.h>

#define N_POSTERS 4
#define N_POSTS   200

static SrvConnection *
connection_new (int *peer, gsize limit)
{
  g_autoptr (GError) error = NULL;
  SrvConnection *connection;
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    0);
  connection = srv_connection_new_for_fd (fds[0], &error);
  srv_test_assert_no_error (error);
  if (limit > 0)
    srv_connection_set_post_limit (connection, limit);
  *peer = fds[1];
  return connection;
}

/* Until the kernel takes no more, so that everything else is queued; returns
 * how much that was. */
static gsize
fill_kernel (SrvConnection *connection)
{
  static const char zeros[4096];
  gsize total = 0;
  gssize n;

  while ((n = send (srv_connection_get_fd (connection), zeros, sizeof zeros,
                    MSG_DONTWAIT)) > 0)
    total += (gsize) n;
  while (send (srv_connection_get_fd (connection), zeros, 1, MSG_DONTWAIT) > 0)
    total++;
  return total;
}

/* What the kernel takes is there when the call returns, and no thread was
 * needed. */
START_TEST (post_is_sent_at_once)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 100);
  g_autoptr (GError) error = NULL;
  guint n_threads = srv_test_count_threads ();

  ck_assert (post_text (connection, "one", &error));
  srv_test_assert_no_error (error);
  ck_assert (post_text (connection, "two", NULL));
  ck_assert_uint_eq (srv_connection_get_n_posted_bytes (connection), 0);
  ck_assert_uint_eq (srv_test_count_threads (), n_threads);
  srv_test_expect (peer, "onetwo");
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* Nobody can post before the owner allows it, or after the end. */
START_TEST (posts_need_leave_and_an_open_connection)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 0);
  g_autoptr (GError) error = NULL;

  ck_assert (!post_text (connection, "x", &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  ck_assert (!srv_connection_check_posts (connection, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED);
  g_clear_error (&error);
  ck_assert_uint_eq (srv_connection_get_post_limit (connection), 0);

  srv_connection_set_post_limit (connection, 5);
  srv_connection_set_post_gap (connection, 7);
  ck_assert_uint_eq (srv_connection_get_post_limit (connection), 5);
  ck_assert_uint_eq (srv_connection_get_post_gap (connection), 7);
  ck_assert (srv_connection_check_posts (connection, &error));
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  ck_assert (!post_text (connection, "x", &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* The limit is exact: what fits is kept and arrives, one byte more is the end,
 * and everybody is told the reason. */
START_TEST (slow_client_is_cut_over_the_limit)
{
  const gsize limit = 1000;
  int peer;
  SrvConnection *connection = connection_new (&peer, limit);
  g_autoptr (GError) error = NULL;
  gsize filled = fill_kernel (connection);
  char byte;

  ck_assert (post_filled (connection, limit - 1, &error));
  ck_assert_uint_eq (srv_connection_get_n_posted_bytes (connection), limit - 1);
  if (_i == 0)
    {
      ck_assert (post_text (connection, "!", &error));
      read_exactly (peer, filled + limit - 1);
      srv_test_expect (peer, "!");
      srv_test_eventually (srv_connection_get_n_posted_bytes (connection) == 0);
      ck_assert (srv_connection_check_posts (connection, &error));
    }
  else
    {
      ck_assert (!post_text (connection, "!!", &error));
      srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_SLOW_CONSUMER);
      g_clear_error (&error);
      ck_assert (!srv_connection_check_posts (connection, &error));
      srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_SLOW_CONSUMER);
      g_clear_error (&error);
      ck_assert_int_eq (srv_connection_receive (connection, &byte, 1, NULL,
                                                &error),
                        -1);
      srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_SLOW_CONSUMER);
      g_clear_error (&error);
      ck_assert (!srv_connection_send_all (connection, "x", 1, NULL, &error));
      srv_test_assert_error (error, SRV_ERROR, SRV_ERROR_SLOW_CONSUMER);
      read_exactly (peer, filled);
      srv_test_expect_gone (peer);
    }
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* An empty post is none. */
START_TEST (empty_post_is_nothing)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 1);

  ck_assert (post_text (connection, "", NULL));
  ck_assert (post_text (connection, "x", NULL));
  srv_test_expect (peer, "x");
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* Frames of four bytes of length, one of the sender, four of a number. */
typedef struct
{
  SrvConnection *connection;
  guint8 sender;
} Poster;

static GBytes *
make_frame (guint8 sender, guint32 number)
{
  guint32 length = 9 + (number * 7919 + sender * 31) % 5000;
  guint8 *frame = g_malloc (length);

  memset (frame, sender, length);
  memcpy (frame, &length, 4);
  memcpy (frame + 5, &number, 4);
  return g_bytes_new_take (frame, length);
}

static gpointer
post_frames (gpointer data)
{
  const Poster *self = data;

  for (guint32 i = 0; i < N_POSTS; i++)
    {
      g_autoptr (GBytes) frame = make_frame (self->sender, i);

      if (!srv_connection_post (self->connection, frame, NULL))
        return GINT_TO_POINTER (1);
    }
  return NULL;
}

static gpointer
write_frames (gpointer data)
{
  const Poster *self = data;

  for (guint32 i = 0; i < N_POSTS; i++)
    {
      g_autoptr (GBytes) frame = make_frame (self->sender, i);

      if (!srv_connection_send_all (self->connection,
                                    g_bytes_get_data (frame, NULL),
                                    g_bytes_get_size (frame), NULL, NULL))
        return GINT_TO_POINTER (1);
    }
  return NULL;
}

static void
receive_exactly (int fd, guint8 *buffer, gsize length)
{
  while (length > 0)
    {
      gssize n = srv_test_receive (fd, buffer, length);

      ck_assert_int_gt (n, 0);
      buffer += n;
      length -= (gsize) n;
    }
}

/* One look for all bytes: Check notes down each of its own. */
static gboolean
is_filled (const guint8 *bytes, gsize length, guint8 with)
{
  for (gsize i = 0; i < length; i++)
    if (bytes[i] != with)
      return FALSE;
  return TRUE;
}

/* Every frame is whole, and those of one sender come in order. */
static void
expect_frames (int fd, guint n_senders)
{
  guint32 next[N_POSTERS + 1] = { 0 };
  guint8 frame[6000];

  for (guint i = 0; i < n_senders * N_POSTS; i++)
    {
      guint32 length;
      guint32 number;

      receive_exactly (fd, frame, 9);
      memcpy (&length, frame, 4);
      memcpy (&number, frame + 5, 4);
      ck_assert_uint_lt (length, sizeof frame);
      ck_assert_uint_lt (frame[4], n_senders);
      ck_assert_uint_eq (number, next[frame[4]]++);
      receive_exactly (fd, frame + 9, length - 9);
      ck_assert (is_filled (frame + 9, length - 9, frame[4]));
    }
}

/* Posts from many threads, with and without an owner who writes meanwhile, to a
 * client that is slower than all of them. */
START_TEST (posts_and_writes_stay_whole_and_in_order)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 64 * 1024 * 1024);
  Poster posters[N_POSTERS + 1];
  GThread *threads[N_POSTERS + 1];
  guint n = N_POSTERS + (guint) _i;

  if (_i == 1)
    ck_assert_ptr_nonnull (srv_connection_get_socket (connection, NULL));
  for (guint i = 0; i < n; i++)
    {
      posters[i] = (Poster){ connection, (guint8) i };
      threads[i] = g_thread_new ("poster",
                                 i < N_POSTERS ? post_frames : write_frames,
                                 &posters[i]);
    }
  expect_frames (peer, n);
  for (guint i = 0; i < n; i++)
    ck_assert_ptr_null (g_thread_join (threads[i]));
  srv_test_eventually (srv_connection_get_n_posted_bytes (connection) == 0);
  ck_assert (srv_test_is_quiet (peer));
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* The owner's write goes after what waits, and takes that along. */
START_TEST (write_goes_after_what_was_posted)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 100000);
  Poster owner = { connection, 3 };
  gsize filled = fill_kernel (connection);
  GThread *thread;

  ck_assert (post_text (connection, "posted", NULL));
  thread = g_thread_new ("owner", write_frames, &owner);
  read_exactly (peer, filled);
  srv_test_expect (peer, "posted");
  for (guint32 i = 0; i < N_POSTS; i++)
    {
      g_autoptr (GBytes) frame = make_frame (3, i);

      read_exactly (peer, g_bytes_get_size (frame));
    }
  g_thread_join (thread);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* After a write of the owner that failed in the middle nothing can follow. */
START_TEST (failed_write_ends_posts)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 1000);
  g_autoptr (GError) error = NULL;

  srv_connection_set_timeout (connection, 20, NULL);
  fill_kernel (connection);
  ck_assert (post_text (connection, "waits", NULL));
  ck_assert (!srv_connection_send_all (connection, "x", 1, NULL, &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  ck_assert (!post_text (connection, "y", &error));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* A client that has gone is no signal and no wait; whoever posts is told at the
 * latest by the second post. */
START_TEST (client_that_has_gone_is_an_error)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 1000);
  g_autoptr (GError) error = NULL;

  signal (SIGPIPE, SIG_DFL);
  if (_i == 1)
    {
      fill_kernel (connection);
      ck_assert (post_text (connection, "waits", NULL));
    }
  close (peer);
  srv_test_eventually (!post_text (connection, "x", NULL));
  ck_assert (!srv_connection_check_posts (connection, &error));
  ck_assert (error->domain == G_IO_ERROR);
  g_object_unref (connection);
}
END_TEST

/* While others post, the owner closes; what gets the descriptor's number next
 * never sees a byte of it. */
START_TEST (close_while_others_post)
{
  for (guint round = 0; round < 50; round++)
    {
      int peer;
      SrvConnection *connection = connection_new (&peer, 64 * 1024 * 1024);
      int fd = srv_connection_get_fd (connection);
      Poster posters[2] = { { connection, 1 }, { connection, 2 } };
      GThread *threads[2];
      int next[2];

      for (guint i = 0; i < 2; i++)
        threads[i] = g_thread_new ("poster", post_frames, &posters[i]);
      read_exactly (peer, 9);
      g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
      ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
                                    next),
                        0);
      ck_assert (next[0] == fd || next[1] == fd);
      for (guint i = 0; i < 2; i++)
        g_thread_join (threads[i]);
      ck_assert (srv_test_is_quiet (next[0]));
      ck_assert (srv_test_is_quiet (next[1]));
      close (next[0]);
      close (next[1]);
      close (peer);
      g_object_unref (connection);
    }
}
END_TEST

/* With a gap, a client that takes each read for a message is right. */
START_TEST (gap_keeps_posts_apart)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 1000);
  gint64 before = g_get_monotonic_time ();
  char buffer[8];

  srv_connection_set_post_gap (connection, 20);
  for (int i = 0; i < 5; i++)
    ck_assert (post_text (connection, "{object}", NULL));
  for (int i = 0; i < 5; i++)
    ck_assert_int_eq (srv_test_receive (peer, buffer, sizeof buffer), 8);
  ck_assert_int_ge (g_get_monotonic_time () - before, 80000);
  ck_assert (srv_connection_send_all (connection, "own", 3, NULL, NULL));
  ck_assert_int_ge (g_get_monotonic_time () - before, 100000);
  ck_assert_int_eq (srv_test_receive (peer, buffer, 3), 3);
  g_object_unref (connection);
  close (peer);
}
END_TEST

/* A post does not wait for the gap: the second is still queued when the call
 * is back. */
START_TEST (gap_keeps_no_poster_waiting)
{
  guint queued = 0;

  for (guint i = 0; i < SRV_TEST_TRIES && queued == 0; i++)
    {
      int peer;
      SrvConnection *connection = connection_new (&peer, 1000);

      srv_connection_set_post_gap (connection, 200);
      ck_assert (post_text (connection, "one", NULL));
      ck_assert (post_text (connection, "two", NULL));
      queued = (guint) srv_connection_get_n_posted_bytes (connection);
      srv_test_expect (peer, "onetwo");
      g_object_unref (connection);
      close (peer);
    }
  ck_assert_uint_eq (queued, 3);
}
END_TEST

/* The thread that finishes posts is not there when there is nothing to do. */
START_TEST (flusher_goes_when_it_is_done)
{
  guint n_threads = srv_test_count_threads ();
  guint n_descriptors = srv_test_count_descriptors ();

  for (int round = 0; round < 3; round++)
    {
      int peer;
      SrvConnection *connection = connection_new (&peer, 1000);
      gsize filled = fill_kernel (connection);

      ck_assert (post_text (connection, "later", NULL));
      ck_assert_uint_eq (srv_test_count_threads (), n_threads + 1);
      if (round > 0)
        read_exactly (peer, filled);
      if (round > 0)
        srv_test_expect (peer, "later");
      g_object_unref (connection);
      close (peer);
      if (round < 2)
        srv_test_eventually (srv_test_count_threads () == n_threads);
    }
  srv_test_eventually (srv_test_count_threads () == n_threads);
  ck_assert_uint_eq (srv_test_count_descriptors (), n_descriptors);
}
END_TEST

static gboolean
child_posts_of_its_own (void)
{
  char buffer[5];
  int fds[2];
  g_autoptr (SrvConnection) connection = NULL;
  gsize filled;

  socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
  connection = srv_connection_new_for_fd (fds[0], NULL);
  srv_connection_set_post_limit (connection, 1000);
  filled = fill_kernel (connection);
  if (!post_text (connection, "child", NULL))
    return FALSE;
  while (filled > 0)
    {
      char rest[4096];
      gssize n = recv (fds[1], rest, MIN (filled, sizeof rest), 0);

      if (n <= 0)
        return FALSE;
      filled -= (gsize) n;
    }
  return recv (fds[1], buffer, 5, MSG_WAITALL) == 5 &&
         memcmp (buffer, "child", 5) == 0;
}

static int
post_in_child (gpointer connection)
{
  g_autoptr (GError) error = NULL;

  if (post_text (connection, "child", &error) ||
      !g_error_matches (error, SRV_ERROR, SRV_ERROR_IN_CHILD))
    return 1;
  g_object_unref (connection);
  return child_posts_of_its_own () ? 0 : 2;
}

/* A child cannot post to what its parent serves, even with the flusher at work
 * in the parent; it can post to connections of its own. */
START_TEST (child_posts_to_its_own_only)
{
  int peer;
  SrvConnection *connection = connection_new (&peer, 1000);
  gsize filled = fill_kernel (connection);

  ck_assert (post_text (connection, "parent", NULL));
  ck_assert_int_eq (srv_test_in_child (post_in_child, connection), 0);
  read_exactly (peer, filled);
  srv_test_expect (peer, "parent");
  g_object_unref (connection);
  close (peer);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "posts", post_is_sent_at_once, 1 },
    { "posts", posts_need_leave_and_an_open_connection, 1 },
    { "posts", empty_post_is_nothing, 1 },
    { "posts", slow_client_is_cut_over_the_limit, 2 },
    { "posts", gap_keeps_posts_apart, 1 },
    { "posts", gap_keeps_no_poster_waiting, 1 },
    { "order", posts_and_writes_stay_whole_and_in_order, 2 },
    { "order", write_goes_after_what_was_posted, 1 },
    { "ends", failed_write_ends_posts, 1 },
    { "ends", client_that_has_gone_is_an_error, 2 },
    { "ends", close_while_others_post, 1 },
    { "ends", flusher_goes_when_it_is_done, 1 },
    { "ends", child_posts_to_its_own_only, 1 },
  };

  return srv_test_run_entries ("ConnectionPost", tests, G_N_ELEMENTS (tests));
}
