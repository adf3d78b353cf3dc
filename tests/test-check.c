/* test-check.c - public functions and what is no instance of their class
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "srv-test.h"

static void
ask_server (gpointer instance)
{
  srv_base_server_get_mix_in (instance);
}

static void
ask_mix_in (gpointer instance)
{
  srv_mix_in_get_block_on_close (instance);
}

static void
ask_handler (gpointer instance)
{
  srv_base_request_handler_get_request (instance);
}

static void
ask_stream_handler (gpointer instance)
{
  srv_stream_request_handler_get_rbufsize (instance);
}

static void
ask_datagram_handler (gpointer instance)
{
  srv_datagram_request_handler_get_datagram (instance);
}

static void
ask_connection (gpointer instance)
{
  srv_connection_get_fd (instance);
}

static void
ask_datagram (gpointer instance)
{
  srv_datagram_get_full_length (instance);
}

/* A function of the class, two types that have it, and one that has not. */
static const struct
{
  void (*ask) (gpointer instance);
  GType (*types[2]) (void);
  GType (*stranger) (void);
  const char *message;
} checks[] = {
  { ask_server,
    { srv_tcp_server_get_type, srv_unix_datagram_server_get_type },
    srv_fiber_mix_in_get_type,
    "SRV_IS_BASE_SERVER (self)" },
  { ask_mix_in,
    { srv_threading_mix_in_get_type, srv_fiber_mix_in_get_type },
    srv_tcp_server_get_type,
    "SRV_IS_MIX_IN (self)" },
  { ask_handler,
    { srv_stream_request_handler_get_type,
      srv_datagram_request_handler_get_type },
    srv_tcp_server_get_type,
    "SRV_IS_BASE_REQUEST_HANDLER (self)" },
  { ask_stream_handler,
    { srv_stream_request_handler_get_type,
      srv_stream_request_handler_get_type },
    srv_datagram_request_handler_get_type,
    "SRV_IS_STREAM_REQUEST_HANDLER (self)" },
  { ask_datagram_handler,
    { srv_datagram_request_handler_get_type,
      srv_datagram_request_handler_get_type },
    srv_stream_request_handler_get_type,
    "SRV_IS_DATAGRAM_REQUEST_HANDLER (self)" },
  { ask_connection,
    { srv_connection_get_type, srv_connection_get_type },
    srv_datagram_get_type,
    "SRV_IS_CONNECTION (self)" },
  { ask_datagram,
    { srv_datagram_get_type, srv_datagram_get_type },
    srv_connection_get_type,
    "SRV_IS_DATAGRAM (self)" },
};

/* Whatever has passed before: an instance passes, and nothing else does. */
START_TEST (only_instances_pass)
{
  g_autoptr (GObject) one = g_object_new (checks[_i].types[0](), NULL);
  g_autoptr (GObject) other = g_object_new (checks[_i].types[1](), NULL);
  g_autoptr (GObject) stranger = g_object_new (checks[_i].stranger (), NULL);

  srv_test_begin_log ();
  for (guint i = 1; i <= 3; i++)
    {
      checks[_i].ask (one);
      checks[_i].ask (other);
      ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_CRITICAL, NULL),
                         2 * (i - 1));
      checks[_i].ask (stranger);
      checks[_i].ask (NULL);
      ck_assert_uint_eq (srv_test_count_log (G_LOG_LEVEL_CRITICAL,
                                             checks[_i].message),
                         2 * i);
    }
  srv_test_end_log ();
}
END_TEST

int
main (void)
{
  const SrvTestEntry tests[] = {
    { "check", only_instances_pass, G_N_ELEMENTS (checks) },
  };

  return srv_test_run_entries ("Check", tests, G_N_ELEMENTS (tests));
}
