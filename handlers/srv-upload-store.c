/* srv-upload-store.c - a directory that takes uploads, and its limits
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-upload-store-private.h"

#include "srv-upload-directory-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define GIB (G_GUINT64_CONSTANT (1) << 30)
#define MIB (G_GUINT64_CONSTANT (1) << 20)

/**
 * SrvUploadStore:
 *
 * A directory that takes uploads, and what it takes: the object that all
 * handlers of a service share.
 *
 * ```c
 * g_autoptr (SrvUploadStore) store = srv_upload_store_new ("/srv/in", &error);
 *
 * g_object_set (store, "max-file-size", (guint64) 1000000, NULL);
 * srv_upload_handler_install (server, store);
 * ```
 *
 * Everything is checked before the first byte: size, name, quota, number of
 * files, free space. The room of an upload that runs counts from its beginning
 * on, across threads and processes, also of other programs that use this class
 * on the same directory: they take turns by a lock file, and adding up means
 * looking at each file. So it is meant for directories of thousands of files,
 * not millions.
 *
 * A file appears under its name when it is whole and on the disk, in one step.
 * Until then it has a hidden name, `.srv-upload-` and more. What an upload
 * leaves behind that was cut off is kept for
 * [property@SocketServerHandlers.UploadStore:partial-lifetime] if the client
 * can resume it, and removed otherwise; what a process leaves that was killed
 * is removed when a store is made for the directory, and by the next upload.
 *
 * You call: [ctor@SocketServerHandlers.UploadStore.new], set properties, then
 * [func@SocketServerHandlers.UploadHandler.install]. The properties must not
 * change while a server serves.
 *
 * It is not meant for directories in which others can write: it follows no
 * link, but cannot keep others from replacing what has been stored.
 *
 * In Python: there is no counterpart.
 */
struct _SrvUploadStore
{
  GObject parent_instance;

  int fd; /* owned; of the directory */
  SrvUploadLimits limits;
};

typedef enum
{
  PROP_MAX_FILE_SIZE = 1,
  PROP_QUOTA,
  PROP_KEEP_FREE,
  PROP_MAX_FILES,
  PROP_PARTIAL_LIFETIME,
  PROP_FILE_MODE,
  PROP_EXISTING,
  PROP_STALL_TIMEOUT,
  PROP_MIN_RATE,
  PROP_ALLOW_POST,
} SrvUploadStoreProperty;

static GParamSpec *properties[PROP_ALLOW_POST + 1];

G_DEFINE_FINAL_TYPE (SrvUploadStore, srv_upload_store, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (SrvUploadExisting,
                    srv_upload_existing,
                    G_DEFINE_ENUM_VALUE (SRV_UPLOAD_EXISTING_REFUSE, "refuse"),
                    G_DEFINE_ENUM_VALUE (SRV_UPLOAD_EXISTING_REPLACE,
                                         "replace"),
                    G_DEFINE_ENUM_VALUE (SRV_UPLOAD_EXISTING_KEEP_BOTH,
                                         "keep-both"))

static void
srv_upload_store_finalize (GObject *object)
{
  SrvUploadStore *self = SRV_UPLOAD_STORE (object);

  if (self->fd >= 0)
    close (self->fd);
  G_OBJECT_CLASS (srv_upload_store_parent_class)->finalize (object);
}

static void
srv_upload_store_get_property (GObject *object,
                               guint id,
                               GValue *value,
                               GParamSpec *pspec)
{
  const SrvUploadLimits *limits = &SRV_UPLOAD_STORE (object)->limits;

  switch ((SrvUploadStoreProperty) id)
    {
    case PROP_MAX_FILE_SIZE:
      g_value_set_uint64 (value, limits->max_file_size);
      break;
    case PROP_QUOTA:
      g_value_set_uint64 (value, limits->quota);
      break;
    case PROP_KEEP_FREE:
      g_value_set_uint64 (value, limits->keep_free);
      break;
    case PROP_MAX_FILES:
      g_value_set_uint (value, limits->max_files);
      break;
    case PROP_PARTIAL_LIFETIME:
      g_value_set_uint (value, limits->partial_lifetime);
      break;
    case PROP_FILE_MODE:
      g_value_set_uint (value, limits->file_mode);
      break;
    case PROP_EXISTING:
      g_value_set_enum (value, (int) limits->existing);
      break;
    case PROP_STALL_TIMEOUT:
      g_value_set_int (value, limits->stall_timeout);
      break;
    case PROP_MIN_RATE:
      g_value_set_uint (value, limits->min_rate);
      break;
    case PROP_ALLOW_POST:
      g_value_set_boolean (value, limits->allow_post);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
srv_upload_store_set_property (GObject *object,
                               guint id,
                               const GValue *value,
                               GParamSpec *pspec)
{
  SrvUploadLimits *limits = &SRV_UPLOAD_STORE (object)->limits;

  switch ((SrvUploadStoreProperty) id)
    {
    case PROP_MAX_FILE_SIZE:
      limits->max_file_size = g_value_get_uint64 (value);
      break;
    case PROP_QUOTA:
      limits->quota = g_value_get_uint64 (value);
      break;
    case PROP_KEEP_FREE:
      limits->keep_free = g_value_get_uint64 (value);
      break;
    case PROP_MAX_FILES:
      limits->max_files = g_value_get_uint (value);
      break;
    case PROP_PARTIAL_LIFETIME:
      limits->partial_lifetime = g_value_get_uint (value);
      break;
    case PROP_FILE_MODE:
      limits->file_mode = g_value_get_uint (value);
      break;
    case PROP_EXISTING:
      limits->existing = (SrvUploadExisting) g_value_get_enum (value);
      break;
    case PROP_STALL_TIMEOUT:
      limits->stall_timeout = g_value_get_int (value);
      break;
    case PROP_MIN_RATE:
      limits->min_rate = g_value_get_uint (value);
      break;
    case PROP_ALLOW_POST:
      limits->allow_post = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* What may be stored. */
static void
install_limits (GParamFlags flags)
{
  /**
   * SrvUploadStore:max-file-size:
   *
   * The largest file, in bytes.
   */
  properties[PROP_MAX_FILE_SIZE] = g_param_spec_uint64 ("max-file-size", NULL,
                                                        NULL, 0, G_MAXINT64,
                                                        GIB, flags);
  /**
   * SrvUploadStore:quota:
   *
   * The most that the files of the directory may have together, in bytes;
   * those of others, and all that running uploads have announced, counted.
   */
  properties[PROP_QUOTA] =
    g_param_spec_uint64 ("quota", NULL, NULL, 0, G_MAXINT64, 10 * GIB, flags);
  /**
   * SrvUploadStore:keep-free:
   *
   * What is left free on the file system, in bytes.
   */
  properties[PROP_KEEP_FREE] = g_param_spec_uint64 ("keep-free", NULL, NULL, 0,
                                                    G_MAXINT64, 64 * MIB,
                                                    flags);
  /**
   * SrvUploadStore:max-files:
   *
   * The most entries that the directory may have.
   */
  properties[PROP_MAX_FILES] =
    g_param_spec_uint ("max-files", NULL, NULL, 0, G_MAXUINT, 10000, flags);
  /**
   * SrvUploadStore:partial-lifetime:
   *
   * How long what has come of an upload can be resumed, in seconds.
   */
  properties[PROP_PARTIAL_LIFETIME] =
    g_param_spec_uint ("partial-lifetime", NULL, NULL, 0, G_MAXINT, 86400,
                       flags);
}

/* How it is stored. */
static void
install_manners (GParamFlags flags)
{
  /**
   * SrvUploadStore:file-mode:
   *
   * The permissions of new files, before the umask; the owner can always read
   * and write.
   */
  properties[PROP_FILE_MODE] =
    g_param_spec_uint ("file-mode", NULL, NULL, 0, 0777, 0640, flags);
  /**
   * SrvUploadStore:existing:
   *
   * What happens when the name is taken.
   */
  properties[PROP_EXISTING] =
    g_param_spec_enum ("existing", NULL, NULL, SRV_TYPE_UPLOAD_EXISTING,
                       SRV_UPLOAD_EXISTING_REFUSE, flags);
  /**
   * SrvUploadStore:stall-timeout:
   *
   * In milliseconds: how long a client may need for a whole header, and how
   * long it may be silent in the middle of a file.
   */
  properties[PROP_STALL_TIMEOUT] =
    g_param_spec_int ("stall-timeout", NULL, NULL, 1, G_MAXINT, 30000, flags);
  /**
   * SrvUploadStore:min-rate:
   *
   * How slow an upload may be on average, in bytes per second, after
   * [property@SocketServerHandlers.UploadStore:stall-timeout]; 0 for any.
   */
  properties[PROP_MIN_RATE] =
    g_param_spec_uint ("min-rate", NULL, NULL, 0, G_MAXUINT, 1024, flags);
  /**
   * SrvUploadStore:allow-post:
   *
   * Whether the header `post|NAME|SIZE` is understood too, which has neither a
   * checksum nor a reply.
   */
  properties[PROP_ALLOW_POST] =
    g_param_spec_boolean ("allow-post", NULL, NULL, FALSE, flags);
}

static void
srv_upload_store_class_init (SrvUploadStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT |
                            G_PARAM_STATIC_STRINGS;

  object_class->finalize = srv_upload_store_finalize;
  object_class->get_property = srv_upload_store_get_property;
  object_class->set_property = srv_upload_store_set_property;

  install_limits (flags);
  install_manners (flags);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
srv_upload_store_init (SrvUploadStore *self)
{
  self->fd = -1;
}

const SrvUploadLimits *
srv_upload_store_get_limits (SrvUploadStore *self)
{
  return &self->limits;
}

int
srv_upload_store_get_fd (SrvUploadStore *self)
{
  return self->fd;
}

static gboolean
clean_up (SrvUploadStore *self, guint partial_lifetime, GError **error)
{
  SrvUploadUsage usage;
  g_autoptr (GError) local = NULL;
  int lock_fd = srv_upload_lock (self->fd, &local);

  if (lock_fd >= 0)
    {
      srv_upload_scan (self->fd, partial_lifetime, NULL, &usage, &local);
      close (lock_fd);
    }
  if (local == NULL)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, local->message);
  return FALSE;
}

/**
 * srv_upload_store_new:
 * @directory: (type filename): an existing directory
 * @error: return location for a [struct@GLib.Error]
 *
 * Opens a directory for uploads and removes what uploads have left there that
 * were killed and cannot be resumed.
 *
 * Fails with what the system reports, such as %G_IO_ERROR_NOT_FOUND, or with
 * %G_IO_ERROR_FAILED when the directory cannot be locked or read.
 *
 * Threads: any.
 *
 * Returns: (transfer full): a new store, or %NULL with @error set
 */
SrvUploadStore *
srv_upload_store_new (const char *directory, GError **error)
{
  g_autoptr (SrvUploadStore) self = NULL;

  g_return_val_if_fail (directory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (SRV_TYPE_UPLOAD_STORE, NULL);
  self->fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self->fd < 0)
    {
      const int code = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
                   "could not open the directory %s: %s", directory,
                   g_strerror (code));
      return NULL;
    }
  /* The lifetime of what can be resumed is yet to be set. */
  if (!clean_up (self, G_MAXUINT, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * srv_upload_store_clean_up:
 * @self: a store
 * @error: return location for a [struct@GLib.Error]
 *
 * Removes temporary files that no upload will need any more, also those that
 * could have been resumed but are too old. Each upload does the same when it
 * begins; a service calls it when it starts, and if it is idle for days from
 * time to time.
 *
 * Fails with %G_IO_ERROR_FAILED when the directory cannot be locked or read.
 *
 * Threads: any; it may wait for the disk.
 *
 * Returns: %TRUE when it is clean, %FALSE with @error set otherwise
 */
gboolean
srv_upload_store_clean_up (SrvUploadStore *self, GError **error)
{
  g_return_val_if_fail (SRV_IS_UPLOAD_STORE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return clean_up (self, self->limits.partial_lifetime, error);
}
