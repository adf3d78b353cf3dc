/* srv-fiber-mix-in.h - a fiber for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-enums.h"
#include "srv-mix-in.h"

G_BEGIN_DECLS

#define SRV_TYPE_FIBER_MIX_IN (srv_fiber_mix_in_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvFiberMixIn,
                      srv_fiber_mix_in,
                      SRV,
                      FIBER_MIX_IN,
                      SrvMixIn)

SRV_AVAILABLE_IN_ALL
SrvMixIn *srv_fiber_mix_in_new (void);

SRV_AVAILABLE_IN_ALL
void srv_fiber_mix_in_set_workers (SrvFiberMixIn *self, guint workers);

SRV_AVAILABLE_IN_ALL
guint srv_fiber_mix_in_get_workers (SrvFiberMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_fiber_mix_in_set_listener_sharing (SrvFiberMixIn *self,
                                            SrvListenerSharing sharing);

SRV_AVAILABLE_IN_ALL
SrvListenerSharing srv_fiber_mix_in_get_listener_sharing (SrvFiberMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_fiber_mix_in_set_stack_size (SrvFiberMixIn *self, gsize stack_size);

SRV_AVAILABLE_IN_ALL
gsize srv_fiber_mix_in_get_stack_size (SrvFiberMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_fiber_mix_in_set_max_fibers (SrvFiberMixIn *self, guint max_fibers);

SRV_AVAILABLE_IN_ALL
guint srv_fiber_mix_in_get_max_fibers (SrvFiberMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_fiber_mix_in_set_block_limit (SrvFiberMixIn *self, int block_limit_ms);

SRV_AVAILABLE_IN_ALL
int srv_fiber_mix_in_get_block_limit (SrvFiberMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_fiber_mix_in_get_n_fibers (SrvFiberMixIn *self);

G_END_DECLS
