/* srv-test-log.c - the log, kept so that tests can read it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test-private.h"

typedef struct
{
  GLogLevelFlags level;
  GHashTable *fields;
} Record;

/* Guards the two below. */
static GMutex log_lock;
static GPtrArray *log_records;
static GLogLevelFlags log_fatal_before;

static Record *
record_new (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  Record *record = g_new0 (Record, 1);

  record->level = level;
  record->fields =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (gsize i = 0; i < n_fields; i++)
    {
      const char *value = fields[i].value;

      if (value == NULL)
        continue;
      g_hash_table_insert (record->fields, g_strdup (fields[i].key),
                           fields[i].length < 0
                             ? g_strdup (value)
                             : g_strndup (value, (gsize) fields[i].length));
    }

  return record;
}

static void
record_free (gpointer data)
{
  Record *record = data;

  g_hash_table_unref (record->fields);
  g_free (record);
}

GLogWriterOutput
srv_test_write_log (GLogLevelFlags level,
                    const GLogField *fields,
                    gsize n_fields,
                    gpointer user_data)
{
  gboolean kept = FALSE;

  g_mutex_lock (&log_lock);
  if (log_records != NULL)
    {
      g_ptr_array_add (log_records, record_new (level, fields, n_fields));
      kept = TRUE;
    }
  g_mutex_unlock (&log_lock);

  if (kept && g_getenv ("SRV_TEST_VERBOSE") == NULL)
    return G_LOG_WRITER_HANDLED;

  return g_log_writer_default (level, fields, n_fields, user_data);
}

void
srv_test_begin_log (void)
{
  log_fatal_before = g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  g_mutex_lock (&log_lock);
  log_records = g_ptr_array_new_with_free_func (record_free);
  g_mutex_unlock (&log_lock);
}

void
srv_test_end_log (void)
{
  g_mutex_lock (&log_lock);
  g_clear_pointer (&log_records, g_ptr_array_unref);
  g_mutex_unlock (&log_lock);
  g_log_set_always_fatal (log_fatal_before);
}

static gboolean
record_says (const Record *record, const char *substring)
{
  const char *message = g_hash_table_lookup (record->fields, "MESSAGE");

  return substring == NULL ||
         (message != NULL && strstr (message, substring) != NULL);
}

guint
srv_test_count_log (GLogLevelFlags level, const char *substring)
{
  guint count = 0;

  g_mutex_lock (&log_lock);
  for (guint i = 0; i < log_records->len; i++)
    {
      const Record *record = g_ptr_array_index (log_records, i);

      if ((record->level & level) != 0 && record_says (record, substring))
        count++;
    }
  g_mutex_unlock (&log_lock);

  return count;
}

guint
srv_test_count_log_event (const char *event)
{
  guint count = 0;

  g_mutex_lock (&log_lock);
  for (guint i = 0; i < log_records->len; i++)
    {
      const Record *record = g_ptr_array_index (log_records, i);

      if (g_strcmp0 (g_hash_table_lookup (record->fields, "SRV_EVENT"),
                     event) == 0)
        count++;
    }
  g_mutex_unlock (&log_lock);

  return count;
}

char *
srv_test_get_log_field (const char *substring, const char *field)
{
  char *value = NULL;

  g_mutex_lock (&log_lock);
  for (guint i = 0; i < log_records->len && value == NULL; i++)
    {
      const Record *record = g_ptr_array_index (log_records, i);

      if (record_says (record, substring))
        value = g_strdup (g_hash_table_lookup (record->fields, field));
    }
  g_mutex_unlock (&log_lock);

  return value;
}
