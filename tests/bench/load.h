/* load.h - what the parts of the load generator share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * load.c          options, phases, and the line of JSON
 * load-target.c   the server's address, sockets, and the bytes that are sent
 * load-stats.c    what is counted
 * load-stream.c   TCP and Unix connections
 * load-datagram.c UDP sockets
 * load-fan-out.c  members of a room, one of whom speaks
 */

#pragma once

#include <glib.h>
#include <sys/socket.h>

#define LOAD_MAX_SIZE   65507 /* of a message: the largest datagram */
#define LOAD_MAX_DEPTH  256
#define LOAD_MIN_LINE   16 /* of one that a member of a room says */
#define LOAD_MAX_LINE   512
#define LOAD_SILENCE_MS 5000 /* after which a server is taken for dead */
#define LOAD_QUIET_MS   300  /* after which nothing more is expected to come */

typedef struct
{
  int n_clients; /* active */
  int n_idle;
  int size;
  int depth;
  gboolean greet;
  gboolean hold;
  gboolean lines;
  gboolean reconnect;
  gboolean fan_out;
  double seconds;
  double warm_up;
} LoadOptions;

extern LoadOptions load_options;

G_NORETURN void load_give_up (const char *what);
gint64 load_now (void);

/* load-target.c */
void load_target_find (const char *endpoint);
gboolean load_target_is_stream (void);
int load_target_connect (void);
void load_pattern_fill (void);
const char *load_pattern_at (guint64 position);

/* load-stats.c */
typedef struct
{
  guint64 n_messages;
  guint64 n_lost;
  guint64 n_late;
} LoadStats;

extern LoadStats load_stats;

void load_stats_reset (void);
void load_stats_note (gint64 sent, gint64 received);
double load_stats_percentile (double part);

/* load-stream.c, load-datagram.c, load-fan-out.c: open everything; then run until a time. What
 * is on the way when a run ends is received by the next. */
void load_stream_open (void);
void load_stream_run (gint64 end);
void load_datagram_open (void);
void load_datagram_run (gint64 end);
void load_fan_out_open (void);
void load_fan_out_run (gint64 end);
