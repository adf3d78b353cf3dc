/* srv-upload-file.c - one file on its way into a store
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * O_TMPFILE would need no name and no cleaning up, but other processes could
 * not see what it reserves, and a client could not come back to it. So the file
 * has a hidden name and a lock instead; see srv-upload-directory.c.
 */

#include "config.h"

#include "srv-upload-file-private.h"

#include "srv-upload-directory-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_CHUNK 65536
#define ID_DIGITS  32

struct _SrvUploadFile
{
  SrvUploadStore *store;         /* owned */
  const SrvUploadHeader *header; /* borrowed */
  char *temporary;               /* owned; its name until the commit */
  char *name;                    /* owned; its name after it */
  int fd;                        /* owned; -1 when there is none */
  GChecksum *checksum;           /* owned; of what is there */
  guint64 received;
  gboolean keep; /* what is there is of use to a client that comes back */

  const guint8 *chunk; /* borrowed, of the next write */
  gsize chunk_length;
};

static gboolean
fail (SrvUploadError code, const char *why, GError **error)
{
  g_set_error (error, SRV_UPLOAD_ERROR, code, "could not store the file: %s",
               why);
  return FALSE;
}

SrvUploadFile *
srv_upload_file_new (SrvUploadStore *store, const SrvUploadHeader *header)
{
  SrvUploadFile *self = g_new0 (SrvUploadFile, 1);

  self->store = g_object_ref (store);
  self->header = header;
  self->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  self->fd = -1;
  return self;
}

/* Whether the name still means the file that is open: somebody may have put a
 * link or another file in its place. */
static gboolean
is_still_there (SrvUploadFile *self)
{
  struct stat ours, theirs;

  return fstat (self->fd, &ours) == 0 &&
         fstatat (srv_upload_store_get_fd (self->store), self->temporary,
                  &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Cutting it to its length gives back the room that was reserved. */
static void
give_back (SrvUploadFile *self)
{
  const gboolean keep = self->keep && self->header->checksum != NULL &&
                        self->received > 0;

  if (keep && ftruncate (self->fd, (off_t) self->received) == 0)
    return;
  if (is_still_there (self))
    unlinkat (srv_upload_store_get_fd (self->store), self->temporary, 0);
}

gboolean
srv_upload_file_abandon (SrvUploadFile *self, G_GNUC_UNUSED GError **error)
{
  if (self->fd >= 0 && self->name == NULL)
    give_back (self);
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  return TRUE;
}

void
srv_upload_file_free (SrvUploadFile *self)
{
  srv_upload_file_abandon (self, NULL);
  g_checksum_free (self->checksum);
  g_free (self->temporary);
  g_free (self->name);
  g_object_unref (self->store);
  g_free (self);
}

void
srv_upload_file_set_chunk (SrvUploadFile *self,
                           const guint8 *chunk,
                           gsize length)
{
  self->chunk = chunk;
  self->chunk_length = length;
}

guint64
srv_upload_file_get_received (SrvUploadFile *self)
{
  return self->received;
}

const char *
srv_upload_file_get_name (SrvUploadFile *self)
{
  return self->name;
}

const char *
srv_upload_file_get_checksum (SrvUploadFile *self)
{
  return g_checksum_get_string (self->checksum);
}

/* An upload that declares its checksum finds its part again under a name made
 * from all that was declared; no other upload has the same. The others get a
 * name of chance: two forked processes may have the same state of GLib's. */
static gboolean
choose_temporary (SrvUploadFile *self, GError **error)
{
  const SrvUploadHeader *header = self->header;
  g_autoptr (GChecksum) id = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 random[ID_DIGITS / 2];

  if (header->checksum != NULL)
    {
      g_checksum_update (id, (const guchar *) header->checksum, -1);
      g_checksum_update (id, (const guchar *) header->name, -1);
    }
  else if (getrandom (random, sizeof random, 0) == sizeof random)
    g_checksum_update (id, random, sizeof random);
  else
    return srv_upload_fail_errno ("find a name", errno, error);
  self->temporary =
    g_strdup_printf ("%s%016" G_GINT64_MODIFIER "x-%.*s",
                     header->checksum != NULL ? SRV_UPLOAD_PARTIAL
                                              : SRV_UPLOAD_TEMPORARY,
                     header->size, ID_DIGITS, g_checksum_get_string (id));
  return TRUE;
}

/* All that can be said without looking at the directory. The limit of the
 * process would end in a signal. */
static gboolean
check_size (SrvUploadFile *self, GError **error)
{
  struct rlimit limit;

  if (self->header->size >
      srv_upload_store_get_limits (self->store)->max_file_size)
    return fail (SRV_UPLOAD_ERROR_TOO_LARGE, "it is too large", error);
  if (getrlimit (RLIMIT_FSIZE, &limit) == 0 &&
      limit.rlim_cur != RLIM_INFINITY && self->header->size > limit.rlim_cur)
    return srv_upload_fail_errno ("reserve space", EFBIG, error);
  return TRUE;
}

static gboolean
check_room (SrvUploadFile *self, GError **error)
{
  const SrvUploadLimits *limits = srv_upload_store_get_limits (self->store);
  const int dir_fd = srv_upload_store_get_fd (self->store);
  struct stat status;
  SrvUploadUsage usage;

  if (limits->existing == SRV_UPLOAD_EXISTING_REFUSE &&
      fstatat (dir_fd, self->header->name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    return fail (SRV_UPLOAD_ERROR_EXISTS, "the name is taken", error);
  if (!srv_upload_scan (dir_fd, limits->partial_lifetime, self->temporary,
                        &usage, error))
    return FALSE;
  if (usage.n_files >= limits->max_files)
    return fail (SRV_UPLOAD_ERROR_QUOTA, "there are too many files", error);
  if (usage.bytes > limits->quota ||
      self->header->size > limits->quota - usage.bytes)
    return fail (SRV_UPLOAD_ERROR_QUOTA, "it would exceed the quota", error);
  return TRUE;
}

/* Takes over what is there of the file. */
static gboolean
open_temporary (SrvUploadFile *self, GError **error)
{
  const gboolean resumes = self->header->checksum != NULL;
  struct stat status;
  int fd =
    srv_upload_open (srv_upload_store_get_fd (self->store), self->temporary,
                     O_RDWR | O_CREAT | (resumes ? 0 : O_EXCL),
                     srv_upload_store_get_limits (self->store)->file_mode |
                       S_IRUSR | S_IWUSR);

  if (fd < 0)
    return srv_upload_fail_errno ("make a file", errno, error);
  if (flock (fd, LOCK_EX | LOCK_NB) != 0)
    {
      close (fd);
      return fail (SRV_UPLOAD_ERROR_BUSY, "it is already being sent", error);
    }
  self->fd = fd;
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode) ||
      status.st_nlink != 1)
    return fail (SRV_UPLOAD_ERROR_FAILED, "its temporary name is taken", error);
  if ((guint64) status.st_size <= self->header->size)
    self->received = (guint64) status.st_size;
  return TRUE;
}

/* The room is taken now, so that the disk is not full later. The length does
 * not change: it tells how much has come. */
static gboolean
reserve_space (SrvUploadFile *self, GError **error)
{
  const guint64 size = self->header->size;

  if (ftruncate (self->fd, (off_t) self->received) != 0)
    return srv_upload_fail_errno ("reserve space", errno, error);
  if (!srv_upload_check_space (srv_upload_store_get_fd (self->store),
                               size - self->received,
                               srv_upload_store_get_limits (self->store)
                                 ->keep_free,
                               error))
    return FALSE;
  if (size > self->received &&
      fallocate (self->fd, FALLOC_FL_KEEP_SIZE, (off_t) self->received,
                 (off_t) (size - self->received)) != 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS)
    return srv_upload_fail_errno ("reserve space", errno, error);
  return TRUE;
}

/* What has come before counts for the checksum, as it is on the disk. */
static gboolean
read_part (SrvUploadFile *self, GError **error)
{
  g_autofree guint8 *chunk = g_malloc (HASH_CHUNK);
  guint64 done = 0;

  while (done < self->received)
    {
      gssize n = pread (self->fd, chunk,
                        MIN (self->received - done, HASH_CHUNK), (off_t) done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return srv_upload_fail_errno ("read the first part",
                                      n < 0 ? errno : EIO, error);
      g_checksum_update (self->checksum, chunk, n);
      done += (guint64) n;
    }
  return TRUE;
}

static gboolean
begin_locked (SrvUploadFile *self, GError **error)
{
  if (!check_room (self, error) || !open_temporary (self, error))
    return FALSE;
  self->keep = TRUE;
  return reserve_space (self, error);
}

gboolean
srv_upload_file_begin (SrvUploadFile *self, GError **error)
{
  const SrvUploadHeader *header = self->header;
  gboolean ok;
  int lock_fd;

  if (!srv_upload_check_name (header->name, header->name_length, error) ||
      !check_size (self, error) || !choose_temporary (self, error))
    return FALSE;
  lock_fd = srv_upload_lock (srv_upload_store_get_fd (self->store), error);
  if (lock_fd < 0)
    return FALSE;
  ok = begin_locked (self, error);
  close (lock_fd);
  return ok && read_part (self, error);
}

gboolean
srv_upload_file_write (SrvUploadFile *self, GError **error)
{
  gsize done = 0;

  while (done < self->chunk_length)
    {
      gssize n = pwrite (self->fd, self->chunk + done,
                         self->chunk_length - done, (off_t) self->received);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return srv_upload_fail_errno ("write the file", errno, error);
      g_checksum_update (self->checksum, self->chunk + done, n);
      self->received += (guint64) n;
      done += (gsize) n;
    }
  return TRUE;
}

/* Under the lock nobody adds up while the file changes its name, and so counts
 * it twice or not at all. */
static gboolean
publish_locked (SrvUploadFile *self, GError **error)
{
  int lock_fd = srv_upload_lock (srv_upload_store_get_fd (self->store), error);

  if (lock_fd < 0)
    return FALSE;
  if (is_still_there (self))
    self->name =
      srv_upload_publish (srv_upload_store_get_fd (self->store),
                          self->temporary, self->header->name,
                          srv_upload_store_get_limits (self->store)->existing,
                          error);
  else
    fail (SRV_UPLOAD_ERROR_FAILED, "its temporary file has gone", error);
  close (lock_fd);
  return self->name != NULL;
}

gboolean
srv_upload_file_commit (SrvUploadFile *self, GError **error)
{
  const char *declared = self->header->checksum;

  /* Whatever is wrong now will not get better by sending the rest again. */
  self->keep = FALSE;
  if (declared != NULL &&
      strcmp (declared, srv_upload_file_get_checksum (self)) != 0)
    return fail (SRV_UPLOAD_ERROR_CHECKSUM, "its checksum is another one",
                 error);
  if (fsync (self->fd) != 0)
    return srv_upload_fail_errno ("write the file", errno, error);
  if (!publish_locked (self, error))
    return FALSE;
  if (fsync (srv_upload_store_get_fd (self->store)) != 0)
    return srv_upload_fail_errno ("write the directory", errno, error);
  return TRUE;
}
