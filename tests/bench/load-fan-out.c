/* load-fan-out.c - one member of a room speaks, all others hear it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A message here is a line that has reached one member. The server may put a
 * name in front of what was said, and may send lines of its own, which do not
 * bear the mark. Members that are idle sit in other rooms. Who comes in late
 * misses what was said before, so nothing counts until all have heard a call.
 */

#include "config.h"

#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define N_EVENTS  256
#define MARK      '~'
#define CALL      '^'
#define ROOM_SIZE 100                 /* idle members of one room */
#define MAX_LINE  (2 * LOAD_MAX_LINE) /* with a name in front */

typedef struct
{
  int fd;
  gboolean is_in;
  guint64 n_heard;
  gsize length; /* of what is there of a line */
  char line[MAX_LINE];
} Member;

static int epoll_fd = -1;
static Member *members; /* the first one speaks */
static guint64 n_said;
static guint64 n_by_all; /* lines that all have heard */
static int n_behind;     /* how many have not heard the next */
static gint64 times[LOAD_MAX_DEPTH];

static void
watch (Member *self)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = self };

  if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, self->fd, &event) != 0)
    load_give_up ("epoll_ctl");
}

static void
say (Member *self, const char *text)
{
  gsize length = strlen (text);

  if (send (self->fd, text, length, MSG_NOSIGNAL) != (gssize) length)
    load_give_up ("say");
}

/* The mark, a number, and as many letters as the line has room for. */
static void
write_line (char *line, guint64 number)
{
  int size = load_options.size;
  int n =
    g_snprintf (line, MAX_LINE, "%c%010" G_GUINT64_FORMAT " ", MARK, number);

  memset (line + n, 'a' + (int) (number % 26), (gsize) (size - n - 1));
  line[size - 1] = '\n';
  line[size] = '\0';
}

static void
speak (void)
{
  char line[MAX_LINE];

  write_line (line, n_said);
  times[n_said % LOAD_MAX_DEPTH] = load_now ();
  n_said++;
  say (&members[0], line);
}

static int
count_behind (void)
{
  int n = 0;

  for (int i = 1; i < load_options.n_clients; i++)
    n += members[i].n_heard <= n_by_all;
  return n;
}

/* When all have heard the oldest line that is on its way, one more is said. */
static void
note_heard (guint64 number)
{
  if (number != n_by_all)
    return;
  n_behind--;
  while (n_behind == 0)
    {
      n_by_all++;
      speak ();
      n_behind = count_behind ();
    }
}

static void
hear (Member *self, const char *line, gsize length)
{
  const char *text = memchr (line, MARK, length);
  char expected[MAX_LINE];

  self->is_in = self->is_in || memchr (line, CALL, length) != NULL;
  if (text == NULL)
    return;
  write_line (expected, self->n_heard);
  length -= (gsize) (text - line);
  if (length != (gsize) load_options.size ||
      memcmp (text, expected, length) != 0)
    {
      errno = EBADMSG;
      load_give_up ("another line came");
    }
  load_stats_note (times[self->n_heard % LOAD_MAX_DEPTH], load_now ());
  self->n_heard++;
  note_heard (self->n_heard - 1);
}

static void
receive (Member *self)
{
  char *end;
  gssize n = recv (self->fd, self->line + self->length,
                   sizeof self->line - self->length, MSG_DONTWAIT);

  if (n == 0)
    errno = ECONNRESET;
  if (n <= 0)
    load_give_up ("receive");
  self->length += (gsize) n;
  while ((end = memchr (self->line, '\n', self->length)) != NULL)
    {
      gsize length = (gsize) (end + 1 - self->line);

      hear (self, self->line, length);
      self->length -= length;
      memmove (self->line, end + 1, self->length);
    }
}

/* Takes what has come, for as long as something does. */
static void
take_all (int wait_ms)
{
  struct epoll_event events[N_EVENTS];
  int n;

  while ((n = epoll_wait (epoll_fd, events, N_EVENTS, wait_ms)) > 0)
    for (int i = 0; i < n; i++)
      receive (events[i].data.ptr);
}

static void
come_in (Member *self, const char *room, int number)
{
  char text[MAX_LINE];

  self->fd = load_target_connect ();
  g_snprintf (text, sizeof text, "/nick m%s%d\n/join #%s\n", room, number,
              room);
  say (self, text);
  watch (self);
  take_all (0);
}

static void
open_idle (void)
{
  Member *idle = g_new0 (Member, load_options.n_idle);

  for (int i = 0; i < load_options.n_idle; i++)
    {
      char room[32];

      g_snprintf (room, sizeof room, "idle%d", i / ROOM_SIZE);
      come_in (&idle[i], room, i);
    }
}

static gboolean
all_are_in (void)
{
  for (int i = 1; i < load_options.n_clients; i++)
    if (!members[i].is_in)
      return FALSE;
  return TRUE;
}

/* Calls until everybody has heard one. */
static void
fill_room (void)
{
  static const char call[] = { CALL, '\n', '\0' };
  gint64 end = load_now () + LOAD_SILENCE_MS * G_GINT64_CONSTANT (1000000);

  while (!all_are_in ())
    {
      if (load_now () > end)
        {
          errno = ETIMEDOUT;
          load_give_up ("fill the room");
        }
      say (&members[0], call);
      take_all (LOAD_QUIET_MS);
    }
}

void
load_fan_out_open (void)
{
  epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (epoll_fd < 0)
    load_give_up ("epoll_create1");
  open_idle ();
  members = g_new0 (Member, load_options.n_clients);
  for (int i = 0; i < load_options.n_clients; i++)
    come_in (&members[i], "load", i);
  take_all (LOAD_QUIET_MS);
  fill_room ();
  n_behind = count_behind ();
  for (int i = 0; i < load_options.depth; i++)
    speak ();
}

void
load_fan_out_run (gint64 end)
{
  struct epoll_event events[N_EVENTS];

  while (load_now () < end)
    {
      int n = epoll_wait (epoll_fd, events, N_EVENTS, LOAD_SILENCE_MS);

      if (n == 0)
        errno = ETIMEDOUT;
      if (n <= 0)
        load_give_up ("wait");
      for (int i = 0; i < n; i++)
        receive (events[i].data.ptr);
    }
}
