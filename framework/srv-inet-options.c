/* srv-inet-options.c - what TCP and UDP servers are told about sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-inet-options-private.h"

#include "srv-base-server-private.h"

/* The properties are for construction only: set on a socket that is bound
 * already, they would do nothing, and nobody would notice. */
void
srv_inet_options_install (GObjectClass *klass, gboolean reuse_address)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                            G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (klass, SRV_INET_ADDRESS_FAMILY,
                                   g_param_spec_enum ("address-family", NULL,
                                                      NULL,
                                                      G_TYPE_SOCKET_FAMILY,
                                                      G_SOCKET_FAMILY_INVALID,
                                                      flags));
  g_object_class_install_property (klass, SRV_INET_ALLOW_REUSE_ADDRESS,
                                   g_param_spec_boolean ("allow-reuse-address",
                                                         NULL, NULL,
                                                         reuse_address, flags));
  g_object_class_install_property (klass, SRV_INET_ALLOW_REUSE_PORT,
                                   g_param_spec_boolean ("allow-reuse-port",
                                                         NULL, NULL, FALSE,
                                                         flags));
  g_object_class_install_property (klass, SRV_INET_DUAL_STACK,
                                   g_param_spec_enum ("dual-stack", NULL, NULL,
                                                      SRV_TYPE_DUAL_STACK,
                                                      SRV_DUAL_STACK_ON,
                                                      flags));
}

void
srv_inet_options_get (const SrvInetOptions *self,
                      GObject *object,
                      guint id,
                      GValue *value,
                      GParamSpec *pspec)
{
  switch ((SrvInetProperty) id)
    {
    case SRV_INET_ADDRESS_FAMILY:
      g_value_set_enum (value, (int) self->family);
      break;
    case SRV_INET_ALLOW_REUSE_ADDRESS:
      g_value_set_boolean (value, self->reuse_address);
      break;
    case SRV_INET_ALLOW_REUSE_PORT:
      g_value_set_boolean (value, self->reuse_port);
      break;
    case SRV_INET_DUAL_STACK:
      g_value_set_enum (value, (int) self->dual_stack);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

void
srv_inet_options_set (SrvInetOptions *self,
                      GObject *object,
                      guint id,
                      const GValue *value,
                      GParamSpec *pspec)
{
  switch ((SrvInetProperty) id)
    {
    case SRV_INET_ADDRESS_FAMILY:
      self->family = (GSocketFamily) g_value_get_enum (value);
      break;
    case SRV_INET_ALLOW_REUSE_ADDRESS:
      self->reuse_address = g_value_get_boolean (value);
      break;
    case SRV_INET_ALLOW_REUSE_PORT:
      self->reuse_port = g_value_get_boolean (value);
      break;
    case SRV_INET_DUAL_STACK:
      self->dual_stack = (SrvDualStack) g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

gboolean
srv_inet_options_bind (const SrvInetOptions *self,
                       SrvBaseServer *server,
                       SrvEndpointKind kind,
                       GError **error)
{
  const SrvListenOptions options = {
    .endpoint = srv_base_server_get_wanted_endpoint (server),
    .socket_type = kind == SRV_ENDPOINT_KIND_TCP ? SOCK_STREAM : SOCK_DGRAM,
    .configure = srv_base_server_configure,
    .user_data = server,
    .family = self->family,
    .reuse_address = self->reuse_address,
    .reuse_port = self->reuse_port,
    .dual_stack = self->dual_stack,
  };

  return srv_base_server_open_listener (server, kind, &options, error);
}
