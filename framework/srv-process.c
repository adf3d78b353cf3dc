/* srv-process.c - what there is to know about processes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-process-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_SYS_SINGLE_THREADED_H
#include <sys/single_threaded.h>
#endif

/* A number in the code: a table would be one more page for each child to find. */
#define BIT(signo) (1u << (signo))
#define CAUGHT                                                     \
  (BIT (SIGHUP) | BIT (SIGINT) | BIT (SIGQUIT) | BIT (SIGPIPE) |   \
   BIT (SIGALRM) | BIT (SIGTERM) | BIT (SIGUSR1) | BIT (SIGUSR2) | \
   BIT (SIGCHLD))

/* The C library may know that there has never been a second one, which saves a
 * system call for each request. Otherwise, every thread has a directory there, so
 * the links tell their number. */
gboolean
srv_process_has_threads (void)
{
  struct stat tasks;

#ifdef HAVE_SYS_SINGLE_THREADED_H
  if (__libc_single_threaded)
    return FALSE;
#endif
  return stat ("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;
}

/* Signals that a service may have caught do their default again, and none is
 * blocked: a child that inherited a handler but not the loop behind it could
 * not even be terminated. What is ignored stays ignored. To a service that
 * catches it, SIGHUP is no hang-up but the wish to read its files anew; sent to
 * the group, it must not end the requests that are being served. */
void
srv_process_reset_signals (void)
{
  struct sigaction action;
  sigset_t none;

  for (int signo = 1; signo < 32; signo++)
    if ((CAUGHT & BIT (signo)) != 0 && sigaction (signo, NULL, &action) == 0 &&
        action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL)
      {
        action.sa_handler = signo == SIGHUP ? SIG_IGN : SIG_DFL;
        action.sa_flags = 0;
        sigaction (signo, &action, NULL);
      }
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* How much memory this process has in use, in bytes, what it shares with others
 * included; 0 if nobody knows. */
guint64
srv_process_get_memory (void)
{
  char text[128];
  int fd = open ("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  gssize n = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;
  const char *pages;

  if (fd >= 0)
    close (fd);
  if (n <= 0)
    return 0;
  text[n] = '\0';
  /* The first number is the size of the address space. */
  pages = strchr (text, ' ');
  return pages == NULL ? 0
                       : g_ascii_strtoull (pages, NULL, 10) *
                           (guint64) sysconf (_SC_PAGESIZE);
}

/* A descriptor that becomes readable when a child ends; -1 without one. */
int
srv_process_open_pidfd (pid_t pid)
{
  return (int) syscall (SYS_pidfd_open, pid, 0);
}

/* Whether a child has ended, and how. Somebody else may have waited for it, or
 * nobody needs to because SIGCHLD is ignored; then it has ended all the same,
 * and -1 stands for how. */
gboolean
srv_process_has_ended (pid_t pid, int *wait_status)
{
  pid_t ended;

  do
    ended = waitpid (pid, wait_status, WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended < 0)
    *wait_status = -1;
  return ended == pid || (ended < 0 && errno == ECHILD);
}
