/* sample-log.c - the option --log: a file, the system's log, the journal
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a client has sent is already escaped in a record: it can neither forge
 * another one nor steer the terminal of whoever reads it.
 */

#include "sample-log.h"

#include <errno.h>
#include <paths.h>
#include <signal.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* For the signal handler; lives as long as the process. */
static SrvEventLog *log_of_process;

static void
on_hangup (G_GNUC_UNUSED int signo)
{
  srv_event_log_reopen (log_of_process);
}

/* Also where there is no file: a manager that tells all services to reload must
 * not end this one. */
static void
reopen_at_hangup (SrvEventLog *log)
{
  struct sigaction action = { .sa_handler = on_hangup, .sa_flags = SA_RESTART };

  g_set_object (&log_of_process, log);
  sigemptyset (&action.sa_mask);
  sigaction (SIGHUP, &action, NULL);
}

static void
write_to_syslog (const char *record, G_GNUC_UNUSED gpointer data)
{
  syslog (LOG_INFO, "%s", record);
}

/* A record that the journal does not take is still seen. */
static void
write_to_journal (const char *record, G_GNUC_UNUSED gpointer data)
{
  const GLogField fields[] = {
    { "MESSAGE", record, -1 },
    { "PRIORITY", "6", -1 },
    { "SYSLOG_IDENTIFIER", g_get_prgname (), -1 },
  };

  if (g_log_writer_journald (G_LOG_LEVEL_INFO, fields, G_N_ELEMENTS (fields),
                             NULL) != G_LOG_WRITER_HANDLED)
    g_printerr ("%s\n", record);
}

/* Neither of them would say that nobody listens. */
static gboolean
is_there (const char *name, const char *path, GError **error)
{
  if (access (path, W_OK) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               "could not log to the %s: %s: %s", name, path,
               g_strerror (errno));
  return FALSE;
}

static SrvEventLog *
open_log (const char *where, GError **error)
{
  if (strcmp (where, "journal") == 0)
    return is_there ("journal", JOURNAL_SOCKET, error)
             ? srv_event_log_new_for_func (write_to_journal, NULL, NULL)
             : NULL;
  if (strcmp (where, "syslog") != 0)
    return srv_event_log_new_for_file (where, error);
  if (!is_there ("syslog", _PATH_LOG, error))
    return NULL;
  openlog (g_get_prgname (), LOG_NDELAY | LOG_PID, LOG_DAEMON);
  return srv_event_log_new_for_func (write_to_syslog, NULL, NULL);
}

SrvEventLog *
sample_log_open (const char *where, GError **error)
{
  SrvEventLog *log = open_log (where, error);

  if (log != NULL)
    reopen_at_hangup (log);
  return log;
}
