/* srv-thread-pool-mix-in.h - a limited number of threads for all requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-enums.h"
#include "srv-mix-in.h"

G_BEGIN_DECLS

#define SRV_TYPE_THREAD_POOL_MIX_IN (srv_thread_pool_mix_in_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (SrvThreadPoolMixIn,
                      srv_thread_pool_mix_in,
                      SRV,
                      THREAD_POOL_MIX_IN,
                      SrvMixIn)

SRV_AVAILABLE_IN_ALL
SrvMixIn *srv_thread_pool_mix_in_new (void);

SRV_AVAILABLE_IN_ALL
void srv_thread_pool_mix_in_set_min_threads (SrvThreadPoolMixIn *self,
                                             guint min_threads);

SRV_AVAILABLE_IN_ALL
guint srv_thread_pool_mix_in_get_min_threads (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_thread_pool_mix_in_set_max_threads (SrvThreadPoolMixIn *self,
                                             guint max_threads);

SRV_AVAILABLE_IN_ALL
guint srv_thread_pool_mix_in_get_max_threads (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_thread_pool_mix_in_set_idle_time (SrvThreadPoolMixIn *self,
                                           int idle_time_ms);

SRV_AVAILABLE_IN_ALL
int srv_thread_pool_mix_in_get_idle_time (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_thread_pool_mix_in_set_queue_size (SrvThreadPoolMixIn *self,
                                            guint queue_size);

SRV_AVAILABLE_IN_ALL
guint srv_thread_pool_mix_in_get_queue_size (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_thread_pool_mix_in_set_full_policy (SrvThreadPoolMixIn *self,
                                             SrvFullPolicy full_policy);

SRV_AVAILABLE_IN_ALL
SrvFullPolicy srv_thread_pool_mix_in_get_full_policy (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_thread_pool_mix_in_set_stack_size (SrvThreadPoolMixIn *self,
                                            gsize stack_size);

SRV_AVAILABLE_IN_ALL
gsize srv_thread_pool_mix_in_get_stack_size (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_thread_pool_mix_in_get_n_threads (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_thread_pool_mix_in_get_n_busy (SrvThreadPoolMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_thread_pool_mix_in_get_n_queued (SrvThreadPoolMixIn *self);

G_END_DECLS
