/* srv-request.h - what a server got from a client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-types.h"

G_BEGIN_DECLS

#define SRV_TYPE_REQUEST (srv_request_get_type ())

SRV_AVAILABLE_IN_ALL
G_DECLARE_INTERFACE (SrvRequest, srv_request, SRV, REQUEST, GObject)

struct _SrvRequestInterface
{
  GTypeInterface parent_iface;

  GSocketAddress *(*get_client_address) (SrvRequest *self);
  GSocketAddress *(*get_local_address) (SrvRequest *self);
  GCredentials *(*get_credentials) (SrvRequest *self, GError **error);
  char *(*describe_client) (SrvRequest *self);
  void (*cut) (SrvRequest *self);
  void (*drain) (SrvRequest *self);
  int (*fileno) (SrvRequest *self);

  /*< private >*/
  gpointer padding[8];
};

SRV_AVAILABLE_IN_ALL
GSocketAddress *srv_request_get_client_address (SrvRequest *self);

SRV_AVAILABLE_IN_ALL
GSocketAddress *srv_request_get_local_address (SrvRequest *self);

SRV_AVAILABLE_IN_ALL
GCredentials *srv_request_get_credentials (SrvRequest *self, GError **error);

SRV_AVAILABLE_IN_ALL
char *srv_request_describe_client (SrvRequest *self);

SRV_AVAILABLE_IN_ALL
void srv_request_cut (SrvRequest *self);

SRV_AVAILABLE_IN_ALL
void srv_request_drain (SrvRequest *self);

SRV_AVAILABLE_IN_ALL
int srv_request_fileno (SrvRequest *self);

G_END_DECLS
