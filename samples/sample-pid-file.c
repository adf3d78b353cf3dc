/* sample-pid-file.c - the option --pid-file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A lock, and not the number in the file, says whether the process lives: the
 * system takes it away with the process, however that ends, and numbers are
 * used again. The lock belongs to the process alone. A lock by flock (2) would
 * be held by forked children, too, and outlive their parent.
 */

#include "sample-pid-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LENGTH 16 /* a number and a newline */

struct _SamplePidFile
{
  char *path;
  int fd; /* whose lock is held */
  pid_t pid;
};

static void
set_error (GError **error, const char *path, const char *what, int code)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               "could not %s PID file %s: %s", what, path, g_strerror (code));
}

/* Who removes a file does so while its lock is held: a lock on a file that is
 * not at its path any more is worth nothing. */
static gboolean
is_at_path (int fd, const char *path)
{
  struct stat own;
  struct stat there;

  return fstat (fd, &own) == 0 && lstat (path, &there) == 0 &&
         own.st_ino == there.st_ino && own.st_dev == there.st_dev;
}

static gboolean
lock_file (int fd, const char *path, GError **error)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int code;

  if (fcntl (fd, F_SETLK, &lock) == 0)
    return TRUE;
  code = errno;
  if ((code == EAGAIN || code == EACCES) && fcntl (fd, F_GETLK, &lock) == 0 &&
      lock.l_type != F_UNLCK)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                 "could not take PID file %s: process %d has it", path,
                 (int) lock.l_pid);
  else
    set_error (error, path, "lock", code);
  return FALSE;
}

/* Gives a descriptor, or -1. */
static int
open_locked (const char *path, GError **error)
{
  for (;;)
    {
      int fd =
        open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644);

      if (fd < 0)
        {
          set_error (error, path, "open", errno);
          return -1;
        }
      if (!lock_file (fd, path, error))
        {
          close (fd);
          return -1;
        }
      if (is_at_path (fd, path))
        return fd;
      close (fd);
    }
}

/* Whoever mistypes a name shall not lose what is there. */
static gboolean
is_fit (int fd, const char *path, GError **error)
{
  char text[MAX_LENGTH + 2] = "";
  struct stat status;
  gssize n = -1;

  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    n = pread (fd, text, MAX_LENGTH + 1, 0);
  if (n >= 0 && n <= MAX_LENGTH && strspn (text, "0123456789\n") == (gsize) n)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
               "could not take PID file %s: it is something else", path);
  return FALSE;
}

/* Whoever reads it meanwhile does not find it empty. */
static gboolean
write_number (int fd, const char *path, pid_t pid, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d\n", (int) pid);
  const gsize length = strlen (text);

  if (pwrite (fd, text, length, 0) == (gssize) length &&
      ftruncate (fd, (off_t) length) == 0)
    return TRUE;
  set_error (error, path, "write", errno);
  return FALSE;
}

SamplePidFile *
sample_pid_file_new (const char *path, GError **error)
{
  SamplePidFile *self;
  const pid_t pid = getpid ();
  int fd = open_locked (path, error);

  if (fd < 0)
    return NULL;
  if (!is_fit (fd, path, error) || !write_number (fd, path, pid, error))
    {
      close (fd);
      return NULL;
    }
  self = g_new (SamplePidFile, 1);
  /* The program may go elsewhere before it ends. */
  self->path = g_canonicalize_filename (path, NULL);
  self->fd = fd;
  self->pid = pid;
  return self;
}

void
sample_pid_file_free (SamplePidFile *self)
{
  if (self->pid == getpid () && is_at_path (self->fd, self->path))
    unlink (self->path);
  close (self->fd);
  g_free (self->path);
  g_free (self);
}
