/* srv-scoreboard-private.h - memory that worker processes share with the parent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A slot belongs to one worker, which alone counts in it, so nobody needs a
 * lock; each has cache lines of its own. Whoever reads sees each number as it
 * is at some moment, and not all of them at the same.
 */

#pragma once

#include "srv-scoreboard.h"

G_BEGIN_DECLS

/* How many workers there can be, those that are on their way out included. */
#define SRV_SCOREBOARD_SIZE 1024

/* What a server counts. */
typedef struct
{
  guint64 n_accepted;
  guint64 n_refused;
  guint64 n_failed;
  guint64 n_accept_failures;
} SrvTally;

typedef struct
{
  SrvTally tally;
  guint64 n_served;
  gint64 started;
  gint64 since;
  int pid;        /* 0: the slot is free */
  int n_active;   /* requests */
  int is_leaving; /* it will end, or was told to */
  int has_left;   /* it accepts nobody any more */
} __attribute__ ((aligned (128))) SrvScoreboardSlot;

typedef struct _SrvScoreboard SrvScoreboard;

SrvScoreboard *srv_scoreboard_new (GError **error);
SrvScoreboard *srv_scoreboard_ref (SrvScoreboard *self);
void srv_scoreboard_unref (SrvScoreboard *self);

/* The parent's. */
SrvScoreboardSlot *srv_scoreboard_take_slot (SrvScoreboard *self);
void srv_scoreboard_free_slot (SrvScoreboardSlot *slot);
GError *srv_scoreboard_take_failure (SrvScoreboard *self);

/* The worker's. */
gboolean srv_scoreboard_slot_begin (SrvScoreboardSlot *self);
gboolean srv_scoreboard_slot_end (SrvScoreboardSlot *self);
void srv_scoreboard_slot_leave (SrvScoreboardSlot *self);
void srv_scoreboard_put_failure (SrvScoreboard *self, const GError *error);

/* Anybody's. */
void srv_tally_add (SrvTally *self, const SrvTally *other);
void srv_scoreboard_add_up (SrvScoreboard *self, SrvTally *sum);
guint64 srv_scoreboard_count_served (SrvScoreboard *self);
guint srv_scoreboard_count_active (SrvScoreboard *self);
guint srv_scoreboard_count_idle (SrvScoreboard *self, guint enough);
guint srv_scoreboard_count_staying (SrvScoreboard *self);
GPtrArray *srv_scoreboard_list (SrvScoreboard *self);
char *srv_scoreboard_print (GPtrArray *list);

G_END_DECLS
