/* srv-wait-set-private.h - waiting for one of several descriptors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A loop waits for its listener and for whoever wants to tell it something. How,
 * depends on who runs it: a thread alone polls; several workers that share a
 * listener have an epoll descriptor each, so that a client wakes one of them
 * and not all; a fiber parks.
 */

#pragma once

#include "srv-types.h"

#include <poll.h>

G_BEGIN_DECLS

#define SRV_WAIT_SET_SIZE 4

typedef struct _SrvWaitSet SrvWaitSet;

/* For the task that calls. @shared: other loops wait for the last slot. */
SrvWaitSet *srv_wait_set_new (gboolean shared);
void srv_wait_set_free (SrvWaitSet *self);

/* Waits until one of @fds is readable, and says so in their revents; a negative
 * descriptor is left out. FALSE with @error when it is impossible. */
gboolean srv_wait_set_wait (SrvWaitSet *self,
                            struct pollfd *fds,
                            gint64 deadline,
                            GError **error);

/* Lets others run that are ready, where that is the caller's business. */
void srv_wait_set_yield (SrvWaitSet *self);

/* Nothing more is to be had there for now. What has not been taken to the end
 * is reported again at once. */
void srv_wait_set_drained (SrvWaitSet *self, guint slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SrvWaitSet, srv_wait_set_free)

G_END_DECLS
