/* srv-command-process.c - the server's side of one running command
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Starts a supervisor, which starts the command. Three descriptors lead there:
 * the two outputs, which are never waited for here, and a channel for reports.
 */

#include "config.h"

#include "srv-command-process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <socketserver.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The far ends of the descriptors. */
typedef struct
{
  int control;
  int out;
  int err;
} FarEnds;

static void
clear_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
clear_far_ends (FarEnds *far)
{
  clear_fd (&far->control);
  clear_fd (&far->out);
  clear_fd (&far->err);
}

/* Only our end does not block: the command waits when nobody reads. */
static gboolean
open_pipe (int *near, int *far)
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return FALSE;
  *near = ends[0];
  *far = ends[1];
  return fcntl (*near, F_SETFL, O_NONBLOCK) == 0;
}

static gboolean
open_channels (SrvCommandProcess *self, FarEnds *far)
{
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return FALSE;
  self->control = ends[0];
  far->control = ends[1];
  return open_pipe (&self->out, &far->out) && open_pipe (&self->err, &far->err);
}

/* No signal may come between the fork and the moment when the child has reset
 * its handlers: they would act on what belongs to the server. GLib's ways to
 * start a process are of no use here, since its child watches need a thread
 * that servers which fork must not have. */
static gboolean
fork_supervisor (SrvCommandProcess *self,
                 const SrvCommandPlan *plan,
                 const FarEnds *far)
{
  sigset_t all;
  sigset_t before;
  int code;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  self->supervisor = _Fork ();
  code = errno;
  if (self->supervisor == 0)
    srv_command_supervise (plan, far->control, far->out, far->err);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  errno = code;
  return self->supervisor > 0;
}

gboolean
srv_command_process_start (SrvCommandProcess *self,
                           const SrvCommandPlan *plan,
                           GError **error)
{
  FarEnds far = { -1, -1, -1 };
  gboolean ok;
  int code;

  *self = (SrvCommandProcess){ .control = -1, .out = -1, .err = -1 };
  ok = open_channels (self, &far) && fork_supervisor (self, plan, &far);
  code = errno;
  clear_far_ends (&far);
  if (ok)
    return TRUE;
  srv_command_process_clear (self);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               "could not start a process: %s", g_strerror (code));
  return FALSE;
}

/* FALSE when the supervisor is gone: no report comes any more. */
gboolean
srv_command_process_read_report (SrvCommandProcess *self,
                                 SrvCommandReport *report)
{
  gssize n;

  do
    n = recv (self->control, report, sizeof *report, 0);
  while (n < 0 && errno == EINTR);
  if (n != sizeof *report)
    return FALSE;
  if (report->kind == SRV_COMMAND_REPORT_STARTED)
    self->command = report->number;
  return TRUE;
}

/* Asks the supervisor to end everything; it takes up to the grace time. */
void
srv_command_process_end (SrvCommandProcess *self, SrvCommandCause cause)
{
  const guint8 message = (guint8) cause;

  while (send (self->control, &message, sizeof message, MSG_NOSIGNAL) < 0 &&
         errno == EINTR)
    ;
}

/* For a supervisor that does not answer, because somebody has stopped it. It
 * has not collected the command then, so that the number still is its. */
void
srv_command_process_kill (SrvCommandProcess *self)
{
  if (self->command > 0)
    kill (-self->command, SIGKILL);
  kill (self->supervisor, SIGKILL);
}

/* In a fiber, others run meanwhile. Where the system has no such descriptors,
 * waitpid () waits. */
static void
wait_for_supervisor (SrvCommandProcess *self)
{
  const int fd = pidfd_open (self->supervisor, 0);

  if (fd < 0)
    return;
  srv_wait_fd (fd, G_IO_IN, -1, NULL, NULL);
  close (fd);
}

/* To be called when the last report has come: the supervisor ends right after
 * it, so this does not wait for long. */
void
srv_command_process_clear (SrvCommandProcess *self)
{
  clear_fd (&self->out);
  clear_fd (&self->err);
  clear_fd (&self->control);
  if (self->supervisor > 0)
    wait_for_supervisor (self);
  if (self->supervisor > 0)
    while (waitpid (self->supervisor, NULL, 0) < 0 && errno == EINTR)
      ;
  self->supervisor = 0;
}
