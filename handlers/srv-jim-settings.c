/* srv-jim-settings.c - the properties of JIM handlers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "srv-jim-settings-private.h"

#include "srv-jim-session-private.h"

typedef enum
{
  PROP_FRAMING = 1,
  PROP_DIALECT,
  PROP_AUTH,
  PROP_STRICT,
  PROP_INSECURE_AUTH,
  PROP_COMPAT_BROADCAST,
  PROP_NOTICES,
  PROP_STAMP,
  PROP_PROBE_GRACE,
  PROP_PARTIAL_TIMEOUT,
  PROP_MAX_OBJECT_BYTES,
  PROP_MAX_FAILED_LOGINS,
  PROP_MAX_LISTED,
} SrvJimHandlerProperty;

static GParamSpec *properties[PROP_MAX_LISTED + 1];

G_DEFINE_ENUM_TYPE (SrvJimFraming,
                    srv_jim_framing,
                    G_DEFINE_ENUM_VALUE (SRV_JIM_FRAMING_BARE, "bare"),
                    G_DEFINE_ENUM_VALUE (SRV_JIM_FRAMING_LINES, "lines"),
                    G_DEFINE_ENUM_VALUE (SRV_JIM_FRAMING_LEN32, "len32"),
                    G_DEFINE_ENUM_VALUE (SRV_JIM_FRAMING_AUTO, "auto"))

G_DEFINE_ENUM_TYPE (SrvJimDialect,
                    srv_jim_dialect,
                    G_DEFINE_ENUM_VALUE (SRV_JIM_DIALECT_AUTO, "auto"),
                    G_DEFINE_ENUM_VALUE (SRV_JIM_DIALECT_TEMPLATE, "template"),
                    G_DEFINE_ENUM_VALUE (SRV_JIM_DIALECT_SPEC, "spec"))

G_DEFINE_ENUM_TYPE (SrvJimAuth,
                    srv_jim_auth,
                    G_DEFINE_ENUM_VALUE (SRV_JIM_AUTH_OFF, "off"),
                    G_DEFINE_ENUM_VALUE (SRV_JIM_AUTH_OPTIONAL, "optional"),
                    G_DEFINE_ENUM_VALUE (SRV_JIM_AUTH_REQUIRED, "required"))

static gboolean *
switch_of (SrvJimHandler *self, guint id)
{
  switch (id)
    {
    case PROP_STRICT:
      return &self->is_strict;
    case PROP_INSECURE_AUTH:
      return &self->allows_insecure_auth;
    case PROP_COMPAT_BROADCAST:
      return &self->broadcasts;
    case PROP_NOTICES:
      return &self->gives_notices;
    case PROP_STAMP:
      return &self->stamps;
    default:
      return NULL;
    }
}

static guint *
number_of (SrvJimHandler *self, guint id)
{
  switch (id)
    {
    case PROP_PROBE_GRACE:
      return &self->probe_grace_ms;
    case PROP_PARTIAL_TIMEOUT:
      return &self->partial_timeout_ms;
    case PROP_MAX_OBJECT_BYTES:
      return &self->max_object_bytes;
    case PROP_MAX_FAILED_LOGINS:
      return &self->max_failed_logins;
    case PROP_MAX_LISTED:
      return &self->max_listed;
    default:
      return NULL;
    }
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  SrvJimHandler *self = SRV_JIM_HANDLER (object);

  if (id == PROP_FRAMING)
    g_value_set_enum (value, (int) self->framing);
  else if (id == PROP_DIALECT)
    g_value_set_enum (value, (int) self->dialect);
  else if (id == PROP_AUTH)
    g_value_set_enum (value, (int) self->auth);
  else if (switch_of (self, id) != NULL)
    g_value_set_boolean (value, *switch_of (self, id));
  else if (number_of (self, id) != NULL)
    g_value_set_uint (value, *number_of (self, id));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  SrvJimHandler *self = SRV_JIM_HANDLER (object);

  if (id == PROP_FRAMING)
    self->framing = (SrvJimFraming) g_value_get_enum (value);
  else if (id == PROP_DIALECT)
    self->dialect = (SrvJimDialect) g_value_get_enum (value);
  else if (id == PROP_AUTH)
    self->auth = (SrvJimAuth) g_value_get_enum (value);
  else if (switch_of (self, id) != NULL)
    *switch_of (self, id) = g_value_get_boolean (value);
  else if (number_of (self, id) != NULL)
    *number_of (self, id) = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT |
                                 G_PARAM_STATIC_STRINGS;

static void
install_rules (void)
{
  /**
   * SrvJimHandler:framing:
   *
   * How objects are told apart on the wire.
   */
  properties[PROP_FRAMING] = g_param_spec_enum ("framing", NULL, NULL,
                                                SRV_TYPE_JIM_FRAMING,
                                                SRV_JIM_FRAMING_BARE, flags);
  /**
   * SrvJimHandler:dialect:
   *
   * What clients may call things.
   */
  properties[PROP_DIALECT] = g_param_spec_enum ("dialect", NULL, NULL,
                                                SRV_TYPE_JIM_DIALECT,
                                                SRV_JIM_DIALECT_AUTO, flags);
  /**
   * SrvJimHandler:auth:
   *
   * Who may have a name. Without a store, `optional` is the same as `off`.
   */
  properties[PROP_AUTH] = g_param_spec_enum ("auth", NULL, NULL,
                                             SRV_TYPE_JIM_AUTH,
                                             SRV_JIM_AUTH_OPTIONAL, flags);
  /**
   * SrvJimHandler:strict:
   *
   * Whether the protocol's text is taken by the letter: an object has at most
   * 640 characters as it is written, `time` and an honest `from` are required,
   * text that is not ASCII needs `encoding`, and a room its `#`.
   */
  properties[PROP_STRICT] =
    g_param_spec_boolean ("strict", NULL, NULL, FALSE, flags);
  /**
   * SrvJimHandler:insecure-auth:
   *
   * Whether passwords are taken from other machines.
   */
  properties[PROP_INSECURE_AUTH] =
    g_param_spec_boolean ("insecure-auth", NULL, NULL, FALSE, flags);
}

static void
install_habits (void)
{
  /**
   * SrvJimHandler:compat-broadcast:
   *
   * Whether a message to nobody, to `all` or to `client` goes to the default
   * room; otherwise it is an error.
   */
  properties[PROP_COMPAT_BROADCAST] =
    g_param_spec_boolean ("compat-broadcast", NULL, NULL, FALSE, flags);
  /**
   * SrvJimHandler:notices:
   *
   * Whether the client is told, by messages from `server`, who comes into its
   * rooms and who leaves.
   */
  properties[PROP_NOTICES] =
    g_param_spec_boolean ("notices", NULL, NULL, FALSE, flags);
  /**
   * SrvJimHandler:stamp:
   *
   * Whether relayed messages have the server's time, not their sender's.
   */
  properties[PROP_STAMP] =
    g_param_spec_boolean ("stamp", NULL, NULL, FALSE, flags);
}

static void
install_limits (void)
{
  /**
   * SrvJimHandler:probe-grace:
   *
   * How long a new client may be silent before it is probed, in milliseconds; 0
   * for never.
   */
  properties[PROP_PROBE_GRACE] =
    g_param_spec_uint ("probe-grace", NULL, NULL, 0, G_MAXINT, 1000, flags);
  /**
   * SrvJimHandler:partial-timeout:
   *
   * How long an object may take from its first byte to its last, in
   * milliseconds.
   */
  properties[PROP_PARTIAL_TIMEOUT] = g_param_spec_uint ("partial-timeout", NULL,
                                                        NULL, 1, G_MAXINT,
                                                        10000, flags);
  /**
   * SrvJimHandler:max-object-bytes:
   *
   * How long an object may be on the wire, in bytes.
   */
  properties[PROP_MAX_OBJECT_BYTES] =
    g_param_spec_uint ("max-object-bytes", NULL, NULL, 64, 64 * 1024, 4096,
                       flags);
  /**
   * SrvJimHandler:max-failed-logins:
   *
   * After how many answers 402 and 409 the connection ends.
   */
  properties[PROP_MAX_FAILED_LOGINS] =
    g_param_spec_uint ("max-failed-logins", NULL, NULL, 1, G_MAXINT, 3, flags);
  /**
   * SrvJimHandler:max-listed:
   *
   * How many names an answer with contacts or people has at most; fewer if they
   * would take more than half of what is free of the client's queue
   * ([property@SocketServerHandlers.ChatHandler:max-queued-bytes]).
   */
  properties[PROP_MAX_LISTED] =
    g_param_spec_uint ("max-listed", NULL, NULL, 0, 1000000, 1000, flags);
}

void
srv_jim_settings_install (GObjectClass *object_class)
{
  object_class->get_property = get_property;
  object_class->set_property = set_property;
  install_rules ();
  install_habits ();
  install_limits ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}
