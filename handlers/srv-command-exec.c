/* srv-command-exec.c - a process turns into a command
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs after a fork in a process that may have threads: only system calls are
 * allowed here, nothing of GLib, nothing that takes memory or a lock.
 */

#include "config.h"

#include "srv-command-exec-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Handlers and masks of the service mean nothing here. Ignored signals are
 * reset as well: SIGPIPE is what ends a command whose reader has gone. */
void
srv_command_reset_signals (void)
{
  sigset_t none;

  for (int signo = 1; signo < NSIG; signo++)
    if (signo != SIGKILL && signo != SIGSTOP)
      signal (signo, SIG_DFL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* Lets descriptors lead nowhere. */
gboolean
srv_command_use_null (int from, int to)
{
  const int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null < 0)
    return FALSE;
  for (int fd = from; fd <= to; fd++)
    if (null != fd && dup2 (null, fd) < 0)
      return FALSE;
  return TRUE;
}

/* Never above what the server itself may have. */
static gboolean
set_limit (int resource, guint64 soft, guint64 hard)
{
  struct rlimit limit;

  if (getrlimit (resource, &limit) != 0)
    return FALSE;
  limit.rlim_max = MIN (limit.rlim_max, (rlim_t) hard);
  limit.rlim_cur = MIN (limit.rlim_max, (rlim_t) soft);
  return setrlimit (resource, &limit) == 0;
}

/* The CPU limit comes as SIGXCPU first, and a second later as SIGKILL. */
static gboolean
set_limits (const SrvCommandLimits *limits)
{
  return set_limit (RLIMIT_CORE, 0, 0) &&
         (limits->max_memory_bytes == 0 ||
          set_limit (RLIMIT_AS, limits->max_memory_bytes,
                     limits->max_memory_bytes)) &&
         (limits->max_file_bytes == 0 ||
          set_limit (RLIMIT_FSIZE, limits->max_file_bytes,
                     limits->max_file_bytes)) &&
         (limits->max_processes == 0 ||
          set_limit (RLIMIT_NPROC, limits->max_processes,
                     limits->max_processes)) &&
         (limits->max_cpu_seconds == 0 ||
          set_limit (RLIMIT_CPU, limits->max_cpu_seconds,
                     (guint64) limits->max_cpu_seconds + 1));
}

/* Without the right to gain privileges, nothing that the command starts can
 * become somebody whom the supervisor may not kill. */
void
srv_command_exec (const SrvCommandPlan *plan, pid_t parent, int out, int err)
{
  if (prctl (PR_SET_PDEATHSIG, SIGKILL) != 0)
    return;
  errno = ESRCH;
  if (getppid () != parent)
    return;
  if (setsid () < 0 || !srv_command_use_null (0, 0) || dup2 (out, 1) < 0 ||
      dup2 (err, 2) < 0 || !set_limits (&plan->limits) ||
      prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      chdir (plan->directory) != 0)
    return;
  srv_command_reset_signals ();
  execve (plan->argv[0], plan->argv, plan->environment);
}
