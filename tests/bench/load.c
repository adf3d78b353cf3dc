/* load.c - the client that measures echo servers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Run: load [OPTION...] ENDPOINT, see load --help.
 *
 * One thread, one epoll descriptor. Keeps DEPTH messages of SIZE bytes on the
 * way on each active connection, or, with --connect, makes a connection for
 * each message. With --fan-out the connections are members of a chat, and one
 * of them speaks to all. Idle connections are opened first and stay. Every byte that
 * comes back is compared; only a datagram may be lost, and is counted.
 *
 * Prints `ready` when all is open and the warm-up is over, and after the
 * measured time one line of JSON: counts, a rate, and how long replies took, in
 * microseconds. Whoever wants to look at the server at these moments gives
 * --hold: connections then stay open until standard input ends.
 */

#include "config.h"

#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

LoadOptions load_options = {
  .n_clients = 64,
  .size = 64,
  .depth = 1,
  .seconds = 1,
};

static const GOptionEntry entries[] = {
  { "connections", 'c', 0, G_OPTION_ARG_INT, &load_options.n_clients,
    "Active connections, or UDP sockets (default: 64)", "N" },
  { "idle", 'i', 0, G_OPTION_ARG_INT, &load_options.n_idle,
    "Idle connections beside them", "N" },
  { "greet", 0, 0, G_OPTION_ARG_NONE, &load_options.greet,
    "One message over each idle connection first", NULL },
  { "size", 's', 0, G_OPTION_ARG_INT, &load_options.size,
    "Bytes of a message (default: 64)", "BYTES" },
  { "depth", 'd', 0, G_OPTION_ARG_INT, &load_options.depth,
    "Messages on the way on each connection (default: 1)", "N" },
  { "lines", 0, 0, G_OPTION_ARG_NONE, &load_options.lines, "Messages are lines",
    NULL },
  { "connect", 0, 0, G_OPTION_ARG_NONE, &load_options.reconnect,
    "A connection for each message", NULL },
  { "fan-out", 0, 0, G_OPTION_ARG_NONE, &load_options.fan_out,
    "The server is a chat; one speaks, the others hear it", NULL },
  { "seconds", 't', 0, G_OPTION_ARG_DOUBLE, &load_options.seconds,
    "How long to measure (default: 1)", "S" },
  { "warm-up", 'w', 0, G_OPTION_ARG_DOUBLE, &load_options.warm_up,
    "How long to run before (default: 0)", "S" },
  { "hold", 0, 0, G_OPTION_ARG_NONE, &load_options.hold,
    "Keep connections until standard input ends", NULL },
  G_OPTION_ENTRY_NULL,
};

G_NORETURN void
load_give_up (const char *what)
{
  fprintf (stderr, "load: %s: %s\n", what, g_strerror (errno));
  exit (EX_UNAVAILABLE);
}

/* In nanoseconds, from any beginning. */
gint64
load_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static gboolean
parse (int *argc, char ***argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("ENDPOINT");
  g_autoptr (GError) error = NULL;
  const LoadOptions *o = &load_options;

  g_option_context_set_summary (context, "Measures an echo server.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      fprintf (stderr, "load: %s\n", error->message);
      return FALSE;
    }
  return *argc == 2 && o->n_clients >= 1 && o->n_idle >= 0 && o->size >= 1 &&
         o->size <= LOAD_MAX_SIZE && o->depth >= 1 &&
         o->depth <= LOAD_MAX_DEPTH && o->seconds > 0 && o->warm_up >= 0 &&
         !(o->reconnect && o->depth > 1) &&
         (!o->fan_out || (o->n_clients > 1 && o->size >= LOAD_MIN_LINE &&
                          o->size <= LOAD_MAX_LINE));
}

/* What to open, and what to do with it. */
static void
choose (void (**open) (void), void (**run) (gint64 end))
{
  if (load_options.fan_out)
    {
      *open = load_fan_out_open;
      *run = load_fan_out_run;
    }
  else if (load_target_is_stream ())
    {
      *open = load_stream_open;
      *run = load_stream_run;
    }
  else
    {
      *open = load_datagram_open;
      *run = load_datagram_run;
    }
}

/* A number in JSON, whatever the locale. */
static void
print_number (const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  printf (", \"%s\": %s", name,
          g_ascii_formatd (text, sizeof text, "%.3f", value));
}

static void
print_result (double took)
{
  printf ("{\"messages\": %" G_GUINT64_FORMAT ", \"lost\": %" G_GUINT64_FORMAT
          ", \"late\": %" G_GUINT64_FORMAT,
          load_stats.n_messages, load_stats.n_lost, load_stats.n_late);
  print_number ("seconds", took);
  print_number ("rate", (double) load_stats.n_messages / took);
  print_number ("p50", load_stats_percentile (0.5));
  print_number ("p99", load_stats_percentile (0.99));
  print_number ("p99.9", load_stats_percentile (0.999));
  print_number ("max", load_stats_percentile (1));
  printf ("}\n");
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  void (*open) (void);
  void (*run) (gint64 end);
  gint64 begin;

  if (!parse (&argc, &argv))
    return EX_USAGE;
  load_target_find (argv[1]);
  load_pattern_fill ();
  choose (&open, &run);
  open ();

  run (load_now () + (gint64) (load_options.warm_up * 1e9));
  load_stats_reset ();
  printf ("ready\n");
  fflush (stdout);
  begin = load_now ();
  run (begin + (gint64) (load_options.seconds * 1e9));
  print_result ((double) (load_now () - begin) / 1e9);

  while (load_options.hold && getchar () != EOF)
    ;
  return EXIT_SUCCESS;
}
