/* srv-unix-path.c - the claim of a server on a path
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A socket file outlives the process that made it, so a server that starts
 * finds its own leftovers. Removing whatever is there, as many programs do,
 * steals the name of a server that is alive: it keeps running and never sees a
 * client again. So:
 *
 *  1. lock a sibling file; whoever holds the lock is alive;
 *  2. look at what is there; what is no socket is not ours to remove;
 *  3. knock: only a socket that nobody listens on is dead, and removed;
 *  4. bind, and remember which file that made;
 *  5. at the end remove the path only if it is still that file, and only in
 *     the process that made it.
 *
 * The lock file is removed at the end as well. That is safe because every
 * taker checks, after it has got the lock, that the locked file is still the
 * one that the name leads to.
 */

#include "config.h"

#include "srv-unix-path-private.h"

#include "srv-errno-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct _SrvUnixPath
{
  char *path; /* absolute, so that a change of directory does no harm */
  struct sockaddr_un name;
  char *lock_path;
  int lock_fd; /* -1: not locked */
  pid_t creator;
  dev_t device; /* of the file that bind made */
  ino_t inode;
  gboolean bound;
};

static gboolean
fail (const char *what, const char *path, int code, GError **error)
{
  return srv_set_errno_error (error, code, "could not %s %s", what, path);
}

static gboolean
fail_in_use (SrvUnixPath *self, const char *who, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
               "could not bind %s: %s", self->path, who);
  return FALSE;
}

/* Whether the file behind the descriptor still has the name. */
static gboolean
is_current (int fd, const char *path)
{
  struct stat opened, named;

  return fstat (fd, &opened) == 0 && lstat (path, &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static gboolean
take_lock (SrvUnixPath *self, GError **error)
{
  for (;;)
    {
      int fd =
        open (self->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

      if (fd < 0)
        return fail ("open", self->lock_path, errno, error);
      if (flock (fd, LOCK_EX | LOCK_NB) != 0)
        {
          int code = errno;

          close (fd);
          if (code == EINTR)
            continue;
          return code == EWOULDBLOCK
                   ? fail_in_use (self, "another server holds its lock", error)
                   : fail ("lock", self->lock_path, code, error);
        }
      if (is_current (fd, self->lock_path))
        {
          self->lock_fd = fd;
          return TRUE;
        }
      /* Its last owner has just removed it; the name leads elsewhere now. */
      close (fd);
    }
}

/* The error of a knock at the socket, 0 when somebody opened. */
static int
knock (SrvUnixPath *self, int socket_type)
{
  int fd = socket (AF_UNIX, socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int code = 0;

  if (fd < 0)
    return errno;
  if (connect (fd, (struct sockaddr *) &self->name, sizeof self->name) != 0)
    code = errno;
  close (fd);
  return code;
}

static gboolean
remove_dead (SrvUnixPath *self, int socket_type, GError **error)
{
  struct stat there;
  int code;

  if (lstat (self->path, &there) != 0)
    return errno == ENOENT || fail ("look at", self->path, errno, error);
  if (!S_ISSOCK (there.st_mode))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                   "could not bind %s: there is a file that is not a socket",
                   self->path);
      return FALSE;
    }
  /* Everything but "nobody listens" counts as alive: a full queue, a socket
   * of the other type, a socket that we may not talk to. */
  code = knock (self, socket_type);
  if (code == ENOENT)
    return TRUE;
  if (code != ECONNREFUSED)
    return fail_in_use (self, "another server listens there", error);
  if (unlink (self->path) != 0 && errno != ENOENT)
    return fail ("remove the dead socket", self->path, errno, error);
  return TRUE;
}

static gboolean
set_name (SrvUnixPath *self, const char *path, GError **error)
{
  /* The shorter of the two spellings: a long directory may be ours already. */
  const char *name =
    strlen (self->path) < sizeof self->name.sun_path ? self->path : path;

  self->name.sun_family = AF_UNIX;
  if (strlen (name) >= sizeof self->name.sun_path)
    {
      g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG,
        "could not bind %s: a Unix path can have %d bytes, this one has %d",
        path, (int) sizeof self->name.sun_path - 1, (int) strlen (name));
      return FALSE;
    }
  strcpy (self->name.sun_path, name);
  return TRUE;
}

SrvUnixPath *
srv_unix_path_claim (const char *path,
                     int socket_type,
                     gboolean take_over,
                     GError **error)
{
  g_autoptr (SrvUnixPath) self = g_new0 (SrvUnixPath, 1);

  self->lock_fd = -1;
  self->creator = getpid ();
  self->path = g_canonicalize_filename (path, NULL);
  self->lock_path = g_strconcat (self->path, ".lock", NULL);
  if (!set_name (self, path, error))
    return NULL;
  if (take_over &&
      (!take_lock (self, error) || !remove_dead (self, socket_type, error)))
    return NULL;
  return g_steal_pointer (&self);
}

/* What bind () gives a path by itself. Asking with umask () would change it for
 * a moment, for every thread. */
static mode_t
default_mode (void)
{
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0700;
  line = strstr (status, "\nUmask:");
  if (line == NULL)
    return 0700;
  return 0777 &
         ~(mode_t) g_ascii_strtoull (line + strlen ("\nUmask:"), NULL, 8);
}

/* The file is born with mode 0 where a mode or an owner was asked for, and
 * gets its rights when it belongs to the right people; so nobody can come in
 * between. Changing the umask instead would hit every thread. */
gboolean
srv_unix_path_bind (SrvUnixPath *self,
                    int fd,
                    int mode,
                    int owner,
                    int group,
                    GError **error)
{
  gboolean restricted = mode >= 0 || owner >= 0 || group >= 0;
  struct stat born;

  if (restricted && fchmod (fd, 0) != 0)
    return fail ("set the mode of", self->path, errno, error);
  if (bind (fd, (struct sockaddr *) &self->name, sizeof self->name) != 0)
    return fail ("bind", self->path, errno, error);
  self->bound = TRUE;
  if (lstat (self->path, &born) != 0)
    return fail ("look at", self->path, errno, error);
  self->device = born.st_dev;
  self->inode = born.st_ino;
  if (!restricted)
    return TRUE;
  if ((owner >= 0 || group >= 0) &&
      lchown (self->path, (uid_t) owner, (gid_t) group) != 0)
    return fail ("set the owner of", self->path, errno, error);
  if (chmod (self->path, mode >= 0 ? (mode_t) mode : default_mode ()) != 0)
    return fail ("set the mode of", self->path, errno, error);
  return TRUE;
}

/* Removes the path, and then the lock. Only the process that made the claim
 * can do it: a forked child has a copy of all this. */
void
srv_unix_path_release (SrvUnixPath *self)
{
  struct stat there;

  if (self->creator != getpid ())
    return;
  if (self->bound && lstat (self->path, &there) == 0 &&
      there.st_dev == self->device && there.st_ino == self->inode)
    unlink (self->path);
  self->bound = FALSE;
  if (self->lock_fd >= 0)
    {
      unlink (self->lock_path);
      close (self->lock_fd);
      self->lock_fd = -1;
    }
}

int
srv_unix_path_get_lock_fd (const SrvUnixPath *self)
{
  return self->lock_fd;
}

void
srv_unix_path_free (SrvUnixPath *self)
{
  srv_unix_path_release (self);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  g_free (self->lock_path);
  g_free (self->path);
  g_free (self);
}
