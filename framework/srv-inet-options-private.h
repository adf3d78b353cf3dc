/* srv-inet-options-private.h - what TCP and UDP servers are told about sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-base-server.h"
#include "srv-listener-private.h"

G_BEGIN_DECLS

typedef struct
{
  GSocketFamily family;
  gboolean reuse_address;
  gboolean reuse_port;
  SrvDualStack dual_stack;
} SrvInetOptions;

/* The numbers of the properties, in every class that has them. */
typedef enum
{
  SRV_INET_ADDRESS_FAMILY = 1,
  SRV_INET_ALLOW_REUSE_ADDRESS,
  SRV_INET_ALLOW_REUSE_PORT,
  SRV_INET_DUAL_STACK,
} SrvInetProperty;

void srv_inet_options_install (GObjectClass *klass, gboolean reuse_address);
void srv_inet_options_get (const SrvInetOptions *self,
                           GObject *object,
                           guint id,
                           GValue *value,
                           GParamSpec *pspec);
void srv_inet_options_set (SrvInetOptions *self,
                           GObject *object,
                           guint id,
                           const GValue *value,
                           GParamSpec *pspec);
gboolean srv_inet_options_bind (const SrvInetOptions *self,
                                SrvBaseServer *server,
                                SrvEndpointKind kind,
                                GError **error);

G_END_DECLS
