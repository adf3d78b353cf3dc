/* test-properties.c - every property of every class
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <socketserver-handlers.h>

#include "srv-test.h"

#include <string.h>

typedef GType (*TypeFunc) (void);

static const TypeFunc types[] = {
  srv_tcp_server_get_type,
  srv_udp_server_get_type,
  srv_unix_stream_server_get_type,
  srv_unix_datagram_server_get_type,
  srv_threading_tcp_server_get_type,
  srv_threading_udp_server_get_type,
  srv_threading_unix_stream_server_get_type,
  srv_threading_unix_datagram_server_get_type,
  srv_forking_tcp_server_get_type,
  srv_forking_udp_server_get_type,
  srv_forking_unix_stream_server_get_type,
  srv_forking_unix_datagram_server_get_type,
  srv_threading_mix_in_get_type,
  srv_forking_mix_in_get_type,
  srv_prefork_mix_in_get_type,
  srv_base_request_handler_get_type,
  srv_stream_request_handler_get_type,
  srv_datagram_request_handler_get_type,
  srv_echo_handler_get_type,
};

/* A value that differs from the one there, and that the property allows; FALSE
 * for kinds of which there is no such value to be made up. */
static gboolean
make_other (GParamSpec *pspec, GValue *value)
{
  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    g_value_set_boolean (value, !g_value_get_boolean (value));
  else if (G_IS_PARAM_SPEC_INT (pspec))
    g_value_set_int (value, G_PARAM_SPEC_INT (pspec)->maximum);
  else if (G_IS_PARAM_SPEC_UINT (pspec))
    g_value_set_uint (value, G_PARAM_SPEC_UINT (pspec)->maximum - 1);
  else if (G_IS_PARAM_SPEC_UINT64 (pspec))
    g_value_set_uint64 (value, G_PARAM_SPEC_UINT64 (pspec)->minimum * 2 + 1);
  else if (G_IS_PARAM_SPEC_ENUM (pspec))
    {
      GEnumClass *klass = G_PARAM_SPEC_ENUM (pspec)->enum_class;

      g_value_set_enum (value, klass->values[klass->n_values - 1].value);
    }
  else
    return FALSE;
  return TRUE;
}

static void
count_notify (G_GNUC_UNUSED GObject *object,
              G_GNUC_UNUSED GParamSpec *pspec,
              gpointer count)
{
  ++*(int *) count;
}

static void
assert_equal (GParamSpec *pspec, const GValue *a, const GValue *b)
{
  ck_assert_msg (g_param_values_cmp (pspec, a, b) == 0, "%s", pspec->name);
}

/* Sets a property to another value and back; each real change is told once,
 * and setting the same again is not told at all. */
static void
assert_round_trip (GObject *object, GParamSpec *pspec)
{
  g_auto (GValue) before = G_VALUE_INIT;
  g_auto (GValue) other = G_VALUE_INIT;
  g_auto (GValue) after = G_VALUE_INIT;
  g_autofree char *detail = g_strconcat ("notify::", pspec->name, NULL);
  int n_told = 0;
  gulong id;

  g_value_init (&before, pspec->value_type);
  g_value_init (&other, pspec->value_type);
  g_value_init (&after, pspec->value_type);
  g_object_get_property (object, pspec->name, &before);
  g_value_copy (&before, &other);
  if (!make_other (pspec, &other))
    return;
  id = g_signal_connect (object, detail, G_CALLBACK (count_notify), &n_told);
  for (int i = 0; i < 2; i++)
    g_object_set_property (object, pspec->name, &other);
  g_object_get_property (object, pspec->name, &after);
  assert_equal (pspec, &other, &after);
  if (pspec->flags & G_PARAM_EXPLICIT_NOTIFY)
    ck_assert_int_eq (n_told, 1);
  g_object_set_property (object, pspec->name, &before);
  g_object_get_property (object, pspec->name, &after);
  assert_equal (pspec, &before, &after);
  g_signal_handler_disconnect (object, id);
}

/* A knob of Python's classes is a property with a default that a new object
 * really has, and that can be set (SS-007). */
START_TEST (properties_have_their_defaults_and_can_be_set)
{
  g_autoptr (GObject) object = g_object_new (types[_i](), NULL);
  guint n = 0;
  g_autofree GParamSpec **all =
    g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);

  for (guint i = 0; i < n; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      if (!(all[i]->flags & G_PARAM_READABLE))
        continue;
      g_value_init (&value, all[i]->value_type);
      g_object_get_property (object, all[i]->name, &value);
      /* Answers differ, two that subclasses preset do too, and one is of a kind
       * whose default is never "none". */
      if (strcmp (all[i]->name, "mix-in") != 0 &&
          strcmp (all[i]->name, "handler-type") != 0 &&
          strcmp (all[i]->name, "end-on-drain") != 0)
        ck_assert_msg (!(all[i]->flags & G_PARAM_WRITABLE) ||
                         g_param_value_defaults (all[i], &value),
                       "%s.%s", G_OBJECT_TYPE_NAME (object), all[i]->name);
      if ((all[i]->flags & G_PARAM_WRITABLE) &&
          !(all[i]->flags & G_PARAM_CONSTRUCT_ONLY))
        assert_round_trip (object, all[i]);
    }
}
END_TEST

/* What shapes the socket is for construction only: set later it would do
 * nothing, and nobody would notice (D-34). */
START_TEST (socket_options_are_for_construction)
{
  static const struct
  {
    TypeFunc type;
    const char *name;
  } options[] = {
    { srv_tcp_server_get_type, "allow-reuse-address" },
    { srv_tcp_server_get_type, "allow-reuse-port" },
    { srv_tcp_server_get_type, "dual-stack" },
    { srv_tcp_server_get_type, "address-family" },
    { srv_tcp_server_get_type, "request-queue-size" },
    { srv_udp_server_get_type, "allow-reuse-address" },
    { srv_unix_stream_server_get_type, "path-mode" },
    { srv_unix_datagram_server_get_type, "path-take-over" },
  };
  g_autoptr (GTypeClass) klass = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      GParamSpec *pspec;

      g_clear_pointer (&klass, g_type_class_unref);
      klass = g_type_class_ref (options[i].type ());
      pspec =
        g_object_class_find_property (G_OBJECT_CLASS (klass), options[i].name);
      ck_assert_ptr_nonnull (pspec);
      ck_assert (pspec->flags & G_PARAM_CONSTRUCT_ONLY);
    }
}
END_TEST

/* A value given at construction is the one that is read back. */
START_TEST (construction_values_are_kept)
{
  g_autoptr (SrvBaseServer) inet =
    g_object_new (SRV_TYPE_UDP_SERVER, "allow-reuse-address", TRUE,
                  "allow-reuse-port", TRUE, "dual-stack", SRV_DUAL_STACK_OFF,
                  "address-family", G_SOCKET_FAMILY_IPV6, NULL);
  g_autoptr (SrvBaseServer) local =
    g_object_new (SRV_TYPE_UNIX_STREAM_SERVER, "path-mode", 0600, "path-owner",
                  1, "path-group", 2, "path-take-over", FALSE,
                  "request-queue-size", 7, NULL);
  gboolean reuse_address, reuse_port, take_over;
  SrvDualStack dual_stack;
  GSocketFamily family;
  int mode, owner, group;

  g_object_get (inet, "allow-reuse-address", &reuse_address, "allow-reuse-port",
                &reuse_port, "dual-stack", &dual_stack, "address-family",
                &family, NULL);
  ck_assert (reuse_address && reuse_port);
  ck_assert_int_eq ((int) dual_stack, SRV_DUAL_STACK_OFF);
  ck_assert_int_eq ((int) family, G_SOCKET_FAMILY_IPV6);
  g_object_get (local, "path-mode", &mode, "path-owner", &owner, "path-group",
                &group, "path-take-over", &take_over, NULL);
  ck_assert_int_eq (mode, 0600);
  ck_assert_int_eq (owner, 1);
  ck_assert_int_eq (group, 2);
  ck_assert (!take_over);
  ck_assert_int_eq (srv_stream_server_get_request_queue_size (
                      SRV_STREAM_SERVER (local)),
                    7);
}
END_TEST

/* Python's eight ready combinations differ from their parents by the mix-in
 * alone (SS-003). */
START_TEST (combinations_have_their_mix_in)
{
  SrvBaseServer *(*const inet[]) (const char *, guint16, GType, GError **) = {
    srv_threading_tcp_server_new,
    srv_threading_udp_server_new,
    srv_forking_tcp_server_new,
    srv_forking_udp_server_new,
  };
  SrvBaseServer *(*const local[]) (const char *, GType, GError **) = {
    srv_threading_unix_stream_server_new,
    srv_threading_unix_datagram_server_new,
    srv_forking_unix_stream_server_new,
    srv_forking_unix_datagram_server_new,
  };

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (SrvBaseServer) a =
        inet[i]("127.0.0.1", 0, SRV_TYPE_BASE_REQUEST_HANDLER, &error);
      g_autoptr (SrvBaseServer) b =
        local[i]("@", SRV_TYPE_BASE_REQUEST_HANDLER, &error);
      const GType expected = i < 2 ? SRV_TYPE_THREADING_MIX_IN
                                   : SRV_TYPE_FORKING_MIX_IN;

      ck_assert_ptr_null (error);
      ck_assert (
        G_TYPE_CHECK_INSTANCE_TYPE (srv_base_server_get_mix_in (a), expected));
      ck_assert (
        G_TYPE_CHECK_INSTANCE_TYPE (srv_base_server_get_mix_in (b), expected));
    }
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "properties", properties_have_their_defaults_and_can_be_set,
      G_N_ELEMENTS (types) },
    { "properties", socket_options_are_for_construction, 1 },
    { "properties", construction_values_are_kept, 1 },
    { "combinations", combinations_have_their_mix_in, 1 },
  };

  return srv_test_run_entries ("Properties", tests, G_N_ELEMENTS (tests));
}
