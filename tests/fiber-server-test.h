/* fiber-server-test.h - what the tests of servers with fibers share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-test.h"

static const guint worker_counts[] = { 1, 2, 4 };

#define N_COUNTS G_N_ELEMENTS (worker_counts)

static inline SrvFiberMixIn *
fibers_of (SrvBaseServer *server)
{
  return SRV_FIBER_MIX_IN (srv_base_server_get_mix_in (server));
}

static inline SrvBaseServer *
make_server (SrvTestTransport transport, guint workers, SrvHandlerFunc function)
{
  SrvBaseServer *server = srv_test_server_new (transport, SRV_TEST_FIBERS);

  srv_fiber_mix_in_set_workers (fibers_of (server), workers);
  if (function != NULL)
    srv_base_server_set_handler_func (server, function,
                                      GUINT_TO_POINTER (workers), NULL);
  srv_test_clear_trace ();

  return server;
}
