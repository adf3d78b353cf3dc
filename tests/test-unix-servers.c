/* test-unix-servers.c - paths, their owners and their ends
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "unix-test.h"

#include <sys/file.h>

/* What a dead server left does not stop the next one (SS-114: in Python it
 * does). */
START_TEST (dead_path_is_replaced)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server;

  leave_dead_path (_i, path);
  server = make_on (_i, path);
  serve_one (server);
  drop (server);
  ck_assert (!exists (path));
}
END_TEST

/* A path that somebody lives on is refused, and he notices nothing. */
START_TEST (live_path_is_refused)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server = make_on (_i, path);
  ino_t inode = inode_of (path);

  expect_refused (_i, path, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert_uint_eq (inode_of (path), inode);
  serve_one (server);
  drop (server);
}
END_TEST

/* Also one that knows nothing of locks. */
START_TEST (live_path_of_a_stranger_is_refused)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *lock = srv_test_path ("s.lock");
  int fd = bind_by_hand (_i, path);
  ino_t inode = inode_of (path);

  expect_refused (_i, path, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert_uint_eq (inode_of (path), inode);
  ck_assert_msg (!exists (lock), "the lock file was left");
  close (fd);
  g_unlink (path);
}
END_TEST

/* A stranger whose queue is full is alive, too. */
START_TEST (stranger_with_a_full_queue_is_alive)
{
  g_autofree char *path = srv_test_path ("s");
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  int fd = bind_by_hand (0, path);
  int clients[8];
  guint n = 0;

  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  for (n = 0; n < G_N_ELEMENTS (clients); n++)
    {
      clients[n] =
        socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      if (connect (clients[n], (struct sockaddr *) &name, sizeof name) < 0)
        {
          close (clients[n]);
          break;
        }
    }
  expect_refused (0, path, G_IO_ERROR_ADDRESS_IN_USE);
  while (n-- > 0)
    close (clients[n]);
  close (fd);
  g_unlink (path);
}
END_TEST

/* A live socket of the other type is alive as well. */
START_TEST (live_path_of_the_other_type_is_refused)
{
  g_autofree char *path = srv_test_path ("s");
  int fd = bind_by_hand (!_i, path);

  expect_refused (_i, path, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert (exists (path));
  close (fd);
  g_unlink (path);
}
END_TEST

/* What a server of the other type left dead is replaced like any other. */
START_TEST (dead_path_of_the_other_type_is_replaced)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server;

  leave_dead_path (!_i, path);
  server = make_on (_i, path);
  serve_one (server);
  drop (server);
}
END_TEST

/* A file that is no socket is somebody's data: refused and untouched. */
START_TEST (regular_file_is_not_touched)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *lock = srv_test_path ("s.lock");
  g_autofree char *endpoint = endpoint_of (_i, path);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert (g_file_set_contents (path, "precious", -1, NULL));
  ck_assert_ptr_null (srv_test_try (srv_test_server_type (transports[_i]),
                                    endpoint, &error, NULL));
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (strstr (error->message, "socket") != NULL &&
                   strstr (error->message, path) != NULL,
                 "%s", error->message);
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_str_eq (text, "precious");
  ck_assert (!exists (lock));
  g_unlink (path);
}
END_TEST

/* So is a directory. */
START_TEST (directory_is_not_touched)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *endpoint = endpoint_of (_i, path);
  g_autoptr (GError) error = NULL;

  ck_assert_int_eq (g_mkdir (path, 0700), 0);
  ck_assert_ptr_null (srv_test_try (srv_test_server_type (transports[_i]),
                                    endpoint, &error, NULL));
  ck_assert_ptr_nonnull (error);
  ck_assert_int_eq (g_rmdir (path), 0);
}
END_TEST

/* A symbolic link is no socket, wherever it leads; what it leads to stays. */
START_TEST (symbolic_link_is_not_followed)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *target = srv_test_path ("target");
  g_autofree char *endpoint = endpoint_of (_i, path);
  g_autoptr (GError) error = NULL;

  leave_dead_path (_i, target);
  ck_assert_int_eq (symlink (target, path), 0);
  ck_assert_ptr_null (srv_test_try (srv_test_server_type (transports[_i]),
                                    endpoint, &error, NULL));
  ck_assert_ptr_nonnull (error);
  ck_assert (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  ck_assert (exists (target));
  g_unlink (path);
  g_unlink (target);
}
END_TEST

/* A directory that is missing is the system's error, with the path in it. */
START_TEST (missing_directory_is_named)
{
  g_autofree char *path = srv_test_path ("missing/s");
  g_autofree char *endpoint = endpoint_of (_i, path);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (srv_test_try (srv_test_server_type (transports[_i]),
                                    endpoint, &error, NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  ck_assert_msg (strstr (error->message, path) != NULL, "%s", error->message);
}
END_TEST

/* Python's way on request: whatever is in the way stays there (SS-114). */
START_TEST (without_take_over_everything_is_in_the_way)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *lock = srv_test_path ("s.lock");
  g_autofree char *endpoint = endpoint_of (_i, path);
  GType type = srv_test_server_type (transports[_i]);
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server;

  leave_dead_path (_i, path);
  ck_assert_ptr_null (
    srv_test_try (type, endpoint, &error, "path-take-over", FALSE, NULL));
  srv_test_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert (exists (path));
  g_unlink (path);

  server = srv_test_make (type, endpoint, "path-take-over", FALSE, NULL);
  ck_assert_msg (!exists (lock), "a lock nobody needs");
  drop (server);
  ck_assert_msg (!exists (path), "its own path is removed all the same");
}
END_TEST

/* A process that holds the lock is about to bind, or just did. */
START_TEST (lock_of_another_process_is_respected)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *lock = srv_test_path ("s.lock");
  pid_t pid;
  SrvBaseServer *server;

  pid = fork ();
  if (pid == 0)
    {
      int fd = open (lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

      flock (fd, LOCK_EX);
      srv_test_set_number (RESULT, 1);
      srv_test_wait_at_gate (0);
      _exit (0);
    }
  srv_test_wait_for_number (RESULT, 1);
  expect_refused (_i, path, G_IO_ERROR_ADDRESS_IN_USE);
  ck_assert (!exists (path));
  srv_test_open_gate (0);
  waitpid (pid, NULL, 0);

  server = make_on (_i, path);
  drop (server);
  ck_assert (!exists (lock));
}
END_TEST

/* While it lives a server has its lock beside it, not readable for others,
 * and nothing afterwards. */
START_TEST (lock_is_there_as_long_as_the_server)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *lock = srv_test_path ("s.lock");
  SrvBaseServer *server = make_on (_i, path);
  struct stat status;

  ck_assert_int_eq (lstat (lock, &status), 0);
  ck_assert_uint_eq (status.st_mode & 07777, 0600);
  drop (server);
  ck_assert (!exists (lock));
  ck_assert (!exists (path));
}
END_TEST

/* The last reference closes like server_close(). */
START_TEST (last_reference_removes_the_path)
{
  g_autofree char *path = srv_test_path ("s");

  g_object_unref (make_on (_i, path));
  ck_assert (!exists (path));
}
END_TEST

static const struct
{
  mode_t mask;
  int mode;
  mode_t expected;
} modes[] = {
  { 022, -1, 0755 },   { 077, -1, 0700 }, { 0, -1, 0777 }, { 022, 0660, 0660 },
  { 077, 0666, 0666 }, { 0, 0600, 0600 }, { 0, 0, 0 },
};

#define N_MODES ((int) G_N_ELEMENTS (modes))

/* The umask decides unless the property does. */
START_TEST (mode_is_what_was_asked_for)
{
  int row = _i % N_MODES;
  int type = _i / N_MODES;
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *endpoint = endpoint_of (type, path);
  struct stat status;
  SrvBaseServer *server;

  umask (modes[row].mask);
  server = srv_test_make (srv_test_server_type (transports[type]), endpoint,
                          "path-mode", modes[row].mode, NULL);
  ck_assert_int_eq (lstat (path, &status), 0);
  ck_assert_uint_eq (status.st_mode & 07777, modes[row].expected);
  ck_assert_msg (umask (022) == modes[row].mask, "the umask was changed");
  drop (server);
}
END_TEST

typedef struct
{
  const char *path;
  int done;
  guint n_seen;
  mode_t wrong;
} Watch;

/* Looks as often as it can what mode the path has. */
static gpointer
watch_mode (gpointer data)
{
  Watch *watch = data;
  struct stat status;

  while (!g_atomic_int_get (&watch->done))
    {
      if (lstat (watch->path, &status) < 0)
        continue;
      watch->n_seen++;
      if ((status.st_mode & 07777 & ~0600) != 0)
        watch->wrong = status.st_mode;
    }

  return NULL;
}

/* There is no moment in which others could connect. */
START_TEST (mode_has_no_window)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *endpoint = endpoint_of (_i, path);
  Watch watch = { .path = path };
  const guint n = srv_test_is_short () ? 20 : 300;
  GThread *thread;

  umask (0);
  thread = g_thread_new ("watch", watch_mode, &watch);
  for (guint i = 0; i < n; i++)
    drop (srv_test_make (srv_test_server_type (transports[_i]), endpoint,
                         "path-mode", 0600, NULL));
  g_atomic_int_set (&watch.done, 1);
  g_thread_join (thread);
  umask (022);
  ck_assert_msg (watch.wrong == 0, "it was %o", watch.wrong);
}
END_TEST

/* Without a mode of its own the umask still decides, owner or not. */
START_TEST (umask_decides_also_with_a_group)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *endpoint = endpoint_of (_i, path);
  SrvBaseServer *server;
  struct stat status;

  umask (027);
  server = srv_test_make (srv_test_server_type (transports[_i]), endpoint,
                          "path-group", (int) getegid (), NULL);
  umask (022);
  ck_assert_int_eq (lstat (path, &status), 0);
  ck_assert_uint_eq (status.st_mode & 07777, 0750);
  drop (server);
}
END_TEST

/* Owner and group reach the path; for root, others than its own. */
START_TEST (owner_and_group_are_set)
{
  gboolean root = geteuid () == 0;
  int owner = root ? 12345 : (int) geteuid ();
  int group = root ? 23456 : (int) getegid ();
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *endpoint = endpoint_of (_i, path);
  SrvBaseServer *server = srv_test_make (srv_test_server_type (transports[_i]),
                                         endpoint, "path-owner", owner,
                                         "path-group", group, NULL);
  struct stat status;

  ck_assert_int_eq (lstat (path, &status), 0);
  ck_assert_int_eq ((int) status.st_uid, owner);
  ck_assert_int_eq ((int) status.st_gid, group);
  drop (server);
}
END_TEST

/* The properties can be read back; their defaults leave things alone. */
START_TEST (path_properties_have_defaults)
{
  SrvBaseServer *server = make_on (_i, "@");
  gboolean take_over;
  int mode;
  int owner;
  int group;

  g_object_get (server, "path-take-over", &take_over, "path-mode", &mode,
                "path-owner", &owner, "path-group", &group, NULL);
  ck_assert (take_over);
  ck_assert_int_eq (mode, -1);
  ck_assert_int_eq (owner, -1);
  ck_assert_int_eq (group, -1);
  drop (server);
}
END_TEST

/* A path that somebody else has put there since is his: not removed. */
START_TEST (path_of_a_successor_is_not_removed)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server = make_on (_i, path);
  int fd;

  ck_assert_int_eq (g_unlink (path), 0);
  fd = bind_by_hand (_i, path);
  drop (server);
  ck_assert (exists (path));
  close (fd);
  g_unlink (path);
}
END_TEST

/* A path that is gone already is no trouble. */
START_TEST (path_may_be_gone_at_close)
{
  g_autofree char *path = srv_test_path ("s");
  SrvBaseServer *server = make_on (_i, path);

  ck_assert_int_eq (g_unlink (path), 0);
  drop (server);
}
END_TEST

static int
close_in_child (gpointer server)
{
  srv_base_server_server_close (server);
  g_object_unref (server);

  return 0;
}

/* Only the process that made the path removes it: a forked copy does not, and
 * the server goes on with path and lock. */
START_TEST (forked_copy_does_not_remove_the_path)
{
  g_autofree char *path = srv_test_path ("s");
  g_autofree char *lock = srv_test_path ("s.lock");
  SrvBaseServer *server = make_on (_i, path);

  ck_assert_int_eq (srv_test_in_child (close_in_child, server), 0);
  ck_assert (exists (path));
  ck_assert (exists (lock));
  expect_refused (_i, path, G_IO_ERROR_ADDRESS_IN_USE);
  serve_one (server);
  drop (server);
}
END_TEST

/* A relative path is found again wherever the process has moved to. */
START_TEST (relative_path_survives_chdir)
{
  g_autofree char *path = srv_test_path ("relative");
  g_autofree char *lock = srv_test_path ("relative.lock");
  g_autofree char *home = g_get_current_dir ();
  SrvBaseServer *server;

  ck_assert_int_eq (g_chdir (srv_test_directory ()), 0);
  server = make_on (_i, "relative");
  ck_assert_int_eq (g_chdir ("/"), 0);
  ck_assert (exists (path));
  drop (server);
  ck_assert (!exists (path));
  ck_assert (!exists (lock));
  ck_assert_int_eq (g_chdir (home), 0);
}
END_TEST

static char *
path_of_length (gsize length)
{
  g_autofree char *start = srv_test_path ("");
  GString *path = g_string_new (start);

  while (path->len < length)
    g_string_append_c (path, 'x');

  return g_string_free (path, FALSE);
}

/* The system's limit is used up to its last byte. */
START_TEST (longest_path_works)
{
  g_autofree char *path = path_of_length (107);
  SrvBaseServer *server = make_on (_i, path);
  g_autofree char *bound = srv_base_server_dup_endpoint (server);
  g_autofree char *expected = endpoint_of (_i, path);

  ck_assert_str_eq (bound, expected);
  serve_one (server);
  drop (server);
  ck_assert (!exists (path));
}
END_TEST

/* A dead path of that length is replaced, too. */
START_TEST (longest_dead_path_is_replaced)
{
  g_autofree char *path = path_of_length (107);
  SrvBaseServer *server;

  leave_dead_path (_i, path);
  server = make_on (_i, path);
  serve_one (server);
  drop (server);
}
END_TEST

/* Beyond it the message says what the matter is. */
START_TEST (longer_path_is_refused_with_the_reason)
{
  g_autofree char *path = path_of_length (108);
  g_autofree char *endpoint = endpoint_of (_i, path);
  g_autoptr (GError) error = NULL;
  SrvBaseServer *server = srv_test_try (srv_test_server_type (transports[_i]),
                                        endpoint, &error, NULL);

  ck_assert_ptr_null (server);
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (strstr (error->message, "108") != NULL &&
                   strstr (error->message, "107") != NULL,
                 "%s", error->message);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "take-over", dead_path_is_replaced, N_TYPES },
    { "take-over", live_path_is_refused, N_TYPES },
    { "take-over", live_path_of_a_stranger_is_refused, N_TYPES },
    { "take-over", stranger_with_a_full_queue_is_alive, 1 },
    { "take-over", live_path_of_the_other_type_is_refused, N_TYPES },
    { "take-over", dead_path_of_the_other_type_is_replaced, N_TYPES },
    { "take-over", regular_file_is_not_touched, N_TYPES },
    { "take-over", directory_is_not_touched, N_TYPES },
    { "take-over", symbolic_link_is_not_followed, N_TYPES },
    { "take-over", missing_directory_is_named, N_TYPES },
    { "take-over", without_take_over_everything_is_in_the_way, N_TYPES },
    { "take-over", lock_of_another_process_is_respected, N_TYPES },
    { "take-over", lock_is_there_as_long_as_the_server, N_TYPES },
    { "mode", mode_is_what_was_asked_for, N_TYPES * N_MODES },
    { "mode", mode_has_no_window, N_TYPES },
    { "mode", owner_and_group_are_set, N_TYPES },
    { "mode", umask_decides_also_with_a_group, N_TYPES },
    { "mode", path_properties_have_defaults, N_TYPES },
    { "end", last_reference_removes_the_path, N_TYPES },
    { "end", path_of_a_successor_is_not_removed, N_TYPES },
    { "end", path_may_be_gone_at_close, N_TYPES },
    { "end", forked_copy_does_not_remove_the_path, N_TYPES },
    { "end", relative_path_survives_chdir, N_TYPES },
    { "names", longest_path_works, N_TYPES },
    { "names", longest_dead_path_is_replaced, N_TYPES },
    { "names", longer_path_is_refused_with_the_reason, N_TYPES },
  };

  return srv_test_run_entries ("UnixServers", tests, G_N_ELEMENTS (tests));
}
