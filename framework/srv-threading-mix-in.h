/* srv-threading-mix-in.h - a thread for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-mix-in.h"

G_BEGIN_DECLS

#define SRV_TYPE_THREADING_MIX_IN (srv_threading_mix_in_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvThreadingMixIn,
                      srv_threading_mix_in,
                      SRV,
                      THREADING_MIX_IN,
                      SrvMixIn)

SRV_AVAILABLE_IN_ALL
SrvMixIn *srv_threading_mix_in_new (void);

SRV_AVAILABLE_IN_ALL
void srv_threading_mix_in_set_daemon_threads (SrvThreadingMixIn *self,
                                              gboolean daemon_threads);

SRV_AVAILABLE_IN_ALL
gboolean srv_threading_mix_in_get_daemon_threads (SrvThreadingMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_threading_mix_in_set_max_threads (SrvThreadingMixIn *self,
                                           guint max_threads);

SRV_AVAILABLE_IN_ALL
guint srv_threading_mix_in_get_max_threads (SrvThreadingMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_threading_mix_in_set_stack_size (SrvThreadingMixIn *self,
                                          gsize stack_size);

SRV_AVAILABLE_IN_ALL
gsize srv_threading_mix_in_get_stack_size (SrvThreadingMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_threading_mix_in_get_n_threads (SrvThreadingMixIn *self);

G_END_DECLS
