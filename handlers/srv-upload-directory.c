/* srv-upload-directory.c - names and room in an upload directory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An upload that runs holds a lock on its temporary file, which the kernel
 * takes back when the process dies, in whatever way. So whether a temporary
 * file is alive can be asked at any time, by any process, without a list that
 * could go wrong; and the room that it will need stands in its name. A running
 * total in a file would be faster than adding up, and wrong after the first
 * crash or the first file that somebody has removed by hand.
 */

#include "config.h"

#include "srv-upload-directory-private.h"

#include "srv-upload-protocol-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

#define LOCK_NAME        ".srv-upload-lock"
#define LOCK_PATIENCE_US (10 * G_USEC_PER_SEC)
#define LOCK_PAUSE_US    2000
#define MAX_SIBLINGS     999

gboolean
srv_upload_fail_errno (const char *what, int saved_errno, GError **error)
{
  SrvUploadError code = saved_errno == ENOSPC || saved_errno == EDQUOT ||
                            saved_errno == EFBIG
                          ? SRV_UPLOAD_ERROR_NO_SPACE
                          : SRV_UPLOAD_ERROR_FAILED;

  g_set_error (error, SRV_UPLOAD_ERROR, code, "could not %s: %s", what,
               g_strerror (saved_errno));
  return FALSE;
}

int
srv_upload_open (int dir_fd, const char *name, int flags, guint mode)
{
  flags |= O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
#ifdef SYS_openat2
  {
    const struct open_how how = {
      .flags = (guint64) flags,
      .mode = (flags & O_CREAT) != 0 ? mode : 0,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    long fd = syscall (SYS_openat2, dir_fd, name, &how, sizeof how);

    /* An old kernel does not know it, a sandbox may forbid it. */
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
      return (int) fd;
  }
#endif
  return openat (dir_fd, name, flags, mode);
}

/* A lock that is held for ever must not hold everybody; the kernel has no
 * waiting for a lock with a time limit. */
static gboolean
wait_for_lock (int fd, GError **error)
{
  const gint64 deadline = g_get_monotonic_time () + LOCK_PATIENCE_US;

  while (flock (fd, LOCK_EX | LOCK_NB) != 0)
    {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return srv_upload_fail_errno ("lock the directory", errno, error);
      if (g_get_monotonic_time () > deadline)
        {
          g_set_error_literal (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_BUSY,
                               "could not lock the directory: it stays locked");
          return FALSE;
        }
      g_usleep (LOCK_PAUSE_US);
    }
  return TRUE;
}

int
srv_upload_lock (int dir_fd, GError **error)
{
  int fd = srv_upload_open (dir_fd, LOCK_NAME, O_RDWR | O_CREAT, 0600);

  if (fd < 0)
    {
      srv_upload_fail_errno ("open the lock of the directory", errno, error);
      return -1;
    }
  if (wait_for_lock (fd, error))
    return fd;
  close (fd);
  return -1;
}

static guint64
announced_size (const char *name)
{
  return g_ascii_strtoull (name + strlen (SRV_UPLOAD_PARTIAL), NULL, 16);
}

static gboolean
is_expired (const struct stat *status, guint partial_lifetime)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  return now - status->st_mtime >= (gint64) partial_lifetime;
}

/* A temporary file of somebody who is alive, is to be resumed, or is gone. */
static void
scan_temporary (int dir_fd,
                const char *name,
                guint partial_lifetime,
                SrvUploadUsage *usage)
{
  int fd = srv_upload_open (dir_fd, name, O_RDWR, 0);
  struct stat status = { 0 };
  gboolean is_file = fd >= 0 && fstat (fd, &status) == 0 &&
                     S_ISREG (status.st_mode);
  gboolean is_alive = is_file && flock (fd, LOCK_EX | LOCK_NB) != 0;
  gboolean can_resume = is_file && g_str_has_prefix (name, SRV_UPLOAD_PARTIAL);

  if (is_alive)
    {
      usage->bytes += MAX (announced_size (name), (guint64) status.st_size);
      usage->n_files++;
    }
  else if (can_resume && !is_expired (&status, partial_lifetime))
    {
      usage->bytes += (guint64) status.st_size;
      usage->n_files++;
    }
  else
    unlinkat (dir_fd, name, 0);
  if (fd >= 0)
    close (fd);
}

static void
scan_entry (int dir_fd,
            const char *name,
            guint partial_lifetime,
            SrvUploadUsage *usage)
{
  struct stat status;

  if (g_str_has_prefix (name, SRV_UPLOAD_TEMPORARY) ||
      g_str_has_prefix (name, SRV_UPLOAD_PARTIAL))
    {
      scan_temporary (dir_fd, name, partial_lifetime, usage);
      return;
    }
  if (fstatat (dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  usage->n_files++;
  if (S_ISREG (status.st_mode))
    usage->bytes += (guint64) status.st_size;
}

static gboolean
is_to_be_scanned (const char *name, const char *own)
{
  return strcmp (name, ".") != 0 && strcmp (name, "..") != 0 &&
         strcmp (name, LOCK_NAME) != 0 && g_strcmp0 (name, own) != 0;
}

gboolean
srv_upload_scan (int dir_fd,
                 guint partial_lifetime,
                 const char *own,
                 SrvUploadUsage *usage,
                 GError **error)
{
  int fd = srv_upload_open (dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
  DIR *directory = fd >= 0 ? fdopendir (fd) : NULL;
  const struct dirent *entry;
  int code;

  memset (usage, 0, sizeof *usage);
  if (directory == NULL)
    {
      code = errno;
      if (fd >= 0)
        close (fd);
      return srv_upload_fail_errno ("read the directory", code, error);
    }
  errno = 0;
  while ((entry = readdir (directory)) != NULL)
    {
      if (is_to_be_scanned (entry->d_name, own))
        scan_entry (dir_fd, entry->d_name, partial_lifetime, usage);
      errno = 0;
    }
  code = errno;
  closedir (directory);
  return code == 0 || srv_upload_fail_errno ("read the directory", code, error);
}

gboolean
srv_upload_check_space (int dir_fd,
                        guint64 size,
                        guint64 keep_free,
                        GError **error)
{
  struct statvfs status;
  guint64 available;

  if (fstatvfs (dir_fd, &status) != 0)
    return srv_upload_fail_errno ("ask for free space", errno, error);
  available = (guint64) status.f_bavail * status.f_frsize;
  if (available >= keep_free && available - keep_free >= size)
    return TRUE;
  return srv_upload_fail_errno ("reserve space", ENOSPC, error);
}

/* Without replacing anything. Some file systems cannot rename like this; there
 * the file has two names for a moment. */
static int
rename_to_free (int dir_fd, const char *from, const char *to)
{
  if (renameat2 (dir_fd, from, dir_fd, to, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return -1;
  if (linkat (dir_fd, from, dir_fd, to, 0) != 0)
    return -1;
  return unlinkat (dir_fd, from, 0);
}

/* a.txt, a-2.txt, a-3.txt */
static char *
name_sibling (const char *name, int number)
{
  const char *dot = strrchr (name, '.');
  const char *end = dot != NULL ? dot : name + strlen (name);

  if (number == 1)
    return g_strdup (name);
  return g_strdup_printf ("%.*s-%d%s", (int) (end - name), name, number, end);
}

char *
srv_upload_publish (int dir_fd,
                    const char *temporary,
                    const char *wanted,
                    SrvUploadExisting existing,
                    GError **error)
{
  const int last = existing == SRV_UPLOAD_EXISTING_KEEP_BOTH ? MAX_SIBLINGS : 1;

  for (int number = 1; number <= last; number++)
    {
      g_autofree char *name = name_sibling (wanted, number);
      int result = existing == SRV_UPLOAD_EXISTING_REPLACE
                     ? renameat (dir_fd, temporary, dir_fd, name)
                     : rename_to_free (dir_fd, temporary, name);

      if (result == 0)
        return g_steal_pointer (&name);
      if (errno != EEXIST)
        {
          srv_upload_fail_errno ("give the file its name", errno, error);
          return NULL;
        }
    }
  g_set_error_literal (error, SRV_UPLOAD_ERROR, SRV_UPLOAD_ERROR_EXISTS,
                       "could not store the file: the name is taken");
  return NULL;
}
