/* srv-unix-options.c - what Unix servers are told about paths
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-unix-options-private.h"

#include "srv-base-server-private.h"

static void
install_number (GObjectClass *klass, guint id, const char *name, int largest)
{
  g_object_class_install_property (klass, id,
                                   g_param_spec_int (name, NULL, NULL, -1,
                                                     largest, -1,
                                                     G_PARAM_READWRITE |
                                                       G_PARAM_CONSTRUCT_ONLY |
                                                       G_PARAM_STATIC_STRINGS));
}

void
srv_unix_options_install (GObjectClass *klass)
{
  g_object_class_install_property (
    klass, SRV_UNIX_PATH_TAKE_OVER,
    g_param_spec_boolean ("path-take-over", NULL, NULL, TRUE,
                          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY |
                            G_PARAM_STATIC_STRINGS));
  install_number (klass, SRV_UNIX_PATH_MODE, "path-mode", 0777);
  install_number (klass, SRV_UNIX_PATH_OWNER, "path-owner", G_MAXINT);
  install_number (klass, SRV_UNIX_PATH_GROUP, "path-group", G_MAXINT);
}

void
srv_unix_options_get (const SrvUnixOptions *self,
                      GObject *object,
                      guint id,
                      GValue *value,
                      GParamSpec *pspec)
{
  switch ((SrvUnixProperty) id)
    {
    case SRV_UNIX_PATH_TAKE_OVER:
      g_value_set_boolean (value, self->take_over);
      break;
    case SRV_UNIX_PATH_MODE:
      g_value_set_int (value, self->mode);
      break;
    case SRV_UNIX_PATH_OWNER:
      g_value_set_int (value, self->owner);
      break;
    case SRV_UNIX_PATH_GROUP:
      g_value_set_int (value, self->group);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

void
srv_unix_options_set (SrvUnixOptions *self,
                      GObject *object,
                      guint id,
                      const GValue *value,
                      GParamSpec *pspec)
{
  switch ((SrvUnixProperty) id)
    {
    case SRV_UNIX_PATH_TAKE_OVER:
      self->take_over = g_value_get_boolean (value);
      break;
    case SRV_UNIX_PATH_MODE:
      self->mode = g_value_get_int (value);
      break;
    case SRV_UNIX_PATH_OWNER:
      self->owner = g_value_get_int (value);
      break;
    case SRV_UNIX_PATH_GROUP:
      self->group = g_value_get_int (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

gboolean
srv_unix_options_bind (const SrvUnixOptions *self,
                       SrvBaseServer *server,
                       SrvEndpointKind kind,
                       GError **error)
{
  const SrvListenOptions options = {
    .endpoint = srv_base_server_get_wanted_endpoint (server),
    .socket_type = kind == SRV_ENDPOINT_KIND_UNIX ? SOCK_STREAM : SOCK_DGRAM,
    .local = TRUE,
    .configure = srv_base_server_configure,
    .user_data = server,
    .take_over = self->take_over,
    .mode = self->mode,
    .owner = self->owner,
    .group = self->group,
  };

  return srv_base_server_open_listener (server, kind, &options, error);
}
