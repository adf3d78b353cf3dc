/* srv-mix-in.h - how requests run at the same time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-request.h"
#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_MIX_IN (srv_mix_in_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (SrvMixIn, srv_mix_in, SRV, MIX_IN, GObject)

struct _SrvMixInClass
{
  GObjectClass parent_class;

  gboolean (*process_request) (SrvMixIn *self,
                               SrvBaseServer *server,
                               SrvRequest *request,
                               GError **error);
  gboolean (*serve) (SrvMixIn *self, SrvBaseServer *server, GError **error);
  gboolean (*admits) (SrvMixIn *self, SrvBaseServer *server);
  int (*fileno) (SrvMixIn *self, SrvBaseServer *server);
  gboolean (*service_actions) (SrvMixIn *self,
                               SrvBaseServer *server,
                               GError **error);
  gboolean (*drain) (SrvMixIn *self,
                     SrvBaseServer *server,
                     SrvDrainStep step,
                     gint64 deadline,
                     guint *n_cut);

  /* What differs between mix-ins. */
  gboolean shares_memory;
  gboolean stop_from_handler;
  gboolean attachable;

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_process_request (SrvMixIn *self,
                                     SrvBaseServer *server,
                                     SrvRequest *request,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_serve (SrvMixIn *self,
                           SrvBaseServer *server,
                           GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_admits (SrvMixIn *self, SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
int srv_mix_in_fileno (SrvMixIn *self, SrvBaseServer *server);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_service_actions (SrvMixIn *self,
                                     SrvBaseServer *server,
                                     GError **error);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_drain (SrvMixIn *self,
                           SrvBaseServer *server,
                           SrvDrainStep step,
                           gint64 deadline,
                           guint *n_cut);

SRV_AVAILABLE_IN_ALL
void srv_mix_in_set_block_on_close (SrvMixIn *self, gboolean block_on_close);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_get_block_on_close (SrvMixIn *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_get_shares_memory (SrvMixIn *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_get_stop_from_handler (SrvMixIn *self);

SRV_AVAILABLE_IN_ALL
gboolean srv_mix_in_get_attachable (SrvMixIn *self);

G_END_DECLS
