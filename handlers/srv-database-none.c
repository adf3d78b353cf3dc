/* srv-database-none.c - what there is of a database without SQLite
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-database-private.h"

SrvDatabase *
srv_database_new (const char *path,
                  G_GNUC_UNUSED const char *const *migrations,
                  GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "could not open %s: the library was built without SQLite", path);
  return NULL;
}

void
srv_database_free (G_GNUC_UNUSED SrvDatabase *self)
{
}

gboolean
srv_database_run (G_GNUC_UNUSED SrvDatabase *self,
                  G_GNUC_UNUSED SrvDatabaseFunc func,
                  G_GNUC_UNUSED gpointer data,
                  G_GNUC_UNUSED GError **error)
{
  g_return_val_if_reached (FALSE);
}

SrvStatement *
srv_database_query (G_GNUC_UNUSED SrvDatabase *self,
                    G_GNUC_UNUSED GError **error,
                    G_GNUC_UNUSED const char *sql,
                    G_GNUC_UNUSED const char *types,
                    ...)
{
  g_return_val_if_reached (NULL);
}

gboolean
srv_database_execute (G_GNUC_UNUSED SrvDatabase *self,
                      G_GNUC_UNUSED GError **error,
                      G_GNUC_UNUSED const char *sql,
                      G_GNUC_UNUSED const char *types,
                      ...)
{
  g_return_val_if_reached (FALSE);
}

gint64
srv_database_get_last_id (G_GNUC_UNUSED SrvDatabase *self)
{
  g_return_val_if_reached (0);
}

gint64
srv_database_get_n_changes (G_GNUC_UNUSED SrvDatabase *self)
{
  g_return_val_if_reached (0);
}

int
srv_statement_step (G_GNUC_UNUSED SrvStatement *self,
                    G_GNUC_UNUSED GError **error)
{
  g_return_val_if_reached (0);
}

gint64
srv_statement_get_int (G_GNUC_UNUSED SrvStatement *self,
                       G_GNUC_UNUSED int column)
{
  g_return_val_if_reached (0);
}

const char *
srv_statement_get_text (G_GNUC_UNUSED SrvStatement *self,
                        G_GNUC_UNUSED int column)
{
  g_return_val_if_reached (NULL);
}

void
srv_statement_free (G_GNUC_UNUSED SrvStatement *self)
{
}
