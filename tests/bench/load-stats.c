/* load-stats.c - how many messages, and how long they took
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Latencies go into buckets, 32 for each power of two, so that a percentile is
 * exact to 3 % and noting one costs next to nothing.
 */

#include "config.h"

#include "load.h"

#include <string.h>

#define SUB_BITS    5
#define SUB_BUCKETS (1 << SUB_BITS)
#define N_BUCKETS   (40 * SUB_BUCKETS)

LoadStats load_stats;

static guint64 buckets[N_BUCKETS];

void
load_stats_reset (void)
{
  memset (&load_stats, 0, sizeof load_stats);
  memset (buckets, 0, sizeof buckets);
}

/* One message that came back; both times in nanoseconds. */
void
load_stats_note (gint64 sent, gint64 received)
{
  guint64 value = (guint64) MAX (received - sent, SUB_BUCKETS);
  guint shift = g_bit_storage (value) - SUB_BITS - 1;
  guint bucket = shift * SUB_BUCKETS + (guint) (value >> shift);

  buckets[MIN (bucket, N_BUCKETS - 1)]++;
  load_stats.n_messages++;
}

static double
bucket_us (guint bucket)
{
  guint shift = bucket / SUB_BUCKETS - 1;

  return (double) (G_GUINT64_CONSTANT (1) << shift) *
         (bucket % SUB_BUCKETS + SUB_BUCKETS) / 1e3;
}

/* The latency in microseconds that PART of all messages did not exceed. */
double
load_stats_percentile (double part)
{
  guint64 left = (guint64) ((double) load_stats.n_messages * part);
  guint last = SUB_BUCKETS;

  for (guint bucket = SUB_BUCKETS; bucket < N_BUCKETS; bucket++)
    {
      if (buckets[bucket] == 0)
        continue;
      last = bucket;
      if (left < buckets[bucket])
        break;
      left -= buckets[bucket];
    }
  return bucket_us (last);
}
