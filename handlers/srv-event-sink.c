/* srv-event-sink.c - where the records of an event log go
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file may be renamed, and then be asked for anew: the new one takes the
 * place of the old one under the same descriptor, so that no thread has to be
 * held up, and none writes into a closed one. Forked children have descriptors
 * of their own. They share a number with their parent, and look after their
 * file when it has changed.
 */

#include "config.h"

#include "srv-event-sink-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Day 1 of GDate is the first of January of year 1. */
#define JULIAN_DAY_OF_1970 719163

struct _SrvEventSink
{
  int fd;         /* -1: a function */
  char *path;     /* owned; NULL: no file */
  int *wanted;    /* shared with forked children, atomic; NULL: no file */
  int own_wanted; /* what `wanted` is if nothing can be shared */
  int opened;     /* atomic; what `wanted` was when the file was opened */
  int has_failed; /* atomic; one warning is enough */

  SrvEventLogFunc func;
  gpointer user_data;
  GDestroyNotify destroy; /* nullable */
};

static int
open_file (const char *path)
{
  return open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
               0640);
}

/* Until it can be opened, the old one is as good as any. */
static gboolean
open_again (SrvEventSink *self, int wanted)
{
  const int fd = open_file (self->path);

  if (fd < 0)
    return FALSE;
  dup3 (fd, self->fd, O_CLOEXEC);
  close (fd);
  g_atomic_int_set (&self->opened, wanted);
  return TRUE;
}

static void
warn_once (SrvEventSink *self, const char *what, const char *problem)
{
  if (g_atomic_int_compare_and_exchange (&self->has_failed, FALSE, TRUE))
    g_warning ("could not %s the event log: %s", what, problem);
}

/* UTC in ISO 8601. GDate is plain arithmetic; gmtime_r () takes a lock, and a
 * child that was forked at the wrong moment would wait for it forever. */
static void
prepend_time (GString *record)
{
  const gint64 now = g_get_real_time ();
  const gint64 seconds = now / G_USEC_PER_SEC;
  const int of_day = (int) (seconds % 86400);
  char text[sizeof "65535-12-31T23:59:60.000000Z "];
  GDate date;

  g_date_clear (&date, 1);
  g_date_set_julian (&date, (guint32) (JULIAN_DAY_OF_1970 + seconds / 86400));
  g_snprintf (text, sizeof text, "%04u-%02u-%02uT%02d:%02d:%02d.%06dZ ",
              g_date_get_year (&date), (guint) g_date_get_month (&date),
              g_date_get_day (&date), of_day / 3600, of_day / 60 % 60,
              of_day % 60, (int) (now % G_USEC_PER_SEC));
  g_string_prepend (record, text);
}

static void
look_after_file (SrvEventSink *self)
{
  int wanted;

  if (self->wanted == NULL)
    return;
  wanted = g_atomic_int_get (self->wanted);
  if (wanted != g_atomic_int_get (&self->opened) && !open_again (self, wanted))
    warn_once (self, "open", g_strerror (errno));
}

/* A record that does not fit on the disk is lost, and the service goes on: a
 * second write could land behind somebody else's record. */
static void
write_to_file (SrvEventSink *self, GString *record)
{
  gssize n;

  prepend_time (record);
  g_string_append_c (record, '\n');
  look_after_file (self);
  do
    n = write (self->fd, record->str, record->len);
  while (n < 0 && errno == EINTR);
  if (n != (gssize) record->len)
    warn_once (self, "write to",
               n < 0 ? g_strerror (errno) : "no room for the whole record");
}

SrvEventSink *
srv_event_sink_new_console (void)
{
  SrvEventSink *self = g_new0 (SrvEventSink, 1);

  self->fd = STDERR_FILENO;
  return self;
}

SrvEventSink *
srv_event_sink_new_file (const char *path, GError **error)
{
  const int fd = open_file (path);
  const int saved_errno = errno;
  SrvEventSink *self;
  void *shared;

  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                   "could not open log file %s: %s", path,
                   g_strerror (saved_errno));
      return NULL;
    }
  self = g_new0 (SrvEventSink, 1);
  self->fd = fd;
  self->path = g_strdup (path);
  /* Without it, children write to the old file, which is no loss. */
  shared = mmap (NULL, sizeof *self->wanted, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  self->wanted = shared != MAP_FAILED ? shared : &self->own_wanted;
  return self;
}

SrvEventSink *
srv_event_sink_new_func (SrvEventLogFunc func,
                         gpointer user_data,
                         GDestroyNotify destroy)
{
  SrvEventSink *self = g_new0 (SrvEventSink, 1);

  self->fd = -1;
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

void
srv_event_sink_free (SrvEventSink *self)
{
  if (self->path != NULL)
    close (self->fd);
  if (self->wanted != NULL && self->wanted != &self->own_wanted)
    munmap (self->wanted, sizeof *self->wanted);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self->path);
  g_free (self);
}

void
srv_event_sink_write (SrvEventSink *self, GString *record)
{
  if (self->func == NULL)
    write_to_file (self, record);
  else
    self->func (record->str, self->user_data);
  g_string_free (record, TRUE);
}

void
srv_event_sink_reopen (SrvEventSink *self)
{
  const int saved_errno = errno;

  if (self->path != NULL)
    {
      g_atomic_int_set (&self->has_failed, FALSE);
      open_again (self, g_atomic_int_add (self->wanted, 1) + 1);
    }
  errno = saved_errno;
}
