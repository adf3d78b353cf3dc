/* srv-prefork-mix-in.h - processes that serve one request after the other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-mix-in.h"
#include "srv-scoreboard.h"

G_BEGIN_DECLS

#define SRV_TYPE_PREFORK_MIX_IN (srv_prefork_mix_in_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvPreforkMixIn,
                      srv_prefork_mix_in,
                      SRV,
                      PREFORK_MIX_IN,
                      SrvMixIn)

SRV_AVAILABLE_IN_ALL
SrvMixIn *srv_prefork_mix_in_new (void);

SRV_AVAILABLE_IN_ALL
void srv_prefork_mix_in_set_workers (SrvPreforkMixIn *self, guint workers);

SRV_AVAILABLE_IN_ALL
guint srv_prefork_mix_in_get_workers (SrvPreforkMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_prefork_mix_in_set_inner (SrvPreforkMixIn *self, SrvMixIn *inner);

SRV_AVAILABLE_IN_ALL
SrvMixIn *srv_prefork_mix_in_get_inner (SrvPreforkMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_prefork_mix_in_set_fork_guard (SrvPreforkMixIn *self,
                                        SrvForkGuard fork_guard);

SRV_AVAILABLE_IN_ALL
SrvForkGuard srv_prefork_mix_in_get_fork_guard (SrvPreforkMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_prefork_mix_in_get_n_workers (SrvPreforkMixIn *self);

SRV_AVAILABLE_IN_ALL
GPtrArray *srv_prefork_mix_in_list_workers (SrvPreforkMixIn *self);

SRV_AVAILABLE_IN_ALL
char *srv_prefork_mix_in_print_workers (SrvPreforkMixIn *self);

G_END_DECLS
