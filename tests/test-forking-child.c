/* test-forking-child.c - what the child of a request has and may
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "forking-test.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The child. */

static gboolean
print_something (SrvBaseRequestHandler *handler,
                 G_GNUC_UNUSED gpointer user_data,
                 GError **error)
{
  printf ("child ");

  return srv_test_reply (handler, "done\n", error);
}

/* What a child prints arrives though it leaves without exit handlers, and
 * what the parent had not yet written out is not doubled (SS-124). */
START_TEST (output_of_children_is_neither_lost_nor_doubled)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, print_something);
  char text[64] = "";
  int pipe_fds[2];
  int saved;

  fflush (stdout);
  saved = dup (STDOUT_FILENO);
  ck_assert_int_eq (pipe (pipe_fds), 0);
  ck_assert_int_eq (dup2 (pipe_fds[1], STDOUT_FILENO), STDOUT_FILENO);
  close (pipe_fds[1]);
  setvbuf (stdout, NULL, _IOFBF, BUFSIZ);

  printf ("parent ");
  for (guint i = 0; i < 2; i++)
    {
      int fd = srv_test_connect (server);

      ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                        SRV_HANDLE_RESULT_HANDLED);
      srv_test_expect (fd, "done\n");
      srv_test_close (fd);
    }
  drop_server (server);

  fflush (stdout);
  dup2 (saved, STDOUT_FILENO);
  close (saved);
  ck_assert_int_gt (read (pipe_fds[0], text, sizeof text - 1), 0);
  close (pipe_fds[0]);
  ck_assert_str_eq (text, "parent child child ");
}
END_TEST

/* Tells the client of every descriptor: its number and what it is, the
 * connection's own first. */
static gboolean
list_descriptors (SrvBaseRequestHandler *handler,
                  G_GNUC_UNUSED gpointer user_data,
                  GError **error)
{
  g_autofree char *own = NULL;
  const struct dirent *entry;
  gboolean fine;
  DIR *dir;

  srv_test_add_number (N_RUNNING, 1);
  if (srv_test_get_number (N_RUNNING) == 1)
    return srv_test_wait_at_gate (0);

  own = g_strdup_printf ("%d connection\n",
                         srv_request_fileno (
                           srv_base_request_handler_get_request (handler)));
  fine = srv_test_reply (handler, own, error);
  dir = opendir ("/proc/self/fd");
  while (fine && (entry = readdir (dir)) != NULL)
    {
      g_autofree char *path =
        g_strconcat ("/proc/self/fd/", entry->d_name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);
      g_autofree char *line = NULL;

      if (entry->d_name[0] == '.' || atoi (entry->d_name) == dirfd (dir))
        continue;
      line = g_strdup_printf ("%s %s\n", entry->d_name, target);
      fine = srv_test_reply (handler, line, error);
    }
  closedir (dir);

  return fine;
}

/* Besides what was open before the server was made, a child has its own
 * connection and the pipe that tells of a drain: no listener, no descriptors
 * that wake the parent, none of its siblings. Python's has them all, so that
 * a restarted parent can find its address in use (SS-125, D-19). Of a Unix
 * server, it has not the lock of its path either. */
START_TEST (child_has_only_its_connection)
{
  const SrvTestTransport transports[] = { SRV_TEST_TCP, SRV_TEST_UNIX };
  gboolean known[1024] = { FALSE };
  g_autofree char *report = NULL;
  g_auto (GStrv) lines = NULL;
  SrvBaseServer *server;
  SrvTestRun *run;
  int sibling_fd;
  int own;
  int fd;
  guint n_connections = 0;
  guint n_pipes = 0;

  for (int i = 0; i < (int) G_N_ELEMENTS (known); i++)
    known[i] = fcntl (i, F_GETFD) >= 0;
  server = make_server (transports[_i], list_descriptors);
  run = srv_test_run (server);
  sibling_fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  fd = srv_test_connect (server);
  report = srv_test_read_all (fd, NULL);

  lines = g_strsplit (report, "\n", -1);
  own = atoi (lines[0]);
  for (guint i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++)
    {
      int number = atoi (lines[i]);

      if (number == own)
        n_connections++;
      else if (number == fd || number == sibling_fd || known[number])
        continue;
      else if (strstr (lines[i], " pipe:") != NULL)
        n_pipes++;
      else
        ck_abort_msg ("the child has what it should not have: %s", lines[i]);
    }
  ck_assert_uint_eq (n_connections, 1);
  ck_assert_uint_le (n_pipes, 1);

  srv_test_open_gate (0);
  srv_test_close (sibling_fd);
  srv_test_close (fd);
  srv_test_finish (run);
}
END_TEST

/* Keeps the first client for itself, and has the others served. */
typedef struct
{
  SrvTCPServer parent_instance;
  SrvRequest *kept; /* borrowed: it is still active */
} TestKeeper;
typedef struct
{
  SrvTCPServerClass parent_class;
} TestKeeperClass;

static GType test_keeper_get_type (void);
G_DEFINE_TYPE (TestKeeper, test_keeper, SRV_TYPE_TCP_SERVER)

static gboolean
test_keeper_process_request (SrvBaseServer *server,
                             SrvRequest *request,
                             GError **error)
{
  TestKeeper *self = (TestKeeper *) server;

  if (self->kept != NULL)
    return SRV_BASE_SERVER_CLASS (test_keeper_parent_class)
      ->process_request (server, request, error);
  self->kept = request;
  return TRUE;
}

static void
test_keeper_class_init (TestKeeperClass *klass)
{
  SRV_BASE_SERVER_CLASS (klass)->process_request = test_keeper_process_request;
}

static void
test_keeper_init (G_GNUC_UNUSED TestKeeper *self)
{
}

static gboolean
say_done (SrvBaseRequestHandler *handler,
          G_GNUC_UNUSED gpointer user_data,
          GError **error)
{
  return srv_test_reply (handler, "done\n", error);
}

/* A child closes its copies of the connections that its parent has, and the
 * parent can still use them. */
START_TEST (connections_of_the_parent_stay_open)
{
  g_autoptr (SrvMixIn) mix_in = srv_test_mix_in_new (SRV_TEST_FORKING);
  SrvBaseServer *server = srv_test_make (test_keeper_get_type (),
                                         "tcp:127.0.0.1:0", "mix-in", mix_in,
                                         NULL);
  int kept_fd = srv_test_connect (server);
  int fd;

  srv_base_server_set_handler_func (server, say_done, NULL, NULL);
  handle_one (server, SRV_TEST_PATIENCE);
  fd = srv_test_connect (server);
  handle_one (server, SRV_TEST_PATIENCE);
  srv_test_expect_done (fd);
  ck_assert (srv_test_is_quiet (kept_fd));
  ck_assert (srv_base_server_process_request (server,
                                              ((TestKeeper *) server)->kept,
                                              NULL));
  srv_test_expect_done (kept_fd);
  drop_server (server);
}
END_TEST

/* Forks by itself, in a fiber. */
static gboolean
fork_or_echo (SrvBaseRequestHandler *handler,
              gpointer user_data,
              GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  pid_t pid;

  if (srv_test_get_number (N_RUNNING) == 0)
    {
      srv_test_add_number (N_RUNNING, 1);
      return srv_test_echo_lines (handler, user_data, error);
    }
  pid = fork ();
  if (pid == 0)
    {
      srv_base_server_enter_child (srv_base_request_handler_get_server (
                                     handler),
                                   request, -1);
      _exit (0);
    }
  return waitpid (pid, NULL, 0) == pid &&
         srv_test_reply (handler, "done\n", error);
}

/* Neither the connections that fibers of the parent wait for, nor that they are
 * in its epoll set, is a child's business. */
START_TEST (connections_of_fibers_stay_open)
{
  SrvBaseServer *server = srv_test_server_new (SRV_TEST_TCP, SRV_TEST_FIBERS);
  SrvTestRun *run;
  int waiting;

  srv_base_server_set_handler_func (server, fork_or_echo, NULL, NULL);
  run = srv_test_run (server);
  waiting = srv_test_connect (server);
  srv_test_say (waiting, "one\n");
  srv_test_expect (waiting, "one\n");
  srv_test_expect_done (srv_test_connect (server));
  srv_test_say (waiting, "two\n");
  srv_test_expect (waiting, "two\n");
  srv_test_close (waiting);
  srv_test_finish (run);
}
END_TEST

static void
ignore_it (G_GNUC_UNUSED int signal_number)
{
}

static gboolean
has_action (int signal_number, sighandler_t handler)
{
  struct sigaction action;

  return sigaction (signal_number, NULL, &action) == 0 &&
         action.sa_handler == handler &&
         (action.sa_flags & (SA_NOCLDWAIT | SA_NODEFER)) == 0;
}

static gboolean
report_signals (SrvBaseRequestHandler *handler,
                G_GNUC_UNUSED gpointer user_data,
                GError **error)
{
  g_autofree char *text = NULL;
  sigset_t mask;
  guint n_blocked = 0;

  pthread_sigmask (SIG_SETMASK, NULL, &mask);
  for (int i = 1; i < SIGRTMIN; i++)
    n_blocked += sigismember (&mask, i) == 1;
  text =
    g_strdup_printf ("term %d, int %d, usr1 %d, chld %d, hup %d, blocked %u\n",
                     has_action (SIGTERM, SIG_DFL),
                     has_action (SIGINT, SIG_DFL),
                     has_action (SIGUSR1, SIG_DFL),
                     has_action (SIGCHLD, SIG_DFL),
                     has_action (SIGHUP, SIG_IGN), n_blocked);

  return srv_test_reply (handler, text, error);
}

/* A child can be ended with SIGTERM whatever its parent does with signals:
 * handlers of the parent are gone and nothing is blocked (SS-125). What the
 * parent takes SIGHUP for is not the child's business. */
START_TEST (signals_are_reset_in_the_child)
{
  struct sigaction action = { .sa_handler = ignore_it };
  struct sigaction no_zombies = { .sa_handler = ignore_it,
                                  .sa_flags = SA_NOCLDWAIT };
  SrvBaseServer *server = make_server (SRV_TEST_TCP, report_signals);
  g_autoptr (GError) error = NULL;
  sigset_t mask;
  int fd;

  ck_assert (srv_signals_bind (server, &error));
  sigaction (SIGUSR1, &action, NULL);
  sigaction (SIGHUP, &action, NULL);
  sigaction (SIGCHLD, &no_zombies, NULL);
  sigemptyset (&mask);
  sigaddset (&mask, SIGUSR2);
  sigaddset (&mask, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &mask, NULL);

  fd = srv_test_connect (server);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_expect (fd, "term 1, int 1, usr1 1, chld 1, hup 1, blocked 0\n");
  srv_test_close (fd);

  /* The parent's own are as they were. */
  pthread_sigmask (SIG_BLOCK, NULL, &mask);
  ck_assert_int_eq (sigismember (&mask, SIGUSR2), 1);
  ck_assert (has_action (SIGUSR1, ignore_it));
  srv_signals_unbind (server);
  drop_server (server);
}
END_TEST

static gboolean
stop_the_parent (SrvBaseRequestHandler *handler,
                 gpointer user_data,
                 GError **error)
{
  SrvBaseServer *server = srv_base_request_handler_get_server (handler);

  switch (GPOINTER_TO_INT (user_data))
    {
    case 0:
      srv_base_server_stop (server);
      break;
    case 1:
      srv_base_server_shutdown (server);
      break;
    case 2:
      srv_base_server_stop_from_signal (server);
      break;
    case 3:
      srv_base_server_server_close (server);
      break;
    default:
      break;
    }

  return srv_test_reply (handler, "done\n", error);
}

/* No call of a child ends the run of its parent, closes its listener or takes
 * its path away (SS-045). */
START_TEST (child_cannot_stop_the_parent)
{
  SrvBaseServer *server = make_server (SRV_TEST_UNIX, NULL);
  g_autofree char *path = srv_test_path ("socket");
  SrvTestRun *run;

  srv_base_server_set_handler_func (server, stop_the_parent,
                                    GINT_TO_POINTER (_i), NULL);
  srv_test_begin_log ();
  run = srv_test_run (server);
  for (int i = 1; i <= 3; i++)
    {
      int fd = srv_test_connect (server);

      srv_test_expect (fd, "done\n");
      srv_test_expect_end (fd);
      srv_test_close (fd);
      srv_test_wait_for_number (N_EXITED, i);
      ck_assert_int_eq (srv_test_get_number (LAST_STATUS), 0);
      ck_assert (g_file_test (path, G_FILE_TEST_EXISTS));
      ck_assert_int_eq (srv_base_server_get_state (server),
                        SRV_SERVER_STATE_SERVING);
    }
  srv_test_finish (run);
  ck_assert (!g_file_test (path, G_FILE_TEST_EXISTS));
  srv_test_end_log ();
}
END_TEST

static int some_state;

static gboolean
change_state (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d\n", some_state);

  some_state++;
  srv_base_server_set_timeout (srv_base_request_handler_get_server (handler),
                               1);

  return srv_test_reply (handler, text, error);
}

/* Each child works on a copy: what it changes, neither the parent nor the next
 * child sees. */
START_TEST (changes_stay_in_the_child)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, change_state);

  for (guint i = 0; i < 3; i++)
    {
      int fd = srv_test_connect (server);

      ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                        SRV_HANDLE_RESULT_HANDLED);
      srv_test_expect (fd, "0\n");
      srv_test_close (fd);
    }
  ck_assert_int_eq (some_state, 0);
  ck_assert_int_eq (srv_base_server_get_timeout (server), -1);
  drop_server (server);
}
END_TEST

static gboolean
follow_the_drain (SrvBaseRequestHandler *handler,
                  gpointer user_data,
                  GError **error)
{
  SrvRequest *request = srv_base_request_handler_get_request (handler);
  GCancellable *cancellable = NULL;
  g_autoptr (GError) reason = NULL;

  if (GPOINTER_TO_INT (user_data) == 0)
    cancellable = srv_base_request_handler_get_drain_cancellable (handler);
  srv_test_set_number (NOTE, srv_base_request_handler_is_draining (handler));
  srv_test_add_number (N_RUNNING, 1);

  if (cancellable == NULL)
    srv_test_wait_for_drain (handler);
  else if (srv_wait_fd (srv_request_fileno (request), G_IO_IN,
                        srv_test_deadline_in (SRV_TEST_PATIENCE), cancellable,
                        &reason) ||
           !g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return srv_test_reply (handler, "not cancelled\n", error);

  return srv_test_reply (handler,
                         srv_base_request_handler_is_draining (handler)
                           ? "draining\n"
                           : "cancelled only\n",
                         error);
}

/* A handler in a child learns that its parent drains, by question and by
 * cancellable. */
START_TEST (child_follows_the_drain)
{
  SrvBaseServer *server = make_server (SRV_TEST_TCP, NULL);
  SrvTestRun *run;
  int fd;

  srv_base_server_set_handler_func (server, follow_the_drain,
                                    GINT_TO_POINTER (_i), NULL);
  run = srv_test_run (server);
  fd = srv_test_connect (server);
  srv_test_wait_for_number (N_RUNNING, 1);
  ck_assert_int_eq (srv_test_get_number (NOTE), 0);
  srv_test_stop (run);
  drop_server (server);
  srv_test_expect (fd, "draining\n");
  srv_test_close (fd);
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "child", output_of_children_is_neither_lost_nor_doubled, 1 },
    { "child", child_has_only_its_connection, 2 },
    { "child", connections_of_the_parent_stay_open, 1 },
    { "child", connections_of_fibers_stay_open, 1 },
    { "child", signals_are_reset_in_the_child, 1 },
    { "child", child_cannot_stop_the_parent, 4 },
    { "child", changes_stay_in_the_child, 1 },
    { "child", child_follows_the_drain, 2 },
  };

  return srv_test_run_entries ("ForkingChild", tests, G_N_ELEMENTS (tests));
}
