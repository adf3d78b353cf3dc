/* srv-command-supervisor.c - the parent of a command
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A process between the server and the command. It keeps the time limit, and
 * is the one to which the system gives children that lost their parent: a
 * daemon that the command leaves behind stays within reach. When the command
 * has ended, when time is up, or when the server says so or has gone, it ends
 * everything: SIGTERM to the process group, SIGKILL after the grace time, and
 * to each child that was given to it until none is left.
 *
 * Not covered: a command that runs as the same user can stop or kill its
 * supervisor, and what it had moved to another session by then survives.
 *
 * Runs after a fork in a process that may have threads: only system calls are
 * allowed here, nothing of GLib, nothing that takes memory or a lock.
 */

#include "config.h"

#include "srv-command-supervisor-private.h"

#include "srv-command-exec-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Where the three descriptors are put; everything above is closed. */
#define CONTROL_FD  3
#define OUT_FD      4
#define ERR_FD      5
#define FIRST_OTHER 6

/* How often to look again for what was forked in the meantime. */
#define KILL_INTERVAL_MS 10

typedef struct
{
  const SrvCommandPlan *plan;
  pid_t command;
  int signal_fd; /* readable when a child has ended */
  SrvCommandCause cause;
} Supervisor;

static gint64
now_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A lost report is noticed by the end of the channel. */
static void
report (SrvCommandReportKind kind, int number, SrvCommandCause cause)
{
  const SrvCommandReport message = { kind, number, cause };

  while (send (CONTROL_FD, &message, sizeof message, MSG_NOSIGNAL) < 0 &&
         errno == EINTR)
    ;
}

/* The server's descriptors are not ours to keep: a connection that it closes
 * shall be closed. They are moved up first, out of each other's way. */
static gboolean
keep_only (int control, int out, int err)
{
  const int kept[] = { control, out, err };
  int moved[G_N_ELEMENTS (kept)];

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      moved[i] = fcntl (kept[i], F_DUPFD_CLOEXEC, FIRST_OTHER);
      if (moved[i] < 0)
        return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    if (dup3 (moved[i], CONTROL_FD + (int) i, O_CLOEXEC) < 0)
      return FALSE;
  return close_range (FIRST_OTHER, ~0U, 0) == 0 && srv_command_use_null (0, 2);
}

/* Own session, so that no terminal reaches us; own signals. */
static gboolean
become_supervisor (Supervisor *self)
{
  sigset_t ended;

  setsid ();
  srv_command_reset_signals ();
  sigemptyset (&ended);
  sigaddset (&ended, SIGCHLD);
  sigprocmask (SIG_BLOCK, &ended, NULL);
  self->signal_fd = signalfd (-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
  return self->signal_fd >= 0 && prctl (PR_SET_CHILD_SUBREAPER, 1) == 0;
}

static gboolean
start_command (Supervisor *self)
{
  const pid_t supervisor = getpid ();

  self->command = _Fork ();
  if (self->command == 0)
    {
      srv_command_exec (self->plan, supervisor, OUT_FD, ERR_FD);
      report (SRV_COMMAND_REPORT_FAILED, errno, SRV_COMMAND_CAUSE_NONE);
      _exit (127);
    }
  if (self->command < 0)
    report (SRV_COMMAND_REPORT_FAILED, errno, SRV_COMMAND_CAUSE_NONE);
  else
    report (SRV_COMMAND_REPORT_STARTED, self->command, SRV_COMMAND_CAUSE_NONE);
  close (OUT_FD);
  close (ERR_FD);
  return self->command > 0;
}

/* It stays a zombie until the end, so that its number, which is also the number
 * of its group, belongs to nobody else. */
static gboolean
has_command_ended (Supervisor *self)
{
  siginfo_t info = { .si_pid = 0 };

  return waitid (P_PID, (id_t) self->command, &info,
                 WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == self->command;
}

/* One child that is not the command: gone, or another one to be killed. */
static guint
visit_child (pid_t pid, int signo)
{
  if (waitpid (pid, NULL, WNOHANG) != 0)
    return 0;
  if (signo != 0)
    kill (pid, signo);
  return 1;
}

/* Collects children that were given to us, and signals those that live; with 0
 * none. Tells how many live. Where the system does not list children there are
 * none, and only the group is reached. */
static guint
visit_children (Supervisor *self, int signo)
{
  const int fd = open ("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  char text[512];
  guint n_alive = 0;
  pid_t pid = 0;
  gssize n;

  if (fd < 0)
    return 0;
  while ((n = read (fd, text, sizeof text)) > 0)
    for (gssize i = 0; i < n; i++)
      if (text[i] >= '0' && text[i] <= '9')
        pid = pid * 10 + (text[i] - '0');
      else
        {
          if (pid > 0 && pid != self->command)
            n_alive += visit_child (pid, signo);
          pid = 0;
        }
  close (fd);
  return n_alive;
}

static void
wait_for_child (Supervisor *self, gint64 timeout_ms)
{
  struct pollfd fd = { self->signal_fd, POLLIN, 0 };
  struct signalfd_siginfo info;

  if (poll (&fd, 1, (int) CLAMP (timeout_ms, 0, G_MAXINT)) > 0)
    while (read (self->signal_fd, &info, sizeof info) > 0)
      ;
}

/* What the server sends is a cause; its end of the channel closes with it. */
static SrvCommandCause
read_cause (void)
{
  guint8 cause;

  if (recv (CONTROL_FD, &cause, sizeof cause, 0) == sizeof cause)
    return (SrvCommandCause) cause;
  return SRV_COMMAND_CAUSE_SERVER_GONE;
}

/* Until the command has ended, or shall end. */
static void
watch_command (Supervisor *self)
{
  const gint64 limit_ms = self->plan->limits.timeout_ms;
  const gint64 deadline = now_ms () + limit_ms;
  struct pollfd fds[] = { { CONTROL_FD, POLLIN, 0 },
                          { self->signal_fd, POLLIN, 0 } };

  while (self->cause == SRV_COMMAND_CAUSE_NONE && !has_command_ended (self))
    {
      const gint64 left_ms = limit_ms > 0 ? deadline - now_ms () : -1;

      if (limit_ms > 0 && left_ms <= 0)
        self->cause = SRV_COMMAND_CAUSE_TIME;
      else if (poll (fds, G_N_ELEMENTS (fds), (int) left_ms) > 0)
        {
          if (fds[0].revents != 0)
            self->cause = read_cause ();
          wait_for_child (self, 0);
          visit_children (self, 0);
        }
    }
}

/* The group may not be there yet: then the command has only just been forked. */
static guint
signal_all (Supervisor *self, int signo)
{
  if (kill (-self->command, signo) != 0 && !has_command_ended (self))
    kill (self->command, signo);
  return visit_children (self, signo);
}

/* Whether the command and everything that it left to us is gone. */
static gboolean
is_all_gone (Supervisor *self, int signo)
{
  return visit_children (self, signo) == 0 && has_command_ended (self);
}

static void
end_everything (Supervisor *self)
{
  gint64 deadline = now_ms () + self->plan->limits.grace_ms;

  if (is_all_gone (self, 0))
    return;
  signal_all (self, SIGTERM);
  while (!is_all_gone (self, 0) && now_ms () < deadline)
    wait_for_child (self, deadline - now_ms ());
  deadline = now_ms () + SRV_COMMAND_KILL_MS;
  while (!is_all_gone (self, 0) && now_ms () < deadline)
    {
      signal_all (self, SIGKILL);
      wait_for_child (self, KILL_INTERVAL_MS);
    }
}

/* The list of children can miss one while others end, but wait does not: once
 * the command is collected, it says for sure whether anybody is left. */
static void
end_stragglers (Supervisor *self)
{
  const gint64 deadline = now_ms () + SRV_COMMAND_KILL_MS;

  while (waitpid (-1, NULL, WNOHANG) >= 0 && now_ms () < deadline)
    {
      visit_children (self, SIGKILL);
      wait_for_child (self, KILL_INTERVAL_MS);
    }
}

/* Watches over one command until nothing of it is left, and tells how it
 * ended. */
void
srv_command_supervise (const SrvCommandPlan *plan,
                       int control,
                       int out,
                       int err)
{
  Supervisor self = { .plan = plan, .cause = SRV_COMMAND_CAUSE_NONE };
  int wait_status = 0;

  if (!keep_only (control, out, err) || !become_supervisor (&self))
    _exit (1);
  if (!start_command (&self))
    _exit (1);
  watch_command (&self);
  end_everything (&self);
  if (waitpid (self.command, &wait_status, WNOHANG) != self.command)
    wait_status = SIGKILL;
  end_stragglers (&self);
  report (SRV_COMMAND_REPORT_ENDED, wait_status, self.cause);
  _exit (0);
}
