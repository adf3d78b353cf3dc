/* srv-request-set-private.h - the requests that a server is serving
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Requests of the library carry a link, so that to add and to remove one takes
 * no memory, and to ask for one no lock. Those of other types, and one that
 * another server has not let go of yet, stand in a table.
 *
 * The set holds a reference to each.
 */

#pragma once

#include "srv-check-private.h"
#include "srv-request.h"

G_BEGIN_DECLS

typedef struct _SrvSpares SrvSpares;

typedef struct
{
  GQueue linked;      /* of requests, owned */
  GHashTable *others; /* of requests, owned; NULL before the first one */
  int n_others;       /* atomic for readers */
} SrvRequestSet;

/* What a request of the library carries. */
typedef struct
{
  SrvRequestSet *set; /* atomic: that it is in; NULL: none */
  GList link;         /* under the lock of that set's owner */
  gboolean in_batch;  /* a batch of datagrams uses it again, by itself */
  SrvSpares *spares;  /* borrowed: where it goes once it has ended, to be used
                         again; NULL: nowhere */
  /* Owned; what may serve it: it has served the one that had this memory before,
   * or was laid out for a child. */
  SrvBaseRequestHandler *handler;
} SrvRequestLink;

/* NULL if it is of another type. */
SrvRequestLink *srv_request_get_link (SrvRequest *request);

/* Gives up the caller's reference. Whoever else has the request has nothing to do
 * with the handler that it carries. */
void srv_request_drop (SrvRequest *request);

/* Under the owner's lock. */
void srv_request_set_add (SrvRequestSet *self, SrvRequest *request);
gboolean srv_request_set_remove (SrvRequestSet *self, SrvRequest *request);
GList *srv_request_set_list (SrvRequestSet *self);
guint srv_request_set_size (const SrvRequestSet *self);
void srv_request_set_clear (SrvRequestSet *self);

/* Without the lock, which is taken if only it can tell; by whoever holds a
 * reference to the request. */
gboolean srv_request_set_contains (SrvRequestSet *self,
                                   SrvRequest *request,
                                   GMutex *lock);

G_END_DECLS
