/* chat-limits.c - the limits of the chat server, as options
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each is a property of something in the library, which knows its range and
 * what it is when nobody sets it.
 */

#include "chat-limits.h"

#include <socketserver-handlers.h>

typedef struct
{
  const char *option;
  GType (*get_type) (void);
  const char *property;
  const char *help;
  const char *unit;
  int value; /* from the command line, or the property's default */
} Limit;

static Limit limits[] = {
  { "max-clients", srv_chat_hub_get_type, "max-connections",
    "How many clients there may be", "N", 0 },
  { "max-clients-per-address", srv_chat_hub_get_type,
    "max-connections-per-address",
    "How many clients from one address, 0 for any number", "N", 0 },
  { "max-rooms", srv_chat_hub_get_type, "max-rooms",
    "How many rooms there may be", "N", 0 },
  { "max-rooms-per-client", srv_chat_hub_get_type, "max-rooms-per-member",
    "In how many rooms a client may be", "N", 0 },
  { "max-members", srv_chat_hub_get_type, "max-room-members",
    "How many clients may be in a room", "N", 0 },
  { "max-queued", srv_chat_handler_get_type, "max-queued-bytes",
    "How much a client may leave unread before it is cut", "BYTES", 0 },
  { "rate", srv_chat_handler_get_type, "messages-per-second",
    "Messages a client may send in a second, 0 for any number", "N", 0 },
  { "burst", srv_chat_handler_get_type, "message-burst",
    "Messages it may send at once", "N", 0 },
  { "byte-rate", srv_chat_handler_get_type, "bytes-per-second",
    "Bytes a client may send in a second, 0 for any number", "BYTES", 0 },
  { "byte-burst", srv_chat_handler_get_type, "byte-burst",
    "Bytes it may send at once", "BYTES", 0 },
  { "unidentified-timeout", srv_chat_handler_get_type, "unidentified-timeout",
    "How long a client may be without a name", "MS", 0 },
  { "delivery-timeout", srv_chat_handler_get_type, "delivery-timeout",
    "How long a client may take to accept a message that was kept", "MS", 0 },
  { "history", srv_chat_handler_get_type, "history",
    "How many messages of a room are shown to who joins it", "N", 0 },
  { "probe-grace", srv_jim_handler_get_type, "probe-grace",
    "jim: how long a client may say nothing before it is probed, 0 for ever",
    "MS", 0 },
  { "partial-timeout", srv_jim_handler_get_type, "partial-timeout",
    "jim: how long an object may take to come", "MS", 0 },
  { "max-object", srv_jim_handler_get_type, "max-object-bytes",
    "jim: how long an object may be", "BYTES", 0 },
  { "max-failed-logins", srv_jim_handler_get_type, "max-failed-logins",
    "jim: after how many failed logins a client has to go", "N", 0 },
  { "max-listed", srv_jim_handler_get_type, "max-listed",
    "jim: how many names a list of contacts or people has", "N", 0 },
  { "free-attempts", srv_account_store_get_type, "free-attempts",
    "How many wrong passwords a name may have before the first wait", "N", 0 },
  { "free-attempts-address", srv_account_store_get_type,
    "free-attempts-address", "How many an address may have", "N", 0 },
  { "max-hashes", srv_account_store_get_type, "max-hashes",
    "How many passwords to check at a time", "N", 0 },
  { "hash-memory", srv_account_store_get_type, "hash-memory",
    "What it takes to check one", "KIB", 0 },
  { "max-contacts", srv_account_store_get_type, "contact-limit",
    "How many contacts an account may have", "N", 0 },
  { "max-offline", srv_account_store_get_type, "offline-limit",
    "How many messages may wait for an account", "N", 0 },
  { "max-history", srv_account_store_get_type, "history-limit",
    "How many messages of a room are kept", "N", 0 },
};

static const GParamSpecUInt *
spec_of (const Limit *limit)
{
  GObjectClass *klass = g_type_class_ref (limit->get_type ());
  GParamSpec *spec = g_object_class_find_property (klass, limit->property);

  g_type_class_unref (klass);
  return G_PARAM_SPEC_UINT (spec);
}

GOptionEntry *
chat_limits_make_entries (const GOptionEntry *first)
{
  GArray *entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));

  for (; first->long_name != NULL; first++)
    g_array_append_val (entries, *first);
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autofree char *help =
        g_strdup_printf ("%s (default: %u)", limits[i].help,
                         spec_of (&limits[i])->default_value);
      GOptionEntry entry = {
        .long_name = limits[i].option,
        .arg = G_OPTION_ARG_INT,
        .arg_data = &limits[i].value,
        .description = g_intern_string (help),
        .arg_description = limits[i].unit,
      };

      limits[i].value = (int) spec_of (&limits[i])->default_value;
      g_array_append_val (entries, entry);
    }
  return (gpointer) g_array_free (entries, FALSE);
}

char *
chat_limits_find_problem (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      const GParamSpecUInt *spec = spec_of (&limits[i]);

      if (limits[i].value < 0 || (guint) limits[i].value < spec->minimum ||
          (guint) limits[i].value > spec->maximum)
        return g_strdup_printf ("--%s is from %u to %u", limits[i].option,
                                spec->minimum, spec->maximum);
    }
  return NULL;
}

void
chat_limits_apply (GObject *object)
{
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    if (g_type_is_a (G_OBJECT_TYPE (object), limits[i].get_type ()))
      g_object_set (object, limits[i].property, (guint) limits[i].value, NULL);
}
