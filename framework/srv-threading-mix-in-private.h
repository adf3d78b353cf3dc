/* srv-threading-mix-in-private.h - the mix-in, and requests on their way
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "srv-last-thread-private.h"
#include "srv-threading-mix-in.h"

G_BEGIN_DECLS

struct _SrvThreadingMixIn
{
  SrvMixIn parent_instance;

  gboolean daemon_threads;
  guint max_threads;
  gsize stack_size;

  /* Guards everything below. */
  GMutex lock;
  GQueue waiting;   /* of Work, owned: requests that no thread has yet */
  guint n_requests; /* that wait or are served */
  guint n_threads;
  guint n_ready;  /* threads started or called for the first in line */
  guint n_idle;   /* threads that wait to be called */
  guint n_called; /* of them */
  GCond called;
  gboolean closing;  /* nobody waits any more */
  gboolean at_limit; /* the loop has been told to wait for one to end */

  SrvLastThread last; /* joined by the next one that ends, or by the drain */
};

/* srv-threading-requests.c */
gboolean srv_threading_mix_in_process_request (SrvMixIn *mix_in,
                                               SrvBaseServer *server,
                                               SrvRequest *request,
                                               GError **error);
void srv_threading_mix_in_end_idle (SrvThreadingMixIn *self);
void srv_threading_mix_in_join_last (SrvThreadingMixIn *self);

G_END_DECLS
