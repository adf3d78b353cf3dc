/* srv-prefork-private.h - the workers of a prefork server, for the parent
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-children-private.h"
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

typedef struct _SrvPrefork SrvPrefork;

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

G_END_DECLS
