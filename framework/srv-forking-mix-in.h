/* srv-forking-mix-in.h - a process for each request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-mix-in.h"

G_BEGIN_DECLS

#define SRV_TYPE_FORKING_MIX_IN (srv_forking_mix_in_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvForkingMixIn,
                          srv_forking_mix_in,
                          SRV,
                          FORKING_MIX_IN,
                          SrvMixIn)

struct _SrvForkingMixInClass
{
  SrvMixInClass parent_class;

  void (*child_exited) (SrvForkingMixIn *self, int pid, int wait_status);

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
SrvMixIn *srv_forking_mix_in_new (void);

SRV_AVAILABLE_IN_ALL
void srv_forking_mix_in_set_max_children (SrvForkingMixIn *self,
                                          guint max_children);

SRV_AVAILABLE_IN_ALL
guint srv_forking_mix_in_get_max_children (SrvForkingMixIn *self);

SRV_AVAILABLE_IN_ALL
void srv_forking_mix_in_set_fork_guard (SrvForkingMixIn *self,
                                        SrvForkGuard fork_guard);

SRV_AVAILABLE_IN_ALL
SrvForkGuard srv_forking_mix_in_get_fork_guard (SrvForkingMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_forking_mix_in_get_n_active_children (SrvForkingMixIn *self);

SRV_AVAILABLE_IN_ALL
GArray *srv_forking_mix_in_get_active_children (SrvForkingMixIn *self);

SRV_AVAILABLE_IN_ALL
guint srv_forking_mix_in_collect_children (SrvForkingMixIn *self);

G_END_DECLS
