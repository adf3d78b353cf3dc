/* srv-prefork-private.h - the workers of a prefork server, for the parent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *   srv-prefork-mix-in.c      the class: properties
 *   srv-prefork-workers.c     how many there shall be, and their end
 *   srv-prefork-start.c       how one is made
 *   srv-worker-process.c      what it does
 *   srv-scoreboard.c          where it writes that down
 *   srv-crash-row.c           what to do when it crashes
 */

#pragma once

#include "srv-children-private.h"
#include "srv-crash-row-private.h"
#include "srv-enums.h"
#include "srv-mix-in.h"
#include "srv-scoreboard-private.h"

G_BEGIN_DECLS

/* As the properties of the mix-in have them. */
typedef struct
{
  guint workers; /* 0: one for each processor */
  guint max_workers;
  guint min_spare;
  guint max_spare;
  guint max_requests;
  guint64 max_memory;
  guint recycle_spread;
  guint crash_limit;
  SrvForkGuard fork_guard;
  SrvMixIn *inner; /* owned, nullable */
} SrvPreforkSettings;

typedef struct
{
  pid_t pid;
  SrvScoreboardSlot *slot; /* borrowed */
  int leash_fd;
  gboolean was_sent_away;
} SrvPreforkWorker;

typedef struct
{
  const SrvPreforkSettings *settings; /* borrowed */
  SrvChildEnded ended;
  gpointer user_data;

  SrvScoreboard *scoreboard; /* owned, nullable until the first start; atomic */
  SrvChildren children;
  GHashTable *workers; /* of SrvPreforkWorker, by pid */
  gboolean warned;     /* of threads */
  SrvCrashRow crashes;
  guint64 n_served_old; /* by workers that are gone */

  int epoll_fd; /* all that follow, and the children */
  int news_fd;
  int stop_fd;
  int timer_fd;
} SrvPrefork;

/* The settings are borrowed, and looked at when they matter. */
SrvPrefork *srv_prefork_new (const SrvPreforkSettings *settings,
                             SrvChildEnded ended,
                             gpointer user_data);
void srv_prefork_free (SrvPrefork *self);

/* By the thread that serves. */
gboolean srv_prefork_start (SrvPrefork *self,
                            SrvBaseServer *server,
                            GError **error);
gboolean srv_prefork_supervise (SrvPrefork *self,
                                SrvBaseServer *server,
                                GError **error);
GError *srv_prefork_send_away (SrvPrefork *self, SrvBaseServer *server);

/* By the one that closes. */
gboolean srv_prefork_drain (SrvPrefork *self,
                            SrvBaseServer *server,
                            SrvDrainStep step,
                            gint64 deadline,
                            guint *n_cut);

int srv_prefork_get_fd (SrvPrefork *self);
guint srv_prefork_count (SrvPrefork *self);

/* NULL before the first start. */
SrvScoreboard *srv_prefork_get_scoreboard (SrvPrefork *self);

/* srv-prefork-start.c */
guint srv_prefork_count_wanted (const SrvPreforkSettings *settings);
gboolean srv_prefork_check_threads (SrvPrefork *self,
                                    SrvBaseServer *server,
                                    GError **error);
void srv_prefork_warm_up (SrvBaseServer *server);
gboolean srv_prefork_start_worker (SrvPrefork *self,
                                   SrvBaseServer *server,
                                   GError **error);

G_END_DECLS
