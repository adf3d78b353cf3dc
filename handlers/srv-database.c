/* srv-database.c - one SQLite file, one writer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One connection to the file, under a lock that fibers can wait for. What waits
 * for the disk runs where it holds up no worker.
 */

#include "config.h"

#include "srv-database-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

/* "SrvA": nobody's file is taken for ours by its suffix. */
#define APPLICATION_ID  0x53727641
#define BUSY_TIMEOUT_MS 10000

struct _SrvDatabase
{
  char *path;
  const char *const *migrations;

  int pid; /* atomic; the process that has opened the file, 0: none has */

  SrvMutex *lock;  /* of the rest */
  sqlite3 *handle; /* NULL until the first use in a process */
};

typedef struct
{
  SrvDatabase *self;
  SrvDatabaseFunc func;
  gpointer data;
  GError **error;
  gboolean ok;
} Transaction;

static int
code_of (int result)
{
  switch (result & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return G_IO_ERROR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return G_IO_ERROR_INVALID_DATA;
    case SQLITE_FULL:
      return G_IO_ERROR_NO_SPACE;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return G_IO_ERROR_PERMISSION_DENIED;
    default:
      return G_IO_ERROR_FAILED;
    }
}

static gboolean
fail (SrvDatabase *self, const char *what, GError **error)
{
  g_set_error (error, G_IO_ERROR,
               code_of (sqlite3_extended_errcode (self->handle)),
               "could not %s %s: %s", what, self->path,
               sqlite3_errmsg (self->handle));
  return FALSE;
}

static gboolean
execute_script (SrvDatabase *self,
                const char *what,
                const char *sql,
                GError **error)
{
  return sqlite3_exec (self->handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
         fail (self, what, error);
}

/* The file is the owner's alone, from its first moment on; SQLite gives its
 * companions the same mode. One that is there is not touched: to close it would
 * drop the locks that another store of this process has on it. */
static gboolean
create_file (SrvDatabase *self, GError **error)
{
  int fd = g_open (self->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd >= 0)
    return g_close (fd, error);
  if (errno == EEXIST)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               "could not open %s: %s", self->path, g_strerror (errno));
  return FALSE;
}

static gboolean
open_handle (SrvDatabase *self, GError **error)
{
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;

  if (!create_file (self, error))
    return FALSE;
  g_atomic_int_set (&self->pid, getpid ());
  if (sqlite3_open_v2 (self->path, &self->handle, flags, NULL) != SQLITE_OK)
    return fail (self, "open", error);
  sqlite3_extended_result_codes (self->handle, 1);
  sqlite3_busy_timeout (self->handle, BUSY_TIMEOUT_MS);
  /* FULL: what was answered is on the disk, not only in the system's memory. */
  return execute_script (self, "open",
                         "PRAGMA synchronous = FULL;"
                         "PRAGMA foreign_keys = ON;"
                         "PRAGMA trusted_schema = OFF;",
                         error);
}

/* What a parent has opened is not for its child, not even to be closed. */
static gboolean
is_of_parent (SrvDatabase *self)
{
  const int pid = g_atomic_int_get (&self->pid);

  return pid != 0 && pid != getpid ();
}

static void
close_handle (SrvDatabase *self)
{
  if (self->handle != NULL && !is_of_parent (self))
    sqlite3_close (self->handle);
  self->handle = NULL;
  g_atomic_int_set (&self->pid, 0);
}

static gboolean
ensure_handle (SrvDatabase *self, GError **error)
{
  if (self->handle != NULL || open_handle (self, error))
    return TRUE;
  close_handle (self);
  return FALSE;
}

static gboolean
read_number (SrvDatabase *self, const char *sql, gint64 *number, GError **error)
{
  g_autoptr (SrvStatement) statement =
    srv_database_query (self, error, sql, "");

  if (statement == NULL || srv_statement_step (statement, error) < 0)
    return FALSE;
  *number = srv_statement_get_int (statement, 0);
  return TRUE;
}

static gboolean
refuse_file (SrvDatabase *self, const char *why, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "could not open %s: %s", self->path, why);
  return FALSE;
}

static gboolean
check_integrity (SrvDatabase *self, GError **error)
{
  g_autoptr (SrvStatement) statement =
    srv_database_query (self, error, "PRAGMA integrity_check (1)", "");
  g_autofree char *why = NULL;

  if (statement == NULL || srv_statement_step (statement, error) < 0)
    return FALSE;
  if (g_strcmp0 (srv_statement_get_text (statement, 0), "ok") == 0)
    return TRUE;
  why = g_strdup_printf ("the file is damaged: %s",
                         srv_statement_get_text (statement, 0));
  return refuse_file (self, why, error);
}

/* An empty file is a new one; any other must be ours. */
static gboolean
check_owner (SrvDatabase *self, GError **error)
{
  const gint64 newest = g_strv_length ((char **) self->migrations);
  gint64 application;
  gint64 version;
  gint64 n_tables;

  if (!read_number (self, "PRAGMA application_id", &application, error) ||
      !read_number (self, "PRAGMA user_version", &version, error) ||
      !read_number (self, "SELECT count(*) FROM sqlite_schema", &n_tables,
                    error))
    return FALSE;
  if (application != APPLICATION_ID && (application | version | n_tables) != 0)
    return refuse_file (self, "the file is another program's database", error);
  if (version > newest)
    return refuse_file (self, "a newer version of this program has written it",
                        error);
  return TRUE;
}

/* All steps and the new version in one transaction: there is no half way. */
static gboolean
migrate (SrvDatabase *self, G_GNUC_UNUSED gpointer data, GError **error)
{
  const gint64 newest = g_strv_length ((char **) self->migrations);
  g_autofree char *marks = NULL;
  gint64 version;

  if (!read_number (self, "PRAGMA user_version", &version, error))
    return FALSE;
  if (version == newest)
    return TRUE;
  for (; version < newest; version++)
    if (!execute_script (self, "bring to a new version",
                         self->migrations[version], error))
      return FALSE;
  marks = g_strdup_printf ("PRAGMA application_id = %d; "
                           "PRAGMA user_version = %" G_GINT64_FORMAT,
                           APPLICATION_ID, newest);
  return execute_script (self, "mark", marks, error);
}

/* Changes nothing: the file may be somebody else's. */
static gboolean
check (SrvDatabase *self, G_GNUC_UNUSED gpointer data, GError **error)
{
  return check_integrity (self, error) && check_owner (self, error);
}

static void
run_transaction (gpointer data)
{
  Transaction *transaction = data;
  SrvDatabase *self = transaction->self;

  if (!ensure_handle (self, transaction->error) ||
      !execute_script (self, "begin with", "BEGIN IMMEDIATE",
                       transaction->error))
    return;
  transaction->ok =
    transaction->func (self, transaction->data, transaction->error) &&
    execute_script (self, "write", "COMMIT", transaction->error);
  /* Some errors have already undone everything. */
  if (!transaction->ok && sqlite3_get_autocommit (self->handle) == 0)
    sqlite3_exec (self->handle, "ROLLBACK", NULL, NULL, NULL);
}

gboolean
srv_database_run (SrvDatabase *self,
                  SrvDatabaseFunc func,
                  gpointer data,
                  GError **error)
{
  GError *local = NULL;
  Transaction transaction = { self, func, data, &local, FALSE };

  /* Before the lock, which a thread of the parent may have had at the fork. */
  if (is_of_parent (self))
    {
      g_set_error (error, SRV_ERROR, SRV_ERROR_IN_CHILD,
                   "could not use %s: it was already in use before the fork",
                   self->path);
      return FALSE;
    }
  srv_mutex_lock (self->lock);
  srv_offload (run_transaction, &transaction, &local);
  srv_mutex_unlock (self->lock);
  if (local != NULL)
    g_propagate_error (error, local);
  return transaction.ok;
}

/* The file is closed again: whoever forks now can use it in the children. */
SrvDatabase *
srv_database_new (const char *path,
                  const char *const *migrations,
                  GError **error)
{
  g_autoptr (SrvDatabase) self = g_new0 (SrvDatabase, 1);

  self->path = g_strdup (path);
  self->migrations = migrations;
  self->lock = srv_mutex_new ();
  /* The file keeps the mode of its journal. */
  if (!srv_database_run (self, check, NULL, error) ||
      !execute_script (self, "open", "PRAGMA journal_mode = WAL", error) ||
      !srv_database_run (self, migrate, NULL, error))
    return NULL;
  close_handle (self);
  return g_steal_pointer (&self);
}

void
srv_database_free (SrvDatabase *self)
{
  close_handle (self);
  srv_mutex_unref (self->lock);
  g_free (self->path);
  g_free (self);
}

/* A statement is SQLite's, under a name that needs no header of its. */
static sqlite3_stmt *
stmt_of (SrvStatement *self)
{
  return (sqlite3_stmt *) self;
}

static int
bind (sqlite3_stmt *statement, const char *types, va_list args)
{
  int result = SQLITE_OK;

  for (int i = 1; types[i - 1] != '\0' && result == SQLITE_OK; i++)
    switch (types[i - 1])
      {
      case 'i':
        result = sqlite3_bind_int64 (statement, i, va_arg (args, gint64));
        break;
      case 's':
        result = sqlite3_bind_text (statement, i, va_arg (args, const char *),
                                    -1, SQLITE_TRANSIENT);
        break;
      case 'b':
        {
          const void *data = va_arg (args, const void *);

          result = sqlite3_bind_blob64 (statement, i, data,
                                        va_arg (args, gsize), SQLITE_TRANSIENT);
          break;
        }
      default:
        g_assert_not_reached ();
      }
  return result;
}

static SrvStatement *
query (SrvDatabase *self,
       const char *sql,
       const char *types,
       va_list args,
       GError **error)
{
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v2 (self->handle, sql, -1, &statement, NULL) ==
        SQLITE_OK &&
      bind (statement, types, args) == SQLITE_OK)
    return (SrvStatement *) statement;
  fail (self, "use", error);
  sqlite3_finalize (statement);
  return NULL;
}

SrvStatement *
srv_database_query (SrvDatabase *self,
                    GError **error,
                    const char *sql,
                    const char *types,
                    ...)
{
  SrvStatement *statement;
  va_list args;

  va_start (args, types);
  statement = query (self, sql, types, args, error);
  va_end (args);
  return statement;
}

gboolean
srv_database_execute (SrvDatabase *self,
                      GError **error,
                      const char *sql,
                      const char *types,
                      ...)
{
  g_autoptr (SrvStatement) statement = NULL;
  va_list args;

  va_start (args, types);
  statement = query (self, sql, types, args, error);
  va_end (args);
  return statement != NULL && srv_statement_step (statement, error) >= 0;
}

gint64
srv_database_get_last_id (SrvDatabase *self)
{
  return sqlite3_last_insert_rowid (self->handle);
}

gint64
srv_database_get_n_changes (SrvDatabase *self)
{
  return sqlite3_changes64 (self->handle);
}

int
srv_statement_step (SrvStatement *self, GError **error)
{
  sqlite3 *handle = sqlite3_db_handle (stmt_of (self));
  const int result = sqlite3_step (stmt_of (self));

  if (result == SQLITE_ROW)
    return 1;
  if (result == SQLITE_DONE)
    return 0;
  g_set_error (error, G_IO_ERROR, code_of (result), "could not use %s: %s",
               sqlite3_db_filename (handle, "main"), sqlite3_errmsg (handle));
  return -1;
}

gint64
srv_statement_get_int (SrvStatement *self, int column)
{
  return sqlite3_column_int64 (stmt_of (self), column);
}

const char *
srv_statement_get_text (SrvStatement *self, int column)
{
  return (const char *) sqlite3_column_text (stmt_of (self), column);
}

void
srv_statement_free (SrvStatement *self)
{
  sqlite3_finalize (stmt_of (self));
}
