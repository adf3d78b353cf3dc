/* prefork-test.h - what the tests of prefork share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

/* Numbers of the tests. */
enum
{
  N_RUNNING, /* handlers at this moment, or since the start */
  N_ENDED,
  N_EXITED, /* calls of worker-exited */
  N_KILLED, /* those that tell of SIGKILL */
  LAST_STATUS,
  N_CUT,
  FIRST_PID,
};

static inline SrvPreforkMixIn *
prefork_of (SrvBaseServer *server)
{
  return SRV_PREFORK_MIX_IN (srv_base_server_get_mix_in (server));
}

static inline void
note_exit (G_GNUC_UNUSED SrvPreforkMixIn *mix_in,
           G_GNUC_UNUSED int pid,
           int wait_status,
           G_GNUC_UNUSED gpointer user_data)
{
  srv_test_set_number (LAST_STATUS, wait_status);
  if (WIFSIGNALED (wait_status) && WTERMSIG (wait_status) == SIGKILL)
    srv_test_add_number (N_KILLED, 1);
  srv_test_add_number (N_EXITED, 1);
}

/* A server with so many workers. Without FUNCTION it gives back a line. */
static inline SrvBaseServer *
make_server (SrvTestTransport transport, guint workers, SrvHandlerFunc function)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_PREFORK);

  srv_prefork_mix_in_set_workers (prefork_of (server), workers);
  if (function != NULL)
    srv_base_server_set_handler_func (server, function, NULL, NULL);
  g_signal_connect (prefork_of (server), "worker-exited",
                    G_CALLBACK (note_exit), NULL);
  srv_test_clear_trace ();

  return server;
}

/* Tells the client who serves it. */
static inline gboolean
say_pid (SrvBaseRequestHandler *handler,
         G_GNUC_UNUSED gpointer user_data,
         GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d", getpid ());

  return srv_test_reply (handler, text, error);
}

static inline int
ask_pid (SrvBaseServer *server)
{
  int fd = srv_test_connect (server);
  g_autofree char *text = srv_test_read_all (fd, NULL);

  srv_test_close (fd);
  return atoi (text);
}

static inline guint
count_state (SrvBaseServer *server, SrvWorkerState state)
{
  g_autoptr (GPtrArray) workers =
    srv_prefork_mix_in_list_workers (prefork_of (server));
  guint n = 0;

  for (guint i = 0; i < workers->len; i++)
    if (((SrvWorkerInfo *) workers->pdata[i])->state == state)
      n++;
  return n;
}

static inline guint
count_workers (SrvBaseServer *server)
{
  return count_state (server, SRV_WORKER_STATE_IDLE) +
         count_state (server, SRV_WORKER_STATE_BUSY);
}

static inline int
first_worker (SrvBaseServer *server)
{
  g_autoptr (GPtrArray) workers =
    srv_prefork_mix_in_list_workers (prefork_of (server));

  ck_assert_uint_gt (workers->len, 0);
  return ((SrvWorkerInfo *) workers->pdata[0])->pid;
}

static inline guint64
read_counter (SrvBaseServer *server, const char *name)
{
  guint64 value;

  g_object_get (server, name, &value, NULL);
  return value;
}

static inline gboolean
wait_at_gate (SrvBaseRequestHandler *handler,
              G_GNUC_UNUSED gpointer user_data,
              GError **error)
{
  srv_test_add_number (N_RUNNING, 1);
  srv_test_wait_at_gate (0);
  srv_test_add_number (N_ENDED, 1);

  return srv_test_reply (handler, "done\n", error);
}
