/* srv-database-private.h - one SQLite file, one writer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All SQL of the library goes through here. A build without SQLite has the same
 * functions, of which srv_database_new () fails and no other is reached.
 */

#pragma once

#include <socketserver.h>

G_BEGIN_DECLS

typedef struct _SrvDatabase SrvDatabase;
typedef struct _SrvStatement SrvStatement;

/* What is done in one transaction: committed on TRUE, undone otherwise. It may
 * run in another thread than its caller. */
typedef gboolean (*SrvDatabaseFunc) (SrvDatabase *database,
                                     gpointer data,
                                     GError **error);

/* @migrations: each brings a file to the next version of the schema; ended by
 * NULL. They are not copied. */
SrvDatabase *srv_database_new (const char *path,
                               const char *const *migrations,
                               GError **error);
void srv_database_free (SrvDatabase *self);

/* Any thread, any fiber; waits for its turn. */
gboolean srv_database_run (SrvDatabase *self,
                           SrvDatabaseFunc func,
                           gpointer data,
                           GError **error);

/* The rest belongs into a SrvDatabaseFunc. @types has a letter for each
 * argument: i gint64, s const char * (NULL is NULL), b const void * and gsize.
 */
SrvStatement *srv_database_query (SrvDatabase *self,
                                  GError **error,
                                  const char *sql,
                                  const char *types,
                                  ...);
gboolean srv_database_execute (SrvDatabase *self,
                               GError **error,
                               const char *sql,
                               const char *types,
                               ...);
gint64 srv_database_get_last_id (SrvDatabase *self);
gint64 srv_database_get_n_changes (SrvDatabase *self);

/* 1 for a row, 0 at the end, -1 with an error. */
int srv_statement_step (SrvStatement *self, GError **error);
gint64 srv_statement_get_int (SrvStatement *self, int column);
const char *srv_statement_get_text (SrvStatement *self, int column);
void srv_statement_free (SrvStatement *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvDatabase, srv_database_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvStatement, srv_statement_free)

G_END_DECLS
