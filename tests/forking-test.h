/* forking-test.h - what the tests of forking share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

/* Numbers of the tests. */
enum
{
  N_RUNNING, /* handlers at this moment, or since the start */
  N_SEEN,
  N_EXITED, /* calls of child-exited */
  LAST_STATUS,
  LAST_PID,
  NOTE,
};

static inline SrvForkingMixIn *
forking_of (SrvBaseServer *server)
{
  return SRV_FORKING_MIX_IN (srv_base_server_get_mix_in (server));
}

static inline void
note_exit (G_GNUC_UNUSED SrvForkingMixIn *mix_in,
           int pid,
           int wait_status,
           G_GNUC_UNUSED gpointer user_data)
{
  srv_test_set_number (LAST_STATUS, wait_status);
  srv_test_set_number (LAST_PID, pid);
  srv_test_add_number (N_EXITED, 1);
}

/* A forking server that counts its children's ends. Without FUNCTION it gives
 * back a line. */
static inline SrvBaseServer *
make_server (SrvTestTransport transport, SrvHandlerFunc function)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_FORKING);

  if (function != NULL)
    srv_base_server_set_handler_func (server, function, NULL, NULL);
  g_signal_connect (forking_of (server), "child-exited", G_CALLBACK (note_exit),
                    NULL);
  srv_test_clear_trace ();

  return server;
}

static inline void
drop_server (SrvBaseServer *server)
{
  ck_assert_uint_eq (srv_base_server_server_close (server), 0);
  ck_assert (!srv_test_has_children ());
  g_object_unref (server);
}

static inline SrvHandleResult
handle_one (SrvBaseServer *server, int timeout_ms)
{
  g_autoptr (GError) error = NULL;
  SrvHandleResult result;

  result = srv_base_server_handle_request (server, timeout_ms, NULL, &error);
  srv_test_assert_no_error (error);

  return result;
}

/* One request through handle_request(), in a process without threads. */
static inline void
echo_alone (SrvBaseServer *server, const char *line)
{
  int fd = srv_test_connect (server);

  srv_test_say (fd, line);
  ck_assert_int_eq (handle_one (server, SRV_TEST_PATIENCE),
                    SRV_HANDLE_RESULT_HANDLED);
  srv_test_expect (fd, line);
  srv_test_close (fd);
}

static inline gboolean
wait_at_gate (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);

  return srv_test_reply (handler, "done\n", error);
}

/* Waits until COUNT handlers have come. No child may use Check: its lock may
 * have been held by another thread at the fork. */
static inline void
wait_for_others (gint64 count)
{
  srv_test_add_number (N_SEEN, 1);
  if (srv_test_get_number (N_SEEN) >= count)
    srv_test_open_gate (1);
  srv_test_wait_at_gate (1);
}
